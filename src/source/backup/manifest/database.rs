//! `Manifest.db` (`ios-backup-format.md` 4), with what columns it has: some were written by other programs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::mb_file::mb_file;
use super::{Entry, FileId, KIND, REGULAR};
use crate::source::database::{Columns, Guard, Schema, lock};

/// The column `flags` of a regular file, a folder and a symbolic link.
const FILE: i64 = 1;
const OTHERS: [i64; 2] = [2, 4];
/// A description of a file has about a kilobyte; of a longer one nothing is believed.
const LONGEST_DESCRIPTION: u32 = 1 << 20;
/// No path is in more domains: somebody would want this program to be busy.
const MOST_DOMAINS: u32 = 100;
/// Folders and files of other domains among the files that are looked for.
const MOST_OTHERS: usize = 1_000;

#[derive(Debug)]
pub(in crate::source::backup) struct Database {
    connection: Mutex<Connection>,
    queries: Queries,
    /// The row ids of all files, where the list has no indexes to find one by.
    rows: Option<Rows>,
    _guard: Guard,
}

/// By path and domain.
type Rows = BTreeMap<(String, String), i64>;

/// What is asked of the list.
#[derive(Debug)]
struct Queries {
    by_id: String,
    by_path: String,
    /// (Domain, path, flags), from a path on, up to another.
    paths: String,
    /// (Domain, path, flags, row id).
    all: String,
    by_rowid: String,
}

impl Queries {
    fn new(schema: &Schema) -> Queries {
        let [id, path, domain, flags, file] = ["fileid", "relativepath", "domain", "flags", "file"]
            .map(|name| schema.column("files", "f", name));
        let file = format!("CASE WHEN length({file}) <= {LONGEST_DESCRIPTION} THEN {file} ELSE x'' END");
        let entry = format!("SELECT {id}, {flags}, {file} FROM Files f");
        let place = format!("{domain}, {path}, {flags}");
        Queries {
            by_id: format!("{entry} WHERE {id} = ?1"),
            by_path: format!(
                "SELECT {id}, {flags}, {file}, {domain} FROM Files f WHERE {path} = ?1 LIMIT {MOST_DOMAINS}"
            ),
            paths: format!("SELECT {place} FROM Files f WHERE {path} >= ?1 AND {path} < ?2 LIMIT ?3"),
            all: format!("SELECT {place}, f.rowid FROM Files f"),
            by_rowid: format!("{entry} WHERE f.rowid = ?1"),
        }
    }
}

impl Database {
    pub fn new(connection: Connection, guard: Guard) -> rusqlite::Result<Database> {
        let queries = Queries::new(&Schema::probe(&connection)?);
        let mut scan = false;
        for sql in [&queries.by_id, &queries.by_path, &queries.paths] {
            scan |= scans(&connection, sql)?;
        }
        let rows = if scan { Some(all_rows(&connection, &queries.all)?) } else { None };
        Ok(Database { connection: Mutex::new(connection), queries, rows, _guard: guard })
    }

    pub fn find(&self, domain: &str, path: &str) -> rusqlite::Result<Option<Entry>> {
        match &self.rows {
            Some(rows) => match rows.get(&(path.to_owned(), domain.to_owned())) {
                Some(rowid) => self.entry(&self.queries.by_rowid, rowid),
                None => Ok(None),
            },
            None => self.entry(&self.queries.by_id, FileId::of(domain, path).as_str()),
        }
    }

