//! What a backup tool or another program makes of an archive: files of different days, another database, other tables.

use std::fs;

use msgarchive::archive::check;
use rusqlite::Connection;

use super::add;
use super::damage::Kept;

fn source(kept: &Kept) -> Connection {
    Connection::open(kept.library().join("chat.db")).unwrap()
}

/// The database is of last week, and all else of today: the next run knows what came since, and says that it was so.
#[test]
fn a_database_of_before_the_last_runs() {
    for back in 1..3 {
        let kept = Kept::new();
        let before = fs::read(kept.path().join("chat.db")).unwrap();
        for day in 4..4 + back {
            source(&kept)
                .execute_batch(
                    "UPDATE message SET date_read = 7 + (SELECT count(*) FROM handle) WHERE ROWID < 5;
                     INSERT INTO handle (id, service) VALUES ('bo' || (SELECT count(*) FROM handle) || '@example.com', 'iMessage')",
                )
                .unwrap();
            kept.run(day);
        }
        fs::write(kept.path().join("chat.db"), before).unwrap();
        let found = kept.found();
        assert!(found.iter().all(|line| line.contains("is the record of no run")), "{found:#?}");
        assert_eq!(found.len() as i64, back);
        kept.run(9);
        assert_eq!(kept.found(), [""; 0], "{back}");
        assert_eq!(kept.count("SELECT count(*) FROM message WHERE date_read BETWEEN 7 AND 100"), 4);
        assert_eq!(kept.records().len() as i64, 4 + back);
        let last = fs::read_to_string(kept.records().last().unwrap()).unwrap();
        assert!(last.contains("is the record of no run"), "{last}");
        kept.run(10);
        assert_eq!(kept.found(), [""; 0], "{back}");
    }
}

/// The same, and nobody has verified it.
#[test]
fn a_database_of_before_the_last_runs_that_nobody_told_of() {
    let kept = Kept::new();
    let before = fs::read(kept.path().join("chat.db")).unwrap();
    source(&kept).execute_batch("UPDATE message SET date_read = 7 WHERE ROWID < 5").unwrap();
    kept.run(4);
    fs::write(kept.path().join("chat.db"), before).unwrap();
    kept.run(5);
    assert_eq!(kept.found(), [""; 0]);
}

/// Somebody copied the library over the archive's database.
#[test]
fn a_library_in_the_place_of_the_database() {
    let kept = Kept::new();
    fs::copy(kept.library().join("chat.db"), kept.path().join("chat.db")).unwrap();
    assert!(kept.found().iter().any(|line| line.starts_with("database: ")));
    kept.run(4);
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
    kept.run(5);
    assert_eq!(kept.found(), [""; 0]);
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
    assert_eq!(kept.count("SELECT count(*) FROM msgarchive_content"), 1);
}

/// Another program made a column; the next run lives with it.
#[test]
fn a_column_that_another_program_made() {
    let kept = Kept::new();
    let db = Connection::open(kept.path().join("chat.db")).unwrap();
    db.execute_batch("ALTER TABLE message ADD COLUMN spam TEXT").unwrap();
    drop(db);
    let found = kept.found();
    assert!(found.iter().any(|line| line.contains("message, of which the database is made")), "{found:#?}");
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
}

/// Of a table that has another name, or was made anew, the rows are read all the same: no source has them any more.
#[test]
fn a_table_that_another_program_made_anew() {
    for sql in [
        "ALTER TABLE message RENAME TO messages",
        "CREATE TABLE t AS SELECT * FROM message; DROP TABLE message; ALTER TABLE t RENAME TO message",
    ] {
        let kept = Kept::new();
        source(&kept)
            .execute_batch(
                "DELETE FROM message WHERE ROWID > 20; DELETE FROM chat_message_join WHERE message_id > 20",
            )
            .unwrap();
        kept.run(4);
        let db = Connection::open(kept.path().join("chat.db")).unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        let found = kept.found();
        assert!(found.iter().any(|line| line.contains("of which the database is made")), "{sql}: {found:#?}");
        kept.run(5);
        assert_eq!(kept.found(), [""; 0], "{sql}");
        assert_eq!(kept.count("SELECT count(*) FROM message"), 31, "{sql}");
    }
}

/// A view has the name of a table.
#[test]
fn a_view_in_the_place_of_a_table() {
    let kept = Kept::new();
    let db = Connection::open(kept.path().join("chat.db")).unwrap();
    db.execute_batch("DROP TABLE message; CREATE VIEW message AS SELECT 1 AS guid").unwrap();
    drop(db);
    let found = kept.found();
    assert!(found.iter().any(|line| line.contains("message, of which the database is made")), "{found:#?}");
    assert!(found.iter().all(|line| !line.contains("SELECT")), "{found:#?}");
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
}

/// The name of a sum is no text any more.
#[test]
fn a_sum_that_cannot_be_named() {
    for table in ["sqlite_master", "msgarchive_message", "msgarchive_source"] {
        let kept = Kept::new();
        kept.sql(&format!(
            "UPDATE msgarchive_sum SET about = CAST(x'ff' || CAST(about AS BLOB) AS TEXT) \
             WHERE tbl = '{table}' AND about = (SELECT max(about) FROM msgarchive_sum WHERE tbl = '{table}')"
        ));
        assert!(!kept.found().is_empty());
        kept.run(4);
        assert_eq!(kept.found(), [""; 0], "{table}");
    }
}

/// A place that no run wrote is told, and once no source denies it, is known to be one from then on; and no run ends by it.
#[test]
fn a_place_that_no_run_wrote() {
    let kept = Kept::new();
    kept.sql("INSERT INTO chat (guid, chat_identifier) VALUES ('iMessage;-;x', 'x')");
    kept.sql("INSERT INTO chat_handle_join (chat_id, handle_id) SELECT max(ROWID), 1 FROM chat");
    let found = kept.found();
    assert!(
        found.iter().any(|line| line.starts_with("join: ") && line.contains("was written by no run")),
        "{found:#?}"
    );
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
    let lost = check(&kept.path(), false, 1, &()).unwrap().lost;
    let words = "of a chat, its participant that no run is known to have written: it is kept as it was found";
    assert!(lost.iter().any(|lost| lost.thing.what.starts_with(words)), "{lost:#?}");
    // One whose message has another date since then.
    kept.sql(
        "INSERT INTO chat_message_join (chat_id, message_id, message_date) SELECT max(ROWID), 3, 1 FROM chat",
    );
    source(&kept).execute_batch("UPDATE message SET date = date + 1 WHERE ROWID = 3").unwrap();
    add(&kept.path(), &[&kept.library()], 5 * 86_400).unwrap();
}
