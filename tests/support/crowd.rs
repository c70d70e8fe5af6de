//! Big libraries: a crowd of people who write to each other for fourteen years, every chat in between the others.
//!
//! The same numbers give the same library. Rows go straight into the tables, a million in well under a minute.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Statement, params};

use super::Schema;
use super::chatdb::{mix, seconds};
use super::keyed::{SummaryInfo, UrlPreview};
use super::typedstream::{
    AttributedString, Attributes, FILE_NAME, FILE_TRANSFER, LINK, PART, Value, WRITING_DIRECTION,
};
use super::words::sentence;

/// What to generate.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// Rows of `message`, everything counted.
    pub messages: u64,
    pub conversations: u64,
    /// Write a tiny file for most attachments; else they are in iCloud, or missing.
    pub files: bool,
}

/// Bits that look random and are not.
#[derive(Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 += 1;
        mix(self.0)
    }

    /// Below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// True this many times in a thousand.
    fn permille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }

    fn guid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08X}-{:04X}-4{:03X}-{:04X}-{:012X}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            (b >> 48) & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }
}

/// A chat and what was said last in it.
struct Chat {
    row: i64,
    service: &'static str,
    members: Vec<i64>,
    room: Option<String>,
    /// Newest last: GUID and length in UTF-16 units.
    recent: Vec<(String, usize)>,
}

/// The columns every row sets; the rest keep their defaults.
const COLUMNS: &str = "ROWID, guid, text, attributedBody, handle_id, service, account, destination_caller_id, date,
    date_read, date_delivered, is_from_me, is_sent, is_delivered, is_read, is_finished, version, error,
    cache_has_attachments, cache_roomnames, was_data_detected, item_type, other_handle, group_title, group_action_type,
    associated_message_guid, associated_message_type, associated_message_emoji, associated_message_range_length,
    balloon_bundle_id, payload_data, message_summary_info, expressive_send_style_id, thread_originator_guid,
    thread_originator_part, date_edited, part_count, reply_to_guid";

#[derive(Default)]
struct Row {
    guid: String,
    text: Option<String>,
    body: Option<Vec<u8>>,
    handle: i64,
    date: i64,
    from_me: bool,
    attachment: Option<String>,
    links: bool,
    item_type: i64,
    other_handle: i64,
    title: Option<String>,
    action: i64,
    target: Option<String>,
    associated: i64,
    emoji: Option<&'static str>,
    range: usize,
    balloon: Option<&'static str>,
    payload: Option<Vec<u8>>,
    summary: Option<Vec<u8>>,
    effect: Option<&'static str>,
    thread: Option<String>,
    thread_part: Option<String>,
    edited: i64,
    parts: i64,
}

const START: &str = "2012-01-01T08:00:00Z";
const END: &str = "2026-06-30T20:00:00Z";
const EFFECTS: [&str; 3] = [
    "com.apple.MobileSMS.expressivesend.impact",
    "com.apple.MobileSMS.expressivesend.invisibleink",
    "com.apple.messages.effect.CKConfettiEffect",
];

