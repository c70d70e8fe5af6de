//! Whether what this program once wrote is still what it wrote: an archive, or an export.
//!
//! **Must never**: change what it looks at, or mend anything. (An archive gets a note of what was found, for its next
//! run.)

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::Value;

use crate::archive::{ArchiveError, check};
pub use crate::archive::{Checked, Findings, Lost, Problem, Unread};
use crate::disk::{MANIFEST, hash_all, hexadecimal, is_gone};
use crate::pipeline::Progress;
use crate::pipeline::crew::lock;

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("{} is neither an archive nor an export: it holds no archive.json and no {MANIFEST}", path.display())]
    Neither { path: std::path::PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: std::path::PathBuf, source: std::io::Error },
    #[error("interrupted")]
    Interrupted,
}

/// Verifies the archive or the export at `path`. `deep`: an archive's contents are read again, too; an export's files
/// always are.
///
/// # Errors
/// [`VerifyError`] where there is nothing to verify. Damage is no error but a finding, and so is a file that cannot be read.
pub fn verify(
    path: &Path,
    deep: bool,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Findings, VerifyError> {
    match check(path, deep, jobs, progress) {
        Err(ArchiveError::NotAnArchive { .. }) => {}
        done => return Ok(done?),
    }
    let manifest = path.join(MANIFEST);
    match fs::read(&manifest) {
        Ok(manifest) => export(path, &manifest, jobs, progress),
        Err(error) if is_gone(&error) => Err(VerifyError::Neither { path: path.to_owned() }),
        Err(source) => Err(VerifyError::Read { path: manifest, source }),
    }
}

struct Listed {
    path: String,
    bytes: Option<u64>,
    sha256: Option<String>,
}

/// Every file that the manifest lists, against its size and hash.
fn export(
    folder: &Path,
    manifest: &[u8],
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Findings, VerifyError> {
    progress.phase("Verifying");
    let problem = |kind, path: &str, what: String| Problem {
        kind,
        path: Some(path.to_owned()),
        guid: None,
        what,
        source: None,
        in_doubt: false,
        lost: false,
    };
    let value: Option<Value> = serde_json::from_slice(manifest).ok();
    let Some(files) = value.as_ref().and_then(|value| value.get("files")).and_then(Value::as_array) else {
        let damaged = problem("record", MANIFEST, "is damaged: it lists no files".into());
        return Ok(Findings { problems: vec![damaged], ..Findings::default() });
    };
    let mut problems = Vec::new();
    let mut listed = Vec::with_capacity(files.len());
    for file in files {
        let text = |key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
        match text("path").filter(|path| is_inside(path)) {
            Some(path) => listed.push(Listed {
                path,
                bytes: file.get("bytes").and_then(Value::as_u64),
                // A bundle has none.
                sha256: text("sha256").filter(|hash| !hash.is_empty()),
            }),
            None => {
                problems.push(problem("record", MANIFEST, "lists a file without a path in the export".into()))
            }
        }
    }
    let value = value.unwrap_or_default();
    if !balances(&value) {
        problems.push(problem("count", MANIFEST, "its account of rows does not balance".into()));
    }
    progress.begin(listed.len() as u64);
    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    let (found, unread) = (Mutex::new(problems), Mutex::new(Vec::new()));
    let work = || {
        while let Some(file) = listed.get(next.fetch_add(1, Ordering::Relaxed)) {
            if progress.interrupted() {
                return;
            }
            bytes.fetch_add(file.bytes.unwrap_or(0), Ordering::Relaxed);
            match file.check(folder) {
                Ok(None) => {}
                Ok(Some(what)) => lock(&found).push(problem("file", &file.path, what)),
                Err(error) => lock(&unread).push(Unread::of(&file.path, &error)),
            }
            progress.advance(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.max(1) {
            scope.spawn(work);
        }
        work();
    });
    if progress.interrupted() {
        return Err(VerifyError::Interrupted);
    }
    let (mut problems, mut unread) =
        (found.into_inner().unwrap_or_default(), unread.into_inner().unwrap_or_default());
    problems.sort();
    unread.sort();
    if !problems.is_empty() {
        // What is gone is gone, and not away with all the rest on a disk that was unplugged.
        let path = folder.join(MANIFEST);
        fs::symlink_metadata(&path).map_err(|source| VerifyError::Read { path, source })?;
    }
    let rows = value.pointer("/rows/read").and_then(Value::as_u64).unwrap_or(0);
    let checked = Checked { rows, contents: listed.len() as u64, bytes: bytes.into_inner(), runs: 1 };
    Ok(Findings { checked, problems, unread, ..Findings::default() })
}

impl Listed {
    /// What is wrong with it, if anything is.
    fn check(&self, folder: &Path) -> io::Result<Option<String>> {
        let path = folder.join(&self.path);
        let about = match fs::symlink_metadata(&path) {
            Err(error) if is_gone(&error) => return Ok(Some("is gone".into())),
            about => about?,
        };
        let Some(sha256) = &self.sha256 else {
            return Ok(None);
        };
        if !about.is_file() {
            return Ok(Some("is no file any more".into()));
        }
        if let Some(bytes) = self.bytes.filter(|bytes| *bytes != about.len()) {
            return Ok(Some(format!("has {} bytes instead of {bytes}", about.len())));
        }
        let is_other = hexadecimal(&hash_all(&mut File::open(&path)?)?.sha256) != *sha256;
        Ok(is_other.then(|| "has other bytes than were written".into()))
    }
}

/// A manifest that somebody else wrote names no file of this machine.
fn is_inside(path: &str) -> bool {
    path.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains(['\\', ':', '\0']))
}

fn balances(manifest: &Value) -> bool {
    let rows = |key: &str| {
        manifest.get("rows").and_then(|rows| rows.get(key)).and_then(Value::as_u64).map(i128::from)
    };
    let parts = ["messages", "tapbacks", "votes", "updates", "filtered", "duplicates", "failed"];
    let sum: i128 = parts.iter().filter_map(|part| rows(part)).sum();
    rows("read") == Some(sum)
}
