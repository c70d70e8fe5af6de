//! Apple's formats, and this program's own → raw rows.
//!
//! A [`Source`] shows one moment of a message store: every [`Session`] of it, on whatever thread, reads the same
//! state, even while Messages writes. It shows rows as Apple wrote them; what they mean is the pipeline's.
//!
//! **Must never**: write to, lock out or leave anything beside the user's files; decide how anything looks.

mod as_of;
pub mod backup;
pub mod chatdb;
pub mod contacts;
mod content;
mod custody;
mod database;
mod dates;
pub mod discover;
mod error;
mod exported;
mod icloud_settings;
mod keep_messages;
pub mod legacy;
mod locate;
mod lost;
pub mod merged;
mod own_folder;
mod place;
mod preferences;
mod raw;
mod several;
pub mod tables;
mod timeline;
mod weighing;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use chatdb::target_of;
pub use content::{BundleFile, BundleStore, Content, OutOfReach, StoredBundle, StoredValue, ValueStore};
pub use custody::{Custody, Fed, Record};
pub use database::LogState;
pub(crate) use database::{CUT_OFF, ends_too_soon, harden};
pub use dates::apple_date;
pub use error::SourceError;
pub use icloud_settings::ICloudSettings;
pub use keep_messages::KeepMessages;
pub use place::Place;
pub use raw::{
    ChatId, DeletedPart, Deletions, EarlierBody, EarlierFacts, FormerContent, LostRow, RawAttachment,
    RawChat, RawHandle, RawMessage, SyncState, Target, UnsentDeletions, is_attachment_synced,
};
pub use several::{Several, contacts_of_several};
pub use timeline::{Timeline, Window};
pub use weighing::{Says, Scale, WeighedAttachment, WeighedMessage};

use crate::model::Instant;
use database::{Layout, Opened};

/// Says what was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceInfo {
    pub kind: SourceKind,
    /// The database (or backup folder) that was opened; or [`OpenOptions::shown_as`].
    pub path: PathBuf,
    /// Where its attachments lie, when somebody named another place than the usual one.
    pub attachments_root: Option<PathBuf>,
    /// `_ClientVersion` of the database, for reporting only.
    pub schema_version: Option<String>,
    /// Of a backup: which device and day it is of.
    pub backup: Option<backup::BackupInfo>,
    /// How long its device keeps messages, where it says so.
    pub keep_messages: Option<KeepMessages>,
    /// What its device says of Messages in iCloud, where it says something.
    pub icloud: Option<ICloudSettings>,
    /// What became of its write-ahead log, which may have its newest messages.
    pub log: LogState,
    /// It is this machine's own library, as it is now.
    pub is_own: bool,
    /// Of an archive: where it has its messages from.
    pub custody: Option<Custody>,
    /// What is wrong with it, though it can be read; in words.
    pub warnings: Vec<String>,
    /// One of these: something of it is not read, and wanting in whatever is made of it.
    pub unread: Option<String>,
    /// Its database ends before it should, which is one of the warnings, too: by how much, in words.
    pub cut_off: Option<String>,
    /// The sources that are read together with it.
    pub with: Vec<SourceInfo>,
}

impl SourceInfo {
    /// Those whose database ends before it should: it, and what is read together with it.
    pub fn cut_off(&self) -> impl Iterator<Item = (&SourceInfo, &str)> {
        std::iter::once(self).chain(&self.with).filter_map(|info| Some((info, info.cut_off.as_deref()?)))
    }

    /// It, or one that is read together with it, is an encrypted backup.
    pub fn is_encrypted(&self) -> bool {
        let encrypted = |info: &SourceInfo| info.backup.as_ref().is_some_and(|backup| backup.encrypted);
        encrypted(self) || self.with.iter().any(encrypted)
    }

    /// It is an archive, or one is read together with it.
    pub fn has_archive(&self) -> bool {
        std::iter::once(self).chain(&self.with).any(|info| info.kind == SourceKind::Archive)
    }

    /// An archive, it or one that is read together with it, is shown as it was then.
    pub fn as_of(&self) -> Option<Instant> {
        std::iter::once(self).chain(&self.with).find_map(|info| info.custody.as_ref()?.as_of)
    }

