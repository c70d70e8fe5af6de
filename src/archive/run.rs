//! One run: looks at what is new in the sources, takes in contents, then rows in one transaction, then writes the record.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use sha2::{Digest as _, Sha256};

use super::ArchiveError;
use super::absence::UncertainAbsences;
use super::check;
use super::contents::{Fulfilled, fulfil};
use super::damage;
use super::diagnosis;
use super::folder::{self, Folder};
use super::index;
use super::kind::Kind;
use super::known_source::recognize;
use super::mend::Mending;
use super::objects;
use super::people;
use super::places::Places;
use super::rebuild;
use super::record::{self, Accepted, Counts, RunRecord, SourceRead};
use super::records;
use super::rehearsal::Rehearsal;
use super::scan::{Scan, scan};
use super::schema::{self, Columns};
use super::sums::{self, ABSENCES, Following, Sums, Totals};
use super::take::Visit;
use super::visit::Visiting;
use super::wishes::wishes;
use crate::disk::{Guard, hexadecimal};
use crate::model::Instant;
use crate::pipeline::Progress;
use crate::source::contacts::Contact;
use crate::source::tables::Tables;

/// How to run.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveOptions {
    /// When the sources are read.
    pub now: Instant,
    /// Worker threads; at least 1.
    pub jobs: usize,
    /// Says what a run would do, and does nothing: the run itself, of which nothing is kept.
    pub dry_run: bool,
    /// Keeps watch over what such a run copies of the archive.
    pub guard: Option<Guard>,
}

/// How long to wait for a program that reads the archive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A source, and the cards of the address book that belongs to it.
#[derive(Debug)]
pub struct Feed {
    pub tables: Tables,
    pub contacts: Vec<Contact>,
}

/// Adds everything new from the sources to the archive at `path`, which is made where there is none.
///
/// # Errors
/// [`ArchiveError`]; the archive is as it was then.
pub fn archive(
    path: &Path,
    feeds: &[Feed],
    options: ArchiveOptions,
    progress: &dyn Progress,
) -> Result<RunRecord, ArchiveError> {
    let attempt = |anew| attempt(path, feeds, anew, options, progress);
    // Of the archive's own database: nothing was changed yet.
    let is_damaged = |done: &Result<RunRecord, ArchiveError>| {
        let of_database = |path: &Path| path.ends_with(folder::DATABASE);
        !options.dry_run
            && matches!(done, Err(ArchiveError::Damaged { path: damaged, .. }) if of_database(damaged))
    };
    let mut done = attempt(false);
    if is_damaged(&done) && !diagnosis::is_damaged(&Folder::open(path)?, PATIENCE)? {
        // It could not be read for a moment.
        done = attempt(false);
    }
    if is_damaged(&done) {
        done = attempt(true);
    }
    if done.is_err() {
        // Two moments of a source, mixed, look like damage to it.
        feeds.iter().try_for_each(|feed| feed.tables.unchanged())?;
    }
    done
}

