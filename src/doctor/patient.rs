use crate::compare::{Comparison, Gaps, Reason, Side};
use crate::model::Instant;
use crate::source::{Deletions, SourceInfo, SourceKind};
use crate::writers::clock::Clock;
use crate::writers::phrase::{one_line, short_date};

use super::{Facts, Nightly, Surroundings};

/// A source, with all that checks look at.
#[derive(Debug)]
pub struct Patient<'p> {
    pub info: &'p SourceInfo,
    pub facts: &'p Facts,
    pub deletions: &'p Deletions,
    /// Free bytes on its disk.
    pub free: Option<u64>,
    /// The schedule that reads it.
    pub nightly: Option<&'p Nightly>,
    pub around: &'p Surroundings,
    /// The source beside it.
    pub other: Option<Other<'p>>,
}

/// What the source beside it says.
#[derive(Debug, Clone, Copy)]
pub struct Other<'p> {
    pub compared: &'p Comparison,
    /// Which side the other one is.
    pub side: Side,
    pub facts: &'p Facts,
}

impl<'p> Other<'p> {
    /// `own`: the side that is examined; `facts`: of the other one.
    pub(super) fn of(compared: &'p Comparison, own: Side, facts: &'p Facts) -> Other<'p> {
        Other { compared, side: own.other(), facts }
    }

    /// What the other one has and this one lacks, by why.
    pub fn lacking(&self) -> Vec<(Reason, u64)> {
        self.compared.total.reasons(self.side)
    }

    /// How many of these, for this reason.
    pub fn lacking_for(&self, reason: Reason) -> u64 {
        self.lacking().into_iter().find(|(other, _)| *other == reason).map_or(0, |(_, count)| count)
    }

    /// How both differ in all conversations.
    pub fn gaps(&self) -> &'p Gaps {
        &self.compared.total
    }

    /// Where the other one lies, in a line.
    pub fn name(&self) -> String {
        let about = match self.side {
            Side::Left => &self.compared.left,
            Side::Right => &self.compared.right,
        };
        let source = &about.source;
        match source.backup.as_ref().and_then(|backup| backup.device.as_deref()) {
            Some(device) => format!("the backup of “{}”", one_line(device)),
            None => one_line(&source.path.to_string_lossy()).into_owned(),
        }
    }
}

impl Patient<'_> {
    /// The moment that is now for it: a library of this machine goes on, a backup was made once, and a copy was made no
    /// earlier than its last message.
    pub fn moment(&self) -> Option<Instant> {
        match &self.info.backup {
            _ if self.info.is_own => Some(self.around.now),
            Some(backup) => backup.date.map(Instant::from).or(self.facts.last),
            None => self.facts.last,
        }
    }

    /// `1 May 2024`, in the zone of the examination.
    pub fn day(&self, instant: Instant) -> String {
        short_date(&Clock::new(self.around.zone).local(instant))
    }

    /// An archive keeps rows, and is no device.
    pub fn is_archive(&self) -> bool {
        self.info.kind == SourceKind::Archive
    }

    /// An iPhone's or iPad's.
    pub fn is_phone(&self) -> bool {
        matches!(self.info.kind, SourceKind::Device | SourceKind::Backup)
    }
}