    /// Messages of archives, of it and of those that are read together with it, that are lost, and of which nothing tells in
    /// which conversation they were: at least so many.
    pub fn lost_anywhere(&self) -> u64 {
        let lost = |info: &SourceInfo| info.custody.as_ref().map_or(0, |custody| custody.lost_anywhere);
        std::iter::once(self).chain(&self.with).map(lost).sum()
    }

    /// The folders that belong to it, and to those that are read together with it, as a whole: see [`Place::own_folder`].
    pub fn own_folders(&self) -> Vec<PathBuf> {
        let own = |info: &SourceInfo| match info.kind {
            SourceKind::Backup | SourceKind::Export => Some(info.path.clone()),
            SourceKind::Library | SourceKind::Device | SourceKind::Archive => {
                own_folder::of_database(&info.path)
            }
        };
        std::iter::once(self).chain(&self.with).filter_map(own).collect()
    }
}

/// Which bytes are read of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDigest {
    /// The database, and its log or journal where it has one.
    pub files: Vec<DigestedFile>,
    /// The files were being written to: the hash is of the copy that was made of their state at one moment, and read.
    pub of_copy: bool,
}

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestedFile {
    /// Without its folder.
    pub name: String,
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// What sort of store a source is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A Mac's Messages library, or a copy of one.
    #[default]
    Library,
    /// A copy of a device's `Library/SMS`.
    Device,
    /// A backup of an iPhone or iPad.
    Backup,
    /// An archive that this program keeps.
    Archive,
    /// A folder that this program exported to.
    Export,
}

impl SourceKind {
    /// As JSON and archives spell it.
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Library => "library",
            SourceKind::Device => "device",
            SourceKind::Backup => "backup",
            SourceKind::Archive => "archive",
            SourceKind::Export => "export",
        }
    }
}

/// How to open a source.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Where `Attachments` and `StickerCache` lie; default: the folder of the database.
    pub attachments_root: Option<PathBuf>,
    /// What [`SourceInfo::path`] says instead of where the database lies: for one that was unpacked for a while only.
    pub shown_as: Option<PathBuf>,
    /// Of an archive: shows it as it was then; RFC 3339, in UTC, whole seconds.
    pub as_of: Option<String>,
    /// Of an archive: row ids of messages of which somebody found that they are not what was archived. Those that it knows of by
    /// itself need not be named.
    pub damaged: BTreeSet<i64>,
    /// The same of former states of messages, by their numbers: they are nobody's words.
    pub damaged_former: BTreeSet<i64>,
    /// The password of an encrypted backup.
    pub password: Option<backup::Password>,
    /// How many sessions will be used at the same time; at least 1. They are all opened at once.
    pub sessions: usize,
}

/// A message store, at one moment.
pub trait Source: Sync {
    /// What was opened.
    fn info(&self) -> &SourceInfo;
    /// The address book that belongs to it; `None` where it has none of its own.
    fn contacts(&self) -> Option<Result<Vec<contacts::Contact>, contacts::ContactsError>> {
        None
    }
    /// Every row of `handle`, by row id.
    fn handles(&self) -> Result<Vec<RawHandle>, SourceError>;
    /// Every chat, unmerged, by row id; rows that belong to no chat come as one last chat with `orphans` set
    /// (absent when there are none).
    fn chats(&self) -> Result<Vec<RawChat>, SourceError>;
    /// What was deleted from it for good, as far as it still says so; nothing where it keeps no such list.
    ///
    /// # Errors
    /// What reading the lists said.
    fn deletions(&self) -> Result<Deletions, SourceError> {
        Ok(Deletions::default())
    }
    /// What its schema can say at all.
    fn says(&self) -> Says {
        Says::default()
    }
    /// Lays every row on a scale, each once, without reading what it says where that can be left out.
    ///
    /// # Errors
    /// What reading said.
    fn weigh(&self, scale: &mut dyn Scale) -> Result<(), SourceError>;
    /// A private reader for one worker, from a pool inside the source. Blocks while all are in use.
    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError>;
    /// Hashes what is read; takes as long as reading all of it. `None` where that cannot be done any more.
    fn digest(&self) -> Option<SourceDigest>;
    /// To be asked when everything was read, before success is claimed.
    ///
    /// # Errors
    /// [`SourceError::Changed`] when somebody wrote to a file that was taken for still, so that what was read may
    /// not be of one moment.
    fn unchanged(&self) -> Result<(), SourceError>;
    /// Looks at every byte for damage; takes its time. To be asked when an account does not balance.
    ///
    /// # Errors
    /// [`SourceError::Damaged`].
    fn undamaged(&self) -> Result<(), SourceError>;
}

