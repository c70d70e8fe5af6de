//! What is wrong with a library: each fault planted alone, found, and nothing else reported.

mod forbidden;
mod healthy;
mod one_source;
mod shown;
mod two_sources;
mod work_list;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::Value;

use crate::program::{Program, Ran};
use crate::support::{ChatId, Library, Schema};

/// When the program believes to run: `SOURCE_DATE_EPOCH` of [`Program::command`].
const NOW: &str = "2023-11-14T22:13:20Z";

/// A home with a library that has nothing wrong with it.
struct Home {
    program: Program,
}

impl Home {
    /// This machine's own library, as Messages keeps it.
    fn of(library: &Library) -> Home {
        let home = Home { program: Program::new() };
        library.write(&home.library());
        home.preferences(MADRID, &synced("2023-11-14T20:00:00Z"));
        home.preferences("com.apple.iChat.plist", "<key>KeepMessageForDays</key><integer>0</integer>");
        home
    }

    fn library(&self) -> PathBuf {
        self.program.home().join("Library/Messages")
    }

    fn preferences(&self, name: &str, entries: &str) {
        write_list(&self.program.home().join("Library/Preferences").join(name), entries);
    }

    /// Changes the library against Messages' own rules, and leaves no log.
    fn change(&self, sql: &str) {
        let db = Connection::open(self.library().join("chat.db")).unwrap();
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    }

    fn json(&self, more: &[&str]) -> Value {
        as_json(&self.program.run(&[&["doctor", "--json"], more].concat()))
    }
}

const MADRID: &str = "com.apple.madrid.plist";

/// Messages in iCloud is on, and ran last at this time.
fn synced(at: &str) -> String {
    format!(
        "<key>CloudKitSyncingEnabled</key><true/><key>CloudKitSyncDate</key><date>{at}</date>\
         <key>CloudKitLastDownloadProgress</key><real>1</real>\
         <key>CloudKitHasAvailableRecordsToDownload</key><false/>"
    )
}

fn write_list(path: &Path, entries: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("<?xml version=\"1.0\"?><plist><dict>{entries}</dict></plist>")).unwrap();
}

/// A year with Ana and Ben up to now: iMessages and texts every other day, all synced, one picture.
fn year(schema: Schema) -> Library {
    let mut library = Library::new(schema);
    let ana = library.handle("+12025550143", "iMessage");
    let ben = library.handle("+12025550188", "SMS");
    let (ana, ben) = (library.direct(ana), library.direct(ben));
    for month in 0..13 {
        for day in 1..14 {
            let (year, month) = (2022 + (10 + month) / 12, (10 + month) % 12 + 1);
            let at = format!("{year}-{month:02}-{day:02}T09:00:00.5Z");
            say(&mut library, ana, &at, &format!("to Ana, {year}-{month}-{day}"));
            say(&mut library, ben, &at, &format!("to Ben, {year}-{month}-{day}"));
        }
    }
    let picture = library.attachment("IMG_0001.heic").bytes(*b"a picture").id();
    let message = library.message(ana).at("2023-11-13T10:00:00.25Z").attachment(picture);
    if schema.sql.contains("ck_record_id") {
        message.raw("ck_sync_state", 1).raw("ck_record_id", "with-picture");
    }
    library
}

/// The conversation with Ana in [`year`].
const ANA: ChatId = ChatId(1);

/// A message that is in iCloud.
fn say(library: &mut Library, chat: ChatId, at: &str, text: &str) {
    let has_records = library.schema().sql.contains("ck_record_id");
    let message = library.message(chat).at(at).text(text);
    if has_records {
        message.raw("ck_sync_state", 1).raw("ck_record_id", format!("record of {text}"));
    }
}

/// The object of `--json`. The exit code says the same.
#[track_caller]
fn as_json(ran: &Ran) -> Value {
    let object: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let healthy = object["healthy"].as_bool().unwrap();
    assert_eq!(ran.code, Some(if healthy { 0 } else { 3 }), "{ran:?}");
    object
}

/// The check of this name, of the first source.
fn check<'o>(object: &'o Value, name: &str) -> &'o Value {
    let mut checks = object["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name && check["source"] == 0).unwrap()
}

/// `name status` of what is wrong, of all sources.
fn wrong(object: &Value) -> Vec<String> {
    with_status(object, &["warning", "problem"])
}

fn with_status(object: &Value, wanted: &[&str]) -> Vec<String> {
    let checks = object["checks"].as_array().unwrap().iter();
    let wanted = checks.filter(|check| wanted.contains(&check["status"].as_str().unwrap()));
    wanted
        .map(|check| format!("{} {}", check["name"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect()
}

/// Exactly this is wrong, and its finding says so.
#[track_caller]
fn only(object: &Value, expect: &str, says: &str) {
    assert_eq!(wrong(object), [expect], "{object:#}");
    let found = check(object, expect.split(' ').next().unwrap());
    let finding = found["finding"].as_str().unwrap();
    assert!(finding.contains(says), "{finding}");
    assert!(found["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{found:#}");
}
