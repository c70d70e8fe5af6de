//! PDF, read back with other people's tools: qpdf for the structure, poppler for the text and the looks.
//!
//! The tools are needed: a test fails when they are not installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::support::picture::Canvas;
use chrono::{DateTime, TimeZone, Utc};
use msgarchive::disk::{Others, Staging};
use msgarchive::model::*;
use msgarchive::pipeline::writer::Finished;
use msgarchive::pipeline::{AttachmentCounts, RowCounts};
use msgarchive::source::Content;
use msgarchive::writers::pdf::DocumentOptions;
use msgarchive::writers::{FORMATS, WriterOptions, conversation_file};

pub fn at(day: i64, minute: i64) -> Option<DateTime<Utc>> {
    let start = Utc.with_ymd_and_hms(2023, 11, 28, 9, 0, 0).unwrap();
    Some(start + chrono::Duration::days(day) + chrono::Duration::minutes(minute))
}

pub fn ana() -> Arc<Sender> {
    Arc::new(Sender { handle: Some("+12025550143".into()), name: Some("Ana Abbott".into()) })
}

pub fn conversation() -> Conversation {
    Conversation {
        id: "c-1f3a9b2c".into(),
        title: "Ana Abbott".into(),
        kind: ConversationKind::Direct,
        chat_guids: vec!["iMessage;-;+12025550143".into()],
        participants: vec![Participant {
            name: Some("Ana Abbott".into()),
            handles: vec!["+12025550143".into(), "ana@example.com".into()],
        }],
        services: vec!["SMS".into(), "iMessage".into()],
        lost: Vec::new(),
    }
}

/// A message of one text part.
pub fn text(from_me: bool, date: Option<Instant>, words: &str) -> Message {
    Message {
        guid: Some(format!("G-{}-{from_me}-{}", date.map_or(0, |d| d.timestamp()), words.len())),
        date,
        service: Some("iMessage".into()),
        from_me,
        sender: (!from_me).then(ana),
        parts: vec![Part { index: 0, content: PartContent::Text { text: words.into(), styles: vec![] } }],
        ..Message::default()
    }
}

pub fn with_file(from_me: bool, date: Option<Instant>, attachment: Attachment) -> Message {
    Message {
        parts: vec![Part { index: 0, content: PartContent::Attachment(0) }],
        attachments: vec![attachment],
        joined_text: Some("\u{fffc}".into()),
        ..text(from_me, date, "")
    }
}

pub fn local(path: PathBuf, name: &str, mime: &str) -> Attachment {
    Attachment {
        name: Some(name.into()),
        mime: Some(mime.into()),
        bytes: std::fs::metadata(&path).ok().map(|m| m.len()),
        availability: Availability::Local,
        path: Some(format!("attachments/Ana Abbott [c-1f3a9b2c]/2023-11-29 {name}")),
        content: Some(Arc::new(Content::File { path, bytes: 0 })),
        ..Attachment::default()
    }
}

/// A PNG of a color that changes from left to right, from opaque to clear when it has alpha.
pub fn png(path: &Path, width: u32, height: u32, alpha: bool) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), width, height);
    encoder.set_color(if alpha { png::ColorType::Rgba } else { png::ColorType::Rgb });
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            pixels.extend([(x * 255 / width) as u8, (y * 255 / height) as u8, 160]);
            if alpha {
                pixels.push(255 - (x * 255 / width) as u8);
            }
        }
    }
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

