//! Puts bytes under their SHA-256 into an archive.
//!
//! A content is complete and on the disk before it has its name, and has its name before a row speaks of it.
//!
//! **Must never**: follow a link out of the archive, or take away bytes that are what their name says.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use super::KeptFile;
use super::parts::{list_of, list_part, parts};
use crate::archive::ArchiveError;
use crate::archive::folder::{CONTENTS, path_of};
use crate::archive::own_file;
use crate::disk::{
    ContentName, DiskError, HashedCopy, copy_hashed, hexadecimal, link_hashed, private_folders,
    remove_folder, short_hash, sync_folder, write_hashed,
};
use crate::pipeline::crew::lock;
use crate::source::{Content, SourceKind};

/// What the names of unfinished contents begin with.
pub const UNFINISHED: &str = ".unfinished-";

/// Removes what a run that was killed had begun, and makes way where folders of contents belong. All of them may be gone with
/// what was in them: what a source has is taken in again. Where the archive is gone, too, that is an error.
pub fn clear_unfinished(archive: &Path) -> Result<(), ArchiveError> {
    let contents = archive.join(CONTENTS);
    own_file::make_folder(archive, &contents)?;
    for entry in fs::read_dir(&contents).map_err(ArchiveError::reading(&contents))? {
        let path = entry.map_err(ArchiveError::reading(&contents))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(UNFINISHED) {
            let removed = if is_folder(&path)? { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(ArchiveError::writing(&path))?;
        } else if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // What the disk fails to say for a moment is not in the way.
            own_file::make_folder(archive, &path)?;
        }
    }
    Ok(())
}

/// Where bytes are in the archive now.
pub struct Taken {
    pub path: String,
    pub film: Option<String>,
    pub files: Vec<KeptFile>,
}

impl Taken {
    /// For a dry run: what would be taken, under names of no files: what it came from, so that each counts for itself.
    pub fn looked_at(content: &Content, film: Option<&Content>) -> Result<Taken, ArchiveError> {
        let from = content.path().to_string_lossy().into_owned();
        let mut files = Vec::new();
        for (inside, content) in parts(content)? {
            let path = if inside.is_empty() { from.clone() } else { format!("{from}/{inside}") };
            files.push(KeptFile { path, bytes: content.bytes().unwrap_or(0), sha256: String::new() });
        }
        let film = film.map(|film| (film.path().to_string_lossy().into_owned(), film.bytes().unwrap_or(0)));
        if let Some((path, bytes)) = film.clone() {
            files.push(KeptFile { path, bytes, sha256: String::new() });
        }
        Ok(Taken { path: from, film: film.map(|(path, _)| path), files })
    }
}

/// Puts bytes to their place in an archive.
pub struct Taker<'a> {
    pub archive: &'a Path,
    pub source: SourceKind,
    /// Of those that do so side by side.
    pub worker: usize,
    /// Held by the one that puts a bundle to its place, or aside what lies there.
    pub one_bundle: &'a Mutex<()>,
}

