//! Attachments beside an export.
//!
//! Bytes come in by [`AssetSink::take`], in any order, and wait under their SHA-256: identical content is kept
//! once. They get their names by [`AssetSink::place`], in the order of the messages.
//!
//! **Must never**: let a name from the database lead anywhere, follow a symbolic link inside a bundle, or change
//! the file of a source in any way (a hard link shares its time stamps and permissions with the original).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono_tz::Tz;
use sha2::{Digest, Sha256};

mod bundle;

use super::clock::Clock;
use super::derived::Derived;
use super::svg::svg;
use crate::disk::{
    DiskError, FileRecord, HashedCopy, Staging, copy_hashed, folded, hash_file, hexadecimal, link_hashed,
    portable_name, set_modified, write_hashed,
};
use crate::media::{self, Unconverted, Undecodable};
use crate::model::{Conversation, Drawing, Instant};
use crate::pipeline::crew::lock;
use crate::pipeline::writer::{AssetSink, ConvertedAsset, PlacedAsset, TakenAsset, WriteError};
use crate::source::Content;

/// The folder that holds them all.
pub const FOLDER: &str = "attachments";

/// How attachments come to lie beside the export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AssetMode {
    /// As copies of their own (that share their blocks with the original where the file system can do that).
    #[default]
    Copy,
    /// As hard links to the source's files; as copies where that cannot be.
    Link,
    /// As copies; and what only Apple's programs open well once more, in a form that all do.
    Convert,
}

/// The `attachments` folder of an export in the making.
#[derive(Debug)]
pub struct AssetFolder {
    staging: Arc<Staging>,
    zone: Tz,
    mode: AssetMode,
    /// Not named yet, and not hashed yet either.
    incoming: PathBuf,
    /// Named by their SHA-256.
    waiting: PathBuf,
    derived: Derived,
    next: AtomicU64,
    contents: Mutex<Contents>,
    /// By conversation id.
    names: Mutex<HashMap<String, Names>>,
    bundle_files: Mutex<Vec<FileRecord>>,
}

/// What was taken in so far.
#[derive(Debug, Default)]
struct Contents {
    /// The first half of the SHA-256 of a source path → what it holds.
    by_path: HashMap<[u8; 16], HashedCopy>,
    by_hash: HashMap<[u8; 32], Kept>,
    /// By the SHA-256 of what they were converted from.
    converted: HashMap<[u8; 32], Result<Converted, String>>,
    /// Files of the bundles that wait, by where they wait.
    bundles: HashMap<PathBuf, Vec<FileRecord>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// It is another name of a source's file.
    is_source: bool,
    /// The date its file has, in seconds since 1970: the earliest of those it was sent at, whatever the order.
    date: Option<i64>,
    /// Where it lies for good, on a file system that knows no hard links.
    placed: Option<PathBuf>,
}

/// A converted copy.
#[derive(Debug, Clone)]
struct Converted {
    extension: &'static str,
    waiting: PathBuf,
    copy: HashedCopy,
}

/// Names given in one conversation's folder.
#[derive(Debug, Default)]
struct Names {
    folder: String,
    /// [`folded`] name → the number that the next one of this name is tried with.
    given: HashMap<String, u32>,
}

/// A source that cannot be read is no reason to end the export.
fn unreadable(error: DiskError) -> WriteError {
    match error {
        DiskError::Read { path, source } => WriteError::Unreadable { path, source },
        other => other.into(),
    }
}