/// Everything that a conversation can hold.
pub fn everything(files: &Path) -> Vec<Message> {
    let (opaque, clear) = (files.join("opaque.png"), files.join("clear.png"));
    png(&opaque, 900, 600, false);
    png(&clear, 300, 300, true);
    let jpeg = files.join("photo.jpg");
    let photo = photo();
    std::fs::write(&jpeg, &photo).unwrap();
    let cut = files.join("cut.jpg");
    std::fs::write(&cut, &photo[..photo.len() / 2]).unwrap();

    let mut styled = text(true, at(1, 30), "bold italic underlined struck link and all of it");
    let style = |start, end, style| StyleSpan { start, end, style };
    styled.parts[0].content = PartContent::Text {
        text: styled.text().unwrap().to_owned(),
        styles: vec![
            style(0, 4, Style::Bold),
            style(5, 11, Style::Italic),
            style(12, 22, Style::Underline),
            style(23, 29, Style::Strikethrough),
            style(30, 34, Style::Link { target: "https://example.com/path?q=1".into() }),
            style(35, 48, Style::Shake),
        ],
    };
    let mut reply = text(false, at(1, 40), "At the station, as always.");
    let original = text(true, at(0, 3), "Where shall we meet on Saturday?");
    reply.reply_to = Some(Box::new(Reply {
        guid: original.guid.clone().unwrap(),
        part: 0,
        quote: Some(Quote {
            from_me: true,
            sender: None,
            date: original.date,
            text: original.text().map(str::to_owned),
        }),
    }));
    let tapback = |kind, from_me, removed| Tapback {
        guid: None,
        part: 0,
        kind,
        from_me,
        sender: (!from_me).then(ana),
        date: at(1, 50),
        removed,
    };
    reply.tapbacks = vec![
        tapback(TapbackKind::Loved, true, false),
        tapback(TapbackKind::Emoji("🥳".into()), false, false),
        tapback(TapbackKind::Liked, false, true),
    ];
    let mut edited = text(true, at(1, 55), "Let us take the train at 10:20.");
    edited.edits = vec![
        Edit { part: 0, date: at(1, 55), text: "Let us take the trian at 10:20.".into() },
        Edit { part: 0, date: at(1, 56), text: "Let us take the train at 10:20.".into() },
    ];
    edited.effect = Some(Effect::Slam);
    let mut unsent = text(false, at(1, 58), "");
    unsent.parts = vec![Part { index: 0, content: PartContent::Unsent { date: at(1, 59) } }];
    unsent.unsent = Some(Unsent::All);
    let mut renamed = text(false, at(2, 0), "");
    renamed.parts.clear();
    renamed.kind = MessageKind::Announcement;
    renamed.announcement = Some(Box::new(Announcement {
        kind: AnnouncementKind::Renamed,
        handle: None,
        name: None,
        about_me: false,
        call: None,
        title: Some("Mountain trip".into()),
    }));
    let mut failed = text(true, at(2, 2), "This one did not get through.");
    failed.service = Some("SMS".into());
    failed.error = Some(22);
    failed.junk = true;
    failed.scheduled = Some(Scheduled { state: 2 });
    failed.deleted = Some(Deleted {
        date: at(3, 0),
        reason: DeletionReason::RecentlyDeleted,
        guessed: false,
        last_seen: None,
        gone: None,
        part: false,
    });
    let mut card = text(false, at(2, 5), "");
    card.parts = vec![Part { index: 0, content: PartContent::Balloon }];
    card.balloon = Some(Box::new(Balloon {
        kind: BalloonKind::Url,
        title: Some("The ten finest walks along the coast".into()),
        subtitle: Some("A guide with maps, for slow afternoons".into()),
        url: Some("https://example.com/walks".into()),
        lines: vec!["example.com".into()],
        attachments: vec![0],
        ..Balloon::default()
    }));
    card.attachments = vec![Attachment { hidden: true, ..local(opaque.clone(), "preview.png", "image/png") }];
    let missing = |name: &str, mime: &str, bytes, availability| Attachment {
        name: Some(name.into()),
        mime: Some(mime.into()),
        bytes: Some(bytes),
        availability,
        ..Attachment::default()
    };
    let mut sms = text(true, at(2, 8), "Green, because it went as SMS: see you soon!");
    sms.service = Some("SMS".into());

    vec![
        text(false, at(0, 0), "Hi! Are you free this weekend? The weather is said to be lovely 🌞"),
        text(false, at(0, 1), "I could bring Benjamin and the dog, if that is all right with you."),
        original,
        text(true, at(0, 4), "👍🏽"),
        text(false, at(0, 6), "שלום! נפגש בתחנה (ברציף 3) בשעה 10:30?"),
        text(true, at(0, 7), "مرحبا! نعم، في الساعة العاشرة والنصف إن شاء الله."),
        text(false, at(0, 9), "你好,周末愉快!日本語もすこし:駅で会いましょう。한국어도 조금: 역에서 만나요."),
        text(true, at(0, 11), "नमस्ते, शनिवार को मिलते हैं। สวัสดีวันเสาร์ Привет, Γειά σου, გამარჯობა, ሰላም"),
        text(false, at(0, 12), "👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 🏴󠁧󠁢󠁳󠁣󠁴󠁿 1️⃣ ❤️ 🤷🏾‍♀️ — all in one line"),
        text(
            true,
            at(0, 15),
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft and \
             https://example.com/a/very/long/address/that/has/no/spaces/at/all/and/goes/on/and/on/for/ever",
        ),
        text(false, at(0, 16), "One line\nanother line\n\nand one after an empty one: ∑ ∞ ≠ → ✓ ☕ ♫ 𝒳"),
        with_file(false, at(1, 0), local(jpeg, "IMG_0001.jpg", "image/jpeg")),
        with_file(true, at(1, 1), local(opaque, "screen.png", "image/png")),
        with_file(true, at(1, 2), Attachment { sticker: true, ..local(clear, "sticker.png", "image/png") }),
        with_file(false, at(1, 3), local(cut, "IMG_0002.jpg", "image/jpeg")),
        with_file(false, at(1, 4), missing("IMG_0042.heic", "image/heic", 1_843_221, Availability::InICloud)),
        with_file(
            true,
            at(1, 5),
            missing(
                "The minutes of the general assembly of last year, final version.pdf",
                "application/pdf",
                84_100,
                Availability::Missing,
            ),
        ),
        styled,
        reply,
        edited,
        unsent,
        renamed,
        failed,
        card,
        sms,
        text(false, at(40, 0), &"A long story that goes on and on, as stories do. ".repeat(120)),
        text(true, at(400, 0), "Cuneiform has no font here: 𒀀𒁀. The end."),
    ]
}

