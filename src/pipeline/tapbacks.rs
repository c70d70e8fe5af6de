//! Tapback rows → the tapbacks of a message: `messages-format.md` 6.
//!
//! **Must never**: forget a tapback that was taken back. It stays, marked.

use super::decode::date::instant;
use super::normalize::{RowKind, attachment, row_kind, sender};
use super::roster::Roster;
use crate::model::{Availability, Tapback, TapbackKind};
use crate::source::{Content, RawMessage};

/// The tapbacks that these rows, in the order of their dates, leave on a message; with the bytes of their stickers.
/// `part` turns the number in a row into the number of a part that is there.
pub fn fold(
    rows: &[RawMessage],
    roster: &Roster,
    part: impl Fn(i64) -> u32,
) -> (Vec<Tapback>, Vec<Option<Content>>) {
    let mut tapbacks: Vec<Tapback> = Vec::new();
    let mut contents = Vec::new();
    let mut stacks: Vec<bool> = Vec::new();
    for raw in rows.iter().filter(|r| row_kind(r) == RowKind::Tapback) {
        let (mut tapback, content) = read(raw, roster, &part);
        let placed = matches!(raw.associated_message_type, 1000 | 1001);
        let removal = raw.associated_message_type >= 3000;
        let same_hand = |other: &Tapback| {
            other.part == tapback.part
                && other.from_me == tapback.from_me
                && (tapback.from_me || same_person(other, &tapback, roster))
        };
        if removal {
            let taken_back = (0..tapbacks.len()).rev().find(|i| {
                tapbacks.get(*i).is_some_and(|t| same_hand(t) && same_kind(&t.kind, &tapback.kind))
            });
            if let Some(found) = taken_back.and_then(|i| tapbacks.get_mut(i)) {
                found.removed = true;
                continue;
            }
            // The row it takes back was replaced by this one: it still says what there was.
            tapback.removed = true;
        } else if !placed {
            for (other, stacked) in tapbacks.iter_mut().zip(&stacks) {
                if !stacked && same_hand(other) {
                    other.removed = true;
                }
            }
        }
        tapbacks.push(tapback);
        contents.push(content);
        stacks.push(placed);
    }
    (tapbacks, contents)
}

/// A tapback whose message is not in the source.
pub fn alone(raw: &RawMessage, roster: &Roster) -> (Vec<Tapback>, Vec<Option<Content>>) {
    let (mut tapback, content) = read(raw, roster, &|part| u32::try_from(part).unwrap_or(0));
    tapback.removed = raw.associated_message_type >= 3000;
    (vec![tapback], vec![content])
}

/// Which one a row is, or takes back; of a sticker without its picture.
pub fn sort(raw: &RawMessage) -> TapbackKind {
    let code = match raw.associated_message_type {
        removal @ 3000.. => removal - 1000,
        code => code,
    };
    match code {
        2000 => TapbackKind::Loved,
        2001 => TapbackKind::Liked,
        2002 => TapbackKind::Disliked,
        2003 => TapbackKind::Laughed,
        2004 => TapbackKind::Emphasized,
        2005 => TapbackKind::Questioned,
        2006 => TapbackKind::Emoji(raw.associated_message_emoji.clone().unwrap_or_default()),
        _ => TapbackKind::Sticker(None),
    }
}

fn read(raw: &RawMessage, roster: &Roster, part: &impl Fn(i64) -> u32) -> (Tapback, Option<Content>) {
    let mut content = None;
    let kind = match sort(raw) {
        TapbackKind::Sticker(_) => {
            let row = raw.attachments.iter().find(|a| a.is_sticker).or(raw.attachments.first());
            let picture = row.map(|row| attachment(row, raw));
            content = row
                .zip(picture.as_ref())
                .filter(|(_, a)| a.availability == Availability::Local)
                .and_then(|(row, _)| row.content.clone());
            TapbackKind::Sticker(picture.map(Box::new))
        }
        other => other,
    };
    let tapback = Tapback {
        guid: raw.guid.clone(),
        part: part(part_number(raw.associated_message_guid.as_deref().unwrap_or_default())),
        kind,
        from_me: raw.is_from_me,
        sender: sender(raw.is_from_me, raw.handle_id, roster),
        date: instant(raw.date),
        removed: false,
    };
    (tapback, content)
}

/// The part in `p:<part>/<GUID>`; 0 for the other forms (`messages-format.md` 6.2).
fn part_number(target: &str) -> i64 {
    target
        .strip_prefix("p:")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or(0)
}

fn same_person(a: &Tapback, b: &Tapback, roster: &Roster) -> bool {
    match (&a.sender, &b.sender) {
        (Some(a), Some(b)) => a == b || roster.same_person(a, b),
        _ => false,
    }
}

fn same_kind(a: &TapbackKind, b: &TapbackKind) -> bool {
    match (a, b) {
        (TapbackKind::Sticker(_), TapbackKind::Sticker(_)) => true,
        // A removal may come without the emoji it removes.
        (TapbackKind::Emoji(a), TapbackKind::Emoji(b)) => a == b || a.is_empty() || b.is_empty(),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tapback row by the owner (hand 0) or by somebody unknown, on part 0.
    fn row(code: i64, date: i64, mine: bool, emoji: Option<&str>) -> RawMessage {
        RawMessage {
            guid: Some(format!("T{date}")),
            date,
            is_from_me: mine,
            associated_message_type: code,
            associated_message_guid: Some("p:0/00000000-0000-4000-8000-000000000001".into()),
            associated_message_emoji: emoji.map(str::to_owned),
            ..RawMessage::default()
        }
    }

    fn check(rows: &[RawMessage], expected: &str) {
        let (tapbacks, contents) = fold(rows, &Roster::default(), |part| part as u32);
        assert_eq!(tapbacks.len(), contents.len());
        let words: Vec<String> = tapbacks
            .iter()
            .map(|t| {
                format!("{}{}", t.kind.emoji().unwrap_or("sticker"), if t.removed { " removed" } else { "" })
            })
            .collect();
        assert_eq!(words.join(", "), expected);
    }

    #[test]
    fn a_later_tapback_replaces_the_same_hands_earlier_one() {
        check(&[row(2000, 1, true, None), row(2003, 2, true, None)], "❤️ removed, 😂");
    }

    #[test]
    fn a_removal_is_absorbed_by_what_it_removes() {
        check(&[row(2000, 1, true, None), row(3000, 2, true, None)], "❤️ removed");
        check(&[row(2006, 1, true, Some("🦀")), row(3006, 2, true, Some("🦀"))], "🦀 removed");
    }

    #[test]
    fn a_removal_whose_tapback_it_replaced_stays() {
        check(&[row(3001, 1, true, None)], "👍 removed");
    }

    #[test]
    fn placed_stickers_stack() {
        check(
            &[row(1000, 1, true, None), row(1000, 2, true, None), row(2000, 3, true, None)],
            "sticker, sticker, ❤️",
        );
    }

    #[test]
    fn a_removal_of_another_kind_leaves_the_present_one() {
        check(
            &[row(2000, 1, true, None), row(2001, 2, true, None), row(3000, 3, true, None)],
            "❤️ removed, 👍",
        );
    }

    #[test]
    fn parts_are_read_from_the_target() {
        for (target, part) in [("p:2/X", 2), ("bp:X", 0), ("X", 0), ("p:x/X", 0), ("p:-1/X", -1)] {
            assert_eq!(part_number(target), part, "{target}");
        }
    }
}
