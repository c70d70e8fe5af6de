//! Full-text search: an index beside the archive's database, made of what can be read there and never of anything else.
//!
//! It lies in a file of its own, `search.db`: the database stays a plain Messages library, and the index can be thrown
//! away at any time. A run adds what it brought; where there is no index, or one of another state, it is made anew.
//!
//! Words are as Unicode has them, without case and accents (`unicode61`). Scripts that put no blanks between words are
//! indexed character by character, and so are emoji: what is searched for is taken as a phrase, so that 東京 finds
//! 東京都, and one character finds what holds it. Trigrams would need three, and take four times the room.
//!
//! **Must never**: be believed about what a message says; that is read from the archive.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::ArchiveError;
use super::absence::apple_date;
use super::conversations::Conversations;
use super::folder::Folder;
use super::history::{body_columns, text};
use super::newest::newest_first;
use super::open::{PATIENCE, look_at};
use super::said::{self, former};
use super::wanted::Wanted;
use crate::model::Instant;
use crate::pipeline::decode::date::instant;
use crate::pipeline::select::Selection;
use crate::source::contacts::cards;

/// The index's file.
pub(super) const INDEX: &str = "search.db";
/// What the index is made like; another number is made anew.
const FORM: i64 = 2;

const TABLES: &str = "
    CREATE TABLE state (form INTEGER NOT NULL, archive TEXT NOT NULL, run INTEGER NOT NULL);
    CREATE VIRTUAL TABLE words USING fts5 (said, content = '', contentless_delete = 1,
        tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* M* Co So'\");
    -- As much is sorted in memory at once.
    INSERT INTO words (words, rank) VALUES ('hashsize', 16000000);
";

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

/// Brings the index to the archive's latest run.
///
/// # Errors
/// [`ArchiveError`] when it cannot be written; the archive is whole all the same.
pub fn update(path: &Path) -> Result<(), ArchiveError> {
    bring_up(&Folder::open(path)?)
}

pub(super) fn bring_up(folder: &Folder) -> Result<(), ArchiveError> {
    // Nothing has to be written, nor can be on a medium that is read-only.
    if state(folder) == Some(latest(folder, &look_at(folder)?)?) {
        return Ok(());
    }
    let place = folder.path().join(INDEX);
    match fill(folder, &place) {
        // An index can always be made anew.
        Err(ArchiveError::Damaged { path, .. }) if path == place => {
            std::fs::remove_file(&place).map_err(ArchiveError::writing(&place))?;
            fill(folder, &place)
        }
        filled => filled,
    }
}

fn fill(folder: &Folder, place: &Path) -> Result<(), ArchiveError> {
    let failed = || ArchiveError::database(place);
    drop(crate::disk::private_file(place)?);
    let index = begin(place).map_err(failed())?;
    // Looked at once nobody else can add to the index: it is of no later run than this.
    let connection = look_at(folder)?;
    let latest = latest(folder, &connection)?;
    let known = state_of(&index, folder).filter(|run| *run <= latest);
    if known.is_none() {
        index
            .execute_batch(&format!("DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS state; {TABLES}"))
            .and_then(|()| index.execute("INSERT INTO state VALUES (?1, ?2, 0)", params![FORM, folder.id]))
            .map_err(failed())?;
    }
    let index = add(&connection, index, known.unwrap_or(0)).map_err(failed())?;
    index
        .execute("UPDATE state SET run = ?1", [latest])
        .and_then(|_| index.execute_batch("COMMIT"))
        .map_err(failed())
}

fn latest(folder: &Folder, connection: &Connection) -> Result<i64, ArchiveError> {
    let sql = "SELECT coalesce(max(run), 0) FROM msgarchive_run";
    connection.query_row(sql, [], |row| row.get(0)).map_err(ArchiveError::database(folder.database()))
}

/// Opens the index for writing, or waits until who is writing to it is done.
fn begin(place: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let index = Connection::open_with_flags(place, flags)?;
    index.busy_timeout(PATIENCE)?;
    index.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000; BEGIN IMMEDIATE;")?;
    Ok(index)
}

/// The run that the index is of; `None` where there is none, or one of something else.
fn state(folder: &Folder) -> Option<i64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    state_of(&Connection::open_with_flags(folder.path().join(INDEX), flags).ok()?, folder)
}

