//! Every column of every table of an archive is vouched for: whatever of it changes is found and named, and is right again,
//! or known to be lost, after the next run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use msgarchive::archive::{ArchiveError, ArchiveOptions, Feed, RunRecord, archive, check};
use msgarchive::source::tables::Tables;
use msgarchive::source::{OpenOptions, contacts};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use sha2::{Digest, Sha256};

use super::add;
use super::device::{DAY, Device, instant};
use crate::support::typedstream::AttributedString;
use crate::support::{Library, Schema, tree};

const START: i64 = 700_000_000;

/// An archive that has a row in each of its tables, and the two devices that it is of.
pub struct Rich {
    folder: tempfile::TempDir,
}

impl Rich {
    pub fn new() -> Rich {
        Rich::with_former_databases(6).0
    }

    /// Also its database as it was after earlier runs. `words`: of so many messages nothing else is to be told.
    pub fn with_former_databases(words: usize) -> (Rich, Vec<Vec<u8>>) {
        let mut former = Vec::new();
        let rich = Rich { folder: tempfile::tempdir().unwrap() };
        let mac = rich.mac();
        let mut library = Library::new(Schema::MACOS_26);
        library.owner("owner@example.com");
        let ana = library.handle("+12025550143", "iMessage");
        let bo = library.handle("bo@example.com", "iMessage");
        let chat = library.direct(ana);
        library.group(&[ana, bo], "Harbor");
        library.lookup("+12025550143", "iMessage", chat);
        let live = library.attachment("IMG_1.HEIC").bytes(b"a picture").beside("IMG_1.MOV", b"a film").id();
        let later = library.attachment("IMG_2.png").in_icloud().id();
        library.message(chat).from(ana).text("look").attachment(live);
        library.message(chat).from(ana).text("and look").attachment(later);
        for number in 0..words {
            library.message(chat).from_me().text(&format!("word {number}"));
        }
        library.write(&mac);
        let book =
            "BEGIN:VCARD\nVERSION:3.0\nN:Abbott;Ana;;;\nFN:Ana Abbott\nTEL:+1 202 555 0143\nEND:VCARD\n";
        fs::write(rich.book(), book).unwrap();
        let mut phone = Device::new(&rich.phone(), Schema::MACOS_15.on_device());
        phone.receive("P", 0, START, "from the phone");
        phone.receive("O", 0, START - 31 * DAY, "goes by its age, as far as anybody knows");
        rich.run(1).unwrap();
        former.push(fs::read(rich.archive().join("chat.db")).unwrap());
        add(&rich.elsewhere(), &[&mac], START + DAY).unwrap();
        // Edited, read, renamed, deleted, moved to Recently Deleted, in part; and restored under another GUID.
        let changes = "
            PRAGMA foreign_keys = OFF;
            UPDATE message SET text = 'edited', attributedBody = NULL, date_edited = date + 1 WHERE ROWID = 3;
            UPDATE message SET is_read = 1, date_read = date + 1 WHERE ROWID = 1;
            UPDATE chat SET display_name = 'Lake' WHERE ROWID = 2;
            UPDATE attachment SET transfer_name = 'IMG_3.png' WHERE ROWID = 2;
            UPDATE attachment SET total_bytes = total_bytes + 1 WHERE ROWID = 1;
            DELETE FROM chat_handle_join WHERE chat_id = 2 AND handle_id = 2;
            UPDATE chat_message_join SET chat_id = 2 WHERE message_id = 2;
            INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE ROWID = 4;
            DELETE FROM chat_message_join WHERE message_id = 4;
            DELETE FROM message WHERE ROWID = 4;
            INSERT INTO chat_recoverable_message_join (chat_id, message_id, delete_date) SELECT 1, 5, date FROM message WHERE ROWID = 5;
            DELETE FROM chat_message_join WHERE message_id = 5;
            INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
              SELECT 1, 6, 0, date, x'6162' FROM message WHERE ROWID = 6;
            INSERT INTO chat_message_join (chat_id, message_id, message_date) SELECT 2, 8, date FROM message WHERE ROWID = 8;
            UPDATE message SET guid = 'RESTORED', ROWID = 900 WHERE ROWID = 7;
            UPDATE chat_message_join SET message_id = 900 WHERE message_id = 7;
        ";
        let db = Connection::open(mac.join("chat.db")).unwrap();
        db.execute_batch(changes).unwrap();
        let part =
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
              SELECT 1, 3, 0, date, ?1 FROM message WHERE ROWID = 3";
        db.execute(part, [AttributedString::plain("word ").encode()]).unwrap();
        // A preview, and then the picture.
        let (picture, _) =
            tree::files(&mac).into_iter().find(|(name, _)| name.ends_with("IMG_1.HEIC")).unwrap();
        fs::write(mac.join(picture), b"another picture").unwrap();
        add(&rich.elsewhere(), &[&mac], START + 2 * DAY).unwrap();
        phone.receive("Q", 0, START + DAY, "comes later, and goes");
        rich.run(2).unwrap();
        phone.remove("Q", true, "deleted");
        phone.remove("O", true, "aged_out");
        // A state that is lost: it was damaged, and is another one where it came from.
        rich.sql("UPDATE message SET text = 'damaged' WHERE ROWID = 8");
        assert_eq!(check(&rich.archive(), true, 1, &()).unwrap().problems.len(), 1);
        // And a part is recovered.
        let changes = "UPDATE message SET text = 'edited', date_edited = date + 1 WHERE ROWID = 8;
            DELETE FROM recoverable_message_part WHERE message_id = 3;
            UPDATE message SET text = 'word edited', date_edited = date + 2 WHERE ROWID = 3;
            UPDATE chat_message_join SET chat_id = 1 WHERE message_id = 2;";
        db.execute_batch(changes).unwrap();
        for day in 3..5 {
            former.push(fs::read(rich.archive().join("chat.db")).unwrap());
            rich.run(day).unwrap();
        }
        assert_eq!(rich.found(), [""; 0]);
        (rich, former)
    }

