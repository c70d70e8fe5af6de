//! Sources that are not as Apple makes them: made or mended by other programs, of other types, with columns of their own. Each
//! cell of them is in the archive as it was, or an error names the table.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;

use msgarchive::archive::{ArchiveError, check};
use msgarchive::source::tables::Tables;
use msgarchive::source::{OpenOptions, SourceError};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::add;
use super::device::{DAY, Device};
use super::seen::{all_rows, pairs};
use crate::support::{Library, Schema};

const START: i64 = 700_000_000;

/// A library with messages, a picture, a group, and what Recently Deleted has.
fn library(folder: &Path, schema: Schema) -> Device {
    let mut mac = Device::new(folder, schema);
    for (number, guid) in ["A", "B", "C", "D"].into_iter().enumerate() {
        mac.receive(guid, number % 3, START + number as i64, &format!("message {guid}"));
    }
    mac.db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON").unwrap();
    for (trigger, _) in pairs(&mac.db, "SELECT name, '' FROM sqlite_master WHERE type = 'trigger'") {
        mac.db.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    mac
}

/// Makes a table anew: columns with these types, and what else is said of it.
pub fn make_anew(db: &Connection, table: &str, types: &[(&str, &str)], with: &str) {
    let columns = pairs(db, &format!("SELECT name, type FROM pragma_table_info('{table}')"));
    let column = |(name, declared): &(String, String)| {
        let other = types.iter().find(|(of, _)| of == name || *of == "*" && name != "ROWID");
        let key = if name == "ROWID" { "PRIMARY KEY" } else { "" };
        format!("\"{name}\" {} {key}", other.map_or(declared.as_str(), |(_, declared)| declared))
    };
    let columns: Vec<String> = columns.iter().map(column).collect();
    db.execute_batch(&format!(
        "ALTER TABLE {table} RENAME TO was; CREATE TABLE {table} ({}) {with}; INSERT INTO {table} SELECT * FROM was; \
         DROP TABLE was",
        columns.join(", ")
    ))
    .unwrap();
}

/// Every cell of a table that is not translated: by what its row is known by and its column, as SQLite has it.
fn cells(db: &Connection, table: &str, known_by: &str) -> BTreeMap<String, String> {
    let mut statement = db.prepare(&format!("SELECT {known_by}, * FROM {table} t")).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).unwrap();
    let mut cells = BTreeMap::new();
    while let Some(row) = rows.next().unwrap() {
        let of = format!("{:?}", row.get_ref(0).unwrap());
        for (at, name) in names.iter().enumerate().skip(1) {
            let lower = name.to_ascii_lowercase();
            // SQLite has names for row ids under which no column can be added.
            let lower = lower.trim_end_matches("_as_column");
            let is_translated = ["rowid", "_rowid_", "filename", "user_info"].contains(&lower)
                || ["handle", "other_handle", "handle_id", "chat_id", "message_id", "chat", "attachment_id"]
                    .contains(&lower);
            let value = row.get_ref(at).unwrap();
            // What a source has not is nothing here; nothing and 0 are the same in Apple's columns.
            if !is_translated
                && !lower.starts_with("msgarchive_")
                && ![ValueRef::Null, ValueRef::Integer(0)].contains(&value)
            {
                cells.insert(format!("{of} {lower}"), format!("{value:?}"));
            }
        }
    }
    cells
}

const PLACE: &str = "(SELECT m.guid || ' ' || c.guid FROM message m, chat c WHERE m.ROWID = t.message_id AND c.ROWID = t.chat_id)";
const TABLES: [(&str, &str); 5] = [
    ("message", "t.guid"),
    ("chat", "t.guid"),
    ("attachment", "t.guid"),
    ("handle", "t.id || ' ' || t.service"),
    ("chat_message_join", PLACE),
];
const HANDLES: &str = "SELECT m.guid, h.id FROM message m JOIN handle h ON h.ROWID = m.handle_id ORDER BY 1";
const MEMBERS: &str = "SELECT c.guid, h.id FROM chat_handle_join j JOIN chat c ON c.ROWID = j.chat_id \
     JOIN handle h ON h.ROWID = j.handle_id ORDER BY 1, 2";

/// All that is said of an error, one after the other.
fn in_words(error: &ArchiveError) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(&format!(": {error}"));
        source = error.source();
    }
    words
}

