//! Apple's SQLite files, opened so that every connection sees one moment and nothing is touched; and what is in them:
//! tables, columns, indexes, values of any type.
//!
//! **Must never**: know what a table of Messages means.

mod cut_off;
mod disk;
mod evidence;
mod handle;
mod hidden;
mod log;
mod log_state;
mod pool;
mod recognize;
mod schema;
mod snapshot;
mod values;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub(crate) use disk::{CUT_OFF, ends_too_soon};
pub(super) use disk::{Disk, cut_off, damaged};
pub(super) use log::Log;
pub use log_state::LogState;
pub(super) use pool::{Pool, Pooled};
pub(super) use recognize::Layout;
pub(super) use schema::Schema;
use snapshot::Snapshot;
pub(crate) use snapshot::harden;
pub(super) use snapshot::{Guard, opened_still};
pub(super) use values::Columns;
pub use values::text;

use super::locate::{FileStore, Roots};
use super::{
    Custody, ICloudSettings, KeepMessages, OpenOptions, SourceError, SourceInfo, SourceKind, as_of,
    preferences,
};
use evidence::Evidence;

/// A Messages database, opened, whatever its layout.
#[derive(Debug)]
pub(super) struct Opened {
    /// The database file.
    pub path: PathBuf,
    pub info: SourceInfo,
    /// The home of the user whose own library this is.
    pub home: Option<PathBuf>,
    pub schema: Schema,
    pub layout: Layout,
    /// For what is asked of the source itself.
    pub own: Connection,
    /// As many as there are to be sessions.
    pub connections: Vec<Connection>,
    pub guard: Guard,
    /// What its attachments lie in, where that is no folder.
    pub store: Option<Arc<dyn FileStore>>,
}

impl Opened {
    /// Opens a database, or the one in a folder, and looks at what it can.
    ///
    /// # Errors
    /// [`SourceError`] saying what the path is instead.
    pub fn new(path: &Path, options: &OpenOptions) -> Result<Opened, SourceError> {
        let candidate = recognize::candidate(path)?;
        let home = own_library(&candidate.path);
        let log = LogState::beside(&candidate.path, candidate.wal_mode);
        let snapshot = match &options.as_of {
            Some(date) => {
                let take_back = |copy: &Connection| as_of::take_back(copy, date, &options.damaged_former);
                let snapshot =
                    Snapshot::changed(&candidate, home.is_some(), connections_for(options), &take_back)?;
                let path = &candidate.path;
                match as_of::runs(&snapshot.connections).map_err(SourceError::database(path))? {
                    None => return Err(SourceError::NoPast { path: path.clone() }),
                    Some(0) => return Err(SourceError::NotYet { path: path.clone() }),
                    Some(_) => snapshot,
                }
            }
            None => Snapshot::take(&candidate, home.is_some(), connections_for(options))?,
        };
        let mut opened = Opened::of(candidate.path, candidate.kind, snapshot, home, options)?;
        // What lies beside an archive is of nobody whose messages are in it.
        if opened.info.kind != SourceKind::Archive {
            let preferences = preferences::beside(&opened.path);
            opened.info.keep_messages = KeepMessages::of(&preferences);
            opened.info.icloud = ICloudSettings::of(&preferences);
        }
        opened.info.log = log;
        opened.info.is_own = opened.home.is_some();
        if opened.home.is_none() && options.attachments_root.is_none() {
            let folder = opened.path.parent().unwrap_or(Path::new(""));
            opened.info.unread = leads_out(folder);
            opened.info.warnings.extend(opened.info.unread.clone());
        }
        Ok(opened)
    }

    /// Opens the database that `plain` gives, with what its log has, without ever giving it a name; it lies at `path`,
    /// perhaps encrypted.
    ///
    /// # Errors
    /// [`SourceError`] saying what it is instead.
    pub fn hidden(
        path: &Path,
        plain: &mut dyn Read,
        log: Option<Log<'_>>,
        options: &OpenOptions,
    ) -> Result<Opened, SourceError> {
        let mut evidence = Evidence::of(path);
        let mut state = LogState::Absent;
        if let Some(log) = log {
            evidence.add(log.path);
            state = (log.open)().map_or(LogState::Unusable, |log| LogState::of(log, None));
        }
        let mut snapshot = hidden::hidden(path, plain, log, connections_for(options))?;
        snapshot.guard.evidence = evidence;
        let mut opened = Opened::of(path.to_owned(), SourceKind::Device, snapshot, None, options)?;
        opened.info.log = state;
        Ok(opened)
    }