fn state_of(index: &Connection, folder: &Folder) -> Option<i64> {
    let sql = "SELECT run FROM state WHERE form = ?1 AND archive = ?2";
    index.query_row(sql, params![FORM, folder.id], |row| row.get(0)).optional().ok()?
}

/// Indexes what every message says and ever said, of those that changed after a run: one thread reads, one writes.
fn add(connection: &Connection, index: Connection, after: i64) -> rusqlite::Result<Connection> {
    let (texts, to_index) = std::sync::mpsc::sync_channel::<Vec<(i64, String)>>(BATCHES);
    let write = move || -> rusqlite::Result<Connection> {
        let sql = match after {
            0 => "INSERT INTO words (rowid, said) VALUES (?1, ?2)",
            _ => "INSERT OR REPLACE INTO words (rowid, said) VALUES (?1, ?2)",
        };
        let mut insert = index.prepare(sql)?;
        for (id, said) in to_index.into_iter().flatten() {
            insert.execute(params![id, said])?;
        }
        drop(insert);
        Ok(index)
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(write);
        let mut batch = Vec::with_capacity(BATCH);
        let read = each_text(connection, after, |id, said| {
            batch.push((id, said));
            // Where nobody takes it any more the writer says why.
            if batch.len() == BATCH { texts.send(std::mem::take(&mut batch)).is_ok() } else { true }
        });
        let _ = texts.send(batch);
        drop(texts);
        let index = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        read.map(|()| index)
    })
}

/// How many texts are handed on at once, and how many such batches may wait.
const BATCH: usize = 512;
const BATCHES: usize = 8;

/// Calls `each` with the texts of every message that changed after a run, until it has enough.
fn each_text(
    connection: &Connection,
    after: i64,
    mut each: impl FnMut(i64, String) -> bool,
) -> rusqlite::Result<()> {
    const CHANGED: &str = "(SELECT id FROM msgarchive_message WHERE since > ?1 UNION \
        SELECT msgarchive_id FROM msgarchive_message_version WHERE msgarchive_since > ?1)";
    let said = said::columns(connection, "msgarchive_message_version")?;
    let mut versions: HashMap<i64, Vec<String>> = HashMap::new();
    let mut statement = connection.prepare(&format!(
        "SELECT msgarchive_id, {said} FROM msgarchive_message_version WHERE msgarchive_id IN {CHANGED}"
    ))?;
    let mut rows = statement.query([after])?;
    while let Some(row) = rows.next()? {
        said::texts(row, 1, versions.entry(row.get(0)?).or_default())?;
    }
    let said = said::columns(connection, "message")?;
    let which = if after == 0 { "?1 = 0" } else { &format!("ROWID IN {CHANGED}") };
    let mut statement =
        connection.prepare(&format!("SELECT ROWID, {said} FROM message WHERE {which} ORDER BY ROWID"))?;
    let mut rows = statement.query([after])?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        texts.clear();
        said::texts(row, 1, &mut texts)?;
        let mut said = String::new();
        for text in texts.iter().chain(versions.get(&id).into_iter().flatten()) {
            spread(text, &mut said);
            said.push('\n');
        }
        if (!said.trim().is_empty() || after > 0) && !each(id, said) {
            break;
        }
    }
    Ok(())
}

/// Appends text with blanks around every character that is a word of its own.
fn spread(text: &str, said: &mut String) {
    for c in text.chars() {
        if stands_alone(c) {
            said.extend([' ', c, ' ']);
        } else {
            said.push(c);
        }
    }
}

/// Characters of scripts that put no blanks between words; and emoji.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF
        | 0x2E80..=0x2FDF | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF
        | 0x2600..=0x27BF | 0x1F000..=0x1FAFF)
}

