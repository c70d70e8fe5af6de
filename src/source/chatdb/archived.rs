//! What an archive knows of its messages beside Apple's tables: which are deleted where they came from, and what they
//! said before their senders took it back.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};
use roaring::RoaringTreemap;
use rusqlite::{Connection, Rows};

use crate::disk::ContentName;
use crate::model::DeletionReason;
use crate::source::as_of::{IS_DAMAGED, IS_WHOLE, LAST_WAS_LOST, THEN, WAS_LOST};
use crate::source::custody::Visits;
use crate::source::database::{Columns, Schema, scan};
use crate::source::lost::Lost;
use crate::source::{
    EarlierBody, EarlierFacts, FormerContent, OpenOptions, RawAttachment, RawChat, RawMessage,
};

/// Nothing, of what is no archive.
#[derive(Debug, Default)]
pub(super) struct Archived {
    deleted: HashMap<i64, Absence>,
    /// Chat → what it was called before, the latest first.
    former_names: HashMap<i64, Vec<String>>,
    /// Former bodies of a message, the latest first.
    earlier: Option<String>,
    /// Messages of which an earlier state said something else. `None`: that is not known, and each is asked of.
    altered: Option<RoaringTreemap>,
    /// Messages that are not what was archived: no source had those any more when the damage was found.
    damaged: BTreeSet<i64>,
    /// Of an archive as it was: messages of which what they were then is lost.
    otherwise_then: BTreeSet<i64>,
    /// Messages that are shown as they were before, as what they were last is lost.
    last_is_lost: BTreeSet<i64>,
    lost: Lost,
    /// Former states of messages, by their numbers, that are nobody's words.
    damaged_former: BTreeSet<i64>,
    /// Attachment → other bytes of it: those that were there before it, the latest first, then those of other sources.
    former_contents: HashMap<i64, Vec<FormerContent>>,
}

/// Why a message is not where it was.
#[derive(Debug, Clone, Copy)]
struct Absence {
    /// Raw.
    date: i64,
    reason: DeletionReason,
    guessed: bool,
    /// Raw, when a run still found it, where `date` is that of the one that no longer did.
    last_seen: Option<i64>,
    /// Since when it is not in Recently Deleted any more.
    gone: Option<i64>,
    /// It is there, where this is of.
    recoverable: bool,
}

impl Absence {
    /// Of several, the greatest counts; of two that say the same, the one that knows more closely when.
    fn weight(&self) -> impl Ord + use<> {
        (self.reason.weight(self.guessed, self.recoverable, self.date), self.last_seen)
    }
}

/// The messages that are shown as they lie there since a run gave up what they were, and not former states of theirs alone: 3 is
/// their kind (`archive/schema.sql`).
const GIVEN_UP: &str = "SELECT b.id FROM msgarchive_lost l JOIN msgarchive_message b ON b.id = l.id AND b.since = l.run \
     WHERE l.kind = 3 GROUP BY b.id HAVING count(*) > (SELECT count(*) FROM msgarchive_message_version v \
       WHERE v.msgarchive_id = b.id AND v.msgarchive_since = b.since AND v.msgarchive_until < b.since)";

/// The messages that are shown in an earlier state than the last that a run gave up. What is shown of one of which another state came
/// later than that is the last again.
const LAST_IS_LOST: &str = "SELECT DISTINCT b.id FROM msgarchive_lost l JOIN msgarchive_message b ON b.id = l.id \
     AND b.since < l.since WHERE l.kind = 3 AND l.run > 0";

/// A former state that a run gave up is of that run, which is later than any that had it: what lies there are nobody's words.
const WHOLE: &str = "msgarchive_since <= msgarchive_until";

/// No message has as many.
const EARLIER: usize = 64;

