//! A local backup of an iPhone or iPad, plain or encrypted, from iOS 4 on: its Messages database, attachments and contacts
//! (`ios-backup-format.md`).
//!
//! Nothing of an encrypted backup ever lies on a disk under a name: its databases are decrypted into files that have
//! none, its attachments as they are read.
//!
//! **Must never**: write to the backup, keep a password longer than deriving the keys takes, or decrypt what was not
//! asked for.

mod about;
mod decrypt;
mod keybag;
mod manifest;
mod password;
mod sealed;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use about::{BackupInfo, is_backup};
pub use password::Password;
pub use sealed::{SealedFile, SealedReader};

use about::Keys;
use keybag::{ClassKeys, KeyBag, Locked};
use manifest::{Entry, FileId, Manifest};

use super::contacts::{Contact, ContactsError};
use super::database::{Log, Opened, connection_to, connection_to_hidden};
use super::locate::FileStore;
use super::{
    BundleFile, BundleStore, Content, Deletions, OpenOptions, RawChat, RawHandle, Session, Source,
    SourceDigest, SourceError, SourceInfo, SourceKind, StoredBundle, contacts, open_opened,
};

/// Where Messages keeps its database, and what it sends and receives.
const HOME: &str = "HomeDomain";
const MEDIA: &str = "MediaDomain";
const LIBRARY: &str = "Library/SMS/";
const MESSAGES: &str = "Library/SMS/sms.db";
/// Not in what Apple makes, which writes it into the database before; but others do otherwise.
const LOG: &str = "Library/SMS/sms.db-wal";
const ADDRESS_BOOK: &str = "Library/AddressBook/AddressBook.sqlitedb";
/// What attachments are named below.
const STORES: [&str; 3] = ["Attachments/", "StickerCache/", "Parts/"];
/// The largest `Manifest.mbdb` that is read: real ones have some 20 MB.
const LARGEST_RECORDS: u64 = 256 << 20;
/// What is at the start of every SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The folder of a device, opened: what is where, and the keys to it.
#[derive(Debug)]
struct Backup {
    folder: PathBuf,
    /// The same, links followed.
    real: PathBuf,
    manifest: Manifest,
    /// `None`: it is not encrypted.
    keys: Option<ClassKeys>,
}

/// The folder of the device that is meant by a path: that folder, a file of Messages in it, or the folder that holds
/// the one backup. `None`: no backup.
///
/// # Errors
/// [`SourceError::SeveralBackups`].
pub(super) fn folder_of(path: &Path) -> Result<Option<PathBuf>, SourceError> {
    if path.is_dir() {
        if is_backup(path) {
            return Ok(Some(path.to_owned()));
        }
        if path.join("chat.db").exists() || path.join("sms.db").exists() {
            return Ok(None);
        }
        let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut backups: Vec<PathBuf> = entries.filter(|folder| is_backup(folder)).collect();
        backups.sort_unstable();
        return match backups.len() {
            0 => Ok(None),
            1 => Ok(backups.pop()),
            _ => Err(SourceError::SeveralBackups { path: path.to_owned(), backups }),
        };
    }
    let named_as_in_backup = path.file_name().is_some_and(|name| name == FileId::of(HOME, MESSAGES).as_str());
    let above = path.ancestors().skip(1).take(2).find(|folder| is_backup(folder));
    Ok(above
        .filter(|_| named_as_in_backup || LISTED.iter().any(|name| path.ends_with(name)))
        .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .map(Path::to_owned))
}

/// Files of a backup that people give for it.
const LISTED: [&str; 3] = ["Manifest.db", "Manifest.mbdb", "Manifest.plist"];