/// What was typed, as FTS5 wants it: every word a phrase of its own, the last one perhaps not finished. `None`: no word.
fn matching(typed: &str) -> Option<String> {
    let mut phrases: Vec<(String, bool)> = Vec::new();
    for (at, piece) in typed.split('"').enumerate() {
        let quoted = at % 2 == 1;
        let pieces: Vec<&str> = if quoted { vec![piece] } else { piece.split_whitespace().collect() };
        for piece in
            pieces.into_iter().filter(|piece| piece.chars().any(|c| c.is_alphanumeric() || stands_alone(c)))
        {
            let mut spread_out = String::new();
            spread(piece, &mut spread_out);
            let open = !quoted && !piece.chars().next_back().is_some_and(stands_alone);
            phrases.push((spread_out.trim().to_owned(), open));
        }
    }
    let terms: Vec<String> = phrases
        .iter()
        .map(|(phrase, open)| format!("\"{phrase}\"{}", if *open { "*" } else { "" }))
        .collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// The messages that say, or once said, all of the words: the newest first.
///
/// # Errors
/// [`ArchiveError`]; also where there is no index and none can be made.
pub fn search(path: &Path, query: &Query) -> Result<Vec<Hit>, ArchiveError> {
    let folder = Folder::open(path)?;
    bring_up(&folder)?;
    let connection = look_at(&folder)?;
    let failed = || ArchiveError::database(folder.database());
    let cards = cards(&connection).map_err(failed())?;
    let conversations = Conversations::read(&connection, &cards).map_err(failed())?;
    let wanted = Wanted::of(query, &conversations, &connection)?;
    let Some(matching) = matching(&query.text) else { return Ok(Vec::new()) };
    let place = folder.path().join(INDEX);
    let find = || -> rusqlite::Result<Vec<Hit>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let index = Connection::open_with_flags(&place, flags)?;
        let mut found = index.prepare("SELECT rowid FROM words WHERE words MATCH ?1")?;
        let found = found.query_map([matching], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        let body = body_columns(&connection, "message", "m")?;
        let line = format!(
            "SELECT m.guid, m.date, m.is_from_me, m.handle_id, h.id, m.service, {body} FROM message m \
             LEFT JOIN handle h ON h.ROWID = m.handle_id WHERE m.ROWID = ?1"
        );
        let finder = Finder { connection: &connection, conversations: &conversations, wanted: &wanted, line };
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
    find().map_err(ArchiveError::database(&place))
}

/// Makes hits of what the index found.
struct Finder<'a> {
    connection: &'a Connection,
    conversations: &'a Conversations,
    wanted: &'a Wanted<'a>,
    /// The query for what a message says, and who said it when.
    line: String,
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
        let mut once = former(connection, message)?;
        once.retain(|text| Some(text) != line.line.text.as_ref());
        let context = wanted.query.context;
        let (before, after) = (self.around(message, context, true)?, self.around(message, context, false)?);
        let conversation = conversation.and_then(|at| conversations.at(at));
        let conversation = conversation.map(|c| (c.id.clone(), c.title.clone()));
        Ok(Some(Hit { line: line.line, conversation, once, deleted, before, after }))
    }

    fn line(&self, message: i64) -> rusqlite::Result<Option<OfService>> {
        let read = |row: &rusqlite::Row<'_>| {
            let from_me = row.get::<_, Option<i64>>(2)?.unwrap_or(0) != 0;
            let sender = self.conversations.0.sender(row.get::<_, Option<i64>>(3)?.unwrap_or(0));
            let line = Line {
                guid: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                date: instant(row.get::<_, Option<i64>>(1)?.unwrap_or(0)),
                from_me,
                sender: row.get::<_, Option<String>>(4)?.filter(|_| !from_me),
                name: sender.filter(|_| !from_me).and_then(|sender| sender.name.clone()),
                text: text(row, 6)?,
            };
            Ok(OfService { line, service: row.get(5)? })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_never_syntax() {
        assert_eq!(matching("hello wor").as_deref(), Some("\"hello\"* AND \"wor\"*"));
        assert_eq!(matching("\"hello world\" x").as_deref(), Some("\"hello world\" AND \"x\"*"));
        assert_eq!(matching("東京 tower").as_deref(), Some("\"東  京\" AND \"tower\"*"));
        assert_eq!(
            matching("NEAR(a b) OR -c*").as_deref(),
            Some("\"NEAR(a\"* AND \"b)\"* AND \"OR\"* AND \"-c*\"*")
        );
        for none in ["", "  ", "\"\"", "!?", "\""] {
            assert_eq!(matching(none), None, "{none}");
        }
    }
}
