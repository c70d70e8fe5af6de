//! A message that came again under another GUID, and is damaged in the archive since: mended from where it has the other GUID, it
//! goes on under its own.

use std::path::{Path, PathBuf};

use msgarchive::archive::{RunRecord, check};
use rusqlite::Connection;

use super::device::Device;
use super::fed::{Fed, START};
use crate::support::Schema;

const OTHER: &str = "RESTORED-1";

/// The GUID under which the archive has the message, what it says, and the other GUIDs of it.
fn shown(fed: &Fed) -> (String, String, Vec<String>) {
    let db = Connection::open(fed.archive().join("chat.db")).unwrap();
    let (guid, text) = db
        .query_row("SELECT guid, text FROM message WHERE text LIKE 'the lighthouse%'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let mut others = db.prepare("SELECT guid FROM msgarchive_alias ORDER BY guid").unwrap();
    let others = others.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
    (guid, text, others)
}

/// Restored on the Mac, and on no other device. `phone_first`: there is a phone, too, and it is read first, or not.
struct Restored {
    fed: Fed,
    sources: Vec<PathBuf>,
}

impl Restored {
    fn new(phone_first: Option<bool>) -> Restored {
        let device = |folder: &Path, first: &[&str]| {
            let mut mac = Device::new(folder, Schema::MACOS_26);
            first.iter().for_each(|guid| mac.receive(guid, 0, START, "so that the row ids are others"));
            for (guid, text) in [("A", "before it"), ("B-2", "the lighthouse is closed"), ("C", "after it")] {
                mac.receive(guid, 0, START + 60, text);
            }
            mac
        };
        let fed = Fed::of_device(|folder| device(folder, &[]));
        let mut sources = vec![fed.mac.folder.clone()];
        if let Some(phone_first) = phone_first {
            let phone = device(&fed.folder.path().join("phone"), &["PHONE"]);
            sources.push(phone.folder.clone());
            if phone_first {
                sources.reverse();
            }
        }
        let mut restored = Restored { fed, sources };
        restored.night();
        restored.fed.mac.run("PRAGMA foreign_keys = OFF", []);
        restored.fed.mac.run("UPDATE message SET guid = ?1, ROWID = 900 WHERE guid = 'B-2'", [OTHER]);
        restored.fed.mac.run("UPDATE chat_message_join SET message_id = 900 WHERE message_id = 2", []);
        restored.night();
        assert_eq!(shown(&restored.fed), as_it_was());
        restored
    }

    fn night(&mut self) -> RunRecord {
        let sources: Vec<&Path> = self.sources.iter().map(PathBuf::as_path).collect();
        self.fed.of(&sources)
    }
}

fn as_it_was() -> (String, String, Vec<String>) {
    ("B-2".into(), "the lighthouse is closed".into(), vec![OTHER.into()])
}

#[test]
fn whatever_of_it_is_damaged_it_keeps_its_guid() {
    let of = "(SELECT ROWID FROM message WHERE guid = 'B-2')";
    let lost = format!("DELETE FROM message WHERE ROWID = {of}");
    let damages = [
        format!("UPDATE message SET text = 'the lighthouse is open' WHERE ROWID = {of}"),
        format!("UPDATE message SET date = date + 1 WHERE ROWID = {of}"),
        format!("UPDATE message SET guid = 'B-3' WHERE ROWID = {of}"),
        format!("UPDATE msgarchive_message SET hash = zeroblob(32) WHERE id = {of}"),
        format!("DELETE FROM msgarchive_message WHERE id = {of}"),
        lost.clone(),
    ];
    let mut wrong = Vec::new();
    for phone_first in [None, Some(true), Some(false)] {
        for damage in &damages {
            let mut restored = Restored::new(phone_first);
            let db = Connection::open(restored.fed.archive().join("chat.db")).unwrap();
            db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {damage}")).unwrap();
            drop(db);
            assert_ne!(check(&restored.fed.archive(), true, 1, &()).unwrap().problems, [], "{damage}");
            restored.night();
            let mut expected = as_it_was();
            // What it was mended from does not know its own one.
            if phone_first != Some(true) && (*damage == lost || damage.contains("B-3")) {
                expected.0 = OTHER.into();
                expected.2.splice(0..0, phone_first.map(|_| "B-2".to_owned()));
            }
            if shown(&restored.fed) != expected {
                wrong.push(format!("{damage}, {phone_first:?}: {:?}", shown(&restored.fed)));
            }
            let again = restored.night();
            assert_eq!((again.counts.added, again.counts.changed), (0, 0), "{damage}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
