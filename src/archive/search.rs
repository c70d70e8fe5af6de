//! Full-text search: which messages say what is looked for, or once said it.
//!
//! **Must never**: believe the index about what a message says; that is read from the archive.

mod unfound;

use std::path::Path;

use rusqlite::{Connection, params};

pub use self::unfound::{Instead, Unfound};

use super::ArchiveError;
use super::conversations::Conversations;
use super::folder::Folder;
use super::index::Index;
pub use super::index::Word;
use super::index::matching;
use super::newest::newest_first;
use super::open::look_at;
use super::said::Saying;
use super::wanted::Wanted;
use crate::model::{Message, MessageKind};
use crate::pipeline::Shown;
use crate::pipeline::decode::date::instant;
use crate::pipeline::select::Selection;
use crate::source::apple_date;
use crate::source::contacts::cards;

/// What to look for, and where.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Words that all have to be there; `\"…\"` for a phrase.
    pub text: String,
    /// Which of them; by what the archive shows now.
    pub selection: Selection,
    /// Only what was sent (`true`) or received.
    pub from_me: Option<bool>,
    /// At most so many, the newest first.
    pub limit: usize,
    /// Messages shown before and after each.
    pub context: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The newest first.
    pub hits: Vec<Hit>,
    /// How many there are in all; `None`: more than these, and too many to be counted in no time.
    pub total: Option<u64>,
    /// Where nothing was found.
    pub unfound: Option<Unfound>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub message: Message,
    /// Id and title.
    pub conversation: Option<(String, String)>,
    /// What it said once and says no more, oldest first: before it was edited or unsent.
    pub once: Vec<String>,
    pub before: Vec<Message>,
    pub after: Vec<Message>,
}

/// So many are looked at to be counted, beyond those that are shown.
const COUNTED: usize = 5000;
/// So many rows are looked at for a message beside another one: what people tapped on it lies between.
const BESIDE: i64 = 200;

/// The messages that say, or once said, all of the words: the newest first.
///
/// # Errors
/// [`ArchiveError::NoWord`]; [`ArchiveError`], also where there is no index and none can be made.
pub fn search(path: &Path, query: &Query) -> Result<Found, ArchiveError> {
    let folder = Folder::open(path)?;
    let words = matching(&query.text).ok_or_else(|| ArchiveError::NoWord { typed: query.text.clone() })?;
    let index = Index::of(&folder)?;
    let connection = look_at(&folder)?;
    let failed = || ArchiveError::database(folder.database());
    // What the index finds takes as long as to learn which conversations there are.
    let ((found, index), known) = std::thread::scope(|scope| {
        let words = &words;
        let found = scope.spawn(move || (index.find(words), index));
        let known = cards(&connection).and_then(|cards| Conversations::read(&connection, &cards));
        (found.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), known)
    });
    let conversations = known.map_err(failed())?;
    let wanted = Wanted::of(query, &conversations)?;
    let (found, index) = match found {
        // By a page that is read only now.
        Err(ArchiveError::Damaged { .. }) => {
            let index = Index::made_anew(&folder)?;
            (index.find(&words)?, index)
        }
        found => (found?, index),
    };
    let find = |wanted: &Wanted, found: Vec<i64>| -> rusqlite::Result<Found> {
        let saying = Saying::of(&connection, folder.path(), &conversations)?;
        Finder { connection: &connection, conversations: &conversations, wanted, saying }.find(found)
    };
    let mut found = find(&wanted, found).map_err(failed())?;
    if found.hits.is_empty() {
        let unfiltered = Query { limit: 1, ..Query::default() };
        let all = Wanted::of(&unfiltered, &conversations)?;
        let total = match wanted.is_everything() {
            true => None,
            false => find(&all, index.find(&words)?).map_err(failed())?.total,
        };
        let instead = match total.unwrap_or(0) {
            0 => unfound::instead(&index, &query.text)?,
            messages => Some(Instead::Unfiltered(messages)),
        };
        let there = unfound::there(&connection, &conversations).map_err(failed())?;
        found.unfound = Some(Unfound { instead, ..there });
    }
    Ok(found)
}

