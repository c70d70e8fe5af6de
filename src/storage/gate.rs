//! Whether what a Keep Messages setting would purge is in an archive, and whole there: "is it safe to switch?"
//!
//! **Must never**: say yes for want of a question. What cannot be checked does not pass.

use std::collections::HashMap;
use std::path::Path;

use super::groups::Place;
use super::items::Items;
use super::keep::Setting;
use super::known_hashes::KnownHashes;
use super::repeated::RowOf;
use super::{Options, StorageError, reading};
use crate::archive::holding::Holding;
use crate::archive::{Problem, check, unarchived};
use crate::model::{Availability, Instant};
use crate::pipeline::Progress;
use crate::source::tables::Tables;

/// What has to pass.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    pub setting: Setting,
    /// The same sources, row by row.
    pub tables: &'a [Tables],
}

/// Whether it passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub setting: Setting,
    /// What would go, and was looked at.
    pub messages: u64,
    pub attachments: u64,
    /// All that speaks against it: nothing, where it passes.
    pub blocked: Vec<Blocked>,
}

impl Passage {
    /// Nothing speaks against it.
    pub fn is_open(&self) -> bool {
        self.blocked.is_empty()
    }
}

/// Something that would be lost, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    pub why: Why,
    /// Of the message, or the attachment.
    pub guid: Option<String>,
    /// Of the attachment.
    pub name: Option<String>,
    pub date: Option<Instant>,
    /// An index into [`Estimate::conversations`](super::Estimate::conversations).
    pub conversation: Option<usize>,
}

/// Why something does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The archive was never fed from this source, or from one of them: nothing is checked.
    NeverArchived,
    /// A message is not in the archive, or not as it is now.
    Message,
    /// The bytes of an attachment are not in the archive.
    Attachment(Availability),
    /// The archive has other bytes of it than are here.
    Differs,
    /// Its bytes here cannot be read, so that they cannot be compared.
    Unreadable(String),
    /// Something is wrong with the archive itself.
    Damaged(Problem),
}

/// What is found out before the source is read.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Which of the settings, where one is asked for.
    setting: Option<usize>,
    /// Row ids of messages that a run of the archive would take in, by source.
    unarchived: Vec<Vec<i64>>,
    /// It was never fed from one of them.
    never: bool,
    pub blocked: Vec<Blocked>,
}

impl Watch {
    pub fn new(options: &Options<'_>, archive: Option<&Path>) -> Result<Watch, StorageError> {
        let (Some(gate), Some(archive)) = (&options.gate, archive) else { return Ok(Watch::default()) };
        let unarchived = gate
            .tables
            .iter()
            .map(|tables| unarchived(archive, tables, options.jobs))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Watch {
            setting: Setting::NAMES.iter().position(|(_, setting)| *setting == gate.setting),
            never: unarchived.iter().any(Option::is_none),
            unarchived: unarchived.into_iter().map(Option::unwrap_or_default).collect(),
            blocked: Vec::new(),
        })
    }

    /// Looks at a message that would go with these settings.
    pub fn message(
        &mut self,
        (source, rowid): RowOf,
        guid: Option<&str>,
        date: Option<Instant>,
        place: Place,
        going: [bool; 2],
    ) {
        let goes = self.setting.and_then(|setting| going.get(setting)).is_some_and(|goes| *goes);
        let unarchived = self.unarchived.get(usize::from(source));
        if goes && unarchived.is_some_and(|rows| rows.binary_search(&rowid).is_ok()) {
            self.blocked.push(Blocked {
                why: Why::Message,
                guid: guid.map(str::to_owned),
                name: None,
                date,
                conversation: place.conversation(),
            });
        }
    }

    /// Looks at the attachments that would go, and at the archive itself.
    pub fn finish(
        mut self,
        items: &Items,
        holding: &Holding,
        archive: &Path,
        options: &Options<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<Blocked>, StorageError> {
        let Some(setting) = self.setting else { return Ok(Vec::new()) };
        if self.never {
            self.blocked = vec![Blocked::of(Why::NeverArchived)];
        } else {
            self.attachments(items, setting, holding, options, progress)?;
        }
        let found = check(archive, true, options.jobs, progress)?;
        self.blocked.extend(found.problems.into_iter().map(|problem| Blocked {
            guid: problem.guid.clone(),
            name: problem.path.clone(),
            ..Blocked::of(Why::Damaged(problem))
        }));
        Ok(self.blocked)
    }

    fn attachments(
        &mut self,
        items: &Items,
        setting: usize,
        holding: &Holding,
        options: &Options<'_>,
        progress: &dyn Progress,
    ) -> Result<(), StorageError> {
        let going = || items.all.iter().zip(0..).filter(|(item, _)| item.goes(setting));
        let here: Vec<_> = going()
            .filter(|(item, _)| holding.content_of(item.guid).is_some_and(|held| held.sha256.is_some()))
            .filter_map(|(_, number)| Some((number, items.contents.get(&number)?)))
            .collect();
        let read = reading::read(&here, &mut KnownHashes::default(), options.jobs, progress);
        if progress.interrupted() {
            return Err(StorageError::Interrupted);
        }
        let mut first = HashMap::new();
        for reference in &items.references {
            first.entry(reference.item).or_insert(reference);
        }
        for (item, number) in going() {
            let why = match (holding.content_of(item.guid), read.get(&number)) {
                // Messages removes what was heard once, everywhere.
                (None, _) if item.availability == Availability::Expired => continue,
                (None, _) => Why::Attachment(item.availability),
                (Some(held), Some(Ok(hash))) if held.sha256 != Some(*hash) => Why::Differs,
                (Some(_), Some(Err(error))) => Why::Unreadable(error.to_string()),
                (Some(_), _) => continue,
            };
            let (guid, name) = items.names.get(&number).cloned().unwrap_or_default();
            let (date, place) = first.get(&number).map(|of| (of.date, of.place)).unzip();
            self.blocked.push(Blocked {
                why,
                guid,
                name,
                date: date.flatten(),
                conversation: place.and_then(Place::conversation),
            });
        }
        Ok(())
    }
}

impl Blocked {
    fn of(why: Why) -> Blocked {
        Blocked { why, guid: None, name: None, date: None, conversation: None }
    }
}