    fn mac(&self) -> PathBuf {
        self.folder.path().join("mac")
    }

    fn phone(&self) -> PathBuf {
        self.folder.path().join("phone")
    }

    /// Another archive of the Mac.
    fn elsewhere(&self) -> PathBuf {
        self.folder.path().join("elsewhere")
    }

    fn book(&self) -> PathBuf {
        self.folder.path().join("people.vcf")
    }

    pub fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// Another one like it.
    pub fn copy(&self) -> Rich {
        let copy = tempfile::tempdir().unwrap();
        tree::copy(self.folder.path(), copy.path());
        Rich { folder: copy }
    }

    /// A run with all that there is.
    pub fn run(&self, day: i64) -> Result<RunRecord, ArchiveError> {
        let open = |path: &Path, contacts| Feed {
            tables: Tables::open(path, &OpenOptions { sessions: 1, ..OpenOptions::default() }).unwrap(),
            contacts,
        };
        let mut feeds = vec![
            open(&self.mac(), contacts::load(&self.book()).unwrap()),
            open(&self.phone().join("sms.db"), Vec::new()),
        ];
        if self.elsewhere().exists() {
            feeds.push(open(&self.elsewhere(), Vec::new()));
        }
        let options = ArchiveOptions {
            now: instant(START + day * DAY),
            jobs: 1,
            dry_run: false,
            guard: None,
            away: &[],
            gone: &[],
            copies: None,
        };
        archive(&self.archive(), &feeds, options, &())
    }

    /// Makes its database one of the smallest pages that there are: so there are many of them, above each other, too.
    pub fn in_small_pages(&self) {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        db.execute_batch("PRAGMA page_size = 512; VACUUM").unwrap();
        self.run(5).unwrap();
        assert_eq!(self.found(), [""; 0]);
    }

    fn sql(&self, sql: &str) -> usize {
        Connection::open(self.archive().join("chat.db")).unwrap().execute(sql, []).unwrap()
    }

    /// Everything that a deep look finds.
    pub fn found(&self) -> Vec<String> {
        let problems = check(&self.archive(), true, 1, &()).unwrap().problems.into_iter();
        problems
            .map(|p| format!("{}: {} {}", p.kind, p.what, p.path.or(p.guid).unwrap_or_default()))
            .collect()
    }
}

