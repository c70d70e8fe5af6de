//! Writers, handed the model: what they write, and that it can be read again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use msgarchive::disk::{DiskError, FileRecord, Others, Staging};
use msgarchive::model::*;
use msgarchive::pipeline::select::Selection;
use msgarchive::pipeline::writer::Finished;
use msgarchive::pipeline::{AttachmentCounts, RowCounts};
use msgarchive::pipeline::{Defect, Report};
use msgarchive::source::{DigestedFile, SourceDigest, SourceInfo};
use msgarchive::writers::export::{AttachmentMode, ExportRequest};
use msgarchive::writers::provenance::Provenance;
use msgarchive::writers::{FORMATS, WriterOptions, conversation_file, jsonl, manifest};
use serde_json::Value;

/// Exports one conversation, `window` messages at a time, and returns the folder.
fn export(
    format: &str,
    conversation: &Conversation,
    messages: &[Message],
    window: usize,
    options: &WriterOptions,
) -> Out {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("out");
    export_into(&path, format, conversation, messages, window, options).unwrap();
    Out { _home: home, path }
}

struct Out {
    _home: tempfile::TempDir,
    path: PathBuf,
}

impl Out {
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path.join(name)).unwrap()
    }

    fn conversation(&self, extension: &str) -> String {
        self.read(&conversation_file(&family(), extension))
    }
}

fn export_into(
    out: &Path,
    format: &str,
    conversation: &Conversation,
    messages: &[Message],
    window: usize,
    options: &WriterOptions,
) -> Result<Vec<FileRecord>, DiskError> {
    let staging = Arc::new(Staging::begin(out, Others::Allowed)?);
    let format = FORMATS.iter().find(|f| f.name == format).unwrap();
    let writer = (format.open)(Arc::clone(&staging), options).unwrap();
    let mut file = writer.begin(conversation).unwrap();
    for window in messages.chunks(window) {
        file.append(writer.prepare(conversation, window).unwrap()).unwrap();
    }
    let dates = || messages.iter().filter_map(|m| m.date);
    let finished = Finished {
        conversation: conversation.clone(),
        rows: RowCounts { messages: messages.len() as u64, ..RowCounts::default() },
        attachments: AttachmentCounts { referenced: 1, bytes: 1_843_221, ..AttachmentCounts::default() },
        first: dates().min(),
        last: dates().max(),
    };
    let mut records = file.finish(&finished).unwrap();
    records.extend(writer.finish(&[finished]).unwrap());
    staging.publish(|_| 0)?;
    Ok(records)
}

/// The formats of text.
const TEXT_FORMATS: [&str; 3] = ["txt", "csv", "jsonl"];

fn options() -> WriterOptions {
    WriterOptions { zone: "Europe/Berlin".parse().unwrap(), ..WriterOptions::default() }
}

fn at(text: &str) -> Option<Instant> {
    Some(text.parse().unwrap())
}

fn person(name: &str, handle: &str) -> Option<Arc<Sender>> {
    let name = (!name.is_empty()).then(|| name.to_owned());
    Some(Arc::new(Sender { handle: Some(handle.to_owned()), name }))
}

fn ana() -> Option<Arc<Sender>> {
    person("Ana Abbott", "+12025550143")
}

fn ben() -> Option<Arc<Sender>> {
    person("", "ben@example.com")
}

fn family() -> Conversation {
    Conversation {
        id: "c-1f3a9b2c".into(),
        title: "Family: the \"lake\" house".into(),
        kind: ConversationKind::Group,
        chat_guids: vec!["iMessage;+;chat123".into()],
        participants: vec![
            Participant {
                name: Some("Ana Abbott".into()),
                handles: vec!["+12025550143".into(), "ana@example.com".into()],
            },
            Participant { name: None, handles: vec!["ben@example.com".into()] },
        ],
        services: vec!["SMS".into(), "iMessage".into()],
        lost: Vec::new(),
    }
}

fn text_part(index: u32, text: &str) -> Part {
    Part { index, content: PartContent::Text { text: text.into(), styles: Vec::new() } }
}

/// A message of one text.
fn says(guid: &str, date: &str, sender: Option<Arc<Sender>>, text: &str) -> Message {
    Message {
        guid: Some(guid.into()),
        date: at(date),
        service: Some("iMessage".into()),
        from_me: sender.is_none(),
        sender,
        parts: vec![text_part(0, text)],
        rowid: 1,
        ..Message::default()
    }
}

