//! What Messages takes in iCloud, compared with plain SQL and loops over what a test put into a library.

mod exact;
mod gate;
mod purging;
mod shown;
mod sources;
mod summing;
mod unknown;
mod what_if;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use msgarchive::source::{self, OpenOptions};
use msgarchive::storage::{Estimate, Options, WhatIf, estimate};
use rusqlite::Connection;

use crate::support::chatdb::mix;
use crate::support::{Library, MessageId, Schema, Tapback};

/// What all of these count back from.
pub fn now() -> DateTime<Utc> {
    "2024-06-15T12:00:00Z".parse().unwrap()
}

/// Nothing but an estimate.
pub fn plain_options<'a>() -> Options<'a> {
    Options {
        zone: chrono_tz::UTC,
        now: now(),
        what_if: None,
        icloud_total: None,
        archive: None,
        gate: None,
        exact: None,
        jobs: 2,
    }
}

/// An estimate in UTC, without contacts.
pub fn estimated<'a>(library: &Path, change: impl FnOnce(&mut Options<'a>)) -> Estimate {
    let mut options = plain_options();
    change(&mut options);
    let source = source::open(library, &OpenOptions::default()).unwrap();
    estimate(source.as_ref(), &[], &options, &()).unwrap()
}

pub fn what_if(library: &Path, what: WhatIf) -> msgarchive::storage::Freed {
    estimated(library, |options| options.what_if = Some(what)).freed.unwrap()
}

/// Every row of `message`, read plainly.
#[derive(Debug, Clone)]
pub struct MessageRow {
    pub rowid: i64,
    pub guid: String,
    pub date: i64,
    pub sender: Option<String>,
    pub from_me: bool,
    pub chat: Option<i64>,
    pub deleted: bool,
    pub synced: bool,
    pub low: u64,
    pub high: u64,
}

/// An attachment and a message that has it.
#[derive(Debug, Clone)]
pub struct Pair {
    pub message: MessageRow,
    pub attachment: i64,
    pub bytes: u64,
    pub name: String,
    pub sticker: bool,
    pub hidden: bool,
    pub synced: bool,
}

/// All that a database says, read without the program's help.
#[derive(Debug)]
pub struct Plain {
    pub messages: Vec<MessageRow>,
    pub pairs: Vec<Pair>,
}

