//! Messages that came again under other GUIDs: restored from another backup, or by another program.
//!
//! They are the same by their content, as [`crate::pipeline::fingerprint`] says it: same conversation, sender, service,
//! second and words; without words, what they carry ([`twins`](super::twins)), or when they were unsent. A message of the archive that the
//! source has by its own GUID is not taken for another one: people do say the same thing twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::conversations::Conversations;
use super::kind::{Kind, PLACES};
use super::moves::{ELSEWHERE, FORMER_PLACES};
use super::places::number;
use super::row::{Owned, owned, text_at};
use super::schema::Columns;
use super::twins::{Mark, Marking, Marks, are_all, carried_by};
use crate::pipeline::fingerprint::{Fingerprint, Words};
use crate::source::RawMessage;
use crate::source::tables::quoted;

/// Looks for messages by what they say.
pub struct Restored<'c> {
    connection: &'c Connection,
    source: i64,
    conversations: Conversations,
    /// Row id in the source → chat in the archive, of the news.
    chats: HashMap<i64, i64>,
    /// Row id in the source → attachments in the archive, of the news.
    carried: HashMap<i64, Vec<i64>>,
    marking: Marking<'c>,
    /// Of the archive's messages: lower case, sorted.
    columns: Vec<String>,
    /// The query for what was sent in a second.
    of_second: String,
    /// By second: all messages of a hostile source may be of one.
    candidates: HashMap<i64, Candidates>,
}

/// So many seconds are remembered.
const SECONDS: usize = 1 << 16;

/// Messages of one second, by conversation and content.
type Candidates = HashMap<(usize, Fingerprint), Alike>;

/// Messages that say the same.
#[derive(Default)]
struct Alike {
    /// In their order.
    ids: VecDeque<i64>,
    /// Those of them that were unsent, by when.
    unsent: HashMap<Unsent, VecDeque<i64>>,
    /// Those that carry something, by what it is told apart by: looked up where that is asked for.
    carriers: Option<HashMap<Mark, VecDeque<Rc<Carrier>>>>,
}

/// The seconds in which a message was changed and taken back.
type Unsent = [Option<i64>; 2];

/// By what a message without words is known.
enum Wordless<'a> {
    Carrying(&'a [i64]),
    Unsent(Unsent),
}

/// A message, and what it carries.
struct Carrier {
    id: i64,
    carried: Vec<Rc<Marks>>,
}

