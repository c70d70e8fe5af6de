//! The files of a backup: which are there, where they lie, and how each is read.
//!
//! **Must never**: read a file that lies elsewhere than in the backup, or hold more of it than is asked for.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::about::Keys;
use super::keybag::ClassKeys;
use super::manifest::{Entry, FileId, Manifest};
use super::sealed::SealedFile;
use super::{HOME, LIBRARY, MEDIA, PREFERENCES, STORES};
use crate::source::database::{connection_to, connection_to_hidden};
use crate::source::locate::{FileStore, Located};
use crate::source::{
    BundleFile, BundleStore, Content, KeepMessages, OutOfReach, SourceError, StoredBundle, preferences,
};

/// The largest `Manifest.mbdb` that is read: real ones have some 20 MB.
const LARGEST_RECORDS: u64 = 256 << 20;
/// Files in a bundle that are copied.
const MOST_IN_BUNDLE: usize = 100_000;
/// What is at the start of every SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The folder of a device, opened: what is where, and the keys to it.
#[derive(Debug)]
pub(in crate::source) struct Backup {
    pub folder: PathBuf,
    /// The same, links followed.
    real: PathBuf,
    manifest: Manifest,
    /// `None`: it is not encrypted.
    keys: Option<ClassKeys>,
}

impl Backup {
    /// `keys`: where it is encrypted.
    pub(super) fn open(folder: &Path, stored: &Keys, keys: Option<ClassKeys>) -> Result<Backup, SourceError> {
        let incomplete =
            |what: &str| SourceError::IncompleteBackup { path: folder.to_owned(), what: what.to_owned() };
        let database = folder.join("Manifest.db");
        let records = folder.join("Manifest.mbdb");
        let manifest = if database.is_file() {
            match Backup::manifest_database(&database, stored, keys.as_ref()) {
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
        let mut start = Vec::with_capacity(SQLITE.len());
        let file = File::open(path).map_err(SourceError::io(path))?;
        file.take(SQLITE.len() as u64).read_to_end(&mut start).map_err(SourceError::io(path))?;
        let (connection, guard) = match keys {
            Some(keys) if start != SQLITE => {
                let key = stored.manifest.as_deref().and_then(|wrapped| keys.unwrap(wrapped));
                let unusable = || SourceError::KeyBag {
                    path: path.to_owned(),
                    what: "the key of its list of files is missing or damaged",
                };
                let sealed = SealedFile::new(path.to_owned(), key.ok_or_else(unusable)?);
                connection_to_hidden(path, &mut sealed.plain()?, None)?
            }
            _ => connection_to(path)?,
        };
        match connection {
            Some(connection) => Manifest::of_database(connection, guard).map_err(SourceError::database(path)),
            None => Err(SourceError::NoDatabase { path: path.to_owned() }),
        }
    }

    pub fn warnings(&self, problem: Option<&str>, lost_log: bool) -> Vec<String> {
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
    pub(super) fn file(&self, domain: &str, path: &str) -> Result<Option<Blob>, SourceError> {
        Ok(self.entry(domain, path)?.and_then(|entry| self.blob(&entry)))
    }

    fn entry(&self, domain: &str, path: &str) -> Result<Option<Entry>, SourceError> {
        match self.listed(domain, path) {
            // It is there all the same, under the name that it must have.
            Err(_) | Ok(None) if self.keys.is_none() => {
                Ok(Some(Entry { id: FileId::of(domain, path), wrapped_key: None, size: None }))
            }
            listed => listed,
        }
    }

    fn listed(&self, domain: &str, path: &str) -> Result<Option<Entry>, SourceError> {
        let found = self.manifest.find(domain, path);
        found.map_err(SourceError::database(self.folder.join("Manifest.db")))
    }

    /// What was written last to the database with this path, where it has that apart. One that no list names may be of
    /// another day than the database.
    pub(super) fn log(&self, database: &str) -> Result<Option<Blob>, SourceError> {
        let log = format!("{database}-wal");
        if self.manifest.is_none() {
            return self.file(HOME, &log);
        }
        Ok(self.listed(HOME, &log)?.and_then(|entry| self.blob(&entry)))
    }

    /// A list of the device's preferences, as it was when the backup was made.
    pub fn preferences(&self, name: &str) -> Option<Vec<u8>> {
        let blob = self.file(HOME, &format!("{PREFERENCES}{name}")).ok()??;
        preferences::read(&mut blob.open().ok()?)
    }

    /// What has this path in the device's library, first where attachments are.
    fn attachment(&self, path: &str) -> Option<Located> {
        let located = |entry: Entry| self.blob(&entry)?.located(entry.size);
        let in_domain = |domain| self.entry(domain, path).ok().flatten().and_then(located);
        let found = in_domain(MEDIA).or_else(|| in_domain(HOME));
        found.or_else(|| self.manifest.find_anywhere(path).ok().flatten().and_then(located))
    }

    /// The paths of a bundle's files.
    fn bundle(&self, path: &str) -> rusqlite::Result<Vec<String>> {
        self.manifest.paths(&[MEDIA, HOME], &format!("{LIBRARY}{path}/"), MOST_IN_BUNDLE)
    }

    fn blob(&self, entry: &Entry) -> Option<Blob> {
        let id = entry.id.as_str();
        // In folders of their first two digits since iOS 10; flat before.
        let places = [self.folder.join(id.get(..2)?).join(id), self.folder.join(id)];
        for path in places {
            match self.holds(&path) {
                Ok(false) => {}
                Ok(true) => return Some(self.unlocked(path, entry)),
                Err(error) => match OutOfReach::because(&path, &error) {
                    None => {}
                    Some(what) => return Some(Blob::OutOfReach(what)),
                },
            }
        }
        None
    }

    fn unlocked(&self, path: PathBuf, entry: &Entry) -> Blob {
        match (&self.keys, &entry.wrapped_key) {
            (Some(keys), Some(wrapped)) => match keys.unwrap(wrapped) {
                Some(key) => Blob::Sealed(SealedFile::new(path, key)),
                None => Blob::Lost,
            },
            _ => Blob::Plain(path),
        }
    }

    /// It is a file of the backup. A link may lead elsewhere in it, but to no other file of this machine.
    fn holds(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::metadata(path)?.is_file() && path.canonicalize()?.starts_with(&self.real))
    }
}

/// The setting in a backup that is not encrypted. What its files are called can be computed: its list is not read.
pub(in crate::source) fn keep_messages_of_plain(folder: &Path) -> Option<KeepMessages> {
    let real = folder.canonicalize().ok()?;
    let backup = Backup { folder: folder.to_owned(), real, manifest: Manifest::none(), keys: None };
    KeepMessages::of(&|name| backup.preferences(name))
}

/// A file of a backup, where it lies.
#[derive(Debug)]
pub(super) enum Blob {
    Plain(PathBuf),
    Sealed(SealedFile),
    /// It is there, but the key to it is not.
    Lost,
    OutOfReach(OutOfReach),
}

impl Blob {
    pub fn path(&self) -> Option<&Path> {
        match self {
            Blob::Plain(path) => Some(path),
            Blob::Sealed(file) => Some(file.path()),
            Blob::OutOfReach(what) => Some(&what.path),
            Blob::Lost => None,
        }
    }

    /// Its plain bytes.
    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Blob::Plain(path) => Ok(Box::new(File::open(path)?)),
            Blob::Sealed(file) => Ok(Box::new(file.open()?)),
            Blob::OutOfReach(what) => Err(what.error()),
            Blob::Lost => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// `size`: how long it was when the backup was made, where that is recorded.
    fn located(self, size: Option<u64>) -> Option<Located> {
        match self {
            Blob::Plain(path) => {
                let bytes = match fs::metadata(&path) {
                    Ok(about) => about.len(),
                    Err(error) => return Located::out_of_reach(&path, &error),
                };
                let incomplete = size.is_some_and(|size| bytes < size);
                Some(Located { content: Content::File { path, bytes }, incomplete })
            }
            Blob::Sealed(sealed) => {
                let path = sealed.path().to_owned();
                let (sealed, padded) = match sealed.measured() {
                    Ok(measured) => measured,
                    Err(error) => return Located::out_of_reach(&path, &error),
                };
                // The end is there where its padding is, whatever size is recorded.
                let incomplete = !padded && size.is_none_or(|size| sealed.bytes() < size);
                Some(Located { content: Content::Sealed(sealed), incomplete })
            }
            Blob::OutOfReach(what) => Some(Content::OutOfReach(what).into()),
            Blob::Lost => None,
        }
    }
}

impl FileStore for Backup {
    /// As `ios-backup-format.md` 9.1 says: the path as it is stored.
    fn find(self: Arc<Self>, path: &str) -> Option<Located> {
        if !STORES.iter().any(|store| path.starts_with(store)) {
            return None;
        }
        if let Some(found) = self.attachment(&format!("{LIBRARY}{path}")) {
            return Some(found);
        }
        let inside = self.bundle(path).ok().filter(|paths| !paths.is_empty())?;
        let found: Vec<Option<Located>> = inside.iter().map(|path| self.attachment(path)).collect();
        let incomplete = found.iter().any(|file| file.as_ref().is_none_or(|file| file.incomplete));
        let is_bundle = found.iter().any(Option::is_some);
        let content = || Content::Bundle(StoredBundle { path: path.into(), store: self });
        is_bundle.then(|| Located { content: content(), incomplete })
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let paths = self.manifest.paths(&[MEDIA, HOME], &format!("{LIBRARY}{folder}/"), usize::MAX);
        let paths = paths.unwrap_or_default().into_iter();
        paths.filter_map(|path| path.strip_prefix(LIBRARY).map(str::to_owned)).collect()
    }
}

impl BundleStore for Backup {
    fn files(&self, bundle: &Path) -> io::Result<Vec<BundleFile>> {
        let path = bundle.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = format!("{LIBRARY}{path}/");
        let paths = self.bundle(path).map_err(io::Error::other)?;
        // What is missing was told of when the bundle was found.
        let files = paths.iter().filter_map(|path| Some((path, self.attachment(path)?.content)));
        let files = files.map(|(path, content)| {
            let inside = path.strip_prefix(&folder).unwrap_or(path);
            if inside.split('/').any(|name| matches!(name, "" | "." | "..")) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a path in the bundle leads out of it",
                ));
            }
            Ok(BundleFile { path: inside.to_owned(), content })
        });
        files.collect()
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::super::about;
    use super::super::keybag::KeyBag;
    use super::*;

