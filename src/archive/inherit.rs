//! What another archive knows of the past: former states of its rows, who was in its chats, and what its sources lost.

mod devices;
mod held;
mod identifiers;
mod lost;
mod parts;
mod places;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::attested::{Attested, AttestedNotes, Refused, hash_at, name_of, written};
use super::damage::Damaged;
use super::deleted_parts::DELETED_PARTS;
use super::deletions::STATES;
use super::guess::GUESSED;
use super::identifiers::IDENTIFIERS;
use super::joins::Joining;
use super::kind::{JOINS, Kind};
use super::moves::FORMER_PLACES;
use super::participants::{self, PARTICIPANTS, Stay};
use super::people;
use super::places::number;
use super::recovered::{FORMER_PARTS, FormerPart, PARTS, Recovered};
use super::row::text_at;
use super::scan::Wanted;
use super::schema::{Columns, version_table};
use super::spelling::Spelling;
use super::sums::{ABSENCES, ALIASES, INHERITED};
use super::take::Taker;
use super::visit::{Ids, Visit};
use crate::source::contacts::CARDS;
use crate::source::tables::Tables;

/// Takes over what the archive `tables` has of the past, since it was asked last; after its messages were taken.
pub struct Heir<'c> {
    connection: &'c Connection,
    columns: &'c Columns,
    tables: &'c Tables,
    visit: Visit<'c>,
    /// The last of its runs that is a run of this archive.
    shared: i64,
    /// Which of its sources are this archive: whoever asks first looks at all that it has.
    itself: OnceCell<HashSet<i64>>,
    /// Of a copy of this archive, the devices that both know.
    devices: OnceCell<devices::Devices>,
    /// Of what is noted there, what was written.
    notes: AttestedNotes<'c>,
}

/// The runs of an archive.
const RUNS: &str = "msgarchive_run";

/// The kinds whose former states are handed on.
const HANDED_ON: [Kind; 3] = [Kind::Chat, Kind::Attachment, Kind::Message];

