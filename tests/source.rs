//! The reader: what is in a database comes out of it, whatever its schema.

mod opening;
mod order;
mod schemas;
mod survey;

use std::path::Path;

use msgarchive::source::{
    self, ChatId, OpenOptions, RawChat, RawMessage, Session, Source, SourceError, SourceKind,
};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;

use crate::support::{Library, Schema, Tapback};

fn open(path: &Path) -> Box<dyn Source> {
    try_open(path).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

fn try_open(path: &Path) -> Result<Box<dyn Source>, SourceError> {
    source::open(path, &OpenOptions { sessions: 2, ..OpenOptions::default() })
}

/// A library on disk, opened. The folder lives as long as the first value.
fn opened(library: &Library) -> (TempDir, Box<dyn Source>) {
    let folder = TempDir::new().unwrap();
    let source = open(&library.write(folder.path()));
    (folder, source)
}

/// As [`opened`], after SQL that Messages' own rules would forbid.
fn altered(library: &Library, sql: &str) -> (TempDir, Box<dyn Source>) {
    let folder = TempDir::new().unwrap();
    let path = library.write(folder.path());
    let db = Connection::open(&path).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    drop(db);
    (folder, open(&path))
}

/// Every row of some chats, in windows of about `size`.
fn try_read(
    session: &mut dyn Session,
    chats: &[ChatId],
    size: usize,
) -> Result<Vec<RawMessage>, SourceError> {
    let timeline = session.timeline(chats, size)?;
    let mut rows = Vec::new();
    for window in 0..timeline.len() {
        rows.extend(session.page(&timeline, window)?);
    }
    assert_eq!(timeline.is_empty(), timeline.rows() == 0);
    assert_eq!(rows.len() as u64, timeline.rows(), "the timeline knows how many rows there are");
    Ok(rows)
}

/// Every row of some chats.
fn read(source: &dyn Source, chats: &[ChatId]) -> Vec<RawMessage> {
    let session = &mut *source.session().unwrap();
    try_read(session, chats, 3).unwrap()
}

/// Every chat with its rows.
fn read_all(source: &dyn Source) -> Vec<(RawChat, Vec<RawMessage>)> {
    let chats = source.chats().unwrap();
    chats
        .into_iter()
        .map(|chat| {
            let rows = read(source, &[chat.id()]);
            assert_eq!(rows.len() as u64, chat.rows, "chat {}", chat.rowid);
            (chat, rows)
        })
        .collect()
}

fn texts(rows: &[RawMessage]) -> Vec<&str> {
    rows.iter().map(|row| row.text.as_deref().unwrap_or("")).collect()
}

fn rowids(rows: &[RawMessage]) -> Vec<i64> {
    rows.iter().map(|row| row.rowid).collect()
}

#[test]
fn every_era_is_read() {
    for schema in Schema::ALL {
        let folder = TempDir::new().unwrap();
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let picture = library.attachment("IMG_0001.jpg").bytes(*b"picture").id();
        for n in 0..10 {
            library.message(chat).from(ana).text_in_both().text(&format!("message {n}")).id();
        }
        library.message(chat).from_me().attachment(picture).id();
        library.orphan().text_in_both().text("lost").id();
        let path = library.write(folder.path());

        for given in [folder.path(), &path] {
            let source = open(given);
            assert_eq!(source.info().path, path);
            let device = source.info().kind == SourceKind::Device;
            assert_eq!(device, schema.device, "{}", schema.name);
            assert_eq!(source.handles().unwrap()[0].id, "+12025550143");
            let all = read_all(&*source);
            let [(chat, rows), (lost, orphans)] = all.as_slice() else { panic!("{all:?}") };
            assert_eq!(chat.handle_ids, [1]);
            assert_eq!(chat.services, ["iMessage"]);
            assert_eq!(rows.len(), 11, "{}", schema.name);
            assert_eq!(rows[9].text.as_deref(), Some("message 9"));
            assert!(rows[10].is_from_me);
            let content = rows[10].attachments[0].content.as_ref().unwrap();
            assert_eq!(content.bytes(), Some(7), "{}", schema.name);
            assert!(lost.orphans);
            assert_eq!(texts(orphans), ["lost"]);
            assert_eq!(orphans[0].chat, Some(ChatId::ORPHANS));
            source.unchanged().unwrap();
        }
    }
}

#[test]
fn recently_deleted_belongs_to_its_chat() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).text_in_both().text("one").id();
    library.message(chat).text_in_both().text("two").deleted("2024-05-01T00:00:00Z").id();
    library
        .message(chat)
        .text_in_both()
        .text("three")
        .more_text("four")
        .deleted_part(0, "2024-05-02T00:00:00Z");
    // In the chat and in its Recently Deleted: twice, one after the other.
    let both = library.message(chat).text_in_both().text("five").id();
    library.sql(&format!("INSERT INTO chat_recoverable_message_join VALUES (1, {}, 7, 0)", both.0));
    let (_folder, source) = opened(&library);
    let all = read_all(&*source);
    let [(_, rows)] = all.as_slice() else { panic!("no orphans: {all:?}") };
    assert_eq!(rowids(rows), [1, 2, 3, 4, 4]);
    assert_eq!(rows[0].deleted, None);
    assert_eq!(rows[1].deleted, Some(736_214_400_000_000_000));
    assert_eq!(rows[2].deleted, None);
    assert_eq!(rows[2].deleted_parts[0].index, 0);
    assert!(!rows[2].deleted_parts[0].body.is_empty());
    assert_eq!((rows[3].deleted, rows[4].deleted), (None, Some(7)));
}

