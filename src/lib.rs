//! Keeps people's message history: Apple Messages as PDF, CSV, JSON Lines and text, complete and exact.
//!
//! The library behind the `msgarchive` program. It prints nothing, asks nothing, and never touches the network.
//!
//! # Data flows one way
//!
//! ```text
//! chat.db, sms.db, iPhone backup
//!     │  source: rows as Apple wrote them, all of one moment
//!     ▼
//! RawMessage ──pipeline: normalized, in parallel──► Message ──writers──► files
//! ```
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`source`] | a library, or a copy of one | [`RawMessage`](source::RawMessage)s, with neutral values for what an old schema lacks |
//! | [`pipeline`] | raw rows | [`Message`](model::Message)s: who is who, which chats are one conversation, what a blob says |
//! | [`writers`] | messages | PDF, CSV, JSON Lines, text; one row in [`FORMATS`](writers::FORMATS) each |
//! | [`compare`] | two sources | a [`Comparison`](compare::Comparison): what only one has, what differs, and why |
//! | [`doctor`] | a source, or two | what is wrong with it, how sure that is, and the one next step |
//! | [`disk`] | what writers write | an export folder that appears whole or not at all |
//! | [`media`] | pictures, sound, video | pixels and facts |
//! | [`property_list`] | Apple's property lists, binary or XML | a view of them that costs no more than what is asked for |
//! | [`archive`] | sources, night after night | one store that never loses a row, and is a source again |
//! | [`verify`] | an archive, or an export | what is damaged in it, and where to have it again |
//! | [`model`] | | is what passes between the pipeline and the writers: inert, UTC, owned |
//! | [`schedule`] | an archive's hours | what launchd, systemd, Task Scheduler or cron have to know |
//! | [`sample`] | | is a library of invented people, built in |
//!
//! `source` knows nothing of `pipeline`, `pipeline` of no writer, `compare` of neither writers nor their words, `model`,
//! `property_list` and `disk` of nothing else here, and `schedule` of `disk` only.
//! `tests/layering.rs` holds the whole table of who may import whom.
//!
//! # What holds
//!
//! - **Every row is accounted for.** [`RowCounts::balance`](pipeline::RowCounts::balance) is 0, or the run fails.
//! - **Decoding never fails.** It returns what could be read and its [`Defect`](pipeline::Defect)s; the message is written all the same.
//! - **Rendering never asks.** A message holds all that a writer needs; so what has not changed since an export was made
//!   need not be written again ([`keep_up`](writers::keep_up)).
//! - **The source is never changed**, and read at one moment even while Messages is writing to it.
//! - **The same source, options and version give the same bytes**, whatever the number of jobs. Who says
//!   when a source was read ([`ExportRequest::read_at`](writers::export::ExportRequest::read_at)) finds that in them, too.
//! - **Memory is bounded** by the number of jobs, not by the length of a history.
//!
//! # An export
//!
//! ```
//! use msgarchive::source::contacts::Contact;
//! use msgarchive::source::{self, OpenOptions};
//! use msgarchive::writers::export::{AttachmentMode, ExportRequest, export_folder};
//! use msgarchive::writers::{FORMATS, WriterOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let library = msgarchive::sample::unpack(&folder.path().join("Messages"))?;
//! let source = source::open(&library, &OpenOptions { sessions: 2, ..OpenOptions::default() })?;
//! let contacts: Vec<Contact> = Vec::new();
//! let request = ExportRequest {
//!     out: folder.path().join("export"),
//!     formats: FORMATS.iter().filter(|format| format.name == "txt").collect(),
//!     attachments: AttachmentMode::Copy,
//!     others: Default::default(),
//!     selection: Default::default(),
//!     writer: WriterOptions { zone: chrono_tz::Europe::Berlin, ..WriterOptions::default() },
//!     jobs: 2,
//!     read_at: None,
//!     guard: None,
//!     options: Vec::new(),
//!     defects: Vec::new(),
//! };
//! let report = export_folder(source.as_ref(), &contacts, &request, &())?;
//! assert_eq!(report.rows.balance(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # To add something
//!
//! | what | touch |
//! |---|---|
//! | an output format | `writers/x.rs`, one row in [`FORMATS`](writers::FORMATS), `tests/export_x.rs` |
//! | a balloon kind | `pipeline/decode/balloons/x.rs`, one test; no writer changes |
//! | a schema of a new system | `fixtures/schema/….sql`, a column or a statement in `source/chatdb/query.rs` at most |
//! | a source | `source/x.rs`, one arm in [`source::open`] |
//! | a command | `cli/x.rs`, one variant, `tests/cli_x.rs`, the help snapshot |
#![forbid(unsafe_code)]
// Input is hostile: nothing from outside may end the program.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::todo, clippy::unwrap_used))]

pub mod archive;
pub mod compare;
pub mod disk;
pub mod doctor;
pub mod media;
pub mod model;
pub mod pipeline;
pub mod property_list;
pub mod sample;
pub mod schedule;
pub mod source;
pub mod storage;
pub mod verify;
pub mod writers;
