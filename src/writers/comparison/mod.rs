//! Two sources side by side, for people and for programs: JSON of schema 1, one page of HTML, and the words of both
//! and of the terminal's table.
//!
//! **Must never**: show a text of a message: a comparison says where there is a gap, an export what is in it.

mod chart;
pub mod html;
pub mod json;
pub mod words;
