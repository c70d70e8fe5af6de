//! Laying several sources on one scale, one after the other.
//!
//! **Must never**: leave out a row; which ones are the same is for whoever reads what they say.

use std::ops::ControlFlow;

use super::Merged;
use crate::source::{Scale, SourceError, WeighedAttachment, WeighedMessage};

/// Says of the rows of one source whose they are, and gives them the numbers of their handles and chats among all.
struct OneOfSeveral<'a> {
    merged: &'a Merged,
    scale: &'a mut dyn Scale,
    source: u16,
    stopped: bool,
}

impl Scale for OneOfSeveral<'_> {
    fn attachment(&mut self, attachment: WeighedAttachment) -> ControlFlow<()> {
        let laid = self.scale.attachment(WeighedAttachment { source: self.source, ..attachment });
        self.went_on(laid)
    }

    fn message(&mut self, message: &WeighedMessage<'_>) -> ControlFlow<()> {
        let (several, source) = (&self.merged.several, usize::from(self.source));
        let laid = self.scale.message(&WeighedMessage {
            source: self.source,
            chat: message.chat.map(|chat| several.chat(source, chat)),
            handle_id: several.handle(source, message.handle_id),
            ..message.clone()
        });
        self.went_on(laid)
    }
}

impl OneOfSeveral<'_> {
    fn went_on(&mut self, laid: ControlFlow<()>) -> ControlFlow<()> {
        self.stopped |= laid.is_break();
        laid
    }
}

impl Merged {
    pub(super) fn weigh_all(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        let mut one = OneOfSeveral { merged: self, scale, source: 0, stopped: false };
        for (source, number) in self.sources.iter().zip(0..) {
            one.source = number;
            source.weigh(&mut one)?;
            if one.stopped {
                break;
            }
        }
        Ok(())
    }
}
