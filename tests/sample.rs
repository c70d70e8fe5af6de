//! The sample library in the program.

use std::path::Path;

use msgarchive::sample;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::{story, tree};

/// Every row of every table, in words.
fn dump(database: &Path) -> Vec<String> {
    let db = Connection::open(database).expect("the database");
    let mut tables =
        db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").expect("valid SQL");
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).expect("tables").collect::<Result<_, _>>().expect("names");
    let mut rows = Vec::new();
    for table in tables {
        let mut select = db.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).expect("valid SQL");
        let columns = select.column_count();
        let mut found = select.query([]).expect("rows");
        while let Some(row) = found.next().expect("a row") {
            let values: Vec<Value> = (0..columns).map(|c| row.get(c).expect("a value")).collect();
            rows.push(format!("{table} {values:?}"));
        }
    }
    rows
}

/// What is embedded is what the recipe makes: after a change to it, `cargo run --example make-sample`.
#[test]
fn the_embedded_sample_is_what_its_recipe_makes() {
    let (embedded, made) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let embedded = sample::unpack(embedded.path()).expect("the sample");
    story::write(made.path());
    let (files, expected) = (tree::files(&embedded), tree::files(made.path()));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&files), names(&expected));
    for ((name, content), (_, expected)) in files.iter().zip(&expected) {
        // The same rows may lie in other pages when SQLite changes.
        assert!(name == sample::DATABASE || content == expected, "{name} differs");
    }
    let (rows, expected) =
        (dump(&embedded.join(sample::DATABASE)), dump(&made.path().join(sample::DATABASE)));
    for (row, expected) in rows.iter().zip(&expected) {
        assert_eq!(row, expected);
    }
    assert_eq!(rows.len(), expected.len());
}

/// Nobody's address is in it: only numbers and names that belong to nobody.
#[test]
fn the_sample_names_no_real_address() {
    let folder = tempfile::tempdir().expect("a folder");
    sample::unpack(folder.path()).expect("the sample");
    let db = Connection::open(folder.path().join(sample::DATABASE)).expect("the database");
    let mut handles = db.prepare("SELECT id FROM handle").expect("valid SQL");
    let mut count = 0;
    for id in handles.query_map([], |row| row.get::<_, String>(0)).expect("handles") {
        let id = id.expect("an address");
        let invented = id.starts_with("+120255501") || id.ends_with("@example.com") || id == "FERRY";
        assert!(invented, "{id}");
        count += 1;
    }
    assert!(count > 15);
}

/// The sample has at least one of everything, so that trying it shows what the program can do.
#[test]
fn the_sample_shows_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = sample::unpack(folder.path()).expect("the sample");
    let db = Connection::open(folder.join(sample::DATABASE)).expect("the database");
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql);
    let rows = count("SELECT count(*) FROM message");
    assert!((300..400).contains(&rows), "{rows} rows");
    for kind in [1000, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 3002, 3006, 2, 3, 4000] {
        let sql = format!("SELECT count(*) FROM message WHERE associated_message_type = {kind}");
        assert!(count(&sql) > 0, "no associated message of type {kind}");
    }
    for (item, action) in
        [(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (3, 2), (3, 4), (3, 6), (4, 0), (5, 0), (6, 0)]
    {
        let sql =
            format!("SELECT count(*) FROM message WHERE item_type = {item} AND group_action_type = {action}");
        assert!(count(&sql) > 0, "no announcement {item}/{action}");
    }
    let effects = count("SELECT count(DISTINCT expressive_send_style_id) FROM message");
    assert_eq!(effects, 13, "effects");
    for condition in [
        "message_summary_info IS NOT NULL AND date_edited > 0 AND attributedBody IS NOT NULL",
        "message_summary_info IS NOT NULL AND date_edited > 0 AND attributedBody IS NULL",
        "thread_originator_guid IS NOT NULL",
        "balloon_bundle_id LIKE '%URLBalloonProvider'",
        "balloon_bundle_id LIKE '%MSMessageExtensionBalloonPlugin%'",
        "balloon_bundle_id LIKE '%HandwritingProvider'",
        "balloon_bundle_id LIKE '%DigitalTouchBalloonProvider'",
        "schedule_type = 2",
        "error != 0",
        "is_spam = 1",
        "is_audio_message = 1 AND expire_state = 1",
        "subject IS NOT NULL",
        "text IS NULL AND attributedBody IS NOT NULL",
        "text IS NOT NULL AND attributedBody IS NULL",
        "service = 'SMS'",
        "service = 'RCS'",
        "ROWID NOT IN (SELECT message_id FROM chat_message_join UNION SELECT message_id FROM chat_recoverable_message_join)",
        "ROWID IN (SELECT message_id FROM chat_recoverable_message_join)",
        "ROWID IN (SELECT message_id FROM recoverable_message_part)",
    ] {
        let sql = format!("SELECT count(*) FROM message WHERE {condition}");
        assert!(count(&sql) > 0, "nothing with {condition}");
    }
    let missing = "SELECT count(*) FROM attachment WHERE transfer_state = 5 AND is_sticker = 0 AND transfer_name = 'voucher.png'";
    assert_eq!(count(missing), 1);
    assert!(count("SELECT count(*) FROM attachment WHERE transfer_state = 0 AND ck_sync_state = 1") > 0);
    let cards = std::fs::read_to_string(folder.join(sample::CONTACTS)).expect("contacts");
    assert_eq!(cards.matches("BEGIN:VCARD").count(), 15);
}

/// Nobody else can read what is unpacked, and what is there already stays.
#[test]
fn unpacking_is_private_and_replaces_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("new");
    let unpacked = sample::unpack(&into).expect("the sample");
    assert_eq!(unpacked, into);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode(&into), 0o700);
        assert_eq!(mode(&into.join("Attachments")), 0o700);
        assert_eq!(mode(&into.join(sample::DATABASE)), 0o600);
    }
    let again = sample::unpack(&into).expect_err("a folder in use");
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
}