/// Opens the Messages of a backup.
///
/// # Errors
/// [`SourceError::PasswordNeeded`] and [`SourceError::WrongPassword`] where a password has to be asked for; else what
/// is wrong with the backup.
pub(super) fn open(folder: &Path, options: &OpenOptions) -> Result<Box<dyn Source>, SourceError> {
    let about = BackupInfo::read(folder);
    let backup = Arc::new(Backup::open(folder, &about, options.password.as_ref())?);
    let messages = backup.file(HOME, MESSAGES)?;
    let messages = messages.ok_or_else(|| SourceError::NoMessages { path: folder.to_owned() })?;
    let log = backup.log()?;
    let lost_log = matches!(log, Some(Blob::Lost));
    let mut opened = match (messages, log) {
        (Blob::Lost, _) => {
            let what = "the key of its messages is missing or damaged";
            return Err(SourceError::KeyBag { path: folder.to_owned(), what });
        }
        (Blob::Plain(path), None | Some(Blob::Lost)) => Opened::new(&path, options)?,
        (messages, log) => {
            let open = || log.as_ref().map_or(Err(io::ErrorKind::NotFound.into()), Blob::open);
            let log = log.as_ref().and_then(Blob::path).map(|path| Log { path, open: &open });
            let path = messages.path().unwrap_or(folder);
            let mut plain = messages.open().map_err(SourceError::io(path))?;
            Opened::hidden(path, &mut plain, log, options)?
        }
    };
    opened.store = Some(Arc::clone(&backup) as Arc<dyn FileStore>);
    opened.info = SourceInfo {
        kind: SourceKind::Backup,
        path: options.shown_as.clone().unwrap_or_else(|| folder.to_owned()),
        warnings: backup.warnings(about.problem.as_deref(), lost_log),
        backup: Some(about),
        ..opened.info
    };
    let messages = open_opened(opened, options)?;
    Ok(Box::new(BackupSource { messages, backup }))
}

impl Backup {
    fn open(folder: &Path, about: &BackupInfo, password: Option<&Password>) -> Result<Backup, SourceError> {
        let incomplete =
            |what: &str| SourceError::IncompleteBackup { path: folder.to_owned(), what: what.to_owned() };
        let stored = Keys::read(folder);
        let keys = match about.encrypted {
            true => Some(unlock(folder, &stored, password)?),
            false => None,
        };
        let database = folder.join("Manifest.db");
        let records = folder.join("Manifest.mbdb");
        let manifest = if database.is_file() {
            match Backup::manifest_database(&database, &stored, keys.as_ref()) {
                Err(_) if keys.is_none() => Manifest::none(),
                manifest => manifest?,
            }
        } else if records.is_file() {
            let size = fs::metadata(&records).map_err(SourceError::io(&records))?.len();
            if size > LARGEST_RECORDS {
                return Err(incomplete("its list of files is far too large"));
            }
            let bytes = fs::read(&records).map_err(SourceError::io(&records))?;
            match Manifest::of_records(&bytes) {
                Some(manifest) => manifest,
                None if keys.is_none() => Manifest::none(),
                None => return Err(incomplete("its list of files, Manifest.mbdb, is damaged")),
            }
        } else if keys.is_some() {
            return Err(incomplete("it has no list of its files, and with it no keys to them"));
        } else {
            Manifest::none()
        };
        let real = folder.canonicalize().map_err(SourceError::io(folder))?;
        Ok(Backup { folder: folder.to_owned(), real, manifest, keys })
    }

    /// `Manifest.db`; encrypted from iOS 10.2 on.
    fn manifest_database(
        path: &Path,
        stored: &Keys,
        keys: Option<&ClassKeys>,
    ) -> Result<Manifest, SourceError> {
        let mut start = [0; SQLITE.len()];
        let read = File::open(path).and_then(|mut file| file.read(&mut start));
        read.map_err(SourceError::io(path))?;
        let (connection, guard) = match keys {
            Some(keys) if start != SQLITE => {
                let key = stored.manifest.as_deref().and_then(|wrapped| keys.unwrap(wrapped));
                let unusable = || SourceError::KeyBag {
                    path: path.to_owned(),
                    what: "the key of its list of files is missing or damaged",
                };
                let sealed = SealedFile::new(path.to_owned(), key.ok_or_else(unusable)?);
                connection_to_hidden(path, &mut sealed.plain()?)?
            }
            _ => connection_to(path)?,
        };
        match connection {
            Some(connection) => Manifest::of_database(connection, guard).map_err(SourceError::database(path)),
            None => Err(SourceError::NoDatabase { path: path.to_owned() }),
        }
    }

