//! Files beside an export, by the paths in its lines.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::is_inside;
use crate::source::{Content, OutOfReach};

/// The folder that such paths begin at.
#[derive(Debug, Clone)]
pub struct Files {
    /// Without links; `None` where there is no such folder.
    root: Option<PathBuf>,
}

impl Files {
    pub fn below(root: &Path) -> Files {
        Files { root: root.canonicalize().ok() }
    }

    /// What lies at a path, where that is inside the folder, whatever links there are.
    pub fn find(&self, relative: &str) -> Option<Content> {
        let root = self.root.as_deref()?;
        if !is_inside(relative) {
            return None;
        }
        let path = root.join(relative);
        let looked = path.canonicalize().and_then(|path| Ok((fs::metadata(&path)?, path)));
        let (about, path) = match looked {
            Ok((about, path)) if path.starts_with(root) => (about, path),
            Ok(_) => return None,
            Err(error) => return OutOfReach::because(&path, &error).map(Content::OutOfReach),
        };
        match (about.is_file(), about.is_dir()) {
            (true, _) => Some(Content::File { path, bytes: about.len() }),
            (_, true) => Some(Content::Folder { path }),
            _ => None,
        }
    }
}