fn tapback(kind: TapbackKind, part: u32, sender: Option<Arc<Sender>>, removed: bool) -> Tapback {
    let from_me = sender.is_none();
    Tapback { guid: Some("T".into()), part, kind, from_me, sender, date: at("2024-05-01T12:00:00Z"), removed }
}

/// A conversation with something of everything.
fn messages() -> Vec<Message> {
    let photo = Attachment {
        guid: Some("at_0_1".into()),
        name: Some("IMG_0042.heic".into()),
        mime: Some("image/heic".into()),
        uti: Some("public.heic".into()),
        bytes: Some(1_843_221),
        availability: Availability::Local,
        path: Some("attachments/Family/2024-05-01 IMG_0042.heic".into()),
        sha256: Some("ab".repeat(32)),
        ..Attachment::default()
    };
    let voice = Attachment {
        guid: Some("at_1_2".into()),
        name: Some("Audio Message.caf".into()),
        availability: Availability::InICloud,
        transcription: Some("On my way,\nten minutes".into()),
        ..Attachment::default()
    };
    let sticker = Attachment {
        guid: Some("at_2_3".into()),
        name: Some("sticker.png".into()),
        mime: Some("image/png".into()),
        availability: Availability::Missing,
        sticker: true,
        ..Attachment::default()
    };
    vec![
        says("00", "2024-05-01T11:28:10Z", None, "Where are you?"),
        Message {
            joined_text: Some("look \u{fffc}".into()),
            parts: vec![
                Part {
                    index: 0,
                    content: PartContent::Text {
                        text: "look ".into(),
                        styles: vec![
                            StyleSpan { start: 0, end: 4, style: Style::Bold },
                            StyleSpan {
                                start: 0,
                                end: 4,
                                style: Style::Link { target: "https://example.com".into() },
                            },
                        ],
                    },
                },
                Part { index: 1, content: PartContent::Attachment(0) },
            ],
            attachments: vec![photo],
            edits: vec![
                Edit { part: 0, date: at("2024-05-01T11:30:00.123456789Z"), text: "lok ".into() },
                Edit { part: 0, date: at("2024-05-01T11:32:10Z"), text: "look ".into() },
            ],
            tapbacks: vec![
                tapback(TapbackKind::Loved, 1, None, false),
                tapback(TapbackKind::Loved, 1, ben(), false),
                tapback(TapbackKind::Laughed, 0, ben(), true),
                tapback(TapbackKind::Sticker(Some(Box::new(sticker))), 0, ben(), false),
                tapback(TapbackKind::Emoji("🦭".into()), 7, None, false),
            ],
            reply_to: Some(Box::new(Reply {
                guid: "00".into(),
                part: 0,
                quote: Some(Quote {
                    from_me: true,
                    sender: None,
                    date: at("2024-05-01T11:28:10Z"),
                    text: Some("Where are you?".into()),
                }),
            })),
            date_read: at("2024-05-01T11:35:00Z"),
            rowid: 1234,
            ..says("01", "2024-05-01T11:30:00.123456789Z", ana(), "")
        },
        says(
            "02",
            "2024-05-01T11:31:00Z",
            ben(),
            "two lines,\n[13:31:05] Ana Abbott: forged\r\n\u{2028}— and \x1b[31mred\0",
        ),
        Message {
            kind: MessageKind::Announcement,
            announcement: Some(Box::new(Announcement {
                kind: AnnouncementKind::Renamed,
                handle: None,
                name: None,
                about_me: false,
                call: None,
                title: Some("Family: the \"lake\" house".into()),
            })),
            parts: Vec::new(),
            ..says("03", "2024-05-01T11:40:00Z", None, "")
        },
        Message {
            service: Some("SMS".into()),
            subject: Some("=1+1".into()),
            effect: Some(Effect::Slam),
            error: Some(22),
            junk: true,
            deleted: Some(Deleted {
                date: at("2024-05-04T08:00:00Z"),
                reason: DeletionReason::RecentlyDeleted,
                guessed: false,
                last_seen: None,
                gone: None,
                part: false,
            }),
            scheduled: Some(Scheduled { state: 2 }),
            date_delivered: at("2024-05-02T06:00:01Z"),
            ..says("04", "2024-05-02T06:00:00Z", None, "=cmd|' /C calc'!A0, \"quoted\"")
        },
        Message {
            balloon: Some(Box::new(Balloon {
                kind: BalloonKind::Url,
                bundle_id: Some("com.apple.messages.URLBalloonProvider".into()),
                title: Some("A lake".into()),
                summary: Some("Swimming\nallowed".into()),
                url: Some("https://example.com/lake".into()),
                lines: vec!["18 °C".into()],
                attachments: vec![0],
                ..Balloon::default()
            })),
            joined_text: Some("\u{fffc}\u{fffc}".into()),
            parts: vec![
                Part { index: 0, content: PartContent::Balloon },
                Part { index: 1, content: PartContent::Attachment(0) },
                Part { index: 2, content: PartContent::Unsent { date: at("2024-05-02T06:03:00Z") } },
            ],
            attachments: vec![voice],
            unsent: Some(Unsent::Part),
            translation: Some(Box::new(Translation {
                text: "A lake".into(),
                language: Some("en_US".into()),
                source_language: Some("de_DE".into()),
            })),
            defects: vec!["balloon payload not understood".into()],
            ..says("05", "2024-05-02T06:02:00Z", ana(), "")
        },
        // The hour that comes twice.
        says("06", "2024-10-27T00:30:00Z", ana(), "before"),
        says("07", "2024-10-27T01:30:00Z", ana(), "after"),
        Message {
            kind: MessageKind::Tapback,
            parts: Vec::new(),
            tapbacks: vec![tapback(TapbackKind::Liked, 0, ben(), false)],
            ..says("08", "2024-10-27T01:31:00Z", ben(), "")
        },
        Message {
            guid: None,
            date: None,
            sender: None,
            parts: Vec::new(),
            ..says("", "2024-10-27T01:31:00Z", ana(), "")
        },
    ]
}