/// Makes hits of what the index found.
struct Finder<'a> {
    connection: &'a Connection,
    conversations: &'a Conversations,
    wanted: &'a Wanted<'a>,
    saying: Saying<'a>,
}

impl Finder<'_> {
    fn find(&self, found: Vec<i64>) -> rusqlite::Result<Found> {
        let Query { selection, limit, .. } = self.wanted.query;
        let all = found.len() as u64;
        let mut hits = Vec::new();
        let (mut others, mut looked_at, mut is_counted) = (0, 0, true);
        let period = (selection.since.map(apple_date), selection.until.map(apple_date));
        newest_first(self.connection, found, period, |message, date| {
            // Before anything of it is read: there may be a great many.
            if selection.rules_out_date(instant(date)) {
                return Ok(true);
            }
            if hits.len() < *limit {
                let taken = self.taken(message)?;
                hits.extend(
                    taken.map(|(message, conversation)| self.hit(message, conversation)).transpose()?,
                );
                return Ok(hits.len() < *limit || !self.wanted.is_everything());
            }
            is_counted = looked_at < COUNTED;
            looked_at += 1;
            others += u64::from(is_counted && self.taken(message)?.is_some());
            Ok(is_counted)
        })?;
        let total = match self.wanted.is_everything() && hits.len() == *limit {
            true => Some(all),
            false => is_counted.then_some(hits.len() as u64 + others),
        };
        Ok(Found { hits, total, unfound: None })
    }

    /// A message and its conversation, where it is wanted.
    fn taken(&self, id: i64) -> rusqlite::Result<Option<(Message, Option<usize>)>> {
        let conversation = self.conversations.place_of(self.connection, id)?;
        if !self.wanted.takes_conversation(conversation) {
            return Ok(None);
        }
        let message = self.message(id, self.wanted.takes_deleted())?;
        Ok(message.filter(|message| self.wanted.takes(message)).map(|message| (message, conversation)))
    }

    fn hit(&self, message: Message, conversation: Option<usize>) -> rusqlite::Result<Hit> {
        let count = self.wanted.query.context;
        let (before, after) =
            (self.beside(message.rowid, count, true)?, self.beside(message.rowid, count, false)?);
        let conversation = conversation.and_then(|at| self.conversations.at(at));
        let conversation = conversation.map(|c| (c.id.clone(), c.title.clone()));
        Ok(Hit { once: self.saying.once(&message)?, message, conversation, before, after })
    }

    /// `None` also where it is shown with another one, or only says what somebody thought of one that is not here.
    fn message(&self, id: i64, whole: bool) -> rusqlite::Result<Option<Message>> {
        Ok(match self.saying.message(id, whole)? {
            Some(Shown::AsMessage(message)) if message.kind != MessageKind::Tapback => Some(*message),
            _ => None,
        })
    }

    /// Messages of the same chat, right before or after one; in their order.
    fn beside(&self, message: i64, count: usize, before: bool) -> rusqlite::Result<Vec<Message>> {
        let mut beside = Vec::new();
        if count == 0 {
            return Ok(beside);
        }
        let (than, order) = if before { ("<", "DESC") } else { (">", "ASC") };
        let sql = format!(
            "SELECT o.message_id FROM chat_message_join j \
             JOIN chat_message_join o ON o.chat_id = j.chat_id AND (o.message_date, o.message_id) {than} (j.message_date, j.message_id) \
             WHERE j.message_id = ?1 ORDER BY o.message_date {order}, o.message_id {order} LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut ids = statement.query(params![message, count as i64 + BESIDE])?;
        while beside.len() < count
            && let Some(id) = ids.next()?
        {
            beside.extend(self.message(id.get(0)?, true)?);
        }
        if before {
            beside.reverse();
        }
        Ok(beside)
    }
}