    pub fn find_anywhere(&self, path: &str) -> rusqlite::Result<Option<Entry>> {
        if let Some(rows) = &self.rows {
            return match rows.range((path.to_owned(), String::new())..).next() {
                Some(((known, _), rowid)) if known == path => self.entry(&self.queries.by_rowid, rowid),
                _ => Ok(None),
            };
        }
        let connection = lock(&self.connection);
        let mut statement = connection.prepare_cached(&self.queries.by_path)?;
        let found = statement.query_map([path], |row| {
            Ok(entry(row).map(|entry| (Columns::from(row, 3).text().unwrap_or_default(), entry)))
        })?;
        let mut found: Vec<(String, Entry)> =
            found.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found.into_iter().next().map(|(_, entry)| entry))
    }

    /// Of more than `most`, any; in any order.
    pub fn paths(&self, domains: &[&str], beginning: &str, most: usize) -> rusqlite::Result<Vec<String>> {
        if let Some(rows) = &self.rows {
            let from = rows.range((beginning.to_owned(), String::new())..).map(|(key, _)| key);
            let all = from.take_while(|(path, _)| path.starts_with(beginning));
            let wanted = all.filter(|(_, domain)| domains.contains(&domain.as_str()));
            return Ok(wanted.take(most).map(|(path, _)| path.clone()).collect());
        }
        let connection = lock(&self.connection);
        // What follows every path that begins so.
        let end = format!("{beginning}\u{10FFFF}");
        let limit = i64::try_from(most.saturating_add(MOST_OTHERS)).unwrap_or(i64::MAX);
        let mut statement = connection.prepare_cached(&self.queries.paths)?;
        let rows = statement.query_map(params![beginning, end, limit], |row| Ok(place(row)))?;
        let wanted = |(path, domain): &(String, String)| {
            domains.contains(&domain.as_str()) && path.starts_with(beginning)
        };
        let paths = rows.filter_map(Result::transpose).filter(|row| row.as_ref().map_or(true, wanted));
        paths.take(most).map(|row| row.map(|(path, _)| path)).collect()
    }

    /// The row that a statement finds by one value.
    fn entry(&self, sql: &str, by: impl ToSql) -> rusqlite::Result<Option<Entry>> {
        let connection = lock(&self.connection);
        let mut statement = connection.prepare_cached(sql)?;
        Ok(statement.query_row([by], |row| Ok(entry(row))).optional()?.flatten())
    }
}