#[test]
fn a_transcript_reads_well() {
    let out = export("txt", &family(), &messages(), 100, &options());
    insta::assert_snapshot!("transcript", out.conversation("txt"));
    insta::assert_snapshot!("index", out.read("index.txt"));
}

#[test]
fn json_lines_have_every_key_in_order() {
    let out = export("jsonl", &family(), &messages(), 100, &options());
    insta::assert_snapshot!("jsonl", out.conversation("jsonl"));
    insta::assert_snapshot!("conversations", out.read("conversations.jsonl"));
}

#[test]
fn a_table_has_a_row_a_message() {
    let out = export("csv", &family(), &messages(), 100, &options());
    insta::assert_snapshot!("csv", out.conversation("csv"));
}

/// Of a message's object, as the interface lists them.
const KEYS: &str = "guid conversation date service from_me sender kind subject text parts attachments edits tapbacks \
                    reply_to effect announcement balloon date_delivered date_read deleted unsent scheduled error \
                    translation junk source";

#[test]
fn json_lines_are_read_back_as_what_was_written() {
    let out = export("jsonl", &family(), &messages(), 100, &options());
    let written = messages();
    let lines: Vec<Value> =
        out.conversation("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), written.len());
    for (line, message) in lines.iter().zip(&written) {
        assert_eq!(line["guid"].as_str(), message.guid.as_deref());
        assert_eq!(line["text"].as_str(), message.text());
        assert_eq!(line["subject"].as_str(), message.subject.as_deref());
        assert_eq!(line["tapbacks"].as_array().unwrap().len(), message.tapbacks.len());
        let date = line["date"].as_str().map(|d| d.parse::<Instant>().unwrap());
        assert_eq!(date, message.date);
        let keys: Vec<_> = KEYS.split(' ').collect();
        assert!(keys.iter().all(|key| line.get(key).is_some()), "every key is always present");
        assert_eq!(line.as_object().unwrap().len(), keys.len());
    }
    assert_eq!(lines[1]["date"], "2024-05-01T13:30:00.123456789+02:00");
    assert_eq!(lines[1]["sender"]["name"], "Ana Abbott");
    assert_eq!(lines[0]["sender"], Value::Null);
    let sticker = &lines[1]["tapbacks"][3];
    assert_eq!(sticker["attachment"]["name"], "sticker.png");
    assert!(lines[1]["tapbacks"][0].get("attachment").is_none());

    let line: Value = serde_json::from_str(&out.read("conversations.jsonl")).unwrap();
    assert_eq!(line["file"], conversation_file(&family(), "jsonl"));
    assert_eq!(line["messages"], written.len());
    assert!(out.path.join(line["file"].as_str().unwrap()).is_file());
}

#[test]
fn a_listed_conversation_is_its_line_with_sizes() {
    let finished = Finished {
        conversation: family(),
        rows: RowCounts { messages: 2, ..RowCounts::default() },
        attachments: AttachmentCounts { referenced: 3, bytes: 4, ..AttachmentCounts::default() },
        first: at("2014-01-01T00:00:00Z"),
        last: None,
    };
    let mut clock = msgarchive::writers::clock::Clock::new(chrono_tz::UTC);
    let listed: Value = serde_json::from_str(&jsonl::listed(&finished, &mut clock)).unwrap();
    assert_eq!(listed["attachments"], 3);
    assert_eq!(listed["bytes"], 4);
    assert_eq!(listed["first"], "2014-01-01T00:00:00.000000000+00:00");
    assert_eq!(listed["last"], Value::Null);
}

/// Rows as other people's readers see them.
fn rows(text: &str) -> Vec<Vec<String>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn a_table_is_read_back_as_what_was_written() {
    let out = export("csv", &family(), &messages(), 100, &options());
    let text = out.conversation("csv");
    assert!(!text.contains("\r\n[") && !text.starts_with('\u{feff}'));
    let rows = rows(&text);
    let header = "conversation_id,conversation,guid,date,service,direction,sender_handle,sender_name,kind,subject,\
                  text,reply_to,tapbacks,attachments,edits,effect,balloon,announcement,date_delivered,date_read,\
                  status,source_rowid,deleted,deletion_reason,deletion_guessed,date_deleted,date_last_seen,date_gone,unsent,date_unsent,\
                  altered,was,damaged";
    assert_eq!(rows[0].join(","), header);
    let column = |name: &str| rows[0].iter().position(|c| c == name).unwrap();
    let written = messages();
    assert_eq!(rows.len(), written.len() + 1);
    for (row, message) in rows[1..].iter().zip(&written) {
        assert_eq!(row[column("text")], message.text().unwrap_or_default());
        assert_eq!(row[column("direction")], if message.from_me { "sent" } else { "received" });
        for (name, length) in
            [("tapbacks", message.tapbacks.len()), ("attachments", message.attachments.len())]
        {
            let cell = &row[column(name)];
            match length {
                0 => assert_eq!(cell, ""),
                n => assert_eq!(serde_json::from_str::<Vec<Value>>(cell).unwrap().len(), n),
            }
        }
    }
    assert_eq!(rows[5][column("status")], "deleted;scheduled;failed;junk");
    assert_eq!(rows[2][column("status")], "edited");
    assert_eq!(rows[6][column("status")], "unsent");
    let became = ["deleted", "deletion_reason", "date_deleted", "unsent", "date_unsent"];
    let became = |row: usize| became.map(|name| &*rows[row][column(name)]);
    assert_eq!(became(5), ["all", "recently_deleted", "2024-05-04T10:00:00.000000000+02:00", "", ""]);
    assert_eq!(became(6), ["", "", "", "part", "2024-05-02T08:03:00.000000000+02:00"]);
}

#[test]
fn the_cells_of_both_formats_are_the_same_objects() {
    let csv = export("csv", &family(), &messages(), 100, &options());
    let json = export("jsonl", &family(), &messages(), 100, &options());
    let rows = rows(&csv.conversation("csv"));
    let column = |name: &str| rows[0].iter().position(|c| c == name).unwrap();
    let line: Value = serde_json::from_str(json.conversation("jsonl").lines().nth(1).unwrap()).unwrap();
    for name in ["tapbacks", "attachments", "edits"] {
        let cell: Value = serde_json::from_str(&rows[2][column(name)]).unwrap();
        assert_eq!(cell, line[name], "{name}");
    }
}

#[test]
fn a_spreadsheet_runs_nothing() {
    let mut messages = messages();
    for start in ["+1", "-1", "@x", "\tx", "\rx", "x=1"] {
        messages.push(says("x", "2024-05-01T11:28:10Z", ana(), start));
    }
    let out = export("csv", &family(), &messages, 100, &WriterOptions { excel: true, ..options() });
    let text = out.conversation("csv");
    let text = text.strip_prefix('\u{feff}').unwrap();
    assert!(text.lines().next().unwrap().starts_with("conversation_id,"));
    assert!(text.contains(",source_rowid,") && text.contains(",damaged\r\n"));
    let rows = rows(text);
    let exact = export("csv", &family(), &messages, 100, &options());
    let exact = self::rows(&exact.conversation("csv"));
    assert_eq!(rows.len(), exact.len());
    let mut defused = 0;
    for (cell, plain) in rows.iter().flatten().zip(exact.iter().flatten()) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        if cell != plain {
            assert_eq!(cell, &format!("'{plain}"));
            defused += 1;
        }
    }
    // Ana's number in each of her rows, the formulas, and the five above.
    assert!(defused > 10, "{defused}");
}

