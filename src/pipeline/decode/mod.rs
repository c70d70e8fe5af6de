//! Pure functions over bytes: Apple's archives and blobs → values.
//!
//! Decoding never fails: it returns what could be read and says what could not. Every length is checked against
//! the bytes that are there; nesting is bounded.
//!
//! **Must never**: do I/O, panic, or allocate by a number it read.

pub mod attributes;
pub mod balloons;
pub mod body;
pub mod date;
pub mod detected;
pub mod foundation;
pub mod keyed;
pub mod pieces;
pub mod protobuf;
pub mod sticker;
pub mod summary;
pub mod typedstream;
pub mod url;