/// The archive has all of it, twice the same, and whole; or says which table it cannot take: `refused`.
#[track_caller]
fn is_kept((db, folder): (&Connection, &Path), archive: &Path, refused: Option<&str>, when: &str) {
    let added = add(archive, &[folder], START + DAY);
    if let Some(refused) = refused {
        let words = added.map(drop).map_err(|error| in_words(&error)).expect_err(when);
        assert!(words.contains(refused), "{when}: {words}");
        return;
    }
    let record = added.unwrap_or_else(|error| panic!("{when}: {}", in_words(&error)));
    assert!(record.unreadable.is_empty(), "{when}: {:?}", record.unreadable);
    let here = Connection::open(archive.join("chat.db")).unwrap();
    for (table, known_by) in TABLES {
        let there = cells(db, table, known_by);
        let here = cells(&here, table, known_by);
        for (cell, value) in &there {
            assert_eq!(here.get(cell), Some(value), "{when}: {table} {cell}");
        }
    }
    for sql in [HANDLES, MEMBERS] {
        let known = pairs(&here, sql);
        for pair in pairs(db, sql) {
            assert!(known.contains(&pair), "{when}: {pair:?}");
        }
    }
    drop(here);
    let before = all_rows(archive);
    let again = add(archive, &[folder], START + 2 * DAY)
        .unwrap_or_else(|error| panic!("{when}: {}", in_words(&error)));
    assert_eq!((again.counts.added, again.counts.changed), (0, 0), "{when}");
    assert_eq!(all_rows(archive), before, "{when}");
    assert_eq!(check(archive, true, 1, &()).unwrap().problems, [], "{when}");
}

/// What is odd about a library, and with which words it is refused, if it is.
type Case = (&'static str, fn(&Connection), Option<&'static str>);

