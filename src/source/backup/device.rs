use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::about::{self, BackupInfo, Keys, is_backup};
use super::keybag::{ClassKeys, KeyBag, Unusable};
use super::manifest::FileId;
use super::messages::BackupSource;
use super::password::Password;
use super::store::{Backup, Blob};
use super::{HOME, MESSAGES};
use crate::source::database::{Log, Opened};
use crate::source::locate::FileStore;
use crate::source::{
    ICloudSettings, KeepMessages, OpenOptions, Source, SourceError, SourceInfo, SourceKind, open_opened,
};

/// Files of a backup that people give for it.
const LISTED: [&str; 3] = ["Manifest.db", "Manifest.mbdb", "Manifest.plist"];

/// The folder of a device, before what is in it is opened.
#[derive(Debug)]
pub(in crate::source) struct DeviceFolder {
    path: PathBuf,
    about: BackupInfo,
    stored: Keys,
    /// Of an encrypted one, once it was unlocked.
    keys: Option<ClassKeys>,
}

impl DeviceFolder {
    /// The one that is meant by a path: that folder, a file of Messages in it, or the folder that holds the one
    /// backup. `None`: no backup.
    ///
    /// # Errors
    /// [`SourceError::SeveralBackups`].
    pub fn find(path: &Path) -> Result<Option<DeviceFolder>, SourceError> {
        let Some(path) = folder_of(path)? else { return Ok(None) };
        let (about, stored) = about::read(&path);
        Ok(Some(DeviceFolder { path, about, stored, keys: None }))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it lies, while it needs a password.
    ///
    /// # Errors
    /// [`SourceError::KeyBag`], [`SourceError::UnsupportedKeyBag`]: no password would help.
    pub fn locked(&self) -> Result<Option<&Path>, SourceError> {
        if !self.about.encrypted || self.keys.is_some() {
            return Ok(None);
        }
        self.bag().map(|_| Some(&*self.path))
    }

    /// # Errors
    /// [`SourceError::WrongPassword`]; as [`DeviceFolder::locked`].
    pub fn unlock(&mut self, password: &Password) -> Result<(), SourceError> {
        let bag = self.bag()?;
        let Some(keys) = bag.unlock(password.as_str()) else {
            let wrong = || SourceError::WrongPassword { path: self.path.clone() };
            return Err(bag.doubt().map_or_else(wrong, |doubt| self.unusable(doubt)));
        };
        self.keys = Some(keys);
        Ok(())
    }

    fn bag(&self) -> Result<KeyBag, SourceError> {
        let bag = self.stored.bag.as_deref().ok_or(Unusable::Damaged("it has no key bag"));
        bag.and_then(KeyBag::read).map_err(|unusable| self.unusable(unusable))
    }

    fn unusable(&self, unusable: Unusable) -> SourceError {
        let path = self.path.clone();
        match unusable {
            Unusable::Damaged(what) => SourceError::KeyBag { path, what },
            Unusable::Unsupported(what) => SourceError::UnsupportedKeyBag { path, what },
        }
    }

    /// Opens its Messages.
    ///
    /// # Errors
    /// [`SourceError::PasswordNeeded`] where it was not unlocked; else what is wrong with it.
    pub fn open(&self, options: &OpenOptions) -> Result<Box<dyn Source>, SourceError> {
        let (opened, backup) = self.unpacked(options)?;
        Ok(Box::new(BackupSource { messages: open_opened(opened, options)?, backup }))
    }

    /// Its Messages database, and what else is in it.
    ///
    /// # Errors
    /// As [`DeviceFolder::open`].
    pub fn unpacked(&self, options: &OpenOptions) -> Result<(Opened, Arc<Backup>), SourceError> {
        if let Some(locked) = self.locked()? {
            return Err(SourceError::PasswordNeeded { path: locked.to_owned() });
        }
        let DeviceFolder { path: folder, about, stored, keys } = self;
        let backup = Arc::new(Backup::open(folder, stored, keys.clone())?);
        let messages = backup.file(HOME, MESSAGES)?;
        let messages = messages.ok_or_else(|| SourceError::NoMessages { path: folder.clone() })?;
        let log = backup.log(MESSAGES)?;
        let lost_log = matches!(log, Some(Blob::Lost));
        let mut opened = match (messages, log) {
            (Blob::Lost, _) => {
                let what = "the key of its messages is missing or damaged";
                return Err(SourceError::KeyBag { path: folder.clone(), what });
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
        let mut warnings = std::mem::take(&mut opened.info.warnings);
        warnings.extend(backup.warnings(about.problem.as_deref(), lost_log));
        opened.info = SourceInfo {
            kind: SourceKind::Backup,
            path: options.shown_as.clone().unwrap_or_else(|| folder.clone()),
            keep_messages: KeepMessages::of(&|name| backup.preferences(name)),
            icloud: ICloudSettings::of(&|name| backup.preferences(name)),
            warnings,
            backup: Some(about.clone()),
            ..opened.info
        };
        Ok((opened, backup))
    }
}

/// The folder of the device that is meant by a path: that folder, a file of Messages in it, or the folder that holds
/// the one backup. `None`: no backup.
///
/// # Errors
/// [`SourceError::SeveralBackups`].
fn folder_of(path: &Path) -> Result<Option<PathBuf>, SourceError> {
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
