//! Laying several sources on one scale: what a later one repeats, by its GUID, is left out.
//!
//! **Must never**: hold more than a number for a row.

use std::ops::ControlFlow;

use foldhash::{HashMap, HashSet};

use super::{Identity, Merged};
use crate::source::{Scale, SourceError, WeighedAttachment, WeighedMessage};

/// Gives the rows of one source the numbers that they have among those of all.
struct OneOfSeveral<'a> {
    merged: &'a Merged,
    scale: &'a mut dyn Scale,
    source: usize,
    messages: HashSet<u128>,
    /// The number of an attachment, by its GUID.
    known: HashMap<u128, i64>,
    /// The same, by the row id in this source.
    numbers: HashMap<i64, i64>,
    count: i64,
    stopped: bool,
}

impl Scale for OneOfSeveral<'_> {
    fn attachment(&mut self, mut attachment: WeighedAttachment) -> ControlFlow<()> {
        let guid = attachment.row.guid.as_deref().filter(|guid| !guid.is_empty());
        let guid = guid.map(|guid| self.identity().guid(guid));
        if let Some(number) = guid.and_then(|guid| self.known.get(&guid)) {
            self.numbers.insert(attachment.row.rowid, *number);
            return ControlFlow::Continue(());
        }
        self.count += 1;
        self.numbers.insert(attachment.row.rowid, self.count);
        if let Some(guid) = guid {
            self.known.insert(guid, self.count);
        }
        attachment.row.rowid = self.count;
        self.went_on(|scale| scale.attachment(attachment))
    }

    fn message(&mut self, message: &WeighedMessage<'_>) -> ControlFlow<()> {
        let guid = message.guid.filter(|guid| !guid.is_empty()).map(|guid| self.identity().guid(guid));
        if guid.is_some_and(|guid| !self.messages.insert(guid)) {
            return ControlFlow::Continue(());
        }
        let several = &self.merged.several;
        let attachments: Vec<i64> =
            message.attachments.iter().filter_map(|rowid| self.numbers.get(rowid).copied()).collect();
        let message = WeighedMessage {
            chat: message.chat.map(|chat| several.chat(self.source, chat)),
            handle_id: several.handle(self.source, message.handle_id),
            attachments: &attachments,
            ..message.clone()
        };
        self.went_on(|scale| scale.message(&message))
    }
}

impl OneOfSeveral<'_> {
    fn identity(&self) -> &dyn Identity {
        self.merged.identity.as_ref()
    }

    fn went_on(&mut self, lay: impl FnOnce(&mut dyn Scale) -> ControlFlow<()>) -> ControlFlow<()> {
        let laid = lay(self.scale);
        self.stopped |= laid.is_break();
        laid
    }
}

impl Merged {
    pub(super) fn weigh_all(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        let mut one = OneOfSeveral {
            merged: self,
            scale,
            source: 0,
            messages: HashSet::default(),
            known: HashMap::default(),
            numbers: HashMap::default(),
            count: 0,
            stopped: false,
        };
        for (number, source) in self.sources.iter().enumerate() {
            one.source = number;
            one.numbers.clear();
            source.weigh(&mut one)?;
            if one.stopped {
                break;
            }
        }
        Ok(())
    }
}
