//! `sms.db` of iPhone OS 1 to iOS 5, as a [`Source`] like any other (`messages-format.md` 2.1, 2.8).
//!
//! These databases know no chats and no handles: each row says with whom it is, texts and iMessages in different columns
//! and with dates of different epochs. Here they get the shape that Apple's own upgrade to iOS 6 gave them.
//!
//! **Must never**: decide by a version what a column can say; scan `message` for a page; hold the data of MMS parts.

mod addresses;
mod parts;
mod places;
mod query;
mod rows;
mod session;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use parts::{Hanging, PartFiles, PieceStore};
use places::Places;
use query::Queries;
use session::Reader;

use super::database::{self, Guard, Layout, Opened, Pool};
use super::locate::Roots;
use super::{
    OpenOptions, RawChat, RawHandle, Scale, Session, Source, SourceDigest, SourceError, SourceInfo, weighing,
};

/// An open database of iPhone OS 1 to iOS 5.
#[derive(Debug)]
pub struct LegacyDb {
    info: SourceInfo,
    queries: Queries,
    places: Places,
    hanging: Hanging,
    roots: Roots,
    /// Listed when the first MMS part is met.
    part_files: OnceLock<PartFiles>,
    piece_store: Arc<PieceStore>,
    pool: Pool,
    guard: Guard,
}

impl LegacyDb {
    /// Opens a database, or the one in a folder, and looks where its rows belong.
    ///
    /// # Errors
    /// [`SourceError`] saying what the path is instead.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<LegacyDb, SourceError> {
        let opened = Opened::new(path, options)?;
        match opened.layout {
            Layout::Legacy { suffix } => LegacyDb::from(opened, suffix, options),
            Layout::Modern => {
                let what = "one of iOS 6 or later, which is read otherwise";
                Err(SourceError::NotMessages { path: opened.path, what })
            }
        }
    }

    /// As [`LegacyDb::open`], of what is open already. `suffix`: of its tables' names.
    pub(super) fn from(opened: Opened, suffix: &str, options: &OpenOptions) -> Result<LegacyDb, SourceError> {
        let queries = Queries::new(&opened.schema, suffix);
        let failed = || SourceError::database(&opened.path);
        let places = Places::take(&opened.own, &queries).map_err(failed())?;
        let hanging = Hanging::take(&opened.own, &queries).map_err(failed())?;
        let roots = opened.roots(options);
        let piece_store = PieceStore::new(opened.info.path.clone(), &queries, opened.own);
        Ok(LegacyDb {
            info: opened.info,
            queries,
            places,
            hanging,
            roots,
            part_files: OnceLock::new(),
            piece_store: Arc::new(piece_store),
            pool: Pool::new(opened.connections),
            guard: opened.guard,
        })
    }

    /// Every SQL statement that reads this database, with its name: for tests of the query plans.
    pub fn statements(&self) -> Vec<(&'static str, &str)> {
        self.queries.all()
    }

    fn part_files(&self) -> &PartFiles {
        self.part_files.get_or_init(|| PartFiles::of(self.roots.list(parts::PARTS)))
    }
}

impl Source for LegacyDb {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
        Ok(self.places.handles.clone())
    }

    fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
        Ok(self.places.chats.clone())
    }

    fn weigh(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        weighing::by_pages(self, scale)
    }

    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
        Ok(Box::new(Reader::new(self)))
    }

    fn digest(&self) -> Option<SourceDigest> {
        self.guard.digest()
    }

    fn unchanged(&self) -> Result<(), SourceError> {
        self.guard.unchanged()
    }

    fn undamaged(&self) -> Result<(), SourceError> {
        database::undamaged(&self.pool.take(), &self.info.path)
    }
}
