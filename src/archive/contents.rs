//! Takes in the bytes of attachments, under their SHA-256: once, whoever carries them.
//!
//! A content is complete and on the disk before it has its name, and has its name before a row speaks of it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::ArchiveError;
use super::folder::{CONTENTS, HOME};
use crate::disk::{
    DiskError, HashedCopy, copy_hashed, hash_all, hexadecimal, link_hashed, private_folders, sync_folder,
    write_hashed,
};
use crate::pipeline::Progress;
use crate::pipeline::crew::lock;
use crate::source::tables::{ContentFinder, Tables};
use crate::source::{Content, SourceKind};

/// An attachment whose bytes the archive does not have, or may have others of.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its row id in the source.
    pub rowid: i64,
    pub filename: String,
    /// Where the file was first, which another archive knows; `None`: under this name.
    pub original: Option<String>,
    pub what: Wished,
}

/// What the archive has of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wished {
    /// Not even its row.
    New,
    /// It knew it without its bytes.
    Missing,
    /// Bytes, under these paths; `again`: they may have been this source's.
    Other { than: Vec<String>, again: bool },
    /// Another archive has bytes that it had once.
    Former,
}

/// Where the bytes of an attachment are now; paths are relative to the archive's folder, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub rowid: i64,
    pub what: Wished,
    pub original: String,
    pub path: String,
    pub film: Option<String>,
    pub files: Vec<KeptFile>,
}

