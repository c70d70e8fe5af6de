//! Raw rows → model, in parallel; drives writers.
//!
//! Every conversation is divided into windows of some hundred rows. Workers claim windows in order, longest
//! conversation first; each reads, normalizes and prepares its window alone. It is appended in its turn, by whoever has
//! the turn before it; few may wait for theirs. So memory is bounded by the number of workers, one giant conversation keeps all of them busy, and the
//! output does not depend on how many there are.
//!
//! **Must never**: know a concrete writer, print, or format anything for people.

mod announcement;
mod cards;
mod count;
mod exported;
mod facts;
mod live;
mod normalize;
mod parts;
mod run;
mod stored_payload;
mod tally;
mod tapbacks;
mod votes;
mod window;
mod workers;

pub mod altered;
pub mod crew;
pub mod decode;
pub mod fingerprint;
pub mod merging;
pub mod roster;
pub mod said;
pub mod select;
pub mod writer;

pub use count::{AttachmentCounts, Defect, RowCounts};
pub use normalize::{
    FILTERED_AS_JUNK, RowKind, Shown, attachment, availability, changes_noted, effect, is_hidden, is_local,
    is_plugin_payload, is_tapback, is_text_message, mentions_more_than_ranges, name_of, row_kind, shown,
};
pub use run::{Again, ExportError, Job, LostMessages, Options, Report};
pub use tally::DEFECTS_KEPT;
pub use tapbacks::sort as tapback_sort;

/// Hears how far a run is, and says when to stop. All methods may be called from any thread.
pub trait Progress: Sync {
    /// The run will read this many rows.
    fn begin(&self, rows: u64) {
        let _ = rows;
    }
    /// So many rows more are done.
    fn advance(&self, rows: u64) {
        let _ = rows;
    }
    /// What is being done now, in a few words.
    fn phase(&self, words: &str) {
        let _ = words;
    }
    /// The user wants it to stop: the run ends as soon as it can and leaves nothing behind.
    fn interrupted(&self) -> bool {
        false
    }
}

/// No one to tell.
impl Progress for () {}
