//! The database of an archive, damaged where it lies on the disk: page by page, whatever is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::vouched::{Rich, failing};

/// Everything that an archive knows, in words that are the same wherever its rows lie.
pub fn known(archive: &Path) -> BTreeSet<String> {
    const OF: &str = "(SELECT CASE :kind WHEN 0 THEN (SELECT id FROM handle WHERE ROWID = :id) \
        WHEN 1 THEN (SELECT guid FROM chat WHERE ROWID = :id) \
        WHEN 2 THEN (SELECT guid FROM attachment WHERE ROWID = :id) \
        ELSE (SELECT guid FROM message WHERE ROWID = :id) END)";
    let row = |kind: &str, id: &str| OF.replace(":kind", kind).replace(":id", id);
    let source = |of: &str| {
        format!("{of}.source, (SELECT path FROM msgarchive_source o WHERE o.source = {of}.source)")
    };
    let queries = [
        "SELECT 'handle', id, service FROM handle".to_owned(),
        "SELECT 'chat', guid, chat_identifier, display_name FROM chat".to_owned(),
        "SELECT 'chat', guid, chat_identifier, display_name FROM msgarchive_chat_version".to_owned(),
        "SELECT 'attachment', guid, transfer_name FROM attachment".to_owned(),
        "SELECT 'attachment', guid, transfer_name FROM msgarchive_attachment_version".to_owned(),
        "SELECT 'message', guid, date, text, attributedBody, date_edited, date_read, is_read FROM message".to_owned(),
        "SELECT 'message', guid, date, text, attributedBody, date_edited, date_read, is_read FROM msgarchive_message_version"
            .to_owned(),
        format!("SELECT 'place', {}, {} FROM chat_message_join", row("1", "chat_id"), row("3", "message_id")),
        format!("SELECT 'participant', {}, {} FROM chat_handle_join", row("1", "chat_id"), row("0", "handle_id")),
        format!(
            "SELECT 'attached', {}, {} FROM message_attachment_join",
            row("3", "message_id"),
            row("2", "attachment_id")
        ),
        format!("SELECT 'lookup', identifier, domain, {} FROM chat_lookup", row("1", "chat")),
        format!(
            "SELECT 'part', {}, {}, part_index, part_text FROM recoverable_message_part",
            row("1", "chat_id"),
            row("3", "message_id")
        ),
        format!(
            "SELECT 'absence', {}, reason, date, returned IS NULL FROM msgarchive_absence",
            row("3", "message"),
        ),
        format!("SELECT 'alias', guid, {} FROM msgarchive_alias", row("3", "message")),
        format!(
            "SELECT 'sighting', kind, {}, source_rowid, {} FROM msgarchive_sighting s",
            row("s.kind", "s.id"),
            source("s")
        ),
        format!(
            "SELECT 'content', {}, f.path, f.bytes, f.sha256 FROM msgarchive_content c \
             JOIN msgarchive_file f ON f.path = c.path OR f.path LIKE c.path || '/%' OR f.path = c.film",
            row("2", "c.attachment")
        ),
        format!(
            "SELECT 'member', {}, {}, since, until FROM msgarchive_participant",
            row("1", "chat"),
            row("0", "handle")
        ),
        "SELECT 'card', name, phones, emails FROM msgarchive_contact".to_owned(),
    ];
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(archive.join("chat.db"), flags).unwrap();
    let mut known = BTreeSet::new();
    for query in queries {
        let Ok(mut statement) = db.prepare(&query) else { continue };
        let columns = statement.column_count();
        let Ok(mut rows) = statement.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            let values: Vec<String> =
                (0..columns).map(|at| row.get_ref(at).map_or(String::new(), in_words)).collect();
            known.insert(values.join(" | "));
        }
    }
    known
}

fn in_words(value: ValueRef<'_>) -> String {
    let number = |bytes: &[u8]| bytes.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    match value {
        // To Apple the two mean the same.
        ValueRef::Null | ValueRef::Integer(0) => "-".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => real.to_string(),
        ValueRef::Text(text) => match String::from_utf8_lossy(text) {
            // Of a source, wherever its folder lies today.
            path if path.starts_with('/') => path.rsplit('/').take(2).collect::<Vec<_>>().join(" of "),
            text => text.into_owned(),
        },
        ValueRef::Blob(bytes) => format!("x{:x}", number(bytes)),
    }
}