/// Makes an archive what an earlier program left: without sums, and with records that do not speak of them.
pub fn as_of_an_earlier_program(archive: &Path) {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.execute_batch("DROP TABLE msgarchive_sum").unwrap();
    let records: Vec<(i64, String, String)> = db
        .prepare("SELECT run, name, record FROM msgarchive_run ORDER BY run")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut previous = serde_json::Value::Null;
    for (run, name, text) in records {
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        for later in ["sums", "damage", "accepted"] {
            record.as_object_mut().unwrap().remove(later);
        }
        record["previous"] = previous;
        let text = format!("{record:#}\n");
        let hash: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        db.execute(
            "UPDATE msgarchive_run SET record = ?2, sha256 = ?3 WHERE run = ?1",
            params![run, text, hash],
        )
        .unwrap();
        fs::write(archive.join(format!("runs/{name}.json")), text).unwrap();
        previous = hash.into();
    }
}

/// Something that happens to a row.
#[derive(Debug, Clone)]
enum Damage {
    Column(String),
    Gone,
    Twice,
}

/// All that can happen to the tables of an archive.
fn all_damage(db: &Connection) -> Vec<(String, Damage)> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
    let names = |sql: &str, of: &[&str]| -> Vec<String> {
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map(params_from_iter(of), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut all = Vec::new();
    for table in names(tables, &[]) {
        for column in names("SELECT name FROM pragma_table_info(?1)", &[&table]) {
            all.push((table.clone(), Damage::Column(column)));
        }
        all.push((table.clone(), Damage::Gone));
        all.push((table, Damage::Twice));
    }
    all
}

/// Another value of its sort.
fn other(value: Value, step: i64) -> Value {
    match value {
        Value::Null => Value::Integer(step),
        Value::Integer(number) => Value::Integer(number.wrapping_add(step)),
        Value::Real(number) => Value::Real(number + step as f64),
        Value::Text(text) => Value::Text(format!("{text}{step}")),
        Value::Blob(mut bytes) => {
            bytes.push(step as u8);
            Value::Blob(bytes)
        }
    }
}

/// Does it to a row of the table: to one that has something there, if any has. `false` where it cannot be.
fn damage(db: &Connection, table: &str, what: &Damage) -> bool {
    let pairs: Vec<(String, i64)> = db
        .prepare("SELECT name, pk FROM pragma_table_info(?1)")
        .unwrap()
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut key: Vec<&str> = pairs.iter().filter(|(_, pk)| *pk > 0).map(|(name, _)| name.as_str()).collect();
    if key.is_empty() {
        key.push("rowid");
    }
    let same = key.iter().map(|name| format!("{name} IS ?")).collect::<Vec<_>>().join(" AND ");
    let order = match what {
        Damage::Column(column) => format!("{column} IS NULL, {column} IS 0, {}", key.join(", ")),
        _ => key.join(", "),
    };
    let shown = if let Damage::Column(column) = what { format!(", {column}") } else { String::new() };
    let sql = format!("SELECT {}{shown} FROM {table} ORDER BY {order} LIMIT 1", key.join(", "));
    let row: Vec<Value> = db
        .query_row(&sql, [], |row| (0..row.as_ref().column_count()).map(|at| row.get(at)).collect())
        .unwrap_or_else(|_| panic!("{table} has no row"));
    match what {
        Damage::Gone => {
            db.execute(&format!("DELETE FROM {table} WHERE {same}"), params_from_iter(row)).is_ok()
        }
        Damage::Twice => {
            let columns: Vec<&str> =
                pairs.iter().filter(|(_, pk)| *pk == 0).map(|(name, _)| name.as_str()).collect();
            let list = columns.join(", ");
            let sql = format!("INSERT INTO {table} ({list}) SELECT {list} FROM {table} WHERE {same}");
            db.execute(&sql, params_from_iter(row)).is_ok()
        }
        Damage::Column(column) => [1, 1_000_003].into_iter().any(|step| {
            let mut values = row.clone();
            let value = other(values.pop().unwrap(), step);
            values.insert(0, value);
            let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {same}");
            db.execute(&sql, params_from_iter(values)).is_ok_and(|rows| rows == 1)
        }),
    }
}

/// What of `all` is not as `test` wants it: in words.
pub fn failing<T: Sync>(all: &[T], test: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, failing) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(words) = test(one) {
                        failing.lock().unwrap().push(words);
                    }
                }
            });
        }
    });
    failing.into_inner().unwrap()
}

/// A row: by the names of its columns.
pub type Row = Vec<(String, Value)>;

/// What can be made anew of what else there is, and says nothing that anybody would tell of.
const MADE_ANEW: [&str; 4] =
    ["msgarchive_sum", "msgarchive_run", "msgarchive_source", "msgarchive_inherited"];

