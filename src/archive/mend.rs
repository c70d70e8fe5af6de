//! What a run puts right of the archive's own, before it takes in anything: notes of rows, of contents and of sources that
//! `verify` found to be wrong, from what else the archive has.
//!
//! What neither the archive nor a source has any more stays as it is; the record of the run says what was found.
//!
//! **Must never**: touch what nobody found to be wrong, or take a row away that is not here a second time, but a note of which
//! its sum says that nobody wrote it.

mod absences;
mod aliases;
mod former;
mod joins;
mod lost;
mod lost_contents;
mod lost_joins;
mod notes;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

pub use self::lost::GivenUp;
pub use self::notes::Doubtful;
use super::damage::FoundDamaged;
use super::folder::{HOME, filename_at};
use super::identifiers;
use super::kind::Kind;
use super::participants;
use super::records::in_database;
use super::row::{self, RowHash, text_at};
use super::schema::{Columns, has_versions, version_table};
use super::sums::{FILES, INHERITED, NOTES, PLACED, SOURCES};
use super::vanished::VanishedRows;
use crate::disk::{ContentName, hash_file, hexadecimal};
use crate::source::tables::quoted;

/// Puts right what a run finds out of order in its own notes.
pub struct Mending<'c> {
    pub connection: &'c Connection,
    /// The archive's folder.
    pub folder: &'c Path,
    pub found: &'c FoundDamaged,
    pub run: i64,
}

/// What is known once all was put right that the archive itself tells.
pub struct Mended {
    /// Runs of which it is uncertain what they brought.
    pub runs: BTreeSet<i64>,
    /// What a source may tell.
    pub doubtful: Vec<Doubtful>,
    /// Rows that a source may give again, of which neither they nor their hashes are there.
    pub vanished: VanishedRows,
}