    fn warnings(&self, problem: Option<&str>, lost_log: bool) -> Vec<String> {
        let unlisted = self.manifest.is_none().then_some("the list of its files is missing or damaged");
        let problem = problem.or(unlisted).map(|problem| format!("the backup is not whole: {problem}"));
        let lost = self.keys.as_ref().is_some_and(|keys| !keys.lost.is_empty());
        let lost = lost.then(|| {
            "some keys of the backup are damaged: attachments that need them are missing".to_owned()
        });
        let newest = lost_log.then(|| {
            "the key of the log of the messages is missing or damaged: the newest messages may be missing"
                .to_owned()
        });
        problem.into_iter().chain(lost).chain(newest).collect()
    }

    /// A file of the backup; `None` where it is not listed or not there.
    fn file(&self, domain: &str, path: &str) -> Result<Option<Blob>, SourceError> {
        match self.listed(domain, path) {
            // It is there all the same, under the name that it must have.
            Err(_) | Ok(None) if self.keys.is_none() => {
                Ok(self.blob(&Entry { id: FileId::of(domain, path), wrapped_key: None }))
            }
            listed => Ok(listed?.and_then(|entry| self.blob(&entry))),
        }
    }

    fn listed(&self, domain: &str, path: &str) -> Result<Option<Entry>, SourceError> {
        let found = self.manifest.find(domain, path);
        found.map_err(SourceError::database(self.folder.join("Manifest.db")))
    }

    /// What was written to the database of the messages last, where it has that apart. One that no list names may be of
    /// another day than the database.
    fn log(&self) -> Result<Option<Blob>, SourceError> {
        if self.manifest.is_none() {
            return self.file(HOME, LOG);
        }
        Ok(self.listed(HOME, LOG)?.and_then(|entry| self.blob(&entry)))
    }

    /// What has this path in the device's library, first where attachments are.
    fn attachment(&self, path: &str) -> Option<Blob> {
        let in_domain = |domain| self.file(domain, path).ok().flatten();
        let found = in_domain(MEDIA).or_else(|| in_domain(HOME));
        found.or_else(|| self.blob(&self.manifest.find_anywhere(path).ok().flatten()?))
    }

    fn blob(&self, entry: &Entry) -> Option<Blob> {
        let id = entry.id.as_str();
        // In folders of their first two digits since iOS 10; flat before.
        let places = [self.folder.join(id.get(..2)?).join(id), self.folder.join(id)];
        let path = places.into_iter().find(|path| path.is_file() && self.holds(path))?;
        Some(match (&self.keys, &entry.wrapped_key) {
            (Some(keys), Some(wrapped)) => match keys.unwrap(wrapped) {
                Some(key) => Blob::Sealed(SealedFile::new(path, key)),
                None => Blob::Lost,
            },
            _ => Blob::Plain(path),
        })
    }

    /// A link may lead elsewhere in the backup, but to no other file of this machine.
    fn holds(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|real| real.starts_with(&self.real))
    }
}

/// Derives the keys of an encrypted backup.
fn unlock(folder: &Path, stored: &Keys, password: Option<&Password>) -> Result<ClassKeys, SourceError> {
    let path = || folder.to_owned();
    let failed = |locked| match locked {
        Locked::WrongPassword => SourceError::WrongPassword { path: path() },
        Locked::Unusable(what) => SourceError::KeyBag { path: path(), what },
    };
    let Some(bag) = &stored.bag else {
        return Err(SourceError::KeyBag { path: path(), what: "it has no key bag" });
    };
    let bag = KeyBag::read(bag).map_err(failed)?;
    let password = password.ok_or_else(|| SourceError::PasswordNeeded { path: path() })?;
    bag.unlock(password.as_str()).map_err(failed)
}

/// A file of a backup, where it lies.
#[derive(Debug)]
enum Blob {
    Plain(PathBuf),
    Sealed(SealedFile),
    /// It is there, but the key to it is not.
    Lost,
}

