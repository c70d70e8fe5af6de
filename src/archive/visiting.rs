//! Takes in what one source has: rows, what joins them, what it has no more.

mod leading;
mod missing;
mod placed;

use std::collections::{BTreeSet, HashMap};

use roaring::RoaringTreemap;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use self::leading::Leading;
use self::placed::Put;
use super::ArchiveError;
use super::absence::UncertainAbsences;
use super::attested::{AttestedJoin, Refused};
use super::damage::{DamagedRows, UncertainNotes};
use super::deleted_parts::DeletedParts;
use super::had;
use super::incoming;
use super::inherit::Heir;
use super::joins::{Joining, follow_date};
use super::kind::{CARRIED, JOINS, Join, Kind, PLACES, RECENTLY_DELETED};
use super::named::name;
use super::participants::{NOW, Participants};
use super::placed::Placing;
use super::places::number;
use super::prepared::Prepared;
use super::record::Counts;
use super::recovered::{PARTS, Recovered};
use super::restored::Restored;
use super::scan::{Scan, Wanted};
use super::schema::{Columns, column_here};
use super::spelling::{Spelling, dangling};
use super::states::Taken;
use super::sums::first_together;
use super::take::{FORGET, LOOK_AGAIN, Taker};
use super::twins::Twins;
use super::vanished::VanishedRows;
use super::visit::{Ids, Visit};
use crate::pipeline::Progress;
use crate::source::SourceKind;

/// A source whose news are being taken in.
pub struct Visiting<'c> {
    pub connection: &'c Connection,
    pub columns: &'c Columns,
    pub prepared: &'c Prepared<'c>,
    pub visit: Visit<'c>,
    /// Of its past, where it is an archive.
    pub heir: &'c Heir<'c>,
    pub damaged: &'c DamagedRows,
    /// Messages of which it is not known any more when and why they are gone.
    pub uncertain_absences: &'c UncertainAbsences,
    pub doubtful_places: &'c UncertainNotes,
    /// Rows that the archive had, and of which it does not even have the hashes.
    pub vanished: &'c VanishedRows,
}

/// Where rows of the source are in the archive.
#[derive(Default)]
struct Whereabouts {
    handles: Ids,
    chats: Ids,
    attachments: Ids,
    /// Of the messages that are news: (row id, id in the archive), by row id.
    messages: Vec<(i64, i64)>,
    /// In the archive, those of them that are shown otherwise now.
    changed: Vec<i64>,
}

impl Whereabouts {
    /// Where the row is that a join names. `None`: a message that is no news.
    fn of(&self, kind: Kind, rowid: i64, source: i64) -> Option<i64> {
        let ids = match kind {
            Kind::Message => return self.messages.get(self.at(rowid)?).map(|(_, id)| *id),
            Kind::Handle => &self.handles,
            Kind::Chat => &self.chats,
            Kind::Attachment => &self.attachments,
        };
        Some(ids.get(&rowid).copied().unwrap_or_else(|| dangling(source, rowid)))
    }

    /// The place of a message among those that are news.
    fn at(&self, rowid: i64) -> Option<usize> {
        self.messages.binary_search_by_key(&rowid, |(rowid, _)| *rowid).ok()
    }
}

/// The rows of one kind that were taken.
#[derive(Default)]
struct TakenRows {
    /// (row id, id in the archive), by row id.
    touched: Vec<(i64, i64)>,
    /// Ids of messages that were known, and are shown otherwise now.
    changed: Vec<i64>,
    /// Ids of messages that were not.
    new: RoaringTreemap,
    /// Ids of rows that were not found where they had been.
    gone: Vec<i64>,
}

/// How many rows are taken between two looks at whether to stop.
const BREATH: usize = 1024;