    /// `ios-backup-format.md` 14, C.
    #[test]
    fn known_whole_backups() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/backups");
        if !folder.exists() {
            println!("not checked against whole backups: {} is not here", folder.display());
            return;
        }
        let all_of = |mut from: Box<dyn Read>| {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).unwrap();
            bytes
        };
        let hash = |bytes: &[u8]| crate::disk::hexadecimal(&Sha256::digest(bytes));
        let open = |name: &str, password: &str| {
            let folder = folder.join(name);
            let (_, stored) = about::read(&folder);
            let keys = || KeyBag::read(stored.bag.as_deref().unwrap()).unwrap().unlock(password).unwrap();
            let list = stored.manifest.as_deref().map(|wrapped| {
                let key = keys().unwrap(wrapped).unwrap();
                all_of(Box::new(SealedFile::new(folder.join("Manifest.db"), key).open().unwrap()))
            });
            (Backup::open(&folder, &stored, Some(keys())).unwrap(), list)
        };
        let (backup, list) = open("encrypted-backup-min/00008110-000A1B2C3D4E801E", "test-password");
        let list = list.unwrap();
        assert_eq!(list.len(), 40_960);
        assert_eq!(hash(&list), "15fbdbc81d2ed6ebec71724ba2ec34c12ee4df4aa27c4a86d002fa1a4228888d");
        let messages = backup.file(HOME, "Library/SMS/sms.db").unwrap().unwrap();
        let messages = all_of(messages.open().unwrap());
        // Its description says 172,032.
        assert_eq!(messages.len(), 180_224);
        assert_eq!(hash(&messages), "d2918c72f1cab590644311a2f6c7954899dfb889c4df519b23822551d56d7bd9");
        let (backup, _) = open("ios9-encrypted-mbdb", "0000");
        let text = backup.file("MyTestDomain", "Media/Test.txt").unwrap().unwrap();
        assert_eq!(all_of(text.open().unwrap()), b"Test data");
    }
}