impl Crowd {
    /// Writes `chat.db`, and `Attachments` where files are wanted, into `folder` (created); returns the database's path.
    pub fn write(&self, folder: &Path) -> rusqlite::Result<PathBuf> {
        fs::create_dir_all(folder).expect("a writable folder");
        let path = folder.join("chat.db");
        let db = Connection::open(&path)?;
        db.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY; PRAGMA threads = 2;",
        )?;
        // Indexes are built in one go at the end: sorting beats inserting into twenty-odd trees at once.
        let sql = Schema::MACOS_26.sql;
        let (tables, indexes) = sql.split_at(sql.find("CREATE INDEX").unwrap_or(sql.len()));
        db.execute_batch(tables)?;
        db.execute_batch("BEGIN")?;
        self.fill(&db, folder)?;
        db.execute_batch("COMMIT")?;
        db.execute_batch(indexes)?;
        Ok(path)
    }

    fn fill(&self, db: &Connection, folder: &Path) -> rusqlite::Result<()> {
        let mut rng = Rng(self.conversations << 40);
        let mut chats = self.chats(db, &mut rng)?;
        let marks = vec!["?"; COLUMNS.split(',').count()].join(",");
        let mut insert = db.prepare(&format!("INSERT INTO message ({COLUMNS}) VALUES ({marks})"))?;
        let mut join =
            db.prepare("INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (?, ?, ?)")?;
        let mut files = Files {
            insert: db.prepare(
                "INSERT INTO attachment (guid, original_guid, created_date, filename, uti, mime_type, transfer_name,
                 transfer_state, is_outgoing, total_bytes, ck_sync_state, hide_attachment)
                 VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)",
            )?,
            join: db.prepare(
                "INSERT INTO message_attachment_join (message_id, attachment_id) VALUES (?, last_insert_rowid())",
            )?,
            folder: self.files.then_some(folder),
        };
        let (start, end) = (seconds(START).0, seconds(END).0);
        let step = ((end - start) as u64 * 1_000_000_000 / self.messages.max(1)).max(2);
        let mut date = start * 1_000_000_000;
        // The chats that are going on right now.
        let mut live = [0, 1, 2].map(|n| n % chats.len());
        for message in 1..=self.messages {
            date += rng.below(2 * step) as i64;
            let slot = rng.below(3) as usize;
            if rng.permille(250) {
                // A few chats have most of the messages.
                let draw = rng.below(1_000_000) as f64 / 1e6;
                live[slot] = (draw * draw * draw * chats.len() as f64) as usize;
            }
            let chat = &mut chats[live[slot]];
            let row = compose(&mut rng, chat, date);
            write_row(&mut insert, message as i64, chat, &row, &mut rng)?;
            join.execute(params![chat.row, message as i64, date])?;
            if let Some(guid) = &row.attachment {
                files.add(&mut rng, message as i64, guid, date, row.from_me)?;
            }
        }
        Ok(())
    }

    fn chats(&self, db: &Connection, rng: &mut Rng) -> rusqlite::Result<Vec<Chat>> {
        let mut handle = db.prepare("INSERT INTO handle (id, service, country) VALUES (?, ?, 'us')")?;
        let mut insert = db.prepare(
            "INSERT INTO chat (guid, style, state, chat_identifier, service_name, room_name, display_name, group_id,
             account_login, is_filtered) VALUES (?, ?, 3, ?, ?, ?, ?, ?, 'E:me@example.com', 1)",
        )?;
        let mut member = db.prepare("INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (?, ?)")?;
        let mut lookup = db.prepare("INSERT INTO chat_service (service, chat) VALUES (?, ?)")?;
        let address = |person: u64| match person {
            0..100 => format!("+120255501{person:02}"),
            _ => format!("person{person}@example.com"),
        };
        let mut chats = Vec::new();
        for index in 0..self.conversations.max(1) {
            let group = index % 10 == 3 || index % 10 == 7;
            let service = match index % 20 {
                4 | 11 => "SMS",
                15 => "RCS",
                _ => "iMessage",
            };
            // A person of its own for each chat, so that none are merged.
            handle.execute(params![address(index), service])?;
            let own = db.last_insert_rowid();
            let mut members = vec![own];
            if group {
                for _ in 0..2 + rng.below(6) {
                    let other = 1 + rng.below(own as u64) as i64;
                    if !members.contains(&other) {
                        members.push(other);
                    }
                }
            }
            let room = group.then(|| format!("chat{}", rng.next() >> 4));
            let identifier = room.clone().unwrap_or_else(|| address(index));
            let (sign, style) = if group { ('+', 43) } else { ('-', 45) };
            let title = group.then(|| format!("Circle {}", index + 1));
            insert.execute(params![
                format!("any;{sign};{identifier}"),
                style,
                identifier,
                service,
                room,
                title,
                room.is_some().then(|| rng.guid()),
            ])?;
            let row = db.last_insert_rowid();
            for handle in &members {
                member.execute([row, *handle])?;
            }
            lookup.execute(params![service, row])?;
            chats.push(Chat { row, service, members, room, recent: Vec::new() });
        }
        Ok(chats)
    }
}