impl Mending<'_> {
    /// Everything but the sources.
    pub fn all(&self, columns: &Columns) -> rusqlite::Result<Mended> {
        let vanished = VanishedRows::of(self.connection, self.found)?;
        let left = self.by_sums()?;
        let others = Mending { found: &left, ..*self };
        Ok(Mended { runs: others.others(columns)?, doubtful: others.doubtful()?, vanished })
    }

    /// What no sum tells. Of which runs it is uncertain what they brought.
    fn others(&self, columns: &Columns) -> rusqlite::Result<BTreeSet<i64>> {
        let mut runs: BTreeSet<i64> = self.found.runs.iter().copied().collect();
        for kind in Kind::ALL {
            self.books(kind, columns)?;
            runs.extend(self.former(kind)?);
        }
        self.joins(columns)?;
        self.absences()?;
        self.without_strange_aliases()?;
        self.ask_again()?;
        self.files()?;
        self.contents()?;
        for attachment in self.found.ids_of(Kind::Attachment.table()) {
            self.filename(attachment)?;
        }
        participants::mend(self.connection, self.found, self.run)?;
        identifiers::mend(self.connection, self.found, self.run)?;
        if self.found.sums.is_empty() {
            return Ok(runs);
        }
        // Of sources that there never were.
        self.connection.execute(
            "DELETE FROM msgarchive_sighting WHERE source NOT IN (SELECT source FROM msgarchive_source)",
            [],
        )?;
        // All that another archive knows is asked for again.
        for source in self.found.ids_of(INHERITED) {
            self.connection.execute(&format!("DELETE FROM {INHERITED} WHERE source = ?1"), [source])?;
        }
        for key in self.found.sums_of("_SqliteDatabaseProperties") {
            self.connection.execute("DELETE FROM _SqliteDatabaseProperties WHERE key = ?1", [key])?;
        }
        Ok(runs)
    }

    /// What is known of the sources, from the records of the runs that read them: before they are looked at.
    pub fn sources(&self) -> rusqlite::Result<()> {
        let mut wrong: BTreeSet<i64> = self.found.ids_of(SOURCES).collect();
        let all_of_it = self.found.is_wrong_throughout(SOURCES);
        if wrong.is_empty() && !all_of_it {
            return Ok(());
        }
        let notes = NOTES.iter().find(|notes| notes.table == SOURCES);
        if let Some(notes) = notes.filter(|_| !all_of_it)
            && self.are_rows_right(notes)?
        {
            return Ok(());
        }
        let records = in_database(self.connection)?;
        if all_of_it {
            let values = records.iter().filter_map(|record| serde_json::from_str::<Value>(&record.text).ok());
            let all = values.filter_map(|value| value.get("sources")?.as_array().cloned()).flatten();
            wrong.extend(all.filter_map(|source| source.get("source")?.as_i64()));
        }
        for source in wrong {
            let mut known: Option<(Value, i64, i64)> = None;
            for record in &records {
                let value: Value = serde_json::from_str(&record.text).unwrap_or_default();
                let all = value.get("sources").and_then(Value::as_array).cloned().unwrap_or_default();
                for of_run in all.into_iter().filter(|of| of.get("source") == Some(&source.into())) {
                    let first = known.map_or(record.run, |(_, first, _)| first);
                    known = Some((of_run, first, record.run));
                }
            }
            self.connection.execute("DELETE FROM msgarchive_source WHERE source = ?1", [source])?;
            let Some((last, first_run, last_run)) = known else { continue };
            let text = |name: &str| last.get(name).and_then(Value::as_str);
            // A row id that it gave away is at least this one; of former states of messages all are asked for again.
            self.connection.execute(
                "INSERT INTO msgarchive_source (source, kind, path, device, highest, first_run, last_run) \
                 SELECT ?1, ?2, ?3, ?4, coalesce(max(source_rowid), 0), ?5, ?6 FROM msgarchive_sighting \
                 WHERE kind = ?7 AND source = ?1",
                params![
                    source,
                    text("kind").unwrap_or_default(),
                    text("path").unwrap_or_default(),
                    text("device"),
                    first_run,
                    last_run,
                    Kind::Message.number()
                ],
            )?;
        }
        Ok(())
    }

    /// Rows and their hashes that lost each other.
    fn books(&self, kind: Kind, columns: &Columns) -> rusqlite::Result<()> {
        let (table, book) = (kind.table(), format!("msgarchive_{}", kind.table()));
        let mut is_seen = self
            .connection
            .prepare("SELECT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2)")?;
        for id in self.found.strays.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id) {
            let Some(hash) = hash_of_row(self.connection, kind, table, columns, id)? else { continue };
            let elsewhere: Option<i64> = self
                .connection
                .query_row(
                    &format!(
                        "SELECT id FROM {book} b WHERE hash = ?1 \
                         AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.ROWID = b.id)"
                    ),
                    [hash],
                    |row| row.get(0),
                )
                .optional()?;
            match elsewhere {
                // Either of the two may have another id than it had: not the one that sources know.
                Some(other) if is_seen.query_row([kind.number(), id], |row| row.get(0))? => {
                    self.connection.execute(&format!("UPDATE {book} SET id = ?2 WHERE id = ?1"), [other, id])?
                }
                Some(other) => self
                    .connection
                    .execute(&format!("UPDATE {table} SET ROWID = ?2 WHERE ROWID = ?1"), [id, other])?,
                None => self.connection.execute(
                    &format!(
                        "INSERT OR IGNORE INTO {book} (id, hash, added, since, source) SELECT ?1, ?2, ?3, ?3, \
                         coalesce((SELECT min(source) FROM msgarchive_sighting WHERE kind = ?4 AND id = ?1), 0)"
                    ),
                    params![id, hash, self.run, kind.number()],
                )?,
            };
        }
        // A hash that is there once more, of no row.
        let of_nothing = format!(
            "DELETE FROM {book} AS b WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.ROWID = b.id) \
             AND EXISTS (SELECT 1 FROM {book} o JOIN {table} t ON t.ROWID = o.id WHERE o.hash = b.hash AND o.id <> b.id)"
        );
        for (_, id) in self.found.rows.iter().filter(|(of, _)| *of == kind) {
            self.connection.execute(&of_nothing, [id])?;
        }
        Ok(())
    }

    /// Which runs had brought former states that are not what they were.
    fn former(&self, kind: Kind) -> rusqlite::Result<Vec<i64>> {
        let mut runs = Vec::new();
        for (_, version) in self.found.former.iter().filter(|(of, _)| *of == kind && has_versions(*of)) {
            let since =
                format!("SELECT msgarchive_since FROM {} WHERE msgarchive_version = ?1", version_table(kind));
            runs.extend(self.connection.query_row(&since, [version], |row| row.get::<_, i64>(0)).optional()?);
        }
        Ok(runs)
    }

    /// Where former states are lost, all that other archives know is asked for again.
    fn ask_again(&self) -> rusqlite::Result<()> {
        let of_former = |table: &str| {
            Kind::ALL.into_iter().any(|kind| has_versions(kind) && version_table(kind) == table)
        };
        if !self.found.former.is_empty() || self.found.sums.iter().any(|wrong| of_former(&wrong.table)) {
            self.connection.execute(&format!("DELETE FROM {INHERITED}"), [])?;
            self.connection.execute("UPDATE msgarchive_source SET inherited = 0 WHERE inherited <> 0", [])?;
        }
        Ok(())
    }

    /// A content is named by its hash: so it says itself whether it is whole, and what is to be known of it.
    fn files(&self) -> rusqlite::Result<()> {
        for path in self.found.sums_of(FILES) {
            let file = self.folder.join(path);
            let Ok(own) = hash_file(&file) else { continue };
            let sha256 = hexadecimal(&own.sha256);
            let named = file.file_stem().unwrap_or_default().to_string_lossy();
            // A film has the name of its picture, and a part of its own hash.
            let is_it = match named.split_once('-') {
                Some((picture, film)) => picture == sha256 || !film.is_empty() && sha256.starts_with(film),
                None => named == sha256,
            };
            if is_it {
                self.connection.execute(
                    "INSERT INTO msgarchive_file (path, bytes, sha256, run) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (path) DO UPDATE SET bytes = ?2, sha256 = ?3",
                    params![path, i64::try_from(own.bytes).unwrap_or(i64::MAX), sha256, self.run],
                )?;
            }
        }
        self.without_files_that_moved()
    }

    /// Takes back what is noted of no file that anything names, where it is noted of another one with the same bytes, too.
    fn without_files_that_moved(&self) -> rusqlite::Result<()> {
        let is_gone = |path: &&str| self.folder.join(path).try_exists().is_ok_and(|is_there| !is_there);
        let gone: Vec<&str> = self.found.sums_of(FILES).filter(is_gone).collect();
        if gone.is_empty() {
            return Ok(());
        }
        // One look at all of them, however many are gone.
        let mut named: HashSet<String> = HashSet::new();
        let mut contents = self.connection.prepare(&format!("SELECT path, film FROM {PLACED}"))?;
        let mut rows = contents.query([])?;
        while let Some(row) = rows.next()? {
            named.extend([text_at(row, 0)?, text_at(row, 1)?].into_iter().flatten());
        }
        let (mut bytes_of, mut files_of) = (HashMap::new(), HashMap::<String, u64>::new());
        let mut files = self.connection.prepare(&format!("SELECT path, sha256 FROM {FILES}"))?;
        let mut rows = files.query([])?;
        while let Some(row) = rows.next()? {
            let (path, sha256) = (text_at(row, 0)?.unwrap_or_default(), text_at(row, 1)?.unwrap_or_default());
            *files_of.entry(sha256.clone()).or_default() += 1;
            bytes_of.insert(path, sha256);
        }
        // A bundle is named as a whole.
        let is_named = |path: &str| {
            let mut above = Path::new(path).ancestors().filter_map(Path::to_str);
            above.any(|path| named.contains(path))
        };
        let mut remove = self.connection.prepare(&format!("DELETE FROM {FILES} WHERE path = ?1"))?;
        for path in gone.into_iter().filter(|path| !is_named(path)) {
            let files = bytes_of.get(path).and_then(|sha256| files_of.get_mut(sha256));
            if let Some(files) = files.filter(|files| **files > 1) {
                *files -= 1;
                remove.execute([path])?;
            }
        }
        Ok(())
    }

    /// Where the bytes of attachments lie: their rows say it, too. What they do not say is asked of the source.
    fn contents(&self) -> rusqlite::Result<()> {
        for attachment in self.found.ids_of(PLACED) {
            let place: Option<String> = self
                .connection
                .query_row(
                    "SELECT substr(filename, ?2) FROM attachment WHERE ROWID = ?1 AND (\
                       EXISTS (SELECT 1 FROM msgarchive_file f WHERE f.path = substr(filename, ?2)) \
                       OR EXISTS (SELECT 1 FROM msgarchive_file f \
                         WHERE f.path > substr(filename, ?2) || '/' AND f.path < substr(filename, ?2) || '0'))",
                    params![attachment, HOME.len() as i64 + 1],
                    |row| row.get(0),
                )
                .optional()?;
            match place {
                // A film has the name of its picture.
                Some(place) => self.connection.execute(
                    "UPDATE msgarchive_content SET path = ?2, film = \
                       (SELECT f.path FROM msgarchive_file f WHERE f.path <> ?2 AND f.path > ?3 || '.' AND f.path < ?3 || '/') \
                     WHERE attachment = ?1",
                    params![attachment, place, ContentName { extension: "", ..ContentName::of(&place) }.path()],
                )?,
                None => self
                    .connection
                    .execute("DELETE FROM msgarchive_content WHERE attachment = ?1", [attachment])?,
            };
        }
        Ok(())
    }

    /// The other way round.
    fn filename(&self, attachment: i64) -> rusqlite::Result<()> {
        self.connection.execute(
            &format!(
                "UPDATE attachment SET filename = {} FROM msgarchive_content c \
                 WHERE c.attachment = ?1 AND attachment.ROWID = ?1",
                filename_at("c.path")
            ),
            [attachment],
        )?;
        Ok(())
    }
}

/// The hash of a row as it lies in its table, or in that of former states.
fn hash_of_row(
    connection: &Connection,
    kind: Kind,
    table: &str,
    columns: &Columns,
    rowid: i64,
) -> rusqlite::Result<Option<RowHash>> {
    let hashed = columns.hashed(kind);
    let list: Vec<String> = hashed.iter().map(|name| quoted(name)).collect();
    let sql = format!("SELECT {} FROM {table} WHERE ROWID = ?1", list.join(", "));
    connection.query_row(&sql, [rowid], |row| row::hash_of(row, 0, &hashed)).optional()
}
