//! Attachments in words.

use std::time::Duration;

use super::one_line;
use crate::model::{Attachment, Availability, ContactCard, Sticker, StickerEffect, StickerKind};

/// `IMG_0042.heic (HEIC image, 1.8 MB, in iCloud, not on this disk)`,
/// `Audio Message.caf (CAF audio, 12 KB, 0:12)`.
pub fn attachment(attachment: &Attachment) -> String {
    let mut kind = file_kind(attachment);
    if attachment.motion.is_some() && kind != LIVE_PHOTO {
        kind.push_str(", Live Photo");
    }
    if attachment.sticker {
        let words = match attachment.sticker_facts.as_deref().map(|facts| facts.kind) {
            Some(StickerKind::Genmoji) => ", Genmoji",
            Some(StickerKind::Memoji) => ", Memoji sticker",
            Some(StickerKind::UserMade) => ", sticker made from a photo",
            Some(StickerKind::App) | None => ", sticker",
        };
        kind.push_str(words);
        if let Some(effect) = attachment.sticker_facts.as_deref().and_then(|facts| facts.effect) {
            kind.push_str(", ");
            kind.push_str(sticker_effect(effect));
        }
    }
    named(attachment, kind)
}

/// The name and, in brackets, what it is.
pub(super) fn named(attachment: &Attachment, kind: String) -> String {
    let mut facts = file_facts(attachment, kind);
    facts.extend(availability(attachment.availability).map(str::to_owned));
    let name = attachment.name.as_deref().map(one_line).filter(|n| !n.is_empty());
    format!("{} ({})", name.as_deref().unwrap_or("Attachment"), facts.join(", "))
}

/// The kind, the size, and what the file's own bytes say: `1920 × 1080`, `0:34`; of a contact card who it is about.
pub fn file_facts(attachment: &Attachment, kind: String) -> Vec<String> {
    let mut facts = vec![kind];
    facts.extend(attachment.bytes.map(size));
    if let Some(media) = &attachment.media {
        facts.extend(media.pixels.map(|(width, height)| format!("{width} × {height}")));
        facts.extend(media.duration.map(length));
        facts.extend(media.contact.iter().flat_map(contact));
    }
    facts
}

/// A sound's or film's length: `0:12`, `1:02:03`. Whatever sounds at all lasts a second.
pub fn length(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    let seconds = seconds.max(u64::from(!duration.is_zero()));
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// The name, the numbers and addresses (the first few), and how many cards more there are.
fn contact(card: &ContactCard) -> Vec<String> {
    /// A card may have dozens; JSON has them all.
    const SHOWN: usize = 4;
    let words = card.name.iter().chain(card.handles.iter().take(SHOWN));
    let mut words: Vec<String> = words.map(|word| one_line(word).into_owned()).collect();
    match card.handles.len().saturating_sub(SHOWN) {
        0 => {}
        more => words.push(format!("and {more} more")),
    }
    match card.more {
        0 => {}
        1 => words.push("and another contact".into()),
        more => words.push(format!("and {more} other contacts")),
    }
    words
}

/// What is known of a sticker: `Genmoji: “a crab in a hat”, Outline`. `None`: nothing.
pub(super) fn sticker(attachment: &Attachment) -> Option<String> {
    let Sticker { kind, effect, .. } = attachment.sticker_facts.as_deref().cloned().unwrap_or_default();
    let kind = match kind {
        StickerKind::Genmoji => Some("Genmoji"),
        StickerKind::Memoji => Some("Memoji"),
        StickerKind::UserMade => Some("made from a photo"),
        StickerKind::App => None,
    };
    let described = attachment.description.as_deref().map(|words| format!("“{}”", one_line(words)));
    let what = match (kind, described) {
        (Some(kind), Some(words)) => Some(format!("{kind}: {words}")),
        (kind, words) => words.or(kind.map(str::to_owned)),
    };
    let effect = effect.map(|effect| sticker_effect(effect).to_owned());
    let facts: Vec<String> = what.into_iter().chain(effect).collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}

fn sticker_effect(effect: StickerEffect) -> &'static str {
    match effect {
        StickerEffect::Outline => "Outline",
        StickerEffect::Comic => "Comic",
        StickerEffect::Puffy => "Puffy",
        StickerEffect::Shiny => "Shiny",
    }
}

