//! Reading one side: every row of it becomes a [`Record`].

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::reason::FIRST_IPHONE;
use super::record::{NO_DATE, Place, Read, Record, Verdict, nanoseconds};
use super::{CompareError, Options};
use crate::model::DeletionReason;
use crate::pipeline::crew::{self, Claims, lock};
use crate::pipeline::fingerprint::{Fingerprint, GuidKey, Words};
use crate::pipeline::roster::Roster;
use crate::pipeline::{Progress, RowKind, decode, is_hidden, is_local, is_text_message, row_kind};
use crate::source::{ChatId, RawMessage, Session, Several, Source, Timeline};

/// Rows in a window.
const WINDOW: usize = 512;

/// Sets of the owner's addresses that are told apart; beyond it a row says none.
const MOST_ACCOUNTS: usize = u16::MAX as usize - 1;

/// All records of one side.
#[derive(Debug, Default)]
pub(super) struct Surveyed {
    /// Sorted; of each GUID one.
    pub records: Vec<Record>,
    /// GUIDs that do not read as their key does.
    pub odd_guids: HashMap<u128, Box<str>>,
    /// The owner's addresses, by the number in a record less one.
    pub accounts: Vec<Vec<String>>,
    pub unreadable: u64,
}

impl Surveyed {
    /// Records that are no tapbacks, votes or updates.
    pub fn messages(&self) -> u64 {
        self.records.iter().filter(|record| !record.hangs()).count() as u64
    }

    /// Their dates, as far as those can be believed; of what is in Recently Deleted, too.
    pub fn dates(&self) -> impl Iterator<Item = i64> {
        self.records.iter().map(|record| record.date).filter(|date| *date >= FIRST_IPHONE)
    }
}

/// How one side is read.
pub(super) struct Survey<'a> {
    /// Which of the several sources.
    pub place: usize,
    pub source: &'a dyn Source,
    /// It is an archive: what is deleted where it came from is here all the same.
    pub keeps: bool,
    pub several: &'a Several,
    pub roster: &'a Roster,
    /// The one spelling of each handle's address.
    pub senders: &'a HashMap<i64, String>,
    pub options: &'a Options,
    pub progress: &'a dyn Progress,
}

/// Which conversation of the roster, and its rows on this side.
type Thread = (u32, Timeline);
/// Conversations and their chats on this side, to be read.
type Reading = Claims<(u32, Vec<ChatId>), Thread>;

#[derive(Default)]
struct Found {
    surveyed: Surveyed,
    /// Sets of addresses, and their numbers in records until all are known.
    accounts: HashMap<Vec<String>, u16>,
}

impl Survey<'_> {
    /// Reads everything.
    pub fn run(&self) -> Result<Surveyed, CompareError> {
        let mut entries: Vec<_> = (0..).zip(&self.roster.conversations).collect();
        entries.sort_by_key(|(index, entry)| (Reverse(entry.rows), *index));
        let own = entries
            .into_iter()
            .map(|(index, entry)| (index, self.several.own_chats(self.place, &entry.chats)));
        // Longest first.
        let claims = Claims::of(own.filter(|(_, chats)| !chats.is_empty()).collect());
        let found = Mutex::new(Found::default());
        let rows = self.source.chats()?.iter().map(|chat| chat.rows).sum::<u64>();
        // Counted by the source itself, so that the room is what is needed.
        lock(&found).surveyed.records.reserve_exact(usize::try_from(rows).unwrap_or(0));
        crew::work(self.options.jobs, &claims.stop, || self.work(&claims, &found))?;
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner).finish())
    }

    fn work(&self, claims: &Reading, found: &Mutex<Found>) -> Result<(), CompareError> {
        let mut session = self.source.session()?;
        while let Some((thread, window)) = self.claim(claims, session.as_mut())? {
            let (conversation, timeline) = &*thread;
            let mut rows = session.survey(timeline, window)?;
            let read = rows.len() as u64;
            // A row that is in several places of the conversation; in Recently Deleted only if nowhere else.
            rows.dedup_by(|row, kept| {
                let again = row.rowid == kept.rowid;
                if again && row.deleted.is_none() {
                    kept.deleted = None;
                }
                again
            });
            let records: Vec<_> = rows.iter_mut().map(|row| self.record(*conversation, row)).collect();
            lock(found).take_in(records, &rows);
            self.progress.advance(read);
        }
        Ok(())
    }

    /// The next window, of the open conversation or of the next one. `None`: no more, or stopped.
    fn claim(
        &self,
        claims: &Reading,
        session: &mut dyn Session,
    ) -> Result<Option<(Arc<Thread>, usize)>, CompareError> {
        if self.progress.interrupted() {
            return Err(CompareError::Interrupted);
        }
        claims.next(|(conversation, chats)| {
            let timeline = session.timeline(&chats, WINDOW)?;
            let windows = timeline.len();
            Ok(((conversation, timeline), windows))
        })
    }

    fn place_of(&self, row: &RawMessage) -> Place {
        match row.deleted {
            None => Place::There,
            // Of one that only the device itself speaks of, nothing else is said.
            Some(_) if !self.keeps && row.deletion_reason == DeletionReason::RecentlyDeleted => {
                Place::RecentlyDeleted
            }
            Some(_) => Place::Kept(row.deletion_reason),
        }
    }

    /// A row in short; `None` for one that cannot be read. Its account is not known yet.
    fn record(&self, conversation: u32, row: &mut RawMessage) -> Option<Record> {
        if row.unreadable {
            return None;
        }
        self.several.renumber(self.place, row);
        let words = Words::of(row);
        let sender = self.senders.get(&row.handle_id).filter(|_| !row.is_from_me);
        let content = Fingerprint::of(row, &words, sender.map(String::as_str));
        let guid = row.guid.as_deref().filter(|guid| !guid.is_empty()).map_or(0, |guid| GuidKey::of(guid).0);
        let shown = || row.attachments.iter().filter(|attachment| !is_hidden(attachment));
        let short = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        let service = row.service.as_deref().unwrap_or_default();
        let selection = &self.options.selection;
        let of_service = selection.services.is_empty()
            || selection.services.iter().any(|wanted| wanted.eq_ignore_ascii_case(service));
        Some(Record {
            guid: [(guid >> 64) as u64, guid as u64],
            place: self.place_of(row),
            conversation,
            date: nanoseconds(row.date),
            content: (content.0 >> 64) as u64,
            text: words.now.as_deref().filter(|text| !text.is_empty()).map_or(0, text_hash),
            account: 0,
            kind: row_kind(row),
            attachments: short(shown().count()),
            present: short(shown().filter(|a| is_local(a) || a.left_out).count()),
            edited: words.edited,
            unsent: unsent_hash(&words.unsent),
            read: read_state(row),
            text_message: is_text_message(service),
            unsynced: is_unsynced(row),
            told: row.exported.is_some(),
            folds: matches!(row_kind(row), RowKind::Vote | RowKind::Update) || takes_back(row),
            selected: of_service && !selection.rules_out_date(decode::date::instant(row.date)),
            verdict: Verdict::Alone,
        })
    }
}

