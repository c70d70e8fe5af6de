//! Every check: one file, and one row in [`CHECKS`].

mod attachments;
mod caught_up;
pub(super) mod complete;
mod disk;
mod holes;
mod icloud;
mod identities;
mod keep_messages;
mod nightly;
mod other_source;
pub(super) mod readable;
mod rows;
mod system;
mod text_messages;

use super::{Patient, Verdict};

/// A check.
#[derive(Debug)]
pub struct Check {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it asks, in a few words.
    pub question: &'static str,
    pub(super) look: fn(&Patient<'_>) -> Verdict,
}

/// Every check, in the order in which a person would make them.
pub const CHECKS: [Check; 14] = [
    Check { name: "readable", question: "Can it be read", look: readable::look },
    Check { name: "complete", question: "Is the copy complete", look: complete::look },
    Check { name: "icloud", question: "Is Messages in iCloud on", look: icloud::look },
    Check { name: "caught_up", question: "Is it caught up with iCloud", look: caught_up::look },
    Check { name: "attachments", question: "Are the attachments here", look: attachments::look },
    Check { name: "other_source", question: "Does the other one have more", look: other_source::look },
    Check { name: "holes", question: "Are there holes in time", look: holes::look },
    Check { name: "keep_messages", question: "Are messages kept", look: keep_messages::look },
    Check { name: "text_messages", question: "Do SMS and RCS arrive", look: text_messages::look },
    Check { name: "system", question: "Is the system new enough", look: system::look },
    Check { name: "identities", question: "Is it the same account", look: identities::look },
    Check { name: "rows", question: "Are the rows sound", look: rows::look },
    Check { name: "disk", question: "Is there room on the disk", look: disk::look },
    Check { name: "nightly", question: "Can the schedule read it", look: nightly::look },
];

/// What to say where only one source was named.
const ONE_SOURCE: &str = "Only a second source would tell: --source THIS --source OTHER.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own() {
        let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKS.len());
    }
}
