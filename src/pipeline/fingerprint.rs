//! What makes two rows of different sources the same message: their GUID; else, for rows that were restored under new
//! GUIDs, their content.
//!
//! **Content identity** is said here once, for everyone who compares or merges sources: two rows with different GUIDs
//! are the same message where they are in the same conversation and agree in
//!
//! - the sender (the owner, or an address in its one spelling),
//! - the service, without regard to case,
//! - the second it was sent in: old systems kept no more, and restoring cuts the rest off,
//! - what sort of row it is: message, kind of announcement, tapback with its emoji, vote, update of an app,
//! - subject and text *as it was first sent*, so that an edit does not make another message; without the characters that
//!   stand for attachments and without blanks around it, which not all systems store alike. The text of a tapback is not
//!   compared: it is a sentence in the language of the device that wrote the row.
//!
//! People do send the same word twice in a second: as many rows of one source are the same as as many of the other, and
//! no more. The conversation is compared beside the fingerprint, since what is one conversation is only known to the
//! [`Roster`](super::roster::Roster) of both sources.
//!
//! **Must never**: change what it is made of without telling those who have stored fingerprints.

use sha2::{Digest, Sha256};

use super::decode::body;
use super::decode::summary::Summary;
use super::normalize::{RowKind, row_kind, summary_of};
use crate::model::{Message, PartContent};
use crate::source::RawMessage;

/// A GUID, to be compared: equal for all cases of its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuidKey(pub u128);

impl GuidKey {
    /// The bits of a UUID; of anything else the start of a hash.
    pub fn of(guid: &str) -> GuidKey {
        let bits = uuid(guid).filter(|bits| *bits != 0);
        GuidKey(bits.unwrap_or_else(|| first_bits(&Sha256::digest(guid.to_ascii_uppercase()))))
    }

    /// As Apple writes a UUID of these bits. A GUID that reads otherwise has to be kept by whoever wants it again.
    pub fn as_uuid(self) -> String {
        let hex = format!("{:032X}", self.0);
        let part = |from, to| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}

/// The bits of `XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX`, in any case.
fn uuid(guid: &str) -> Option<u128> {
    if guid.len() != 36 {
        return None;
    }
    guid.bytes().enumerate().try_fold(0u128, |bits, (at, byte)| match (at, byte) {
        (8 | 13 | 18 | 23, b'-') => Some(bits),
        (8 | 13 | 18 | 23, _) => None,
        _ => Some(bits << 4 | u128::from(char::from(byte).to_digit(16)?)),
    })
}

fn first_bits(hash: &[u8]) -> u128 {
    hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

/// What a row says, as far as two sources can be compared by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The text as it is now, without the characters that stand for attachments and blanks around it; `None` where the
    /// row has none.
    pub now: Option<String>,
    /// As it was first sent, where that was different.
    first: Option<String>,
    /// The sender changed it, and did more than take parts back.
    pub edited: bool,
    /// Every version of each part that was edited, in order; none where they are not known, or only as an export tells them.
    pub versions: Vec<(u32, String)>,
    /// Parts that the sender took back, sorted.
    pub unsent: Vec<u32>,
    /// The body could not be read as it should be.
    pub damaged: bool,
}

impl Words {
    /// Decodes what a row says. What cannot be read says nothing.
    pub fn of(row: &RawMessage) -> Words {
        if row_kind(row) != RowKind::Own {
            return Words::default();
        }
        if let Some(told) = &row.exported {
            return Words::told(told);
        }
        let summary = summary_of(row);
        let body = body::body_without_data(row.attributed_body.as_deref(), row.text.as_deref());
        let first = (!summary.edits.is_empty()).then(|| first_text(&body, &summary));
        Words {
            now: body.text().map(bare),
            first,
            edited: !summary.edits.is_empty() || row.date_edited != 0 && summary.unsent.is_empty(),
            versions: versions(&summary),
            unsent: summary.unsent,
            damaged: !body.defects.is_empty(),
        }
    }

    /// What an export says that a message says.
    fn told(message: &Message) -> Words {
        let edits = &message.edits;
        let firsts = edits
            .iter()
            .enumerate()
            .filter(|(at, edit)| edits.iter().take(*at).all(|earlier| earlier.part != edit.part));
        let mut parts: Vec<(u32, &str)> = firsts.map(|(_, edit)| (edit.part, &*edit.text)).collect();
        let mut unsent = Vec::new();
        for part in &message.parts {
            match &part.content {
                PartContent::Text { text, .. } if edits.iter().all(|edit| edit.part != part.index) => {
                    parts.push((part.index, text));
                }
                PartContent::Unsent { .. } => unsent.push(part.index),
                _ => {}
            }
        }
        parts.sort_by_key(|(part, _)| *part);
        unsent.sort_unstable();
        unsent.dedup();
        let first =
            (!edits.is_empty()).then(|| bare(&parts.into_iter().map(|(_, text)| text).collect::<String>()));
        // Parts that are in Recently Deleted were put back into it.
        let now = message.text().filter(|_| message.deleted.is_none_or(|deleted| !deleted.part));
        Words {
            now: now.map(bare),
            first,
            edited: message.is_edited(),
            versions: Vec::new(),
            unsent,
            damaged: false,
        }
    }

    /// The text as it was first sent.
    pub fn first(&self) -> &str {
        self.first.as_deref().or(self.now.as_deref()).unwrap_or_default()
    }