/// What happens to a database.
#[derive(Debug, Clone)]
enum Damage {
    Flip {
        page: usize,
        at: usize,
    },
    Zero(usize),
    Swap(usize, usize),
    /// A page as it was some runs before.
    Older(usize, usize),
    Truncate(usize),
    /// What another program left beside it: of this database as it was some runs before.
    Journal(usize),
    Wal(usize),
}

struct Subject {
    rich: Rich,
    database: Vec<u8>,
    /// As it was before.
    older: Vec<Vec<u8>>,
    size: usize,
    /// The table or the index that lies in each page, and how many of its rows.
    of_pages: Vec<(String, usize)>,
    known: BTreeSet<String>,
    /// What an archive knows that is made of the same sources today.
    at_hand: BTreeSet<String>,
}

/// In which tables a fact lies, and those of which it names rows.
const LIES_IN: [(&str, &[&str], &[&str]); 15] = [
    ("handle", &["handle"], &[]),
    ("chat", &["chat", "msgarchive_chat_version"], &[]),
    ("attachment", &["attachment", "msgarchive_attachment_version"], &[]),
    ("message", &["message", "msgarchive_message_version"], &[]),
    ("place", &["chat_message_join"], &["chat", "message"]),
    ("participant", &["chat_handle_join"], &["chat", "handle"]),
    ("member", &["msgarchive_participant"], &["chat", "handle"]),
    ("attached", &["message_attachment_join"], &["message", "attachment"]),
    ("lookup", &["chat_lookup"], &["chat"]),
    ("part", &["recoverable_message_part"], &["chat", "message"]),
    ("absence", &["msgarchive_absence"], &["message"]),
    ("alias", &["msgarchive_alias"], &["message"]),
    ("sighting", &["msgarchive_sighting"], &["handle", "chat", "attachment", "message"]),
    ("content", &["msgarchive_content", "msgarchive_file"], &["attachment"]),
    ("card", &["msgarchive_contact"], &[]),
];