/// `anew`: the database cannot be read.
fn attempt(
    path: &Path,
    feeds: &[Feed],
    anew: bool,
    options: ArchiveOptions,
    progress: &dyn Progress,
) -> Result<RunRecord, ArchiveError> {
    let started = options.now.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut paths = feeds.iter().map(|feed| &feed.tables.info().path);
    if let Some(itself) = paths.find(|source| is_in(source, path)) {
        return Err(ArchiveError::Itself { path: itself.clone() });
    }
    let seed = format!("{started} {} {:?}", std::process::id(), std::time::Instant::now());
    let rehearsal = if options.dry_run { Some(Rehearsal::of(path, options.guard)?) } else { None };
    let path = rehearsal.as_ref().map_or(path, |folder| folder.path());
    let (folder, _lock) = Folder::open_or_create(path, &started, &seed)?;
    let mut found_damaged = damage::read(&folder)?;
    // Whoever verified it could not tell what it was that failed.
    found_damaged.database = found_damaged.database && diagnosis::is_damaged(&folder, PATIENCE)?;
    if !options.dry_run
        && (anew || found_damaged.aside.is_none() && (found_damaged.database || rebuild::is_hollow(&folder)?))
    {
        // What is known of its rows is nothing to what will be there.
        let aside = Some(rebuild::place(&folder, &started));
        found_damaged = damage::FoundDamaged { aside, ..damage::FoundDamaged::default() };
        found_damaged.note(&folder)?;
    }
    let aside = found_damaged.aside.clone().filter(|_| !options.dry_run);
    if let Some(place) = &aside {
        rebuild::set_aside(&folder, place)?;
    }
    let (mut connection, objects) = open(&folder, options.jobs)?;
    if !options.dry_run {
        records::put_right(&folder, &connection)?;
    }
    let set_aside = match &aside {
        None => None,
        Some(place) => {
            // What is wanting now.
            found_damaged = check::found_damaged(folder.path(), options.jobs, progress)?;
            let count = "SELECT count(*) FROM message";
            let messages = connection.query_row(count, [], |row| row.get(0));
            Some(rebuild::in_words(place, messages.map_err(ArchiveError::database(folder.database()))?))
        }
    };
    if !options.dry_run {
        let mending =
            Mending { connection: &connection, folder: folder.path(), found: &found_damaged, run: 0 };
        mending.sources().map_err(ArchiveError::database(folder.database()))?;
    }

    progress.phase("Looking for what is new");
    let mut visits: Vec<Prepared<'_>> = Vec::new();
    for feed in feeds {
        let new = visits.iter().filter(|visit| visit.new).count();
        let prepared = Prepared::of(&folder, &mut connection, feed, &found_damaged, options, new)?;
        // One that is given twice is read once.
        let path = |tables: &Tables| tables.info().path.clone();
        let is_it = |visit: &Prepared<'_>| {
            visit.source == prepared.source || path(visit.tables) == path(prepared.tables)
        };
        if !visits.iter().any(is_it) {
            visits.push(prepared);
        }
    }
    progress.begin(visits.iter().map(|visit| visit.news()).sum());
    progress.phase("Copying attachments");
    for visit in &mut visits {
        let archive = (!options.dry_run).then(|| folder.path());
        visit.contents = fulfil(archive, visit.tables, &visit.wishes, options.jobs, progress)?;
    }
    progress.phase("Adding messages");
    let adding = Adding {
        folder: &folder,
        started: &started,
        found_damaged: &found_damaged,
        set_aside,
        objects,
        options,
    };
    let record = adding.add(&mut connection, &visits, progress)?;
    found_damaged.aside = found_damaged.aside.filter(|_| aside.is_none());
    if !options.dry_run {
        if found_damaged != damage::FoundDamaged::default() || aside.is_some() {
            let kept = visits.iter().flat_map(|visit| &visit.contents.kept).flat_map(|kept| &kept.files);
            found_damaged.after(&kept.map(|file| file.path.as_str()).collect()).note(&folder)?;
        }
        records::put_right(&folder, &connection)?;
        objects::note(&folder, &connection)?;
    }
    if !options.dry_run {
        progress.phase("Indexing for search");
        // The archive is whole without it, and whoever searches makes it where it is missing.
        let _ = index::bring_up(&folder);
    }
    Ok(record)
}

fn is_in(source: &Path, archive: &Path) -> bool {
    match (source.canonicalize(), archive.canonicalize()) {
        (Ok(source), Ok(archive)) => source.starts_with(archive),
        _ => false,
    }
}

