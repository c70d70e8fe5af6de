//! Reading every row of a source once, by all workers, and adding up what checks want to know.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use chrono::Datelike as _;

use super::Surroundings;
use super::facts::{Dates, Facts, Files, Held, Kept, RowIdGaps, Sync, of_nanoseconds};
use crate::compare::{CompareError, FIRST_IPHONE, Month};
use crate::model::{Availability, ConversationKind};
use crate::pipeline::crew::{self, Claims, lock};
use crate::pipeline::fingerprint::{Fingerprint, GuidKey, Words};
use crate::pipeline::roster::{Roster, RosterEntry};
use crate::pipeline::{Progress, RowKind, attachment, is_hidden, is_text_message, row_kind};
use crate::source::{RawAttachment, RawMessage, Source};

/// Rows in a window.
const WINDOW: usize = 512;

/// `message.schedule_type` of what is to be sent later: its date is in the future.
const SCHEDULED: i64 = 2;

/// What stays of a row. Ordered so that rows that say the same stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    /// Which of the roster's conversations.
    conversation: u32,
    /// The start of its fingerprint; 0 where it is no message that has words.
    content: u64,
    rowid: i64,
    /// Nanoseconds since 2001; 0 where there is none.
    date: i64,
    service: Service,
    /// A message or announcement that is not in Recently Deleted (an archive keeps what is), nor waiting for the day on which it will be sent.
    is_there: bool,
    /// Files that hang on it.
    files: u32,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Service {
    IMessage,
    /// SMS, MMS, RCS: they come to the phone.
    Text,
    Other,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Here,
    InICloud {
        purged: bool,
    },
    Lost {
        unfinished: bool,
    },
    Expired,
    /// Not here, and nothing that people would see.
    Hidden,
}

/// What a worker gathers; gathered in any order, it comes to the same.
#[derive(Debug)]
struct Gathered<'a> {
    /// GUIDs of attachments that may have arrived.
    awaited: &'a HashSet<String>,
    /// The source is an archive, which keeps what is deleted elsewhere.
    keeps: bool,
    facts: Facts,
    seen: Vec<Seen>,
    files: Vec<(FileKey, Place, u64)>,
    /// By conversation and date.
    kept: Vec<((u32, i64, FileKey), Kept)>,
    /// Nanoseconds since 2001.
    waiting: Vec<i64>,
}

/// Tells attachments apart: by row id, and in databases that keep them in several tables, by name.
type FileKey = (i64, u128);

/// Reads everything.
pub(super) fn read(
    source: &dyn Source,
    roster: &Roster,
    around: &Surroundings,
    progress: &dyn Progress,
) -> Result<Facts, CompareError> {
    let mut entries: Vec<(u32, &RosterEntry)> = (0..).zip(&roster.conversations).collect();
    entries.sort_by_key(|(index, entry)| (std::cmp::Reverse(entry.rows), *index));
    progress.begin(entries.iter().map(|(_, entry)| entry.rows).sum());
    let claims = Claims::of(entries);
    let keeps = source.info().has_archive();
    let all = Mutex::new(Gathered::new(&around.awaited, keeps));
    crew::work(around.jobs, &claims.stop, || -> Result<(), CompareError> {
        let mut gathered = Gathered::new(&around.awaited, keeps);
        let mut session = source.session()?;
        loop {
            if progress.interrupted() {
                return Err(CompareError::Interrupted);
            }
            let claimed = claims.next(|(index, entry)| -> Result<_, CompareError> {
                let timeline = session.timeline(&entry.chats, WINDOW)?;
                let windows = timeline.len();
                Ok(((index, entry, timeline), windows))
            })?;
            let Some((thread, window)) = claimed else { break };
            let (index, entry, timeline) = &*thread;
            let rows = session.survey(timeline, window)?;
            progress.advance(rows.len() as u64);
            gathered.rows(*index, entry, rows, roster);
        }
        lock(&all).add(gathered);
        Ok(())
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner).finish(source, roster, around))
}

