//! Rows of which the hash is gone, too, and whatever else speaks of them: a source that has them gives them again, as what they
//! were; and where none has, that is told.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::damage::Kept;
use super::device::{DAY, Device};
use super::vouched::{Rich, blessed, failing, rows_of};
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

/// What speaks of a row of each table, besides the row and its hash: a condition in which `?` is the row's id.
fn speaking_of(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "message" => &[
            ("msgarchive_sighting", "kind = 3 AND id = ?"),
            ("chat_message_join", "message_id = ?"),
            ("msgarchive_chat_message_join", "message_id = ?"),
            ("message_attachment_join", "message_id = ?"),
            ("msgarchive_message_attachment_join", "message_id = ?"),
            ("msgarchive_message_version", "msgarchive_id = ?"),
            ("msgarchive_absence", "message = ?"),
        ],
        "attachment" => &[
            ("msgarchive_sighting", "kind = 2 AND id = ?"),
            ("message_attachment_join", "attachment_id = ?"),
            ("msgarchive_message_attachment_join", "attachment_id = ?"),
            ("msgarchive_content", "attachment = ?"),
            ("msgarchive_former_content", "attachment = ?"),
            ("msgarchive_attachment_version", "msgarchive_id = ?"),
        ],
        "chat" => &[
            ("msgarchive_sighting", "kind = 1 AND id = ?"),
            ("chat_message_join", "chat_id = ?"),
            ("msgarchive_chat_message_join", "chat_id = ?"),
            ("chat_handle_join", "chat_id = ?"),
            ("msgarchive_chat_handle_join", "chat_id = ?"),
            ("chat_lookup", "chat = ?"),
            ("msgarchive_chat_lookup", "chat = ?"),
            ("msgarchive_participant", "chat = ?"),
            ("msgarchive_member", "chat = ?"),
            ("msgarchive_identifier", "chat = ?"),
            ("msgarchive_looked_up", "chat = ?"),
            ("msgarchive_chat_version", "msgarchive_id = ?"),
        ],
        _ => &[
            ("msgarchive_sighting", "kind = 0 AND id = ?"),
            ("chat_handle_join", "handle_id = ?"),
            ("msgarchive_chat_handle_join", "handle_id = ?"),
            ("msgarchive_participant", "handle = ?"),
        ],
    }
}

type Way = Vec<(&'static str, &'static str)>;

/// The row and its hash, and: nothing else; one thing more; a join with its book, with or without the row; of messages and what
/// they carry, all that speaks of them, too, or all but one thing.
fn ways(table: &'static str) -> Vec<Way> {
    let speaking = speaking_of(table);
    let book = ["msgarchive_handle", "msgarchive_chat", "msgarchive_attachment", "msgarchive_message"];
    let book = book.into_iter().find(|book| book.ends_with(&format!("_{table}"))).unwrap();
    let both = [(table, "ROWID = ?"), (book, "id = ?")];
    let with = |more: &[(&'static str, &'static str)]| both.iter().chain(more).copied().collect::<Way>();
    let mut ways = vec![with(&[])];
    ways.extend(speaking.iter().map(|one| with(&[*one])));
    for join in
        speaking.iter().filter(|(table, _)| table.ends_with("_join") && !table.starts_with("msgarchive_"))
    {
        let book = speaking.iter().find(|(table, _)| *table == format!("msgarchive_{}", join.0)).unwrap();
        if table == "message" || table == "attachment" {
            ways.push(vec![*join, *book]);
        }
        ways.push(with(&[*join, *book]));
    }
    if table == "message" || table == "attachment" {
        ways.push(with(speaking));
        for one in speaking {
            let others: Way = speaking.iter().copied().filter(|other| other != one).collect();
            ways.push(with(&others));
        }
    }
    ways
}

fn remove(archive: &Path, way: &[(&str, &str)], ids: &[i64]) -> usize {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let removed = way
        .iter()
        .flat_map(|(table, of)| ids.iter().map(move |id| (table, of, id)))
        .map(|(table, of, id)| db.execute(&format!("DELETE FROM {table} WHERE {of}"), [id]).unwrap());
    removed.sum()
}

