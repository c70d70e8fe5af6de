//! What an attachment's own bytes say of it: how long, how large, who.
//!
//! **Must never**: open a file that its row says is something without such facts, read more of one than its facts, or
//! fail: a file that says nothing says nothing.

use std::io::{Read, Seek, SeekFrom};

use crate::media;
use crate::model::{Attachment, ContactCard, Media};
use crate::source::Content;
use crate::source::contacts::sent_cards;

/// Bytes of a contact card that are read: photos in it are long, names are not.
const LONGEST_CARD: u64 = 4 << 20;

/// Adds to an attachment what these bytes of it say.
pub fn learn(attachment: &mut Attachment, content: &Content) {
    attachment.media = facts(attachment, content);
    if attachment.sticker
        && let Ok(file) = content.open()
        && let Some(effect) = media::sticker_effect(file)
    {
        attachment.sticker_facts.get_or_insert_default().effect = Some(effect);
    }
}

/// The facts of an attachment with these bytes. `None`: nothing is known, or nothing was looked for.
fn facts(attachment: &Attachment, content: &Content) -> Option<Box<Media>> {
    let promise = promises(attachment)?;
    facts_in(content.open().ok()?, promise).map(Box::new)
}

fn facts_in(mut file: impl Read + Seek, promise: Promise) -> Option<Media> {
    match promise {
        Promise::SoundOrFilm => media::facts_of(file),
        Promise::Card => card(&mut file),
        Promise::Anything => card(&mut file).or_else(|| media::facts_of(file)),
    }
}

/// What the row lets one expect. The bytes decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    SoundOrFilm,
    Card,
    Anything,
}

/// `None` for pictures, documents and everything else without such facts, so that their files are not opened.
fn promises(attachment: &Attachment) -> Option<Promise> {
    /// Apple's types of sounds and films, where they do not say so in words.
    const TYPES: [&str; 12] = [
        "com.apple.coreaudio-format",
        "com.apple.m4a-audio",
        "com.apple.m4v-video",
        "com.apple.quicktime-movie",
        "com.microsoft.waveform-audio",
        "org.3gpp.adaptive-multi-rate-audio",
        "public.3gpp",
        "public.3gpp2",
        "public.mp3",
        "public.mpeg-4",
        "public.mpeg-4-audio",
        "public.aiff-audio",
    ];
    const EXTENSIONS: [&str; 15] = [
        "3g2", "3gp", "aif", "aifc", "aiff", "amr", "awb", "caf", "m4a", "m4b", "m4v", "mov", "mp3", "mp4",
        "wav",
    ];
    let lower = |text: &Option<String>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
    let (mime, uti, name) = (lower(&attachment.mime), lower(&attachment.uti), lower(&attachment.name));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if mime.contains("vcard")
        || mime.contains("vlocation")
        || matches!(uti.as_str(), "public.vcard" | "public.vlocation")
        || extension == "vcf"
    {
        return Some(Promise::Card);
    }
    let heard_or_seen = mime.starts_with("audio/") || mime.starts_with("video/");
    if heard_or_seen || TYPES.contains(&uti.as_str()) || EXTENSIONS.contains(&extension) {
        return Some(Promise::SoundOrFilm);
    }
    let unknown = mime.is_empty() && matches!(uti.as_str(), "" | "public.data") && extension.is_empty();
    unknown.then_some(Promise::Anything)
}

fn card(file: &mut (impl Read + Seek)) -> Option<Media> {
    let mut begin = Vec::new();
    file.take(64).read_to_end(&mut begin).ok()?;
    // UTF-16 has a zero beside each letter.
    let letters: Vec<u8> = begin.into_iter().filter(|b| *b != 0).collect();
    let is_card = letters.to_ascii_uppercase().windows(11).any(|w| w == b"BEGIN:VCARD");
    file.seek(SeekFrom::Start(0)).ok()?;
    if !is_card {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_CARD).read_to_end(&mut bytes).ok()?;
    let mut cards = sent_cards(&bytes)?.into_iter();
    let first = cards.next()?;
    let handles = if first.handles.is_empty() { first.urls } else { first.handles };
    let contact = ContactCard { name: first.name, handles, more: cards.count() };
    Some(Media { contact: Some(contact), ..Media::default() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(folder: &Path, name: &str, bytes: &[u8]) -> (Attachment, Content) {
        let path = folder.join("file");
        std::fs::write(&path, bytes).unwrap();
        let attachment = Attachment { name: Some(name.into()), ..Attachment::default() };
        (attachment, Content::File { path, bytes: bytes.len() as u64 })
    }

    #[test]
    fn a_card_says_who_and_a_place_where() {
        let folder = tempfile::tempdir().unwrap();
        let two = b"begin:vcard\r\nFN:Ana\r\nTEL:+12025550101\r\nend:vcard\r\nBEGIN:VCARD\nFN:Ben\nEND:VCARD";
        let (attachment, content) = file(folder.path(), "Ana.vcf", two);
        let contact = facts(&attachment, &content).unwrap().contact.unwrap();
        assert_eq!((contact.name.as_deref(), contact.more), (Some("Ana"), 1));
        assert_eq!(contact.handles, ["+12025550101"]);
        let place = b"BEGIN:VCARD\nFN:Pier 3\nURL:https://maps.apple.com/?ll=1\\,2\nEND:VCARD";
        let (attachment, content) = file(folder.path(), "CL.loc.vcf", place);
        let contact = facts(&attachment, &content).unwrap().contact.unwrap();
        assert_eq!(contact.handles, ["https://maps.apple.com/?ll=1,2"]);
    }

    #[test]
    fn what_promises_nothing_is_not_opened() {
        let promised = |name: &str, mime: &str, uti: &str| {
            let text = |t: &str| Some(t.to_owned()).filter(|t| !t.is_empty());
            let (name, mime, uti) = (text(name), text(mime), text(uti));
            promises(&Attachment { name, mime, uti, ..Attachment::default() })
        };
        assert_eq!(promised("a.heic", "image/heic", "public.heic"), None);
        assert_eq!(promised("a.pdf", "", "com.adobe.pdf"), None);
        assert_eq!(promised("Audio Message.caf", "", ""), Some(Promise::SoundOrFilm));
        assert_eq!(promised("a", "video/x-new", ""), Some(Promise::SoundOrFilm));
        assert_eq!(promised("a", "text/x-vcard", ""), Some(Promise::Card));
        assert_eq!(promised("a", "", "public.vlocation"), Some(Promise::Card));
        assert_eq!(promised("a", "", ""), Some(Promise::Anything));
        assert_eq!(promised("", "", ""), Some(Promise::Anything));
    }

    #[test]
    fn the_bytes_decide_not_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let (attachment, content) = file(folder.path(), "x.vcf", b"no card at all");
        assert_eq!(facts(&attachment, &content), None);
        let (attachment, content) = file(folder.path(), "x", b"BEGIN:VCARD\nFN:Ana\nEND:VCARD");
        assert!(facts(&attachment, &content).is_some());
        let mut amr = b"#!AMR\n".to_vec();
        amr.extend([0x04; 13 * 50]);
        let (attachment, content) = file(folder.path(), "x.caf", &amr);
        assert_eq!(facts(&attachment, &content).unwrap().duration.unwrap().as_secs(), 1);
        let (attachment, content) = file(folder.path(), "x", &amr);
        assert!(facts(&attachment, &content).is_some());
    }
}