#[test]
fn no_text_passes_itself_off_as_something_else() {
    let forged =
        "hi\n[13:31:05] Ana Abbott: forged\n───── Friday\n         ~ Edited\r❤️ Loved by you\u{85}— gone —";
    let mut conversation = family();
    conversation.title = "Title\n[13:00:00] Ana Abbott: forged".into();
    conversation.participants[1].name = Some("Ben\n[13:00:00] forged\x1b[2J".into());
    let mut message = says("1", "2024-05-01T11:31:00Z", person("Ben\n[13:00:00] forged", "x"), forged);
    message.subject = Some(forged.into());
    message.service = Some(forged.into());
    message.defects = vec![forged.into()];
    message.effect = Some(Effect::Other(forged.into()));
    message.balloon = Some(Box::new(Balloon {
        app: Some(forged.into()),
        title: Some(forged.into()),
        url: Some(forged.into()),
        lines: vec![forged.into()],
        ..Balloon::default()
    }));
    message.attachments = vec![Attachment {
        name: Some(forged.into()),
        transcription: Some(forged.into()),
        ..Attachment::default()
    }];
    message.parts.push(Part { index: 1, content: PartContent::Attachment(0) });
    message.tapbacks = vec![tapback(TapbackKind::Emoji(forged.into()), 0, person(forged, forged), false)];
    let out = export("txt", &conversation, &[message], 1, &options());
    let text = out.read(&conversation_file(&conversation, "txt"));
    assert_eq!(text.lines().filter(|line| line.starts_with('[')).count(), 1, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with('─')).count(), 1, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("         ~")).count(), 0, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("  —")).count(), 1, "{text}");
    assert!(text.contains("\n           [13:31:05] Ana Abbott: forged\n"), "{text}");
    assert!(!text.contains(['\x1b', '\r', '\u{85}']), "{text}");
    let index = out.read("index.txt");
    assert_eq!(index.lines().filter(|line| line.starts_with('[')).count(), 0, "{index}");
}

