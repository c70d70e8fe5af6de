use std::collections::BTreeMap;

use crate::model::{Instant, Translation};

/// What `message_summary_info` says (`messages-format.md` 5).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Every version of every edited part, oldest first: `ec`.
    pub edits: BTreeMap<u32, Vec<Version>>,
    /// Unsent parts: `rp`, sorted, each once.
    pub unsent: Vec<u32>,
    /// Number of parts the message had: the highest key of `otr` + 1; `None` without `otr`.
    pub parts: Option<u32>,
    /// `tmp`.
    pub translation: Option<Translation>,
    /// Troubles, in words.
    pub defects: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    pub date: Option<Instant>,
    pub text: String,
}

/// Decodes the blob.
pub fn summary(blob: &[u8]) -> Summary {
    let _ = blob;
    Summary::default()
}