impl Visiting<'_> {
    /// Takes everything, but what another archive has that is not what it once wrote.
    pub fn take_all(&self, counts: &mut Counts, progress: &dyn Progress) -> Result<Refused, ArchiveError> {
        let mut refused = Refused::default();
        let mut whereabouts = Whereabouts::default();
        let (mut gone, mut chats_gone, mut new_messages) = (Vec::new(), Vec::new(), RoaringTreemap::new());
        for (kind, scan) in &self.prepared.scans {
            let TakenRows { touched, changed, new, gone: lost } =
                self.take_kind(*kind, scan, &whereabouts, (counts, &mut refused), progress)?;
            match kind {
                Kind::Handle => whereabouts.handles = self.heir.all_here(*kind).map_err(self.failed())?,
                Kind::Chat => {
                    whereabouts.chats = self.heir.all_here(*kind).map_err(self.failed())?;
                    chats_gone = lost;
                    chats_gone.sort_unstable();
                    // Who is in a chat tells which conversation it is of.
                    for join in JOINS.iter().filter(|join| !join.of_messages()) {
                        self.take_join(join, &whereabouts, &mut Put::All, &mut refused)?;
                    }
                }
                Kind::Attachment => {
                    whereabouts.attachments = self.heir.all_here(*kind).map_err(self.failed())?;
                    let Prepared { contents, .. } = self.prepared;
                    let placing = Placing { connection: self.connection, visit: self.visit };
                    placing.note(contents, &whereabouts.attachments, counts).map_err(self.failed())?;
                }
                Kind::Message => {
                    whereabouts.messages = touched;
                    whereabouts.changed = changed;
                    new_messages = new;
                    gone = lost;
                }
            }
        }
        self.take_places(&whereabouts, &new_messages, &mut refused)?;
        for join in JOINS.iter().filter(|join| join.of_messages() && join.table != PLACES) {
            self.take_join(join, &whereabouts, &mut Put::All, &mut refused)?;
        }
        if let Some(mut twins) = Twins::of(self.connection, self.visit).map_err(self.failed())? {
            let came: Vec<i64> = self.prepared.contents.kept.iter().map(|kept| kept.rowid).collect();
            counts.filled_in += twins.hand_on(self.prepared.tables, &whereabouts.attachments, &came)?;
        }
        self.note_absences(&whereabouts.messages, &gone, &chats_gone)?;
        if self.is_archive() {
            counts.changed += self.heir.all(&whereabouts.handles, &mut refused)?;
        }
        self.note_version()?;
        Ok(refused)
    }

    /// A message of the source names a row that came after it.
    fn is_late(&self, message: i64) -> bool {
        self.prepared.scans.iter().any(|(_, scan)| scan.late.contains(&message))
    }

    fn is_archive(&self) -> bool {
        self.prepared.tables.info().kind == SourceKind::Archive
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> ArchiveError {
        ArchiveError::of(self.connection)
    }

    /// Takes the news of one kind.
    fn take_kind(
        &self,
        kind: Kind,
        scan: &Scan,
        Whereabouts { handles, chats, attachments, .. }: &Whereabouts,
        (counts, refused): (&mut Counts, &mut Refused),
        progress: &dyn Progress,
    ) -> Result<TakenRows, ArchiveError> {
        let Some(table) = self.prepared.tables.table(kind.table()) else { return Ok(TakenRows::default()) };
        let spelling = Spelling::new(kind, Wanted::of(kind, table), self.visit, handles);
        let damaged = self.damaged.of(kind);
        let mut taker = Taker::new(self.connection, self.columns, &spelling, self.visit, damaged)
            .map_err(self.failed())?;
        taker.look_for_vanished(self.vanished);
        taker.doubt_hashes(self.damaged.hashes_of(kind));
        // What is not there any more may come again under another GUID.
        self.forget(kind, scan).map_err(self.failed())?;
        if kind == Kind::Message && !self.visit.first && !scan.news.is_empty() {
            let (chats, carried) = (self.chats_of(scan, chats)?, self.carried_by(scan, attachments)?);
            let restored = Restored::new(self.connection, self.columns, self.visit.source, chats, carried);
            taker.look_for(restored.map_err(self.failed())?);
        }
        let mut touched = Vec::with_capacity(scan.news.len());
        let (mut changed, mut new) = (Vec::new(), RoaringTreemap::new());
        let mut postponed = Vec::new();
        for last in [false, true] {
            let rowids = if last { &std::mem::take(&mut postponed) } else { &scan.news };
            let from = (self.prepared.tables, table, &self.prepared.places);
            let unattested = incoming::each(from, &spelling, rowids, |incoming| {
                let rowid = incoming.rowid;
                let Some((id, taken)) = taker.take(incoming, last).map_err(self.failed())? else {
                    postponed.push(rowid);
                    return Ok(());
                };
                if kind == Kind::Message {
                    match taken {
                        Taken::New => {
                            counts.added += 1;
                            new.insert(id.cast_unsigned());
                        }
                        Taken::Changed => {
                            counts.changed += 1;
                            changed.push(id);
                        }
                        Taken::Same => {}
                    }
                }
                touched.push((rowid, id));
                if touched.len() % BREATH == 0 {
                    progress.advance(BREATH as u64);
                    if progress.interrupted() {
                        return Err(ArchiveError::Interrupted);
                    }
                }
                Ok(())
            })?;
            unattested.iter().for_each(|name| refused.row(kind, name));
        }
        touched.sort_unstable();
        progress.advance((touched.len() % BREATH) as u64);
        let mut gone = std::mem::take(&mut taker.displaced);
        gone.extend(&scan.missing);
        // What it was that is gone has to be certain.
        gone.retain(|(rowid, _)| !scan.unvouched.contains(&first_together(*rowid)));
        for id in taker.given_up() {
            refused.given_up((kind, id), &name(self.connection, kind, id).map_err(self.failed())?);
        }
        for id in taker.overwritten() {
            refused.overwritten(kind, &name(self.connection, kind, id).map_err(self.failed())?);
        }
        drop(taker);
        if self.is_archive() {
            for (_, id) in gone.drain(..) {
                refused.gone(kind, &name(self.connection, kind, id).map_err(self.failed())?);
            }
        }
        for id in &changed {
            follow_date(self.connection, self.columns, *id).map_err(self.failed())?;
        }
        Ok(TakenRows { touched, changed, new, gone: gone.into_iter().map(|(_, id)| id).collect() })
    }

    /// The source has these rows no more; of another archive, which lets go of none, that is told until it has.
    fn forget(&self, kind: Kind, scan: &Scan) -> rusqlite::Result<()> {
        if self.is_archive() {
            return Ok(());
        }
        let mut forget = self.connection.prepare_cached(FORGET)?;
        for (rowid, _) in &scan.missing {
            if kind == Kind::Message {
                had::note(self.connection, self.visit, *rowid)?;
            }
            forget.execute([kind.number(), self.visit.source, *rowid])?;
        }
        Ok(())
    }

    /// Row id → chat in the archive, of the messages that are news.
    fn chats_of(&self, scan: &Scan, chats: &Ids) -> Result<HashMap<i64, i64>, ArchiveError> {
        let mut found = HashMap::new();
        for name in [PLACES, RECENTLY_DELETED] {
            let Some(table) = self.prepared.tables.table(name) else { continue };
            self.prepared.tables.reader().rows(
                table,
                &["chat_id", "message_id"],
                i64::MIN..=i64::MAX,
                |row| {
                    let message = number(row.value(1));
                    if scan.news.binary_search(&message).is_ok()
                        && let Some(chat) = chats.get(&number(row.value(0)))
                    {
                        found.entry(message).or_insert(*chat);
                    }
                    Ok::<(), ArchiveError>(())
                },
            )?;
        }
        Ok(found)
    }

    /// Row id → attachments in the archive, of the messages that are news.
    fn carried_by(&self, scan: &Scan, attachments: &Ids) -> Result<HashMap<i64, Vec<i64>>, ArchiveError> {
        let mut found: HashMap<i64, Vec<i64>> = HashMap::new();
        let Some(table) = self.prepared.tables.table(CARRIED) else { return Ok(found) };
        let columns = ["message_id", "attachment_id"];
        self.prepared.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let message = number(row.value(0));
            if scan.news.binary_search(&message).is_ok()
                && let Some(attachment) = attachments.get(&number(row.value(1)))
            {
                found.entry(message).or_default().push(*attachment);
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(found)
    }

    /// Takes the rows of a join; of messages, only those that are news. `put`: of places, which of them.
    fn take_join(
        &self,
        join: &'static Join,
        whereabouts: &Whereabouts,
        put: &mut Put<'_, '_>,
        refused: &mut Refused,
    ) -> Result<(), ArchiveError> {
        let Some(table) = self.prepared.tables.table(join.table) else {
            return leading::says_nothing(self, join).map_err(self.failed());
        };
        if join.of_messages() && whereabouts.messages.is_empty()
            || join.ends.iter().any(|(column, _)| table.column(column).is_none())
        {
            return Ok(());
        }
        let columns = table.columns.iter();
        let (names, here): (Vec<&str>, Vec<String>) =
            columns.filter_map(|column| Some((column.name.as_str(), column_here(table, column)?))).unzip();
        let here: Vec<&str> = here.iter().map(String::as_str).collect();
        let ends: Vec<(usize, Kind)> = join
            .ends
            .iter()
            .filter_map(|(column, kind)| {
                Some((names.iter().position(|name| name.eq_ignore_ascii_case(column))?, *kind))
            })
            .collect();
        let damaged = self.damaged.joins_of(join);
        let mut joining =
            Joining::new(self.connection, join, &here, damaged, self.visit).map_err(self.failed())?;
        if self.damaged.are_wanting(join) {
            joining.move_nothing();
        }
        let mut participants = match join.table {
            NOW => Some(Participants::read(self.connection, self.visit).map_err(self.failed())?),
            _ => None,
        };
        let mut leading = Leading::of(self, join, &names).map_err(self.failed())?;
        let (owner, kind) = join.owner();
        let is_asked = |rowid: i64| whereabouts.of(kind, rowid, self.visit.source).is_some();
        let mut attested = AttestedJoin::read(self.prepared.tables, join, &names, is_asked)?;
        let mut twins = match join.table {
            CARRIED => Twins::of(self.connection, self.visit).map_err(self.failed())?,
            _ => None,
        };
        let mut recovered = match join.table {
            PARTS => Some(Recovered::new(self.connection, self.visit).map_err(self.failed())?),
            _ => None,
        };
        // Another archive tells of its own sources.
        let mut deleted_parts = (join.table == PARTS && !self.is_archive())
            .then(|| DeletedParts::new(self.connection, self.visit));
        let at = |column: &str| names.iter().position(|name| name.eq_ignore_ascii_case(column));
        let ([part, date], owner) = (["part_index", "delete_date"].map(at), at(owner));
        self.prepared.tables.reader().rows(table, &names, i64::MIN..=i64::MAX, |row| {
            if owner.is_some_and(|owner| !is_asked(number(row.value(owner)))) {
                return Ok(());
            }
            let mut values: Vec<ValueRef<'_>> = (0..names.len()).map(|at| row.value(at)).collect();
            if !attested.vouches_for(&values) {
                return Ok(());
            }
            let mut is_late = false;
            for (at, kind) in &ends {
                let Some(value) = values.get_mut(*at) else { return Ok(()) };
                is_late |= *kind == Kind::Message && self.is_late(number(*value));
                let Some(id) = whereabouts.of(*kind, number(*value), self.visit.source) else {
                    return Ok(());
                };
                *value = ValueRef::Integer(id);
            }
            if is_late {
                let mut nobody = values.clone();
                for (at, _) in ends.iter().filter(|(_, kind)| *kind != Kind::Message) {
                    nobody[*at] = ValueRef::Integer(dangling(self.visit.source, number(row.value(*at))));
                }
                if nobody != values {
                    joining.let_go(&nobody).map_err(self.failed())?;
                }
            }
            if let Some(leading) = &mut leading
                && !leading.note(&values).map_err(self.failed())?
            {
                return Ok(());
            }
            if let [(one, _), (other, _)] = &ends[..] {
                let [one, other] = [one, other].map(|at| values.get(*at).map_or(0, |value| number(*value)));
                let is_shown = match (&mut participants, &mut twins) {
                    (Some(participants), _) => participants.note(one, other),
                    (_, Some(twins)) => twins.has(one, other).map(|has| !has),
                    _ if !matches!(put, Put::All) => {
                        match owner.and_then(|at| whereabouts.at(number(row.value(at)))) {
                            Some(at) => put.wants(at, other, one),
                            None => Ok(false),
                        }
                    }
                    _ => Ok(true),
                };
                if !is_shown.map_err(self.failed())? {
                    return Ok(());
                }
                if let Some(recovered) = &mut recovered {
                    let value = |at: Option<usize>| {
                        at.and_then(|at| values.get(at)).map_or(0, |value| number(*value))
                    };
                    if let Some(deleted_parts) = &mut deleted_parts {
                        deleted_parts.note(other, value(part)).map_err(self.failed())?;
                    }
                    if !recovered.is_deleted((other, one, value(part)), value(date)) {
                        return Ok(());
                    }
                }
            }
            joining.put(&values).map_err(self.failed())
        })?;
        let wrong = attested.wrong();
        if let Some(participants) = participants {
            // Nobody left because what said that they are there is damaged.
            let chats = whereabouts.chats.iter().filter(|(rowid, _)| !wrong.contains(rowid));
            let chats = chats.map(|(_, id)| *id).collect();
            let hide = |chat, handle| joining.remove(&[chat, handle].map(ValueRef::Integer));
            participants.finish(&chats, hide).map_err(self.failed())?;
        }
        if let Some(leading) = leading {
            leading.finish(whereabouts, &wrong, &joining).map_err(self.failed())?;
        }
        if let Put::New(moves) = put {
            moves.distrust(wrong.iter().filter_map(|rowid| whereabouts.of(kind, *rowid, self.visit.source)));
        }
        self.refuse_joined(join, wrong, whereabouts, refused)?;
        if let Some(recovered) = recovered {
            let withdraw = |identity: &[ValueRef<'_>]| joining.remove(identity);
            recovered.finish(&whereabouts.changed, withdraw).map_err(self.failed())?;
        }
        if let Some(deleted_parts) = deleted_parts {
            let told = whereabouts.messages.iter().map(|(_, id)| *id);
            deleted_parts.finish(told).map_err(self.failed())?;
        }
        if damaged.is_empty() {
            return Ok(());
        }
        let owners = match join.owner().1 {
            Kind::Message => whereabouts.messages.iter().map(|(_, id)| *id).collect(),
            _ => whereabouts.chats.values().copied().collect(),
        };
        joining.sweep(&owners).map_err(self.failed())
    }

    /// Tells of what another archive says of these of its rows, and never wrote; they are looked at again until it is mended.
    fn refuse_joined(
        &self,
        join: &Join,
        wrong: BTreeSet<i64>,
        whereabouts: &Whereabouts,
        refused: &mut Refused,
    ) -> Result<(), ArchiveError> {
        let (kind, source) = (join.owner().1, self.visit.source);
        for rowid in wrong {
            // Of a message that is no news nothing was to be taken.
            let Some(id) = whereabouts.of(kind, rowid, source) else { continue };
            refused.joined(join, &name(self.connection, kind, id).map_err(self.failed())?);
            self.connection
                .prepare_cached(LOOK_AGAIN)
                .and_then(|mut again| again.execute([kind.number(), source, rowid]))
                .map_err(self.failed())?;
        }
        Ok(())
    }

    /// Takes over the version of the schema: the latest one seen.
    fn note_version(&self) -> Result<(), ArchiveError> {
        let Some(version) = &self.prepared.tables.info().schema_version else { return Ok(()) };
        let note = || -> rusqlite::Result<()> {
            self.connection.execute(
                "INSERT INTO _SqliteDatabaseProperties (key, value) VALUES ('_ClientVersion', ?1) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value \
                 WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)",
                [version],
            )?;
            Ok(())
        };
        note().map_err(self.failed())
    }
}
