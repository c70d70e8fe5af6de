//! Every kind of attachment, from its row and its bytes to what an export says of it.

use std::fs;
use std::path::Path;

use msgarchive::source::{self, OpenOptions};
use msgarchive::writers::export::{AttachmentMode, ExportRequest, export_folder};
use msgarchive::writers::{FORMATS, WriterOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::film::Film;
use crate::support::keyed::UrlPreview;
use crate::support::sound::{self, Caf};
use crate::support::{AttachmentId, Library, MessageBuilder, Schema, Tapback};

/// An export of a library, as text and JSON Lines.
struct Exported {
    _home: TempDir,
    out: std::path::PathBuf,
}

fn export(library: &Library, attachments: AttachmentMode) -> Exported {
    let home = TempDir::new().unwrap();
    let database = library.write(&home.path().join("Messages"));
    let source = source::open(&database, &OpenOptions::default()).unwrap();
    let out = home.path().join("out");
    let request = ExportRequest {
        out: out.clone(),
        formats: FORMATS.iter().filter(|format| matches!(format.name, "txt" | "jsonl")).collect(),
        attachments,
        others: Default::default(),
        selection: Default::default(),
        writer: WriterOptions { zone: chrono_tz::UTC, ..WriterOptions::default() },
        jobs: 2,
        read_at: None,
        guard: None,
        options: Vec::new(),
        defects: Vec::new(),
    };
    let report = export_folder(source.as_ref(), &[], &request, &()).unwrap();
    assert_eq!(report.rows.balance(), 0);
    Exported { _home: home, out }
}

impl Exported {
    fn file(&self, extension: &str) -> String {
        let mut files: Vec<_> =
            fs::read_dir(&self.out).unwrap().flatten().map(|entry| entry.path()).collect();
        files.sort();
        let is_ours = |path: &&std::path::PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.contains("[c-") && name.ends_with(extension)
        };
        fs::read_to_string(files.iter().find(is_ours).unwrap()).unwrap()
    }

    fn text(&self) -> String {
        self.file(".txt")
    }

    /// The messages' JSON.
    fn lines(&self) -> Vec<Value> {
        self.file(".jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A library of one message, with one attachment.
fn one(
    name: &str,
    describe: impl FnOnce(crate::support::AttachmentBuilder<'_>) -> AttachmentId,
    send: impl for<'l> FnOnce(MessageBuilder<'l>, AttachmentId) -> MessageBuilder<'l>,
) -> Library {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let attachment = describe(library.attachment(name));
    send(library.message(chat).from(ana).at("2024-05-01T11:30:00Z"), attachment).id();
    library
}

#[track_caller]
fn says(exported: &Exported, words: &str) {
    let text = exported.text();
    assert!(text.contains(words), "{words}\n\n{text}");
}

#[test]
fn a_voice_message_says_how_long_it_is_and_what_was_said() {
    let voice = Caf::opus(vec![vec![7; 20]; 617], 156, 296_004).bytes();
    let library = one("Audio Message.caf", |a| a.bytes(voice).id(), |m, a| m.audio(a, "Back at four."));
    let exported = export(&library, AttachmentMode::None);
    says(&exported, "■ Audio Message.caf (CAF audio, 13 KB, 0:12)");
    says(&exported, "Transcription: Back at four.");
    let duration = &exported.lines()[0]["attachments"][0]["media"]["duration"];
    assert_eq!(duration.as_f64(), Some(296_004.0 / 24_000.0));
}

#[test]
fn a_voice_message_is_converted_for_everybody() {
    let voice = Caf::opus(vec![[vec![1 << 3], vec![7; 20]].concat(); 617], 156, 296_004).bytes();
    let library = one("Audio Message.caf", |a| a.bytes(voice.clone()).id(), |m, a| m.audio(a, ""));
    let exported = export(&library, AttachmentMode::Convert);
    let attachment = &exported.lines()[0]["attachments"][0];
    assert_eq!(exists(&exported, &attachment["path"]), voice);
    let converted = &attachment["converted"];
    assert!(converted.as_str().unwrap().ends_with("2024-05-01 Audio Message.ogg"), "{converted}");
    assert!(exists(&exported, converted).starts_with(b"OggS"));
}

#[test]
fn a_voice_message_that_was_played_keeps_its_words() {
    let library =
        one("Audio Message.caf", |a| a.expired().id(), |m, a| m.audio(a, "Back at four.").expired());
    let exported = export(&library, AttachmentMode::Copy);
    says(&exported, "■ Audio Message.caf (CAF audio, expired)");
    says(&exported, "Transcription: Back at four.");
}

#[test]
fn a_film_says_its_size_and_length_by_its_bytes() {
    let film = Film { turns: 1, ..Film::default() }.bytes();
    let library = one("clip.mp4", |a| a.bytes(film).id(), |m, a| m.attachment(a));
    says(&export(&library, AttachmentMode::None), "clip.mp4 (MP4 video, 643 bytes, 1080 × 1920, 0:34)");
    let sound = sound::amr(false, &[7], 618);
    let library = one("voice.amr", |a| a.bytes(sound).id(), |m, a| m.attachment(a));
    says(&export(&library, AttachmentMode::None), "voice.amr (AMR audio, 20 KB, 0:12)");
}

#[test]
fn a_contact_card_says_who_and_a_place_where() {
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ben Okafor\r\nTEL:+1 202 555 0102\r\nEMAIL:ben@example.com\r\nEND:VCARD";
    let library = one("Ben Okafor.vcf", |a| a.bytes(card).id(), |m, a| m.attachment(a));
    let exported = export(&library, AttachmentMode::None);
    says(&exported, "(contact card, 94 bytes, Ben Okafor, +1 202 555 0102, ben@example.com)");
    let place = "BEGIN:VCARD\nVERSION:3.0\nFN:Current Location\nURL;type=pref:https://maps.apple.com/?ll=50.1\\,7.5\nEND:VCARD";
    let location = |a: crate::support::AttachmentBuilder<'_>| {
        a.raw("uti", "public.vlocation").raw("mime_type", "text/x-vlocation").bytes(place).id()
    };
    let library = one("CL.loc.vcf", location, |m, a| m.attachment(a));
    let exported = export(&library, AttachmentMode::None);
    says(
        &exported,
        "CL.loc.vcf (location, 104 bytes, Current Location, https://maps.apple.com/?ll=50.1,7.5)",
    );
}

/// A HEIC file as far as a sticker's effect is concerned.
fn sticker_picture(effect: &str) -> Vec<u8> {
    format!("\0\0\0\x0cftypheic<rdf:Description stickerEffect:type=\"{effect}\"/>").into_bytes()
}

#[test]
fn a_sticker_says_where_it_comes_from_and_where_it_lies() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let hello = library.message(chat).from_me().at("2024-05-01T11:29:00Z").text("hello").id();
    let genmoji = library
        .attachment("sticker.heic")
        .sticker("com.apple.messages.genmoji", 0.75, -0.25)
        .raw("emoji_image_short_description", "a crab in a hat")
        .bytes(sticker_picture("stroke"))
        .id();
    library.message(chat).from(ana).at("2024-05-01T11:30:00Z").tapback(hello, Tapback::Placed(genmoji)).id();
    let exported = export(&library, AttachmentMode::Copy);
    says(
        &exported,
        "Sticker by +12025550143 (Genmoji: “a crab in a hat”, Outline): sticker.heic (HEIC image",
    );
    let sticker = &exported.lines()[0]["tapbacks"][0]["attachment"]["sticker_info"];
    let expected = serde_json::json!({
        "kind": "genmoji", "pack": "com.apple.messages.genmoji", "effect": "outline",
        "placement": {"x": 0.75, "y": -0.25, "scale": 1.0, "rotation": 0.0, "parent_width": 240.0},
    });
    assert_eq!(*sticker, expected);
}

#[test]
fn an_accessibility_label_is_a_description() {
    let mut label = Vec::new();
    let info: plist::Dictionary =
        [("accessl".to_owned(), plist::Value::from("A drawing of a boat"))].into_iter().collect();
    plist::Value::Dictionary(info).to_writer_binary(&mut label).unwrap();
    let library = one("d.png", |a| a.raw("attribution_info", label).id(), |m, a| m.attachment(a));
    says(&export(&library, AttachmentMode::None), "Shows: A drawing of a boat");
}

/// The schemas before these columns were there.
#[test]
fn old_rows_say_nothing_of_stickers() {
    let mut library = Library::new(Schema::IOS_6);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let picture = library.attachment("a.png").bytes(b"x".to_vec()).id();
    library.message(chat).from(ana).attachment(picture).id();
    let exported = export(&library, AttachmentMode::None);
    assert!(exported.lines()[0]["attachments"][0].get("sticker_info").is_none());
}

fn exists(exported: &Exported, path: &Value) -> Vec<u8> {
    fs::read(exported.out.join(Path::new(path.as_str().unwrap()))).unwrap()
}

#[test]
fn a_live_photo_keeps_its_film() {
    let film = Film::default().bytes();
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    // Two of one name: each film is named as its picture. And a third without a film between them.
    for number in 0..3u8 {
        let mut picture = library.attachment("IMG_0042.HEIC").bytes(vec![number; 10]);
        if number != 1 {
            picture = picture.beside("IMG_0042.MOV", [film.clone(), vec![number]].concat());
        }
        let picture = picture.id();
        library.message(chat).from(ana).at(&format!("2024-05-01T11:3{number}:00Z")).attachment(picture).id();
    }
    let exported = export(&library, AttachmentMode::Copy);
    says(&exported, "IMG_0042.HEIC (HEIC image, Live Photo, 10 bytes)");
    let attachments: Vec<Value> =
        exported.lines().iter().map(|line| line["attachments"][0].clone()).collect();
    for (number, attachment) in attachments.iter().enumerate() {
        let picture = attachment["path"].as_str().unwrap();
        assert_eq!(exists(&exported, &attachment["path"]), vec![number as u8; 10]);
        if number == 1 {
            assert!(attachment.get("motion").is_none());
            continue;
        }
        let motion = attachment["motion"].as_str().unwrap();
        assert_eq!(motion, picture.replace(".HEIC", ".mov"));
        assert_eq!(exists(&exported, &attachment["motion"]).last(), Some(&(number as u8)));
    }
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(exported.out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["attachments"]["referenced"], 3);
    assert_eq!(manifest["attachments"]["copied"], 3);
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.iter().filter(|file| file["path"].as_str().unwrap().ends_with(".mov")).count(), 2);
}

