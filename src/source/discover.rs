//! Libraries and backups on this machine.
//!
//! **Must never**: read a message, or take long without being asked to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::backup::{BackupInfo, is_backup, keep_messages_of_plain};
use super::{KeepMessages, preferences};
use crate::disk::archive_folder::{DATABASE, RUNS, is_archive};

/// Something that messages could be read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: FoundKind,
    /// What to give as a source.
    pub path: PathBuf,
    /// The device's name, where that is known.
    pub device: Option<String>,
    /// The version of its system, such as `18.1`, where that is known.
    pub os: Option<String>,
    /// When it was made, or last written to.
    pub date: Option<SystemTime>,
    pub encrypted: bool,
    /// How long the device or the account keeps messages; of an encrypted backup only its password would tell.
    pub keep_messages: Option<KeepMessages>,
    /// It can be read now, and nothing of it is missing, as far as a look tells.
    pub complete: bool,
    /// What is wrong with it, for people.
    pub problem: Option<String>,
}

impl Found {
    /// Adds up the bytes of all its files, looking at each: a backup has many. Links are not followed, and what cannot be
    /// looked at counts nothing.
    pub fn bytes(&self) -> u64 {
        let mut bytes = 0_u64;
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(about) if about.is_dir() => folders.push(entry.path()),
                    Ok(about) => bytes = bytes.saturating_add(about.len()),
                    Err(_) => {}
                }
            }
        }
        bytes
    }
}

/// What sort of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoundKind {
    /// A Mac's Messages library.
    Library,
    /// An iPhone or iPad backup.
    Backup,
    /// What `msgarchive archive` made. [`discover`] finds none: what a schedule feeds must not become what it is fed from.
    Archive,
}

/// Where Finder, iTunes and Apple Devices keep backups (`ios-backup-format.md` 1). All are looked at on every system: a home
/// folder may have been carried elsewhere. `app_data`: what Windows calls `%APPDATA%`, which need not lie in the home.
fn backup_folders(home: &Path, app_data: Option<&Path>) -> Vec<PathBuf> {
    let in_the_home = home.join("AppData/Roaming");
    let mut folders = vec![
        home.join("Library/Application Support/MobileSync/Backup"),
        in_the_home.join("Apple Computer/MobileSync/Backup"),
        home.join("Apple/MobileSync/Backup"),
    ];
    let elsewhere = app_data.filter(|app_data| app_data.is_absolute() && *app_data != in_the_home);
    folders.extend(elsewhere.map(|app_data| app_data.join("Apple Computer/MobileSync/Backup")));
    folders
}

/// What there is below a home folder, and in the folder of programs' data where that lies elsewhere (`%APPDATA%`): the library
/// first, then backups, the newest first.
pub fn discover(home: &Path, app_data: Option<&Path>) -> Vec<Found> {
    let mut backups: Vec<Found> = backup_folders(home, app_data)
        .into_iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .filter_map(|entry| backup(&entry.path()))
        .collect();
    backups.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.path.cmp(&b.path)));
    library(&home.join("Library/Messages")).into_iter().chain(backups).collect()
}

fn library(folder: &Path) -> Option<Found> {
    let database = folder.join("chat.db");
    let problem = match readable(&database) {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) if error.raw_os_error() == Some(1) => {
            Some("macOS does not let this program read it: Full Disk Access is missing".into())
        }
        Err(error) => Some(format!("it cannot be read: {error}")),
    };
    // What was written last may be in the log alone.
    let date = ["chat.db", "chat.db-wal"]
        .iter()
        .filter_map(|name| fs::metadata(folder.join(name)).ok()?.modified().ok())
        .max();
    Some(Found {
        kind: FoundKind::Library,
        path: folder.to_owned(),
        device: None,
        os: None,
        date,
        encrypted: false,
        keep_messages: KeepMessages::of(&preferences::beside(&database)),
        complete: problem.is_none(),
        problem,
    })
}

/// The archive in this folder, of which others know that it is there; `None` where there is none.
pub fn archive(folder: &Path) -> Option<Found> {
    // One that cannot be looked at is none to read.
    if !is_archive(folder).unwrap_or(false) {
        return None;
    }
    let problem =
        readable(&folder.join(DATABASE)).err().map(|error| format!("its chat.db cannot be read: {error}"));
    // Every run leaves a record there.
    let date = fs::metadata(folder.join(RUNS)).ok().and_then(|runs| runs.modified().ok());
    Some(Found {
        kind: FoundKind::Archive,
        path: folder.to_owned(),
        device: None,
        os: None,
        date,
        encrypted: false,
        keep_messages: None,
        complete: problem.is_none(),
        problem,
    })
}

fn readable(file: &Path) -> io::Result<()> {
    match File::open(file)?.read_exact(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(io::Error::other("it is empty")),
        read => read,
    }
}