/// A worker's reader.
pub trait Session {
    /// Divides the rows of some chats (one conversation) into windows of about `size` messages, oldest first.
    /// Rows of one instant are never divided. Costs a scan of an index, not of the messages; and 24 bytes of memory
    /// a row, while it lives, where no index gives the order.
    fn timeline(&mut self, chats: &[ChatId], size: usize) -> Result<Timeline, SourceError>;

    /// Reads one window: every row of it, complete, by (date, guid), where date is the instant that the raw date
    /// means, and rows without one come first. A row that is in several of the chats, or both in a chat and in its
    /// Recently Deleted, comes as often as it is there, one after the other.
    fn page(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<RawMessage>, SourceError> {
        timeline.window(window).map_or(Ok(Vec::new()), |window| self.read(timeline, window))
    }

    /// A page, where that is of ordinary size; `None` where its rows are large, so that it is to be read in
    /// [`parts`](Session::parts).
    ///
    /// # Errors
    /// As of a page.
    fn page_if_small(
        &mut self,
        timeline: &Timeline,
        window: usize,
    ) -> Result<Option<Vec<RawMessage>>, SourceError> {
        self.page(timeline, window).map(Some)
    }

    /// A window in parts, oldest first, to be read one after the other: several where its rows are large, so
    /// that no more than some megabytes of them need be in memory. Rows of one instant are never divided.
    ///
    /// # Errors
    /// As of a page.
    fn parts(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<Window>, SourceError>;

    /// Reads a window, or a part of one, as a page is read.
    ///
    /// # Errors
    /// As of a page.
    fn read(&mut self, timeline: &Timeline, window: &Window) -> Result<Vec<RawMessage>, SourceError>;

    /// Reads one window for comparing: the rows of [`page`](Session::page), in the same order, where possible with
    /// [`is_read`](RawMessage::is_read), [`is_sent`](RawMessage::is_sent), [`sync`](RawMessage::sync) and the owner's addresses, and without what only
    /// showing needs: payloads, the rows that point at them, the row they answer, films of Live Photos.
    ///
    /// # Errors
    /// As of a page.
    fn survey(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<RawMessage>, SourceError> {
        self.page(timeline, window)
    }
}

/// Opens whatever lies at `path`: a Messages folder, a `chat.db` or `sms.db`, a copy of a device's `Library/SMS`, a
/// backup of an iPhone or iPad, of any time since the first iPhone; an archive, or an export with JSON Lines. Who has to
/// ask for a password takes [`Place`].
///
/// # Errors
/// [`SourceError`] saying what the path is instead.
pub fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Source>, SourceError> {
    let mut place = Place::find(path)?;
    if let Some(password) = &options.password {
        place.unlock(password)?;
    }
    place.open(options)
}

/// What reading some sources came to. Where it failed and one of them was written to meanwhile, that is why: two moments
/// mixed look like damage.
///
/// # Errors
/// [`SourceError::Changed`]; else those of `read`.
pub fn while_still<T, E: From<SourceError>>(
    sources: &[&dyn Source],
    read: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let read = read();
    if read.is_err() {
        sources.iter().try_for_each(|source| source.unchanged())?;
    }
    read
}

/// A database that is open, by its layout.
fn open_opened(opened: Opened, options: &OpenOptions) -> Result<Box<dyn Source>, SourceError> {
    Ok(match opened.layout {
        Layout::Modern => Box::new(chatdb::ChatDb::from(opened, options)?),
        Layout::Legacy { suffix } => Box::new(legacy::LegacyDb::from(opened, suffix, options)?),
    })
}
