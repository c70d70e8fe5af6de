//! All integration tests, as one binary.

mod archive;
mod attachment_facts;
mod backups;
mod cards;
mod cli_damage;
mod cli_export;
mod cli_list;
mod compare;
mod contacts;
mod decode_damage;
mod decode_samples;
mod detected;
mod determinism;
mod doctor;
mod drawings;
mod export_pdf;
mod export_pictures;
mod exported;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod failing_disk;
mod fidelity;
mod help;
mod layering;
mod legacy;
mod library_builder;
mod macos_26;
mod merging;
mod nightly_export;
mod not_checked;
mod pdf_a;
mod pdf_combined;
mod pdf_cover;
mod pdf_looks;
mod pdf_media;
mod pdf_size;
mod people;
mod pictures;
mod program;
mod query_plans;
mod sample;
// Its schedulers are played by shell scripts.
#[cfg(unix)]
mod schedule;
mod sound_and_film;
mod source;
mod storage;
mod support;
mod templates;
mod voice;
mod writers;
