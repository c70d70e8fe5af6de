//! Which run takes rows of which source: what everything that takes some has to know.

use std::collections::HashMap;

/// Source row id → id in the archive, of one kind.
pub type Ids = HashMap<i64, i64>;

/// Which run takes rows of which source.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The archive's id.
    pub archive: &'a str,
    pub source: i64,
    pub run: i64,
    /// The archive was empty: nothing needs to be looked up.
    pub first: bool,
}