/// Where the bytes are, when they are not here.
pub fn availability(availability: Availability) -> Option<&'static str> {
    match availability {
        Availability::Local => None,
        Availability::InICloud => Some("in iCloud, not on this disk"),
        Availability::Missing => Some("missing"),
        Availability::Expired => Some("expired"),
    }
}

/// `HEIC image`, `PDF document`, `video`: by the MIME type, else by Apple's, else by the name.
pub fn file_kind(attachment: &Attachment) -> String {
    let mime = attachment.mime.as_deref().unwrap_or_default();
    let uti = attachment.uti.as_deref().unwrap_or_default();
    let extension = attachment
        .name
        .as_deref()
        .and_then(|n| n.rsplit_once('.'))
        .map(|(_, e)| e.to_ascii_lowercase())
        .filter(|e| (1..=8).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_alphanumeric()));
    let by = |is: &dyn Fn(&Kind) -> bool| KINDS.iter().find(|kind| is(kind)).map(|kind| kind.3.to_owned());
    let of_mime = match mime.split('/').next() {
        Some("image") => Some("image"),
        Some("video") => Some("video"),
        Some("audio") => Some("audio"),
        Some("text") => Some("text"),
        _ => None,
    };
    by(&|kind| kind.0.contains(&mime))
        .or(of_mime.map(str::to_owned))
        .or_else(|| by(&|kind| kind.1.contains(&uti)))
        .or_else(|| extension.as_deref().and_then(|e| by(&|kind| kind.2.contains(&e))))
        .or_else(|| extension.map(|e| format!("{} file", e.to_ascii_uppercase())))
        .unwrap_or_else(|| "file".into())
}

/// MIME types, uniform type identifiers, extensions, and what a person calls it.
type Kind = (&'static [&'static str], &'static [&'static str], &'static [&'static str], &'static str);

