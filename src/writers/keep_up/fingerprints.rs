//! The fingerprints of conversations: of everything that their files are made of.
//!
//! A message is hashed as its derived `Debug` shows it, which has every field that there is; whoever adds one to the
//! model need not think of this. The program's version is in it, too: another one may write the same messages otherwise.
//!
//! **Must never**: be read by anything but this program in the same version; open an attachment.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use crate::disk::{FileRecord, hexadecimal};
use crate::model::{Conversation, Message};
use crate::pipeline::crew::lock;
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};
use crate::source::SourceInfo;
use crate::writers::export::ExportRequest;
use crate::writers::{WriterOptions, mistaken};

/// Changes with what goes into a fingerprint beside the messages, and where the same version of the program comes to write the
/// same messages otherwise.
const VERSION: u32 = 2;

/// What is the same for all conversations of an export, and decides how their files look.
pub fn salt(request: &ExportRequest, source: &SourceInfo) -> [u8; 32] {
    let WriterOptions {
        zone,
        me,
        tool,
        jobs: _,
        excel,
        document,
        font_dirs,
        system_fonts,
        provenance: _,
        pdf,
        derived: _,
    } = &request.writer;
    let formats: Vec<&str> = request.formats.iter().map(|format| format.name).collect();
    let looks = (zone, me, tool, excel, document, font_dirs, system_fonts, pdf);
    let asked = (&formats, request.attachments, &request.selection, &request.options);
    // What a cover says of where it comes from.
    let lost = source.lost_anywhere();
    let origin =
        (source.kind, &source.path, &source.schema_version, &source.keep_messages, &source.backup, lost);
    Sha256::digest(format!("{VERSION} {looks:?} {asked:?} {origin:?}")).into()
}

/// What was found out about a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Lower-case hexadecimal.
    pub fingerprint: String,
    /// Its messages among those that were asked for, by GUID.
    pub met: Vec<String>,
}

/// Takes the fingerprints of all conversations that a run reads.
#[derive(Debug, Clone)]
pub struct Fingerprints(Arc<State>);

#[derive(Debug)]
struct State {
    salt: [u8; 32],
    asked_for: HashSet<String>,
    found: Mutex<BTreeMap<String, Found>>,
}

impl Fingerprints {
    /// `asked_for`: messages of which is to be known which conversation they are in, by GUID.
    pub fn new(salt: [u8; 32], asked_for: HashSet<String>) -> Fingerprints {
        Fingerprints(Arc::new(State { salt, asked_for, found: Mutex::default() }))
    }

    /// What the run is to write with.
    pub fn writer(&self) -> Box<dyn Writer> {
        Box::new(self.clone())
    }

    /// By the conversations' ids.
    pub fn found(&self) -> BTreeMap<String, Found> {
        std::mem::take(&mut *lock(&self.0.found))
    }
}

struct Window {
    hash: [u8; 32],
    met: Vec<String>,
}

impl Writer for Fingerprints {
    fn shows_facts(&self) -> bool {
        // They follow from the bytes, and those from where these lie.
        false
    }

    fn begin<'w>(&'w self, _: &'w Conversation) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        let hash = Sha256::new_with_prefix(self.0.salt);
        Ok(Box::new(Taking { state: &self.0, hash, met: Vec::new() }))
    }

    fn prepare(&self, _: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError> {
        let mut hash = Sha256::new();
        let mut text = String::new();
        for message in messages {
            text.clear();
            // A string takes everything.
            let _ = write!(text, "{message:?}");
            hash.update(&text);
        }
        let guids = messages.iter().filter_map(|message| message.guid.as_ref());
        let met = guids.filter(|guid| self.0.asked_for.contains(*guid)).cloned().collect();
        Ok(Box::new(Window { hash: hash.finalize().into(), met }))
    }

    fn finish(&self, _: &[Finished]) -> Result<Vec<FileRecord>, WriteError> {
        Ok(Vec::new())
    }
}

/// The fingerprint of one conversation.
struct Taking<'s> {
    state: &'s State,
    hash: Sha256,
    met: Vec<String>,
}

impl ConversationWriter for Taking<'_> {
    fn append(&mut self, prepared: Prepared) -> Result<(), WriteError> {
        let window = prepared.downcast::<Window>().map_err(|_| mistaken("a fingerprint"))?;
        self.hash.update(window.hash);
        self.met.extend(window.met);
        Ok(())
    }

    fn finish(self: Box<Self>, done: &Finished) -> Result<Vec<FileRecord>, WriteError> {
        let Taking { state, mut hash, met } = *self;
        hash.update(format!("{done:?}"));
        let found = Found { fingerprint: hexadecimal(&hash.finalize()), met };
        lock(&state.found).insert(done.conversation.id.clone(), found);
        Ok(Vec::new())
    }
}
