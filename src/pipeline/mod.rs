//! Raw rows → model, in parallel; drives writers.
//!
//! **Must never**: know a concrete writer, print, or format anything for people.

pub mod decode;
pub mod roster;
pub mod select;
pub mod writer;
