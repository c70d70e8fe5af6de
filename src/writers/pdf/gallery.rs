//! The pictures of a run: each file is looked at once, by a few workers of their own, before its message is laid out.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use rayon::ThreadPoolBuildError;
use sha2::{Digest as _, Sha256};

use super::delivery::{self, Spawn};
use super::image::{Picture, Undrawable};
use crate::model::{Attachment, Availability, Bytes, Message, ReadSeek, TapbackKind};
use crate::pipeline::crew::lock;
use crate::pipeline::{DEFECTS_KEPT, Defect};
use crate::writers::derived::Derived;
use crate::writers::phrase;

/// More do not help: what they may hold together is as much as three photos take. And the memory that a worker has let go
/// of is not all given back.
const WORKERS: usize = 4;
/// So many files are remembered by what is in them.
const KNOWN: usize = 4_096;

type Look = Result<Arc<Picture>, Undrawable>;

/// Pictures by the names of their bytes.
pub struct Gallery {
    derived: Arc<Derived>,
    /// Pixels of the longer side, at most.
    edge: Option<u32>,
    workers: Spawn,
    known: Mutex<HashMap<PathBuf, Look>>,
    defects: Mutex<(BTreeSet<Defect>, u64)>,
    /// Conversations with pictures that could not be read, by id.
    unread: Mutex<BTreeSet<String>>,
}

impl Gallery {
    /// `jobs`: at most so many pictures at a time.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn new(
        derived: Arc<Derived>,
        edge: Option<u32>,
        jobs: usize,
    ) -> Result<Gallery, ThreadPoolBuildError> {
        let workers = delivery::workers(jobs.min(WORKERS))?;
        Ok(Gallery {
            derived,
            edge,
            workers,
            known: Mutex::default(),
            defects: Mutex::default(),
            unread: Mutex::default(),
        })
    }

    /// The picture of an attachment, looked at now if it was not before.
    pub fn picture(&self, attachment: &Attachment) -> Look {
        match content(attachment) {
            Some(content) => self.look(content, attachment.sha256.as_deref()),
            None => Err(Undrawable::OtherKind),
        }
    }

    /// A picture whose file is not on the disk, but here.
    pub fn inline(&self, bytes: &[u8]) -> Look {
        let path = self.derived.get(&Sha256::digest(bytes).into(), "inline", || Ok(bytes.to_vec()))?;
        self.look(&(Arc::new(DerivedFile(path)) as Arc<dyn Bytes>), None)
    }

    /// `hash`: the SHA-256 of the content, where it is known.
    fn look(&self, content: &Arc<dyn Bytes>, hash: Option<&str>) -> Look {
        let name = content.name();
        if let Some(known) = lock(&self.known).get(&*name) {
            return known.clone();
        }
        let found = Picture::inspect(content, hash, self.edge, &self.derived).map(Arc::new);
        let mut known = lock(&self.known);
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(name.into_owned(), found.clone());
        found
    }

    /// Looks at all that these messages of a conversation show, several at a time, and notes what is damaged. Laying out
    /// finds it done.
    pub fn look_at(self: &Arc<Self>, conversation: &str, messages: &[Message]) {
        let contents: HashMap<_, _> = messages
            .iter()
            .flat_map(shown)
            .filter_map(|attachment| {
                let content = content(attachment)?;
                Some((content.name(), (content, attachment.sha256.as_deref())))
            })
            .collect();
        let (done, outcomes) = channel();
        for (content, hash) in contents.into_values() {
            let (gallery, content, done) = (self.clone(), content.clone(), done.clone());
            let hash = hash.map(str::to_owned);
            (self.workers)(Box::new(move || {
                let _ = gallery.look(&content, hash.as_deref());
                let _ = done.send(());
            }));
        }
        drop(done);
        outcomes.into_iter().for_each(|()| {});
        for message in messages {
            for attachment in message.attachments.iter().filter(|attachment| !attachment.hidden) {
                if let Err(why @ (Undrawable::Damaged(_) | Undrawable::Unreadable)) = self.picture(attachment)
                {
                    if why == Undrawable::Unreadable {
                        lock(&self.unread).insert(conversation.to_owned());
                    }
                    let what = why.words().unwrap_or_default();
                    let name = attachment.name.as_deref().unwrap_or("an attachment");
                    let what = format!("{}: {what}", phrase::one_line(name));
                    self.defect(Defect { guid: message.guid.clone(), what });
                }
            }
        }
    }

    /// Which are kept must not depend on who came first: the first in order.
    fn defect(&self, defect: Defect) {
        let mut defects = lock(&self.defects);
        defects.1 += 1;
        defects.0.insert(defect);
        if defects.0.len() > DEFECTS_KEPT {
            defects.0.pop_last();
        }
    }

    /// What was damaged, in order, and how often anything was.
    pub fn defects(&self) -> (Vec<Defect>, u64) {
        let defects = lock(&self.defects);
        (defects.0.iter().cloned().collect(), defects.1)
    }

    /// Conversations with pictures that could not be read, by id.
    pub fn unread(&self) -> BTreeSet<String> {
        lock(&self.unread).clone()
    }
}

/// The bytes of an attachment that is here.
fn content(attachment: &Attachment) -> Option<&Arc<dyn Bytes>> {
    attachment.content.as_ref().filter(|_| attachment.availability == Availability::Local)
}

/// What was in a payload, as a file of this run.
#[derive(Debug)]
struct DerivedFile(PathBuf);

impl Bytes for DerivedFile {
    fn name(&self) -> Cow<'_, Path> {
        Cow::Borrowed(&self.0)
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

/// Everything of a message that may be a picture.
fn shown(message: &Message) -> impl Iterator<Item = &Attachment> {
    let stickers = message.tapbacks.iter().filter_map(|tapback| match &tapback.kind {
        TapbackKind::Sticker(sticker) => sticker.as_deref(),
        _ => None,
    });
    message.attachments.iter().chain(stickers)
}
