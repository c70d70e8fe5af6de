//! What Messages takes in iCloud, for people and for programs: JSON of schema 1, and the words of it.
//!
//! **Must never**: show a range as one number, or a figure without what it rests on.

pub mod json;
pub mod words;