impl AssetFolder {
    /// Attachments get the date of their message in `zone`.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn new(staging: Arc<Staging>, mode: AssetMode, zone: Tz) -> Result<AssetFolder, DiskError> {
        Ok(AssetFolder {
            incoming: staging.aside("incoming")?,
            waiting: staging.aside("waiting")?,
            derived: Derived::new(&staging)?,
            staging,
            zone,
            mode,
            next: AtomicU64::new(0),
            contents: Mutex::default(),
            names: Mutex::default(),
            bundle_files: Mutex::default(),
        })
    }

    /// The files in the bundles that were placed: for the manifest, which lists files and no folders.
    pub fn bundle_files(&self) -> Vec<FileRecord> {
        lock(&self.bundle_files).clone()
    }

    fn take_file(&self, from: &Path) -> Result<TakenAsset, WriteError> {
        let key = path_key(from);
        let known = lock(&self.contents).by_path.get(&key).copied();
        if let Some(copy) = known {
            return Ok(self.taken(&copy));
        }
        let incoming = self.incoming();
        let (copy, is_source) = self.bring_in(from, &incoming).map_err(unreadable)?;
        let taken = self.keep(copy, is_source, &incoming)?;
        // Not earlier: whoever finds the path finds all that was made of it.
        lock(&self.contents).by_path.insert(key, copy);
        Ok(taken)
    }

    /// Bytes that have no file of their own.
    fn take_value(&self, content: &Content) -> Result<TakenAsset, WriteError> {
        let path = content.path();
        let mut bytes =
            content.open().map_err(|source| WriteError::Unreadable { path: path.to_owned(), source })?;
        let incoming = self.incoming();
        let copy = write_hashed(&mut bytes, path, &incoming).map_err(unreadable)?;
        self.keep(copy, false, &incoming)
    }

    /// Lets what came in wait under its hash; what is there already is not kept twice.
    fn keep(&self, copy: HashedCopy, is_source: bool, incoming: &Path) -> Result<TakenAsset, WriteError> {
        if self.mode == AssetMode::Convert {
            self.convert(incoming, &copy);
        }
        let taken = self.taken(&copy);
        let mut contents = lock(&self.contents);
        match contents.by_hash.entry(copy.sha256) {
            Entry::Occupied(_) => fs::remove_file(incoming).map_err(DiskError::writing(incoming))?,
            // Under the lock: whoever finds the entry finds the file.
            Entry::Vacant(entry) => {
                fs::rename(incoming, &taken.waiting).map_err(DiskError::writing(&taken.waiting))?;
                entry.insert(Kept { is_source, ..Kept::default() });
            }
        }
        Ok(taken)
    }

    /// True: `to` is another name of the source's file.
    fn bring_in(&self, from: &Path, to: &Path) -> Result<(HashedCopy, bool), DiskError> {
        match self.mode {
            AssetMode::Link => link_hashed(from, to),
            _ => Ok((copy_hashed(from, to)?, false)),
        }
    }

    fn taken(&self, copy: &HashedCopy) -> TakenAsset {
        let sha256 = hexadecimal(&copy.sha256);
        let converted = lock(&self.contents).converted.get(&copy.sha256).cloned();
        let converted = converted.map(|converted| {
            converted.map(|Converted { extension, waiting, copy }| {
                let (bytes, sha256) = (copy.bytes, Some(hexadecimal(&copy.sha256)));
                let taken = TakenAsset { waiting, bytes, sha256, converted: None };
                Box::new(ConvertedAsset { extension, taken })
            })
        });
        TakenAsset { waiting: self.waiting.join(&sha256), bytes: copy.bytes, sha256: Some(sha256), converted }
    }

    /// Once for each content, however often it comes.
    fn convert(&self, file: &Path, original: &HashedCopy) {
        let Some(conversion) = media::conversion(file) else { return };
        let form = format!("converted.{}", conversion.extension);
        let made = self.derived.get(&original.sha256, &form, || {
            let mut bytes = Vec::new();
            match conversion.write_to(&mut bytes) {
                Ok(()) => Ok(bytes),
                Err(Unconverted::Undecodable(why)) => Err(why),
                Err(Unconverted::Write(_)) => Err(Undecodable::TooLarge),
            }
        });
        // Whoever came first has its hash, and where there are no hard links the file is gone from here by now.
        if lock(&self.contents).converted.contains_key(&original.sha256) {
            return;
        }
        let converted = match made {
            Ok(waiting) => match hash_file(&waiting) {
                Ok(copy) => Ok(Converted { extension: conversion.extension, waiting, copy }),
                Err(error) => Err(error.to_string()),
            },
            Err(why) => Err(why.to_string()),
        };
        lock(&self.contents).converted.entry(original.sha256).or_insert(converted);
    }

    fn incoming(&self) -> PathBuf {
        self.incoming.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Takes in the files of a bundle, which `copy` copies into a new folder.
    fn take_bundle(
        &self,
        copy: impl FnOnce(&Path) -> Result<Vec<FileRecord>, DiskError>,
    ) -> Result<TakenAsset, WriteError> {
        let waiting = self.incoming();
        fs::create_dir(&waiting).map_err(DiskError::writing(&waiting))?;
        let files = match copy(&waiting) {
            Ok(files) => files,
            Err(error) => {
                let _ = fs::remove_dir_all(&waiting);
                return Err(unreadable(error));
            }
        };
        let bytes = files.iter().map(|f| f.bytes).sum();
        lock(&self.contents).bundles.insert(waiting.clone(), files);
        Ok(TakenAsset { waiting, bytes, sha256: None, converted: None })
    }

    fn place_folder(&self, taken: &TakenAsset, path: &str, file: &Path) -> Result<(), WriteError> {
        fs::rename(&taken.waiting, file).map_err(DiskError::writing(file))?;
        let files = lock(&self.contents).bundles.remove(&taken.waiting).unwrap_or_default();
        let placed = files.into_iter().map(|f| FileRecord { path: format!("{path}/{}", f.path), ..f });
        lock(&self.bundle_files).extend(placed);
        Ok(())
    }

    fn place_file(
        &self,
        taken: &TakenAsset,
        hash: [u8; 32],
        file: &Path,
        date: Option<Instant>,
    ) -> Result<(), WriteError> {
        let mut contents = lock(&self.contents);
        let kept = contents.by_hash.entry(hash).or_default();
        let from = kept.placed.as_deref().unwrap_or(&taken.waiting);
        if fs::hard_link(from, file).is_ok() {
            // All names of a file share its date.
            if let Some(date) = date
                && !kept.is_source
                && kept.date.is_none_or(|earlier| date.timestamp() < earlier)
            {
                kept.date = Some(date.timestamp());
                set_modified(file, date.into());
            }
            return Ok(());
        }
        // No hard links here (or not so many of one file): the first one moves in, the others are copies.
        if kept.placed.is_none() && !kept.is_source {
            fs::rename(from, file).map_err(DiskError::writing(file))?;
            kept.placed = Some(file.to_owned());
        } else {
            let from = from.to_owned();
            drop(contents);
            copy_hashed(&from, file)?;
        }
        if let Some(date) = date {
            set_modified(file, date.into());
        }
        Ok(())
    }

    fn name(&self, conversation: &Conversation, name: &str, date: Option<Instant>) -> String {
        let title = match date.map(|d| Clock::new(self.zone).local(d)) {
            Some(day) => format!("{:04}-{:02}-{:02} ", day.year, day.month, day.day),
            None => String::new(),
        };
        let (stem, extension) = split_extension(name);
        let stem = if stem.trim().is_empty() && title.is_empty() { "Untitled" } else { stem };
        self.given(conversation, &format!("{title}{stem}"), extension)
    }

    /// A path of its own in the conversation's folder.
    fn given(&self, conversation: &Conversation, title: &str, extension: &str) -> String {
        let mut names = lock(&self.names);
        let names = names.entry(conversation.id.clone()).or_insert_with(|| Names {
            folder: portable_name(&conversation.title, &format!(" [{}]", conversation.id)),
            given: HashMap::new(),
        });
        let name = names.give(title, extension);
        format!("{FOLDER}/{}/{name}", names.folder)
    }
}

