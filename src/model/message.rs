use std::cmp::Reverse;
use std::sync::Arc;

use super::{Attachment, Balloon, Instant};

/// One message with everything that hangs on it. All a writer needs is in here: rendering never asks.
///
/// What few messages have is in boxes, so that the many that have none of it stay small.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// `message.guid`. `None` only where the row has none.
    pub guid: Option<String>,
    /// `None` when the row holds 0 or NULL.
    pub date: Option<Instant>,
    /// As stored in the row: `iMessage`, `SMS`, `RCS`, `iMessageLite`, …
    pub service: Option<String>,
    pub from_me: bool,
    /// `None` when `from_me`.
    pub sender: Option<Arc<Sender>>,
    pub kind: MessageKind,
    pub subject: Option<String>,
    /// The text of a message whose parts are not one text alone: see [`Message::text`].
    pub joined_text: Option<String>,
    pub parts: Vec<Part>,
    pub attachments: Vec<Attachment>,
    /// Every version of every edited part, oldest first, the current one last; of an unsent part, what it said as far as
    /// that is known. Whether any was edited says [`Message::is_edited`].
    pub edits: Vec<Edit>,
    /// Oldest first. Those taken back stay, marked.
    pub tapbacks: Vec<Tapback>,
    pub reply_to: Option<Box<Reply>>,
    pub effect: Option<Effect>,
    pub announcement: Option<Box<Announcement>>,
    pub balloon: Option<Box<Balloon>>,
    pub date_delivered: Option<Instant>,
    pub date_read: Option<Instant>,
    /// It is not where it was.
    pub deleted: Option<Deleted>,
    pub unsent: Option<Unsent>,
    pub scheduled: Option<Scheduled>,
    /// The row's error code when it is not 0 (`messages-format.md` 13.7).
    pub error: Option<i64>,
    pub translation: Option<Box<Translation>>,
    pub junk: bool,
    /// What a filter took it for, other than junk.
    pub category: Option<Category>,
    /// `message.ROWID` in the source.
    pub rowid: i64,
    /// Which of several sources have it, by number, the one with `rowid` first; empty where there is only one.
    pub sources: Vec<u16>,
    /// Of an archive: what it said at other times, of which Messages notes no edit; the latest first.
    pub altered: Option<Box<[String]>>,
    /// Of an archive: what else it was at other times or is elsewhere, of which Messages notes no change; the latest first.
    pub was: Vec<Otherwise>,
    /// Of an archive: what of it is not what was archived, in words.
    pub damaged: Vec<String>,
    /// Other troubles with this row, in words. The row is shown all the same.
    pub defects: Vec<String>,
}

impl Message {
    /// The parts' text in order, U+FFFC where an attachment or balloon stands; `None` when the row has no text at all.
    pub fn text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            // Nearly every message: its text is not held twice.
            [Part { content: PartContent::Text { text, .. }, .. }] => Some(text),
            _ => self.joined_text.as_deref(),
        }
    }

    /// Some part was edited: it has several versions, or one that is no longer there though the part is.
    pub fn is_edited(&self) -> bool {
        let is_gone = |index: u32| {
            let gone =
                |part: &Part| part.index == index && matches!(part.content, PartContent::Unsent { .. });
            self.unsent == Some(Unsent::All) || self.parts.iter().any(gone)
        };
        // What is left of a part that is gone is no version of it.
        let versions = |of: &Edit| {
            let of_it = self.edits.iter().filter(|edit| edit.part == of.part && !edit.text.is_empty());
            of_it.count()
        };
        self.edits.iter().any(|edit| !is_gone(edit.part) || versions(edit) > 1)
    }
}

/// What an archive knows otherwise of a message, though Messages notes no change of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// Another source has it so, or had; else it was so before where it is as it is shown.
    pub elsewhere: bool,
    pub was: Was,
}

/// What a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Was {
    /// The owner had sent it.
    FromMe,
    /// Somebody else had sent it.
    From(Option<Arc<Sender>>),
    /// It had been sent then; `None` where that was no date.
    Dated(Option<Instant>),
    /// It had been read then, and now nothing says that it was.
    Read(Instant),
    /// It had been delivered then, and now nothing says that it was.
    Delivered(Instant),
    /// It had been something else.
    Kind(MessageKind),
    /// It had said this.
    Said(String),
    /// It had another file: its name, and where its bytes lie in the archive.
    Attached { name: Option<String>, path: String },
    /// What answers it now had been a message of its own, which said this.
    Answered(String),
}