impl<'c> Heir<'c> {
    /// # Errors
    /// What SQLite says.
    pub fn of(
        connection: &'c Connection,
        columns: &'c Columns,
        tables: &'c Tables,
        visit: Visit<'c>,
    ) -> Result<Heir<'c>, ArchiveError> {
        let shared = shared_runs(connection, tables)?;
        let notes = AttestedNotes::of(tables)?;
        Ok(Heir {
            connection,
            columns,
            tables,
            visit,
            shared,
            itself: OnceCell::new(),
            devices: OnceCell::new(),
            notes,
        })
    }

    /// All that it knows of the past. What is shown stays as it is. How many messages got a former state.
    pub fn all(&self, handles: &Ids, refused: &mut Refused) -> Result<u64, ArchiveError> {
        let of_messages = self.versions(handles, refused)?;
        if self.notes.vouch_for(PARTICIPANTS, refused)? {
            self.participants()?;
        }
        if self.notes.vouch_for(IDENTIFIERS, refused)? {
            self.identifiers()?;
        }
        if self.notes.vouch_for(FORMER_PLACES, refused)? {
            self.former_places()?;
        }
        if self.notes.vouch_for(FORMER_PARTS, refused)? {
            self.former_parts()?;
        }
        if self.notes.vouch_for(DELETED_PARTS, refused)? {
            self.deleted_parts()?;
        }
        if self.notes.vouch_for(ALIASES, refused)? {
            self.aliases()?;
        }
        let [absences, states, guesses] =
            [ABSENCES, STATES, GUESSED].map(|table| self.notes.vouch_for(table, refused));
        if absences? && states? && guesses? {
            self.absences()?;
        }
        Ok(of_messages)
    }

    /// Whether the cards that it keeps are those that were written.
    pub fn cards(&self, refused: &mut Refused) -> Result<bool, ArchiveError> {
        let damaged = people::damaged_there(self.tables)?;
        damaged.iter().for_each(|name| refused.card(name));
        Ok(self.notes.vouch_for(CARDS, refused)? && damaged.is_empty())
    }

    /// It is a copy of this archive, and as far as the last run that they share the past of both is the same.
    pub fn is_copy(&self) -> bool {
        self.shared > 0
    }

    /// Former states of messages, chats and attachments. What is shown stays as it is. How many messages got one.
    fn versions(&self, handles: &Ids, refused: &mut Refused) -> Result<u64, ArchiveError> {
        let mut of_messages = 0;
        for kind in HANDED_ON {
            let taken = self.versions_of(kind, handles, refused)?;
            of_messages += if kind == Kind::Message { taken } else { 0 };
        }
        Ok(of_messages)
    }

    fn versions_of(&self, kind: Kind, handles: &Ids, refused: &mut Refused) -> Result<u64, ArchiveError> {
        let name = version_table(kind);
        let Some(table) = self.tables.table(&name) else { return Ok(0) };
        let spelling = Spelling::new(kind, Wanted::of(kind, table), self.visit, handles);
        let mut names: Vec<&str> = spelling.wanted.names.iter().map(String::as_str).collect();
        let of_row = names.len();
        names.extend(["msgarchive_id", "msgarchive_hash", "msgarchive_since", "msgarchive_until"]);
        let none = Damaged::new();
        let mut taker =
            Taker::new(self.connection, self.columns, &spelling, self.visit, &none).map_err(self.failed())?;
        let before = self.inherited(kind).map_err(self.failed())?;
        let (mut last, mut taken) = (before, 0);
        let mut is_all = true;
        self.tables.reader().rows(table, &names, before.saturating_add(1)..=i64::MAX, |row| {
            let values: Vec<ValueRef<'_>> = (0..of_row).map(|at| row.value(at)).collect();
            if hash_at(row, of_row + 1) != Some(written(kind, &spelling.wanted, &values)) {
                refused.former_state(kind, &name_of(kind, &spelling.wanted, &values));
                is_all = false;
                return Ok(());
            }
            // It was given up there: what lies there is not what it was.
            if number(row.value(of_row + 2)) > number(row.value(of_row + 3)) {
                last = if is_all { row.rowid() } else { last };
                return Ok(());
            }
            let of = number(row.value(of_row));
            let here = self.here(kind, of).map_err(self.failed())?;
            is_all = is_all && (here.is_some() || !self.is_to_come(kind, of)?);
            // Once that is mended, it is taken over, and what came after it is known.
            if is_all {
                last = row.rowid();
            }
            if let Some(id) = here {
                let inherited = spelling.spell(values, |former| taker.inherit(id, former));
                taken += u64::from(inherited.map_err(self.failed())?);
            }
            Ok::<(), ArchiveError>(())
        })?;
        if last != before {
            self.note_inherited(kind, last).map_err(self.failed())?;
        }
        Ok(taken)
    }

    /// A row of it was not taken that was written there: it is damaged, or gone, and comes once that is mended.
    fn is_to_come(&self, kind: Kind, rowid: i64) -> Result<bool, ArchiveError> {
        Ok(Attested::read(self.tables, kind, &[rowid])?.knows(rowid))
    }

    /// Other GUIDs of its messages, unless they are messages here.
    fn aliases(&self) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(ALIASES) else { return Ok(()) };
        self.tables.reader().all(table, &["guid", "message"], |row| {
            let note = || -> rusqlite::Result<()> {
                let (ValueRef::Text(guid), Some(id)) =
                    (row.value(0), self.here(Kind::Message, number(row.value(1)))?)
                else {
                    return Ok(());
                };
                self.connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO msgarchive_alias (guid, message, run) SELECT ?1, ?2, ?3 \
                         WHERE NOT EXISTS (SELECT 1 FROM message WHERE guid = ?1)",
                    )?
                    .execute(params![String::from_utf8_lossy(guid), id, self.visit.run])?;
                Ok(())
            };
            note().map_err(self.failed())
        })
    }

    /// Parts that came back from Recently Deleted: of a source that does not know, they are not taken for deleted again.
    fn former_parts(&self) -> Result<(), ArchiveError> {
        let (Some(table), Some(join)) =
            (self.tables.table(FORMER_PARTS), JOINS.iter().find(|join| join.table == PARTS))
        else {
            return Ok(());
        };
        let mut former = Vec::new();
        let columns = ["message", "chat", "part", "delete_date", "part_text"];
        self.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let mut note = || -> rusqlite::Result<()> {
                let message = self.here(Kind::Message, number(row.value(0)))?;
                let chat = self.here(Kind::Chat, number(row.value(1)))?;
                if let (Some(message), Some(chat), ValueRef::Blob(text) | ValueRef::Text(text)) =
                    (message, chat, row.value(4))
                {
                    let what = (message, chat, number(row.value(2)));
                    former.push(FormerPart { what, date: number(row.value(3)), text: text.to_vec() });
                }
                Ok(())
            };
            note().map_err(self.failed())
        })?;
        let inherit = || -> rusqlite::Result<()> {
            let none = Damaged::new();
            let joining = Joining::new(self.connection, join, &join.identity(), &none, self.visit)?;
            let recovered = Recovered::new(self.connection, self.visit)?;
            recovered.inherit(&former, |identity| joining.remove(identity))
        };
        inherit().map_err(self.failed())
    }

    /// Who was in a chat and when, as far as nothing is known of them here.
    fn participants(&self) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(PARTICIPANTS) else { return Ok(()) };
        let runs = self.runs()?;
        let run = |of: ValueRef<'_>| runs.get(&number(of)).copied().unwrap_or(self.visit.run);
        let mut stays = Vec::new();
        let columns = ["chat", "handle", "since", "until"];
        self.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let mut note = || -> rusqlite::Result<()> {
                let chat = self.here(Kind::Chat, number(row.value(0)))?;
                let handle = self.here(Kind::Handle, number(row.value(1)))?;
                if let (Some(chat), Some(handle)) = (chat, handle) {
                    let until = Some(row.value(3)).filter(|until| *until != ValueRef::Null).map(run);
                    stays.push(Stay { chat, handle, since: run(row.value(2)), until });
                }
                Ok(())
            };
            note().map_err(self.failed())
        })?;
        participants::inherit(self.connection, &stays, self.visit.run).map_err(self.failed())
    }

    /// Its runs → the first run here that was no earlier.
    fn runs(&self) -> Result<HashMap<i64, i64>, ArchiveError> {
        let mut runs = HashMap::new();
        let Some(table) = self.tables.table(RUNS) else { return Ok(runs) };
        let here = || -> rusqlite::Result<Vec<(String, i64)>> {
            let mut here = self.connection.prepare("SELECT date, run FROM msgarchive_run")?;
            let here = here.query_map([], |row| Ok((text_at(row, 0)?.unwrap_or_default(), row.get(1)?)))?;
            here.collect()
        };
        let mut here = here().map_err(self.failed())?;
        here.sort_unstable();
        // A clock may have been wrong: the first of all that are no earlier. The run that is going on has no record yet.
        let mut first = self.visit.run;
        for (_, run) in here.iter_mut().rev() {
            first = first.min(*run);
            *run = first;
        }
        self.tables.reader().rows(table, &["date"], i64::MIN..=i64::MAX, |row| {
            let first = match row.value(0) {
                ValueRef::Text(date) => {
                    let at = here.partition_point(|(own, _)| own.as_bytes() < date);
                    here.get(at).map_or(self.visit.run, |(_, run)| *run)
                }
                _ => self.visit.run,
            };
            runs.insert(row.rowid(), first);
            Ok::<(), ArchiveError>(())
        })?;
        Ok(runs)
    }

    /// Where all of its rows are here.
    pub fn all_here(&self, kind: Kind) -> rusqlite::Result<Ids> {
        let mut all = self
            .connection
            .prepare("SELECT source_rowid, id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2")?;
        all.query_map([kind.number(), self.visit.source], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Where one of its rows is here.
    fn here(&self, kind: Kind, rowid: i64) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached(
                "SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?
            .query_row([kind.number(), self.visit.source, rowid], |row| row.get(0))
            .optional()
    }

    /// The last of its former states of a kind that was taken over.
    fn inherited(&self, kind: Kind) -> rusqlite::Result<i64> {
        let Visit { source, .. } = self.visit;
        let last = match kind {
            Kind::Message => self
                .connection
                .prepare("SELECT inherited FROM msgarchive_source WHERE source = ?1")?
                .query_row([source], |row| row.get(0)),
            _ => self
                .connection
                .prepare(&format!("SELECT last FROM {INHERITED} WHERE source = ?1 AND kind = ?2"))?
                .query_row([source, kind.number()], |row| row.get(0)),
        };
        last.optional().map(Option::unwrap_or_default)
    }

    fn note_inherited(&self, kind: Kind, last: i64) -> rusqlite::Result<()> {
        let Visit { source, .. } = self.visit;
        match kind {
            Kind::Message => self
                .connection
                .execute("UPDATE msgarchive_source SET inherited = ?2 WHERE source = ?1", [source, last])?,
            _ => self.connection.execute(
                &format!("INSERT OR REPLACE INTO {INHERITED} (source, kind, last) VALUES (?1, ?2, ?3)"),
                [source, kind.number(), last],
            )?,
        };
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> ArchiveError {
        ArchiveError::of(self.connection)
    }
}

/// The last run of another archive that is a run of this one; 0: there is none.
fn shared_runs(connection: &Connection, tables: &Tables) -> Result<i64, ArchiveError> {
    let mut last = 0;
    let Some(runs) = tables.table(RUNS) else { return Ok(last) };
    let mut is_own = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM msgarchive_run WHERE run = ?1 AND record = ?2)")
        .map_err(ArchiveError::of(connection))?;
    tables.reader().rows(runs, &["run", "record"], i64::MIN..=i64::MAX, |row| {
        if let (run, ValueRef::Text(record)) = (number(row.value(0)), row.value(1)) {
            let record = String::from_utf8_lossy(record);
            let is_own: bool = is_own
                .query_row(params![run, record], |row| row.get(0))
                .map_err(ArchiveError::of(connection))?;
            last = if is_own { run.max(last) } else { last };
        }
        Ok::<(), ArchiveError>(())
    })?;
    Ok(last)
}
