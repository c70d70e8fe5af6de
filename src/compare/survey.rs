//! Reading one side: every row of it becomes a [`Record`].

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::facts::{effect_of, is_unsynced, read_state, sending, takes_back};
use super::hashing::{self, Bytes, short};
use super::links::Link;
use super::reason::FIRST_IPHONE;
use super::record::{Aside, Author, Knows, Lists, Marks, NO_DATE, Place, Record, Verdict, nanoseconds};
use super::{CompareError, Options};
use crate::model::DeletionReason;
use crate::pipeline::crew::{self, Claims, lock};
use crate::pipeline::fingerprint::{Fingerprint, GuidKey, Words};
use crate::pipeline::roster::Roster;
use crate::pipeline::{Progress, RowKind, decode, is_text_message, row_kind};
use crate::source::{ChatId, RawMessage, Session, Several, Source, SourceKind, Timeline};

/// Rows in a window.
const WINDOW: usize = 512;

/// Sets of the owner's addresses that are told apart; beyond it a row says none.
const MOST_ACCOUNTS: usize = u16::MAX as usize - 1;

/// Services that are told apart. There are a handful.
const MOST_SERVICES: usize = u8::MAX as usize - 1;

/// All records of one side.
#[derive(Debug, Default)]
pub(super) struct Surveyed {
    /// Sorted; of each GUID one.
    pub records: Vec<Record>,
    /// What the records point at.
    pub lists: Lists,
    /// GUIDs that do not read as their key does.
    pub odd_guids: HashMap<u128, Box<str>>,
    /// The owner's addresses, by the number in a record less one.
    pub accounts: Vec<Vec<String>>,
    pub unreadable: u64,
    /// Attachments whose bytes were to be read, and could not be.
    pub unread_files: u64,
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
    /// The same of services.
    services: HashMap<String, u8>,
    /// Those that records point at, in the order in which they were found.
    asides: Vec<Aside>,
}

/// A row in short, and what is not in its record yet.
struct Short {
    record: Record,
    aside: Aside,
    unread_files: u64,
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
        let is_told = self.source.info().kind == SourceKind::Export;
        let says = self.source.says();
        let knows = Knows { replies: is_told || says.replies, effects: is_told || says.effects };
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner).finish(is_told, knows))
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
            let short = |row: &mut RawMessage| self.record(*conversation, window, row);
            let records: Vec<_> = rows.iter_mut().map(short).collect();
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

    /// Reads a row again, for what its record does not hold. `None`: it is not there as it was.
    pub fn again(
        &self,
        record: &Record,
        session: &mut dyn Session,
    ) -> Result<Option<RawMessage>, CompareError> {
        let Some(entry) = self.roster.conversations.get(record.conversation as usize) else {
            return Ok(None);
        };
        let timeline = session.timeline(&self.several.own_chats(self.place, &entry.chats), WINDOW)?;
        let rows = session.survey(&timeline, record.window as usize)?;
        Ok(rows.into_iter().find_map(|mut row| {
            let again = self.record(record.conversation, record.window as usize, &mut row)?.record;
            (again.guid == record.guid && again.content == record.content).then_some(row)
        }))
    }

    /// A row in short; `None` for one that cannot be read.
    fn record(&self, conversation: u32, window: usize, row: &mut RawMessage) -> Option<Short> {
        if row.unreadable {
            return None;
        }
        self.several.renumber(self.place, row);
        let words = Words::of(row);
        let sender = self.senders.get(&row.handle_id).filter(|_| !row.is_from_me);
        let content = Fingerprint::of(row, &words, sender.map(String::as_str));
        let guid = row.guid.as_deref().filter(|guid| !guid.is_empty()).map_or(0, |guid| GuidKey::of(guid).0);
        let service = row.service.as_deref().unwrap_or_default();
        let selection = &self.options.selection;
        let of_service = selection.services.is_empty()
            || selection.services.iter().any(|wanted| wanted.eq_ignore_ascii_case(service));
        let is_selected = of_service && !selection.rules_out_date(decode::date::instant(row.date));
        let author = match row.is_from_me {
            true => Author::OWNER,
            false => self.roster.person(row.handle_id).map_or(Author::UNKNOWN, |(n, _)| Author::person(n)),
        };
        let bytes = match self.options.deep {
            true => Bytes::Read,
            false => Bytes::AsKnown,
        };
        let (files, unread_files) = hashing::files(row, self.names_are_hashes(), bytes);
        let aside = Aside {
            subject: row.subject.as_deref().map(str::trim).map_or(0, short),
            edited: words.edited,
            first: words.first_of_edited().map_or(0, short),
            versions: hashing::versions(&words.versions),
            unsent: if takes_back(row) { 1 } else { hashing::parts(&words.unsent) },
            files,
            effect: effect_of(row).map_or(0, |effect| short(effect.name())),
            link: Link::of(row),
        };
        let folds = matches!(row_kind(row), RowKind::Vote | RowKind::Update) || takes_back(row);
        let record = Record {
            guid: [(guid >> 64) as u64, guid as u64],
            place: self.place_of(row),
            conversation,
            date: nanoseconds(row.date),
            content: (content.0 >> 64) as u64,
            text: hashing::said(row, &words),
            author,
            account: 0,
            kind: row_kind(row),
            service: 0,
            read: read_state(row),
            sending: sending(row),
            marks: Marks::of(&[
                (Marks::TEXT_MESSAGE, is_text_message(service)),
                (Marks::UNSYNCED, is_unsynced(row)),
                (Marks::TOLD, row.exported.is_some()),
                (Marks::FOLDS, folds),
                (Marks::SCHEDULED, row.schedule_type != 0),
                (Marks::ANNOUNCES, row.item_type != 0),
                (Marks::SELECTED, is_selected),
                (Marks::GUESSED, row.deletion_guessed),
            ]),
            verdict: Verdict::Alone,
            window: u32::try_from(window).unwrap_or(u32::MAX),
            aside: 0,
        };
        Some(Short { record, aside, unread_files })
    }

    /// A content's name is the hash of its bytes.
    fn names_are_hashes(&self) -> bool {
        self.source.info().kind == SourceKind::Archive
    }
}