impl Found {
    fn take_in(&mut self, records: Vec<Option<Record>>, rows: &[RawMessage]) {
        for (record, row) in records.into_iter().zip(rows) {
            let Some(mut record) = record else {
                self.surveyed.unreadable += 1;
                continue;
            };
            if !row.own_addresses.is_empty() {
                record.account = self.account(&row.own_addresses);
            }
            if let Some(guid) = &row.guid {
                let key = key_of(&record);
                if !guid.is_empty() && *guid != GuidKey(key).as_uuid() {
                    self.surveyed.odd_guids.entry(key).or_insert_with(|| guid.as_str().into());
                }
            }
            self.surveyed.records.push(record);
        }
    }

    fn account(&mut self, addresses: &[String]) -> u16 {
        if let Some(number) = self.accounts.get(addresses) {
            return *number;
        }
        if self.accounts.len() >= MOST_ACCOUNTS {
            return 0;
        }
        let number = self.accounts.len() as u16 + 1;
        self.accounts.insert(addresses.to_vec(), number);
        number
    }

    /// Numbers the accounts in their own order, whoever met them first, and sorts.
    fn finish(self) -> Surveyed {
        let mut surveyed = self.surveyed;
        let mut accounts: Vec<(Vec<String>, u16)> = self.accounts.into_iter().collect();
        accounts.sort_unstable();
        let mut numbers = vec![0; accounts.len() + 1];
        for ((_, met_as), number) in accounts.iter().zip(1..) {
            if let Some(entry) = numbers.get_mut(usize::from(*met_as)) {
                *entry = number;
            }
        }
        surveyed.accounts = accounts.into_iter().map(|(addresses, _)| addresses).collect();
        for record in &mut surveyed.records {
            record.account = numbers.get(usize::from(record.account)).copied().unwrap_or(0);
        }
        surveyed.records.sort_unstable();
        surveyed.records.dedup_by(|again, kept| again.guid == kept.guid && again.guid != [0; 2]);
        surveyed
    }
}

/// The bits of a record's GUID.
pub(super) fn key_of(record: &Record) -> u128 {
    u128::from(record.guid[0]) << 64 | u128::from(record.guid[1])
}

/// Never 0.
fn text_hash(text: &str) -> u32 {
    let hash = Sha256::digest(text);
    hash.iter().take(4).fold(0, |bits, byte| bits << 8 | u32::from(*byte)).max(1)
}

/// 0 where nothing was taken back.
fn unsent_hash(parts: &[u32]) -> u8 {
    let bits = parts.iter().fold(0u32, |bits, part| bits.wrapping_mul(31).wrapping_add(part + 1));
    if parts.is_empty() { 0 } else { (bits % 255 + 1) as u8 }
}

/// Of what was sent it is known whether somebody's receipt came; of what was received whether the owner saw it.
fn read_state(row: &RawMessage) -> Read {
    match (row.is_read, row.date_read != 0) {
        (_, true) => Read::Yes,
        (None, false) => Read::Unknown,
        (Some(read), false) if read && !row.is_from_me => Read::Yes,
        (Some(_), false) => Read::No,
    }
}

/// Never uploaded from here, nor downloaded: no record of it, and not since a reset, which empties all
/// (`messages-format.md` 14.2).
fn is_unsynced(row: &RawMessage) -> bool {
    match &row.sync {
        Some(sync) => match (sync.state, sync.record.as_deref()) {
            (0, None) | (2, None | Some("")) => row_kind(row) == RowKind::Own,
            _ => false,
        },
        None => false,
    }
}

/// It takes a tapback back.
fn takes_back(row: &RawMessage) -> bool {
    row_kind(row) == RowKind::Tapback && row.associated_message_type >= 3000
}

/// In a chat, or kept by an archive, with a date.
pub(super) fn is_dated(record: &Record) -> bool {
    record.date != NO_DATE && record.place != Place::RecentlyDeleted
}