impl Archived {
    /// `options`: what of it is known otherwise to be damaged, and as of when it is shown.
    pub fn read(
        connection: &Connection,
        schema: &Schema,
        options: &OpenOptions,
    ) -> rusqlite::Result<Archived> {
        let OpenOptions { damaged, damaged_former, as_of, .. } = options;
        let mut archived = Archived {
            damaged: damaged.clone(),
            damaged_former: damaged_former.clone(),
            ..Archived::default()
        };
        if !schema.has_table("msgarchive_absence") {
            return Ok(archived);
        }
        let [gone, recoverable, guessed] = told_of_deleted(connection)?;
        let visits = Visits::read(connection)?;
        let absences = format!(
            "SELECT d.message, d.date, d.reason, a.source, a.run, {gone}, {recoverable}, {guessed} FROM msgarchive_deleted d \
             JOIN msgarchive_absence a ON a.message = d.message AND a.date = d.date AND a.reason = d.reason \
             WHERE a.returned IS NULL"
        );
        scan(connection, Some(&absences), |c| {
            let (message, date, name) = (c.number(), c.number(), c.text());
            let (source, run) = (c.number(), c.number());
            let reason = reason_of(name.as_deref());
            let noticed = reason != DeletionReason::RecentlyDeleted;
            let last_seen = noticed.then(|| visits.before(source, run, date)).flatten();
            let (gone, recoverable, guessed) = (c.maybe_number(), c.number() != 0, c.number() != 0);
            let deleted = Absence { date, reason, guessed, last_seen, gone, recoverable };
            let counts = archived.deleted.entry(message).or_insert(deleted);
            if deleted.weight() > counts.weight() {
                *counts = deleted;
            }
        })?;
        let versions = "msgarchive_chat_version";
        let named = format!(
            "SELECT msgarchive_id, display_name FROM {versions} \
             WHERE display_name <> '' AND {WHOLE} ORDER BY msgarchive_until DESC, msgarchive_version DESC"
        );
        let mut known: HashSet<(i64, String)> = HashSet::default();
        scan(connection, Some(&*named).filter(|_| schema.has(versions, "display_name")), |c| {
            if let (chat, Some(name)) = (c.number(), c.text())
                && known.insert((chat, name.clone()))
            {
                archived.former_names.entry(chat).or_default().push(name);
            }
        })?;
        archived.earlier = earlier_of(schema);
        archived.lost = Lost::read(connection, schema, as_of.is_some())?;
        let tells_run = schema.has("msgarchive_lost", "run");
        scan(connection, Some(GIVEN_UP).filter(|_| tells_run), |c| {
            archived.damaged.insert(c.number());
        })?;
        // Of another time that is another matter.
        scan(connection, Some(LAST_IS_LOST).filter(|_| tells_run && as_of.is_none()), |c| {
            archived.last_is_lost.insert(c.number());
        })?;
        let then = as_of.is_some().then(|| format!("SELECT message, what FROM {THEN}"));
        scan(connection, then.as_deref(), |c| {
            let (message, what) = (c.number(), c.number());
            match what {
                WAS_LOST => drop(archived.otherwise_then.insert(message)),
                LAST_WAS_LOST if !damaged.contains(&message) => {
                    archived.damaged.remove(&message);
                    archived.last_is_lost.insert(message);
                }
                IS_DAMAGED => drop(archived.damaged.insert(message)),
                // What was given up is a later state.
                IS_WHOLE if !damaged.contains(&message) => drop(archived.damaged.remove(&message)),
                _ => {}
            }
        })?;
        let mut altered = RoaringTreemap::new();
        scan(connection, altered_of(schema).as_deref(), |c| {
            altered.insert(c.number().cast_unsigned());
        })?;
        archived.altered = Some(altered);
        archived.former_contents = former_contents(connection, schema)?;
        Ok(archived)
    }

    /// For who looks at single messages, and asks of each whether it is deleted.
    pub fn of_single(connection: &Connection, schema: &Schema) -> rusqlite::Result<Archived> {
        let earlier = earlier_of(schema);
        // A first run looks at every message, and none has a former state.
        let any = "SELECT EXISTS (SELECT 1 FROM msgarchive_message_version)";
        let has_any = earlier.is_some() && connection.query_row(any, [], |row| row.get(0))?;
        let altered = (!has_any).then(RoaringTreemap::new);
        let former_contents = former_contents(connection, schema)?;
        Ok(Archived { earlier, altered, former_contents, ..Archived::default() })
    }

    /// The query for why a message is deleted, and since when.
    pub fn why_of(connection: &Connection) -> rusqlite::Result<String> {
        let [gone, recoverable, guessed] = told_of_deleted(connection)?;
        Ok(format!(
            "SELECT date, reason, {guessed}, {recoverable}, {gone} FROM msgarchive_deleted d WHERE message = ?1"
        ))
    }