    /// The text as it was first sent, where that was different, or may have been.
    pub fn first_of_edited(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

fn bare(text: &str) -> String {
    match text.contains('\u{fffc}') {
        true => text.replace('\u{fffc}', "").trim().to_owned(),
        false => text.trim().to_owned(),
    }
}

fn versions(summary: &Summary) -> Vec<(u32, String)> {
    let parts = summary.edits.iter();
    parts.flat_map(|(part, versions)| versions.iter().map(|version| (*part, bare(&version.text)))).collect()
}

/// Each edited part in its first version, the others as they are; parts that were edited and taken back as well.
fn first_text(body: &body::Body, summary: &Summary) -> String {
    let mut parts: Vec<(u32, String)> = Vec::new();
    for piece in &body.pieces {
        if let body::PieceContent::Text { text, .. } = &piece.content
            && !summary.edits.contains_key(&piece.part)
        {
            parts.push((piece.part, text.clone()));
        }
    }
    let firsts = summary.edits.iter().filter_map(|(part, versions)| Some((*part, versions.first()?)));
    parts.extend(firsts.map(|(part, version)| (part, version.text.clone())));
    parts.sort_by_key(|(part, _)| *part);
    bare(&parts.into_iter().map(|(_, text)| text).collect::<String>())
}

/// The start of a hash of a row's content, as [content identity](self) has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// Of a row that says these words. `sender`: [`Roster::address_key`](super::roster::Roster::address_key) of who sent
    /// it; `None` for the owner, and where nobody is named.
    pub fn of(row: &RawMessage, words: &Words, sender: Option<&str>) -> Fingerprint {
        let kind = row_kind(row);
        let service = row.service.as_deref().unwrap_or_default().to_ascii_lowercase();
        let second = second(row.date).to_le_bytes();
        let sort = match kind {
            RowKind::Own => [0, row.item_type, row.group_action_type],
            RowKind::Tapback => [1, row.associated_message_type, 0],
            RowKind::Vote => [2, row.associated_message_type, 0],
            RowKind::Update => [3, row.associated_message_type, 0],
        };
        let emoji = row.associated_message_emoji.as_deref().unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update([u8::from(row.is_from_me)]);
        hash.update(second);
        sort.iter().for_each(|number| hash.update(number.to_le_bytes()));
        let subject = row.subject.as_deref().unwrap_or_default().trim();
        let group_title = row.group_title.as_deref().unwrap_or_default();
        let balloon = row.balloon_bundle_id.as_deref().unwrap_or_default();
        for text in
            [sender.unwrap_or_default(), &service, emoji, subject, group_title, balloon, words.first()]
        {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        Fingerprint(first_bits(&hash.finalize()))
    }
}

/// The second that a raw date means, since 2001.
fn second(raw: i64) -> i64 {
    match raw.unsigned_abs() {
        1_000_000_000_000.. => raw.div_euclid(1_000_000_000),
        _ => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "0F0B3C7E-1111-4222-8333-ABCDEFABCDEF";

    fn print(row: &RawMessage) -> Fingerprint {
        Fingerprint::of(row, &Words::of(row), Some("+12025550101"))
    }

    fn row() -> RawMessage {
        RawMessage {
            guid: Some(GUID.into()),
            text: Some("look \u{fffc}".into()),
            service: Some("iMessage".into()),
            date: 600_000_000_123_456_789,
            ..RawMessage::default()
        }
    }

    #[test]
    fn a_uuid_is_its_bits_in_any_case() {
        let key = GuidKey::of(GUID);
        assert_eq!(key, GuidKey::of(&GUID.to_lowercase()));
        assert_eq!(key.as_uuid(), GUID);
        let odd =
            ["", "x", "0F0B3C7E-1111-4222-8333-ABCDEFABCDEG", "00000000-0000-0000-0000-000000000000", "é"];
        for (i, guid) in odd.iter().enumerate() {
            assert_ne!(GuidKey::of(guid).0, 0);
            assert!(odd[..i].iter().all(|other| GuidKey::of(other) != GuidKey::of(guid)), "{guid}");
        }
    }

    #[test]
    fn what_restoring_changes_does_not_change_the_content() {
        let restored = RawMessage {
            guid: None,
            rowid: 9,
            handle_id: 7,
            date: 600_000_000,
            text: Some(" look".into()),
            service: Some("imessage".into()),
            date_read: 1,
            ..RawMessage::default()
        };
        assert_eq!(print(&row()), print(&restored));
    }

    #[test]
    fn everything_that_people_see_does() {
        let others: [fn(&mut RawMessage); 8] = [
            |row| row.text = Some("look!".into()),
            |row| row.subject = Some("look".into()),
            |row| row.service = Some("SMS".into()),
            |row| row.date += 1_000_000_000,
            |row| row.is_from_me = true,
            |row| row.item_type = 2,
            |row| row.associated_message_type = 2000,
            |row| row.balloon_bundle_id = Some("com.example".into()),
        ];
        let mut seen = vec![print(&row())];
        for change in others {
            let mut other = row();
            change(&mut other);
            assert!(!seen.contains(&print(&other)), "{other:?}");
            seen.push(print(&other));
        }
        assert_ne!(seen[0], Fingerprint::of(&row(), &Words::of(&row()), Some("+12025550102")));
    }

    #[test]
    fn a_tapbacks_sentence_is_in_the_language_of_a_device() {
        let tapback =
            |text: &str| RawMessage { text: Some(text.into()), associated_message_type: 2000, ..row() };
        assert_eq!(print(&tapback("Loved “look”")), print(&tapback("Hat „look“ geliebt")));
    }
}
