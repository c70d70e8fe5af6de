//! How fast the text-like formats render: one window of short messages at a time, 12 % of them with a tapback.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use msgarchive::disk::{Others, Staging};
use msgarchive::model::{
    Conversation, ConversationKind, Instant, Message, Part, PartContent, Sender, Tapback, TapbackKind,
};
use msgarchive::writers::{FORMATS, WriterOptions, clock::Clock};

fn main() {
    divan::main();
}

const WINDOW: usize = 512;
const TEXTS: [&str; 8] = [
    "ok",
    "See you at the lake at five?",
    "Running late, ten minutes — start without me, I’ll bring the dessert anyway",
    "😂😂",
    "Did you see what Ben wrote about the tent?",
    "yes",
    "No worries! Take your time, we are still packing and the kids cannot find their shoes.",
    "Grüße aus Köln",
];

fn conversation() -> Conversation {
    Conversation {
        id: "c-1f3a9b2c".into(),
        title: "Ana Abbott".into(),
        kind: ConversationKind::Direct,
        chat_guids: vec!["iMessage;-;+12025550143".into()],
        participants: Vec::new(),
        services: vec!["iMessage".into()],
        lost: Vec::new(),
    }
}

fn messages() -> Vec<Message> {
    let ana = Arc::new(Sender { handle: Some("+12025550143".into()), name: Some("Ana Abbott".into()) });
    let instant = |seconds: i64| Instant::from_timestamp(seconds, 123_456_789);
    (0..WINDOW)
        .map(|i| {
            let text = TEXTS[i % TEXTS.len()];
            let date = instant(1_714_563_000 + 97 * i as i64);
            let from_me = i % 2 == 0;
            let tapback = (i % 8 == 3).then(|| Tapback {
                guid: Some("5E1B3D2C-0000-4000-8000-0123456789AB".into()),
                part: 0,
                kind: TapbackKind::Loved,
                from_me: !from_me,
                sender: from_me.then(|| Arc::clone(&ana)),
                date,
                removed: false,
            });
            Message {
                guid: Some(format!("5E1B3D2C-0000-4000-8000-{i:012}")),
                date,
                service: Some("iMessage".into()),
                from_me,
                sender: (!from_me).then(|| Arc::clone(&ana)),
                parts: vec![Part {
                    index: 0,
                    content: PartContent::Text { text: text.into(), styles: Vec::new() },
                }],
                tapbacks: tapback.into_iter().collect(),
                date_read: date,
                rowid: i as i64,
                ..Message::default()
            }
        })
        .collect()
}

#[divan::bench(args = ["txt", "csv", "jsonl"])]
fn render(bencher: Bencher, format: &str) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let staging = Arc::new(Staging::begin(home.path(), Others::Refused).expect("a folder to export to"));
    let options = WriterOptions { zone: chrono_tz::Europe::Berlin, ..WriterOptions::default() };
    let format = FORMATS.iter().find(|f| f.name == format).expect("a format");
    let writer = (format.open)(staging, &options).expect("a writer");
    let (conversation, messages) = (conversation(), messages());
    bencher
        .counter(ItemsCount::new(WINDOW))
        .bench(|| writer.prepare(&conversation, &messages).expect("it can be written"));
}

#[divan::bench]
fn rfc3339(bencher: Bencher) {
    let messages = messages();
    let mut clock = Clock::new(chrono_tz::Europe::Berlin);
    let mut to = Vec::with_capacity(WINDOW * 40);
    bencher.counter(ItemsCount::new(WINDOW)).bench_local(|| {
        to.clear();
        for date in messages.iter().filter_map(|m| m.date) {
            clock.rfc3339(date, &mut to);
        }
        to.len()
    });
}

/// Writing and hashing, which is the ordered half: bytes a second.
#[divan::bench]
fn hashed_file(bencher: Bencher) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let staging = Staging::begin(home.path(), Others::Refused).expect("a folder to export to");
    let window = vec![b'x'; 256 * 1024];
    let mut number = 0;
    bencher.counter(divan::counter::BytesCount::new(64 * window.len())).bench_local(|| {
        number += 1;
        let mut file = staging.create(&format!("{number}")).expect("a file");
        for _ in 0..64 {
            file.put(&window).expect("room");
        }
        file.position()
    });
}

/// The hashing alone: over a gigabyte a second where the processor has instructions for it.
#[divan::bench]
fn sha256(bencher: Bencher) {
    use sha2::{Digest, Sha256};
    let bytes = vec![b'x'; 1024 * 1024];
    bencher.counter(divan::counter::BytesCount::new(bytes.len())).bench(|| Sha256::digest(&bytes));
}
