//! Attachments in words.

use super::one_line;
use crate::model::{Attachment, Availability};

/// `IMG_0042.heic (HEIC image, 1.8 MB, in iCloud, not on this disk)`.
pub fn attachment(attachment: &Attachment) -> String {
    let kind = file_kind(attachment);
    named(attachment, if attachment.sticker { format!("{kind}, sticker") } else { kind })
}

/// The name and, in brackets, what it is.
pub(super) fn named(attachment: &Attachment, kind: String) -> String {
    let mut facts = vec![kind];
    facts.extend(attachment.bytes.map(size));
    facts.extend(availability(attachment.availability).map(str::to_owned));
    let name = attachment.name.as_deref().map(one_line).filter(|n| !n.is_empty());
    format!("{} ({})", name.as_deref().unwrap_or("Attachment"), facts.join(", "))
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
        .filter(|e| (1..=5).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_alphanumeric()));
    let known = KINDS.iter().find(|(mimes, utis, extensions, _)| {
        if !mime.is_empty() {
            mimes.contains(&mime)
        } else if !uti.is_empty() {
            utis.contains(&uti)
        } else {
            extension.as_deref().is_some_and(|e| extensions.contains(&e))
        }
    });
    if let Some((.., words)) = known {
        return (*words).into();
    }
    match (mime.split('/').next(), extension) {
        (Some("image"), _) => "image".into(),
        (Some("video"), _) => "video".into(),
        (Some("audio"), _) => "audio".into(),
        (Some("text"), _) => "text".into(),
        (_, Some(extension)) => format!("{} file", extension.to_ascii_uppercase()),
        _ => "file".into(),
    }
}

/// MIME types, uniform type identifiers, extensions, and what a person calls it.
type Kind = (&'static [&'static str], &'static [&'static str], &'static [&'static str], &'static str);

const KINDS: &[Kind] = &[
    (&["image/heic", "image/heif"], &["public.heic", "public.heif"], &["heic", "heif"], "HEIC image"),
    (&["image/jpeg", "image/jpg"], &["public.jpeg"], &["jpg", "jpeg"], "JPEG image"),
    (&["image/png"], &["public.png"], &["png"], "PNG image"),
    (&["image/gif"], &["com.compuserve.gif"], &["gif"], "GIF image"),
    (&["image/webp"], &["org.webmproject.webp"], &["webp"], "WebP image"),
    (&["image/tiff"], &["public.tiff"], &["tif", "tiff"], "TIFF image"),
    (&["image/heics", "image/heic-sequence"], &["public.heics"], &["heics"], "animated HEIC image"),
    (&["video/quicktime"], &["com.apple.quicktime-movie"], &["mov"], "QuickTime video"),
    (&["video/mp4"], &["public.mpeg-4"], &["mp4", "m4v"], "MP4 video"),
    (&["video/3gpp"], &["public.3gpp"], &["3gp"], "3GP video"),
    (&["audio/x-caf"], &["com.apple.coreaudio-format"], &["caf"], "CAF audio"),
    (&["audio/amr"], &["org.3gpp.adaptive-multi-rate-audio"], &["amr"], "AMR audio"),
    (&["audio/x-m4a", "audio/mp4", "audio/m4a"], &["com.apple.m4a-audio"], &["m4a"], "M4A audio"),
    (&["audio/mpeg"], &["public.mp3"], &["mp3"], "MP3 audio"),
    (&["application/pdf"], &["com.adobe.pdf"], &["pdf"], "PDF document"),
    (&["application/zip"], &["public.zip-archive"], &["zip"], "ZIP archive"),
    (&["text/vcard", "text/x-vcard"], &["public.vcard"], &["vcf"], "contact card"),
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
