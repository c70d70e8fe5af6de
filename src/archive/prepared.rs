//! A source of a run, looked at: which source it is, what is new in it, and which contents are wished for.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::ArchiveError;
use super::contents::{Fulfilled, Wish};
use super::folder::Folder;
use super::given::{ArchiveOptions, Feed};
use super::kept::Kept;
use super::kind::Kind;
use super::known_source::{ArchiveRead, archive_read, recognize};
use super::late;
use super::places::Places;
use super::ready::Ready;
use super::scan::{Scan, scan};
use super::sums::first_together;
use super::vouching::unvouched;
use super::whereabouts::{was_at, whole};
use super::wishes::wishes;
use crate::model::Instant;
use crate::source::contacts::Contact;
use crate::source::tables::Tables;
use crate::source::{SourceError, SourceKind};

/// A source of this run, looked at.
pub struct Prepared<'t> {
    pub tables: &'t Tables,
    pub contacts: &'t [Contact],
    pub source: i64,
    pub new: bool,
    pub highest: i64,
    /// Of an archive: which one, where it says so.
    pub archive: Option<ArchiveRead>,
    /// How many messages it had, or the source that lay where it lies, where it has none now; `None` elsewhere.
    pub had: Option<u64>,
    /// How long it keeps messages.
    pub kept: Kept,
    /// When it was as it is: a backup when it was made.
    pub now: Instant,
    pub places: Places,
    pub scans: Vec<(Kind, Scan)>,
    pub wishes: Vec<Wish>,
    pub contents: Fulfilled,
}

/// SQLite lets a table have 2000, and the archive has some of its own.
const MOST_COLUMNS: usize = 1900;

impl<'t> Prepared<'t> {
    /// `before`: the sources of this run that were looked at. `paths`: of all of them, each once.
    ///
    /// # Errors
    /// [`ArchiveError`]; what reading the source said.
    pub fn of(
        folder: &Folder,
        Ready { connection, found_damaged, .. }: &mut Ready<'_>,
        Feed { tables, contacts }: &'t Feed,
        ArchiveOptions { now, jobs, .. }: ArchiveOptions<'_>,
        before: &[Prepared<'_>],
        paths: &[PathBuf],
    ) -> Result<Prepared<'t>, ArchiveError> {
        let failed = || ArchiveError::database(folder.database());
        for kind in Kind::ALL {
            let Some(table) = tables.table(kind.table()) else { continue };
            let odd = |what: String| Err(SourceError::odd(&tables.info().path, kind.table(), what).into());
            match table.columns.len() {
                _ if !table.has_rowids => return odd("has no row ids, by which its rows are joined".into()),
                MOST_COLUMNS.. => return odd(format!("has {} columns", table.columns.len())),
                _ => {}
            }
        }
        let highest =
            tables.table("message").map_or(Ok(0), |message| tables.reader().highest_ever(message))?;
        // One look at the archive: each of many small ones would ask anew whether it changed.
        let looked_at = connection.transaction().map_err(failed())?;
        let places = Places::read(tables, jobs)?;
        // Two copies of one library are two sources: each may have what the other lacks.
        let place = whole(&tables.info().path);
        let is_another = |source: i64, path: &Path| {
            before.iter().any(|visit| visit.source == source)
                || !was_at(path, &place) && paths.iter().any(|other| was_at(path, other))
        };
        let known = recognize(
            &looked_at,
            &folder.id,
            (tables, &places, &place),
            highest,
            found_damaged,
            &is_another,
        )?;
        let unused: i64 = looked_at
            .query_row("SELECT coalesce(max(source), 0) + 1 FROM msgarchive_source", [], |row| row.get(0))
            .map_err(failed())?;
        let new = before.iter().filter(|visit| visit.new).count();
        let source = known.unwrap_or(unused + new as i64);
        let mut seen = Vec::new();
        while known.is_some() && seen.len() < jobs.max(1) {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            seen.push(Connection::open_with_flags(folder.database(), flags).map_err(failed())?);
        }
        let mut scans = Vec::new();
        for kind in Kind::ALL {
            let again = found_damaged.again(&looked_at, kind, source).map_err(failed())?;
            let mut scan = scan(kind, tables, &places, &folder.id, &mut seen, source, &again)?;
            if kind == Kind::Message {
                scan.name_others(late::naming(tables, &scans)?);
            }
            if known.is_some() {
                let rowids = scan.missing.iter().map(|(rowid, _)| *rowid).chain(scan.news.iter().copied());
                scan.unvouched = unvouched(&looked_at, kind, source, rowids).map_err(failed())?;
                // Until `verify` tells of them, which of them are gone is not known.
                let is_known = |rowid: i64| !scan.unvouched.contains(&first_together(rowid));
                scan.missing.retain(|(rowid, _)| is_known(*rowid) || again.is_uncertain(*rowid));
            }
            scans.push((kind, scan));
        }
        let is_empty =
            scans.iter().all(|(kind, scan): &(Kind, Scan)| *kind != Kind::Message || scan.read == 0);
        let had = match is_empty {
            true => had_there(&looked_at, &place).map_err(failed())?,
            false => None,
        };
        let backup = tables.info().backup.as_ref().and_then(|backup| backup.date);
        let as_of = backup.map_or(now, Instant::from);
        let kept = Kept::of(&looked_at, tables, known, as_of).map_err(failed())?;
        let wishes = wishes(&looked_at, tables, (source, now), &scans, found_damaged)?;
        Ok(Prepared {
            tables,
            contacts,
            source,
            new: known.is_none(),
            highest,
            archive: archive_read(tables)?,
            had,
            kept,
            now: as_of,
            places,
            scans,
            wishes,
            contents: Fulfilled::default(),
        })
    }

    /// How many rows are new, or may be.
    pub fn news(&self) -> u64 {
        self.scans.iter().map(|(_, scan)| scan.news.len() as u64).sum()
    }

    /// Whether the source is not as it was when it was read before.
    pub fn is_changed(&self) -> bool {
        self.scans.iter().any(|(_, scan)| !scan.news.is_empty() || !scan.missing.is_empty())
    }

    /// How many messages the source has.
    pub fn read(&self) -> u64 {
        self.scans.iter().filter(|(kind, _)| *kind == Kind::Message).map(|(_, scan)| scan.read).sum()
    }
}

/// How many messages the library or backup had that was read last of those that lay here and had some.
fn had_there(connection: &Connection, path: &Path) -> rusqlite::Result<Option<u64>> {
    let had = connection.query_row(
        "SELECT (SELECT count(*) FROM msgarchive_sighting s WHERE s.kind = ?1 AND s.source = o.source) AS had \
         FROM msgarchive_source o WHERE o.path = ?2 AND o.kind <> ?3 AND had > 0 ORDER BY o.last_run DESC LIMIT 1",
        (Kind::Message.number(), path.to_string_lossy(), SourceKind::Archive.name()),
        |row| row.get::<_, i64>(0),
    );
    Ok(had.optional()?.map(i64::unsigned_abs))
}