/// Opens the archive's database for adding to it; with the sums of what it was made of before.
fn open(folder: &Folder, jobs: usize) -> Result<(Connection, Sums), ArchiveError> {
    let path = folder.database();
    let failed = || ArchiveError::database(&path);
    // Before SQLite does: with its mode.
    drop(crate::disk::private_file(&path)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(failed())?;
    let prepare = |connection: &mut Connection| -> rusqlite::Result<Sums> {
        connection.busy_timeout(PATIENCE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(
            "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;",
        )?;
        // Of those that sort for an index.
        connection.pragma_update(None, "threads", jobs.saturating_sub(1).min(8) as i64)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let objects = sums::objects(&transaction)?;
        if objects.is_empty() {
            schema::create(&transaction)?;
        }
        schema::complete(&transaction)?;
        transaction.commit()?;
        Ok(objects)
    };
    let objects = prepare(&mut connection).map_err(failed())?;
    Ok((connection, objects))
}

/// A source of this run, looked at.
pub struct Prepared<'t> {
    pub tables: &'t Tables,
    contacts: &'t [Contact],
    pub source: i64,
    pub new: bool,
    pub highest: i64,
    pub places: Places,
    pub scans: Vec<(Kind, Scan)>,
    wishes: Vec<super::contents::Wish>,
    pub contents: Fulfilled,
}

impl<'t> Prepared<'t> {
    fn of(
        folder: &Folder,
        connection: &mut Connection,
        Feed { tables, contacts }: &'t Feed,
        found_damaged: &damage::FoundDamaged,
        options: ArchiveOptions,
        new: usize,
    ) -> Result<Prepared<'t>, ArchiveError> {
        let failed = || ArchiveError::database(folder.database());
        let reader = tables.reader();
        let highest = tables.table("message").map_or(Ok(0), |message| reader.highest_ever(message))?;
        // One look at the archive: each of many small ones would ask anew whether it changed.
        let looked_at = connection.transaction().map_err(failed())?;
        let places = Places::read(tables, &reader)?;
        let known = recognize(&looked_at, &folder.id, (tables, &places), highest, found_damaged)?;
        let unused: i64 = looked_at
            .query_row("SELECT coalesce(max(source), 0) + 1 FROM msgarchive_source", [], |row| row.get(0))
            .map_err(failed())?;
        let source = known.unwrap_or(unused + new as i64);
        drop(reader);
        let mut seen = Vec::new();
        while known.is_some() && seen.len() < options.jobs.max(1) {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            seen.push(Connection::open_with_flags(folder.database(), flags).map_err(failed())?);
        }
        let mut scans = Vec::new();
        for kind in Kind::ALL {
            let again = found_damaged.again(kind, source);
            scans.push((kind, scan(kind, tables, &places, &folder.id, &mut seen, source, &again)?));
        }
        let wishes = wishes(&looked_at, tables, source, &scans, found_damaged)?;
        Ok(Prepared {
            tables,
            contacts,
            source,
            new: known.is_none(),
            highest,
            places,
            scans,
            wishes,
            contents: Fulfilled::default(),
        })
    }

    fn news(&self) -> u64 {
        self.scans.iter().map(|(_, scan)| scan.news.len() as u64).sum()
    }

    fn read(&self) -> u64 {
        self.scans.iter().filter(|(kind, _)| *kind == Kind::Message).map(|(_, scan)| scan.read).sum()
    }
}

/// What a run adds to, and how.
struct Adding<'a> {
    folder: &'a Folder,
    started: &'a str,
    found_damaged: &'a damage::FoundDamaged,
    /// What became of a database that could not be read, in words.
    set_aside: Option<String>,
    /// What the database was made of before.
    objects: Sums,
    options: ArchiveOptions,
}