impl Plain {
    pub fn read(database: &Path) -> Plain {
        let db = Connection::open(database).unwrap();
        let mut statement = db
            .prepare(
                "SELECT m.ROWID, m.guid, m.date, h.id, m.is_from_me,
                   coalesce((SELECT min(chat_id) FROM chat_message_join WHERE message_id = m.ROWID),
                     (SELECT min(chat_id) FROM chat_recoverable_message_join WHERE message_id = m.ROWID)),
                   NOT EXISTS (SELECT 1 FROM chat_message_join WHERE message_id = m.ROWID)
                     AND EXISTS (SELECT 1 FROM chat_recoverable_message_join WHERE message_id = m.ROWID),
                   m.ck_sync_state IN (1, 8, 9),
                   length(CAST(coalesce(m.text, '') AS BLOB)) + length(CAST(coalesce(m.subject, '') AS BLOB)),
                   length(coalesce(m.attributedBody, x'')), length(coalesce(m.payload_data, x'')),
                   length(coalesce(m.message_summary_info, x''))
                 FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id ORDER BY m.ROWID",
            )
            .unwrap();
        let messages: Vec<MessageRow> = statement
            .query_map([], |row| {
                let bytes = |at| row.get::<_, i64>(at).map(|bytes| bytes as u64);
                let (text, body, payload, summary) = (bytes(8)?, bytes(9)?, bytes(10)?, bytes(11)?);
                let (deleted, synced): (bool, bool) = (row.get(6)?, row.get(7)?);
                let shown = if text > 0 { text } else { body } + payload;
                Ok(MessageRow {
                    rowid: row.get(0)?,
                    guid: row.get(1)?,
                    date: row.get(2)?,
                    sender: row.get(3)?,
                    from_me: row.get(4)?,
                    chat: row.get(5)?,
                    deleted,
                    synced,
                    low: if synced && !deleted { shown } else { 0 },
                    high: text + body + payload + summary,
                })
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut statement = db
            .prepare(
                "SELECT j.message_id, a.ROWID, max(a.total_bytes, 0), a.transfer_name, a.is_sticker, a.hide_attachment,
                   a.ck_sync_state IN (1, 4)
                 FROM message_attachment_join j JOIN attachment a ON a.ROWID = j.attachment_id",
            )
            .unwrap();
        let pairs = statement
            .query_map([], |row| {
                let message: i64 = row.get(0)?;
                Ok(Pair {
                    message: messages.iter().find(|row| row.rowid == message).unwrap().clone(),
                    attachment: row.get(1)?,
                    bytes: row.get::<_, i64>(2)? as u64,
                    name: row.get(3)?,
                    sticker: row.get(4)?,
                    hidden: row.get(5)?,
                    synced: row.get(6)?,
                })
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        Plain { messages, pairs }
    }
}

/// A library with a little of everything: merged conversations, a group, rows of no chat, Recently Deleted, tapbacks,
/// answers, shared, hidden, lost and unsynchronized attachments; three years of it, the last day being [`now`]'s.
pub fn rich(folder: &Path) -> PathBuf {
    rich_of(folder, 0)
}

/// The same in other proportions for each seed.
pub fn rich_of(folder: &Path, seed: u64) -> PathBuf {
    let mix = |number: u64| mix(number + seed * 1_000_003);
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let ana_by_sms = library.handle("+12025550143", "SMS");
    let ben = library.handle("ben@example.com", "iMessage");
    let chats = [
        (library.direct(ana), ana),
        (library.direct(ana_by_sms), ana_by_sms),
        (library.direct(ben), ben),
        (library.group(&[ana, ben], "Plans"), ben),
    ];
    let names = [
        "photo.heic",
        "film.mov",
        "dance.gif",
        "Audio Message.caf",
        "paper.pdf",
        "link.pluginPayloadAttachment",
        "thing",
    ];
    let mut attachments = Vec::new();
    for number in 0..90_u64 {
        let bits = mix(number + 1000);
        let name = names[number as usize % names.len()];
        // Some are as large as others.
        let size = 1_000 + bits % 40 * 100_000 + number % 3;
        let mut attachment = library.attachment(name).size(size as i64);
        attachment = match bits >> 32 & 7 {
            0 | 1 => attachment.in_icloud(),
            2 => attachment.raw("ck_sync_state", 4).raw("transfer_state", 0),
            3 => attachment.bytes(vec![7; 2_000 + number as usize % 3]).raw("ck_sync_state", 1),
            4 => attachment.bytes(vec![7; 2_000 + number as usize % 3]),
            5 => attachment.expired(),
            _ => attachment.in_icloud(),
        };
        if bits >> 40 & 7 == 0 {
            attachment = attachment.hidden().raw("transfer_state", 5);
        }
        if bits >> 44 & 7 == 0 {
            attachment = attachment.raw("is_sticker", 1);
        }
        attachments.push(attachment.id());
    }
    let mut last: Option<MessageId> = None;
    for number in 0..400_u64 {
        let bits = mix(number);
        let (chat, with) = chats[bits as usize % chats.len()];
        let day = now() - chrono::TimeDelta::minutes((number * number * 9 + bits % 500) as i64);
        let at = day.to_rfc3339();
        let mut message = match bits >> 8 & 31 {
            0 => library.orphan().from(ana).at(&at),
            _ => library.message(chat).at(&at),
        };
        message = if bits >> 16 & 1 == 0 { message.from_me() } else { message.from(with) };
        message = match (bits >> 20 & 7, last) {
            (0, Some(target)) => message.tapback(target, Tapback::Loved),
            (1, Some(target)) => message.text("an answer").reply_to(target),
            _ => message.text(&"look at this ".repeat(1 + bits as usize % 5)),
        };
        message = match bits >> 24 & 3 {
            0 => message.raw("ck_sync_state", 0),
            1 => message.raw("ck_sync_state", 8),
            _ => message.raw("ck_sync_state", 1),
        };
        if number % 4 == 0 {
            message = message.joined(attachments[(bits >> 30) as usize % 80]);
        }
        if bits >> 50 & 15 == 0 {
            message = message.deleted(&now().to_rfc3339());
        }
        last = Some(message.id());
    }
    library.write(folder)
}