impl<'c> Restored<'c> {
    /// `chats`: where the news of the source are; `carried`: their attachments.
    pub fn new(
        connection: &'c Connection,
        columns: &Columns,
        source: i64,
        chats: HashMap<i64, i64>,
        carried: HashMap<i64, Vec<i64>>,
    ) -> rusqlite::Result<Restored<'c>> {
        let columns = columns.of(Kind::Message.table());
        let list: Vec<String> = columns.iter().map(|name| format!("m.{}", quoted(name))).collect();
        let of_second = format!(
            "SELECT {}, m.ROWID FROM message m \
             WHERE (m.date BETWEEN ?1 * 1000000000 AND ?1 * 1000000000 + 999999999 OR m.date = ?1) \
             AND NOT EXISTS (SELECT 1 FROM msgarchive_sighting s WHERE s.kind = {} AND s.id = m.ROWID AND s.source = ?2) \
             ORDER BY m.ROWID",
            list.join(", "),
            Kind::Message.number()
        );
        let conversations = Conversations::read(connection, &[])?;
        let candidates = HashMap::new();
        let marking = Marking::new(connection)?;
        Ok(Restored {
            connection,
            source,
            conversations,
            chats,
            carried,
            marking,
            columns,
            of_second,
            candidates,
        })
    }

    /// The message that a row is, under another GUID.
    pub fn find(
        &mut self,
        rowid: i64,
        names: &[String],
        values: &[ValueRef<'_>],
    ) -> rusqlite::Result<Option<i64>> {
        let Some(conversation) =
            self.chats.get(&rowid).and_then(|chat| self.conversations.place_of_chat(*chat))
        else {
            return Ok(None);
        };
        let row = raw(names.iter().map(String::as_str).zip(values.iter().copied()));
        let Some(second) = second(row.date) else { return Ok(None) };
        let words = Words::of(&row);
        let carried = self.carried.remove(&rowid).unwrap_or_default();
        // What says nothing may be anything: rather twice than never.
        let is_wordless = words.first().is_empty() && row.associated_message_type == 0 && row.item_type == 0;
        let wordless = match (is_wordless, &carried[..], unsent(&row, &words)) {
            (false, ..) => None,
            (true, [], None) => return Ok(None),
            (true, [], Some(when)) => Some(Wordless::Unsent(when)),
            (true, carried, _) => Some(Wordless::Carrying(carried)),
        };
        let mut candidates = match self.candidates.remove(&second) {
            Some(candidates) => candidates,
            None => self.candidates_of(second)?,
        };
        let found = match candidates.is_empty() {
            true => None,
            false => {
                let alike = fingerprint(self.connection, &self.conversations, &row, &words)?;
                let alike = candidates.get_mut(&(conversation, alike));
                self.first_of(alike, wordless)?
            }
        };
        if self.candidates.len() >= SECONDS {
            self.candidates.clear();
        }
        self.candidates.insert(second, candidates);
        Ok(found)
    }

    /// The messages of a second that the source has not.
    fn candidates_of(&self, second: i64) -> rusqlite::Result<Candidates> {
        let Restored { connection, conversations, columns, of_second, .. } = self;
        let mut of_second = connection.prepare_cached(of_second)?;
        let mut candidates = Candidates::default();
        let mut chats = connection.prepare_cached(&format!(
            "SELECT chat_id FROM {PLACES} WHERE message_id = ?1 \
             UNION SELECT chat FROM {ELSEWHERE} WHERE message = ?1 \
             UNION SELECT chat FROM {FORMER_PLACES} WHERE message = ?1"
        ))?;
        let mut rows = of_second.query(params![second, self.source])?;
        while let Some(candidate) = rows.next()? {
            let values = owned(candidate, columns.len())?;
            let row = raw(columns.iter().map(String::as_str).zip(values.iter().map(Owned::value)));
            let words = Words::of(&row);
            let fingerprint = fingerprint(connection, conversations, &row, &words)?;
            let id: i64 = candidate.get(columns.len())?;
            for chat in chats.query_map([id], |row| row.get::<_, i64>(0))? {
                if let Some(place) = conversations.place_of_chat(chat?) {
                    let alike = candidates.entry((place, fingerprint)).or_default();
                    alike.ids.push_back(id);
                    if let Some(when) = unsent(&row, &words) {
                        alike.unsent.entry(when).or_default().push_back(id);
                    }
                }
            }
        }
        Ok(candidates)
    }

    /// The first of these that the source has not come to have meanwhile; and, without words, that has the same beside them.
    fn first_of(
        &mut self,
        alike: Option<&mut Alike>,
        wordless: Option<Wordless<'_>>,
    ) -> rusqlite::Result<Option<i64>> {
        let Some(Alike { ids, unsent, carriers }) = alike else { return Ok(None) };
        let Restored { connection, source, marking, .. } = self;
        let mut seen = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2 AND source = ?3)",
        )?;
        let of = |id: i64| [Kind::Message.number(), id, *source];
        let mut is_seen = |id: i64| seen.query_row(of(id), |row| row.get::<_, bool>(0));
        let mut none = VecDeque::new();
        let ids = match wordless {
            Some(Wordless::Unsent(when)) => unsent.get_mut(&when).unwrap_or(&mut none),
            _ => ids,
        };
        while let Some(first) = ids.front()
            && is_seen(*first)?
        {
            ids.pop_front();
        }
        let Some(Wordless::Carrying(carried)) = wordless else { return Ok(ids.front().copied()) };
        let carriers = match carriers {
            Some(carriers) => carriers,
            None => carriers.insert(by_mark(connection, marking, ids)?),
        };
        let carried = marking.of_all(carried)?;
        let mut found: Option<i64> = None;
        // Whoever carries the same carries the first of it.
        for mark in carried.first().iter().flat_map(|first| first.all()) {
            let Some(carriers) = carriers.get_mut(&mark) else { continue };
            while let Some(first) = carriers.front()
                && is_seen(first.id)?
            {
                carriers.pop_front();
            }
            for carrier in carriers {
                if found.is_some_and(|found| found <= carrier.id) {
                    break;
                }
                if are_all(&carried, &carrier.carried) && !is_seen(carrier.id)? {
                    found = Some(carrier.id);
                }
            }
        }
        Ok(found)
    }
}