    /// Marks a row that is deleted, as [that query](Self::why_of) tells.
    pub fn mark_as(row: &mut RawMessage, mut reasons: Rows<'_>) -> rusqlite::Result<()> {
        let mut counts = None;
        while let Some(told) = reasons.next()? {
            let mut c = Columns::from(told, 0);
            let (date, reason) = (c.number(), reason_of(c.text().as_deref()));
            let (guessed, recoverable) = (c.number() != 0, c.number() != 0);
            counts = counts.max(Some((reason.weight(guessed, recoverable, date), c.maybe_number())));
        }
        if let Some(((_, _, is_known, date, Reverse(reason)), gone)) = counts {
            row.deleted = Some(date);
            row.deletion_reason = reason;
            row.deletion_guessed = !is_known;
            row.deletion_gone = gone;
        }
        Ok(())
    }

    /// Marks a row that is deleted, or damaged.
    pub fn mark(&self, row: &mut RawMessage) {
        row.damaged = self.damaged.contains(&row.rowid);
        row.otherwise_then = self.otherwise_then.contains(&row.rowid);
        row.last_is_lost = self.last_is_lost.contains(&row.rowid);
        if let Some(Absence { date, reason, guessed, last_seen, gone, .. }) = self.deleted.get(&row.rowid) {
            row.deleted = Some(*date);
            row.deletion_reason = *reason;
            row.deletion_guessed = *guessed;
            row.last_seen = *last_seen;
            row.deletion_gone = *gone;
        }
    }

    /// Says which other bytes of an attachment there are.
    pub fn contents(&self, attachment: &mut RawAttachment) {
        if let Some(former) = self.former_contents.get(&attachment.rowid) {
            attachment.former.clone_from(former);
        }
    }

    /// Chats of which messages are lost, and of how many messages nothing tells in which they were.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Says what a chat was called before, and what of it is lost.
    pub fn tell(&self, chat: &mut RawChat) {
        if let Some(lost) = self.lost.of_chats.get(&chat.rowid) {
            chat.lost.clone_from(lost);
        }
        if let Some(names) = self.former_names.get(&chat.rowid) {
            chat.former_names.clone_from(names);
            chat.former_names.retain(|name| chat.display_name.as_ref() != Some(name));
        }
    }

    /// Whether the row with this id is deleted.
    pub fn is_deleted(&self, rowid: i64) -> bool {
        self.deleted.contains_key(&rowid)
    }

    /// What a row said before it was changed; asked for where somebody changed it.
    pub fn earlier(&self, connection: &Connection, row: &RawMessage) -> rusqlite::Result<Vec<EarlierBody>> {
        let is_altered = |of: &RoaringTreemap| of.contains(row.rowid.cast_unsigned());
        let is_changed =
            row.date_edited != 0 || row.date_retracted != 0 || self.altered.as_ref().is_none_or(is_altered);
        let Some(sql) = self.earlier.as_ref().filter(|_| is_changed) else {
            return Ok(Vec::new());
        };
        let mut statement = connection.prepare_cached(sql)?;
        let earlier = statement.query_map([row.rowid], |row| {
            let mut c = Columns::from(row, 0);
            if self.damaged_former.contains(&c.number()) {
                return Ok(None);
            }
            let (text, attributed_body, date_edited) = (c.text(), c.bytes(), c.number());
            let facts = EarlierFacts {
                is_from_me: c.number() != 0,
                handle_id: c.number(),
                date: c.number(),
                date_read: c.number(),
                date_delivered: c.number(),
                associated_message_type: c.number(),
                schedule_type: c.number(),
                is_of_same_source: c.number() != 0,
            };
            Ok(Some(EarlierBody { text, attributed_body, date_edited, facts: Some(facts) }))
        })?;
        earlier.filter_map(Result::transpose).take(EARLIER).collect()
    }
}

/// Of what is deleted, `d`: since when it is gone from Recently Deleted, too, whether it can be recovered, whether its reason is a
/// guess.
fn told_of_deleted(connection: &Connection) -> rusqlite::Result<[String; 3]> {
    let of = |name| of_deleted(connection, name);
    Ok([of("gone")?, of("recoverable")?, of("guessed")?])
}

