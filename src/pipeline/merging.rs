//! Several sources as one: who is who in all of them, and which rows are the same.
//!
//! **Must never**: have another idea of what is the same message than [`fingerprint`](super::fingerprint).

use std::collections::HashMap;

use super::fingerprint::{Fingerprint, GuidKey, Words};
use super::normalize::{RowKind, row_kind, summary_of};
use super::parts;
use super::roster::Roster;
use crate::source::merged::{Identity, Merged};
use crate::source::{RawMessage, Several, Source, SourceError};

/// Unites sources. Where they contradict each other, an earlier one is believed.
///
/// # Errors
/// What a source says.
pub fn merge(sources: Vec<Box<dyn Source>>) -> Result<Merged, SourceError> {
    let all: Vec<&dyn Source> = sources.iter().map(AsRef::as_ref).collect();
    let several = Several::of(&all)?;
    let roster = Roster::new(&several.handles, &several.chats, &[]);
    let addresses = several.handles.iter().map(|handle| (handle.rowid, roster.address_key(&handle.id)));
    let identity = ByWords { addresses: addresses.collect() };
    Ok(Merged::new(sources, several, Box::new(identity)))
}

/// Content identity, as comparing has it.
struct ByWords {
    /// Of handles, in their one spelling.
    addresses: HashMap<i64, String>,
}

impl Identity for ByWords {
    fn guid(&self, guid: &str) -> u128 {
        GuidKey::of(guid).0
    }

    fn content(&self, row: &RawMessage) -> u128 {
        let sender = self.addresses.get(&row.handle_id).filter(|_| !row.is_from_me);
        Fingerprint::of(row, &Words::of(row), sender.map(String::as_str)).0
    }

    fn hangs(&self, row: &RawMessage) -> bool {
        row_kind(row) != RowKind::Own
    }

    fn edits(&self, row: &RawMessage) -> usize {
        if row.message_summary_info.is_none() {
            0
        } else {
            summary_of(row).edits.values().map(Vec::len).sum()
        }
    }

    fn unsent(&self, row: &RawMessage) -> usize {
        if row.message_summary_info.is_none() { 0 } else { summary_of(row).unsent.len() }
    }

    fn is_all_unsent(&self, row: &RawMessage) -> bool {
        let may_be = row.exported.is_none()
            && (row.message_summary_info.is_some() || row.date_retracted != 0)
            && row_kind(row) == RowKind::Own;
        may_be
            && parts::is_all_unsent(&summary_of(row))
            && Words::of(row).now.is_none_or(|now| now.is_empty())
    }
}
