//! Reading contents for their hashes, as fast as disks and cores allow; only where somebody asked for it.
//!
//! **Must never**: keep more of a content than its hash.

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::known_hashes::KnownHashes;
use crate::disk::hash_all;
use crate::pipeline::Progress;
use crate::pipeline::crew::lock;
use crate::source::Content;

/// SHA-256.
pub(super) type Hash = [u8; 32];

/// The hashes of contents, by their numbers. What cannot be read says why. A bundle has several files, and no hash: it
/// is left out.
pub(super) fn read(
    contents: &[(u32, &Content)],
    known: &mut KnownHashes,
    jobs: usize,
    progress: &dyn Progress,
) -> HashMap<u32, io::Result<Hash>> {
    let files = contents.iter().filter(|(_, content)| content.bytes().is_some());
    let files: Vec<(u32, &Content)> = files.copied().collect();
    progress.begin(files.len() as u64);
    progress.phase("Reading attachments");
    let next = AtomicUsize::new(0);
    let read: Mutex<(HashMap<u32, io::Result<Hash>>, &mut KnownHashes)> = Mutex::new((HashMap::new(), known));
    let work = || {
        while let Some((number, content)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if progress.interrupted() {
                return;
            }
            let key = KnownHashes::key(content);
            let remembered = key.and_then(|key| lock(&read).1.get(&key));
            let hash = match remembered {
                Some(hash) => Ok(hash),
                None => content.open().and_then(|mut bytes| hash_all(&mut bytes)).map(|copy| copy.sha256),
            };
            let mut read = lock(&read);
            if let (Some(key), Ok(hash)) = (key, &hash) {
                read.1.remember(key, *hash);
            }
            read.0.insert(*number, hash);
            drop(read);
            progress.advance(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.clamp(1, files.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let (hashes, _) = read.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    hashes
}