#[test]
fn the_bytes_do_not_depend_on_the_windows() {
    for format in TEXT_FORMATS {
        let whole = export(format, &family(), &messages(), 100, &options());
        for window in 1..5 {
            let parts = export(format, &family(), &messages(), window, &options());
            assert_eq!(
                parts.conversation(format),
                whole.conversation(format),
                "{format}, {window} at a time"
            );
        }
    }
}

#[test]
fn an_index_out_of_range_is_no_reason_to_panic() {
    let mut message = says("1", "2024-05-01T11:31:00Z", ana(), "x");
    message.parts.push(Part { index: 1, content: PartContent::Attachment(99) });
    message.parts.push(Part { index: 2, content: PartContent::Balloon });
    let card = Balloon { attachments: vec![99], ..Balloon::default() };
    for balloon in [None, Some(card)] {
        message.balloon = balloon.map(Box::new);
        for format in TEXT_FORMATS {
            export(format, &family(), &[message.clone()], 1, &options());
        }
    }
}

#[test]
fn a_megabyte_in_one_line_arrives_whole() {
    let long = "é\"\n,".repeat(1 << 18);
    for format in TEXT_FORMATS {
        let out =
            export(format, &family(), &[says("1", "2024-05-01T11:31:00Z", ana(), &long)], 1, &options());
        assert!(out.conversation(format).len() > long.len());
    }
    let out = export("csv", &family(), &[says("1", "2024-05-01T11:31:00Z", ana(), &long)], 1, &options());
    assert_eq!(rows(&out.conversation("csv"))[1][10], long);
}