impl<'a> Gathered<'a> {
    fn new(awaited: &'a HashSet<String>, keeps: bool) -> Gathered<'a> {
        Gathered {
            awaited,
            keeps,
            facts: Facts::default(),
            seen: Vec::new(),
            files: Vec::new(),
            kept: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Takes in a window.
    fn rows(&mut self, conversation: u32, entry: &RosterEntry, mut rows: Vec<RawMessage>, roster: &Roster) {
        // A row that is in several places of the conversation; in Recently Deleted only if nowhere else.
        rows.dedup_by(|row, kept| {
            let again = row.rowid == kept.rowid;
            if again && row.deleted.is_none() {
                kept.deleted = None;
            }
            again
        });
        let is_orphaned = entry.conversation.kind == ConversationKind::Orphaned;
        rows.iter().for_each(|row| self.row(conversation, row, is_orphaned, roster));
    }

    fn row(&mut self, conversation: u32, row: &RawMessage, is_orphaned: bool, roster: &Roster) {
        self.facts.rows += 1;
        self.facts.orphans += u64::from(is_orphaned);
        if row.unreadable {
            self.facts.unreadable += 1;
            return;
        }
        let words = Words::of(row);
        self.facts.damaged_bodies += u64::from(words.damaged);
        for address in &row.own_addresses {
            *self.facts.addresses.entry(address.clone()).or_default() += 1;
        }
        let kind = row_kind(row);
        let says = kind == RowKind::Own
            && row.item_type == 0
            && words.now.as_deref().is_some_and(|now| !now.is_empty());
        let sender = || roster.sender(row.handle_id).and_then(|sender| sender.handle.as_deref());
        let content = says.then(|| (Fingerprint::of(row, &words, sender()).0 >> 64) as u64);
        let service = row.service.as_deref().unwrap_or_default();
        let date = nanoseconds(row.date);
        let mut seen = Seen {
            conversation,
            content: content.unwrap_or(0),
            rowid: row.rowid,
            date,
            service: match service {
                "iMessage" | "iMessageLite" => Service::IMessage,
                text if is_text_message(text) => Service::Text,
                _ => Service::Other,
            },
            is_there: kind == RowKind::Own
                && (self.keeps || row.deleted.is_none())
                && row.schedule_type != SCHEDULED,
            files: 0,
            bytes: 0,
        };
        for raw in &row.attachments {
            let bytes = self.file(conversation, date, row, raw);
            seen.files += 1;
            seen.bytes = seen.bytes.saturating_add(bytes);
            if is_orphaned {
                self.facts.held.of_orphans.add(bytes);
            }
        }
        self.seen.push(seen);
        self.sync(row, service, date, is_orphaned);
    }

    /// How it stands in Messages in iCloud (`messages-format.md` 14.2, 14.5).
    fn sync(&mut self, row: &RawMessage, service: &str, date: i64, is_orphaned: bool) {
        const SYNCED: [&str; 5] = ["iMessage", "SMS", "RCS", "SatelliteSMS", "iMessageLite"];
        let Some(state) = &row.sync else { return };
        let sync = &mut self.facts.sync;
        sync.known += 1;
        match state.record.as_deref() {
            Some("") => sync.emptied += 1,
            Some(_) => sync.with_record += 1,
            None => {}
        }
        let goes_up = SYNCED.contains(&service)
            && row.guid.as_deref().is_some_and(|guid| !guid.trim().is_empty())
            && !state.stays_here
            && row.schedule_type != SCHEDULED
            && row.deleted.is_none()
            && !is_orphaned;
        if goes_up {
            *sync.by_state.entry(state.state).or_default() += 1;
            sync.ranges_pending += u64::from(state.ranges_pending);
            if state.state == 0 {
                self.waiting.push(date);
            }
        }
    }

    /// Takes in a file, and says how large it is.
    fn file(&mut self, conversation: u32, date: i64, row: &RawMessage, raw: &RawAttachment) -> u64 {
        let file = attachment(raw, row);
        let bytes = file.bytes.unwrap_or(0);
        let place = match file.availability {
            Availability::Local => Place::Here,
            _ if is_hidden(raw) => Place::Hidden,
            Availability::Expired => Place::Expired,
            Availability::InICloud => Place::InICloud { purged: raw.transfer_state == 0 },
            Availability::Missing => Place::Lost { unfinished: raw.transfer_state != 5 },
        };
        if !is_hidden(raw) {
            *self.facts.sync.attachments_by_state.entry(raw.ck_sync_state).or_default() += 1;
        }
        let name = raw.guid.as_deref().or(raw.filename.as_deref());
        let key = (raw.rowid, name.map_or(0, |name| GuidKey::of(name).0));
        self.files.push((key, place, bytes));
        if place == Place::Here
            && let Some(guid) = raw.guid.as_ref().filter(|guid| self.awaited.contains(*guid))
        {
            self.facts.arrived.insert(guid.clone());
        }
        if matches!(place, Place::InICloud { .. } | Place::Lost { .. }) {
            let kept = Kept {
                guid: file.guid,
                message: row.guid.clone(),
                date: of_nanoseconds(date).filter(|_| date != 0),
                name: file.name,
                bytes,
                availability: file.availability,
            };
            self.kept.push(((conversation, date, key), kept));
        }
        bytes
    }

    fn add(&mut self, more: Gathered<'_>) {
        let (facts, other) = (&mut self.facts, more.facts);
        facts.rows += other.rows;
        facts.orphans += other.orphans;
        facts.unreadable += other.unreadable;
        facts.damaged_bodies += other.damaged_bodies;
        facts.held.of_orphans.items += other.held.of_orphans.items;
        facts.held.of_orphans.bytes = facts.held.of_orphans.bytes.saturating_add(other.held.of_orphans.bytes);
        for (address, rows) in other.addresses {
            *facts.addresses.entry(address).or_default() += rows;
        }
        facts.arrived.extend(other.arrived);
        facts.sync.add(other.sync);
        self.seen.extend(more.seen);
        self.files.extend(more.files);
        self.kept.extend(more.kept);
        self.waiting.extend(more.waiting);
    }

    fn finish(mut self, source: &dyn Source, roster: &Roster, around: &Surroundings) -> Facts {
        let mut facts = self.facts;
        self.waiting.sort_unstable();
        facts.sync.waiting = self.waiting.into_iter().filter_map(of_nanoseconds).collect();
        self.files.sort_unstable();
        self.files.dedup_by_key(|(key, ..)| *key);
        self.files.iter().for_each(|(_, place, bytes)| facts.held.take_in(*place, *bytes));
        self.kept.sort_by_key(|(place, _)| *place);
        let mut named = HashSet::new();
        let mut kept: BTreeMap<u32, Vec<Kept>> = BTreeMap::new();
        for ((conversation, _, key), file) in self.kept {
            if named.insert(key) {
                kept.entry(conversation).or_default().push(file);
            }
        }
        let conversation = |index: u32| Some(roster.conversations.get(index as usize)?.conversation.clone());
        facts.kept_elsewhere =
            kept.into_iter().filter_map(|(index, files)| Some((conversation(index)?, files))).collect();
        facts.take_in(self.seen, around);
        facts.sync.of_attachments = source.says().sync;
        facts
    }
}

impl Sync {
    fn add(&mut self, more: Sync) {
        self.known += more.known;
        self.with_record += more.with_record;
        self.emptied += more.emptied;
        self.ranges_pending += more.ranges_pending;
        for (state, rows) in more.by_state {
            *self.by_state.entry(state).or_default() += rows;
        }
        for (state, files) in more.attachments_by_state {
            *self.attachments_by_state.entry(state).or_default() += files;
        }
    }
}

impl Held {
    fn take_in(&mut self, place: Place, bytes: u64) {
        let files: &mut Files = match place {
            Place::Here => &mut self.here,
            Place::InICloud { purged } => {
                self.purged += u64::from(purged);
                &mut self.in_icloud
            }
            Place::Lost { unfinished } => {
                self.unfinished += u64::from(unfinished);
                &mut self.lost
            }
            Place::Expired => &mut self.expired,
            Place::Hidden => &mut self.hidden,
        };
        files.add(bytes);
    }
}

impl Facts {
    fn take_in(&mut self, mut seen: Vec<Seen>, around: &Surroundings) {
        seen.sort_unstable();
        for pair in seen.windows(2) {
            let [a, b] = pair else { continue };
            let again = (a.conversation, a.content) == (b.conversation, b.content) && a.rowid != b.rowid;
            if again && b.content != 0 {
                self.duplicates += 1;
                self.held.of_duplicates.items += u64::from(b.files);
                self.held.of_duplicates.bytes = self.held.of_duplicates.bytes.saturating_add(b.bytes);
            }
        }
        let there = || seen.iter().filter(|row| row.is_there && row.date >= FIRST_IPHONE);
        let sorted = |service: Option<Service>| {
            let mut dates: Vec<i64> = there()
                .filter(|row| service.is_none_or(|service| row.service == service))
                .map(|row| row.date)
                .collect();
            dates.sort_unstable();
            dates
        };
        self.texts = Dates::of(&sorted(Some(Service::Text)));
        self.imessages = Dates::of(&sorted(Some(Service::IMessage)));
        let all = sorted(None);
        self.all = Dates::of(&all);
        self.first = all.first().copied().and_then(of_nanoseconds);
        self.last = all.last().copied().and_then(of_nanoseconds);
        for date in all.into_iter().filter_map(of_nanoseconds) {
            let local = date.with_timezone(&around.zone);
            let month = Month { year: local.year(), month: local.month() as u8 };
            *self.months.entry(month).or_default() += 1;
        }
        let mut rowids: Vec<i64> = seen.iter().map(|row| row.rowid).collect();
        rowids.sort_unstable();
        rowids.dedup();
        self.missing_rowids = RowIdGaps::of(&rowids);
    }
}

/// A raw date as nanoseconds since 2001; 0 where there is none, and of what is far beyond any calendar.
fn nanoseconds(raw: i64) -> i64 {
    match raw.unsigned_abs() {
        1_000_000_000_000.. => raw,
        _ => raw.saturating_mul(1_000_000_000),
    }
}
