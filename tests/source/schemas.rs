//! Any schema, and any type in any column.

use std::fs;
use std::path::Path;

use msgarchive::source::{ChatId, Source, SourceError};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;

use super::{altered, open, opened, read, read_all, rowids, texts, try_open};
use crate::support::{Library, Schema, Tapback};

/// A database of these statements.
fn database(sql: &str) -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("chat.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, path)
}

/// Every dump of a real schema: one row in, the same row out.
#[test]
fn every_known_schema_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/schemas");
    if !folder.is_dir() {
        eprintln!("no real schemas beside this checkout: only those of fixtures/schema are checked");
        return;
    }
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension() != Some("sql".as_ref()) {
            continue;
        }
        let temporary = TempDir::new().unwrap();
        let path = temporary.path().join("chat.db");
        let db = Connection::open(&path).unwrap();
        // Some dumps list tables that SQLite makes itself, or want extensions.
        let without_comments: Vec<String> = fs::read_to_string(&file)
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .map(str::to_owned)
            .collect();
        for statement in without_comments.join("\n").split(";\n") {
            let _ = db.execute_batch(statement);
        }
        let has = |column: &str| {
            db.prepare("SELECT 1 FROM pragma_table_info('message') WHERE name = ?1 COLLATE NOCASE")
                .unwrap()
                .exists([column])
                .unwrap()
        };
        if !has("guid") {
            // Of iPhone OS 1 to iOS 5, or of something else. Apple's triggers call functions of its own.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
            let old = db.execute_batch(
                "INSERT INTO message (address, date, text, flags) VALUES ('2025550143', 1300000000, 'hello', 2)",
            );
            drop(db);
            match (old, try_open(&path)) {
                (Ok(()), source) => {
                    let all = read_all(&*source.unwrap());
                    assert_eq!(texts(&all[0].1), ["hello"], "{}", file.display());
                }
                (Err(_), error) => {
                    let error = error.err().unwrap();
                    let is_other = matches!(error, SourceError::NotMessages { .. });
                    assert!(is_other, "{}: {error:?}", file.display());
                }
            }
            continue;
        }
        db.execute_batch(
            "INSERT INTO message (guid, text, handle_id, date, is_from_me) VALUES ('G1', 'hello', 1, 500000000, 0),
             ('G2', 'there', 0, 400000000, 1), ('G3', 'lost', 1, 300000000, 0)",
        )
        .unwrap();
        let joined = db
            .execute_batch("INSERT INTO chat_message_join (chat_id, message_id) VALUES (1, 1), (1, 2)")
            .is_ok();
        drop(db);
        let source = open(&path);
        let all = read_all(&*source);
        let rows: Vec<_> = all.iter().map(|(chat, rows)| (chat.orphans, texts(rows))).collect();
        if joined {
            assert_eq!(rows, [(false, vec!["there", "hello"]), (true, vec!["lost"])], "{}", file.display());
        } else {
            assert_eq!(rows, [(true, vec!["lost", "there", "hello"])], "{}", file.display());
        }
        read += 1;
    }
    assert!(read > 20, "{read} schemas");
}

#[test]
fn four_columns_are_enough() {
    let (_folder, path) = database(
        "CREATE TABLE message (GUID TEXT, Date INTEGER, Is_From_Me INTEGER);
         INSERT INTO message VALUES ('A', 3, 0), (NULL, NULL, NULL), ('C', 2.5, 1), ('', 1, 'x');",
    );
    let source = open(&path);
    assert_eq!(source.handles().unwrap(), []);
    let all = read_all(&*source);
    assert_eq!(rowids(&all[0].1), [2, 4, 3, 1]);
    assert_eq!(all[0].1[0].guid, None);
    assert!(all[0].1[2].is_from_me);
}

/// Without Apple's indexes everything still finds everything.
#[test]
fn no_index_is_needed() {
    let (_folder, path) = database(
        "CREATE TABLE message (guid TEXT, text TEXT, date INTEGER, is_from_me INTEGER, handle_id INTEGER,
             associated_message_guid TEXT, associated_message_type INTEGER, thread_originator_guid TEXT);
         CREATE TABLE chat (guid TEXT);
         CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER, message_date INTEGER);
         CREATE TABLE attachment (guid TEXT, transfer_name TEXT);
         CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);
         INSERT INTO chat VALUES ('iMessage;-;ana@example.com');
         INSERT INTO message VALUES
             ('00000000-0000-4000-8000-00000000000a', 'a', 5, 0, 1, NULL, 0, NULL),
             ('B', 'b', 6, 0, 1, 'p:0/00000000-0000-4000-8000-00000000000A', 2000, NULL),
             ('C', 'c', 7, 0, 1, NULL, 0, '00000000-0000-4000-8000-00000000000A'),
             ('C', 'again', 8, 0, 1, NULL, 0, NULL),
             ('D', 'd', 9, 0, 1, 'p:0/C', 2001, NULL);
         INSERT INTO chat_message_join VALUES (1, 1, 5), (1, 2, 6), (1, 2, 6), (1, 3, 7), (1, 4, 8), (1, 5, 9);
         INSERT INTO attachment VALUES ('x', 'x.jpg');
         INSERT INTO message_attachment_join VALUES (1, 1);",
    );
    let source = open(&path);
    let all = read_all(&*source);
    let [(chat, rows)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(chat.rows, 5, "joined twice is once");
    assert_eq!(rowids(rows), [1, 2, 3, 4, 5]);
    assert_eq!(rowids(&rows[0].associated), [2]);
    assert_eq!(rows[1].target.unwrap().rowid, 1);
    assert_eq!(rows[2].originator.as_ref().unwrap().rowid, 1);
    assert_eq!(rows[0].attachments[0].transfer_name.as_deref(), Some("x.jpg"));
    // Of two rows with one GUID, the first has the tapback, and it alone.
    assert_eq!(rowids(&rows[2].associated), [5]);
    assert_eq!(rows[3].associated, []);
    assert_eq!(rows[4].target.unwrap().rowid, 3);
}