/// One row: a tapback, an announcement, a picture, a link, or something said.
fn compose(rng: &mut Rng, chat: &mut Chat, date: i64) -> Row {
    let from_me = rng.permille(420);
    let sender = chat.members[rng.below(chat.members.len() as u64) as usize];
    let mut row = Row {
        guid: rng.guid(),
        handle: if from_me && chat.room.is_some() { 0 } else { sender },
        date,
        from_me,
        parts: 1,
        ..Row::default()
    };
    let draw = rng.below(1000);
    if draw < 120 && !chat.recent.is_empty() {
        tapback(rng, chat, &mut row);
        return row;
    }
    if draw < 123 && chat.room.is_some() {
        announce(rng, chat, &mut row);
        return row;
    }
    let mut body = AttributedString { mutable: !from_me, ..AttributedString::default() };
    if draw < 185 {
        let guid = format!("at_0_{}", row.guid);
        let name = ("IMG_0042.heic").to_owned();
        let mut own: Attributes =
            vec![(FILE_TRANSFER, Value::String(guid.clone())), (FILE_NAME, Value::String(name))];
        own.extend(part(from_me, 0));
        body.push("\u{fffc}", own);
        row.attachment = Some(guid);
        if rng.permille(300) {
            body.push(&sentence(rng), part(from_me, 1));
            row.parts = 2;
        }
    } else if draw < 195 {
        let said = format!("https://example.com/{}", rng.below(1_000_000));
        let mut own = part(from_me, 0);
        own.push((LINK, Value::Url(said.clone())));
        body.push(&said, own);
        row.links = true;
        row.balloon = Some("com.apple.messages.URLBalloonProvider");
        row.payload = Some(UrlPreview::new(&said).title("A page").encode());
    } else {
        let said = sentence(rng);
        if rng.permille(20) {
            let middle = said.char_indices().nth(4).map_or(said.len(), |(at, _)| at);
            let mut own = part(from_me, 0);
            own.push(("__kIMTextBoldAttributeName", Value::Int(1)));
            body.push(&said[..middle], own);
            body.push(&said[middle..], part(from_me, 0));
        } else {
            body.push(&said, part(from_me, 0));
        }
        decorate(rng, chat, &mut row, &said, &body);
    }
    let units = body.runs.iter().map(|(length, _)| *length as usize).sum();
    chat.recent.push((row.guid.clone(), units));
    if chat.recent.len() > 8 {
        chat.recent.remove(0);
    }
    // Messages stopped filling `text` with iOS 16, first for what is sent.
    let old = date < 685_000_000_000_000_000;
    if old || chat.service == "SMS" || (!from_me && rng.permille(420)) {
        row.text = Some(body.text.clone());
    }
    if chat.service != "SMS" || from_me || row.attachment.is_some() {
        row.body = Some(body.encode());
    }
    if row.edited != 0 {
        row.text = None;
    }
    row
}

fn part(from_me: bool, part: i64) -> Attributes {
    if from_me {
        vec![(WRITING_DIRECTION, Value::Long(-1)), (PART, Value::Long(part))]
    } else {
        vec![(PART, Value::Int(part))]
    }
}

/// Some messages are replies, some were edited, some come with an effect.
fn decorate(rng: &mut Rng, chat: &Chat, row: &mut Row, said: &str, body: &AttributedString) {
    if rng.permille(40)
        && let Some((target, units)) = chat.recent.first()
    {
        row.thread = Some(target.clone());
        row.thread_part = Some(format!("0:0:{units}"));
    }
    if rng.permille(10) && chat.service == "iMessage" {
        let sent = AttributedString::plain(&format!("{said}?"));
        let units = said.encode_utf16().count() as u32;
        let at = row.date as f64 / 1e9;
        let summary = SummaryInfo {
            original: vec![(0, 0, units + 1)],
            edits: vec![(0, vec![(at, sent), (at + 40.0, body.clone())])],
            ..SummaryInfo::default()
        };
        row.summary = Some(summary.encode());
        row.edited = row.date + 40_000_000_000;
    }
    if rng.permille(5) {
        row.effect = Some(rng.pick(&EFFECTS));
    }
}