/// Who sent something that the owner did not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    /// As Messages stores it; `None` where the row's handle is unknown.
    pub handle: Option<String>,
    /// The name in Contacts.
    pub name: Option<String>,
}

impl Sender {
    /// The name, else the handle, else "Unknown".
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.handle.as_deref()).unwrap_or("Unknown")
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MessageKind {
    #[default]
    Message,
    Announcement,
    /// A tapback whose message is not in the source; the tapback itself is the only entry of `Message::tapbacks`.
    Tapback,
    /// A poll vote whose poll is not in the source.
    Vote,
}

/// One bubble of a message, or a piece of one: text with pictures inside it comes as several parts with one index.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The part number that tapbacks, replies and edits refer to.
    pub index: u32,
    pub content: PartContent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartContent {
    Text {
        text: String,
        styles: Vec<StyleSpan>,
    },
    /// An index into [`Message::attachments`].
    Attachment(usize),
    /// The message's one [`Message::balloon`].
    Balloon,
    /// Taken back by its sender.
    Unsent {
        date: Option<Instant>,
    },
}

/// A style over a range of a part's text, in Unicode scalar values (`char`s), end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StyleSpan {
    pub start: u32,
    pub end: u32,
    pub style: Style,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Style {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Big,
    Small,
    Shake,
    Nod,
    Explode,
    Ripple,
    Bloom,
    Jitter,
    /// Hostile text: check the scheme before making it clickable.
    Link {
        target: String,
    },
    /// The handle that is mentioned.
    Mention {
        target: String,
    },
    /// A verification code, as it is to be typed; `None` where only the mark is there.
    OneTimeCode {
        code: Option<String>,
    },
    /// A date, address, number, flight, … that Apple's data detectors found; `None` where only the mark is there.
    Data(Option<Box<Detected>>),
}

/// What a data detector found in a text (`messages-format.md` 4.8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Detected {
    /// Apple's name for it: `Date`, `FullAddress`, `FlightInformation`, `TrackingNumber`, `Money`, …
    pub kind: String,
    /// The text it was found in.
    pub text: Option<String>,
    /// What it stands for, where that is not the text itself: a unit, a currency, a country.
    pub value: Option<String>,
    /// What it is made of: a street's number and name, an airline and a flight's number.
    pub parts: Vec<Detected>,
}

/// One version of an edited part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub part: u32,
    pub date: Option<Instant>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Tapback {
    pub guid: Option<String>,
    pub part: u32,
    pub kind: TapbackKind,
    pub from_me: bool,
    /// `None` when `from_me`.
    pub sender: Option<Arc<Sender>>,
    pub date: Option<Instant>,
    /// Taken back, or replaced by a later one of the same person on the same part.
    pub removed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TapbackKind {
    Loved,
    Liked,
    Disliked,
    Laughed,
    Emphasized,
    Questioned,
    /// Any emoji; empty where the row does not say which.
    Emoji(String),
    /// A sticker, as a tapback or placed on the bubble. Its picture, where a row has one.
    Sticker(Option<Box<Attachment>>),
}

impl TapbackKind {
    /// The emoji that stands for it; `None` for a sticker, and for an emoji that the row does not name.
    pub fn emoji(&self) -> Option<&str> {
        Some(match self {
            TapbackKind::Loved => "❤️",
            TapbackKind::Liked => "👍",
            TapbackKind::Disliked => "👎",
            TapbackKind::Laughed => "😂",
            TapbackKind::Emphasized => "‼️",
            TapbackKind::Questioned => "❓",
            TapbackKind::Emoji(e) if e.is_empty() => return None,
            TapbackKind::Emoji(e) => e,
            TapbackKind::Sticker(_) => return None,
        })
    }
}

/// A reply to a part of an earlier message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub guid: String,
    pub part: u32,
    /// The message replied to, shortened for quoting; `None` when it is not in the source.
    pub quote: Option<Quote>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub from_me: bool,
    pub sender: Option<Arc<Sender>>,
    pub date: Option<Instant>,
    /// The text of the part replied to, at most 200 characters; `None` when it is an attachment, a balloon or unsent.
    pub text: Option<String>,
}