impl Names {
    /// The first name of `title.extension`, `title (2).extension`, … that is free.
    fn give(&mut self, title: &str, extension: &str) -> String {
        let dot = if extension.is_empty() { "" } else { "." };
        let plain = portable_name(title, &format!("{dot}{extension}"));
        let key = folded(&plain);
        let mut number = self.given.get(&key).copied().unwrap_or(1);
        loop {
            let name = match number {
                1 => plain.clone(),
                _ => portable_name(title, &format!(" ({number}){dot}{extension}")),
            };
            number = number.saturating_add(1);
            let is_new = number == 2 || !self.given.contains_key(&folded(&name));
            if is_new {
                self.given.insert(folded(&name), 2);
                self.given.insert(key, number);
                return name;
            }
        }
    }
}

impl AssetSink for AssetFolder {
    fn take(&self, content: &Content) -> Result<TakenAsset, WriteError> {
        match content {
            Content::File { path, .. } => self.take_file(path),
            Content::Folder { path } => self.take_bundle(|to| bundle::copy_folder(path, to)),
            Content::Bundle(stored) => self.take_bundle(|to| bundle::copy_stored(stored, to)),
            Content::Value(_) | Content::Sealed(_) => self.take_value(content),
            Content::OutOfReach(what) => {
                Err(WriteError::Unreadable { path: what.path.clone(), source: what.error() })
            }
        }
    }

