//! What is there of an export, and what has to be done about it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

use super::conversation_of;
use super::fingerprints::Found;
use crate::disk::{FileRecord, MANIFEST, hash_file, hexadecimal};
use crate::pipeline::Defect;

/// What `manifest.json` says of the export as it was left. Nothing, where it was not kept up, or is not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// By conversation. `None`: it was not kept up.
    fingerprints: Option<HashMap<String, String>>,
    files: Vec<FileRecord>,
    defects: Vec<Defect>,
    /// When the manifest was written, the last file of all.
    completed: Option<SystemTime>,
}

#[derive(Deserialize)]
struct Manifest {
    files: Vec<ListedFile>,
    #[serde(default)]
    defects: Vec<ListedDefect>,
    fingerprints: Vec<ListedFingerprint>,
}

#[derive(Deserialize)]
struct ListedFile {
    path: String,
    bytes: u64,
    sha256: String,
}

#[derive(Deserialize)]
struct ListedDefect {
    guid: Option<String>,
    what: String,
}

#[derive(Deserialize)]
struct ListedFingerprint {
    conversation: String,
    sha256: String,
}

impl Earlier {
    /// A manifest that cannot be read, or is of another kind, says nothing: all is written anew then.
    pub fn read(out: &Path) -> Earlier {
        let manifest = fs::read(out.join(MANIFEST)).ok();
        let completed = fs::metadata(out.join(MANIFEST)).and_then(|about| about.modified()).ok();
        let Some(manifest) = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok()) else {
            return Earlier::default();
        };
        let fingerprints = manifest.fingerprints.into_iter().map(|f| (f.conversation, f.sha256));
        let files = manifest.files.into_iter();
        let defects = manifest.defects.into_iter();
        Earlier {
            fingerprints: Some(fingerprints.collect()),
            files: files.map(|f| FileRecord { path: f.path, bytes: f.bytes, sha256: f.sha256 }).collect(),
            defects: defects.map(|d| Defect { guid: d.guid, what: d.what }).collect(),
            completed,
        }
    }

    /// It is as it was written: as large, and not touched since or the same to the last byte.
    fn has(&self, out: &Path, file: &FileRecord) -> bool {
        let path = out.join(&file.path);
        let is_inside = file.path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        let Some(about) = fs::symlink_metadata(&path).ok().filter(|about| is_inside && about.is_file())
        else {
            return false;
        };
        let is_older = about.modified().ok() <= self.completed;
        let is_same = || hash_file(&path).is_ok_and(|copy| hexadecimal(&copy.sha256) == file.sha256);
        about.len() == file.bytes && (is_older || is_same())
    }

    /// What it consists of.
    pub fn files(&self) -> &[FileRecord] {
        &self.files
    }

    /// Messages that something was wrong with.
    pub fn guids_with_defects(&self) -> HashSet<String> {
        self.defects.iter().filter_map(|defect| defect.guid.clone()).collect()
    }

    /// Of the files that would stay beside the export, those that it consisted of and does no more.
    pub fn stale(&self, staying: &[FileRecord]) -> Vec<String> {
        let own: HashSet<&str> = self.files.iter().map(|file| &*file.path).collect();
        staying.iter().map(|file| &file.path).filter(|path| own.contains(&***path)).cloned().collect()
    }
}

/// What has to be done.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Conversations that are to be written, by id.
    pub changed: HashSet<&'a str>,
    /// The files of all others.
    pub kept: Vec<FileRecord>,
    /// What only writing those others had found to be wrong in them.
    pub defects: Vec<Defect>,
    /// Nothing but conversations is to be written anew, either.
    is_complete: bool,
}

impl<'a> Plan<'a> {
    /// `found`: all conversations as they are now.
    pub fn of(earlier: &Earlier, found: &'a BTreeMap<String, Found>, out: &Path) -> Plan<'a> {
        let mut files: HashMap<Option<&str>, Vec<&FileRecord>> = HashMap::new();
        for file in &earlier.files {
            files.entry(conversation_of(file)).or_default().push(file);
        }
        let fingerprints = earlier.fingerprints.as_ref();
        let is_kept = |(id, found): &(&'a String, &'a Found)| {
            let fingerprint = fingerprints.and_then(|fingerprints| fingerprints.get(*id));
            let files = files.get(&Some(id.as_str()));
            fingerprint == Some(&found.fingerprint)
                && files.is_some_and(|files| files.iter().all(|file| earlier.has(out, file)))
        };
        let (kept, changed): (Vec<_>, Vec<_>) = found.iter().partition(is_kept);
        let of_all = files.get(&None).into_iter().flatten();
        let is_complete = fingerprints
            .is_some_and(|fingerprints| fingerprints.keys().all(|id| found.contains_key(id)))
            && of_all.into_iter().all(|file| earlier.has(out, file));
        let met: HashSet<&str> = kept.iter().flat_map(|(_, found)| &found.met).map(String::as_str).collect();
        let is_met = |defect: &&Defect| defect.guid.as_deref().is_some_and(|guid| met.contains(guid));
        Plan {
            changed: changed.into_iter().map(|(id, _)| id.as_str()).collect(),
            kept: kept
                .iter()
                .filter_map(|(id, _)| files.get(&Some(id.as_str())))
                .flatten()
                .map(|file| (*file).clone())
                .collect(),
            defects: earlier.defects.iter().filter(is_met).cloned().collect(),
            is_complete,
        }
    }

    /// All is as it should be.
    pub fn is_nothing(&self) -> bool {
        self.changed.is_empty() && self.is_complete
    }
}
