//! Which message a tapback or a vote hangs on, or a reply answers, and which part of it.
//!
//! A message that was restored under a new GUID is the same one; so two rows that name different GUIDs are only said to
//! name different messages where that is known.
//!
//! **Must never**: take what one side does not say for nothing.

use super::record::{Lists, Marks, Record};
use crate::pipeline::fingerprint::GuidKey;
use crate::pipeline::{RowKind, row_kind};
use crate::source::{RawMessage, target_of};

/// What a row points at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    /// The bits of a [`GuidKey`], high and low; 0 where it points at nothing.
    guid: [u64; 2],
    /// Which part, from 1 on; 0 where it does not say.
    part: u32,
}

impl Link {
    /// Of what a row points at as people see it. Later states of an app's message point at any of those before them.
    pub fn of(row: &RawMessage) -> Link {
        match row_kind(row) {
            RowKind::Tapback | RowKind::Vote => row.associated_message_guid.as_deref().map(hung),
            RowKind::Own => row.thread_originator_guid.as_deref().map(|guid| {
                // `<part>:<location>:<length>` (`messages-format.md` 7).
                let part = row.thread_originator_part.as_deref().and_then(|part| part.split(':').next());
                Link::to(guid, part)
            }),
            RowKind::Update => None,
        }
        .unwrap_or_default()
    }

    fn to(guid: &str, part: Option<&str>) -> Link {
        // Some have a prefix (`messages-format.md` 6.2).
        let bare = guid.len().checked_sub(36).and_then(|start| guid.get(start..)).unwrap_or(guid);
        let key = if bare.is_empty() { 0 } else { GuidKey::of(bare).0 };
        let part = part.and_then(|part| part.trim().parse::<u32>().ok());
        Link { guid: [(key >> 64) as u64, key as u64], part: part.map_or(0, |part| part.saturating_add(1)) }
    }

    pub fn is_none(&self) -> bool {
        self.guid == [0; 2]
    }

    /// Which part, from 0 on; `None` where it does not say.
    pub fn part(&self) -> Option<u32> {
        self.part.checked_sub(1)
    }
}

/// `p:<part>/<GUID>`; other forms name no part.
fn hung(associated: &str) -> Link {
    let part = associated.strip_prefix("p:").and_then(|rest| rest.split_once('/')).map(|(part, _)| part);
    Link::to(target_of(associated), part)
}

/// A side as it is when all of it was read.
#[derive(Clone, Copy)]
pub(super) struct Seen<'r> {
    /// Sorted; of each GUID one.
    pub records: &'r [Record],
    pub lists: &'r Lists,
}

impl<'r> Seen<'r> {
    /// The row of a GUID.
    pub fn row(&self, link: &Link) -> Option<&'r Record> {
        let at = self.records.binary_search_by(|record| record.guid.cmp(&link.guid)).ok()?;
        self.records.get(at).filter(|_| !link.is_none())
    }
}

/// Two rows of one message point at different ones, or at different parts of one.
pub(super) fn differ((row, side): (&Record, Seen<'_>), (other, others): (&Record, Seen<'_>)) -> bool {
    let (mine, theirs) = (side.lists.aside(row).link, others.lists.aside(other).link);
    let hangs = row.hangs() || other.hangs();
    match (mine.is_none(), theirs.is_none()) {
        (true, true) => false,
        // Systems before replies note none; and what hangs somewhere hangs on something, said or not.
        (true, false) | (false, true) => !hangs && side.lists.knows.replies && others.lists.knows.replies,
        (false, false) if mine.guid == theirs.guid => {
            // An export says which part is shown, a row which one was meant.
            let told =
                row.is(Marks::TOLD) || other.is(Marks::TOLD) || side.lists.is_told || others.lists.is_told;
            !told && mine.part().zip(theirs.part()).is_some_and(|(mine, theirs)| mine != theirs)
        }
        (false, false) => !is_restored(&mine, side, &theirs, others, row.guid == other.guid),
    }
}

/// Two GUIDs are of one message, or may be. `same_row`: what names them has one GUID on both sides.
fn is_restored(mine: &Link, side: Seen<'_>, theirs: &Link, others: Seen<'_>, same_row: bool) -> bool {
    // A side that was restored may have rows that name what it had before.
    let (Some(mine_row), Some(their_row)) =
        (side.row(mine).or_else(|| others.row(mine)), others.row(theirs).or_else(|| side.row(theirs)))
    else {
        return !same_row;
    };
    let content = |record: &Record| (record.conversation, record.content, record.kind);
    let is_there_too = |link: &Link, there: Seen<'_>| there.row(link).is_some();
    // Of two messages that say the same in a second, each has its own GUID on both sides.
    let are_two = |seen: Seen<'_>| is_there_too(mine, seen) && is_there_too(theirs, seen);
    content(mine_row) == content(their_row) && !are_two(side) && !are_two(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "0F0B3C7E-1111-4222-8333-ABCDEFABCDEF";

    fn tapback(on: &str) -> Link {
        Link::of(&RawMessage {
            associated_message_guid: Some(on.into()),
            associated_message_type: 2000,
            ..RawMessage::default()
        })
    }

    #[test]
    fn every_form_names_its_message() {
        let forms =
            [format!("p:0/{GUID}"), format!("bp:{GUID}"), GUID.to_lowercase(), format!("p:0/SMS-{GUID}")];
        for form in &forms {
            assert_eq!(tapback(form).guid, tapback(GUID).guid, "{form}");
        }
        let parts: Vec<_> = forms.iter().map(|form| tapback(form).part()).collect();
        assert_eq!(parts, [Some(0), None, None, Some(0)]);
        assert_eq!(tapback(&format!("p:3/{GUID}")).part(), Some(3));
        assert!(tapback("").is_none() && Link::of(&RawMessage::default()).is_none());
        for odd in ["p:", "p:x/", "p:-1/é", "bp:", "p:99999999999/x"] {
            assert_eq!(tapback(odd).part(), None);
        }
        assert_eq!(tapback(&format!("p:{}/x", u32::MAX)).part(), Some(u32::MAX - 1));
    }

    #[test]
    fn replies_name_the_first_of_their_thread() {
        let reply = |part: Option<&str>| {
            Link::of(&RawMessage {
                thread_originator_guid: Some(GUID.into()),
                thread_originator_part: part.map(str::to_owned),
                ..RawMessage::default()
            })
        };
        assert_eq!(reply(Some("2:0:13")).part(), Some(2));
        assert_eq!(reply(Some("0:9223372036854775807:0")).part(), Some(0));
        assert_eq!((reply(None).part(), reply(Some("x")).part()), (None, None));
        assert_eq!(reply(None).guid, tapback(GUID).guid);
    }
}
