//! Texts and attachments as numbers that are equal where they are.
//!
//! **Must never**: read the bytes of an attachment that nobody asked for.

use sha2::{Digest as _, Sha256};

use super::record::Files;
use crate::disk::{ContentName, hash_all, hexadecimal};
use crate::model::TapbackKind;
use crate::pipeline::fingerprint::Words;
use crate::pipeline::{RowKind, is_hidden, is_local, row_kind, tapback_sort};
use crate::source::{Content, RawAttachment, RawMessage};

/// How the hashes of attachments come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// Those that are known without reading.
    AsKnown,
    Read,
}

/// The start of a hash; never 0, but of no text.
pub(super) fn short(text: &str) -> u32 {
    if text.is_empty() { 0 } else { of_bytes(text.as_bytes()) }
}

fn of_bytes(bytes: &[u8]) -> u32 {
    let hash = Sha256::digest(bytes);
    hash.iter().take(4).fold(0, |bits, byte| bits << 8 | u32::from(*byte)).max(1)
}

/// What a row says; 0 where it says nothing. Of a tapback, which one it is; of the renaming of a group the new name.
pub(super) fn said(row: &RawMessage, words: &Words) -> u32 {
    match (row_kind(row), &words.now) {
        (RowKind::Tapback, _) => {
            let sort = match tapback_sort(row) {
                TapbackKind::Sticker(_) => "sticker".to_owned(),
                // Not every row says which, and what is not said is no difference.
                other => other.emoji().unwrap_or_default().to_owned(),
            };
            short(&sort)
        }
        (RowKind::Own, Some(text)) if !text.is_empty() => short(text),
        (RowKind::Own, _) if row.item_type != 0 => row.group_title.as_deref().map_or(0, short),
        _ => 0,
    }
}

/// 0 where there are none.
pub(super) fn versions(versions: &[(u32, String)]) -> u32 {
    if versions.is_empty() {
        return 0;
    }
    let mut all = Vec::new();
    for (part, text) in versions {
        all.extend_from_slice(&part.to_le_bytes());
        all.extend_from_slice(&(text.len() as u64).to_le_bytes());
        all.extend_from_slice(text.as_bytes());
    }
    of_bytes(&all)
}

/// 0 where nothing was taken back.
pub(super) fn parts(parts: &[u32]) -> u8 {
    let bits = parts.iter().fold(0u32, |bits, part| bits.wrapping_mul(31).wrapping_add(part + 1));
    if parts.is_empty() { 0 } else { (bits % 255 + 1) as u8 }
}

/// The attachments of a row that people see, and how many of them were to be read and could not be. `named`: a content of
/// the source has the hash of its bytes as its name.
pub(super) fn files(row: &RawMessage, named: bool, bytes: Bytes) -> (Files, u64) {
    let (mut files, mut unread) = (Files::default(), 0);
    for attachment in row.attachments.iter().filter(|attachment| !is_hidden(attachment)) {
        let is_present = is_local(attachment) || attachment.left_out;
        files.all = files.all.saturating_add(1);
        files.present = files.present.saturating_add(u8::from(is_present));
        let content = attachment.content.as_ref().filter(|_| is_local(attachment));
        let is_bundle = content.is_some_and(Content::is_bundle);
        // What a folder has in it has no size of its own; that it is none of a file is known.
        let weighed = match size(attachment) {
            Some(size) => Some(of_bytes(&size.to_le_bytes())),
            None => is_bundle.then(|| of_bytes(b"bundle")),
        };
        if let Some(weighed) = weighed {
            files.sized = files.sized.saturating_add(1);
            files.sizes = files.sizes.wrapping_add(weighed);
        }
        let Some(content) = content else { continue };
        let hash = match (named, bytes) {
            (true, _) => name_of(content),
            (false, Bytes::AsKnown) => None,
            (false, Bytes::Read) if is_bundle => None,
            (false, Bytes::Read) => {
                let hash = content.open().and_then(|mut bytes| hash_all(&mut bytes));
                unread += u64::from(hash.is_err());
                hash.ok().map(|copy| hexadecimal(&copy.sha256))
            }
        };
        if let Some(hash) = hash {
            files.hashed = files.hashed.saturating_add(1);
            files.hashes = files.hashes.wrapping_add(short(&hash));
        }
    }
    (files, unread)
}

/// As it lies there; of what does not, as its row says.
pub(super) fn size(attachment: &RawAttachment) -> Option<u64> {
    let content = attachment.content.as_ref().filter(|_| is_local(attachment));
    match content {
        Some(content) => content.bytes(),
        None => u64::try_from(attachment.total_bytes).ok().filter(|bytes| *bytes > 0),
    }
}

/// The hash that an archive names a content by.
fn name_of(content: &Content) -> Option<String> {
    let name = content.path().file_name()?.to_str()?;
    let hash = ContentName::of(name).hash;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && !content.is_bundle()).then(|| hash.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nothing_is_0() {
        assert_eq!((short(""), versions(&[]), parts(&[])), (0, 0, 0));
        assert!(short("a") != 0 && versions(&[(0, String::new())]) != 0 && parts(&[0]) != 0);
        assert_ne!(
            versions(&[(0, "ab".into()), (0, "c".into())]),
            versions(&[(0, "a".into()), (0, "bc".into())])
        );
    }

    #[test]
    fn attachments_are_the_same_in_any_order() {
        let sized = |bytes| RawAttachment { total_bytes: bytes, ..RawAttachment::default() };
        let files_of = |sizes: &[i64]| {
            let attachments = sizes.iter().map(|bytes| sized(*bytes)).collect();
            files(&RawMessage { attachments, ..RawMessage::default() }, false, Bytes::AsKnown).0
        };
        assert_eq!(files_of(&[1, 2, 0]), files_of(&[0, 2, 1]));
        assert_ne!(files_of(&[1, 2]).sizes, files_of(&[1, 3]).sizes);
        assert_eq!(files_of(&[0, -1]).sized, 0, "what is not known");
    }
    #[test]
    fn bytes_are_read_where_they_are_asked_for_and_what_cannot_be_is_counted() {
        let content = |name: &str| Content::File { path: name.into(), bytes: 1 };
        let hash = "ab".repeat(32);
        let row = |name: &str| {
            let attachment = RawAttachment { content: Some(content(name)), ..RawAttachment::default() };
            RawMessage { attachments: vec![attachment], ..RawMessage::default() }
        };
        let gone = row("no/such/file");
        assert_eq!(files(&gone, false, Bytes::AsKnown).1, 0);
        let (counted, unread) = files(&gone, false, Bytes::Read);
        assert_eq!((counted.all, counted.present, counted.hashed, unread), (1, 1, 0, 1));
        let named = row(&format!("contents/ab/{hash}.png"));
        assert_eq!(files(&named, true, Bytes::AsKnown).0.hashes, short(&hash));
        assert_eq!(files(&gone, true, Bytes::AsKnown).0.hashed, 0, "a name that is no hash");
    }
}
