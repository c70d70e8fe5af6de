//! The record that `archive --json` prints, as far as it says how a run went.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ExportJob;

/// Things that could not be read of which a sentence tells.
const MOST_NAMED: usize = 3;

/// What is of interest in the record.
#[derive(Debug, Deserialize)]
pub struct Printed {
    pub added: u64,
    /// What could not be read of the sources, and why.
    #[serde(default)]
    unreadable: Vec<String>,
    /// What damage took for good; its words are the archive's to tell.
    #[serde(default)]
    lost: Vec<IgnoredAny>,
    /// What stays damaged.
    #[serde(default)]
    still_damaged: Vec<IgnoredAny>,
    pub export: Option<PrintedExport>,
}

/// What became of the export.
#[derive(Debug, Deserialize)]
pub struct PrintedExport {
    /// Conversations; `None` where the export failed.
    pub written: Option<u64>,
    /// What is marked in it, because it could not be read completely.
    #[serde(default)]
    defect_count: u64,
}

impl Printed {
    /// What was done, in a sentence.
    pub fn done(&self) -> String {
        let mut words = format!("new messages: {}", self.added);
        if let Some(written) = self.export.as_ref().and_then(|export| export.written) {
            let _ = write!(words, "; exported conversations: {written}");
        }
        words
    }

    /// Something was found damaged, and not put right.
    pub fn tells_of_damage(&self) -> bool {
        !self.lost.is_empty() || !self.still_damaged.is_empty()
    }

    /// What could not be read, and where all of it is named; `None`: everything could.
    pub fn incomplete(&self, export: Option<&ExportJob>) -> Option<String> {
        let mut parts: Vec<String> =
            self.unreadable.iter().take(MOST_NAMED).map(|what| format!("cannot read {what}")).collect();
        match self.unreadable.len().saturating_sub(MOST_NAMED) {
            0 => {}
            more => parts.push(format!("and {more} more, which the log names")),
        }
        let defects = self.export.as_ref().map_or(0, |export| export.defect_count);
        if let Some(export) = export.filter(|_| defects > 0) {
            let found = if defects == 1 { "1 defect" } else { &format!("{defects} defects") };
            parts.push(format!(
                "the export in {} has {found}, listed in its manifest.json",
                export.out.display()
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; ").replace('\0', ""))
    }
}
