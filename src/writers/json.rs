//! The JSON of schema 1: what JSON Lines, the JSON cells of CSV and the manifest share.
//!
//! Written straight into a buffer, key by key in the documented order: this is most of what an export to JSON Lines
//! does, and no object has a shape that is not in the interface.
//!
//! **Must never**: leave out a key, or change a text.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::clock::Clock;
use crate::disk::FileRecord;
use crate::model::{
    Attachment, Detected, Edit, Instant, Media, Otherwise, PartContent, Placement, Sender, Sticker,
    StickerEffect, Style, StyleSpan, Tapback, TapbackKind, Value, Was,
};

/// Appends JSON to a buffer.
pub struct Json<'a> {
    pub to: &'a mut Vec<u8>,
    pub clock: &'a mut Clock,
}

impl Json<'_> {
    /// JSON as it is: punctuation and keys.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.to.extend_from_slice(json.as_bytes());
        self
    }

    /// A string.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.scalar(text);
        self
    }

    /// What stands there in the buffer already, once more.
    pub fn again(&mut self, written: Range<usize>) -> &mut Self {
        self.to.extend_from_within(written);
        self
    }

    /// A string, or `null`.
    pub fn maybe(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.raw("null"),
        }
    }

    /// A number.
    pub fn number(&mut self, number: impl Into<i128>) -> &mut Self {
        let number: i128 = number.into();
        match u32::try_from(number) {
            // An array index is one digit.
            Ok(digit @ 0..=9) => self.to.push(b'0' + digit as u8),
            Ok(small) => self.scalar(small),
            Err(_) => self.scalar(number),
        }
        self
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// An instant, or `null`.
    pub fn date(&mut self, instant: Option<Instant>) -> &mut Self {
        match instant {
            Some(instant) => {
                self.to.push(b'"');
                self.clock.rfc3339(instant, self.to);
                self.to.push(b'"');
                self
            }
            None => self.raw("null"),
        }
    }

    /// An array.
    pub fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.to.push(b'[');
        let mut first = true;
        for item in items {
            if !std::mem::take(&mut first) {
                self.to.push(b',');
            }
            each(self, item);
        }
        self.to.push(b']');
        self
    }

    /// An array of strings.
    pub fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) -> &mut Self {
        self.array(texts, |json, text| {
            json.text(text);
        })
    }

    fn scalar(&mut self, value: impl serde::Serialize) {
        // Into memory: it cannot fail.
        let _ = serde_json::to_writer(&mut *self.to, &value);
    }

    /// `{"handle":…,"name":…}`, or `null`.
    pub fn sender(&mut self, sender: Option<&Sender>) -> &mut Self {
        let Some(sender) = sender else {
            return self.raw("null");
        };
        self.raw("{\"handle\":").maybe(sender.handle.as_deref());
        self.raw(",\"name\":").maybe(sender.name.as_deref()).raw("}")
    }

    /// An entry of `tapbacks`. Only a sticker with a picture has the key `attachment`.
    pub fn tapback(&mut self, tapback: &Tapback) {
        self.raw("{\"guid\":").maybe(tapback.guid.as_deref());
        self.raw(",\"part\":").number(tapback.part);
        self.raw(",\"type\":\"").raw(tapback.kind.name());
        self.raw("\",\"emoji\":").maybe(tapback.kind.emoji());
        self.raw(",\"from_me\":").boolean(tapback.from_me);
        self.raw(",\"sender\":").sender(tapback.sender.as_deref().filter(|_| !tapback.from_me));
        self.raw(",\"date\":").date(tapback.date);
        self.raw(",\"removed\":").boolean(tapback.removed);
        if let TapbackKind::Sticker(Some(picture)) = &tapback.kind {
            self.raw(",\"attachment\":");
            self.attachment(picture);
        }
        self.raw("}");
    }

    /// An entry of `attachments`. `media`, `sticker_info`, `motion` and `hidden` are keys of those
    /// that have them.
    pub fn attachment(&mut self, attachment: &Attachment) {
        self.raw("{\"guid\":").maybe(attachment.guid.as_deref());
        self.raw(",\"name\":").maybe(attachment.name.as_deref());
        self.raw(",\"mime\":").maybe(attachment.mime.as_deref());
        self.raw(",\"uti\":").maybe(attachment.uti.as_deref());
        self.raw(",\"bytes\":");
        match attachment.bytes {
            Some(bytes) => self.number(bytes),
            None => self.raw("null"),
        };
        self.raw(",\"availability\":\"").raw(attachment.availability.name());
        self.raw("\",\"path\":").maybe(attachment.path.as_deref());
        self.raw(",\"sha256\":").maybe(attachment.sha256.as_deref());
        self.raw(",\"sticker\":").boolean(attachment.sticker);
        self.raw(",\"transcription\":").maybe(attachment.transcription.as_deref());
        self.raw(",\"description\":").maybe(attachment.description.as_deref());
        if let Some(path) = &attachment.converted {
            self.raw(",\"converted\":").text(path);
        }
        if let Some(media) = &attachment.media {
            self.raw(",\"media\":").media(media);
        }
        if let Some(sticker) = &attachment.sticker_facts {
            self.raw(",\"sticker_info\":").sticker(sticker);
        }
        if let Some(path) = &attachment.motion {
            self.raw(",\"motion\":").text(path);
        }
        if attachment.hidden {
            self.raw(",\"hidden\":true");
        }
        self.raw("}");
    }

    fn media(&mut self, Media { duration, pixels, contact }: &Media) -> &mut Self {
        self.raw("{\"duration\":");
        match duration {
            Some(duration) => self.real(duration.as_secs_f64()),
            None => self.raw("null"),
        };
        match pixels {
            Some((width, height)) => {
                self.raw(",\"width\":").number(*width).raw(",\"height\":").number(*height)
            }
            None => self.raw(",\"width\":null,\"height\":null"),
        };
        self.raw(",\"contact\":");
        match contact {
            Some(contact) => {
                self.raw("{\"name\":").maybe(contact.name.as_deref());
                self.raw(",\"handles\":").texts(&contact.handles);
                self.raw(",\"more\":").number(contact.more as u64).raw("}}")
            }
            None => self.raw("null}"),
        }
    }

    fn sticker(&mut self, Sticker { kind, pack, effect, placement }: &Sticker) -> &mut Self {
        self.raw("{\"kind\":\"").raw(kind.name());
        self.raw("\",\"pack\":").maybe(pack.as_deref());
        self.raw(",\"effect\":").maybe(effect.map(StickerEffect::name));
        self.raw(",\"placement\":");
        match placement {
            Some(Placement { x, y, scale, rotation, parent_width }) => {
                self.raw("{\"x\":").real(*x).raw(",\"y\":").real(*y);
                self.raw(",\"scale\":").real(*scale).raw(",\"rotation\":").real(*rotation);
                self.raw(",\"parent_width\":");
                match parent_width {
                    Some(width) => self.real(*width),
                    None => self.raw("null"),
                };
                self.raw("}}")
            }
            None => self.raw("null}"),
        }
    }

    /// An entry of `edits`.
    pub fn edit(&mut self, edit: &Edit) {
        self.raw("{\"part\":").number(edit.part);
        self.raw(",\"date\":").date(edit.date);
        self.raw(",\"text\":").text(&edit.text).raw("}");
    }

    /// An entry of `was`.
    pub fn otherwise(&mut self, Otherwise { elsewhere, was }: &Otherwise) {
        self.raw("{").raw(if *elsewhere { "\"elsewhere\":true," } else { "" });
        match was {
            Was::FromMe => self.raw("\"from_me\":true"),
            Was::From(sender) => self.raw("\"sender\":").sender(sender.as_deref()),
            Was::Dated(date) => self.raw("\"date\":").date(*date),
            Was::Read(date) => self.raw("\"date_read\":").date(Some(*date)),
            Was::Delivered(date) => self.raw("\"date_delivered\":").date(Some(*date)),
            Was::Kind(kind) => self.raw("\"kind\":").text(kind.name()),
            Was::Attached { name, path } => {
                self.raw("\"attachment\":").maybe(name.as_deref()).raw(",\"path\":").text(path)
            }
            Was::Said(text) => self.raw("\"text\":").text(text),
            Was::Answered(text) => self.raw("\"message\":").text(text),
        };
        self.raw("}");
    }

    /// An entry of the manifest's `files`.
    pub fn file(&mut self, file: &FileRecord) {
        self.raw("{\"path\":").text(&file.path);
        self.raw(",\"bytes\":").number(file.bytes);
        self.raw(",\"sha256\":").text(&file.sha256).raw("}");
    }

    /// An entry of `styles`.
    pub fn style(&mut self, span: &StyleSpan) {
        self.raw("{\"start\":").number(span.start);
        self.raw(",\"end\":").number(span.end);
        self.raw(",\"style\":\"").raw(span.style.name()).raw("\"");
        match &span.style {
            Style::Link { target } | Style::Mention { target } => {
                self.raw(",\"target\":").text(target);
            }
            Style::OneTimeCode { code: Some(code) } => {
                self.raw(",\"code\":").text(code);
            }
            Style::Data(Some(detected)) => {
                self.raw(",\"data\":").detected(detected);
            }
            _ => {}
        }
        self.raw("}");
    }

    /// What a data detector found, with all it is made of.
    fn detected(&mut self, detected: &Detected) {
        self.raw("{\"kind\":").text(&detected.kind);
        self.raw(",\"text\":").maybe(detected.text.as_deref());
        self.raw(",\"value\":").maybe(detected.value.as_deref());
        self.raw(",\"parts\":").array(&detected.parts, Json::detected).raw("}");
    }

    /// A value of a balloon's `data`: dates as everywhere, bytes in base64.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Boolean(value) => self.boolean(*value),
            Value::Integer(value) => self.number(*value),
            Value::Real(value) => self.real(*value),
            Value::Text(text) => self.text(text),
            Value::Date(date) => self.date(Some(*date)),
            Value::Bytes(bytes) => self.text(&BASE64.encode(bytes)),
            Value::List(values) => self.array(values, Json::value),
            Value::Map(entries) => {
                self.to.push(b'{');
                let mut comma = "";
                for (name, value) in entries {
                    self.raw(std::mem::replace(&mut comma, ",")).text(name).raw(":").value(value);
                }
                self.raw("}")
            }
        };
    }

    /// A number with a fraction; `null` for what JSON cannot say.
    fn real(&mut self, number: f64) -> &mut Self {
        self.scalar(number);
        self
    }
}

/// `text`, `attachment`, …
pub fn part_type(content: &PartContent) -> &'static str {
    match content {
        PartContent::Text { .. } => "text",
        PartContent::Attachment(_) => "attachment",
        PartContent::Balloon => "balloon",
        PartContent::Unsent { .. } => "unsent",
    }
}
