//! Is the system new enough: Messages in iCloud came with macOS 10.13.5 and iOS 11.4.

use crate::doctor::{Patient, Verdict};

/// The first iOS with Messages in iCloud.
const IOS: [u64; 2] = [11, 4];
/// By `_ClientVersion`, its thousands: the systems that came after the first one with Messages in iCloud.
const SURELY: u64 = 12;
/// The system that had it from an update on.
const PERHAPS: u64 = 11;

const UPDATE: &str = "Update the device: Messages in iCloud needs iOS 11.4 or macOS 10.13.5.";

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let os = patient.info.backup.as_ref().and_then(|backup| backup.os.clone());
    let evidence = vec![
        ("system", os.clone().into()),
        ("schema_version", patient.info.schema_version.clone().into()),
        ("has_sync_columns", (patient.facts.sync.known > 0).into()),
    ];
    verdict(patient, os.as_deref()).because(evidence)
}

fn verdict(patient: &Patient<'_>, os: Option<&str>) -> Verdict {
    if patient.is_archive() {
        return Verdict::unknown("An archive says nothing of the systems that its messages came from.");
    }
    if let Some((os, parts)) = os.and_then(|os| Some((os, parts(os)?))) {
        return match parts >= IOS {
            true => Verdict::ok(format!("iOS {os} has Messages in iCloud.")).by_definition(),
            false => Verdict::problem(format!("iOS {os} is too old for Messages in iCloud."), UPDATE)
                .by_definition(),
        };
    }
    let version = patient.info.schema_version.as_deref();
    match version.and_then(|version| version.trim().parse::<u64>().ok()).map(|version| version / 1000) {
        Some(SURELY..) => {
            Verdict::ok("Its database is of a system that has Messages in iCloud.").by_definition()
        }
        Some(PERHAPS) => Verdict::unknown(
            "Its database is of iOS 11 or macOS 10.13, which have Messages in iCloud from 11.4 and 10.13.5 on.",
        ),
        Some(_) => {
            Verdict::problem("Its database is of a system that is too old for Messages in iCloud.", UPDATE)
                .by_definition()
        }
        None if patient.info.schema_version.is_none() => {
            Verdict::unknown("The database does not say of which version it is.")
        }
        None => Verdict::unknown("The database's version is no number."),
    }
}

/// `11.4.1` → 11, 4.
fn parts(os: &str) -> Option<[u64; 2]> {
    let mut parts = os.trim().split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().map_or(Some(0), |minor| minor.parse().ok())?;
    Some([major, minor])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (os, new_enough) in
            [("11.3.1", false), ("11.4", true), ("9.3", false), ("11.10", true), ("18", true)]
        {
            assert_eq!(parts(os).unwrap() >= IOS, new_enough, "{os}");
        }
        assert_eq!(parts("beta"), None);
    }
}
