//! What earlier runs left in the export folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    DiskError, FileRecord, PLAN, create_file, folded, hash_file, hexadecimal, is_hidden_folder, is_inside,
};

/// The file that lists an export's files; it is published last.
pub const MANIFEST: &str = "manifest.json";

/// No export is deeper, and no folder this deep is looked into.
const DEEPEST: usize = 64;

/// What becomes of a folder that holds files which this tool did not write. They are never touched, either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Others {
    /// It is refused.
    #[default]
    Refused,
    /// It is refused unless an export is there already: whoever put them beside that must not stop it from being kept up.
    BesideAnExport,
    /// It is written into.
    Allowed,
}

/// Files in an export folder that this tool did not write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OthersFiles {
    /// A folder that cannot be looked into counts as one.
    pub count: u64,
    /// The first one's path, with `/`; empty where there is none.
    pub first: String,
}

impl OthersFiles {
    /// Those in this export folder, which no run is writing into or was killed in.
    ///
    /// # Errors
    /// [`DiskError::Read`].
    pub fn beside(out: &Path) -> Result<OthersFiles, DiskError> {
        Earlier::read(out, &[])?.others(out)
    }
}

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

    /// Whether an export is there, or the beginning of one.
    pub(super) fn is_export(&self) -> bool {
        !self.files.is_empty()
    }

    /// Refuses a folder for what others have in it.
    ///
    /// # Errors
    /// [`DiskError::Foreign`] or [`DiskError::NoExport`]; [`DiskError::Read`].
    pub(super) fn check_others(&self, out: &Path, others: Others) -> Result<(), DiskError> {
        let refused: fn(PathBuf, String) -> DiskError = match others {
            Others::Allowed => return Ok(()),
            Others::BesideAnExport if self.is_export() => return Ok(()),
            Others::BesideAnExport => |folder, path| DiskError::NoExport { folder, path },
            Others::Refused => |folder, path| DiskError::Foreign { folder, path },
        };
        match self.first_foreign_below(out, "", 0)? {
            Some(path) => Err(refused(out.to_owned(), path)),
            None => Ok(()),
        }
    }

    /// The first file below `relative` that is not ours; `""` is `out` itself.
    pub(super) fn first_foreign_below(
        &self,
        out: &Path,
        relative: &str,
        depth: usize,
    ) -> Result<Option<String>, DiskError> {
        Ok(match self.foreign_below(out, relative, depth, &mut ControlFlow::Break)? {
            ControlFlow::Break(path) => Some(path),
            ControlFlow::Continue(()) => None,
        })
    }

    /// All that is not ours.
    pub(super) fn others(&self, out: &Path) -> Result<OthersFiles, DiskError> {
        let mut others = OthersFiles::default();
        // It never has enough.
        let _ = self.foreign_below(out, "", 0, &mut |path| {
            if others.count == 0 {
                others.first = path;
            }
            others.count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(others)
    }

    /// Every file below `relative` that is not ours, by name, until one is enough.
    fn foreign_below(
        &self,
        out: &Path,
        relative: &str,
        depth: usize,
        each: &mut impl FnMut(String) -> ControlFlow<String>,
    ) -> Result<ControlFlow<String>, DiskError> {
        let folder = out.join(relative);
        let entries = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            // Such as those that systems have at the top of a disk.
            Err(_) if depth > 0 && !self.wrote_below(relative) => return Ok(each(relative.to_owned())),
            entries => entries.map_err(DiskError::reading(&folder))?,
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = if relative.is_empty() { name.to_string() } else { format!("{relative}/{name}") };
            let is_folder = entry.file_type().map_err(DiskError::reading(entry.path()))?.is_dir();
            let flow = if depth == 0 && is_hidden_folder(&entry) {
                ControlFlow::Continue(())
            } else if is_folder && depth < DEEPEST {
                self.foreign_below(out, &path, depth + 1, each)?
            } else if is_folder || !(is_litter(&name) || self.wrote(out, &path)) {
                each(path)
            } else {
                ControlFlow::Continue(())
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// True when this tool wrote something that lies in this folder.
    fn wrote_below(&self, relative: &str) -> bool {
        let within = format!("{relative}/");
        self.files.range(within.clone()..).next().is_some_and(|(path, _)| path.starts_with(&within))
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
