//! An estimate as CSV (RFC 4180): one row a figure, all tables below one another.
//!
//! **Must never**: change a cell, or write what is not known as a number.

use std::io::{self, Write};

use chrono_tz::Tz;
use csv::{Terminator, WriterBuilder};

use super::json::{category_name, setting_name, why_name};
use super::words;
use crate::model::Instant;
use crate::storage::{Amount, Estimate, Who};
use crate::writers::clock::Clock;
use crate::writers::open_in_messages::link;

const HEADER: [&str; 9] = ["table", "name", "id", "items", "low", "high", "date", "where", "link"];

/// A row; what is not known is empty.
#[derive(Default)]
struct Row<'a> {
    table: &'static str,
    name: &'a str,
    id: &'a str,
    items: Option<u64>,
    low: Option<u64>,
    high: Option<u64>,
    date: Option<Instant>,
    place: &'a str,
    link: Option<String>,
}

impl<'a> Row<'a> {
    fn sum(table: &'static str, name: &'a str, sum: &Amount) -> Row<'a> {
        Row {
            table,
            name,
            items: Some(sum.items),
            low: Some(sum.low),
            high: Some(sum.high),
            ..Row::default()
        }
    }

    fn bytes(table: &'static str, name: &'a str, bytes: Option<u64>) -> Row<'a> {
        Row { table, name, low: bytes, high: bytes, ..Row::default() }
    }

    fn count(table: &'static str, name: &'a str, items: u64) -> Row<'a> {
        Row { table, name, items: Some(items), ..Row::default() }
    }
}

/// Writes all rows. `me`: how the owner is named.
///
/// # Errors
/// What writing said.
pub fn write(found: &Estimate, zone: Tz, me: &str, to: &mut dyn Write) -> io::Result<()> {
    let mut clock = Clock::new(zone);
    let mut csv = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(to);
    csv.write_record(HEADER)?;
    let mut write = |row: Row<'_>| -> io::Result<()> {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut date = Vec::new();
        if let Some(instant) = row.date {
            clock.rfc3339(instant, &mut date);
        }
        let date = String::from_utf8_lossy(&date).into_owned();
        let [items, low, high] = [row.items, row.low, row.high].map(number);
        let link = row.link.unwrap_or_default();
        csv.write_record([row.table, row.name, row.id, &items, &low, &high, &date, row.place, &link])?;
        Ok(())
    };
    write(Row::sum("total", "", &found.total))?;
    for (category, sum) in &found.categories {
        write(Row::sum("category", category_name(*category), sum))?;
    }
    for of in &found.conversations {
        let (name, id) = of.conversation.as_ref().map_or(("", ""), |of| (of.title.as_str(), of.id.as_str()));
        write(Row { id, ..Row::sum("conversation", name, &of.amount) })?;
    }
    for (year, sum) in &found.years {
        let year = year.map(|year| year.to_string()).unwrap_or_default();
        write(Row::sum("year", &year, sum))?;
    }
    for (who, sum) in &found.senders {
        let handles = match who {
            Who::Person(person) => person.handles.join(" "),
            Who::Me | Who::Unknown => String::new(),
        };
        write(Row { id: &handles, ..Row::sum("sender", words::who(who, me), sum) })?;
    }
    for item in &found.largest {
        write(Row {
            id: item.guid.as_deref().unwrap_or_default(),
            date: item.date,
            place: item.availability.name(),
            link: item.message.as_deref().map(link),
            ..Row::bytes("largest", item.name.as_deref().unwrap_or_default(), Some(item.bytes))
        })?;
    }
    let states = found.places.states;
    write(Row::bytes("where", "here_and_icloud", states.map(|states| states.here_and_icloud)))?;
    write(Row::bytes("where", "icloud_only", states.map(|states| states.icloud_only)))?;
    write(Row::bytes("where", "here_only", states.map(|states| states.here_only)))?;
    write(Row::bytes("where", "lost", states.map(|states| states.lost)))?;
    let deleted = found.recently_deleted;
    let bytes = Row::bytes("recently_deleted", "", deleted.map(|deleted| deleted.bytes));
    write(Row { items: deleted.map(|deleted| deleted.items), ..bytes })?;
    for kept in &found.keep {
        let table = match setting_name(kept.setting) {
            "30d" => "keep_30d",
            "1y" => "keep_1y",
            _ => "keep_forever",
        };
        let attachments = Row::bytes(table, "attachments", Some(kept.attachment_bytes));
        let messages = Row::bytes(table, "messages", Some(kept.message_bytes));
        write(Row { items: Some(kept.messages), ..messages })?;
        write(Row::count(table, "tapbacks", kept.tapbacks))?;
        write(Row { items: Some(kept.attachments), ..attachments })?;
        write(Row::count(table, "conversations", kept.conversations))?;
        write(Row { date: kept.oldest_kept, ..Row { table, name: "oldest_kept", ..Row::default() } })?;
        if let Some(missing) = kept.not_in_archive {
            write(Row::count(table, "messages_not_in_archive", missing.messages))?;
            write(Row::count(table, "attachments_not_in_archive", missing.attachments))?;
        }
    }
    if let Some(freed) = &found.freed {
        let sum = Amount { items: freed.messages + freed.attachments, low: freed.low, high: freed.high };
        write(Row::sum("what_if", "", &sum))?;
    }
    for blocked in found.gate.iter().flat_map(|passage| &passage.blocked) {
        write(Row {
            table: "gate",
            name: blocked.name.as_deref().unwrap_or_default(),
            id: blocked.guid.as_deref().unwrap_or_default(),
            date: blocked.date,
            place: why_name(&blocked.why),
            ..Row::default()
        })?;
    }
    for sentence in words::assumptions(found) {
        write(Row { table: "assumption", name: &sentence, ..Row::default() })?;
    }
    csv.flush()
}
