//! Find My (`messages-format.md` 10.8): a sentence for people, and a payload in the query of the URL.

use std::io::Read;

use super::template;
use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::{Archive, MAX_UNPACKED, Node, from_json};
use crate::pipeline::decode::url;

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let known = template::fill(root, card);
    let query = card.url.as_deref().map(url::query).unwrap_or_default();
    // Each once: what unpacks to much may be there many times.
    for key in ["FindMyMessagePayloadVersionKey", "FindMyMessagePayloadZippedDataKey"] {
        let Some(value) = query.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()) else {
            continue;
        };
        match key {
            "FindMyMessagePayloadVersionKey" => card.data.push(("version", Value::Text(value))),
            "FindMyMessagePayloadZippedDataKey" => {
                // A `+` of base64 that was not escaped.
                let value = value.replace(' ', "+");
                let payload = url::base64(&value).map(payload).unwrap_or(Value::Text(value));
                card.data.push(("payload", payload));
            }
            _ => {}
        }
    }
    known
}

/// What the compressed bytes hold, where that is a property list or JSON; else the bytes.
fn payload(bytes: Vec<u8>) -> Value {
    let unpacked = unpacked(&bytes).unwrap_or(bytes);
    let archived = Archive::read(&unpacked).ok().and_then(|archive| archive.root().value());
    let read = archived.or_else(|| from_json(&serde_json::from_slice(&unpacked).ok()?));
    read.unwrap_or(Value::Bytes(unpacked))
}

/// Unpacks what is compressed in one of the ways that Apple's frameworks call zipped.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let limit = MAX_UNPACKED as u64 + 1;
    let read = |from: &mut dyn Read| {
        let mut out = Vec::new();
        let len = from.take(limit).read_to_end(&mut out).ok()?;
        (1..=MAX_UNPACKED).contains(&len).then_some(out)
    };
    read(&mut flate2::read::GzDecoder::new(bytes))
        .or_else(|| read(&mut flate2::read::ZlibDecoder::new(bytes)))
        .or_else(|| read(&mut flate2::read::DeflateDecoder::new(bytes)))
}