#[test]
fn any_type_in_any_column() {
    let schema = Schema::MACOS_15;
    let mut library = Library::new(schema);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let columns: Vec<String> = {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(schema.sql).unwrap();
        let mut names = db.prepare("SELECT name FROM pragma_table_info('message')").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let values = ["NULL", "7", "1.5", "'text'", "x'00ff80'", "CAST(x'ff41' AS TEXT)", "9e999", "''"];
    let mut row = 0;
    let mut sql = Vec::new();
    for column in columns.iter().filter(|c| !["ROWID", "guid", "date"].contains(&c.as_str())) {
        for value in values {
            library.message(chat).text_in_both().text("x").id();
            row += 1;
            sql.push(format!("UPDATE message SET \"{column}\" = {value} WHERE ROWID = {row}"));
        }
    }
    for table in ["chat", "handle", "attachment"] {
        sql.push(format!("DROP TABLE {table}"));
        sql.push(format!("CREATE TABLE {table} (guid, id, service, filename, properties, style)"));
        sql.push(format!("INSERT INTO {table} VALUES (1, 2.5, x'ff', x'00', 'text', 'text')"));
    }
    sql.push("INSERT INTO message_attachment_join VALUES (1, 1), ('x', 1), (1, 'y'), (NULL, NULL)".into());
    sql.push("INSERT INTO chat_handle_join VALUES ('x', 'y'), (NULL, 1)".into());
    let (_folder, source) = altered(&library, &sql.join(";"));
    let all = read_all(&*source);
    assert_eq!(all[0].1.len(), row);
    assert_eq!(source.handles().unwrap()[0].id, "2.5");
    let text = columns.iter().filter(|c| !["ROWID", "guid", "date"].contains(&c.as_str()));
    let at = text.clone().position(|c| c == "text").unwrap() * values.len();
    let as_text: Vec<_> = all[0].1[at..at + values.len()].iter().map(|m| m.text.as_deref()).collect();
    assert_eq!(as_text[..4], [None, Some("7"), Some("1.5"), Some("text")]);
    assert_eq!(as_text[5], Some("\u{fffd}A"));
}

#[test]
fn dates_of_any_type() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for date in ["7e17", "600000000.75", "NULL", "'650000000'", "x'36'"] {
        let id = library.message(chat).text("x").id();
        library.sql(&format!("UPDATE message SET date = {date} WHERE ROWID = {}", id.0));
        library
            .sql(&format!("UPDATE chat_message_join SET message_date = {date} WHERE message_id = {}", id.0));
    }
    let (_folder, source) = opened(&library);
    let rows = read(&*source, &[ChatId(1)]);
    assert_eq!(rowids(&rows), [3, 5, 2, 4, 1]);
    assert_eq!(rows[2].date, 600_000_000);
}

#[test]
fn utf_16_databases_are_read() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let sql = format!("PRAGMA encoding = '{encoding}';{}", Schema::MACOS_15.sql);
        let (_folder, path) = database(&format!(
            "{sql}
             INSERT INTO chat (guid, chat_identifier) VALUES ('iMessage;-;x', 'x');
             INSERT INTO message (guid, text, date) VALUES ('A', 'Grüße 👋', 700000000000000000);
             INSERT INTO message (guid, date, associated_message_type, associated_message_guid)
                 VALUES ('B', 700000000000000001, 2000, 'p:0/A');
             INSERT INTO chat_message_join VALUES (1, 1, 700000000000000000), (1, 2, 700000000000000001);"
        ));
        let source = open(&path);
        let rows = read(&*source, &[ChatId(1)]);
        assert_eq!(rows[0].text.as_deref(), Some("Grüße 👋"));
        assert_eq!(rowids(&rows[0].associated), [2]);
    }
}

#[test]
fn the_real_samples_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/libraries");
    if !folder.is_dir() {
        eprintln!("no real libraries beside this checkout: not checked");
        return;
    }
    let count = |name: &str| -> usize {
        let source = open(&folder.join(name));
        read_all(&*source).iter().map(|(_, rows)| rows.len()).sum()
    };
    assert_eq!(count("unsent-in-wal"), 10, "all of them are in the -wal");
    assert!(count("ios-messages") > 0);
    assert!(count("macos-messages") > 0);
}

/// What a session reads does not depend on what it read before.
#[test]
fn sessions_are_alike() {
    let mut library = Library::new(Schema::MACOS_27);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for n in 0..50 {
        let id = library.message(chat).text("x").id();
        if n % 3 == 0 {
            library.message(chat).from(ana).tapback(id, Tapback::Loved).id();
        }
    }
    let (_folder, source) = opened(&library);
    let first = read(&*source, &[ChatId(1)]);
    let (mut a, mut b) = (source.session().unwrap(), source.session().unwrap());
    let timeline = a.timeline(&[ChatId(1)], 7).unwrap();
    let mut rows: Vec<Vec<_>> = Vec::new();
    for window in (0..timeline.len()).rev() {
        let session = if window % 2 == 0 { &mut a } else { &mut b };
        rows.insert(0, session.page(&timeline, window).unwrap());
    }
    assert_eq!(rows.concat(), first);
    let _: &dyn Source = &*source;
}
