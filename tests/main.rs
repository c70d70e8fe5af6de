//! All integration tests, as one binary.

mod attachment_facts;
mod cards;
mod cli_damage;
mod cli_export;
mod cli_list;
mod contacts;
mod decode_damage;
mod decode_samples;
mod detected;
mod determinism;
mod export_pdf;
mod fidelity;
mod help;
mod layering;
mod legacy;
mod library_builder;
mod macos_26;
mod people;
mod program;
mod query_plans;
mod sample;
mod sound_and_film;
mod source;
mod support;
mod voice;
mod writers;