/// Whether SQLite would look through the whole list.
fn scans(connection: &Connection, sql: &str) -> rusqlite::Result<bool> {
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let nothing = vec![rusqlite::types::Null; plan.parameter_count()];
    let mut steps = plan.query(rusqlite::params_from_iter(nothing))?;
    while let Some(step) = steps.next()? {
        if step.get::<_, String>("detail")?.starts_with("SCAN") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all_rows(connection: &Connection, sql: &str) -> rusqlite::Result<Rows> {
    let mut rows = Rows::new();
    let mut statement = connection.prepare(sql)?;
    let mut cursor = statement.query([])?;
    while let Some(row) = cursor.next()? {
        if let Some(place) = place(row) {
            rows.entry(place).or_insert(row.get(3)?);
        }
    }
    Ok(rows)
}

/// Path and domain of a row that begins with domain, path and flags; `None` for what is no regular file.
fn place(row: &Row<'_>) -> Option<(String, String)> {
    let mut c = Columns::from(row, 0);
    let (domain, path, flags) = (c.text()?, c.text()?, c.number());
    (!OTHERS.contains(&flags)).then_some((path, domain))
}

/// `None` for what is no regular file.
fn entry(row: &Row<'_>) -> Option<Entry> {
    let mut c = Columns::from(row, 0);
    let (id, flags, file) = (c.text(), c.number(), c.bytes());
    let id = FileId::stored(&id?)?;
    if OTHERS.contains(&flags) {
        return None;
    }
    let about = file.as_deref().and_then(mb_file);
    let mode = about.as_ref().and_then(|about| about.mode);
    // Some writers leave the flags at 0.
    if flags != FILE && mode.is_some_and(|mode| mode & KIND != REGULAR) {
        return None;
    }
    let size = about.as_ref().and_then(|about| about.size);
    let unreadable = file.is_some() && about.is_none();
    let wrapped_key = about.and_then(|about| about.wrapped_key).or_else(|| unreadable.then(Vec::new));
    Some(Entry { id, wrapped_key, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::backup::random::Random;

    const A: &str = "Library/SMS/Attachments/a";

    fn manifest(schema: &str) -> Database {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(schema).unwrap();
        for (domain, path, flags) in [
            ("HomeDomain", A, 1),
            ("MediaDomain", "Library/SMS/Attachments/x.pages/Data", 2),
            ("MediaDomain", "Library/SMS/Attachments/x.pages/Data/b", 1),
            ("MediaDomain", "Library/SMS/Attachments/x.pages/a", 0),
            ("AppDomain", "Library/SMS/Attachments/x.pages/c", 1),
        ] {
            let id = FileId::of(domain, path);
            let row = params![id.as_str(), domain, path, flags];
            connection.execute("INSERT INTO Files VALUES (?1, ?2, ?3, ?4, NULL)", row).unwrap();
        }
        Database::new(connection, Guard::default()).unwrap()
    }

    /// Bytes that somebody changed: an error or a list, and soon; never a name that leads elsewhere.
    #[test]
    fn lists_made_to_hurt_are_lists_or_errors() {
        let whole = {
            let list = manifest(
                "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER,
                     file BLOB); CREATE INDEX p ON Files(relativePath);",
            );
            lock(&list.connection).serialize("main").unwrap().to_vec()
        };
        let mut random = Random::of(7);
        let mut next = |below| random.below(below);
        let mut lists = 0;
        for _ in 0..3_000 {
            let mut bytes = whole.clone();
            for _ in 0..=next(8) {
                // Most of a database of few rows is empty.
                let at = if next(2) == 0 { next(200) } else { next(bytes.len()) };
                bytes[at] = [next(256) as u8, 0, 0xff, bytes[at] ^ 1][next(4)];
            }
            let mut connection = Connection::open_in_memory().unwrap();
            if connection.deserialize_read_exact("main", bytes.as_slice(), bytes.len(), true).is_err() {
                continue;
            }
            let Ok(list) = Database::new(connection, Guard::default()) else { continue };
            lists += 1;
            let found = [list.find("HomeDomain", A), list.find_anywhere(A)];
            for entry in found.into_iter().flatten().flatten() {
                assert_eq!(FileId::stored(entry.id.as_str()), Some(entry.id));
            }
            let _ = list.paths(&["MediaDomain"], "Library/SMS/Attachments/x.pages/", usize::MAX);
        }
        assert!(lists > 300, "{lists}");
    }

    #[test]
    fn lists_of_any_make_find_the_same() {
        let columns = "domain TEXT, relativePath TEXT, flags INTEGER, file BLOB";
        let with = |id: &str, more: &str| format!("CREATE TABLE Files (fileID TEXT {id}, {columns}); {more}");
        let by_path = "CREATE INDEX p ON Files(relativePath);";
        for (schema, indexed) in [
            (with("PRIMARY KEY", by_path), true),
            (format!("PRAGMA encoding = 'UTF-16le'; {}", with("PRIMARY KEY", by_path)), true),
            (format!("PRAGMA encoding = 'UTF-16be'; {}", with("PRIMARY KEY", by_path)), true),
            (with("PRIMARY KEY", ""), false),
            (with("", by_path), false),
            (with("", ""), false),
            (with("PRIMARY KEY", "CREATE INDEX p ON Files(relativePath COLLATE NOCASE);"), false),
        ] {
            let list = manifest(&schema);
            assert_eq!(list.rows.is_none(), indexed, "{schema}");
            let id = FileId::of("HomeDomain", A);
            assert_eq!(list.find("HomeDomain", A).unwrap().unwrap().id, id, "{schema}");
            assert_eq!(list.find_anywhere(A).unwrap().unwrap().id, id);
            assert_eq!(list.find("MediaDomain", A).unwrap(), None);
            let bundle = "Library/SMS/Attachments/x.pages/";
            let mut paths = list.paths(&["MediaDomain", "HomeDomain"], bundle, usize::MAX).unwrap();
            paths.sort_unstable();
            assert_eq!(paths, [format!("{bundle}Data/b"), format!("{bundle}a")]);
            assert_eq!(list.paths(&["MediaDomain"], bundle, 1).unwrap().len(), 1);
            assert!(list.paths(&["MediaDomain"], "Library/SMS/Attachments/y/", 9).unwrap().is_empty());
        }
    }
}
