//! The work list of a library: what is only in iCloud now, and what became of what was listed before.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;

use super::Facts;
use crate::disk::{self, DiskError};
use crate::model::{Availability, Instant};
use crate::writers::work_list::{Counts, Item, Section, State, WorkList, html, table, text};

/// The files of a list; by the first it is known, and read again.
pub const FILES: [&str; 3] = ["only-in-icloud.csv", "only-in-icloud.txt", PAGE];
/// The one to look at.
const PAGE: &str = "only-in-icloud.html";

/// What was written.
#[derive(Debug, Clone)]
pub struct Listed {
    pub counts: Counts,
    /// The page to look at.
    pub page: PathBuf,
    /// All of its files.
    pub files: Vec<PathBuf>,
}

impl Listed {
    /// Of a list in a folder.
    pub fn of(list: &WorkList, folder: &Path) -> Listed {
        let files = FILES.map(|name| folder.join(name));
        Listed { counts: list.counts(), page: folder.join(PAGE), files: files.to_vec() }
    }
}

/// Why a list cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkListError {
    #[error("{} is no list that msgarchive made", path.display())]
    Foreign { path: PathBuf },
    #[error("cannot read the list {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot make the list")]
    Make(#[source] io::Error),
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The list in a folder; an empty one where there is none.
///
/// # Errors
/// [`WorkListError::Foreign`] where one of its files is somebody else's.
pub fn read(folder: &Path) -> Result<WorkList, WorkListError> {
    let read = |path: &Path| match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WorkListError::Read { path: path.to_owned(), source }),
    };
    let [rows, plain, page] = FILES.map(|name| folder.join(name));
    let list = match read(&rows)? {
        Some(bytes) => table::read(&bytes).ok_or(WorkListError::Foreign { path: rows })?,
        None => WorkList::default(),
    };
    for path in [plain, page] {
        let ours = read(&path)?.is_none_or(|bytes| {
            let start = bytes.get(..bytes.len().min(1000)).unwrap_or_default();
            String::from_utf8_lossy(start).contains(text::TITLE)
        });
        if !ours {
            return Err(WorkListError::Foreign { path });
        }
    }
    Ok(list)
}

/// Writes the list into a folder, which is made where there is none. `tool`: name and version of the program.
///
/// # Errors
/// What writing said.
pub fn write(list: &WorkList, folder: &Path, zone: Tz, tool: &str) -> Result<(), WorkListError> {
    let (mut rows, mut page) = (Vec::new(), Vec::new());
    table::write(list, zone, &mut rows).map_err(WorkListError::Make)?;
    html::write(list, zone, tool, &mut page).map_err(WorkListError::Make)?;
    let plain = text::text(list, zone, tool).into_bytes();
    // The one that is read again comes last: with it the list is whole.
    for (name, bytes) in FILES.iter().zip([rows, plain, page]).rev() {
        disk::replace(&folder.join(name), &bytes)?;
    }
    Ok(())
}

/// The GUIDs of what a list waits for, or waited for.
pub fn guids(list: &WorkList) -> HashSet<String> {
    let items = list.conversations.iter().flat_map(|section| &section.items);
    items.map(|item| item.guid.clone()).filter(|guid| !guid.is_empty()).collect()
}

/// What is only in iCloud now, and what became of what was listed before.
pub fn update(before: WorkList, facts: &Facts, now: Instant) -> WorkList {
    let mut list = WorkList::default();
    let mut open = HashSet::new();
    for (conversation, files) in &facts.kept_elsewhere {
        let in_icloud = files.iter().filter(|file| file.availability == Availability::InICloud);
        let items: Vec<Item> = in_icloud
            .map(|file| Item {
                guid: file.guid.clone().unwrap_or_default(),
                message: file.message.clone().unwrap_or_default(),
                date: file.date,
                name: file.name.clone().unwrap_or_default(),
                bytes: file.bytes,
                state: State::ToFetch,
            })
            .collect();
        open.extend(items.iter().map(|item| item.guid.clone()));
        if !items.is_empty() {
            list.conversations.push(Section {
                id: conversation.id.clone(),
                title: conversation.title.clone(),
                items,
            });
        }
    }
    let mut places: HashMap<String, usize> =
        list.conversations.iter().enumerate().map(|(at, section)| (section.id.clone(), at)).collect();
    for section in before.conversations {
        for mut item in section.items.into_iter().filter(|item| !open.contains(&item.guid)) {
            item.state = match (item.state, facts.arrived.contains(&item.guid)) {
                (State::Arrived(at), true) => State::Arrived(at),
                (State::Gone(at), false) => State::Gone(at),
                (_, true) => State::Arrived(now),
                (_, false) => State::Gone(now),
            };
            let place = *places.entry(section.id.clone()).or_insert_with(|| {
                let (id, title) = (section.id.clone(), section.title.clone());
                list.conversations.push(Section { id, title, items: Vec::new() });
                list.conversations.len() - 1
            });
            if let Some(section) = list.conversations.get_mut(place) {
                section.items.push(item);
            }
        }
    }
    list.sort();
    list
}