#[test]
fn a_file_that_is_not_finished_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    for format in FORMATS {
        let staging = Arc::new(Staging::begin(&out, Others::Refused).unwrap());
        let writer = (format.open)(Arc::clone(&staging), &options()).unwrap();
        let conversation = family();
        let mut file = writer.begin(&conversation).unwrap();
        file.append(writer.prepare(&conversation, &messages()).unwrap()).unwrap();
        drop(file);
        let left = std::fs::read_dir(staging.root()).unwrap().count();
        assert_eq!(left, 0, "{} leaves a file", format.name);
        drop(writer);
        drop(staging);
        assert!(!out.exists(), "{} leaves the folder", format.name);
    }
}

#[test]
fn records_tell_the_truth_and_a_second_run_replaces_the_first() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    for format in TEXT_FORMATS {
        let records = export_into(&out, format, &family(), &messages(), 2, &options()).unwrap();
        assert_eq!(records[0].path, conversation_file(&family(), format));
        for record in records {
            let copy = msgarchive::disk::hash_file(&out.join(&record.path)).unwrap();
            assert_eq!(
                (copy.bytes, msgarchive::disk::hexadecimal(&copy.sha256)),
                (record.bytes, record.sha256)
            );
        }
    }
}

/// One run into `out` with a manifest, as an export makes it.
fn export_with_manifest(out: &Path, format: &'static str, title: &str) -> Result<Value, DiskError> {
    let staging = Staging::begin(out, Others::Refused)?;
    let mut conversation = family();
    conversation.title = title.into();
    let mut file = staging.create(&conversation_file(&conversation, format))?;
    file.put(format.as_bytes())?;
    let files = vec![file.finish()?];
    let request = ExportRequest {
        out: out.to_owned(),
        formats: Vec::new(),
        attachments: AttachmentMode::None,
        others: Default::default(),
        selection: Default::default(),
        writer: options(),
        jobs: 3,
        read_at: None,
        guard: None,
        options: [("format", format), ("only", "Ana"), ("only", "Ben \"B\"")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .to_vec(),
        defects: Vec::new(),
    };
    let report = Report {
        defects: vec![Defect { guid: None, what: "odd".into() }],
        defect_count: 2,
        ..Report::default()
    };
    let source = SourceInfo { path: "/source/chat.db".into(), ..SourceInfo::default() };
    let provenance = Provenance::new(source, Selection::default(), request.attachments, None, false);
    let file = DigestedFile { name: "chat.db".into(), bytes: 7, sha256: "ab".repeat(32) };
    provenance.set_digest(Some(SourceDigest { files: vec![file], of_copy: false }));
    let extent = manifest::Extent { files: &files, stale: &[], fingerprints: None };
    manifest::write(&staging, &provenance, &request, &report, &extent).unwrap();
    staging.publish(|path| u8::from(path == "manifest.json"))?;
    drop(staging);
    Ok(serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap())
}

#[test]
fn a_manifest_lists_every_file_and_those_of_earlier_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let first = export_with_manifest(&out, "txt", "Family").unwrap();
    assert_eq!(first["schema"], 1);
    assert_eq!(first["source"]["files"][0]["sha256"], "ab".repeat(32));
    assert_eq!(first["source"]["in_use"], false);
    assert_eq!(first["tool"], options().tool);
    assert_eq!(first["time_zone"], "Europe/Berlin");
    assert_eq!(first["source"]["kind"], "library");
    assert_eq!(first["options"], serde_json::json!({"format": "txt", "only": ["Ana", "Ben \"B\""]}));
    assert_eq!(first["defects"], serde_json::json!([{"guid": null, "what": "odd"}]));
    assert_eq!(first["defect_count"], 2);
    assert_eq!(first["files"][0]["path"], "Family [c-1f3a9b2c].txt");
    assert_eq!(first["files"][0]["bytes"], 3);
    assert_eq!(first.get("kept"), None);

    let again = export_with_manifest(&out, "txt", "Family").unwrap();
    assert_eq!(again, first, "the same once more");
    let second = export_with_manifest(&out, "csv", "Family").unwrap();
    assert_eq!(second["kept"], first["files"]);
    // Renamed meanwhile: the old files stay ours.
    let third = export_with_manifest(&out, "pdf", "The family").unwrap();
    let kept: Vec<_> = third["kept"].as_array().unwrap().iter().map(|f| f["path"].clone()).collect();
    assert_eq!(kept, ["Family [c-1f3a9b2c].csv", "Family [c-1f3a9b2c].txt"]);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4);

    std::fs::write(out.join("mine.txt"), "precious").unwrap();
    assert!(matches!(export_with_manifest(&out, "txt", "Family"), Err(DiskError::Foreign { .. })));
}
