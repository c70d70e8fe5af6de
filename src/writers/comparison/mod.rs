//! Two sources side by side, for people and for programs: JSON of schema 1, one page of HTML, and the words of both
//! and of the terminal's table.
//!
//! **Must never**: show a text of a message in what is kept or passed on, JSON and the page: a comparison says where there is a
//! gap, an export what is in it. Only a terminal sees what both sides say of a message that differs ([`both`]).

pub mod both;
mod chart;
pub mod html;
pub mod json;
pub mod words;
