//! Attachments of a line, as rows and as what they mean.

use std::time::Duration;

use super::files::Files;
use super::line;
use crate::model::{
    Attachment, Availability, ContactCard, Media, Placement, Sticker, StickerEffect, StickerKind,
};
use crate::source::{Content, RawAttachment};

/// An attachment: its row with the bytes that lie beside the export, and what the export says of it.
pub fn attachment(line: line::Attachment, files: &Files) -> (RawAttachment, Attachment) {
    let content = line.path.as_deref().and_then(|path| files.find(path));
    let said = Availability::named(&line.availability).unwrap_or_default();
    let availability = match (&line.path, &content) {
        // A copy was made, and is gone.
        (Some(_), None) => Availability::Missing,
        _ => said,
    };
    let is_inside = |film: &&str| {
        line.path
            .as_deref()
            .is_some_and(|path| film.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    };
    let film = line.motion.as_deref().filter(|film| !is_inside(film)).and_then(|film| files.find(film));
    let row = RawAttachment {
        guid: line.guid.clone(),
        transfer_name: line.name.clone(),
        uti: line.uti.clone(),
        mime_type: line.mime.clone(),
        total_bytes: line.bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(0),
        is_sticker: line.sticker,
        hide_attachment: line.hidden,
        left_out: content.is_none() && availability == Availability::Local,
        companion: film.filter(|film| matches!(film, Content::File { .. })),
        content,
        ..RawAttachment::default()
    };
    let meaning = Attachment {
        guid: line.guid,
        name: line.name,
        mime: line.mime,
        uti: line.uti,
        bytes: line.bytes,
        availability,
        sticker: line.sticker,
        sticker_facts: line.sticker_info.map(|sticker| Box::new(sticker_facts(sticker))),
        media: line.media.map(|media| Box::new(facts(media))),
        transcription: line.transcription,
        description: line.description,
        hidden: line.hidden,
        ..Attachment::default()
    };
    (row, meaning)
}

/// The picture of what somebody drew: its strokes are in no export, and this is what there is of them.
pub fn drawing(path: &str, app: Option<&str>, files: &Files) -> (RawAttachment, Attachment) {
    let picture = line::Attachment {
        name: Some(format!("{}.svg", app.unwrap_or("Drawing"))),
        mime: Some("image/svg+xml".into()),
        uti: Some("public.svg-image".into()),
        availability: Availability::Local.name().into(),
        path: Some(path.to_owned()),
        hidden: true,
        ..line::Attachment::default()
    };
    attachment(picture, files)
}

fn facts(media: line::Media) -> Media {
    Media {
        duration: media.duration.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        pixels: media.width.zip(media.height),
        contact: media.contact.map(|card| ContactCard {
            name: card.name,
            handles: card.handles,
            more: card.more,
        }),
    }
}

fn sticker_facts(sticker: line::Sticker) -> Sticker {
    Sticker {
        kind: StickerKind::named(&sticker.kind).unwrap_or_default(),
        pack: sticker.pack,
        effect: sticker.effect.as_deref().and_then(StickerEffect::named),
        placement: sticker.placement.map(|placement| {
            let line::Placement { x, y, scale, rotation, parent_width } = placement;
            Placement { x, y, scale, rotation, parent_width }
        }),
    }
}
