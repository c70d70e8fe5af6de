//! msgarchive: people's message history, complete and exact. (Front page: to be written.)

pub mod disk;
pub mod model;
pub mod pipeline;
pub mod sample;
pub mod source;
pub mod writers;