impl Found {
    fn take_in(&mut self, records: Vec<Option<Short>>, rows: &[RawMessage]) {
        for (short, row) in records.into_iter().zip(rows) {
            let Some(Short { mut record, aside, unread_files }) = short else {
                self.surveyed.unreadable += 1;
                continue;
            };
            self.surveyed.unread_files += unread_files;
            if !row.own_addresses.is_empty() {
                record.account = self.account(&row.own_addresses);
            }
            if let Some(service) = row.service.as_deref().filter(|service| !service.is_empty()) {
                record.service = self.service(service);
            }
            if aside != Aside::default() {
                self.asides.push(aside);
                record.aside = u32::try_from(self.asides.len()).unwrap_or(0);
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

    fn service(&mut self, service: &str) -> u8 {
        if let Some(number) = self.services.get(service) {
            return *number;
        }
        if self.services.len() >= MOST_SERVICES {
            return 0;
        }
        let number = self.services.len() as u8 + 1;
        self.services.insert(service.to_owned(), number);
        number
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

    /// Numbers accounts, services and asides in their own order, whoever met them first, and sorts.
    fn finish(self, is_told: bool, knows: Knows) -> Surveyed {
        let Found { mut surveyed, accounts, services, asides } = self;
        let mut accounts: Vec<(Vec<String>, u16)> = accounts.into_iter().collect();
        accounts.sort_unstable();
        let mut services: Vec<(String, u8)> = services.into_iter().collect();
        services.sort_unstable();
        let new_accounts = numbered_anew(accounts.iter().map(|(_, met_as)| *met_as));
        let new_services = numbered_anew(services.iter().map(|(_, met_as)| *met_as));
        surveyed.accounts = accounts.into_iter().map(|(addresses, _)| addresses).collect();
        let services = services.into_iter().map(|(service, _)| service).collect();
        for record in &mut surveyed.records {
            record.account = new_accounts.get(usize::from(record.account)).copied().unwrap_or(0);
            record.service = new_services.get(usize::from(record.service)).copied().unwrap_or(0);
        }
        let met = Lists::new(asides, Vec::new(), is_told, knows);
        let order = |record: &Record| (Record { aside: 0, ..*record }, met.aside(record));
        surveyed.records.sort_unstable_by_key(order);
        surveyed.records.dedup_by(|again, kept| again.guid == kept.guid && again.guid != [0; 2]);
        let mut asides = Vec::new();
        for record in surveyed.records.iter_mut().filter(|record| record.aside != 0) {
            asides.push(met.aside(record));
            record.aside = u32::try_from(asides.len()).unwrap_or(0);
        }
        surveyed.lists = Lists::new(asides, services, is_told, knows);
        surveyed
    }
}

/// By the number that something was met under, from 1 on, the one that it has now.
fn numbered_anew<N: Copy + Default + TryFrom<usize>>(met: impl ExactSizeIterator<Item = N>) -> Vec<N>
where
    usize: From<N>,
{
    let mut numbers = vec![N::default(); met.len() + 1];
    for (met_as, number) in met.zip(1..) {
        if let (Some(entry), Ok(number)) = (numbers.get_mut(usize::from(met_as)), N::try_from(number)) {
            *entry = number;
        }
    }
    numbers
}

/// The bits of a record's GUID.
pub(super) fn key_of(record: &Record) -> u128 {
    u128::from(record.guid[0]) << 64 | u128::from(record.guid[1])
}

/// In a chat, or kept by an archive, with a date.
pub(super) fn is_dated(record: &Record) -> bool {
    record.date != NO_DATE && record.place != Place::RecentlyDeleted
}
