//! The append-only store: a folder that is fed from sources, night after night, and never loses what it once held.
//!
//! Its database is a Messages library: Apple's tables and columns, rows as Apple wrote them, and beside them what this
//! program knows of each row: `msgarchive_…`. So it is a source again ([`crate::source::open`]).
//!
//! | what | where |
//! |---|---|
//! | which rows are news | [`scan`](self): fingerprints, side by side with the source |
//! | which source it is | by its rows, not by its path |
//! | contents | under their SHA-256, written before the rows that speak of them |
//! | rows | spelled and hashed by one thread, written by another, in one transaction a run |
//! | the record | last; closes over the rows and over the record before it |
//!
//! **Must never**: rewrite or delete what it holds, but to show a later state of a row and keep the former one.

pub mod about;
mod absence;
mod adding;
mod affinity;
mod aliases;
mod attested;
mod carriers;
pub mod changes;
mod check;
mod column;
mod contents;
mod conversations;
mod copies;
mod damage;
mod deleted_parts;
mod deletions;
mod diagnosis;
mod error;
mod fingerprint;
mod folder;
mod further;
mod given;
pub mod gone;
mod gone_for_good;
pub mod groups;
mod guess;
mod had;
mod header;
pub mod history;
pub mod holding;
mod horizon;
mod identifiers;
mod incoming;
mod index;
mod inherit;
mod insert;
mod joins;
mod kept;
mod kind;
mod known_source;
mod late;
mod lock;
mod lost_content;
mod lost_state;
mod lost_thing;
mod mend;
mod moves;
mod named;
mod newest;
mod noted;
mod noticed;
mod objects;
mod open;
mod overwritten;
mod own_file;
mod participants;
mod people;
mod picked;
mod placed;
mod places;
mod prepared;
mod ready;
mod rebuild;
mod record;
mod records;
mod recovered;
mod rehearsal;
mod replaced;
mod restored;
mod row;
mod run;
mod said;
mod salvage;
mod scan;
mod schema;
pub mod search;
mod shares;
pub mod sources;
mod spelling;
mod states;
mod sums;
mod take;
mod twins;
mod unarchived;
pub mod united;
mod untyped;
mod vanished;
mod visit;
mod visiting;
mod vouching;
mod wanted;
mod wanting;
mod whereabouts;
mod wishes;

pub use absence::Reason;
pub use check::{Checked, Damage, Findings, Lost, Problem, Unread, check, damage_of, noted_damage};
pub use error::ArchiveError;
pub use given::{ArchiveOptions, Feed};
pub use gone_for_good::GoneSource;
pub use header::archive_cut_off;
pub use known_source::ArchiveRead;
pub use lost_thing::{LostOf, LostThing};
pub use record::{Counts, RunRecord, SourceRead};
pub use run::{archive, check_place};
pub use unarchived::unarchived;
pub use wanting::Wanting;

pub use crate::disk::archive_folder::holder;
