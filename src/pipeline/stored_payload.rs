//! A balloon's payload that lies in a file of its message instead of its row (`messages-format.md` 10.2; known from
//! others only, no such row was seen).
//!
//! **Must never**: read more than the first bytes of a file that is no payload, or more than [`LARGEST`] of any.

use std::io::Read as _;

use super::normalize::is_plugin_payload;
use crate::source::{Content, RawMessage};

/// Larger files are no payloads.
const LARGEST: u64 = 16 << 20;

/// What every payload begins with: it is a binary property list.
const MAGIC: &[u8] = b"bplist00";

/// Gives a row of a balloon that has no payload the one that is in a file.
pub fn fetch(raw: &mut RawMessage) {
    let without = raw.payload_data.as_ref().is_none_or(Vec::is_empty);
    if !without || raw.balloon_bundle_id.is_none() {
        return;
    }
    let files = raw.attachments.iter().filter(|attachment| is_plugin_payload(attachment));
    let found = files.filter_map(|attachment| payload(attachment.content.as_ref()?)).next();
    raw.payload_data = found.or(raw.payload_data.take());
}

/// The payload in a file. What cannot be read is none.
fn payload(content: &Content) -> Option<Vec<u8>> {
    content.bytes().filter(|bytes| *bytes <= LARGEST)?;
    let mut file = content.open().ok()?;
    let mut bytes = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut bytes).ok()?;
    if bytes != MAGIC {
        return None;
    }
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