/// A photo as a camera that lies on its side writes it: EXIF orientation 6.
fn photo() -> Vec<u8> {
    let mut canvas = Canvas::new(640, 400, [250, 250, 250]);
    canvas.gradient(0, 250, [90, 150, 230], [230, 220, 200]);
    canvas.gradient(250, 400, [60, 120, 60], [20, 60, 30]);
    let plain = canvas.to_jpeg(80);
    let mut turned = plain[..2].to_vec();
    turned.extend(b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    turned.extend(&plain[2..]);
    turned
}

/// Exports into a folder of the build directory that is kept, to be looked at.
pub fn export(name: &str, messages: &[Message], window: usize, options: &WriterOptions) -> PathBuf {
    export_of(&conversation(), name, messages, window, options)
}

pub fn export_of(
    conversation: &Conversation,
    name: &str,
    messages: &[Message],
    window: usize,
    options: &WriterOptions,
) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("export_pdf").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    let staging = Arc::new(Staging::begin(&folder, Others::Allowed).unwrap());
    let format = FORMATS.iter().find(|format| format.name == "pdf").unwrap();
    // What is looked at is on the first page.
    let options = WriterOptions {
        document: DocumentOptions { cover: false, index: false, ..options.document.clone() },
        ..options.clone()
    };
    let writer = (format.open)(Arc::clone(&staging), &options).unwrap();
    let mut file = writer.begin(conversation).unwrap();
    for window in messages.chunks(window) {
        file.append(writer.prepare(conversation, window).unwrap()).unwrap();
    }
    let dates = || messages.iter().filter_map(|m| m.date);
    let count = messages.len() as u64;
    let done = Finished {
        conversation: conversation.clone(),
        rows: RowCounts { read: count, messages: count, ..RowCounts::default() },
        attachments: AttachmentCounts::default(),
        first: dates().min(),
        last: dates().max(),
    };
    file.finish(&done).unwrap();
    staging.publish(|_| 0).unwrap();
    folder.join(conversation_file(conversation, "pdf"))
}