/// What a bundle with a picture and its film is called.
const LIVE_PHOTO: &str = "Live Photo";

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    (&["image/heic", "image/heif"], &["public.heic", "public.heif"], &["heic", "heif"], "HEIC image"),
    (&["image/jpeg", "image/jpg"], &["public.jpeg"], &["jpg", "jpeg"], "JPEG image"),
    (&["image/png"], &["public.png"], &["png"], "PNG image"),
    (&["image/gif"], &["com.compuserve.gif"], &["gif"], "GIF image"),
    (&["image/webp"], &["org.webmproject.webp"], &["webp"], "WebP image"),
    (&["image/tiff"], &["public.tiff"], &["tif", "tiff"], "TIFF image"),
    (&["image/bmp", "image/x-ms-bmp"], &["com.microsoft.bmp"], &["bmp"], "BMP image"),
    (&["image/avif"], &["public.avif"], &["avif"], "AVIF image"),
    (&["image/svg+xml"], &["public.svg-image"], &["svg"], "SVG image"),
    (&["image/x-adobe-dng"], &["com.adobe.raw-image"], &["dng"], "raw image"),
    (&["image/heics", "image/heic-sequence", "image/heif-sequence"], &["public.heics", "public.heifs"], &["heics", "heifs"],
        "animated HEIC image"),
    (&[], &["com.apple.live-photo-bundle", "com.apple.private.live-photo-bundle"], &["pvt"], LIVE_PHOTO),
    (&["video/quicktime"], &["com.apple.quicktime-movie"], &["mov", "qt"], "QuickTime video"),
    (&["video/mp4"], &["public.mpeg-4"], &["mp4"], "MP4 video"),
    (&["video/x-m4v"], &["com.apple.m4v-video"], &["m4v"], "M4V video"),
    (&["video/3gpp", "audio/3gpp"], &["public.3gpp"], &["3gp"], "3GP video"),
    (&["video/3gpp2"], &["public.3gpp2"], &["3g2"], "3GP2 video"),
    (&["audio/x-caf"], &["com.apple.coreaudio-format"], &["caf"], "CAF audio"),
    (&["audio/amr", "audio/amr-wb"], &["org.3gpp.adaptive-multi-rate-audio"], &["amr", "awb"], "AMR audio"),
    (&["audio/x-m4a", "audio/mp4", "audio/m4a"], &["com.apple.m4a-audio", "public.mpeg-4-audio"], &["m4a", "m4b"],
        "M4A audio"),
    (&["audio/mpeg", "audio/mp3"], &["public.mp3"], &["mp3"], "MP3 audio"),
    (&["audio/wav", "audio/x-wav", "audio/vnd.wave"], &["com.microsoft.waveform-audio"], &["wav"], "WAV audio"),
    (&["audio/aiff", "audio/x-aiff"], &["public.aiff-audio"], &["aif", "aiff", "aifc"], "AIFF audio"),
    (&["application/pdf"], &["com.adobe.pdf"], &["pdf"], "PDF document"),
    (&["application/vnd.apple.pages", "application/x-iwork-pages-sffpages"],
        &["com.apple.iwork.pages.pages", "com.apple.iwork.pages.sffpages"], &["pages"], "Pages document"),
    (&["application/vnd.apple.numbers", "application/x-iwork-numbers-sffnumbers"],
        &["com.apple.iwork.numbers.numbers", "com.apple.iwork.numbers.sffnumbers"], &["numbers"], "Numbers spreadsheet"),
    (&["application/vnd.apple.keynote", "application/x-iwork-keynote-sffkey"],
        &["com.apple.iwork.keynote.key", "com.apple.iwork.keynote.sffkey"], &["key"], "Keynote presentation"),
    (&["application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
        &["com.microsoft.word.doc", "org.openxmlformats.wordprocessingml.document"], &["doc", "docx"], "Word document"),
    (&["application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
        &["com.microsoft.excel.xls", "org.openxmlformats.spreadsheetml.sheet"], &["xls", "xlsx"], "Excel spreadsheet"),
    (&["application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
        &["com.microsoft.powerpoint.ppt", "org.openxmlformats.presentationml.presentation"], &["ppt", "pptx"],
        "PowerPoint presentation"),
    (&["application/epub+zip"], &["org.idpf.epub-container"], &["epub"], "EPUB book"),
    (&["application/vnd.apple.pkpass", "application/vnd.apple.pkpasses"], &["com.apple.pkpass", "com.apple.pkpass-data"],
        &["pkpass", "pkpasses"], "Wallet pass"),
    (&["model/vnd.usdz+zip"], &["com.pixar.universal-scene-description-mobile"], &["usdz"], "USDZ model"),
    (&["application/zip"], &["public.zip-archive"], &["zip"], "ZIP archive"),
    (&["application/rtf", "text/rtf"], &["public.rtf"], &["rtf"], "RTF document"),
    (&[], &["com.apple.rtfd"], &["rtfd"], "RTF document"),
    (&["text/html"], &["public.html"], &["html", "htm"], "web page"),
    (&["text/csv"], &["public.comma-separated-values-text"], &["csv"], "CSV table"),
    (&["application/json"], &["public.json"], &["json"], "JSON data"),
    (&["text/vcard", "text/x-vcard", "text/directory"], &["public.vcard"], &["vcf"], "contact card"),
    (&["text/x-vlocation"], &["public.vlocation"], &[], "location"),
    (&["text/calendar"], &["com.apple.ical.ics"], &["ics"], "calendar event"),
    (&["text/plain"], &["public.plain-text"], &["txt"], "text"),
];

/// A number of bytes, in thousands as Apple counts: `512 bytes`, `12 KB`, `1.8 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        1 => return "1 byte".into(),
        0..1000 => return format!("{bytes} bytes"),
        _ => {}
    }
    let mut value = bytes as f64 / 1000.0;
    let mut units = ["KB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    // Rounding must not make 1000 of one unit.
    while value >= 999.5
        && let Some(next) = units.next()
    {
        value /= 1000.0;
        unit = next;
    }
    if unit == "KB" || value >= 99.95 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}
