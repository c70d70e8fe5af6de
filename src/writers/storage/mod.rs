//! What Messages takes in iCloud, for people and for programs: JSON of schema 1, CSV, one page
//! of HTML, what a PDF shows, and the words of all of them.
//!
//! **Must never**: show a range as one number, or a figure without what it rests on.

pub mod html;
pub mod json;
pub mod sheet;
pub mod table;
pub mod words;
