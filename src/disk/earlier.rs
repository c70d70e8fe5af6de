//! What earlier runs left in the export folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    DiskError, FileRecord, PLAN, create_file, folded, hash_file, hexadecimal, is_hidden_folder, is_inside,
};

/// The file that lists an export's files; it is published last.
pub const MANIFEST: &str = "manifest.json";

/// No export is deeper, and no folder this deep is looked into.
const DEEPEST: usize = 64;

/// The files that are ours to replace.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    files: BTreeMap<String, FileRecord>,
    /// [`folded`] path → path.
    by_folded: BTreeMap<String, String>,
    /// Taken from the plans of killed runs: no manifest lists them.
    inherited: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    tool: String,
    files: Vec<Listed>,
    #[serde(default)]
    kept: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    bytes: u64,
    sha256: String,
}

impl Earlier {
    /// What the manifest in `out` lists, and what the runs that left `leftovers` had begun to publish.
    pub(super) fn read(out: &Path, leftovers: &[PathBuf]) -> Result<Earlier, DiskError> {
        let mut earlier = Earlier::default();
        let manifest = out.join(MANIFEST);
        if is_file(&manifest) {
            let text = fs::read(&manifest).map_err(DiskError::reading(&manifest))?;
            // Anything else of this name is somebody's own, and foreign.
            if let Ok(read) = serde_json::from_slice::<Manifest>(&text)
                && read.tool.starts_with("msgarchive ")
            {
                for Listed { path, bytes, sha256 } in read.kept.into_iter().chain(read.files) {
                    earlier.add(FileRecord { path, bytes, sha256 });
                }
                earlier.add(FileRecord {
                    path: MANIFEST.to_owned(),
                    bytes: text.len() as u64,
                    sha256: String::new(),
                });
            }
        }
        for leftover in leftovers {
            let plan: Vec<String> = fs::read(leftover.join(PLAN))
                .ok()
                .and_then(|text| serde_json::from_slice(&text).ok())
                .unwrap_or_default();
            for path in plan.into_iter().filter(|p| is_inside(p)) {
                // Which of its two states it is in, only the file itself can say.
                let place = out.join(&path);
                if is_file(&place) {
                    let copy = hash_file(&place)?;
                    earlier.inherited.push(path.clone());
                    earlier.add(FileRecord { path, bytes: copy.bytes, sha256: hexadecimal(&copy.sha256) });
                }
            }
        }
        Ok(earlier)
    }

    fn add(&mut self, record: FileRecord) {
        if is_inside(&record.path) {
            self.by_folded.insert(folded(&record.path), record.path.clone());
            self.files.insert(record.path.clone(), record);
        }
    }

    /// Writes down what was inherited, so that it stays known if this run is killed too.
    pub(super) fn hand_on(&self, plan: &Path) -> Result<(), DiskError> {
        if self.inherited.is_empty() { Ok(()) } else { self.write_plan(plan, &[]) }
    }

    /// Writes down what is about to be published.
    pub(super) fn write_plan(&self, plan: &Path, paths: &[String]) -> Result<(), DiskError> {
        let all: Vec<&String> = self.inherited.iter().chain(paths).collect();
        let text = serde_json::to_vec(&all).map_err(|e| DiskError::writing(plan)(e.into()))?;
        let _ = fs::remove_file(plan);
        let mut file = create_file(plan)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(DiskError::writing(plan))
    }

    /// True when what lies at `relative` in `out` was written by this tool.
    pub(super) fn wrote(&self, out: &Path, relative: &str) -> bool {
        if self.files.contains_key(relative) {
            return true;
        }
        // A title whose case changed is the same file only where the file system says so.
        self.by_folded
            .get(&folded(relative))
            .is_some_and(|other| is_same_file(&out.join(other), &out.join(relative)))
    }

    /// The files of earlier runs that are still there and that `written` does not replace, by path.
    pub(super) fn kept(&self, out: &Path, written: &[FileRecord]) -> Vec<FileRecord> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let replaced: HashMap<String, &str> =
            written.iter().map(|f| (folded(&f.path), f.path.as_str())).collect();
        let folders: HashSet<&str> = written.iter().flat_map(|f| parents(&f.path)).collect();
        self.files
            .values()
            .filter(|f| f.path != MANIFEST && is_file(&out.join(&f.path)))
            .filter(|f| match replaced.get(&folded(&f.path)) {
                Some(new) => *new != f.path && !is_same_file(&out.join(new), &out.join(&f.path)),
                // A file that becomes a folder, or a folder that becomes a file.
                None => {
                    !folders.contains(f.path.as_str())
                        && !parents(&f.path).any(|p| replaced.contains_key(&folded(p)))
                }
            })
            .cloned()
            .collect()
    }

    /// The first file in `out` that is not ours.
    pub(super) fn first_foreign(&self, out: &Path) -> Result<Option<String>, DiskError> {
        self.foreign_below(out, "", 0)
    }

    /// The first file below `relative` that is not ours; `""` is `out` itself.
    pub(super) fn foreign_below(
        &self,
        out: &Path,
        relative: &str,
        depth: usize,
    ) -> Result<Option<String>, DiskError> {
        let folder = out.join(relative);
        let mut entries = fs::read_dir(&folder)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(DiskError::reading(&folder))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = if relative.is_empty() { name.to_string() } else { format!("{relative}/{name}") };
            let is_folder = entry.file_type().map_err(DiskError::reading(entry.path()))?.is_dir();
            let foreign = if depth == 0 && is_hidden_folder(&entry) {
                None
            } else if is_folder && depth < DEEPEST {
                self.foreign_below(out, &path, depth + 1)?
            } else if is_folder || !(is_litter(&name) || self.wrote(out, &path)) {
                Some(path)
            } else {
                None
            };
            if foreign.is_some() {
                return Ok(foreign);
            }
        }
        Ok(None)
    }
}

/// What file managers leave in every folder they show.
pub fn is_litter(name: &str) -> bool {
    matches!(name, ".DS_Store" | ".localized" | "Thumbs.db" | "desktop.ini") || name.starts_with("._")
}

/// The folders that a file lies in, outermost first.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

/// A file, and no symbolic link to one.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_file())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