/// A file of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What fulfilling wishes came to.
#[derive(Debug, Default)]
pub struct Fulfilled {
    /// By row id and path.
    pub kept: Vec<Kept>,
    /// Wishes that stay: the bytes are not here.
    pub missing: u64,
    /// Of those, the ones that are here and cannot be read, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Looks for the bytes and takes in what there is. `archive`: `None` to only look.
///
/// # Errors
/// When the archive cannot be written. What a source has and cannot be read stays a wish.
pub fn fulfil(
    archive: Option<&Path>,
    tables: &Tables,
    wishes: &[Wish],
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Fulfilled, ArchiveError> {
    if let Some(archive) = archive {
        clear_unfinished(&archive.join(CONTENTS))?;
    }
    let source = tables.info().kind;
    let next = AtomicUsize::new(0);
    let done: Mutex<Result<Fulfilled, ArchiveError>> = Mutex::new(Ok(Fulfilled::default()));
    let work = |worker: usize| {
        let mut finder = tables.finder();
        let unfinished = || format!("{UNFINISHED}{worker}");
        let taker = archive.map(|archive| Taker { archive, source, unfinished: unfinished() });
        while let Some(wish) = wishes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let taken = match progress.interrupted() {
                true => Err(ArchiveError::Interrupted),
                false => wish.fulfil(&mut finder, taker.as_ref()),
            };
            let mut done = lock(&done);
            let Ok(all) = done.as_mut() else { return };
            match taken {
                Ok(Found::Kept(kept)) => all.kept.push(kept),
                Ok(Found::Nothing) => all.missing += u64::from(wish.is_missing()),
                Ok(Found::Same) => {}
                Ok(Found::Unreadable(path, why)) => {
                    all.missing += u64::from(wish.is_missing());
                    all.unreadable.push((path, why));
                }
                Err(error) => {
                    *done = Err(error);
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in 1..jobs.clamp(1, wishes.len().max(1)) {
            let work = &work;
            scope.spawn(move || work(worker));
        }
        work(0);
    });
    let mut all = done.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    if let (Some(archive), Some(kept)) = (archive, all.kept.first()) {
        // The folders that contents were put into may be new in the one that they share.
        sync_folder(archive.join(&kept.path).parent().unwrap_or(archive))?;
    }
    all.kept.sort_by(|a, b| (a.rowid, &a.path).cmp(&(b.rowid, &b.path)));
    all.unreadable.sort();
    Ok(all)
}

/// What the names of unfinished contents begin with.
const UNFINISHED: &str = ".unfinished-";

/// Removes what a run that was killed had begun.
fn clear_unfinished(contents: &Path) -> Result<(), ArchiveError> {
    for entry in fs::read_dir(contents).map_err(ArchiveError::reading(contents))? {
        let path = entry.map_err(ArchiveError::reading(contents))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(ArchiveError::writing(&path))?;
        }
    }
    Ok(())
}

enum Found {
    Kept(Kept),
    Nothing,
    /// The archive has these bytes.
    Same,
    Unreadable(PathBuf, String),
}

impl Wish {
    /// The archive has no bytes of the attachment at all.
    fn is_missing(&self) -> bool {
        matches!(self.what, Wished::New | Wished::Missing)
    }

    fn fulfil(&self, finder: &mut ContentFinder, taker: Option<&Taker<'_>>) -> Result<Found, ArchiveError> {
        let Some((content, film)) = finder.find(&self.filename) else {
            return Ok(Found::Nothing);
        };
        if content.bytes() == Some(0) {
            return Ok(Found::Nothing);
        }
        let take = || match &self.what {
            Wished::Other { than, .. } if is_any(&content, film.as_ref(), &self.filename, than)? => Ok(None),
            _ => match taker {
                Some(taker) => taker.take(&content, film.as_ref(), &self.filename).map(Some),
                None => looked_at(&content, film.as_ref()).map(Some),
            },
        };
        match take() {
            Ok(None) => Ok(Found::Same),
            Ok(Some((path, film, files))) => Ok(Found::Kept(Kept {
                rowid: self.rowid,
                what: self.what.clone(),
                original: self.original.as_ref().unwrap_or(&self.filename).clone(),
                path,
                film,
                files,
            })),
            Err(ArchiveError::Disk(DiskError::Read { path, source })) => {
                Ok(Found::Unreadable(path, source.to_string()))
            }
            Err(error) => Err(error),
        }
    }
}

type Taken = (String, Option<String>, Vec<KeptFile>);

fn is_any(
    content: &Content,
    film: Option<&Content>,
    filename: &str,
    paths: &[String],
) -> Result<bool, ArchiveError> {
    for path in paths {
        if is_there(content, film, filename, path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether these are the bytes that the archive has at `path`, or the picture of what it has with its film.
fn is_there(
    content: &Content,
    film: Option<&Content>,
    filename: &str,
    path: &str,
) -> Result<bool, ArchiveError> {
    // Another archive named them by what they are.
    if filename.strip_prefix(HOME) == Some(path) {
        return Ok(true);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let (picture, of_film) =
        stem.split_once('-').map_or((stem, None), |(picture, film)| (picture, Some(film)));
    if content.bytes().is_none() {
        let mut list = Sha256::new();
        for (inside, content) in parts(content)? {
            list_part(&mut list, &hash_of(&content)?, &inside);
        }
        return Ok(hexadecimal(&list.finalize()) == picture);
    }
    if hexadecimal(&hash_of(content)?) != picture {
        return Ok(false);
    }
    match film {
        Some(film) => Ok(of_film == Some(&*short(&hash_of(film)?))),
        None => Ok(true),
    }
}

fn hash_of(content: &Content) -> Result<[u8; 32], ArchiveError> {
    let reading = || DiskError::reading(content.path());
    let mut bytes = content.open().map_err(reading())?;
    Ok(hash_all(&mut bytes).map_err(reading())?.sha256)
}

/// What the name of a picture has of the hash of its film.
fn short(film: &[u8; 32]) -> String {
    hexadecimal(&film[..8])
}

/// A bundle is known by the hash of the list of its parts.
fn list_part(list: &mut Sha256, sha256: &[u8; 32], inside: &str) {
    list.update(format!("{} {inside}\n", hexadecimal(sha256)));
}

/// For a dry run: what would be taken, under no name.
fn looked_at(content: &Content, film: Option<&Content>) -> Result<Taken, ArchiveError> {
    let mut files = Vec::new();
    for (path, content) in parts(content)?.into_iter().chain(film.map(|film| (String::new(), film.clone()))) {
        files.push(KeptFile { path, bytes: content.bytes().unwrap_or(0), sha256: String::new() });
    }
    Ok((String::new(), film.map(|_| String::new()), files))
}

struct Taker<'a> {
    archive: &'a Path,
    source: SourceKind,
    unfinished: String,
}

impl Taker<'_> {
    fn take(&self, content: &Content, film: Option<&Content>, filename: &str) -> Result<Taken, ArchiveError> {
        if content.bytes().is_none() {
            return self.take_bundle(content, filename);
        }
        let picture = self.copy(content, "a")?;
        let mut stem = hexadecimal(&picture.sha256);
        let film = match film {
            Some(film) => Some((self.copy(film, "b")?, extension(&film.path().to_string_lossy()))),
            None => None,
        };
        if let Some((film, _)) = &film {
            stem.push('-');
            stem.push_str(&short(&film.sha256));
        }
        let mut files = Vec::new();
        let mut film_path = None;
        if let Some((film, extension)) = film {
            // Files of a device have no names of their own.
            let extension = if extension.is_empty() { ".mov".to_owned() } else { extension };
            film_path = Some(self.place("b", &stem, &extension, film, &mut files)?);
        }
        let path = self.place("a", &stem, &extension(filename), picture, &mut files)?;
        Ok((path, film_path, files))
    }

    fn waiting(&self, part: &str) -> PathBuf {
        self.archive.join(CONTENTS).join(format!("{}{part}", self.unfinished))
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
        stem: &str,
        extension: &str,
        copy: HashedCopy,
        files: &mut Vec<KeptFile>,
    ) -> Result<String, ArchiveError> {
        let path = self.name(stem, extension)?;
        let to = self.archive.join(&path);
        let waiting = self.waiting(part);
        // One that is there already is the same, or damaged.
        fs::rename(&waiting, &to).map_err(ArchiveError::writing(&to))?;
        // Two names of the same file stay as they are.
        let _ = fs::remove_file(&waiting);
        sync_folder(&to)?;
        files.push(KeptFile { path: path.clone(), bytes: copy.bytes, sha256: hexadecimal(&copy.sha256) });
        Ok(path)
    }

    fn name(&self, stem: &str, extension: &str) -> Result<String, ArchiveError> {
        let folder = format!("{CONTENTS}/{}", stem.get(..2).unwrap_or_default());
        private_folders(&self.archive.join(&folder))?;
        Ok(format!("{folder}/{stem}{extension}"))
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
        let path = self.name(&hexadecimal(&list.finalize()), &extension(filename))?;
        let to = self.archive.join(&path);
        if to.try_exists().map_err(ArchiveError::reading(&to))? {
            // The same, or damaged.
            fs::remove_dir_all(&to).map_err(ArchiveError::writing(&to))?;
        }
        fs::rename(&waiting, &to).map_err(ArchiveError::writing(&to))?;
        sync_folder(&to)?;
        for file in &mut files {
            file.path = format!("{path}/{}", file.path);
        }
        Ok((path, None, files))
    }
}

/// The files of a content by their paths in it, sorted; one without a path for what is no bundle. Links are none.
fn parts(content: &Content) -> Result<Vec<(String, Content)>, ArchiveError> {
    let mut parts = Vec::new();
    match content {
        Content::Bundle(bundle) => {
            let files = bundle.files().map_err(DiskError::reading(&bundle.path))?;
            parts.extend(files.into_iter().map(|file| (file.path, file.content)));
        }
        Content::Folder { path } => {
            list(path, "", &mut parts).map_err(DiskError::reading(path))?;
        }
        content => parts.push((String::new(), content.clone())),
    }
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(parts)
}

fn list(folder: &Path, below: &str, parts: &mut Vec<(String, Content)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name =
            name.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a name is no text"))?;
        let inside = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&entry.path(), &inside, parts)?;
        } else if kind.is_file() {
            let bytes = entry.metadata()?.len();
            parts.push((inside, Content::File { path: entry.path(), bytes }));
        }
    }
    Ok(())
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