fn tapback(rng: &mut Rng, chat: &Chat, row: &mut Row) {
    let (target, units) = &chat.recent[rng.below(chat.recent.len() as u64) as usize];
    row.associated = match rng.below(100) {
        0..40 => 2000,
        40..62 => 2001,
        62..65 => 2002,
        65..82 => 2003,
        82..90 => 2004,
        90..93 => 2005,
        93..98 => 2006,
        _ => 3000,
    };
    if row.associated == 2006 {
        row.emoji = Some(rng.pick(&["🔥", "🙏", "🥳", "👀"]));
    }
    row.target = Some(format!("p:0/{target}"));
    row.range = *units;
    row.body = Some(AttributedString::plain("Reacted to a message").encode());
}

fn announce(rng: &mut Rng, chat: &Chat, row: &mut Row) {
    row.parts = 0;
    match rng.below(3) {
        0 => {
            row.item_type = 2;
            row.title = Some(format!("Circle {}", chat.row));
        }
        1 => {
            row.item_type = 1;
            row.other_handle = chat.members[0];
        }
        _ => {
            row.item_type = 3;
            row.action = 1;
        }
    }
}

fn write_row(
    insert: &mut Statement<'_>,
    rowid: i64,
    chat: &Chat,
    row: &Row,
    rng: &mut Rng,
) -> rusqlite::Result<()> {
    let failed = row.from_me && rng.permille(1);
    let read = row.date + 20_000_000_000 + rng.below(600_000_000_000) as i64;
    let delivered = if row.from_me && !failed { row.date + 900_000_000 } else { 0 };
    insert.execute(params![
        rowid,
        row.guid,
        row.text,
        row.body,
        row.handle,
        chat.service,
        "E:me@example.com",
        "me@example.com",
        row.date,
        if row.from_me { 0 } else { read },
        delivered,
        row.from_me,
        row.from_me && !failed,
        !failed,
        !row.from_me,
        1,
        10,
        if failed { 22 } else { 0 },
        row.attachment.is_some(),
        chat.room,
        row.links,
        row.item_type,
        row.other_handle,
        row.title,
        row.action,
        row.target,
        row.associated,
        row.emoji,
        row.range as i64,
        row.balloon,
        row.payload,
        row.summary,
        row.effect,
        row.thread,
        row.thread_part,
        row.edited,
        row.parts,
        // Which message came before, as the sender saw it: since iOS 13.
        chat.recent.first().filter(|_| row.date > 590_000_000_000_000_000).map(|(guid, _)| guid),
    ])?;
    Ok(())
}

/// Where attachments go.
struct Files<'db> {
    insert: Statement<'db>,
    join: Statement<'db>,
    folder: Option<&'db Path>,
}

impl Files<'_> {
    fn add(
        &mut self,
        rng: &mut Rng,
        message: i64,
        guid: &str,
        date: i64,
        outgoing: bool,
    ) -> rusqlite::Result<()> {
        let (extension, uti, mime) = *rng.pick::<(&str, &str, &str)>(&[
            &("heic", "public.heic", "image/heic"),
            &("heic", "public.heic", "image/heic"),
            &("jpeg", "public.jpeg", "image/jpeg"),
            &("png", "public.png", "image/png"),
            &("mov", "com.apple.quicktime-movie", "video/quicktime"),
            &("pdf", "com.adobe.pdf", "application/pdf"),
        ]);
        let name = format!("IMG_{:04}.{extension}", rng.below(10_000));
        let bucket = rng.below(256);
        let path = format!("Attachments/{bucket:02x}/{:02}/{guid}/{name}", bucket & 15);
        let draw = rng.below(100);
        let local = self.folder.filter(|_| draw < 70);
        if let Some(folder) = local {
            let file = folder.join(&path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a writable folder");
            fs::write(file, format!("{name} of message {message}\n")).expect("a writable file");
        }
        let (state, synced) = match (local.is_some(), draw) {
            (true, _) => (5, 1),
            (false, 0..90) => (0, 1),
            (false, _) => (5, 0),
        };
        self.insert.execute(params![
            guid,
            date / 1_000_000_000,
            format!("~/Library/Messages/{path}"),
            uti,
            mime,
            name,
            state,
            outgoing,
            40_000 + rng.below(4_000_000) as i64,
            synced,
        ])?;
        self.join.execute([message])?;
        Ok(())
    }
}