    fn draw(&self, drawing: &Drawing, title: &str, description: &str) -> Result<TakenAsset, WriteError> {
        let svg = svg(drawing, title, description);
        let incoming = self.incoming();
        let copy = write_hashed(&mut svg.as_bytes(), &incoming, &incoming)?;
        self.keep(copy, false, &incoming)
    }

    fn place(
        &self,
        conversation: &Conversation,
        taken: TakenAsset,
        name: &str,
        date: Option<Instant>,
    ) -> Result<PlacedAsset, WriteError> {
        self.put(taken, self.name(conversation, name, date), date)
    }

    fn place_beside(
        &self,
        conversation: &Conversation,
        taken: TakenAsset,
        other: &PlacedAsset,
        extension: &str,
        date: Option<Instant>,
    ) -> Result<PlacedAsset, WriteError> {
        let name = other.path.rsplit('/').next().unwrap_or_default();
        self.put(taken, self.given(conversation, split_extension(name).0, extension), date)
    }

    fn close(&self, conversation: &Conversation) {
        lock(&self.names).remove(&conversation.id);
    }
}

impl AssetFolder {
    fn put(&self, taken: TakenAsset, path: String, date: Option<Instant>) -> Result<PlacedAsset, WriteError> {
        let file = self.staging.path(&path)?;
        match taken.sha256.as_deref().and_then(parse_hash) {
            Some(hash) => self.place_file(&taken, hash, &file, date)?,
            None => self.place_folder(&taken, &path, &file)?,
        }
        Ok(PlacedAsset { path, file, bytes: taken.bytes, sha256: taken.sha256 })
    }
}

fn path_key(path: &Path) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(path.as_os_str().as_encoded_bytes()).into();
    *hash.first_chunk().unwrap_or(&[0; 16])
}

