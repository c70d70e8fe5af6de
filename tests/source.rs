//! The reader: what is in a database comes out of it, whatever its schema, and nothing beside it is touched.

use std::path::Path;

use msgarchive::source::{
    self, ChatId, OpenOptions, RawChat, RawMessage, Session, Source, SourceError, SourceKind,
};
use tempfile::TempDir;

use crate::support::{Library, Schema};

fn open(path: &Path) -> Box<dyn Source> {
    try_open(path).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

fn try_open(path: &Path) -> Result<Box<dyn Source>, SourceError> {
    source::open(path, &OpenOptions { sessions: 2, ..OpenOptions::default() })
}

/// Every row of some chats, in windows of `size`.
fn read_in(session: &mut dyn Session, chats: &[ChatId], size: usize) -> Vec<RawMessage> {
    let read = |session: &mut dyn Session, exact: bool| -> Result<Vec<RawMessage>, SourceError> {
        let timeline =
            if exact { session.exact_timeline(chats, size)? } else { session.timeline(chats, size)? };
        let mut rows = Vec::new();
        for window in 0..timeline.len() {
            rows.extend(session.page(&timeline, window)?);
        }
        assert_eq!(rows.len() as u64, timeline.rows(), "the timeline knows how many rows there are");
        Ok(rows)
    };
    match read(session, false) {
        Err(SourceError::OutOfOrder { .. }) => read(session, true).unwrap(),
        rows => rows.unwrap(),
    }
}

fn read(source: &dyn Source, chats: &[ChatId]) -> Vec<RawMessage> {
    read_in(&mut *source.session().unwrap(), chats, 3)
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
            source.unchanged().unwrap();
        }
    }
}