/// What is shown and known of messages, whatever the numbers of their rows.
fn told(archive: &Path) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let mut told = Vec::new();
    for sql in [
        "SELECT 'message', m.guid, coalesce(m.text, hex(m.attributedBody)), h.id, h.service FROM message m \
           LEFT JOIN handle h ON h.ROWID = m.handle_id",
        "SELECT 'place', c.guid, m.guid, j.message_date, '' FROM chat_message_join j \
           LEFT JOIN chat c ON c.ROWID = j.chat_id LEFT JOIN message m ON m.ROWID = j.message_id",
        "SELECT 'carried', m.guid, a.guid, a.transfer_name, c.path FROM message_attachment_join j \
           LEFT JOIN message m ON m.ROWID = j.message_id LEFT JOIN attachment a ON a.ROWID = j.attachment_id \
           LEFT JOIN msgarchive_content c ON c.attachment = a.ROWID",
        "SELECT 'member', c.guid, h.id, h.service, '' FROM chat_handle_join j \
           LEFT JOIN chat c ON c.ROWID = j.chat_id LEFT JOIN handle h ON h.ROWID = j.handle_id",
    ] {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| {
                let value = |at| row.get::<_, rusqlite::types::Value>(at).map(|value| format!("{value:?}"));
                Ok((0..5).map(|at| value(at).unwrap()).collect::<Vec<_>>().join(" "))
            })
            .unwrap();
        told.extend(rows.map(Result::unwrap));
    }
    told.sort();
    told
}

/// What is in one of two, and not in the other.
fn differing(whole: &[String], now: &[String]) -> Vec<String> {
    let short = |sign: char, line: &String| format!("{sign} {}", line.chars().take(160).collect::<String>());
    let came = now.iter().filter(|line| !whole.contains(line)).map(|line| short('+', line));
    came.chain(whole.iter().filter(|line| !now.contains(line)).map(|line| short('-', line))).collect()
}

