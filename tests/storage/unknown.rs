//! What a database does not say is said to be unknown.

use msgarchive::storage::Assumption;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{estimated, rich};
use crate::program::Program;
use crate::support::{Library, Schema};

fn old(schema: Schema) -> Library {
    let mut library = Library::new(schema);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let photo = library.attachment("photo.jpg").bytes(vec![1; 5_000]).id();
    library.message(chat).from(ana).at("2014-05-01T11:30:00Z").text("look").attachment(photo);
    library
}

#[test]
fn a_schema_without_sync_columns_says_so() {
    for schema in [Schema::IOS_6, Schema::OSX_10_10, Schema::IOS_10] {
        let program = Program::new();
        let path = old(schema).write(program.path());
        let found = estimated(&path, |_| {});
        assert_eq!(found.places.states, None);
        assert_eq!(found.recently_deleted, None);
        assert!(found.assumptions.contains(&Assumption::SyncUnknown));
        assert!(found.assumptions.contains(&Assumption::RecentlyDeletedUnknown));
        assert!(found.total.low >= 5_000, "what would be synchronized is no 0: {:?}", found.total);
        let out = program.run(&["storage", "--json", "-s", path.to_str().unwrap()]).with_code(0).out;
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        for key in ["here_and_icloud", "icloud_only", "here_only", "lost"] {
            assert!(json["where"][key].is_null(), "{out}");
        }
        assert!(json["recently_deleted"].is_null());
        assert_eq!(json["where"]["here"], json["total"]["high"]);
        assert!(json["assumptions"].to_string().contains("does not say what is synchronized"));
    }
}

#[test]
fn nothing_synchronized_is_a_range_from_nothing() {
    let folder = TempDir::new().unwrap();
    let found = estimated(&old(Schema::MACOS_15).write(folder.path()), |_| {});
    assert_eq!(found.total.low, 0);
    assert!(found.total.high > 5_000);
    assert!(found.assumptions.contains(&Assumption::NeverSynced));
    let rich = TempDir::new().unwrap();
    let found = estimated(&self::rich(rich.path()), |_| {});
    let not_synced = |assumption: &&Assumption| matches!(assumption, Assumption::NotSynced { .. });
    assert!(found.assumptions.iter().any(|assumption| not_synced(&assumption)));
    assert!(!found.assumptions.contains(&Assumption::NeverSynced));
}

#[test]
fn sizes_that_nobody_knows_are_counted_and_said() {
    let folder = TempDir::new().unwrap();
    let mut library = old(Schema::MACOS_15);
    for size in [0, -1, i64::MIN] {
        library.attachment("gone.jpg").size(size).id();
    }
    library.attachment("here.jpg").bytes(vec![1; 700]).size(-1).id();
    library.sql("UPDATE message SET date = 0");
    let found = estimated(&library.write(folder.path()), |_| {});
    assert!(found.assumptions.contains(&Assumption::SizeUnknown { attachments: 3 }));
    assert!(found.assumptions.contains(&Assumption::Undated { messages: 1 }));
    let photos = found.categories[0].1;
    assert_eq!((photos.items, photos.high), (5, 5_700), "a file that is here has a size");
    assert_eq!(found.years.last().unwrap().0, None);
    assert_eq!(found.keep[0].messages, 1, "without a date it is as old as can be");
}

/// Old stores are read page by page.
#[test]
fn ios_5_is_weighed_as_well() {
    let program = Program::new();
    let path = crate::legacy::ios_5(program.path());
    let found = estimated(&path, |_| {});
    let db = Connection::open(&path).unwrap();
    let messages: u64 =
        db.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0)).unwrap() as u64;
    let counted = found.categories.last().unwrap().1.items;
    assert_eq!(counted, messages);
    assert_eq!(found.places.states, None);
}

/// A page of the table cannot be read: what lies on it is counted and said, and what lies behind it is weighed.
#[test]
fn rows_on_a_damaged_page_are_counted_and_the_others_weighed() {
    let folder = TempDir::new().unwrap();
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for number in 0..400 {
        library.message(chat).from(ana).text(&format!("needle {number:04} {}", "x".repeat(100)));
    }
    let path = library.write(folder.path());
    let whole = estimated(&path, |_| {});
    let size: i64 = {
        let db = Connection::open(&path).unwrap();
        db.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap()
    };
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = bytes.windows(11).position(|window| window == b"needle 0200").unwrap();
    let page = needle / size as usize * size as usize;
    assert_eq!(bytes[page], 0x0d, "a leaf of a table");
    bytes[page] = 0;
    std::fs::write(&path, bytes).unwrap();
    let found = estimated(&path, |_| {});
    assert_eq!(found.total.items, whole.total.items);
    let lost = found.assumptions.iter().find_map(|assumption| match assumption {
        Assumption::Unreadable { messages } => Some(*messages),
        _ => None,
    });
    let lost = lost.unwrap();
    assert!((1..100).contains(&lost), "{lost}");
    let each = whole.total.high / whole.total.items;
    assert_eq!(found.total.high, whole.total.high - lost * each, "all rows have one size");
}