/// How a message was sent to appear (`messages-format.md` 9).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    Slam,
    Loud,
    Gentle,
    InvisibleInk,
    Echo,
    Spotlight,
    Balloons,
    Confetti,
    Love,
    Lasers,
    Fireworks,
    ShootingStar,
    Celebration,
    /// The raw id.
    Other(String),
}

/// A row that is no bubble: somebody joined, the name changed, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub kind: AnnouncementKind,
    /// The second person: who was added or removed, the new number; `None` when there is none or it is the owner.
    pub handle: Option<String>,
    /// That person's name in Contacts.
    pub name: Option<String>,
    /// The second person is the owner.
    pub about_me: bool,
    /// The new title, for `Renamed`.
    pub title: Option<String>,
    /// What sort of call it is about, for `SharePlay`.
    pub call: Option<Call>,
}

/// How people talk in a FaceTime call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Audio,
    Video,
    /// The raw mode.
    Other(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnnouncementKind {
    ParticipantAdded,
    ParticipantRemoved,
    ParticipantLeft,
    Renamed,
    NameRemoved,
    PhotoChanged,
    PhotoRemoved,
    BackgroundChanged,
    BackgroundRemoved,
    NumberChanged,
    LocationStarted,
    LocationStopped,
    AudioKept,
    SharePlay,
    /// An event of a sort not known yet.
    Unknown,
}

/// A message is deleted where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// When it was moved to Recently Deleted; else when it was noticed that it is gone.
    pub date: Option<Instant>,
    pub reason: DeletionReason,
    /// The reason is a guess: nobody knows the setting of Keep Messages.
    pub guessed: bool,
    /// When it was still there, where `date` says when it was noticed that it is gone.
    pub last_seen: Option<Instant>,
    /// Of an archive: since when it is not in Recently Deleted any more either.
    pub gone: Option<Instant>,
    /// Only some parts of it are; the rest is where it was.
    pub part: bool,
}

/// Why a message is not where it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeletionReason {
    /// It is in Recently Deleted; or was, before it was gone from there, too.
    #[default]
    RecentlyDeleted,
    Deleted,
    ConversationDeleted,
    /// Keep Messages removed it.
    AgedOut,
    Unexplained,
}

impl DeletionReason {
    /// Every reason.
    pub const ALL: [DeletionReason; 5] = [
        DeletionReason::RecentlyDeleted,
        DeletionReason::Deleted,
        DeletionReason::ConversationDeleted,
        DeletionReason::AgedOut,
        DeletionReason::Unexplained,
    ];

    /// As archives and reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            DeletionReason::RecentlyDeleted => "recently_deleted",
            DeletionReason::Deleted => "deleted",
            DeletionReason::ConversationDeleted => "conversation_deleted",
            DeletionReason::AgedOut => "aged_out",
            DeletionReason::Unexplained => "unexplained",
        }
    }

    /// Where several sources lost a message, the greatest of these is why it is deleted: that one has it in Recently Deleted
    /// now (`is_recoverable`), where it can be had again, counts more than what another one says; then what is known more than
    /// what is guessed, and that more than what is not explained, then what was lost last, then the reason that comes first in
    /// [`DeletionReason::ALL`].
    pub fn weight<D: Ord>(
        self,
        is_guessed: bool,
        is_recoverable: bool,
        lost: D,
    ) -> (bool, bool, bool, D, Reverse<DeletionReason>) {
        (is_recoverable, self != DeletionReason::Unexplained, !is_guessed, lost, Reverse(self))
    }

    /// What is spelled so.
    pub fn named(name: &str) -> Option<DeletionReason> {
        DeletionReason::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unsent {
    Part,
    All,
}

/// Send Later. `state` is `message.schedule_state` (`messages-format.md` 13.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduled {
    pub state: i64,
}

/// Where a filter of texts files a message (`messages-format.md` 12.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Category {
    pub kind: CategoryKind,
    /// More exactly: one of [`Category::DETAILS`].
    pub detail: Option<&'static str>,
}

impl Category {
    /// Every word of [`Category::detail`].
    pub const DETAILS: [&'static str; 10] = [
        "finance",
        "orders",
        "reminders",
        "health",
        "weather",
        "carrier",
        "rewards",
        "public_services",
        "offers",
        "coupons",
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CategoryKind {
    Promotion,
    Transaction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    pub text: String,
    /// Such as `fr_FR`.
    pub language: Option<String>,
    pub source_language: Option<String>,
}