impl Adding<'_> {
    /// Writes everything to the database, in one transaction.
    fn add(
        self,
        connection: &mut Connection,
        visits: &[Prepared<'_>],
        progress: &dyn Progress,
    ) -> Result<RunRecord, ArchiveError> {
        let Adding { folder, started, found_damaged, set_aside, objects, options } = self;
        let failed = || ArchiveError::database(folder.database());
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
        let previous = record::latest(&transaction).map_err(failed())?;
        let mut number = previous.as_ref().map_or(1, |(number, _)| number + 1);
        // Of runs whose records are lost.
        while found_damaged.runs.contains(&number) {
            number += 1;
        }
        let mut record = RunRecord {
            archive: folder.id.clone(),
            name: record::name(started, number),
            number,
            started: started.to_owned(),
            sources: Vec::new(),
            counts: Counts::default(),
            unreadable: set_aside.into_iter().collect(),
            damage: found_damaged.words.clone(),
            lost: Vec::new(),
            accepted: Default::default(),
            text: String::new(),
        };
        let followed = match previous.as_ref().map(|(_, text)| Totals::of_record(text)) {
            Some(Some(totals)) if sums::are_there(&transaction).map_err(failed())? => {
                Some((Following::begin(&transaction, objects).map_err(failed())?, totals))
            }
            _ => None,
        };
        let damaged = found_damaged.by_kind();
        let uncertain_absences = UncertainAbsences {
            of: found_damaged.ids_of(ABSENCES).collect(),
            of_any: found_damaged.sums.iter().any(|sum| sum.table == ABSENCES && sum.about.is_none()),
        };
        let mut columns = Columns::read(&transaction).map_err(failed())?;
        let mending =
            Mending { connection: &transaction, folder: folder.path(), found: found_damaged, run: number };
        let uncertain = mending.all(&columns).map_err(failed())?;
        for prepared in visits {
            columns.unite(&transaction, prepared.tables).map_err(failed())?;
            let source = source_read(prepared);
            note_source(&transaction, &source, prepared.highest, number).map_err(failed())?;
            people::take(&transaction, prepared.source, number, prepared.contacts).map_err(failed())?;
            let first = previous.is_none() && record.sources.is_empty() && prepared.tables.unique_guids();
            match first {
                true => schema::sparse_index(&transaction, &columns).map_err(failed())?,
                false => schema::index(&transaction, &columns).map_err(failed())?,
            }
            let visit = Visit { archive: &folder.id, source: prepared.source, run: number, first };
            mending.aliases(prepared.tables, prepared.source)?;
            let damaged = &damaged;
            Visiting {
                connection: &transaction,
                columns: &columns,
                prepared,
                visit,
                now: options.now,
                damaged,
                uncertain_absences: &uncertain_absences,
            }
            .take_all(&mut record.counts, progress)?;
            progress.phase("Making indexes");
            schema::index(&transaction, &columns).map_err(failed())?;
            record.counts.read += source.read;
            record.sources.push(source);
            let unreadable = prepared.contents.unreadable.iter();
            record.unreadable.extend(unreadable.map(|(path, why)| format!("{}: {why}", path.display())));
            prepared.tables.unchanged()?;
        }
        record.lost = mending.give_up(&columns).map_err(failed())?;
        progress.phase("Writing the record");
        // All there is, where nothing was before: quicker than one by one.
        let only = previous.is_some().then_some(number);
        let rows = record::rows_by_run(&transaction, only).map_err(failed())?;
        let totals = record::totals(&transaction).map_err(failed())?;
        let sums = match followed {
            Some((following, totals)) => following.end(&transaction, totals, &found_damaged.sums),
            None => sums::make(&transaction),
        };
        record.accepted = Accepted::now(&transaction, &uncertain).map_err(failed())?;
        record.lost.extend(record.accepted.iter().map(|(run, accepted)| accepted.in_words(*run)));
        for (run, accepted) in &record.accepted {
            transaction
                .execute("UPDATE msgarchive_run SET sha256 = ?2 WHERE run = ?1", (run, &accepted.record))
                .map_err(failed())?;
        }
        record.close(
            previous.as_ref().map(|(_, text)| text.as_str()),
            rows.get(&number).cloned().unwrap_or_else(record::no_rows),
            totals,
            &sums.map_err(failed())?,
        );
        transaction
            .execute(
                "INSERT INTO msgarchive_run (run, date, name, record, sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
                (number, started, &record.name, &record.text, hexadecimal(&Sha256::digest(&record.text))),
            )
            .map_err(failed())?;
        if progress.interrupted() {
            return Err(ArchiveError::Interrupted);
        }
        if options.dry_run {
            transaction.rollback().map_err(failed())?;
        } else {
            transaction.commit().map_err(failed())?;
        }
        Ok(record)
    }
}

fn source_read(prepared: &Prepared<'_>) -> SourceRead {
    let info = prepared.tables.info();
    SourceRead {
        source: prepared.source,
        kind: info.kind.name(),
        path: info.path.to_string_lossy().into_owned(),
        device: info.backup.as_ref().and_then(|backup| backup.device.clone()),
        new: prepared.new,
        read: prepared.read(),
    }
}

fn note_source(connection: &Connection, source: &SourceRead, highest: i64, run: i64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO msgarchive_source (source, kind, path, device, highest, first_run, last_run) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) \
         ON CONFLICT (source) DO UPDATE SET kind = ?2, path = ?3, device = ?4, highest = ?5, last_run = ?6",
        (source.source, source.kind, &source.path, &source.device, highest, run),
    )?;
    Ok(())
}
