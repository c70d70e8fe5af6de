//! What verifying an archive found.
//!
//! **Must never**: name a problem without a word of what the next run does, or that nothing can be done.

use super::Unread;
use super::holders::Holder;
use crate::archive::lost_thing::LostThing;

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub rows: u64,
    pub contents: u64,
    /// Bytes of the contents: read, where that was asked for.
    pub bytes: u64,
    pub runs: u64,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// `row`, `join`, `version`, `card`, `note`, `content`, `record`, `count`, `database`, `file`.
    pub kind: &'static str,
    /// Of a file, relative to what was verified.
    pub path: Option<String>,
    /// Of a row.
    pub guid: Option<String>,
    /// In words.
    pub what: String,
    /// The source that has it; or may have it still: see [`Problem::in_doubt`].
    pub source: Option<String>,
    /// Whether that source still has it only reading it will tell: it is not at hand, or has the row without the file, perhaps.
    pub in_doubt: bool,
    /// Something that nothing here can tell any more, and no source that is known.
    pub lost: bool,
}

impl Problem {
    pub(super) fn of(kind: &'static str, what: impl Into<String>) -> Problem {
        Problem {
            kind,
            path: None,
            guid: None,
            what: what.into(),
            source: None,
            in_doubt: false,
            lost: false,
        }
    }

    /// Something that only a source can tell, of those that are known.
    pub(super) fn held_by(self, holder: Option<Holder>) -> Problem {
        Problem {
            lost: holder.is_none(),
            in_doubt: holder.as_ref().is_some_and(|holder| holder.in_doubt),
            source: holder.map(|holder| holder.path),
            ..self
        }
    }

    pub(super) fn in_words(&self) -> String {
        let Problem { kind, path, guid, what, .. } = self;
        let of = [path, guid].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{kind}: {what}{}", if of.is_empty() { of } else { format!(" ({of})") })
    }

    pub(super) fn at(self, path: impl Into<String>) -> Problem {
        Problem { path: Some(path.into()), ..self }
    }
}

/// What was damaged once, and nothing had any more: the archive is whole without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The name of the run that found it so.
    pub run: String,
    pub thing: LostThing,
}

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub checked: Checked,
    /// Sorted.
    pub problems: Vec<Problem>,
    /// Sorted.
    pub unread: Vec<Unread>,
    /// By run.
    pub lost: Vec<Lost>,
    /// Files among the contents that no run wrote, or noted; sorted. They are nobody's damage. `None` where that was not
    /// looked for: it takes a deep look at an archive that nobody is adding to, and in which nothing is damaged.
    pub foreign: Option<Vec<String>>,
    /// It could not be noted in the archive: the next run knows nothing of it.
    pub is_unnoted: bool,
}