/// All rows of an archive's tables.
pub fn rows_of(rich: &Rich) -> Vec<(String, Row)> {
    let db = Connection::open(rich.archive().join("chat.db")).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
    let tables: Vec<String> =
        db.prepare(tables).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut all = Vec::new();
    for table in tables.into_iter().filter(|table| !MADE_ANEW.contains(&table.as_str())) {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let rows = statement
            .query_map([], |row| {
                names.iter().enumerate().map(|(at, name)| Ok((name.clone(), row.get(at)?))).collect()
            })
            .unwrap();
        all.extend(rows.map(|row| (table.clone(), row.unwrap())));
    }
    all
}

/// What is not as it is in an archive that is `whole`, after the same run; but for what that run wrote itself, of what a source
/// has: in words.
pub fn blessed(whole: &[(String, Row)], now: &[(String, Row)]) -> Vec<String> {
    let says = |row: &Row, name: &str| row.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone());
    let run = Some(Value::Integer(5));
    let is_of_run =
        |row: &Row| ["run", "since", "added", "msgarchive_since"].iter().any(|name| says(row, name) == run);
    let key = |(table, row): &(String, Row)| (table.clone(), row[0].1.clone());
    let came = now.iter().filter(|row| !whole.contains(row) && !is_of_run(&row.1));
    let gone = whole.iter().filter(|row| {
        !now.contains(row) && !now.iter().any(|other| key(other) == key(row) && is_of_run(&other.1))
    });
    came.map(|row| format!("+ {row:?}")).chain(gone.map(|row| format!("- {row:?}"))).collect()
}

#[test]
fn whatever_changes_is_found_and_right_after_the_next_run() {
    let rich = Rich::new();
    let db = Connection::open(rich.archive().join("chat.db")).unwrap();
    let all = all_damage(&db);
    let tables: BTreeSet<&str> = all.iter().map(|(table, _)| table.as_str()).collect();
    for table in &tables {
        let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "{table} has no row to damage");
    }
    let next = rich.copy();
    next.run(5).unwrap();
    let whole = rows_of(&next);
    let failing = failing(&all, |(table, what)| {
        let copy = rich.copy();
        let db = Connection::open(copy.archive().join("chat.db")).unwrap();
        db.execute_batch("PRAGMA synchronous = OFF").unwrap();
        if !damage(&db, table, what) {
            return None;
        }
        drop(db);
        let found = copy.found();
        if found.is_empty() {
            return Some(format!("{table} {what:?}: is not found"));
        }
        // What a row of Apple's says is mended as a whole, whichever column it is.
        let of_apple = ["message", "chat", "attachment"].iter().any(|name| table.ends_with(name))
            || table.ends_with("_version");
        if let Damage::Column(column) = what
            && of_apple
            && !column.starts_with("msgarchive_")
            && !["id", "ROWID", "guid", "filename", "hash", "added", "since", "source"]
                .contains(&column.as_str())
        {
            return None;
        }
        let lost = match copy.run(5) {
            Ok(record) => record.lost,
            Err(error) => return Some(format!("{table} {what:?}: {found:#?}, and a run fails: {error:?}")),
        };
        let left = copy.found();
        if !left.is_empty() {
            return Some(format!("{table} {what:?}: {found:#?}, and after a run {left:#?}"));
        }
        let blessed = blessed(&whole, &rows_of(&copy));
        (lost.is_empty() && !blessed.is_empty())
            .then(|| format!("{table} {what:?}: {found:#?}, and taken without a word {blessed:#?}"))
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

#[test]
fn an_archive_of_an_earlier_program_is_taken_as_it_is() {
    let rich = Rich::new();
    as_of_an_earlier_program(&rich.archive());
    assert_eq!(rich.found(), [""; 0]);
    rich.run(5).unwrap();
    assert_eq!(rich.found(), [""; 0]);
    rich.sql("UPDATE msgarchive_absence SET date = date + 1");
    let found = rich.found();
    assert!(
        found.iter().any(|line| line.contains("when and why it is gone where it came from")),
        "{found:#?}"
    );
    // One that is used by turns: what the earlier program wrote has no sums, and none are missing.
    as_of_an_earlier_program(&rich.archive());
    assert_eq!(rich.found(), [""; 0]);
    rich.run(6).unwrap();
    assert_eq!(rich.found(), [""; 0]);
}
