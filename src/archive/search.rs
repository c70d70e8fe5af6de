//! Full-text search: which messages say what is looked for, or once said it.
//!
//! **Must never**: believe the index about what a message says; that is read from the archive.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::absence::apple_date;
use super::conversations::Conversations;
use super::folder::Folder;
use super::history::{body_columns, text};
use super::index::{Index, matching};
use super::newest::newest_first;
use super::open::look_at;
use super::places::number;
use super::row::text_at;
use super::said::Former;
use super::wanted::Wanted;
use crate::model::Instant;
use crate::pipeline::decode::date::instant;
use crate::pipeline::select::Selection;
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

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub line: Line,
    /// Id and title.
    pub conversation: Option<(String, String)>,
    /// What it said once and says no more, oldest first: before it was edited or unsent.
    pub once: Vec<String>,
    /// It is deleted where it came from.
    pub deleted: bool,
    pub before: Vec<Line>,
    pub after: Vec<Line>,
}

/// A message in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub guid: String,
    pub date: Option<Instant>,
    pub from_me: bool,
    /// The sender's address; `None` for the owner.
    pub sender: Option<String>,
    /// The sender's name, where the archive knows it.
    pub name: Option<String>,
    pub text: Option<String>,
}

/// The messages that say, or once said, all of the words: the newest first.
///
/// # Errors
/// [`ArchiveError`]; also where there is no index and none can be made.
pub fn search(path: &Path, query: &Query) -> Result<Vec<Hit>, ArchiveError> {
    let folder = Folder::open(path)?;
    let index = Index::of(&folder)?;
    let connection = look_at(&folder)?;
    let failed = || ArchiveError::database(folder.database());
    let matching = matching(&query.text);
    // What the index finds takes as long as to learn which conversations there are.
    let (found, known) = std::thread::scope(|scope| {
        let found = scope.spawn(move || matching.map_or_else(|| Ok(Vec::new()), |words| index.find(&words)));
        let known = cards(&connection).and_then(|cards| Conversations::read(&connection, &cards));
        (found.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), known)
    });
    let conversations = known.map_err(failed())?;
    let wanted = Wanted::of(query, &conversations, &connection)?;
    let found = match found {
        // By a page that is read only now.
        Err(ArchiveError::Damaged { .. }) => found_anew(&folder, query)?,
        found => found?,
    };
    let find = || -> rusqlite::Result<Vec<Hit>> {
        let body = body_columns(&connection, "message", "m")?;
        let line = format!(
            "SELECT m.guid, m.date, m.is_from_me, m.handle_id, h.id, m.service, {body} FROM message m \
             LEFT JOIN handle h ON h.ROWID = m.handle_id WHERE m.ROWID = ?1"
        );
        let former = Former::of(&connection)?;
        let finder =
            Finder { connection: &connection, conversations: &conversations, wanted: &wanted, line, former };
        let mut hits = Vec::new();
        let period = (query.selection.since.map(apple_date), query.selection.until.map(apple_date));
        newest_first(&connection, found, period, |message, date| {
            // Before anything of it is read: there may be a great many.
            if !query.selection.rules_out_date(instant(date)) {
                hits.extend(finder.hit(message)?);
            }
            Ok(hits.len() < query.limit)
        })?;
        Ok(hits)
    };
    find().map_err(failed())
}

/// What an index finds that is made anew.
fn found_anew(folder: &Folder, query: &Query) -> Result<Vec<i64>, ArchiveError> {
    matching(&query.text).map_or_else(|| Ok(Vec::new()), |words| Index::made_anew(folder)?.find(&words))
}

/// Makes hits of what the index found.
struct Finder<'a> {
    connection: &'a Connection,
    conversations: &'a Conversations,
    wanted: &'a Wanted<'a>,
    /// The query for what a message says, and who said it when.
    line: String,
    former: Former,
}

impl Finder<'_> {
    fn hit(&self, message: i64) -> rusqlite::Result<Option<Hit>> {
        let Finder { connection, conversations, wanted, .. } = self;
        let conversation = conversations.place_of(connection, message)?;
        if !wanted.takes_conversation(conversation) {
            return Ok(None);
        }
        let Some(line) = self.line(message)? else { return Ok(None) };
        if !wanted.takes(&line) || !wanted.carries(connection, message, line.line.text.as_deref())? {
            return Ok(None);
        }
        let deleted = connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM msgarchive_deleted WHERE message = ?1)")?
            .query_row([message], |row| row.get(0))?;
        if wanted.leaves_out(connection, message, line.line.text.as_deref(), deleted)? {
            return Ok(None);
        }
        let mut once = self.former.texts(connection, message)?;
        once.retain(|text| Some(text) != line.line.text.as_ref());
        let context = wanted.query.context;
        let (before, after) = (self.around(message, context, true)?, self.around(message, context, false)?);
        let conversation = conversation.and_then(|at| conversations.at(at));
        let conversation = conversation.map(|c| (c.id.clone(), c.title.clone()));
        Ok(Some(Hit { line: line.line, conversation, once, deleted, before, after }))
    }

    fn line(&self, message: i64) -> rusqlite::Result<Option<OfService>> {
        let read = |row: &rusqlite::Row<'_>| {
            let from_me = number(row.get_ref(2)?) != 0;
            let sender = self.conversations.0.sender(number(row.get_ref(3)?));
            let line = Line {
                guid: text_at(row, 0)?.unwrap_or_default(),
                date: instant(number(row.get_ref(1)?)),
                from_me,
                sender: text_at(row, 4)?.filter(|_| !from_me),
                name: sender.filter(|_| !from_me).and_then(|sender| sender.name.clone()),
                text: text(row, 6)?,
            };
            Ok(OfService { line, service: text_at(row, 5)? })
        };
        self.connection.prepare_cached(&self.line)?.query_row([message], read).optional()
    }

    /// Messages of the same chat, right before or after one; in their order.
    fn around(&self, message: i64, count: usize, before: bool) -> rusqlite::Result<Vec<Line>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let (than, order) = if before { ("<", "DESC") } else { (">", "ASC") };
        let sql = format!(
            "SELECT o.message_id FROM chat_message_join j \
             JOIN chat_message_join o ON o.chat_id = j.chat_id AND (o.message_date, o.message_id) {than} (j.message_date, j.message_id) \
             WHERE j.message_id = ?1 ORDER BY o.message_date {order}, o.message_id {order} LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids = statement.query_map(params![message, count as i64], |row| row.get(0))?;
        let mut lines = Vec::new();
        for id in ids {
            lines.extend(self.line(id?)?.map(|of| of.line));
        }
        if before {
            lines.reverse();
        }
        Ok(lines)
    }
}

/// A message, and what it was sent over.
pub(super) struct OfService {
    pub line: Line,
    pub service: Option<String>,
}