fn by_mark(
    connection: &Connection,
    marking: &mut Marking<'_>,
    ids: &VecDeque<i64>,
) -> rusqlite::Result<HashMap<Mark, VecDeque<Rc<Carrier>>>> {
    let mut by_mark: HashMap<Mark, VecDeque<Rc<Carrier>>> = HashMap::new();
    for id in ids {
        let carrier = Rc::new(Carrier { id: *id, carried: marking.of_all(&carried_by(connection, *id)?)? });
        let marks: HashSet<Mark> = carrier.carried.iter().flat_map(|marks| marks.all()).collect();
        for mark in marks {
            by_mark.entry(mark).or_default().push_back(Rc::clone(&carrier));
        }
    }
    Ok(by_mark)
}

fn fingerprint(
    connection: &Connection,
    conversations: &Conversations,
    row: &RawMessage,
    words: &Words,
) -> rusqlite::Result<Fingerprint> {
    let sender = match row.is_from_me {
        true => None,
        false => {
            let mut handle = connection.prepare_cached("SELECT id FROM handle WHERE ROWID = ?1")?;
            let mut rows = handle.query([row.handle_id])?;
            let id = rows.next()?.map(|row| text_at(row, 0)).transpose()?.flatten();
            id.map(|id| conversations.0.address_key(&id))
        }
    };
    Ok(Fingerprint::of(row, words, sender.as_deref()))
}

/// When a message was unsent, wholly or in part; `None` for any other one.
fn unsent(row: &RawMessage, words: &Words) -> Option<Unsent> {
    let is_unsent = row.date_retracted != 0 || !words.unsent.is_empty();
    is_unsent.then(|| [second(row.date_edited), second(row.date_retracted)])
}

/// The second of a raw date; `None` where there is none.
fn second(date: i64) -> Option<i64> {
    match date {
        0 => None,
        date if date.unsigned_abs() >= 1_000_000_000_000 => Some(date.div_euclid(1_000_000_000)),
        date => Some(date),
    }
}

/// A row, as far as its content is compared.
fn raw<'v>(columns: impl Iterator<Item = (&'v str, ValueRef<'v>)>) -> RawMessage {
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Text(text) | ValueRef::Blob(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    let bytes = |value: ValueRef<'_>| match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Some(bytes.to_vec()),
        _ => None,
    };
    let mut row = RawMessage::default();
    for (name, value) in columns {
        match name {
            "guid" => row.guid = text(value),
            "text" => row.text = text(value),
            "subject" => row.subject = text(value),
            "service" => row.service = text(value),
            "attributedbody" => row.attributed_body = bytes(value),
            "message_summary_info" => row.message_summary_info = bytes(value),
            "payload_data" => row.payload_data = bytes(value),
            "balloon_bundle_id" => row.balloon_bundle_id = text(value),
            "associated_message_guid" => row.associated_message_guid = text(value),
            "associated_message_emoji" => row.associated_message_emoji = text(value),
            "associated_message_type" => row.associated_message_type = number(value),
            "date" => row.date = number(value),
            "date_edited" => row.date_edited = number(value),
            "date_retracted" => row.date_retracted = number(value),
            "handle_id" => row.handle_id = number(value),
            "item_type" => row.item_type = number(value),
            "group_title" => row.group_title = text(value),
            "group_action_type" => row.group_action_type = number(value),
            "is_from_me" => row.is_from_me = number(value) != 0,
            _ => {}
        }
    }
    row
}