#[test]
fn a_film_whose_picture_is_gone_is_kept() {
    let library = one("IMG_1.HEIC", |a| a.beside("IMG_1.mov", *b"film").id(), |m, a| m.attachment(a));
    let exported = export(&library, AttachmentMode::Copy);
    let attachment = &exported.lines()[0]["attachments"][0];
    assert_eq!((&attachment["availability"], &attachment["path"]), (&"missing".into(), &Value::Null));
    assert_eq!(exists(&exported, &attachment["motion"]), b"film");
}

#[test]
fn a_film_with_a_row_of_its_own_is_an_attachment() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let folder = "~/Library/Messages/Attachments/aa/10/X";
    let at = |name: &str| (format!("{folder}/{name}"), format!("Attachments/aa/10/X/{name}"));
    let mut ids = Vec::new();
    for name in ["IMG_1.HEIC", "IMG_1.MOV"] {
        let (path, place) = at(name);
        ids.push(library.attachment(name).path(&path).stored_at(&place).bytes(*b"1234").id());
    }
    library.message(chat).from(ana).attachment(ids[0]).attachment(ids[1]).id();
    let exported = export(&library, AttachmentMode::Copy);
    let line = &exported.lines()[0];
    assert_eq!(line["attachments"].as_array().unwrap().len(), 2);
    assert!(line["attachments"][0].get("motion").is_none());
}

