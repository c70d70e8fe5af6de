//! What Keep Messages would purge, compared with deleting the same rows.

use std::path::Path;

use chrono::TimeDelta;
use msgarchive::storage::{Kept, Setting};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{estimated, now, rich, rich_of};

/// What is in a database.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    messages: i64,
    attachments: i64,
    message_bytes: i64,
    attachment_bytes: i64,
    oldest: i64,
}

fn held(db: &Connection) -> Held {
    let one = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    let bytes = ["text", "subject", "attributedBody", "payload_data", "message_summary_info"]
        .map(|name| format!("coalesce(sum(length(CAST({name} AS BLOB))), 0)"))
        .join(" + ");
    let joined = "FROM attachment WHERE ROWID IN (SELECT attachment_id FROM message_attachment_join)";
    Held {
        messages: one("SELECT count(*) FROM message"),
        attachments: one(&format!("SELECT count(*) {joined}")),
        message_bytes: one(&format!("SELECT {bytes} FROM message")),
        attachment_bytes: one(&format!("SELECT coalesce(sum(total_bytes), 0) {joined}")),
        oldest: one("SELECT coalesce(min(date), 0) FROM message"),
    }
}

/// Deletes as Messages does: rows, what joins say of them, attachments that nothing has any more. Tapbacks and answers
/// are rows like others.
fn purge(db: &Connection, before: i64) {
    db.execute_batch(&format!(
        "DELETE FROM message WHERE date < {before};
         DELETE FROM chat_message_join WHERE message_id NOT IN (SELECT ROWID FROM message);
         DELETE FROM chat_recoverable_message_join WHERE message_id NOT IN (SELECT ROWID FROM message);
         DELETE FROM message_attachment_join WHERE message_id NOT IN (SELECT ROWID FROM message);
         DELETE FROM attachment WHERE ROWID NOT IN (SELECT attachment_id FROM message_attachment_join);"
    ))
    .unwrap();
}

