//! A device and an archive of it, which is fed night by night and is whole after each.

use std::path::{Path, PathBuf};

use msgarchive::archive::{RunRecord, check};
use rusqlite::Connection;

use super::add;
use super::device::{DAY, Device};

pub const START: i64 = 700_000_000;

pub struct Fed {
    pub folder: tempfile::TempDir,
    pub mac: Device,
    pub day: i64,
}

impl Fed {
    /// `make`: makes the device in a folder. Nothing is archived yet.
    pub fn of_device(make: impl FnOnce(&Path) -> Device) -> Fed {
        let folder = tempfile::tempdir().unwrap();
        let mac = make(&folder.path().join("mac"));
        Fed { folder, mac, day: 0 }
    }

    pub fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// Every night at the same hour, from a day after START on.
    pub fn night(&mut self) -> RunRecord {
        self.of(&[&self.mac.folder.clone()])
    }

    pub fn of(&mut self, sources: &[&Path]) -> RunRecord {
        self.day += 1;
        let record = add(&self.archive(), sources, START + self.day * DAY).unwrap();
        assert_eq!(check(&self.archive(), true, 1, &()).unwrap().problems, [], "night {}", self.day);
        record
    }

    /// What a statement, without its SELECT, says of the archive: one text a row.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        let mut statement = db.prepare(&format!("SELECT {sql}")).unwrap();
        let texts = statement.query_map([], |row| row.get(0)).unwrap();
        texts.map(Result::unwrap).collect()
    }
}