#[test]
fn a_message_in_two_chats_comes_twice_in_a_row() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let (one, two) = (library.direct(ana), library.direct(ben));
    for _ in 0..5 {
        library.message(one).text("x").also_in(two).id();
        library.message(two).text("y").id();
    }
    let (_folder, source) = opened(&library);
    let rows = read(&*source, &[ChatId(1), ChatId(2)]);
    assert_eq!(rowids(&rows), [1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10]);
    assert_eq!((rows[0].chat, rows[1].chat), (Some(ChatId(1)), Some(ChatId(2))));
}

#[test]
fn tapbacks_stand_under_their_message_wherever_they_lie() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let (here, elsewhere) = (library.direct(ana), library.direct(ben));
    let message = library.message(here).text_in_both().text("look").id();
    library.message(here).from(ana).tapback(message, Tapback::Loved).id();
    for _ in 0..10 {
        library.message(here).text("between").id();
    }
    library.message(here).from_me().tapback(message, Tapback::Liked).id();
    library.message(elsewhere).from_me().tapback(message, Tapback::Laughed).id();
    let gone = library.message(here).text("gone").id();
    library.message(here).tapback(gone, Tapback::Liked).id();
    library.sql(&format!("DELETE FROM message WHERE ROWID = {}", gone.0));
    // Another case of the letters.
    library
        .sql("UPDATE message SET associated_message_guid = lower(associated_message_guid) WHERE ROWID = 13");
    let (_folder, source) = opened(&library);

    let rows = read(&*source, &[ChatId(1)]);
    assert_eq!(rowids(&rows[0].associated), [2, 13, 14]);
    assert_eq!(rows[0].associated[0].associated_message_type, 2000);
    assert_eq!(rows[0].target, None);
    for row in [&rows[1], &rows[12]] {
        assert_eq!(row.target.map(|t| (t.rowid, t.chat)), Some((1, ChatId(1))));
        assert_eq!(row.associated, []);
    }
    let lost = rows.last().unwrap();
    assert_eq!((lost.rowid, lost.target), (16, None));
    let rows = read(&*source, &[ChatId(2)]);
    assert_eq!(rows[0].target.map(|t| (t.rowid, t.chat)), Some((1, ChatId(1))));
}

#[test]
fn updates_of_updates_belong_to_the_first() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let root = library.message(chat).text("root").id();
    let guid = library.message_guid(root);
    library.sql(&format!(
        "UPDATE message SET associated_message_type = 3, associated_message_guid = '{guid}' WHERE ROWID = 1"
    ));
    let second = library.message(chat).text("second").associated(root, 2).id();
    let third = library.message(chat).text("third").associated(second, 2).id();
    library.message(chat).from(ana).tapback(third, Tapback::Loved).id();
    library.message(chat).text("vote").associated(root, 4000).id();
    // Ordinary by its type, whatever it names.
    library.message(chat).text("plain").associated(root, 0).id();
    let (_folder, source) = opened(&library);
    let rows = read(&*source, &[ChatId(1)]);
    assert_eq!(rows.len(), 6);
    assert_eq!(rowids(&rows[0].associated), [2, 3, 4, 5]);
    assert_eq!(rows[0].target, None, "it names itself");
    for row in &rows[1..5] {
        assert_eq!(row.target.map(|t| t.rowid), Some(1));
        assert_eq!(row.associated, []);
    }
    assert_eq!((rows[5].target, rows[5].associated.len()), (None, 0));
}