fn run(db: &Connection, sql: &str) {
    db.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Values of every type, in columns that do not change them.
const ANY: &str = "UPDATE message SET text = 5, subject = 2.5 WHERE guid = 'A';
     UPDATE message SET text = x'ff00', subject = '007', date = '700000001000000000' WHERE guid = 'B';
     UPDATE message SET text = CAST(x'61ff62' AS TEXT), subject = 'a' || char(0) || 'b', error = 9e999 WHERE guid = 'C';
     UPDATE message SET text = '', subject = x'', error = -9e999, date_read = 3.0 WHERE guid = 'D'";

const CASES: [Case; 20] = [
    (
        "texts that are no texts",
        |db| {
            run(
                db,
                "UPDATE message SET text = CAST(x'61ff62c0' AS TEXT), subject = 'a' || char(0) || 'b', attributedBody = 'text' WHERE guid = 'A'",
            )
        },
        None,
    ),
    (
        "columns that take anything",
        |db| {
            make_anew(
                db,
                "message",
                &[
                    ("text", "BLOB"),
                    ("subject", ""),
                    ("date", "BLOB"),
                    ("error", "ANY BLOB"),
                    ("date_read", ""),
                ],
                "",
            );
            run(db, ANY);
        },
        None,
    ),
    (
        "a STRICT table",
        |db| {
            make_anew(db, "message", &[("*", "ANY")], "STRICT");
            run(db, ANY);
        },
        None,
    ),
    (
        "no types at all",
        |db| {
            make_anew(db, "message", &[("*", "")], "");
            make_anew(db, "chat", &[("*", "")], "");
            run(db, ANY);
            run(db, "UPDATE chat SET display_name = 12, properties = 'text'");
        },
        None,
    ),
    (
        "dates that are texts and numbers that are broken",
        |db| {
            make_anew(
                db,
                "message",
                &[("date", "TEXT"), ("date_read", "REAL"), ("error", "FLOAT"), ("is_read", "TEXT")],
                "",
            );
            run(
                db,
                "UPDATE message SET error = 9e999 WHERE guid = 'A'; UPDATE message SET error = 0.1, date_read = 7 WHERE guid = 'B'",
            );
        },
        None,
    ),
    (
        "joins of texts",
        |db| {
            make_anew(db, "chat_message_join", &[("*", "TEXT")], "");
            make_anew(db, "chat_handle_join", &[("*", "TEXT")], "");
            make_anew(db, "message", &[("handle_id", "TEXT")], "");
        },
        None,
    ),
    (
        "joins without row ids",
        |db| {
            run(db, "ALTER TABLE chat_message_join RENAME TO was;
            CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER, message_date INTEGER, PRIMARY KEY (chat_id, message_id)) WITHOUT ROWID;
            INSERT INTO chat_message_join SELECT chat_id, message_id, message_date FROM was; DROP TABLE was");
        },
        None,
    ),
    ("messages without row ids", |db| make_anew(db, "message", &[], "WITHOUT ROWID"), None),
    (
        "messages without row ids, known by their GUIDs",
        |db| {
            run(db, "CREATE TABLE other (guid TEXT PRIMARY KEY, text TEXT, handle_id INTEGER, service TEXT, date INTEGER, is_from_me INTEGER) WITHOUT ROWID;
            INSERT INTO other SELECT guid, text, handle_id, service, date, is_from_me FROM message; DROP TABLE message; ALTER TABLE other RENAME TO message");
        },
        Some("the table message"),
    ),
    (
        "a column ROWID that is none",
        |db| {
            run(db, "CREATE TABLE other (rowid TEXT, guid TEXT, text TEXT, handle_id INTEGER, service TEXT, date INTEGER, is_from_me INTEGER);
            INSERT INTO other SELECT 'row ' || ROWID, guid, text, handle_id, service, date, is_from_me FROM message; DROP TABLE message; ALTER TABLE other RENAME TO message");
        },
        Some("the table message"),
    ),
    (
        "columns named like row ids",
        |db| {
            run(db, "CREATE TABLE other (ROWID INTEGER PRIMARY KEY, oid TEXT, guid TEXT, text TEXT, handle_id INTEGER, service TEXT, date INTEGER, is_from_me INTEGER);
            INSERT INTO other SELECT ROWID, 'object ' || ROWID, guid, text, handle_id, service, date, is_from_me FROM message; DROP TABLE message; ALTER TABLE other RENAME TO message;
            CREATE TABLE place (OID INTEGER, chat_id INTEGER, message_id INTEGER, message_date INTEGER);
            INSERT INTO place SELECT 7, chat_id, message_id, message_date FROM chat_message_join; DROP TABLE chat_message_join; ALTER TABLE place RENAME TO chat_message_join");
        },
        None,
    ),
    (
        "row ids of other names",
        |db| {
            run(db, "CREATE TABLE other (_RowID_ INTEGER PRIMARY KEY, oid INTEGER, oid_as_column INTEGER, guid TEXT, text TEXT, handle_id INTEGER, service TEXT, date INTEGER, is_from_me INTEGER);
            INSERT INTO other SELECT ROWID, 5, 5, guid, text, handle_id, service, date, is_from_me FROM message; DROP TABLE message; ALTER TABLE other RENAME TO message");
        },
        None,
    ),
    (
        "columns that are worked out",
        |db| {
            run(
                db,
                "ALTER TABLE message ADD COLUMN length INTEGER GENERATED ALWAYS AS (length(text)) VIRTUAL;
         ALTER TABLE chat ADD COLUMN shouted TEXT GENERATED ALWAYS AS (upper(display_name)) VIRTUAL",
            )
        },
        None,
    ),
    (
        "columns with odd names",
        |db| {
            run(db,
        "ALTER TABLE message ADD COLUMN \"a \"\"quoted\"\" name\" TEXT; ALTER TABLE message ADD COLUMN \"select\" INTEGER;
         ALTER TABLE message ADD COLUMN \"É\" TEXT; ALTER TABLE message ADD COLUMN \"é\" TEXT; ALTER TABLE message ADD COLUMN \"1\" DECIMAL(10, 5);
         ALTER TABLE message ADD COLUMN \"a'b;--\" TEXT; ALTER TABLE chat_message_join ADD COLUMN \"Ü\" TEXT;
         UPDATE message SET \"a \"\"quoted\"\" name\" = 'one', \"select\" = 2, \"É\" = 'three', \"é\" = 'four', \"1\" = 5.5, \"a'b;--\" = 'six';
         UPDATE chat_message_join SET \"Ü\" = 'seven'")
        },
        None,
    ),
    (
        "columns named like ours",
        |db| {
            run(db,
        "ALTER TABLE message ADD COLUMN msgarchive_id INTEGER DEFAULT 7; ALTER TABLE message ADD COLUMN MsgArchive_Since TEXT DEFAULT 'x';
         ALTER TABLE chat_handle_join ADD COLUMN msgarchive_hash TEXT DEFAULT 'x'")
        },
        None,
    ),
    (
        "names in another case",
        |db| {
            run(db,
        "ALTER TABLE message RENAME COLUMN text TO TeXt; ALTER TABLE message RENAME COLUMN guid TO GUID; ALTER TABLE message RENAME TO MESSAGES;
         ALTER TABLE MESSAGES RENAME TO Message; ALTER TABLE chat_message_join RENAME COLUMN chat_id TO Chat_ID")
        },
        None,
    ),
    (
        "other tables, views and triggers",
        |db| {
            run(db,
        "CREATE VIRTUAL TABLE found USING fts5(text); INSERT INTO found SELECT text FROM message; CREATE VIEW latest AS SELECT * FROM message;
         CREATE TRIGGER no_reading AFTER INSERT ON message BEGIN SELECT RAISE(ABORT, 'no'); END;
         CREATE TABLE msgarchive_notes (a); CREATE TABLE \"a table; with a name\" (a)")
        },
        None,
    ),
    (
        "row ids at all ends",
        |db| {
            run(db,
        "UPDATE message SET ROWID = -9223372036854775808 WHERE guid = 'A'; UPDATE message SET ROWID = 9223372036854775807 WHERE guid = 'B';
         UPDATE chat_message_join SET message_id = -9223372036854775808 WHERE message_id = 1; UPDATE chat_message_join SET message_id = 9223372036854775807 WHERE message_id = 2;
         UPDATE chat SET ROWID = -1 WHERE ROWID = 1; UPDATE chat_message_join SET chat_id = -1 WHERE chat_id = 1; UPDATE chat_handle_join SET chat_id = -1 WHERE chat_id = 1")
        },
        None,
    ),
    (
        "hardly any columns",
        |db| {
            run(db, "CREATE TABLE other (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, handle_id INTEGER, date INTEGER, is_from_me INTEGER, service TEXT);
            INSERT INTO other SELECT ROWID, guid, text, handle_id, date, is_from_me, service FROM message; DROP TABLE message; ALTER TABLE other RENAME TO message;
            CREATE TABLE fewer (ROWID INTEGER PRIMARY KEY, guid TEXT, chat_identifier TEXT, service_name TEXT, display_name TEXT);
            INSERT INTO fewer SELECT ROWID, guid, chat_identifier, service_name, display_name FROM chat; DROP TABLE chat; ALTER TABLE fewer RENAME TO chat");
            for (table, _) in pairs(
                db,
                "SELECT name, '' FROM sqlite_master WHERE type = 'table' AND name NOT IN \
             ('message', 'chat', 'handle', 'attachment', 'chat_message_join', 'chat_handle_join', 'message_attachment_join') AND name NOT LIKE 'sqlite%'",
            ) {
                run(db, &format!("DROP TABLE \"{table}\""));
            }
        },
        None,
    ),
    (
        "addresses that are numbers",
        |db| {
            make_anew(db, "handle", &[("id", "BLOB")], "");
            run(db, "UPDATE handle SET id = 12025550143 WHERE ROWID = 1");
        },
        Some("the table handle"),
    ),
];

#[test]
fn every_cell_of_odd_sources_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (when, make_odd, refused) in CASES {
        let folder = folder.path().join(when);
        let mac = library(&folder.join("mac"), Schema::MACOS_26);
        make_odd(&mac.db);
        let odd = (&mac.db, mac.folder.as_path());
        is_kept(odd, &folder.join("new"), refused, when);
        // Into one that has had what is usual.
        let usual = library(&folder.join("usual"), Schema::MACOS_15);
        usual
            .db
            .execute_batch("UPDATE message SET guid = 'USUAL-' || guid, text = 'usual ' || text")
            .unwrap();
        let archive = folder.join("archive");
        add(&archive, &[&usual.folder], START).unwrap();
        is_kept(odd, &archive, refused, &format!("{when}, beside another"));
    }
}

/// More columns than a table of the archive can have, beside its own.
#[test]
fn more_columns_than_fit_are_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mac = library(&folder.path().join("mac"), Schema::MACOS_26);
    let there = mac.db.prepare("SELECT * FROM message").unwrap().column_count();
    for number in there..2000 {
        mac.db.execute_batch(&format!("ALTER TABLE message ADD COLUMN c{number} INTEGER")).unwrap();
    }
    let archive = folder.path().join("archive");
    is_kept((&mac.db, &mac.folder), &archive, Some("the table message has 2000 columns"), "2000 columns");
    assert_eq!(check(&archive, true, 1, &()).unwrap().problems, []);
}

/// Every era, as its fixture has it.
#[test]
fn every_cell_of_every_era_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for schema in Schema::ALL {
        let folder = folder.path().join(schema.name);
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let bo = library.handle("bo@example.com", "SMS");
        let (direct, group) = (library.direct(bo), library.group(&[ana, bo], "Harbor"));
        let picture = library.attachment("IMG_0001.png").bytes(b"bytes").id();
        library.message(group).from(ana).text("look").attachment(picture);
        library.message(direct).from_me().text("one");
        library.message(direct).from(bo).text("two");
        let db = Connection::open(library.write(&folder.join("library"))).unwrap();
        is_kept((&db, &folder.join("library")), &folder.join("archive"), None, schema.name);
    }
}

/// Rows of a view have no row ids.
#[test]
fn a_view_in_place_of_a_table_is_no_library() {
    let folder = tempfile::tempdir().unwrap();
    let mac = library(&folder.path().join("mac"), Schema::MACOS_26);
    run(
        &mac.db,
        "ALTER TABLE message RENAME TO other; CREATE VIEW message AS SELECT rowid AS ROWID, * FROM other",
    );
    let opened = Tables::open(&mac.folder, &OpenOptions::default());
    assert!(matches!(opened, Err(SourceError::NotMessages { .. })), "{opened:?}");
}