#[test]
fn what_lost_its_hash_too_is_what_it_was_once_a_source_gives_it() {
    let rich = Rich::new();
    let db = Connection::open(rich.archive().join("chat.db")).unwrap();
    let seen = "SELECT DISTINCT s.id FROM msgarchive_sighting s WHERE kind = ?1 AND source IN (1, 2) AND \
        EXISTS (SELECT 1 FROM msgarchive_source o WHERE o.source = s.source AND o.kind <> 'archive') ORDER BY 1";
    let mut all = Vec::new();
    for (kind, table) in ["handle", "chat", "attachment", "message"].into_iter().enumerate() {
        let ids: Vec<i64> = db
            .prepare(seen)
            .unwrap()
            .query_map([kind as i64], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            // It came again under another GUID: its first one is told by nobody else.
            .filter(|id| (table, *id) != ("message", 7))
            .collect();
        assert!(!ids.is_empty(), "{table}");
        for way in ways(table) {
            all.extend(ids.iter().map(|id| (table, way.clone(), vec![*id])));
            // Which of two it is that comes again is told by who is known to have them, or when they were sent.
            let is_told = table == "message" && way.len() < 5
                || way.iter().all(|(table, _)| *table != "msgarchive_sighting");
            if ids.len() > 1 && is_told {
                all.push((table, way.clone(), ids[..2].to_vec()));
            }
        }
    }
    drop(db);
    let next = rich.copy();
    next.run(5).unwrap();
    let (whole, shown) = (rows_of(&next), told(&next.archive()));
    let failing = failing(&all, |(_, way, ids)| {
        let copy = rich.copy();
        if remove(&copy.archive(), way, ids) == 0 {
            return None;
        }
        let tables: Vec<&str> = way.iter().map(|(table, _)| *table).collect();
        let found = copy.found();
        if found.is_empty() {
            return Some(format!("{tables:?} {ids:?}: is not found"));
        }
        let record = match copy.run(5) {
            Ok(record) => record,
            Err(error) => return Some(format!("{tables:?} {ids:?}: {found:#?}, and a run fails: {error:?}")),
        };
        let left = copy.found();
        if !left.is_empty() {
            return Some(format!("{tables:?} {ids:?}: {found:#?}, and after a run {left:#?}"));
        }
        let mut differing = differing(&shown, &told(&copy.archive()));
        if record.lost.iter().any(|words| words.contains("of which nothing else tells, in chat_message_join"))
        {
            // No source has them any more.
            let are_gone = ["Text(\"Q\")", "Text(\"O\")"];
            differing.retain(|line| {
                !(line.starts_with("- Text(\"place\")") && are_gone.iter().any(|guid| line.contains(guid)))
            });
        }
        if !differing.is_empty() {
            return Some(format!(
                "{tables:?} {ids:?}: {found:#?}, lost {:#?}, and then {differing:#?}",
                record.lost
            ));
        }
        // Of one row its sum tells all that its hash was kept with.
        let blessed: Vec<String> =
            blessed(&whole, &rows_of(&copy)).iter().map(|line| line.chars().take(160).collect()).collect();
        let is_worked_out = tables.len() == 2 && ids.len() == 1 && blessed.is_empty();
        (record.lost.is_empty() && !blessed.is_empty() || is_worked_out && !record.lost.is_empty()).then(
            || {
                format!(
                    "{tables:?} {ids:?}: {found:#?}, lost {:#?}, and taken without a word {blessed:#?}",
                    record.lost
                )
            },
        )
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// A message whose source has it no more, and one that it has: of an archive of one library.
fn half_gone() -> Kept {
    let kept = Kept::new();
    let library = Connection::open(kept.library().join("chat.db")).unwrap();
    library
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE ROWID = 31;
             DELETE FROM chat_message_join WHERE message_id = 31;
             DELETE FROM message WHERE ROWID = 31;",
        )
        .unwrap();
    kept.run(4);
    kept
}

/// What is lost is named, once: a later run neither says it again, nor gives what is left of it to another message.
#[test]
fn what_no_source_has_any_more_is_told() {
    let both = [("message", "ROWID = ?"), ("msgarchive_message", "id = ?")];
    let of_absence = ("msgarchive_absence", "message = ?");
    let places =
        [("chat_message_join", "message_id = ?"), ("msgarchive_chat_message_join", "message_id = ?")];
    let ways: [Way; 4] = [
        both.to_vec(),
        both.into_iter().chain([of_absence]).collect(),
        both.into_iter().chain(places).collect(),
        places.to_vec(),
    ];
    for (at, way) in ways.iter().enumerate() {
        let kept = half_gone();
        remove(&kept.path(), way, &[31]);
        let program = Program::new();
        let archive = kept.path().to_string_lossy().into_owned();
        let json = program.run(&["verify", &archive, "--json"]).with_code(3).out;
        let problems: Value = serde_json::from_str(&json).unwrap();
        let is_named = |name: &str| problems["problems"].to_string().contains(name);
        assert!(
            is_named(if at < 3 { "a message (row 31 of message) is gone" } else { "chat_message_join has" }),
            "{json}"
        );
        let library = Connection::open(kept.library().join("chat.db")).unwrap();
        library
            .execute_batch(
                "INSERT INTO message (ROWID, guid, text, handle_id, date) VALUES (40, 'NEXT', 'comes next', 1, 5);",
            )
            .unwrap();
        let record = add(&kept.path(), &[&kept.library()], 5 * 86_400).unwrap();
        let named = if at < 3 {
            "a message (row 31 of message)"
        } else {
            "of a message, its place in the chat (1 times"
        };
        assert!(record.lost.iter().any(|words| words.starts_with(named)), "{at}: {:#?}", record.lost);
        assert_eq!(kept.found(), [""; 0], "{at}");
        let of_next = "SELECT count(*) FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id WHERE m.guid = 'NEXT'";
        assert_eq!(kept.count(of_next), 0, "{at}");
        let lost = kept.check(true).lost.len();
        kept.sql("DELETE FROM message WHERE ROWID = 5");
        kept.sql("DELETE FROM msgarchive_message WHERE id = 5");
        assert!(!kept.found().is_empty());
        let record = add(&kept.path(), &[&kept.library()], 6 * 86_400).unwrap();
        assert_eq!((record.lost.len(), kept.found().len()), (0, 0), "{at}: {:#?}", record.lost);
        assert_eq!(kept.check(true).lost.len(), lost, "{at}");
        assert_eq!(kept.count("SELECT count(*) FROM message WHERE ROWID = 5"), 1, "{at}");
    }
}

/// Of one that was edited there is what it was before.
#[test]
fn what_it_was_before_is_shown_where_nothing_has_it_as_it_was_last() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "first words");
    mac.receive("B", 0, START + 1, "and so on");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START).unwrap();
    mac.edit("A", START + DAY, "second words");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.remove("A", true, "deleted");
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    remove(&archive, &[("message", "ROWID = ?"), ("msgarchive_message", "id = ?")], &[1]);
    let told = program.run(&["verify", "archive"]).with_code(3).out;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let named =
        "a message (row 1 of message) is gone; it was sent 2023-03-08T20:26:40+00:00, in +12025550143 (A)";
    assert!(told.contains(named), "{told}");
    let record = add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    let shown = "a message, as it was last: it is shown as it was before that (A)";
    assert!(record.lost.iter().any(|words| words == shown), "{:#?}", record.lost);
    program.run(&["verify", "archive"]).with_code(0);
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let text: String =
        db.query_row("SELECT text FROM message WHERE guid = 'A'", [], |row| row.get(0)).unwrap();
    assert_eq!(text, "first words");
}