/// A folder with one device's backup in it.
fn backup(folder: &Path) -> Option<Found> {
    if !is_backup(folder) {
        return None;
    }
    let BackupInfo { device, os, date, encrypted, problem, .. } = BackupInfo::read(folder);
    let written = || fs::metadata(folder).ok()?.modified().ok();
    Some(Found {
        kind: FoundKind::Backup,
        path: folder.to_owned(),
        device,
        os,
        date: date.or_else(written),
        encrypted,
        keep_messages: if encrypted { None } else { keep_messages_of_plain(folder) },
        complete: problem.is_none(),
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_and_backups_are_found_the_newest_first() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(discover(home.path(), None), []);

        let messages = home.path().join("Library/Messages");
        fs::create_dir_all(&messages).unwrap();
        fs::write(messages.join("chat.db"), b"SQLite format 3\0").unwrap();
        let backups = home.path().join("Library/Application Support/MobileSync/Backup");
        for (name, date) in [("old", "2023-01-01T00:00:00Z"), ("new", "2024-01-01T00:00:00Z")] {
            let folder = backups.join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("Manifest.db"), b"SQLite format 3\0").unwrap();
            let plist = |body: &str| format!("<plist version=\"1.0\"><dict>{body}</dict></plist>");
            fs::write(
                folder.join("Info.plist"),
                plist(&format!(
                    "<key>Device Name</key><string>{name} phone</string>\
                     <key>Product Version</key><string>18.1</string>\
                     <key>Last Backup Date</key><date>{date}</date>"
                )),
            )
            .unwrap();
            fs::write(folder.join("Manifest.plist"), plist("<key>IsEncrypted</key><true/>")).unwrap();
        }
        fs::create_dir_all(backups.join("unfinished")).unwrap();
        fs::write(backups.join("unfinished/Info.plist"), b"broken").unwrap();
        fs::write(backups.join("unfinished/Status.plist"), b"").unwrap();
        fs::create_dir_all(backups.join("something else")).unwrap();

        let found = discover(home.path(), None);
        assert_eq!(found[0].kind, FoundKind::Library);
        assert_eq!(found[0].path, messages);
        assert!(found[0].complete);
        let devices: Vec<_> = found.iter().map(|f| f.device.as_deref()).collect();
        assert!(devices.ends_with(&[Some("new phone"), Some("old phone")]), "{devices:?}");
        assert_eq!(found.len(), 4);
        let new = found.iter().find(|f| f.device.as_deref() == Some("new phone")).unwrap();
        assert!(new.encrypted && new.complete);
        assert_eq!(new.os.as_deref(), Some("18.1"));
        let unfinished = found.iter().find(|f| f.device.is_none() && f.kind == FoundKind::Backup);
        assert!(unfinished.unwrap().problem.is_some());
    }

    #[test]
    fn backups_are_looked_for_where_each_system_keeps_them() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let mac = home.join("Library/Application Support/MobileSync/Backup");
        let itunes = home.join("AppData/Roaming/Apple Computer/MobileSync/Backup");
        let apple_devices = home.join("Apple/MobileSync/Backup");
        let usual = [mac, itunes, apple_devices];
        assert_eq!(backup_folders(home, None), usual);
        assert_eq!(backup_folders(home, Some(&home.join("AppData/Roaming"))), usual);
        assert_eq!(backup_folders(home, Some(Path::new("relative"))), usual);
        // A company keeps it on a server.
        let server = tempfile::tempdir().unwrap();
        let moved = server.path().join("Apple Computer/MobileSync/Backup");
        assert_eq!(backup_folders(home, Some(server.path()))[3..], *std::slice::from_ref(&moved));
        fs::create_dir_all(moved.join("phone")).unwrap();
        fs::write(moved.join("phone/Manifest.db"), b"SQLite format 3\0").unwrap();
        assert_eq!(discover(home, Some(server.path()))[0].path, moved.join("phone"));
    }

    #[test]
    fn an_archive_is_known_by_what_it_holds_and_found_only_where_it_is_looked_for() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(archive(home.path()), None);
        fs::write(home.path().join("archive.json"), "{}").unwrap();
        let without = archive(home.path()).unwrap();
        assert!(!without.complete && without.problem.unwrap().contains("chat.db cannot be read"));
        fs::write(home.path().join("chat.db"), b"SQLite format 3\0").unwrap();
        let found = archive(home.path()).unwrap();
        assert_eq!((found.kind, found.complete, found.problem), (FoundKind::Archive, true, None));
        assert_eq!(discover(home.path(), None), []);
    }

    #[test]
    fn an_empty_library_is_a_problem() {
        let home = tempfile::tempdir().unwrap();
        let messages = home.path().join("Library/Messages");
        fs::create_dir_all(&messages).unwrap();
        fs::write(messages.join("chat.db"), b"").unwrap();
        let found = discover(home.path(), None);
        assert!(!found[0].complete);
        assert!(found[0].problem.as_deref().unwrap().contains("empty"));
    }
}
