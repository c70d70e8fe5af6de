//! A line of schema 1, key by key. What is missing is empty; what is not known is passed over.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::model::MessageKind;

/// What has to be known of every line before any is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Glance<'t> {
    #[serde(borrow)]
    pub date: Option<Cow<'t, str>>,
    kind: Option<Cow<'t, str>>,
    conversation: Option<Cow<'t, str>>,
    sender: Option<GlanceAtSender<'t>>,
    tapbacks: Vec<GlanceAtTapback<'t>>,
}

/// Who wrote it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GlanceAtSender<'t> {
    #[serde(borrow)]
    handle: Option<Cow<'t, str>>,
}

/// What hangs on it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GlanceAtTapback<'t> {
    #[serde(borrow)]
    date: Option<Cow<'t, str>>,
    sender: Option<GlanceAtSender<'t>>,
}

impl<'t> Glance<'t> {
    /// # Errors
    /// In words: what is in the way of reading it at all.
    pub fn of(text: &'t [u8]) -> Result<Glance<'t>, String> {
        let line: Glance<'t> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match (&line.kind, &line.conversation) {
            (Some(_), Some(_)) => Ok(line),
            (None, _) => Err("it has no \"kind\"".into()),
            (_, None) => Err("it has no \"conversation\"".into()),
        }
    }

    /// The dates of what hangs on it. A tapback that has lost its message hangs on none: its line is its row.
    pub fn hanging(&self) -> impl Iterator<Item = Option<&str>> {
        let is_lone = self.kind.as_deref() == Some(MessageKind::Tapback.name());
        let tapbacks = self.tapbacks.iter().filter(move |_| !is_lone);
        tapbacks.map(|tapback| tapback.date.as_deref())
    }

    /// The addresses of everybody who wrote it or something that hangs on it.
    pub fn senders(&self) -> impl Iterator<Item = &str> {
        let tapbacks = self.tapbacks.iter().map(|tapback| &tapback.sender);
        std::iter::once(&self.sender).chain(tapbacks).filter_map(|sender| sender.as_ref()?.handle.as_deref())
    }
}

/// A message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Line {
    pub guid: Option<String>,
    pub date: Option<String>,
    pub service: Option<String>,
    pub from_me: bool,
    pub sender: Option<Person>,
    pub kind: String,
    pub subject: Option<String>,
    pub text: Option<String>,
    pub parts: Vec<Part>,
    pub attachments: Vec<Attachment>,
    pub edits: Vec<Edit>,
    pub tapbacks: Vec<Tapback>,
    pub reply_to: Option<Reply>,
    pub effect: Option<String>,
    pub announcement: Option<Announcement>,
    pub balloon: Option<Balloon>,
    pub date_delivered: Option<String>,
    pub date_read: Option<String>,
    pub deleted: Option<Deleted>,
    pub unsent: Option<String>,
    pub scheduled: Option<Scheduled>,
    pub error: Option<i64>,
    pub translation: Option<Translation>,
    pub junk: bool,
    pub category: Option<Category>,
    pub altered: Option<Vec<String>>,
    pub was: Vec<Was>,
    pub damaged: Vec<String>,
    pub source: Origin,
}

/// One of them is there, but for `elsewhere`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Was {
    pub from_me: bool,
    pub sender: Option<Person>,
    pub date: Option<String>,
    pub date_read: Option<String>,
    pub date_delivered: Option<String>,
    pub kind: Option<String>,
    pub elsewhere: bool,
    pub text: Option<String>,
    pub attachment: Option<String>,
    pub path: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Person {
    pub handle: Option<String>,
    pub name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Part {
    pub index: u32,
    pub r#type: String,
    pub text: Option<String>,
    pub styles: Vec<Style>,
    pub attachment: Option<String>,
    pub date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Style {
    pub start: u32,
    pub end: u32,
    pub style: String,
    pub target: Option<String>,
    pub code: Option<String>,
    pub data: Option<Detected>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Detected {
    pub kind: String,
    pub text: Option<String>,
    pub value: Option<String>,
    pub parts: Vec<Detected>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attachment {
    pub guid: Option<String>,
    pub name: Option<String>,
    pub mime: Option<String>,
    pub uti: Option<String>,
    pub bytes: Option<u64>,
    pub availability: String,
    pub path: Option<String>,
    pub sticker: bool,
    pub transcription: Option<String>,
    pub description: Option<String>,
    pub media: Option<Media>,
    pub sticker_info: Option<Sticker>,
    pub motion: Option<String>,
    pub hidden: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Media {
    pub duration: Option<f64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub contact: Option<Card>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Card {
    pub name: Option<String>,
    pub handles: Vec<String>,
    pub more: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sticker {
    pub kind: String,
    pub pack: Option<String>,
    pub effect: Option<String>,
    pub placement: Option<Placement>,
}

#[derive(Debug, Deserialize)]
pub struct Placement {
    pub x: f64,
    pub y: f64,
    pub scale: f64,
    pub rotation: f64,
    pub parent_width: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Edit {
    pub part: u32,
    pub date: Option<String>,
    pub text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tapback {
    pub guid: Option<String>,
    pub part: u32,
    pub r#type: String,
    pub emoji: Option<String>,
    pub from_me: bool,
    pub sender: Option<Person>,
    pub date: Option<String>,
    pub removed: bool,
    pub attachment: Option<Attachment>,
}

#[derive(Debug, Deserialize)]
pub struct Reply {
    pub guid: String,
    #[serde(default)]
    pub part: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Announcement {
    pub r#type: String,
    pub handle: Option<String>,
    pub name: Option<String>,
    pub title: Option<String>,
    pub about_me: bool,
    pub call: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Balloon {
    pub r#type: String,
    pub bundle_id: Option<String>,
    pub app: Option<String>,
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub summary: Option<String>,
    pub url: Option<String>,
    pub lines: Vec<String>,
    pub attachments: Vec<String>,
    pub data: serde_json::Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    pub text: String,
    pub voters: Vec<Voter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Voter {
    pub handle: Option<String>,
    pub name: Option<String>,
    pub from_me: bool,
    pub date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Deleted {
    pub date: Option<String>,
    pub reason: String,
    pub guessed: bool,
    pub last_seen: Option<String>,
    pub gone: Option<String>,
    pub part: bool,
}

#[derive(Debug, Deserialize)]
pub struct Scheduled {
    pub state: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Translation {
    pub text: String,
    pub language: Option<String>,
    pub source_language: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Category {
    pub r#type: String,
    pub detail: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Origin {
    pub rowid: i64,
}
