//! What is not the same in two records of one message.
//!
//! **Must never**: take for a difference what devices of one owner only write down differently, or what one side does not say.

use super::record::{Aside, Author, Lists, Marks, Read, Record, Sending};

const SECOND: u64 = 1_000_000_000;

/// Something that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Whether, and how, its sender changed it, as one side notes at least.
    Edited,
    Unsent,
    /// Attachments that one side has more of, or has the bytes of.
    Attachment,
    Read,
    /// Who sent it.
    Sender,
    /// When it was sent, by a second or more.
    Date,
    Subject,
    Service,
    /// What it says, and no edit explains that.
    Text,
    /// Attachments that both have in other sizes, or with other bytes.
    Bytes,
    /// Which message, or which part of it, a tapback or a vote hangs on.
    Target,
    /// Which message, or which part of it, it answers.
    Reply,
    /// How it was sent to appear.
    Effect,
    /// It went out, or did not.
    Error,
}

impl Difference {
    /// Each, with its word.
    pub const NAMES: [(&'static str, Difference); 14] = [
        ("edited", Difference::Edited),
        ("unsent", Difference::Unsent),
        ("attachment", Difference::Attachment),
        ("read", Difference::Read),
        ("sender", Difference::Sender),
        ("date", Difference::Date),
        ("subject", Difference::Subject),
        ("service", Difference::Service),
        ("text", Difference::Text),
        ("bytes", Difference::Bytes),
        ("target", Difference::Target),
        ("reply", Difference::Reply),
        ("effect", Difference::Effect),
        ("error", Difference::Error),
    ];

    /// The message is the same, and one device knows more of it: nothing that both say contradicts the other.
    pub fn is_knowledge(self) -> bool {
        matches!(self, Difference::Attachment | Difference::Read)
    }
}

/// All that differs in one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct What(u16);

impl What {
    fn add(&mut self, difference: Difference, when: bool) {
        self.0 |= u16::from(when) << difference as u16;
    }

    /// True when this is among it.
    pub fn has(self, difference: Difference) -> bool {
        self.0 >> (difference as u16) & 1 == 1
    }

    /// Each that is among it.
    pub fn each(self) -> impl Iterator<Item = Difference> {
        let all = Difference::NAMES.into_iter().map(|(_, difference)| difference);
        all.filter(move |difference| self.has(*difference))
    }

    /// True when nothing differs.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What differs in services more than in their spelling: satellites carry the same messages, and what one side does not
/// say is no difference.
fn carrier(service: &str) -> Option<String> {
    let service = service.trim().to_ascii_lowercase();
    match service.as_str() {
        "" | "any" => None,
        "imessagelite" => Some("imessage".into()),
        "satellitesms" | "mms" => Some("sms".into()),
        _ => Some(service),
    }
}

impl Record {
    /// What is not the same in two records of one message. `elsewhere`: [they point at different ones](super::links).
    pub fn differences(&self, lists: &Lists, other: &Record, others: &Lists, elsewhere: bool) -> What {
        let mut what = What::default();
        let told = lists.is_told || others.is_told;
        let is_known = |record: &Record| record.author != Author::UNKNOWN;
        // Nobody knows everybody: an export does not, and who did what is announced is said elsewhere.
        let is_said = is_known(self) && is_known(other)
            || !told && !self.is(Marks::ANNOUNCES) && !other.is(Marks::ANNOUNCES);
        what.add(Difference::Sender, self.author != other.author && is_said);
        let is_dated = !self.is(Marks::SCHEDULED) && !other.is(Marks::SCHEDULED);
        let apart = self.date.abs_diff(other.date) >= SECOND;
        what.add(Difference::Date, is_dated && apart);
        let [mine, theirs] = [lists.service(self), others.service(other)].map(|name| name.and_then(carrier));
        what.add(Difference::Service, mine.is_some() && theirs.is_some() && mine != theirs);
        self.words(lists.aside(self), other, others.aside(other), told, &mut what);
        if self.hangs() || other.hangs() {
            what.add(Difference::Target, elsewhere);
            return what;
        }
        what.add(Difference::Reply, elsewhere);
        let effects = [lists.aside(self), others.aside(other)].map(|aside| aside.effect);
        // Systems before effects show none.
        let known_effects = lists.knows.effects && others.knows.effects;
        what.add(Difference::Effect, effects[0] != effects[1] && known_effects);
        // Why it failed each device says for itself.
        let both_tell = self.sending != Sending::Unknown && other.sending != Sending::Unknown;
        what.add(Difference::Error, both_tell && self.sending != other.sending);
        let both_known = self.read != Read::Unknown && other.read != Read::Unknown;
        // What one's own messages say of reading is another thing.
        let is_read = both_known && self.read != other.read && !what.has(Difference::Sender);
        what.add(Difference::Read, is_read);
        what
    }

    /// What it says, and with which attachments.
    fn words(&self, mine: Aside, other: &Record, theirs: Aside, told: bool, what: &mut What) {
        // What one side does not say is known not to be there only where it is no export.
        let is_known = !told || self.text != 0 && other.text != 0;
        let other_text = self.text != other.text && is_known;
        if self.hangs() || other.hangs() {
            what.add(Difference::Text, self.text != other.text && self.text != 0 && other.text != 0);
            // An export has a tapback and what takes it back as one.
            what.add(Difference::Unsent, mine.unsent != theirs.unsent && !told);
            return;
        }
        what.add(Difference::Subject, mine.subject != theirs.subject);
        let unsent = mine.unsent != theirs.unsent;
        what.add(Difference::Unsent, unsent);
        // An export has the versions of what was edited, and not that something was whose versions are lost.
        let is_noted = |record: &Record, aside: Aside| aside.edited || !record.is(Marks::TOLD);
        let is_edited = mine.edited || theirs.edited;
        let versions =
            mine.versions != theirs.versions && mine.versions != 0 && theirs.versions != 0 && !told;
        let edited = mine.edited != theirs.edited && is_noted(self, mine) && is_noted(other, theirs);
        // What was taken back is missing in the text.
        what.add(Difference::Edited, edited || versions || other_text && is_edited && !unsent);
        let first = |record: &Record, aside: Aside| if aside.edited { aside.first } else { record.text };
        let [mine_first, their_first] = [first(self, mine), first(other, theirs)];
        let other_first = mine_first != their_first && mine_first != 0 && their_first != 0 && !told;
        let other_words = if is_edited { other_first } else { other_text };
        what.add(Difference::Text, other_words && !unsent);
        // An export lists attachments of which only a body speaks, too.
        let (files, their_files) = (mine.files, theirs.files);
        let number = files.all != their_files.all && !told || files.present != their_files.present;
        what.add(Difference::Attachment, number && !unsent);
        what.add(Difference::Bytes, files.have_other_bytes(&their_files) && !unsent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_differ_in_more_than_their_spelling() {
        for (left, right) in
            [("iMessage", "imessage"), ("iMessage", "iMessageLite"), ("SMS", "SatelliteSMS"), ("RCS", "rcs")]
        {
            assert_eq!(carrier(left), carrier(right));
        }
        assert!(carrier("any").is_none() && carrier("").is_none());
        for (left, right) in [("iMessage", "SMS"), ("SMS", "RCS"), ("Jabber", "AIM")] {
            assert_ne!(carrier(left), carrier(right));
        }
    }
}