pub fn files() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs a tool; its absence is a failure.
pub fn run(tool: &str, args: &[&str]) -> String {
    let output = Command::new(tool)
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{tool} is needed for this test (poppler-utils, qpdf): {error}"));
    assert!(
        output.status.success(),
        "{tool} {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn qpdf_check(path: &Path) {
    let said = run("qpdf", &["--check", path.to_str().unwrap()]);
    assert!(said.contains("No syntax or stream encoding errors found"), "{said}");
}

pub fn extracted(path: &Path) -> String {
    run("pdftotext", &["-raw", path.to_str().unwrap(), "-"])
}

/// Without white space and marks of direction.
pub fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| {
            !c.is_whitespace()
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .collect()
}

#[test]
fn everything_is_in_a_valid_file() {
    let files = files();
    let messages = everything(files.path());
    let path = export("everything", &messages, 5, &WriterOptions::default());
    qpdf_check(&path);
    let text = bare(&extracted(&path));
    for words in [
        "Are you free this weekend? The weather is said to be lovely 🌞",
        "👍🏽",
        "你好,周末愉快!日本語もすこし:駅で会いましょう。한국어도 조금: 역에서 만나요.",
        "👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 🏴󠁧󠁢󠁳󠁣󠁴󠁿 1️⃣ ❤️ 🤷🏾‍♀️ — all in one line",
        "Привет, Γειά σου",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "and one after an empty one",
        "IMG_0042.heic",
        "in iCloud, not on this disk",
        "before: “Let us take the trian at 10:20.”",
        "Ana Abbott unsent this message",
        "named the conversation “Mountain trip”",
        "The ten finest walks along the coast",
        "Tuesday, 28 November 2023",
        "Page 1 of",
        "𒀀𒁀",
    ] {
        assert!(text.contains(&bare(words)), "{words} is not in the text:\n{text}");
    }
}

/// The file as plain text: no object streams, nothing compressed.
pub fn plain(path: &Path) -> String {
    let plain = path.with_extension("qdf");
    run("qpdf", &["--qdf", "--object-streams=disable", path.to_str().unwrap(), plain.to_str().unwrap()]);
    String::from_utf8_lossy(&std::fs::read(&plain).unwrap()).into_owned()
}

#[test]
fn the_same_bytes_whatever_the_number_of_workers_and_the_windows() {
    let files = files();
    let messages = everything(files.path());
    let options = |jobs| WriterOptions { jobs, ..WriterOptions::default() };
    let one = std::fs::read(export("jobs-1", &messages, 100, &options(1))).unwrap();
    let many = std::fs::read(export("jobs-4", &messages, 3, &options(4))).unwrap();
    assert!(one == many, "{} and {} bytes", one.len(), many.len());
}

#[test]
fn right_to_left_text_comes_out_in_the_order_of_reading() {
    let messages = [
        text(false, at(0, 0), "שלום! נפגש בתחנה (ברציף) מחר."),
        text(true, at(0, 1), "مرحبا! نلتقي غدا في المحطة."),
    ];
    let path = export("right-to-left", &messages, 5, &WriterOptions::default());
    // Without the marks that poppler, taking the page for a left-to-right one, puts on the other side of a word.
    let letters = |text: &str| bare(text).replace(['.', '!', '(', ')'], "");
    let text = letters(&run("pdftotext", &[path.to_str().unwrap(), "-"]));
    for words in ["שלום! נפגש בתחנה (ברציף) מחר.", "مرحبا! نلتقي غدا في المحطة."]
    {
        assert!(text.contains(&letters(words)), "{words}\n{text}");
    }
}

#[test]
fn a_photo_sent_twice_is_in_the_file_once_and_as_it_is() {
    let files = files();
    let path = files.path().join("photo.jpg");
    std::fs::write(&path, photo()).unwrap();
    let messages: Vec<_> = (0..30)
        .map(|i| with_file(i % 2 == 0, at(0, i), local(path.clone(), "IMG_0001.jpg", "image/jpeg")))
        .collect();
    let path = export("photo-twice", &messages, 7, &WriterOptions::default());
    qpdf_check(&path);
    let bytes = std::fs::read(&path).unwrap();
    let photo = photo();
    assert_eq!(bytes.windows(photo.len()).filter(|window| *window == photo).count(), 1);
    let list = run("pdfimages", &["-list", path.to_str().unwrap()]);
    let jpegs: Vec<&str> = list.lines().filter(|line| line.contains(" jpeg ")).collect();
    assert!(jpegs.len() >= 5, "{list}");
    assert!(jpegs.iter().all(|line| line.contains("640   400")), "{list}");
}

#[test]
fn links_lead_to_addresses_files_and_originals_and_nowhere_else() {
    let files = files();
    let mut messages = everything(files.path());
    let mut hostile = text(false, at(1, 0), "click here");
    let target = "javascript:app.alert(1)".to_owned();
    hostile.parts[0].content = PartContent::Text {
        text: "click here".into(),
        styles: vec![StyleSpan { start: 0, end: 10, style: Style::Link { target } }],
    };
    messages.insert(12, hostile);
    let mut lost = text(true, at(1, 40), "To something that is not here.");
    lost.reply_to = Some(Box::new(Reply { guid: "nowhere".into(), part: 0, quote: None }));
    messages.insert(13, lost);
    let path = export("links", &messages, 5, &WriterOptions::default());
    qpdf_check(&path);
    let plain = plain(&path);
    assert!(plain.contains("/URI (https://example.com/path?q=1)"));
    assert!(plain.contains("/URI (https://example.com/walks)"));
    assert!(plain.contains("/URI (attachments/Ana%20Abbott%20%5Bc-1f3a9b2c%5D/2023-11-29%20IMG_0001.jpg)"));
    assert!(!plain.contains("javascript"));
    // One reply has its original in the file.
    assert_eq!(plain.matches("/Subtype /Link").count() - plain.matches("/S /URI").count(), 1);
}

#[test]
fn the_outline_has_years_months_and_days() {
    let messages: Vec<_> = (0..30).map(|i| text(i % 2 == 0, at(i * 25, 0), "A message")).collect();
    let path = export("outline", &messages, 5, &WriterOptions::default());
    let plain = plain(&path);
    for title in ["(2023)", "(November 2023)", "(January 2024)", "(2025)", "(October 2025)"] {
        assert_eq!(plain.matches(&format!("/Title {title}")).count(), 1, "{title}");
    }
    assert!(plain.contains("/PageMode /UseOutlines"));
    // A day of one month and one of the next: 2023-11-28, 2023-12-23, and so on.
    for title in ["(28 November)", "(23 December)", "(17 January)"] {
        assert!(plain.contains(&format!("/Title {title}")), "{title}");
    }
    assert_eq!(plain.matches("/Title (").count() - 1, 3 + 25 + 30);
    assert!(plain.contains("/PageLabels"));
}

#[test]
fn a_long_message_goes_over_pages_and_loses_nothing() {
    let words: Vec<String> = (0..4000).map(|i| format!("w{i}")).collect();
    let messages = [text(false, at(0, 0), &words.join(" "))];
    let path = export("long", &messages, 5, &WriterOptions::default());
    qpdf_check(&path);
    let text = extracted(&path);
    let found: std::collections::BTreeSet<&str> = text.split_whitespace().collect();
    let lost: Vec<_> = words.iter().filter(|word| !found.contains(word.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(run("pdfinfo", &[path.to_str().unwrap()]).contains("Pages:           9"));
}

#[test]
fn a_name_longer_than_a_page_goes_over_pages_and_loses_nothing() {
    let files = files();
    let (picture, other) = (files.path().join("a.png"), files.path().join("b.txt"));
    png(&picture, 30, 20, false);
    std::fs::write(&other, "text").unwrap();
    let names = |letter: char| (0..2000).map(|i| format!("{letter}{i}")).collect::<Vec<_>>();
    let (shown, boxed, quoted) = (names('p'), names('f'), names('q'));
    let mut reply = text(false, at(0, 5), "A reply");
    let long = Arc::new(Sender { handle: None, name: Some(quoted.join(" ")) });
    let quote = Quote { from_me: false, sender: Some(long), date: None, text: None };
    reply.reply_to = Some(Box::new(Reply { guid: "not here".into(), part: 0, quote: Some(quote) }));
    let messages = [
        text(true, at(0, 0), "before"),
        with_file(true, at(0, 1), local(picture, &shown.join(" "), "image/png")),
        with_file(false, at(0, 2), local(other, &boxed.join(" "), "text/plain")),
        reply,
        text(true, at(0, 6), "after"),
    ];
    let path = export("long-names", &messages, 5, &WriterOptions::default());
    qpdf_check(&path);
    // poppler leaves out what is not on the page.
    let text = extracted(&path);
    let found: std::collections::BTreeSet<&str> = text.split_whitespace().collect();
    let all = shown.iter().chain(&boxed).chain(&quoted);
    let lost: Vec<_> = all.filter(|word| !found.contains(word.as_str())).collect();
    assert!(lost.is_empty(), "{} are lost, such as {:?}", lost.len(), lost.first());
}

#[test]
fn names_that_differ_at_their_ends_are_told_apart() {
    let name = |which: &str| format!("{} {which} of Nowhere-upon-Sea", "Maximiliana Josephina".repeat(4));
    let messages: Vec<_> = ["first", "second"]
        .into_iter()
        .map(|which| Message {
            sender: Some(Arc::new(Sender { handle: None, name: Some(name(which)) })),
            ..text(false, at(0, 0), "Hello")
        })
        .collect();
    let path = export("names", &messages, 5, &WriterOptions::default());
    let text = bare(&extracted(&path));
    for which in ["first", "second"] {
        assert!(text.contains(&bare(&name(which))), "{which} is not in the text:\n{text}");
    }
}

#[test]
fn a_title_too_long_for_the_head_of_the_page_is_cut_visibly() {
    let messages: Vec<_> = (0..60).map(|i| text(false, at(0, i), "Hello")).collect();
    let title = "Everybody who has ever been to the bakery at the end of the pier or on the boat, their children, their children’s children, and friends of theirs";
    let conversation = Conversation { title: title.into(), ..conversation() };
    let path = export_of(&conversation, "long-title", &messages, 5, &WriterOptions::default());
    let text = run("pdftotext", &["-f", "2", "-l", "2", "-raw", path.to_str().unwrap(), "-"]);
    let head = text.lines().find(|line| line.starts_with("Everybody")).unwrap();
    assert!(head.contains("… ") || head.ends_with('…'), "{head}");
    assert!(!head.contains("theirs"), "{head}");
}

#[test]
fn what_is_said_of_a_message_is_on_its_page() {
    let messages: Vec<_> = (0..200)
        .map(|i| Message {
            effect: Some(Effect::Slam),
            ..text(i % 3 == 0, at(0, i), &"a line\n".repeat(i as usize % 5 + 1))
        })
        .collect();
    let path = export("remarks", &messages, 50, &WriterOptions::default());
    let text = extracted(&path);
    let firsts: Vec<&str> = text.split('\u{c}').filter_map(|page| page.lines().next()).collect();
    assert!(firsts.len() > 10);
    assert!(firsts.iter().all(|first| *first != "Sent with Slam"), "{firsts:?}");
}

/// Every 7th character there is, forty to a message, with bold and italic among them.
pub fn any_characters() -> Vec<Message> {
    let all: Vec<char> = (1..0x2_0000u32).step_by(7).filter_map(char::from_u32).collect();
    all.chunks(40)
        .enumerate()
        .map(|(i, chars)| {
            let mut message = text(i % 2 == 0, at(0, i as i64), &chars.iter().collect::<String>());
            if let PartContent::Text { styles, .. } = &mut message.parts[0].content {
                styles.push(StyleSpan { start: 3, end: 20, style: Style::Bold });
                styles.push(StyleSpan { start: 10, end: 30, style: Style::Italic });
            }
            message
        })
        .collect()
}

#[test]
fn any_characters_at_all_make_a_valid_file() {
    let messages = any_characters();
    let path =
        export("any-characters", &messages, 50, &WriterOptions { jobs: 2, ..WriterOptions::default() });
    qpdf_check(&path);
}

/// What the writer notes of these messages.
fn noted(words: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let staging = Arc::new(Staging::begin(&folder.path().join("out"), Others::Allowed).unwrap());
    let format = FORMATS.iter().find(|format| format.name == "pdf").unwrap();
    let writer = (format.open)(staging, &WriterOptions::default()).unwrap();
    let messages: Vec<Message> =
        (0..).zip(words).map(|(minute, words)| text(false, at(0, minute), words)).collect();
    writer.prepare(&conversation(), &messages).unwrap();
    writer.notes()
}

#[test]
fn what_people_draw_with_characters_is_there() {
    let faces = [
        "(╯°□°)╯︵ ┻━┻",
        "┬─┬ ノ( ゜-゜ノ)",
        "ʕ•ᴥ•ʔ",
        "¯\\_(ツ)_/¯",
        "ಠ_ಠ",
        "༼ つ ◕_◕ ༽つ",
        "⌐■_■",
        "ᕕ( ᐛ )ᕗ",
    ];
    let drawings = ["▓▓▓▓▓▓░░░ 66%", "╔═╗║╚╝", "▀▄█▌▐", "⣿⡟⠋", "𓆉 𓆝 𓆟", "ᜃᜑᜒ", "ꯃꯤꯇꯩ", "𐴀𐴁", "𑄌𑄋𑄴𑄟𑄳𑄦"];
    assert_eq!(noted(&faces), Vec::<String>::new());
    assert_eq!(noted(&drawings), Vec::<String>::new());
}

#[test]
fn what_no_font_has_is_told_once() {
    let notes = noted(&["𒀀𒁀 and 𒀀", "plain, καλά, 好"]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("3 characters of the script Cuneiform"), "{notes:?}");
}

#[test]
fn a_conversation_without_messages_is_a_page() {
    let path = export("empty", &[], 5, &WriterOptions::default());
    qpdf_check(&path);
    assert!(extracted(&path).contains("0 messages"));
}

#[test]
fn a_folder_of_fonts_that_is_not_there_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Arc::new(Staging::begin(&folder.path().join("out"), Others::Allowed).unwrap());
    let format = FORMATS.iter().find(|format| format.name == "pdf").unwrap();
    let options = WriterOptions { font_dirs: vec![folder.path().join("fonts")], ..WriterOptions::default() };
    let error = (format.open)(staging, &options).err().unwrap();
    assert!(error.to_string().contains("fonts"), "{error}");
}