fn parse_hash(hexadecimal: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (i, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hexadecimal.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// `IMG_0042.heic` → (`IMG_0042`, `heic`). What does not look like an extension is part of the name.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if (1..=16).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            (stem, extension)
        }
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::disk::Others;
    use crate::model::ConversationKind;

    struct Desk {
        home: tempfile::TempDir,
        staging: Arc<Staging>,
        assets: AssetFolder,
    }

    fn desk(mode: AssetMode) -> Desk {
        let home = tempfile::tempdir().unwrap();
        let staging = Arc::new(Staging::begin(&home.path().join("out"), Others::Refused).unwrap());
        let assets = AssetFolder::new(Arc::clone(&staging), mode, "Asia/Tokyo".parse().unwrap()).unwrap();
        Desk { home, staging, assets }
    }

    impl Desk {
        fn source(&self, name: &str, text: &str) -> Content {
            let path = self.home.path().join(name);
            fs::write(&path, text).unwrap();
            Content::File { path, bytes: text.len() as u64 }
        }

        fn place(&self, content: &Content, name: &str, date: Option<&str>) -> PlacedAsset {
            self.place_both(content, name, date).0
        }

        /// The original, and its converted copy where there is one.
        fn place_both(
            &self,
            content: &Content,
            name: &str,
            date: Option<&str>,
        ) -> (PlacedAsset, Option<PlacedAsset>) {
            let mut taken = self.assets.take(content).unwrap();
            let date = date.map(|d| d.parse().unwrap());
            let converted = taken.converted.take();
            let placed = self.assets.place(&conversation("Ana/Ben"), taken, name, date).unwrap();
            let converted = converted.map(|converted| {
                let ConvertedAsset { extension, taken } = *converted.unwrap();
                let conversation = conversation("Ana/Ben");
                self.assets.place_beside(&conversation, taken, &placed, extension, date).unwrap()
            });
            (placed, converted)
        }
    }

    fn conversation(title: &str) -> Conversation {
        Conversation {
            id: "c-1f3a9b2c".into(),
            title: title.into(),
            kind: ConversationKind::Direct,
            chat_guids: Vec::new(),
            participants: Vec::new(),
            services: Vec::new(),
            lost: Vec::new(),
        }
    }

    const NOON: Option<&str> = Some("2024-05-01T03:00:00Z");

    #[test]
    fn a_copy_has_its_name_its_date_and_its_hash() {
        let desk = desk(AssetMode::Copy);
        let source = desk.source("a", "abc");
        let placed = desk.place(&source, "IMG_0042.heic", NOON);
        assert_eq!(placed.path, "attachments/Ana-Ben [c-1f3a9b2c]/2024-05-01 IMG_0042.heic");
        assert_eq!(placed.file, desk.staging.root().join(&placed.path));
        assert_eq!(fs::read_to_string(&placed.file).unwrap(), "abc");
        assert_eq!(
            placed.sha256.as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        let modified = fs::metadata(&placed.file).unwrap().modified().unwrap();
        assert_eq!(modified, std::time::SystemTime::from(NOON.unwrap().parse::<Instant>().unwrap()));
        // Past midnight in Tokyo; and no date at all.
        let late = desk.place(&source, "x.heic", Some("2024-05-01T15:00:00Z"));
        assert!(late.path.ends_with("/2024-05-02 x.heic"), "{}", late.path);
        let never = desk.place(&source, "x.heic", None);
        assert!(never.path.ends_with("/x.heic"), "{}", never.path);
    }

    #[test]
    fn names_are_numbered_on_a_clash_and_never_lead_out() {
        let desk = desk(AssetMode::Copy);
        let source = desk.source("a", "abc");
        let long = format!("{}.jpeg", "é".repeat(300));
        let names = [
            "a.jpg",
            "A.JPG",
            "a.jpg",
            "a (2).jpg",
            "../../etc/x",
            "CON",
            "",
            ".",
            "..",
            "Zoe\u{301}.png",
            "zo\u{e9}.png",
            "\x1b[2Jx.exe\u{202e}",
            "archive.tar.gz",
            "a.not an extension",
            &long,
            &long,
        ];
        let mut given = Vec::new();
        for name in names {
            let placed = desk.place(&source, name, None);
            let folder = placed.file.parent().unwrap();
            assert_eq!(folder, desk.staging.root().join("attachments/Ana-Ben [c-1f3a9b2c]"));
            let name = placed.path.rsplit('/').next().unwrap().to_owned();
            assert!(name.len() <= 200 && placed.file.exists());
            given.push(name);
        }
        let cut = format!("{}.jpeg", "é".repeat(97));
        let cut_again = format!("{} (2).jpeg", "é".repeat(95));
        assert_eq!(
            given,
            [
                "a.jpg",
                "A (2).JPG",
                "a (3).jpg",
                "a (2) (2).jpg",
                "-..-etc-x",
                "_CON",
                "Untitled",
                "Untitled (2)",
                "Untitled (3)",
                "Zo\u{e9}.png",
                "zo\u{e9} (2).png",
                "[2Jx.exe",
                "archive.tar.gz",
                "a.not an extension",
                &cut,
                &cut_again,
            ]
        );
        // Another conversation begins anew, and so does this one after it was closed.
        desk.assets.close(&conversation("Ana/Ben"));
        assert!(lock(&desk.assets.names).is_empty());
    }

    #[test]
    fn many_of_one_name_are_numbered_in_no_time() {
        let mut names = Names::default();
        for _ in 0..20_000 {
            names.give("image0", "jpeg");
        }
        assert_eq!(names.give("image0", "jpeg"), "image0 (20001).jpeg");
    }

    #[cfg(unix)]
    #[test]
    fn identical_content_is_kept_once() {
        use std::os::unix::fs::MetadataExt;
        let desk = desk(AssetMode::Copy);
        let one = desk.source("a", "same");
        let other = desk.source("b", "same");
        let different = desk.source("c", "else");
        let later = desk.place(&one, "1", Some("2024-05-02T03:00:00Z"));
        let earlier = desk.place(&other, "2", NOON);
        let again = desk.place(&one, "3", Some("2024-05-03T03:00:00Z"));
        let different = desk.place(&different, "4", None);
        let inode = |p: &PlacedAsset| fs::metadata(&p.file).unwrap().ino();
        assert_eq!(inode(&later), inode(&earlier));
        assert_eq!(inode(&later), inode(&again));
        assert_ne!(inode(&later), inode(&different));
        // They share one date: the earliest, in whatever order they came.
        let modified = fs::metadata(&later.file).unwrap().modified().unwrap();
        assert_eq!(modified, std::time::SystemTime::from(NOON.unwrap().parse::<Instant>().unwrap()));
        assert_eq!(fs::read_dir(&desk.assets.incoming).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leaves_the_original_as_it_is() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let desk = desk(AssetMode::Link);
        let source = desk.source("a", "abc");
        let when = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        set_modified(source.path(), when);
        fs::set_permissions(source.path(), fs::Permissions::from_mode(0o644)).unwrap();
        let placed = desk.place(&source, "x", NOON);
        let original = fs::metadata(source.path()).unwrap();
        assert_eq!(fs::metadata(&placed.file).unwrap().ino(), original.ino());
        assert_eq!(original.modified().unwrap(), when);
        assert_eq!(original.permissions().mode() & 0o777, 0o644);

        let link = desk.home.path().join("link");
        symlink(source.path(), &link).unwrap();
        let placed = desk.place(&Content::File { path: link, bytes: 3 }, "y", NOON);
        assert!(!placed.file.is_symlink());
        assert_eq!(fs::metadata(source.path()).unwrap().modified().unwrap(), when);
        let path = placed.path;
        desk.staging.publish(|_| 0).unwrap();
        let Desk { home, staging, assets } = desk;
        drop((staging, assets));
        assert_eq!(fs::read_to_string(home.path().join("a")).unwrap(), "abc");
        assert_eq!(fs::read_to_string(home.path().join("out").join(path)).unwrap(), "abc");
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_unreadable() {
        let desk = desk(AssetMode::Copy);
        let gone = desk.home.path().join("gone");
        for content in
            [Content::File { path: gone.clone(), bytes: 1 }, Content::Folder { path: gone.clone() }]
        {
            let error = desk.assets.take(&content).unwrap_err();
            assert!(matches!(&error, WriteError::Unreadable { path, .. } if *path == gone), "{error}");
        }
        assert_eq!(fs::read_dir(&desk.assets.incoming).unwrap().count(), 0);
    }

    #[test]
    fn a_bundle_is_copied_whole_and_without_links() {
        let desk = desk(AssetMode::Link);
        let bundle = desk.home.path().join("note.pages");
        fs::create_dir_all(bundle.join("Data/deep")).unwrap();
        fs::write(bundle.join(".index"), "1").unwrap();
        fs::write(bundle.join("Data/deep/a.jpg"), "22").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", bundle.join("Data/link")).unwrap();
        let placed = desk.place(&Content::Folder { path: bundle }, "note.pages", NOON);
        assert!(placed.path.ends_with("/2024-05-01 note.pages"));
        assert_eq!((placed.bytes, placed.sha256), (3, None));
        let mut files: Vec<_> = desk.assets.bundle_files().into_iter().map(|f| (f.path, f.bytes)).collect();
        files.sort();
        let expect = [(".index", 1), ("Data/deep/a.jpg", 2)];
        let expect: Vec<_> = expect.map(|(p, n)| (format!("{}/{p}", placed.path), n)).into();
        assert_eq!(files, expect);
        for (path, _) in files {
            assert!(desk.staging.root().join(path).is_file());
        }
        assert!(!placed.file.join("Data/link").exists());
    }

    fn heic(desk: &Desk, name: &str, color: [u8; 4]) -> Content {
        let path = desk.home.path().join(name);
        let options = heifer::EncodeOptions { quality: 90, max_threads: 1 };
        let bytes = heifer::encode_rgba8(48, 32, &color.repeat(48 * 32), &options).unwrap();
        fs::write(&path, &bytes).unwrap();
        Content::File { path, bytes: bytes.len() as u64 }
    }

    #[test]
    fn a_photo_is_converted_beside_its_original() {
        let desk = desk(AssetMode::Convert);
        let source = heic(&desk, "a", [200, 40, 90, 255]);
        let names = ["IMG_0042.heic", "IMG_0042.heic", "IMG_0042.jpg"];
        let placed = names.map(|name| desk.place_both(&source, name, NOON));
        let folder = "attachments/Ana-Ben [c-1f3a9b2c]/2024-05-01";
        let paths = placed.each_ref().map(|(_, converted)| converted.as_ref().unwrap().path.clone());
        let expected = ["IMG_0042.jpg", "IMG_0042 (2).jpg", "IMG_0042 (3) (2).jpg"];
        assert_eq!(paths, expected.map(|name| format!("{folder} {name}")));
        for ((_, converted), path) in placed.iter().zip(&paths) {
            let file = desk.staging.root().join(path);
            let converted = converted.as_ref().unwrap();
            let copy = hash_file(&file).unwrap();
            let sha256 = Some(hexadecimal(&copy.sha256));
            assert_eq!((converted.bytes, &converted.sha256), (copy.bytes, &sha256));
            let modified = fs::metadata(&file).unwrap().modified().unwrap();
            assert_eq!(modified, SystemTime::from(NOON.unwrap().parse::<Instant>().unwrap()));
            let pixels = media::still::decode(&fs::read(&file).unwrap(), None).unwrap();
            assert_eq!((pixels.width, pixels.height), (48, 32));
            for (got, sent) in pixels.rgba.iter().zip([200, 40, 90, 255]) {
                assert!(got.abs_diff(sent) <= 4, "{:?}", &pixels.rgba[..4]);
            }
        }
        assert!(hash_file(&placed[0].0.file).unwrap().sha256 == hash_file(source.path()).unwrap().sha256);
    }

    #[test]
    fn a_sticker_keeps_its_transparency_and_other_files_are_left_alone() {
        let desk = desk(AssetMode::Convert);
        let sticker = heic(&desk, "sticker", [9, 99, 200, 120]);
        let converted = desk.place_both(&sticker, "sticker.heics", None).1.unwrap();
        assert!(converted.path.ends_with("/sticker.png"), "{}", converted.path);
        let png = fs::read(desk.staging.root().join(&converted.path)).unwrap();
        assert_eq!(media::still::decode(&png, None).unwrap().rgba[3], 120);
        let text = desk.source("b", "abc");
        assert_eq!(desk.place_both(&text, "b.heic", NOON).1, None);
        // Without the wish for it nothing is converted.
        let desk = super::tests::desk(AssetMode::Copy);
        let source = heic(&desk, "a", [200, 40, 90, 255]);
        assert_eq!(desk.place_both(&source, "a.heic", NOON).1, None);
    }

    #[test]
    fn what_cannot_be_converted_is_copied_and_says_why() {
        let desk = desk(AssetMode::Convert);
        let Content::File { path, .. } = heic(&desk, "a", [200, 40, 90, 255]) else { panic!() };
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 40);
        fs::write(&path, &bytes).unwrap();
        let taken = desk.assets.take(&Content::File { path, bytes: bytes.len() as u64 }).unwrap();
        assert_eq!(taken.converted.as_ref().unwrap().as_ref().unwrap_err(), "the picture is damaged");
        let placed = desk.assets.place(&conversation("Ana/Ben"), taken, "a.heic", None).unwrap();
        assert_eq!(placed.bytes, bytes.len() as u64);
    }
}
