//! Telling contents apart: two attachments may have the same bytes.

use std::collections::{HashMap, HashSet};

use super::items::{Item, Items, Reference};
use super::known_hashes::KnownHashes;
use super::reading::{self, Hash};
use crate::pipeline::Progress;
use crate::source::Content;

/// What was read to tell contents apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    pub files: u64,
    pub bytes: u64,
    /// Files that could not be read: as those that are not here, they may be like any other of their size.
    pub unreadable: u64,
}

/// Which contents there are: as far as nobody read them, two of one size may be the same.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Of attachments that were read, or need not be.
    known: HashMap<u32, ContentKey>,
}

/// What tells a content from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ContentKey {
    Hash(Hash),
    /// Of this attachment alone: no other content that is here has its size.
    Own(u32),
    /// Not read, and perhaps not here.
    Size(u64),
}

impl ContentKey {
    pub fn is_known(self) -> bool {
        !matches!(self, ContentKey::Size(_))
    }
}

impl Contents {
    /// Tells the contents that are here apart. Those that no other has the size of are not read.
    pub fn read(
        items: &Items,
        known: &mut KnownHashes,
        jobs: usize,
        progress: &dyn Progress,
    ) -> (Contents, Read) {
        let here = || {
            items.contents.iter().filter_map(|(number, content)| Some((*number, content, content.bytes()?)))
        };
        let mut sizes: HashMap<u64, u32> = HashMap::new();
        here().for_each(|(_, _, bytes)| *sizes.entry(bytes).or_default() += 1);
        let mut contents = Contents::default();
        let mut wanted = Vec::new();
        for (number, content, bytes) in here().filter(|(_, _, bytes)| *bytes > 0) {
            match sizes.get(&bytes) {
                Some(1) => {
                    contents.known.insert(number, ContentKey::Own(number));
                }
                _ => wanted.push((number, content)),
            }
        }
        // In the order of the rows, which is that of the disk at best.
        wanted.sort_by_key(|(number, _)| *number);
        let mut read = Read::default();
        for (number, hash) in reading::read(&wanted, known, jobs, progress) {
            match hash {
                Ok(hash) => {
                    read.files += 1;
                    read.bytes += items.contents.get(&number).and_then(Content::bytes).unwrap_or(0);
                    contents.known.insert(number, ContentKey::Hash(hash));
                }
                Err(_) => read.unreadable += 1,
            }
        }
        (contents, read)
    }

    pub fn key(&self, number: u32, item: &Item) -> ContentKey {
        self.known.get(&number).copied().unwrap_or(ContentKey::Size(item.bytes))
    }

    /// The references that the lower figure counts, as places in `items.references`: of each content the first that is
    /// shown, synchronized and not deleted.
    pub fn counted(&self, items: &Items) -> HashSet<usize> {
        let mut seen = HashSet::new();
        let mut sizes = HashSet::new();
        let mut counted = HashSet::new();
        // What is known first: what was not read may be one of them.
        for known in [true, false] {
            for (place, reference) in items.references.iter().enumerate() {
                let Some(item) = items.of(reference) else { continue };
                let key = self.key(reference.item, item);
                if key.is_known() != known || !is_counted(item, reference) {
                    continue;
                }
                let new = (known || !sizes.contains(&item.bytes)) && seen.insert(key);
                if known {
                    sizes.insert(item.bytes);
                }
                if new {
                    counted.insert(place);
                }
            }
        }
        counted
    }
}

/// In the lower figure, if no other has the same content.
pub(super) fn is_counted(item: &Item, reference: &Reference) -> bool {
    !item.hidden && !reference.deleted && item.synced != Some(false)
}
