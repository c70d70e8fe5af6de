//! What tests, examples and benches build their inputs with. Nothing here reads Messages' formats: it writes them,
//! independently of the program's own decoders.
#![allow(
    dead_code,
    unused_imports,
    clippy::wrong_self_convention,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used
)]

pub mod archive;
mod attachment;
pub mod backup;
pub mod chatdb;
pub mod contacts;
pub mod crowd;
pub mod drawings;
pub mod film;
pub mod keyed;
mod message;
pub mod packing;
pub mod picture;
mod schema;
pub mod sound;
pub mod story;
pub mod tree;
pub mod typedstream;
mod words;

pub use attachment::AttachmentBuilder;
pub use chatdb::{AttachmentId, ChatId, HandleId, Library, MessageId};
pub use contacts::Contacts;
pub use keyed::{AppTemplate, UrlPreview};
pub use message::{MessageBuilder, Tapback, TextEffect};
pub use schema::Schema;