#[test]
fn a_live_photo_in_a_bundle_shows_its_picture_and_keeps_all() {
    let bundle = |a: crate::support::AttachmentBuilder<'_>| {
        a.beside("IMG_1.pvt/IMG_1.HEIC", *b"picture")
            .beside("IMG_1.pvt/IMG_1.MOV", *b"film")
            .beside("IMG_1.pvt/metadata.plist", *b"about")
            .raw("uti", "com.apple.live-photo-bundle")
            .id()
    };
    let library = one("IMG_1.pvt", bundle, |m, a| m.attachment(a));
    let exported = export(&library, AttachmentMode::Copy);
    let attachment = &exported.lines()[0]["attachments"][0];
    assert_eq!(exists(&exported, &attachment["motion"]), b"film");
    let path = attachment["path"].as_str().unwrap();
    assert_eq!(fs::read(exported.out.join(path).join("metadata.plist")).unwrap(), b"about");
    says(&exported, "IMG_1.pvt (Live Photo, 16 bytes)");
}

/// Said to happen (`messages-format.md` 10.2): the row has no payload, a file has.
#[test]
fn a_payload_in_a_file_is_a_card() {
    const LINK: &str = "com.apple.messages.URLBalloonProvider";
    let payload = UrlPreview::new("https://example.com/walks").title("The ten finest walks").encode();
    let with = |bytes: Vec<u8>, row: Option<Vec<u8>>| {
        let library = one(
            "9F0C.pluginPayloadAttachment",
            |a| a.bytes(bytes).id(),
            |m, a| {
                let m = m.text("https://example.com/walks").attachment(a).raw("balloon_bundle_id", LINK);
                match row {
                    Some(row) => m.raw("payload_data", row),
                    None => m,
                }
            },
        );
        let exported = export(&library, AttachmentMode::None);
        exported.lines()[0]["balloon"]["title"].clone()
    };
    assert_eq!(with(payload.clone(), None), "The ten finest walks");
    // Pictures have such names too, and a payload in the row is the one that counts.
    let row = UrlPreview::new("https://example.com/walks").title("In the row").encode();
    assert_eq!(with(payload.clone(), Some(row)), "In the row");
    assert_eq!(with(b"\xff\xd8\xff\xe0 a picture".to_vec(), None), Value::Null);
    assert_eq!(with(payload[..20].to_vec(), None), Value::Null);
}