impl Subject {
    fn the() -> &'static Subject {
        static SUBJECT: OnceLock<Subject> = OnceLock::new();
        SUBJECT.get_or_init(|| {
            let (rich, older) = Rich::with_former_databases(6);
            Subject::of(rich, older)
        })
    }

    /// One whose tables are trees of three levels.
    fn of_small_pages() -> &'static Subject {
        static SUBJECT: OnceLock<Subject> = OnceLock::new();
        SUBJECT.get_or_init(|| {
            let (rich, _) = Rich::with_former_databases(150);
            rich.in_small_pages();
            Subject::of(rich, Vec::new())
        })
    }

    fn of(rich: Rich, older: Vec<Vec<u8>>) -> Subject {
        let path = rich.archive().join("chat.db");
        let database = fs::read(&path).unwrap();
        let db = Connection::open(&path).unwrap();
        let size: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
        let mut of_pages = vec![(String::new(), 0); database.len() / size as usize];
        let mut statement = db.prepare("SELECT pageno, name, pagetype, ncell FROM dbstat").unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let page = row.get::<_, i64>(0).unwrap() as usize - 1;
            let many = match row.get::<_, String>(2).unwrap().as_str() {
                "overflow" => 1,
                // What leads to rows that have row ids has none itself.
                "internal" if database[page * size as usize] == 5 => 0,
                _ => row.get::<_, i64>(3).unwrap() as usize,
            };
            of_pages[page] = (row.get(1).unwrap(), many);
        }
        let known = known(&rich.archive());
        let anew = rich.copy();
        fs::remove_dir_all(anew.archive()).unwrap();
        anew.run(6).unwrap();
        let mut at_hand = self::known(&anew.archive());
        // What a run knows of others before it is not.
        at_hand.retain(|fact| !fact.starts_with("member ") && !fact.starts_with("sighting "));
        drop(rows);
        drop(statement);
        Subject { rich, database, older, size: size as usize, of_pages, known, at_hand }
    }

    /// Everything that can happen to it; `step`: how far apart the bytes are that are flipped, but for those that a page
    /// begins with.
    fn all(&self, step: usize) -> Vec<Damage> {
        let pages = self.of_pages.len();
        let mut all = Vec::new();
        for page in 0..pages {
            let head = if page == 0 { 112 } else { 12 };
            let bytes = (0..self.size).filter(|at| *at < head || (*at + page * 7) % step == 0);
            all.extend(bytes.map(|at| Damage::Flip { page, at }));
            all.push(Damage::Zero(page));
            all.extend((page + 1..pages).map(|other| Damage::Swap(page, other)));
            all.extend((0..self.older.len()).map(|older| Damage::Older(page, older)));
            all.extend([0, 1, self.size / 2].map(|more| Damage::Truncate(page * self.size + more)));
        }
        all.extend((0..self.older.len()).flat_map(|older| [Damage::Journal(older), Damage::Wal(older)]));
        all
    }

    /// Does it to an archive's database.
    fn damage(&self, database: &Path, damage: &Damage) {
        let mut bytes = self.database.clone();
        let place = |page: usize| page * self.size..(page + 1) * self.size;
        match *damage {
            Damage::Flip { page, at } => bytes[page * self.size + at] ^= 1 << (at % 8),
            Damage::Zero(page) => bytes[place(page)].fill(0),
            Damage::Swap(a, b) => {
                bytes[place(a)].copy_from_slice(&self.database[place(b)]);
                bytes[place(b)].copy_from_slice(&self.database[place(a)]);
            }
            Damage::Older(page, older) => {
                if let Some(before) = self.older[older].get(place(page)) {
                    bytes[place(page)].copy_from_slice(before);
                }
            }
            Damage::Truncate(length) => bytes.truncate(length),
            Damage::Journal(older) => left_beside(&self.older[older], "DELETE", "-journal", database),
            Damage::Wal(older) => left_beside(&self.older[older], "WAL", "-wal", database),
        }
        fs::write(database, bytes).unwrap();
    }

    /// Of what is lost, what it did not take along itself: what a source has, what lay in other tables, and what is more
    /// than the rows that were in these pages.
    fn too_much(&self, damage: &Damage, lost: &[&String]) -> Vec<String> {
        let pages: Vec<usize> = match *damage {
            Damage::Flip { page, .. } | Damage::Zero(page) | Damage::Older(page, _) => vec![page],
            Damage::Swap(a, b) => vec![a, b],
            Damage::Truncate(length) => (length / self.size..self.of_pages.len()).collect(),
            Damage::Journal(_) | Damage::Wal(_) => (0..self.of_pages.len()).collect(),
        };
        let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
        for page in pages {
            let (table, many) = &self.of_pages[page];
            *rows.entry(table).or_default() += many;
        }
        let mut too_much = Vec::new();
        for (word, own, named) in LIES_IN {
            let in_pages = |tables: &[&str]| tables.iter().filter_map(|table| rows.get(table)).sum::<usize>();
            let lost: Vec<&String> =
                lost.iter().copied().filter(|fact| fact.split(' ').next() == Some(word)).collect();
            // A content and its film lie in one row.
            let is_too_much = in_pages(named) == 0 && lost.len() > 2 * in_pages(own);
            too_much
                .extend(lost.into_iter().filter(|fact| is_too_much || self.at_hand.contains(*fact)).cloned());
        }
        too_much
    }

    /// What is wrong with what becomes of it.
    fn try_it(&self, damage: &Damage) -> Option<String> {
        let copy = self.rich.copy();
        self.damage(&copy.archive().join("chat.db"), damage);
        let begun = Instant::now();
        let what = match *damage {
            Damage::Flip { page, .. } | Damage::Zero(page) | Damage::Older(page, _) => {
                &*self.of_pages[page].0
            }
            _ => "",
        };
        let wrong = |says: String| Some(format!("{damage:?} {what}: {says}"));
        let Ok(found) = catch_unwind(AssertUnwindSafe(|| copy.found())) else {
            return wrong("verify panics".into());
        };
        if found.is_empty() && known(&copy.archive()) != self.known {
            return wrong("is not told".into());
        }
        match catch_unwind(AssertUnwindSafe(|| copy.run(6))) {
            Err(_) => return wrong("a run panics".into()),
            Ok(Err(error)) => return wrong(format!("{found:#?}, and a run fails: {error:?}")),
            Ok(Ok(_)) => {}
        }
        let left = copy.found();
        if !left.is_empty() {
            return wrong(format!("{found:#?}, and after a run {left:#?}"));
        }
        let now = known(&copy.archive());
        let lost = self.too_much(damage, &self.known.difference(&now).collect::<Vec<_>>());
        if !lost.is_empty() {
            return wrong(format!("{found:#?}, and after a run {lost:#?} is lost"));
        }
        (begun.elapsed() > Duration::from_secs(60)).then(|| format!("{damage:?} {what} takes too long"))
    }
}

