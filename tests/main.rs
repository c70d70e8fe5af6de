//! All integration tests, as one binary.

mod contacts;
mod library_builder;
mod people;
mod sample;
mod source;
mod support;
mod writers;
