//! What a message history *is*, once Apple's encodings are out of the way: plain, owned data.
//!
//! The pipeline fills these types and the writers read them. All instants are UTC; a time zone is a
//! matter of showing, so it belongs to the writers.
//!
//! **Must never**: do I/O (an attachment's [`Bytes`] are opened by whoever gave them), know SQL or a file format, derive `Serialize` (each writer owns the shape of
//! what it writes), hold a local time, or invent a value: what the source does not say is `None`.

mod attachment;
mod balloon;
mod bytes;
mod conversation;
mod drawing;
mod media;
mod message;
mod spelling;

pub use attachment::{Attachment, Availability};
pub use balloon::{Balloon, BalloonKind, PollOption, Value, Voter};
pub use bytes::{Bytes, ReadSeek};
pub use conversation::{Conversation, ConversationKind, Participant};
pub use drawing::{Drawing, Mark, PenPoint, Point, Rgba, Segment};
pub use media::{ContactCard, Media, Placement, Sticker, StickerEffect, StickerKind};
pub use message::{
    Announcement, AnnouncementKind, Call, Category, CategoryKind, Deleted, DeletionReason, Detected, Edit,
    Effect, Message, MessageKind, Otherwise, Part, PartContent, Quote, Reply, Scheduled, Sender, Style,
    StyleSpan, Tapback, TapbackKind, Translation, Unsent, Was,
};

/// An instant, UTC, with nanoseconds as far as Apple stored them.
pub type Instant = chrono::DateTime<chrono::Utc>;