#[test]
fn circles_belong_to_nothing() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let one = library.message(chat).text("one").id();
    let two = library.message(chat).text("two").associated(one, 2).id();
    library.message(chat).text("three").associated(two, 2).id();
    let (first, last) = (library.message_guid(one), library.message_guid(two));
    library.sql(&format!(
        "UPDATE message SET associated_message_type = 2, associated_message_guid = '{last}' WHERE guid = '{first}'"
    ));
    // A chain that is longer than any app's.
    let mut chain = library.message(chat).text("chain").id();
    for _ in 0..200 {
        chain = library.message(chat).text("link").associated(chain, 2).id();
    }
    let (_folder, source) = opened(&library);
    let rows = read(&*source, &[ChatId(1)]);
    assert_eq!(rows.len(), 204);
    for row in &rows[..3] {
        assert_eq!((row.target, row.associated.len()), (None, 0), "{}", row.rowid);
    }
    // Each row of the chain is under one other, or stands alone.
    let under: usize = rows.iter().map(|row| row.associated.len()).sum();
    assert_eq!(under, rows.iter().filter(|row| row.target.is_some()).count());
    assert_eq!(under, 63);
}

#[test]
fn a_reply_brings_what_it_replies_to() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let picture = library.attachment("a.jpg").bytes(*b"1").id();
    let first = library.message(chat).text_in_both().text("first").attachment(picture).id();
    for _ in 0..10 {
        library.message(chat).text("between").id();
    }
    library.message(chat).reply_to(first).text("far").id();
    library.message(chat).text("x").raw("thread_originator_guid", "not here").id();
    let (_folder, source) = opened(&library);
    let rows = read(&*source, &[ChatId(1)]);
    let originator = rows[11].originator.as_ref().unwrap();
    assert!(originator.text.as_deref().unwrap().starts_with("first"));
    assert_eq!((originator.attachments.len(), originator.associated.len()), (0, 0));
    assert_eq!(rows[12].originator, None);
}

#[test]
fn chats_know_their_people() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("ana@example.com", "iMessage");
    let ben = library.handle("+12025550144", "SMS");
    let cleo = library.handle("+12025550145", "RCS");
    let group = library.group(&[ana, ben], "Walk");
    library.message(group).from(cleo).text("I left").id();
    library.message(group).from(ana).text("oh").id();
    library.message(group).from_me().text("bye").id();
    library.lookup("walkers", "group", group);
    // Only a join speaks of these.
    library.message(group).from(ben).text("dangling").id();
    let (_folder, source) = altered(
        &library,
        "UPDATE chat_message_join SET chat_id = 99 WHERE message_id = 4;
         INSERT INTO chat_message_join (chat_id, message_id) VALUES (1, 4711)",
    );
    let all = read_all(&*source);
    let [(walk, rows), (unknown, rest)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(walk.handle_ids, [1, 2]);
    assert_eq!(walk.senders, [3]);
    assert_eq!(walk.services, ["RCS", "SMS", "iMessage"]);
    assert_eq!(walk.lookups, [("group".to_owned(), "walkers".to_owned())]);
    assert_eq!(walk.display_name.as_deref(), Some("Walk"));
    assert_eq!(rowids(rows), [1, 2, 3]);
    assert_eq!((unknown.rowid, unknown.guid.as_str()), (99, ""));
    assert_eq!(unknown.senders, [2]);
    assert_eq!(rowids(rest), [4]);
}

#[test]
fn attachments_come_in_the_order_of_their_join() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let [a, b, c] = ["a.jpg", "b.jpg", "c.jpg"].map(|name| library.attachment(name).id());
    library.message(chat).joined(c).joined(a).joined(b).id();
    library.message(chat).joined(a).id();
    let (_folder, source) = altered(&library, "INSERT INTO message_attachment_join VALUES (2, 999)");
    let rows = read(&*source, &[ChatId(1)]);
    let names = |row: &RawMessage| -> Vec<String> {
        row.attachments.iter().map(|a| a.transfer_name.clone().unwrap()).collect()
    };
    assert_eq!(names(&rows[0]), ["c.jpg", "a.jpg", "b.jpg"]);
    assert_eq!(names(&rows[1]), ["a.jpg"]);
    assert_eq!(rows[1].attachments[0].content, None);
}
