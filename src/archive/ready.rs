//! An archive made ready for a run: its database opened for adding to it, and set aside first where it is damaged.
//!
//! What was found damaged is kept noted until a run that mends it was completed.

use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::ArchiveError;
use super::check;
use super::damage::{self, FoundDamaged};
use super::diagnosis;
use super::folder::Folder;
use super::given::ArchiveOptions;
use super::header;
use super::index::INDEX;
use super::mend::Mending;
use super::objects::{self, Noted};
use super::own_file;
use super::prepared::Prepared;
use super::rebuild;
use super::records;
use super::schema;
use super::sums::{self, Sums};
use crate::disk::private_file;
use crate::pipeline::Progress;
use crate::source::harden;

/// How long to wait for a program that reads the archive.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a run adds to.
pub struct Ready<'f> {
    folder: &'f Folder,
    pub connection: Connection,
    /// What the database was made of before.
    pub objects: Sums,
    /// What is to be taken in again.
    pub found_damaged: FoundDamaged,
    /// What became of a database that could not be read, in words.
    pub set_aside: Option<String>,
}

impl<'f> Ready<'f> {
    /// `anew`: the database cannot be read. A dry run only looks: it mends nothing.
    ///
    /// # Errors
    /// [`ArchiveError`]; what was set aside is taken over by the next run.
    pub fn of(
        folder: &'f Folder,
        anew: bool,
        started: &str,
        options: ArchiveOptions,
        progress: &dyn Progress,
    ) -> Result<Ready<'f>, ArchiveError> {
        let database = folder.database();
        let failed = || ArchiveError::database(&database);
        if !options.dry_run {
            own_file::make_way_beside(folder.path(), &database)?;
        }
        let mut found_damaged = damage::read(folder)?;
        // Whoever verified it could not tell what it was that failed.
        found_damaged.database = found_damaged.database && diagnosis::is_damaged(folder, PATIENCE)?;
        if options.dry_run {
            let (connection, objects) = open(folder, options.jobs)?;
            return Ok(Ready { folder, connection, objects, found_damaged, set_aside: None });
        }
        let is_lost = || Ok::<_, ArchiveError>(found_damaged.database || rebuild::is_hollow(folder)?);
        if anew || found_damaged.aside.is_none() && is_lost()? {
            // What is known of its rows is nothing to what will be there; contents stay where they are.
            let aside = Some(rebuild::place(folder, started));
            let FoundDamaged { contents, .. } = found_damaged;
            found_damaged = FoundDamaged { aside, contents, ..FoundDamaged::default() };
            found_damaged.note(folder)?;
        }
        let aside = found_damaged.aside.clone();
        if aside.is_none() && !own_file::is_file(&database).map_err(ArchiveError::reading(&database))? {
            // Of a folder in which no run was completed.
            own_file::make_way(folder.path(), &database)?;
        }
        if found_damaged.index {
            // It is made anew when the run is done.
            own_file::remove(folder.path(), &folder.path().join(INDEX))?;
        }
        if let Some(place) = &aside {
            rebuild::set_aside(folder, place)?;
        }
        let (connection, objects) = open(folder, options.jobs)?;
        // Whoever is ended after the first run was completed, and before it could say what it made, has said this.
        if objects::noted(folder)? == Noted::Never {
            objects::note(folder, &connection)?;
        }
        let is_of_before = records::put_right(folder, &connection)?;
        if aside.is_some() || is_of_before {
            // What is wanting now.
            found_damaged =
                check::found_damaged(folder.path(), options.jobs, progress)?.told_after(found_damaged);
        }
        let mut set_aside = None;
        if let Some(place) = &aside {
            let count = "SELECT count(*) FROM message";
            let messages = connection.query_row(count, [], |row| row.get(0)).map_err(failed())?;
            set_aside = Some(rebuild::in_words(place, messages));
        }
        let mending =
            Mending { connection: &connection, folder: folder.path(), found: &found_damaged, run: 0 };
        mending.sources().map_err(failed())?;
        Ok(Ready { folder, connection, objects, found_damaged, set_aside })
    }

    /// After the run: forgets what it mended, and brings up what lies beside the database.
    ///
    /// # Errors
    /// [`ArchiveError`]; the run is complete all the same, and the next one does this again.
    pub fn completed(self, visits: &[Prepared<'_>]) -> Result<(), ArchiveError> {
        let Ready { folder, connection, mut found_damaged, set_aside, .. } = self;
        if set_aside.is_some() {
            found_damaged.aside = None;
        }
        if found_damaged != FoundDamaged::default() || set_aside.is_some() {
            let kept = visits.iter().flat_map(|visit| &visit.contents.kept).flat_map(|kept| &kept.files);
            found_damaged.after(&kept.map(|file| file.path.as_str()).collect()).note(folder)?;
        }
        records::put_right(folder, &connection)?;
        objects::note(folder, &connection)
    }
}

/// Opens the archive's database for adding to it; with the sums of what it was made of before.
fn open(folder: &Folder, jobs: usize) -> Result<(Connection, Sums), ArchiveError> {
    let path = folder.database();
    let failed = || ArchiveError::database(&path);
    // Before SQLite does: with its mode.
    drop(private_file(&path)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(failed())?;
    let noted = objects::noted(folder)?;
    let mut wrong = None;
    let mut prepare = |connection: &mut Connection| -> rusqlite::Result<Sums> {
        connection.busy_timeout(PATIENCE)?;
        harden(connection)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(
            "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;",
        )?;
        // Of those that sort for an index.
        connection.pragma_update(None, "threads", jobs.saturating_sub(1).min(8) as i64)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Before anything is written behind its end, which would hide that.
        wrong = header::cut_off(&transaction)?;
        if wrong.is_some() {
            return Ok(Sums::default());
        }
        let objects = sums::objects(&transaction)?;
        if objects.is_empty() {
            schema::create(&transaction)?;
        }
        if !noted.are_in(&transaction)? && !objects.is_empty() {
            wrong = Some("it is not made of what it was made of".to_owned());
        }
        schema::complete(&transaction)?;
        header::clear(&transaction)?;
        if wrong.is_none() {
            transaction.commit()?;
        }
        Ok(objects)
    };
    let objects = prepare(&mut connection).map_err(failed())?;
    match wrong {
        Some(what) => Err(ArchiveError::Damaged { path, what }),
        None => Ok((connection, objects)),
    }
}