/// What a program leaves beside a database that is ended while it writes; beside another one.
fn left_beside(database: &[u8], mode: &str, ending: &str, to: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    fs::write(&path, database).unwrap();
    let db = Connection::open(&path).unwrap();
    db.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
    db.execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE message SET text = 'another'; UPDATE msgarchive_sum SET sum = 7")
        .unwrap();
    if mode == "WAL" {
        db.execute_batch("COMMIT").unwrap();
    }
    let beside = |path: &Path| format!("{}{ending}", path.display());
    fs::copy(beside(&path), beside(to)).unwrap();
}

/// Every page that is lost, and of everything else that can happen every so many.
#[test]
fn pages_that_are_damaged() {
    let subject = Subject::the();
    let mut all: Vec<Damage> = (0..subject.of_pages.len()).map(Damage::Zero).collect();
    all.extend(subject.all(subject.size).into_iter().step_by(61));
    all.extend([Damage::Journal(0), Damage::Journal(1), Damage::Wal(0), Damage::Wal(1)]);
    let failing = failing(&all, |damage| subject.try_it(damage));
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// A sum is right, but what it speaks of is damaged: nobody else's rows are taken away for that.
#[test]
fn a_sum_that_speaks_of_something_else() {
    let subject = Subject::the();
    let db = Connection::open(subject.rich.archive().join("chat.db")).unwrap();
    let mut sums = db.prepare("SELECT tbl, about FROM msgarchive_sum").unwrap();
    let sums = sums.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let sums: Vec<(String, String)> = sums.collect::<rusqlite::Result<_>>().unwrap();
    assert!(sums.iter().any(|(table, _)| table == "msgarchive_file"));
    let failing = failing(&sums, |(table, about)| {
        let copy = subject.rich.copy();
        let db = Connection::open(copy.archive().join("chat.db")).unwrap();
        let other = match about.split_at(about.len().saturating_sub(1)) {
            (begin, "7") => format!("{begin}6"),
            (begin, _) => format!("{begin}7"),
        };
        let sql = "UPDATE OR IGNORE msgarchive_sum SET about = ?3 WHERE tbl = ?1 AND about = ?2";
        if db.execute(sql, [table, about, &other]).unwrap() == 0 {
            return None;
        }
        drop(db);
        let found = copy.found();
        copy.run(6).unwrap();
        let (left, now) = (copy.found(), known(&copy.archive()));
        let lost: Vec<&String> = subject.known.difference(&now).collect();
        let is_right = !found.is_empty() && left.is_empty() && lost.is_empty();
        (!is_right).then(|| format!("{table} {about}: {found:#?}, after a run {left:#?}, {lost:#?} is lost"))
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), sums.len(), failing.join("\n"));
}

/// Everything. Some of it: `PAGES=Swap`.
#[test]
#[ignore = "takes an hour"]
fn pages_that_are_damaged_every_one() {
    let only = std::env::var("PAGES").unwrap_or_default();
    let (subject, only) = match only.strip_prefix("Small") {
        Some(only) => (Subject::of_small_pages(), only),
        None => (Subject::the(), &*only),
    };
    let all = subject.all(61).into_iter();
    let all: Vec<Damage> = all.filter(|damage| format!("{damage:?}").starts_with(only)).collect();
    println!("{} cases, {} facts", all.len(), subject.known.len());
    // As they come: it takes long.
    let failing = failing(&all, |damage| subject.try_it(damage).inspect(|words| println!("{words}")));
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}