/// A column of what is deleted, `d`; archives that were made earlier do not say it.
fn of_deleted(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    let tells = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('msgarchive_deleted') WHERE name = ?1)";
    let tells: bool = connection.query_row(tells, [name], |row| row.get(0))?;
    Ok(if tells { format!("d.{name}") } else { "NULL".into() })
}

fn former_contents(
    connection: &Connection,
    schema: &Schema,
) -> rusqlite::Result<HashMap<i64, Vec<FormerContent>>> {
    let mut former: HashMap<i64, Vec<FormerContent>> = HashMap::default();
    let sql = "SELECT f.attachment, f.path, c.path, f.source IS NOT c.source FROM msgarchive_former_content f \
         JOIN msgarchive_content c ON c.attachment = f.attachment WHERE f.path <> c.path \
         ORDER BY f.source IS NOT c.source, f.until DESC, f.path";
    let there = schema.has_table("msgarchive_former_content") && schema.has_table("msgarchive_content");
    scan(connection, Some(sql).filter(|_| there), |c| {
        let (attachment, path) = (c.number(), c.text().unwrap_or_default());
        let (now, elsewhere) = (c.text().unwrap_or_default(), c.number() != 0);
        // Only its film came, or went.
        let hash = ContentName::of(&path).hash;
        if hash == ContentName::of(&now).hash {
            return;
        }
        let of = former.entry(attachment).or_default();
        if of.iter().all(|known| ContentName::of(&known.path).hash != hash) {
            of.push(FormerContent { path, elsewhere });
        }
    })?;
    Ok(former)
}

/// Why a message is deleted, as archives spell it.
fn reason_of(name: Option<&str>) -> DeletionReason {
    name.and_then(DeletionReason::named).unwrap_or(DeletionReason::Unexplained)
}

/// Of a former state and of what is shown, what other programs may have changed: an expression each.
const FACTS: [&str; 6] =
    ["text", "attributedbody", "is_from_me", "handle_id", "date", "associated_message_type"];

/// The query for messages of which an earlier state said something else than the one that is shown does.
fn altered_of(schema: &Schema) -> Option<String> {
    let versions = "msgarchive_message_version";
    let [then, now] = [(versions, "v"), ("message", "m")]
        .map(|(table, alias)| FACTS.map(|name| schema.column(table, alias, name)).join(", "));
    let lost = ["date_read", "date_delivered"].map(|name| {
        let (then, now) = (schema.column(versions, "v", name), schema.column("message", "m", name));
        format!("coalesce({then}, 0) <> 0 AND coalesce({now}, 0) = 0")
    });
    schema.has_table(versions).then(|| {
        format!(
            "SELECT DISTINCT v.msgarchive_id FROM {versions} v JOIN message m ON m.ROWID = v.msgarchive_id \
             WHERE {WHOLE} AND (({then}) IS NOT ({now}) OR {} OR {})",
            lost[0], lost[1]
        )
    })
}

/// The query for former states of a message, the latest first.
fn earlier_of(schema: &Schema) -> Option<String> {
    let versions = "msgarchive_message_version";
    let columns = [
        "text",
        "attributedbody",
        "date_edited",
        "is_from_me",
        "handle_id",
        "date",
        "date_read",
        "date_delivered",
        "associated_message_type",
        "schedule_type",
    ];
    let columns = columns.map(|name| schema.column(versions, "v", name)).join(", ");
    schema.has_table(versions).then(|| {
        format!(
            "SELECT v.msgarchive_version, {columns}, v.msgarchive_source IS b.source OR EXISTS ( \
                SELECT 1 FROM msgarchive_source x JOIN msgarchive_source y \
                  ON x.kind = y.kind AND (x.path = y.path OR x.device = y.device) \
                WHERE x.source = v.msgarchive_source AND y.source = b.source) \
             FROM {versions} v LEFT JOIN msgarchive_message b ON b.id = v.msgarchive_id \
             WHERE v.msgarchive_id = ?1 AND {WHOLE} ORDER BY v.msgarchive_version DESC"
        )
    })
}