    fn of(
        path: PathBuf,
        kind: SourceKind,
        snapshot: Snapshot,
        home: Option<PathBuf>,
        options: &OpenOptions,
    ) -> Result<Opened, SourceError> {
        let Snapshot { mut connections, guard, cut_off, .. } = snapshot;
        let failed = || SourceError::database(&path);
        let Some(own) = connections.pop() else {
            return Err(failed()(rusqlite::Error::QueryReturnedNoRows));
        };
        let schema = Schema::probe(&own).map_err(failed())?;
        let layout = recognize::layout(&schema, &path)?;
        let is_archive = schema.has_table(as_of::RUNS);
        let kind = if is_archive { SourceKind::Archive } else { kind };
        let custody = is_archive.then(|| Custody::read(&own, &schema, options.as_of.as_deref()));
        let custody = custody.transpose().map_err(failed())?;
        let shown = options.shown_as.clone().unwrap_or_else(|| path.clone());
        let warnings = cut_off.iter().map(|what| {
            let todo = match kind {
                SourceKind::Archive => {
                    "`msgarchive verify` names what is damaged, and the next run of `archive` mends it"
                }
                _ => "copy it again from where it came from, whole",
            };
            let shown = shown.display();
            format!("{shown}: {what}, and what is missing there is not shown, or is not what it was; {todo}")
        });
        let info = SourceInfo {
            kind,
            warnings: warnings.collect(),
            cut_off,
            path: shown,
            attachments_root: options.attachments_root.clone(),
            schema_version: schema.version.clone(),
            custody,
            ..SourceInfo::default()
        };
        Ok(Opened { path, info, home, schema, layout, own, connections, guard, store: None })
    }

    /// Where attachments lie: where the user says, else where the database's own are, else beside it.
    pub fn roots(&self, options: &OpenOptions) -> Roots {
        match (&options.attachments_root, &self.store) {
            (None, Some(store)) => Roots::of_store(Arc::clone(store)),
            (Some(root), _) => Roots::new(root, self.home.clone()),
            (None, None) => Roots::new(self.path.parent().unwrap_or(Path::new("")), self.home.clone()),
        }
    }
}

/// That the attachments of somebody's library lie behind a link, which is followed in one's own library only: whoever made
/// another one may have let it lead anywhere.
fn leads_out(folder: &Path) -> Option<String> {
    let attachments = folder.join("Attachments");
    let to = std::fs::read_link(&attachments).ok()?;
    let is_below = matches!((attachments.canonicalize(), folder.canonicalize()),
        (Ok(attachments), Ok(folder)) if attachments.starts_with(&folder));
    (!is_below).then(|| {
        let (attachments, to) = (attachments.display(), to.display());
        format!(
            "{attachments} is a link to {to}, which is not followed: the library is not this account's own. Where its attachments \
             lie there, name the folder with --attachments-root"
        )
    })
}

/// One for each session, and one for what is asked of the source itself.
fn connections_for(options: &OpenOptions) -> usize {
    options.sessions.max(1) + 1
}

/// One connection to any of Apple's databases: one moment of it, with nothing touched. The guard has to live as long.
pub(super) fn connection_to(path: &Path) -> Result<(Option<Connection>, Guard), SourceError> {
    let candidate = recognize::candidate(path)?;
    let Snapshot { mut connections, guard, .. } = Snapshot::take(&candidate, false, 1)?;
    Ok((connections.pop(), guard))
}

/// As [`connection_to`], of a database that lies at `path` encrypted, and its log.
pub(super) fn connection_to_hidden(
    path: &Path,
    plain: &mut dyn Read,
    log: Option<Log<'_>>,
) -> Result<(Option<Connection>, Guard), SourceError> {
    let Snapshot { mut connections, guard, .. } = hidden::hidden(path, plain, log, 1)?;
    Ok((connections.pop(), guard))
}

/// The home of the user whose own library this is: there Messages may be writing, and paths mean what they say.
fn own_library(database: &Path) -> Option<PathBuf> {
    let home = std::env::home_dir()?;
    let own = home.join("Library/Messages/chat.db").canonicalize().ok()?;
    (database.canonicalize().ok()? == own).then_some(home)
}

/// Calls `each` for every row of a statement; of none for one that the database has no tables for.
pub(super) fn scan(
    connection: &Connection,
    sql: Option<&str>,
    mut each: impl FnMut(&mut Columns),
) -> rusqlite::Result<()> {
    let Some(sql) = sql else { return Ok(()) };
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(&mut Columns::from(row, 0));
    }
    Ok(())
}

/// Looks at every byte of a database for damage.
///
/// # Errors
/// [`SourceError::Damaged`].
pub(super) fn undamaged(connection: &Connection, path: &Path) -> Result<(), SourceError> {
    let found: rusqlite::Result<String> =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    let failed = SourceError::database(path);
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => {
            let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            Err(failed(rusqlite::Error::SqliteFailure(corrupt, Some(found))))
        }
        Err(error) => Err(failed(error)),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