impl Taker<'_> {
    /// Takes in a content, with the film that belongs to a picture.
    ///
    /// # Errors
    /// [`DiskError::Read`] where it cannot be read; else the archive cannot be written.
    pub fn take(
        &self,
        content: &Content,
        film: Option<&Content>,
        filename: &str,
    ) -> Result<Taken, ArchiveError> {
        if content.is_bundle() {
            return self.take_bundle(content, filename);
        }
        let picture = self.copy(content, "a")?;
        let hash = hexadecimal(&picture.sha256);
        let named = self.named(filename);
        if named.is_some_and(|named| named.hash != hash) {
            return Err(self.refuse(content));
        }
        let film = match film {
            Some(film) => {
                let copy = self.copy(film, "b")?;
                if named.and_then(|named| named.film).is_some_and(|named| named != short_hash(&copy.sha256)) {
                    return Err(self.refuse(film));
                }
                Some((copy, extension(&film.path().to_string_lossy())))
            }
            None => None,
        };
        let of_film = film.as_ref().map(|(film, _)| short_hash(&film.sha256));
        let name = ContentName { hash: &hash, film: of_film.as_deref(), extension: &extension(filename) };
        let mut files = Vec::new();
        let mut film_path = None;
        if let Some((film, extension)) = film {
            // Files of a device have no names of their own.
            let extension = if extension.is_empty() { ".mov" } else { &extension };
            film_path = Some(self.place("b", ContentName { extension, ..name }, film, &mut files)?);
        }
        let path = self.place("a", name, picture, &mut files)?;
        Ok(Taken { path, film: film_path, files })
    }

    /// What a content of another archive is named after.
    fn named<'f>(&self, filename: &'f str) -> Option<ContentName<'f>> {
        let path = path_of(filename).filter(|_| self.source == SourceKind::Archive)?;
        let name = ContentName::of(path);
        let is_hash = name.hash.len() == 64 && name.hash.bytes().all(|b| b.is_ascii_hexdigit());
        (is_hash && name.path() == path).then_some(name)
    }

    /// The bytes are not those that another archive stored under this name: nothing of them stays.
    fn refuse(&self, content: &Content) -> ArchiveError {
        for part in ["a", "b"] {
            let _ = fs::remove_file(self.waiting(part));
        }
        let _ = fs::remove_dir_all(self.waiting("c"));
        let why =
            io::Error::other("its bytes are not those that were stored there. Run `verify` on that archive");
        DiskError::reading(content.path())(why).into()
    }

    fn waiting(&self, part: &str) -> PathBuf {
        self.archive.join(CONTENTS).join(format!("{UNFINISHED}{}{part}", self.worker))
    }

    /// Copies bytes to where they wait for their name, down to the disk.
    fn copy(&self, content: &Content, part: &str) -> Result<HashedCopy, ArchiveError> {
        let to = self.waiting(part);
        let _ = fs::remove_file(&to);
        self.copy_to(content, &to)
    }

    fn copy_to(&self, content: &Content, to: &Path) -> Result<HashedCopy, ArchiveError> {
        let copy = match content {
            Content::File { path, bytes } => {
                let copy = match self.source {
                    // Nobody writes to the contents of an archive any more: they may be those of two.
                    SourceKind::Archive => link_hashed(path, to)?.0,
                    _ => copy_hashed(path, to)?,
                };
                if copy.bytes != *bytes {
                    let changed = io::Error::other("it changed while it was copied");
                    return Err(DiskError::reading(path)(changed).into());
                }
                copy
            }
            content => {
                let mut bytes = content.open().map_err(DiskError::reading(content.path()))?;
                write_hashed(&mut bytes, content.path(), to)?
            }
        };
        File::open(to).and_then(|file| file.sync_all()).map_err(ArchiveError::writing(to))?;
        Ok(copy)
    }

    fn place(
        &self,
        part: &str,
        name: ContentName<'_>,
        copy: HashedCopy,
        files: &mut Vec<KeptFile>,
    ) -> Result<String, ArchiveError> {
        let path = self.make_room(name)?;
        let to = self.archive.join(&path);
        let waiting = self.waiting(part);
        // A file that is there already is the same, or damaged; what is none is somebody's.
        if own_file::is_other(&to).map_err(ArchiveError::reading(&to))? {
            let _one = lock(self.one_bundle);
            own_file::make_way(self.archive, &to)?;
        }
        fs::rename(&waiting, &to).map_err(ArchiveError::writing(&to))?;
        // Two names of the same file stay as they are.
        let _ = fs::remove_file(&waiting);
        sync_folder(&to)?;
        files.push(KeptFile { path: path.clone(), bytes: copy.bytes, sha256: hexadecimal(&copy.sha256) });
        Ok(path)
    }

    /// Moves away a bundle that is not what its name says; it is gone with the next run, if not with this one.
    fn make_way(&self, to: &Path) -> Result<(), ArchiveError> {
        let aside = self.waiting("d");
        let _ = remove_folder(&aside);
        let _ = fs::remove_file(&aside);
        match fs::rename(to, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ArchiveError::writing(to)(error)),
            _ => Ok(()),
        }
    }

    /// Sees to it that there is a folder for this one, and says where it will lie.
    fn make_room(&self, name: ContentName<'_>) -> Result<String, ArchiveError> {
        let within = self.archive.join(name.folder());
        private_folders(&within)?;
        if !is_folder(&within)? {
            let leads_out = io::Error::other("it is a link, and may lead out of the archive");
            return Err(ArchiveError::writing(within)(leads_out));
        }
        Ok(name.path())
    }

    /// A bundle is a folder, under the hash of the list of what is in it.
    fn take_bundle(&self, bundle: &Content, filename: &str) -> Result<Taken, ArchiveError> {
        let waiting = self.waiting("c");
        let _ = fs::remove_dir_all(&waiting);
        let mut files = Vec::new();
        let mut list = Sha256::new();
        for (inside, content) in parts(bundle)? {
            let to = waiting.join(&inside);
            private_folders(to.parent().unwrap_or(&waiting))?;
            let copy = self.copy_to(&content, &to)?;
            list_part(&mut list, &copy.sha256, &inside);
            let sha256 = hexadecimal(&copy.sha256);
            files.push(KeptFile { path: inside, bytes: copy.bytes, sha256 });
        }
        for file in &files {
            for inside in Path::new(&file.path).ancestors().filter(|inside| !inside.as_os_str().is_empty()) {
                sync_folder(&waiting.join(inside))?;
            }
        }
        let hash = hexadecimal(&list.finalize());
        if self.named(filename).is_some_and(|named| named.hash != hash) {
            return Err(self.refuse(bundle));
        }
        let name = ContentName { hash: &hash, film: None, extension: &extension(filename) };
        let path = self.make_room(name)?;
        let to = self.archive.join(&path);
        {
            let _one = lock(self.one_bundle);
            let there = Content::Folder { path: to.clone() };
            // Never away for a moment, if it is the same.
            let is_bundle = is_folder(&to)?;
            if is_bundle && list_of(&there).is_ok_and(|list| list == hash) {
                remove_folder(&waiting)?;
            } else {
                match is_bundle {
                    true => self.make_way(&to)?,
                    false if own_file::lies(&to).map_err(ArchiveError::reading(&to))? => {
                        own_file::put_aside(self.archive, &to)?
                    }
                    false => {}
                }
                fs::rename(&waiting, &to).map_err(ArchiveError::writing(&to))?;
            }
        }
        sync_folder(&to)?;
        for file in &mut files {
            file.path = format!("{path}/{}", file.path);
        }
        Ok(Taken { path, film: None, files })
    }
}

/// A link to one is none.
fn is_folder(path: &Path) -> Result<bool, ArchiveError> {
    own_file::is_folder(path).map_err(ArchiveError::reading(path))
}

/// `.heic`, as the file has it; nothing where it has none that is fit for every file system.
fn extension(filename: &str) -> String {
    let name = filename.rsplit('/').next().unwrap_or(filename);
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=24).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            format!(".{}", extension.to_ascii_lowercase())
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::extension;

    #[test]
    fn extensions_are_words() {
        assert_eq!(extension("~/Library/Messages/Attachments/a/IMG.HEIC"), ".heic");
        assert_eq!(extension("a/x.pluginPayloadAttachment"), ".pluginpayloadattachment");
        for none in ["a.b/c", ".hidden", "a.", "a.x y", "a.../", "a.\u{202e}gpj"] {
            assert_eq!(extension(none), "", "{none}");
        }
    }
}