fn conversations(db: &Connection) -> Vec<i64> {
    let places = "SELECT message_id, chat_id FROM chat_message_join UNION
                  SELECT message_id, chat_id FROM chat_recoverable_message_join";
    let sql = format!(
        "SELECT DISTINCT coalesce(CASE p.chat_id WHEN 2 THEN 1 ELSE p.chat_id END, -1)
         FROM message m LEFT JOIN ({places}) p ON p.message_id = m.ROWID ORDER BY 1"
    );
    let mut statement = db.prepare(&sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_would_go_is_what_deleting_removes() {
    for seed in 0..6 {
        let folder = TempDir::new().unwrap();
        what_would_go_is_removed(&rich_of(folder.path(), seed));
    }
}

fn what_would_go_is_removed(database: &Path) {
    let found = estimated(database, |_| {});
    for (setting, days) in [(Setting::Days30, 30), (Setting::OneYear, 365)] {
        let kept: &Kept = found.keep.iter().find(|kept| kept.setting == setting).unwrap();
        let copy = TempDir::new().unwrap();
        let path = copy.path().join("chat.db");
        std::fs::copy(database, &path).unwrap();
        let db = Connection::open(&path).unwrap();
        let (all, places) = (held(&db), conversations(&db));
        let before = now() - TimeDelta::days(days);
        let raw = (before.timestamp() - 978_307_200) * 1_000_000_000;
        let tapbacks: i64 = db
            .query_row(
                "SELECT count(*) FROM message WHERE date < ?1 AND associated_message_type BETWEEN 2000 AND 3999",
                [raw],
                |row| row.get(0),
            )
            .unwrap();
        let losing: Vec<i64> = {
            let old = Connection::open_in_memory().unwrap();
            old.execute_batch(&format!(
                "ATTACH '{}' AS d; CREATE TABLE message AS SELECT ROWID AS ROWID, date FROM d.message WHERE date < {raw};
                 CREATE TABLE chat_message_join AS SELECT * FROM d.chat_message_join;
                 CREATE TABLE chat_recoverable_message_join AS SELECT * FROM d.chat_recoverable_message_join;",
                path.display()
            ))
            .unwrap();
            conversations(&old)
        };
        purge(&db, raw);
        let (rest, staying) = (held(&db), conversations(&db));
        assert_eq!(kept.messages as i64, all.messages - rest.messages);
        assert_eq!(kept.tapbacks as i64, tapbacks);
        assert_eq!(kept.attachments as i64, all.attachments - rest.attachments);
        assert_eq!(kept.message_bytes as i64, all.message_bytes - rest.message_bytes);
        assert_eq!(kept.attachment_bytes as i64, all.attachment_bytes - rest.attachment_bytes);
        assert_eq!(kept.conversations as usize, losing.len());
        assert_eq!(kept.emptied as usize, places.len() - staying.len());
        let oldest = kept.oldest_kept.unwrap();
        assert_eq!(oldest.timestamp_nanos_opt().unwrap() - 978_307_200_000_000_000, rest.oldest);
        assert_eq!(kept.before, Some(before));
        assert!(kept.messages > 20 && kept.attachments > 5 && kept.tapbacks > 0, "{kept:?}");
        // What is left says of itself what was said of it.
        let after = estimated(&path, |_| {});
        let again = after.keep.iter().find(|kept| kept.setting == setting).unwrap();
        assert_eq!((again.messages, again.attachments, again.bytes()), (0, 0, 0));
        assert_eq!(again.oldest_kept, kept.oldest_kept);
    }
}

#[test]
fn forever_purges_nothing() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let found = estimated(&database, |_| {});
    let forever = &found.keep[2];
    assert_eq!((forever.setting, forever.before), (Setting::Forever, None));
    assert_eq!((forever.messages, forever.attachments, forever.bytes()), (0, 0, 0));
    let db = Connection::open(&database).unwrap();
    let oldest = held(&db).oldest;
    assert_eq!(forever.oldest_kept.unwrap().timestamp_nanos_opt().unwrap() - 978_307_200_000_000_000, oldest);
}

/// A picture that an old and a new message share stays; an answer to what went stays; so does a tapback.
#[test]
fn what_is_shared_goes_with_its_last_message() {
    use crate::support::{Library, Schema, Tapback};
    let folder = TempDir::new().unwrap();
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let shared = library.attachment("shared.jpg").size(1_000).id();
    let own = library.attachment("own.jpg").size(20_000).id();
    let old = library.message(chat).from(ana).at("2020-01-01T12:00:00Z").joined(shared).joined(own).id();
    library.message(chat).from_me().at("2024-06-15T11:00:00Z").joined(shared).text("again").reply_to(old);
    library.message(chat).from_me().at("2024-06-15T11:01:00Z").tapback(old, Tapback::Loved);
    library.message(chat).from_me().at("2020-01-01T12:01:00Z").tapback(old, Tapback::Liked);
    let found = estimated(&library.write(folder.path()), |_| {});
    let year = &found.keep[1];
    assert_eq!((year.messages, year.tapbacks, year.attachments, year.attachment_bytes), (2, 1, 1, 20_000));
    assert_eq!((year.conversations, year.emptied), (1, 0));
    assert_eq!(year.oldest_kept.unwrap().to_rfc3339(), "2024-06-15T11:00:00+00:00");
}

/// What waits for its day is not the oldest that stays, though nothing else does.
#[test]
fn a_scheduled_message_is_not_the_oldest() {
    use crate::support::{Library, Schema};
    let folder = TempDir::new().unwrap();
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).from(ana).at("2023-09-01T12:00:00Z").text("long ago");
    library.message(chat).from_me().at("2031-12-24T07:00:00Z").text("happy Christmas").scheduled(2);
    let database = library.write(folder.path());
    let oldest = |setting: usize| estimated(&database, |_| {}).keep[setting].oldest_kept;
    assert_eq!([0, 1].map(|setting| estimated(&database, |_| {}).keep[setting].messages), [1, 0]);
    assert_eq!(oldest(0), None);
    assert_eq!(oldest(1).unwrap().to_rfc3339(), "2023-09-01T12:00:00+00:00");
    assert_eq!(oldest(2), oldest(1));
    // A message of this moment is there.
    library.message(chat).from(ana).at("2024-06-15T12:00:00Z").text("now");
    let later = TempDir::new().unwrap();
    let now = estimated(&library.write(later.path()), |_| {});
    assert_eq!(now.keep[0].oldest_kept.unwrap().to_rfc3339(), "2024-06-15T12:00:00+00:00");
}