impl Blob {
    fn path(&self) -> Option<&Path> {
        match self {
            Blob::Plain(path) => Some(path),
            Blob::Sealed(file) => Some(file.path()),
            Blob::Lost => None,
        }
    }

    /// Its plain bytes.
    fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Blob::Plain(path) => Ok(Box::new(File::open(path)?)),
            Blob::Sealed(file) => Ok(Box::new(file.open()?)),
            Blob::Lost => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn content(self) -> Option<Content> {
        match self {
            Blob::Plain(path) => {
                let bytes = fs::metadata(&path).ok()?.len();
                Some(Content::File { path, bytes })
            }
            Blob::Sealed(sealed) => Some(Content::Sealed(sealed.measured().ok()?)),
            Blob::Lost => None,
        }
    }
}

impl FileStore for Backup {
    /// As `ios-backup-format.md` 9.1 says: the path as it is stored.
    fn find(self: Arc<Self>, path: &str) -> Option<Content> {
        if !STORES.iter().any(|store| path.starts_with(store)) {
            return None;
        }
        if let Some(blob) = self.attachment(&format!("{LIBRARY}{path}")) {
            return blob.content();
        }
        let inside = self.manifest.paths(&[MEDIA, HOME], &format!("{LIBRARY}{path}/"), 1);
        let is_bundle = inside.is_ok_and(|paths| !paths.is_empty());
        is_bundle.then(|| Content::Bundle(StoredBundle { path: path.into(), store: self }))
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let paths = self.manifest.paths(&[MEDIA, HOME], &format!("{LIBRARY}{folder}/"), usize::MAX);
        let paths = paths.unwrap_or_default().into_iter();
        paths.filter_map(|path| path.strip_prefix(LIBRARY).map(str::to_owned)).collect()
    }
}

impl BundleStore for Backup {
    fn files(&self, bundle: &Path) -> io::Result<Vec<BundleFile>> {
        let folder = format!("{LIBRARY}{}/", bundle.display());
        let paths = self.manifest.paths(&[MEDIA, HOME], &folder, usize::MAX).map_err(io::Error::other)?;
        let files = paths.iter().map(|path| {
            let inside = path.strip_prefix(&folder).unwrap_or(path);
            if inside.split('/').any(|name| matches!(name, "" | "." | "..")) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a path in the bundle leads out of it",
                ));
            }
            let content = self.attachment(path).and_then(Blob::content).ok_or(io::ErrorKind::NotFound)?;
            Ok(BundleFile { path: inside.to_owned(), content })
        });
        files.collect()
    }
}

/// The Messages of a backup.
struct BackupSource {
    messages: Box<dyn Source>,
    backup: Arc<Backup>,
}

impl Source for BackupSource {
    fn info(&self) -> &SourceInfo {
        self.messages.info()
    }

    fn contacts(&self) -> Option<Result<Vec<Contact>, ContactsError>> {
        let book = match self.backup.file(HOME, ADDRESS_BOOK) {
            Ok(book) => book?,
            Err(error) => return Some(Err(error.into())),
        };
        Some(match &book {
            Blob::Plain(path) => contacts::load(path),
            Blob::Lost => {
                let what = "the key of its contacts is missing or damaged";
                Err(SourceError::KeyBag { path: self.backup.folder.clone(), what }.into())
            }
            Blob::Sealed(sealed) => sealed
                .plain()
                .map_err(ContactsError::from)
                .and_then(|mut plain| contacts::of_device(sealed.path(), &mut plain)),
        })
    }

    fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
        self.messages.handles()
    }

    fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
        self.messages.chats()
    }

    fn deletions(&self) -> Result<Deletions, SourceError> {
        self.messages.deletions()
    }

    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
        self.messages.session()
    }

    fn digest(&self) -> Option<SourceDigest> {
        self.messages.digest()
    }

    fn unchanged(&self) -> Result<(), SourceError> {
        self.messages.unchanged()
    }

    fn undamaged(&self) -> Result<(), SourceError> {
        self.messages.undamaged()
    }
}
