//! What rows there were, by their sum.
//!
//! **Must never**: guess.

use rusqlite::types::ValueRef;

use super::{Notes, Sums, add};
use crate::archive::fingerprint::{Fingerprints, unmixed};
use crate::archive::row::Owned;

/// Works out of a sum what rows there were.
pub struct Solver<'n> {
    pub(super) notes: &'n Notes,
    pub(super) hashes: Fingerprints,
}

impl Solver<'_> {
    /// What a row of these values adds to its sum.
    pub fn weight(&self, values: &[Owned]) -> i64 {
        self.notes.weight(&self.hashes, |at| values.get(at).map_or(ValueRef::Null, Owned::value))
    }

    /// The sums of these rows.
    pub fn sums(&self, rows: impl Iterator<Item = Vec<Owned>>) -> Sums {
        let (mut sums, mut about) = (Sums::new(), String::new());
        for values in rows {
            self.notes.about(|at| values.get(at).map_or(ValueRef::Null, Owned::value), &mut about);
            add(&mut sums, about.clone(), self.weight(&values));
        }
        sums
    }

    /// What a row of these values speaks of.
    pub fn about(&self, values: &[Owned]) -> String {
        let mut about = String::new();
        self.notes.about(|at| values.get(at).map_or(ValueRef::Null, Owned::value), &mut about);
        about
    }

    /// Whether rows that lie apart share a sum.
    pub fn is_of_many(&self) -> bool {
        self.notes.together > 0
    }

    /// The number that has to be in one column of a row, so that it adds this; whatever is there now.
    pub fn number(&self, values: &[Owned], column: usize, weight: i64) -> Option<i64> {
        let others = values.iter().enumerate().filter(|(at, _)| *at != column);
        let others =
            others.fold(0i64, |sum, (at, value)| sum.wrapping_add(self.hashes.exactly(at, value.value())));
        self.hashes.integer(column, unmixed(weight).wrapping_sub(others))
    }
}
