//! The list as a table: one row an attachment. It is opened in spreadsheets, so no cell may begin as a formula does, and
//! read again by the next run.

use std::collections::HashMap;
use std::io;

use chrono_tz::Tz;
use csv::{ReaderBuilder, WriterBuilder};

use super::{Item, Section, State, WorkList};
use crate::model::Instant;
use crate::writers::clock::Clock;

const HEADER: [&str; 10] = [
    "state",
    "since",
    "conversation_id",
    "conversation",
    "date",
    "name",
    "bytes",
    "link",
    "message_guid",
    "attachment_guid",
];

/// What a cell begins with that a spreadsheet would run.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Writes the list.
///
/// # Errors
/// What writing said.
pub fn write(list: &WorkList, zone: Tz, to: &mut dyn io::Write) -> io::Result<()> {
    let mut clock = Clock::new(zone);
    let mut date = |instant: Option<Instant>| {
        let mut text = Vec::new();
        instant.into_iter().for_each(|instant| clock.rfc3339(instant, &mut text));
        String::from_utf8_lossy(&text).into_owned()
    };
    let mut table = WriterBuilder::new().from_writer(to);
    table.write_record(HEADER)?;
    for section in &list.conversations {
        for item in &section.items {
            table.write_record([
                item.state.name(),
                &date(item.state.since()),
                &section.id,
                &shielded(&section.title),
                &date(item.date),
                &shielded(&item.name),
                &item.bytes.to_string(),
                &item.link().unwrap_or_default(),
                &shielded(&item.message),
                &shielded(&item.guid),
            ])?;
        }
    }
    table.flush()
}

/// Reads a list that was written; `None`: it is something else. Rows that somebody broke are left out.
pub fn read(table: &[u8]) -> Option<WorkList> {
    let mut rows = ReaderBuilder::new().flexible(true).from_reader(table);
    if rows.headers().ok()?.iter().ne(HEADER) {
        return None;
    }
    let mut list = WorkList::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in rows.records().map_while(Result::ok) {
        let Some((id, title, item)) = item(&row) else { continue };
        let place = *places.entry(id.clone()).or_insert_with(|| {
            list.conversations.push(Section { id, title, items: Vec::new() });
            list.conversations.len() - 1
        });
        if let Some(section) = list.conversations.get_mut(place) {
            section.items.push(item);
        }
    }
    Some(list)
}

fn item(row: &csv::StringRecord) -> Option<(String, String, Item)> {
    let cell = |name: &str| row.get(HEADER.iter().position(|known| *known == name)?);
    let since = || cell("since")?.parse::<Instant>().ok();
    let state = match cell("state")? {
        "to fetch" => State::ToFetch,
        "arrived" => State::Arrived(since()?),
        "gone" => State::Gone(since()?),
        _ => return None,
    };
    let item = Item {
        guid: bare(cell("attachment_guid")?),
        message: bare(cell("message_guid")?),
        date: cell("date")?.parse().ok(),
        name: bare(cell("name")?),
        bytes: cell("bytes")?.parse().unwrap_or(0),
        state,
    };
    Some((cell("conversation_id")?.to_owned(), bare(cell("conversation")?), item))
}

fn shielded(text: &str) -> String {
    match text.starts_with(FORMULA) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn bare(text: &str) -> String {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::list;
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut table = Vec::new();
        write(&list(), chrono_tz::Europe::Berlin, &mut table).unwrap();
        assert_eq!(read(&table), Some(list()));
        let text = String::from_utf8(table).unwrap();
        assert!(text.contains(",'=cmd|' /C calc'!A0.mov,"), "{text}");
        assert!(text.contains("sms://open?message-guid=1A,"), "{text}");
        assert!(!text.contains(",="), "{text}");
    }

    #[test]
    fn what_somebody_else_wrote_is_not_taken_for_it() {
        for foreign in ["", "a,b\n1,2\n", "state,since\n"] {
            assert_eq!(read(foreign.as_bytes()), None);
        }
        let broken = format!("{}\nwhat,,c-1\nto fetch,,c-1,A,,n,x,,m,g\n", HEADER.join(","));
        let list = read(broken.as_bytes()).unwrap();
        assert_eq!((list.counts().to_fetch, list.conversations.len()), (1, 1));
    }
}
