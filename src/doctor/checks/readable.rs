//! Can the library be read: the system may forbid it, or the file may be something else.

use crate::doctor::{Patient, Verdict};
use crate::source::SourceError;
use crate::writers::phrase;

/// It was read.
pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let facts = patient.facts;
    let evidence = vec![
        ("path", patient.info.path.to_string_lossy().into_owned().into()),
        ("rows", facts.rows.into()),
        ("unreadable_rows", facts.unreadable.into()),
        ("first", facts.first.into()),
        ("last", facts.last.into()),
    ];
    let rows = phrase::count(facts.rows, "row was read", "rows were read");
    if facts.unreadable > 0 {
        let unreadable = phrase::count(facts.unreadable, "row", "rows");
        let remedy =
            "Copy the database again from where it came from, with the -wal and -shm files beside it.";
        let finding = format!("{rows}; {unreadable} could not be read: the file is damaged there.");
        return Verdict::problem(finding, remedy).by_definition().because(evidence);
    }
    Verdict::ok(format!("{rows}.")).by_definition().because(evidence)
}

/// It could not be opened. `remedy`: the next step, as far as there is one.
pub(in crate::doctor) fn failed(error: &SourceError, remedy: Option<String>) -> Verdict {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let (error_number, finding) = match error {
        SourceError::Forbidden { path, source } if is_privacy(source) => (
            source.raw_os_error(),
            format!("macOS does not let this program read {}: Full Disk Access is missing.", path.display()),
        ),
        SourceError::Forbidden { path, source } => {
            (source.raw_os_error(), format!("You may not read {}: its own mode forbids it.", path.display()))
        }
        error => (None, format!("It cannot be opened: {error}.")),
    };
    let evidence = vec![
        ("error", error.to_string().into()),
        ("cause", cause.into()),
        ("error_number", error_number.and_then(|number| u64::try_from(number).ok()).into()),
    ];
    let remedy =
        remedy.unwrap_or_else(|| "Name another source; `msgarchive sources` lists what is here.".into());
    Verdict::problem(finding, remedy).by_definition().because(evidence)
}

/// macOS says `EPERM` where Full Disk Access is missing, and `EACCES` where the file's own mode forbids reading.
fn is_privacy(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(1)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_macos_forbids_is_told_from_what_a_mode_forbids() {
        let forbidden = |errno| {
            let source = io::Error::from_raw_os_error(errno);
            failed(
                &SourceError::Forbidden { path: "/Users/ana/Library/Messages/chat.db".into(), source },
                None,
            )
        };
        assert!(forbidden(1).finding.contains("Full Disk Access is missing"));
        assert!(forbidden(13).finding.contains("its own mode forbids it"));
    }
}
