//! What a file of messages holds, counted by kind and by month.
//!
//! **Must never**: say it in words; that is [`super::phrase`]'s.

use std::collections::BTreeMap;
use std::ops::Index;

use super::clock::Local;
use crate::model::{Attachment, Availability, DeletionReason, Message, MessageKind};
use crate::pipeline::select::Has;

/// What is counted of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Sent,
    Received,
    /// Rows that nobody wrote: who joined, a new title, tapbacks on messages that are not here.
    Announcement,
    Picture,
    Film,
    Sound,
    Sticker,
    /// Files of any other kind.
    File,
    /// Link previews and the like.
    Card,
    Tapback,
    /// Messages that were edited, or unsent, as a whole or in part.
    Edited,
    Unsent,
    /// Messages that are not where they were, by why.
    RecentlyDeleted,
    Deleted,
    ConversationDeleted,
    AgedOut,
    Unexplained,
    /// Of those that aged out, those of which that is a guess.
    Guessed,
    /// Attachments that are not beside the export, by why.
    InICloud,
    Missing,
    Expired,
    LeftOut,
}

impl Thing {
    const COUNT: usize = Thing::LeftOut as usize + 1;

    fn of_absence(reason: DeletionReason) -> Thing {
        match reason {
            DeletionReason::RecentlyDeleted => Thing::RecentlyDeleted,
            DeletionReason::Deleted => Thing::Deleted,
            DeletionReason::ConversationDeleted => Thing::ConversationDeleted,
            DeletionReason::AgedOut => Thing::AgedOut,
            DeletionReason::Unexplained => Thing::Unexplained,
        }
    }
}

/// How many there are of everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; Thing::COUNT]);

impl Index<Thing> for Counts {
    type Output = u64;

    fn index(&self, thing: Thing) -> &u64 {
        // One for each thing there is.
        self.0.get(thing as usize).unwrap_or(&0)
    }
}

impl Counts {
    /// Of one message.
    pub fn of(message: &Message) -> Counts {
        let mut counts = Counts::default();
        counts.count(match (message.kind, message.from_me) {
            (MessageKind::Message, true) if message.announcement.is_none() => Thing::Sent,
            (MessageKind::Message, false) if message.announcement.is_none() => Thing::Received,
            _ => Thing::Announcement,
        });
        for attachment in message.attachments.iter().filter(|attachment| !attachment.hidden) {
            counts.attachment(attachment);
        }
        if message.balloon.is_some() {
            counts.count(Thing::Card);
        }
        message.tapbacks.iter().for_each(|_| counts.count(Thing::Tapback));
        for (thing, is_so) in
            [(Thing::Edited, message.is_edited()), (Thing::Unsent, message.unsent.is_some())]
        {
            if is_so {
                counts.count(thing);
            }
        }
        if let Some(deleted) = message.deleted {
            counts.count(Thing::of_absence(deleted.reason));
            if deleted.guessed {
                counts.count(Thing::Guessed);
            }
        }
        counts
    }

    fn attachment(&mut self, attachment: &Attachment) {
        self.count(match Has::of(attachment) {
            _ if attachment.sticker => Thing::Sticker,
            Some(Has::Image) => Thing::Picture,
            Some(Has::Video) => Thing::Film,
            Some(Has::Audio) => Thing::Sound,
            _ => Thing::File,
        });
        match attachment.availability {
            Availability::Local if attachment.path.is_some() => {}
            Availability::Local => self.count(Thing::LeftOut),
            Availability::InICloud => self.count(Thing::InICloud),
            Availability::Missing => self.count(Thing::Missing),
            Availability::Expired => self.count(Thing::Expired),
        }
    }

    fn count(&mut self, thing: Thing) {
        if let Some(count) = self.0.get_mut(thing as usize) {
            *count += 1;
        }
    }

    fn add(&mut self, other: &Counts) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

/// All that a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    pub messages: u64,
    pub counts: Counts,
    /// Messages by year and month.
    pub months: BTreeMap<(i64, u8), u64>,
    /// The first and the last day, in the order of time.
    pub first: Option<Local>,
    pub last: Option<Local>,
}

impl Contents {
    /// One message more.
    pub fn add(&mut self, at: Option<&Local>, counts: &Counts) {
        self.messages += 1;
        self.counts.add(counts);
        let Some(at) = at else { return };
        *self.months.entry((at.year, at.month)).or_default() += 1;
        self.reach(at);
    }

    /// All that another file holds, too.
    pub fn merge(&mut self, other: &Contents) {
        self.messages += other.messages;
        self.counts.add(&other.counts);
        for (month, count) in &other.months {
            *self.months.entry(*month).or_default() += count;
        }
        other.first.iter().chain(&other.last).for_each(|at| self.reach(at));
    }

    fn reach(&mut self, at: &Local) {
        let day = at.day_number();
        if self.first.is_none_or(|first| day < first.day_number()) {
            self.first = Some(*at);
        }
        if self.last.is_none_or(|last| day >= last.day_number()) {
            self.last = Some(*at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Edit;

    #[test]
    fn a_message_is_counted_as_all_that_it_is() {
        let file = |name: &str, availability| Attachment {
            name: Some(name.into()),
            availability,
            ..Attachment::default()
        };
        let hidden = Attachment { hidden: true, ..file("preview.png", Availability::Missing) };
        let message = Message {
            from_me: true,
            attachments: vec![
                file("a.heic", Availability::InICloud),
                file("b.mov", Availability::Local),
                file("c.pdf", Availability::Missing),
                hidden,
            ],
            edits: vec![Edit { part: 0, date: None, text: String::new() }],
            ..Message::default()
        };
        let mut contents = Contents::default();
        contents.add(None, &Counts::of(&message));
        contents.add(None, &Counts::of(&message));
        let counts = contents.counts;
        let of = [Thing::Sent, Thing::Received, Thing::Picture, Thing::Film, Thing::File, Thing::Sound];
        assert_eq!(of.map(|thing| counts[thing]), [2, 0, 2, 2, 2, 0]);
        let of = [Thing::Edited, Thing::InICloud, Thing::LeftOut, Thing::Missing, Thing::Expired];
        assert_eq!(of.map(|thing| counts[thing]), [2, 2, 2, 2, 0]);
    }
}
