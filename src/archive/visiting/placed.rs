//! Puts the messages that are news where the source has them.
//!
//! **Must never**: put one where it was before, because not all that the source says of it was asked.

use std::collections::{BTreeSet, HashMap};

use roaring::RoaringTreemap;
use rusqlite::types::ValueRef;

use super::{Visiting, Whereabouts};
use crate::archive::ArchiveError;
use crate::archive::attested::Refused;
use crate::archive::damage::Damaged;
use crate::archive::joins::Joining;
use crate::archive::kind::{JOINS, Join, Kind, PLACES, RECENTLY_DELETED};
use crate::archive::moves::{Chats, Doubts, Moves, Moving};
use crate::archive::places::number;
use crate::archive::spelling::dangling;

/// Of so many messages that may have moved it is asked at once where they are.
const AT_ONCE: usize = 1 << 16;

/// What is put of the places that a source tells.
pub(super) enum Put<'m, 'c> {
    /// All of them.
    All,
    /// What is new; the rest is to be asked.
    New(&'m mut Moves<'c>),
    /// (message, chat): these alone.
    These(&'m BTreeSet<(i64, i64)>),
}

impl Put<'_, '_> {
    /// Whether a row is put in. `at`: the place of the message among those that are news.
    pub(super) fn wants(&mut self, at: usize, message: i64, chat: i64) -> rusqlite::Result<bool> {
        match self {
            Put::All => Ok(true),
            Put::New(moves) => moves.note(at, message, chat),
            Put::These(these) => Ok(these.contains(&(message, chat))),
        }
    }
}

impl Visiting<'_> {
    /// Takes the places of messages. `new`: ids of those that this run brought.
    pub(super) fn take_places(
        &self,
        whereabouts: &Whereabouts,
        new: &RoaringTreemap,
        refused: &mut Refused,
    ) -> Result<(), ArchiveError> {
        let Some(places) = JOINS.iter().find(|join| join.table == PLACES) else { return Ok(()) };
        if whereabouts.messages.is_empty() {
            return Ok(());
        }
        if self.visit.first {
            return self.put_places(places, whereabouts, &mut Put::All, refused);
        }
        let doubts = Doubts {
            damaged: self.damaged.joins_of(places),
            are_wanting: self.damaged.are_wanting(places),
            elsewhere: self.doubtful_places,
        };
        let messages = &whereabouts.messages;
        let mut moves =
            Moves::read(self.connection, (self.visit, self.prepared.new), messages.len(), new, doubts)
                .map_err(self.failed())?;
        self.put_places(places, whereabouts, &mut Put::New(&mut moves), refused)?;
        let asked = moves.may_have_moved(messages).map_err(self.failed())?;
        let mut moving = Moving::default();
        for asked in asked.iter().map(u64::cast_signed).collect::<Vec<i64>>().chunks(AT_ONCE) {
            let now = self.chats_now(asked, whereabouts)?;
            moves.settle(&now, &mut moving).map_err(self.failed())?;
        }
        if !moving.show.is_empty() {
            // What is not what was written was told of.
            let mut told = Refused::default();
            self.put_places(places, whereabouts, &mut Put::These(&moving.show), &mut told)?;
        }
        let none = Damaged::new();
        let hide = || -> rusqlite::Result<()> {
            let joining = Joining::new(self.connection, places, &places.identity(), &none, self.visit)?;
            moving
                .hide
                .iter()
                .try_for_each(|(message, chat)| joining.remove(&[*message, *chat].map(ValueRef::Integer)))
        };
        hide().map_err(self.failed())
    }

    fn put_places(
        &self,
        places: &'static Join,
        whereabouts: &Whereabouts,
        put: &mut Put<'_, '_>,
        refused: &mut Refused,
    ) -> Result<(), ArchiveError> {
        self.take_join(places, whereabouts, put, refused)?;
        self.place_recently_deleted(places, whereabouts, put)
    }

    /// What is in Recently Deleted stays where it was.
    fn place_recently_deleted(
        &self,
        places: &'static Join,
        whereabouts: &Whereabouts,
        put: &mut Put<'_, '_>,
    ) -> Result<(), ArchiveError> {
        let Some(table) = self.prepared.tables.table(RECENTLY_DELETED) else { return Ok(()) };
        let names = ["chat_id", "message_id", "message_date"];
        let mut joining =
            Joining::new(self.connection, places, &names, self.damaged.joins_of(places), self.visit)
                .map_err(self.failed())?;
        if self.damaged.are_wanting(places) {
            joining.move_nothing();
        }
        let mut date =
            self.connection.prepare("SELECT date FROM message WHERE ROWID = ?1").map_err(self.failed())?;
        self.prepared.tables.reader().rows(table, &["chat_id", "message_id"], i64::MIN..=i64::MAX, |row| {
            let source = self.visit.source;
            let chat = whereabouts.of(Kind::Chat, number(row.value(0)), source);
            let message = whereabouts.of(Kind::Message, number(row.value(1)), source);
            if let (Some(chat), Some(message), Some(at)) =
                (chat, message, whereabouts.at(number(row.value(1))))
            {
                let mut place = || -> rusqlite::Result<()> {
                    if !put.wants(at, message, chat)? {
                        return Ok(());
                    }
                    let nobody = dangling(source, number(row.value(0)));
                    if nobody != chat && self.is_late(number(row.value(1))) {
                        joining.let_go(&[nobody, message].map(ValueRef::Integer))?;
                    }
                    let mut dates = date.query([message])?;
                    let date = dates.next()?.map_or(Ok(ValueRef::Null), |row| row.get_ref(0))?;
                    joining.put(&[ValueRef::Integer(chat), ValueRef::Integer(message), date])
                };
                place().map_err(self.failed())?;
            }
            Ok::<(), ArchiveError>(())
        })
    }

    /// In which chats the source has these messages: by all its rows of them, those that are no news, too.
    fn chats_now(&self, asked: &[i64], whereabouts: &Whereabouts) -> Result<Chats, ArchiveError> {
        let rows = || -> rusqlite::Result<HashMap<i64, i64>> {
            let mut of = self.connection.prepare(
                "SELECT source_rowid FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2 AND source = ?3",
            )?;
            let mut rows = HashMap::new();
            for id in asked {
                let rowids =
                    of.query_map([Kind::Message.number(), *id, self.visit.source], |row| row.get(0))?;
                for rowid in rowids {
                    rows.insert(rowid?, *id);
                }
            }
            Ok(rows)
        };
        let rows = rows().map_err(self.failed())?;
        let mut now = Chats::new();
        for name in [PLACES, RECENTLY_DELETED] {
            let Some(table) = self.prepared.tables.table(name) else { continue };
            let columns = ["chat_id", "message_id"];
            self.prepared.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
                if let Some(message) = rows.get(&number(row.value(1)))
                    && let Some(chat) = whereabouts.of(Kind::Chat, number(row.value(0)), self.visit.source)
                {
                    now.entry(*message).or_default().insert(chat);
                }
                Ok::<(), ArchiveError>(())
            })?;
        }
        Ok(now)
    }
}
