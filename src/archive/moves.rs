//! In which chats messages are: as each source has them, as the archive shows them, and as it once did.
//!
//! Apple's table says only where a message is now. So does the archive's; where it was, and until when, is noted beside it.
//! A message goes to another conversation by what changes in a source: one that has it elsewhere from the start, or has not
//! come to know yet what another one told before, changes nothing while some other source has it. Chats of one conversation
//! are one place: every device has its own. Where every source has a message where it is shown, which is nearly always,
//! nothing is noted at all.
//!
//! **Must never**: show a message in no chat that was in one; or forget that it was there.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use roaring::RoaringTreemap;
use rusqlite::{Connection, params};

use super::absence::predecessors;
use super::conversations::Conversations;
use super::damage::{Damaged, UncertainNotes};
use super::kind::{Kind, PLACES};
use super::sums::Totals;
use super::visit::Visit;

/// Since which run a message is in a chat, where that is not since it came.
pub const MOVED: &str = "msgarchive_moved";
/// The chats in which a source has a message, where those are others than are shown.
pub const ELSEWHERE: &str = "msgarchive_elsewhere";
/// In which chat a message was, since which run and until which one.
pub const FORMER_PLACES: &str = "msgarchive_former_place";

/// Which rows of the archive's table of places are booked.
const BOOK: &str = "msgarchive_chat_message_join";

/// Messages → the chats in which they are.
pub type Chats = BTreeMap<i64, BTreeSet<i64>>;

/// An earlier program showed a message that was moved in both chats: whatever moved is looked at again by the next run, once.
/// `totals`: those of the last record, from which on it is known that it was done.
pub fn look_again_at_moved(connection: &Connection, totals: &mut Totals) -> rusqlite::Result<()> {
    if totals.has(FORMER_PLACES) {
        return Ok(());
    }
    totals.change(FORMER_PLACES, 0);
    connection.execute(
        &format!(
            "UPDATE msgarchive_sighting SET fingerprint = NULL \
             WHERE kind = ?1 AND id IN (SELECT message FROM {MOVED})"
        ),
        [Kind::Message.number()],
    )?;
    Ok(())
}

/// What damage left uncertain of the places of messages.
#[derive(Clone, Copy)]
pub struct Doubts<'c> {
    /// Those of which a place is damaged or gone.
    pub damaged: &'c Damaged,
    /// Places are gone, and nobody can say of which messages.
    pub are_wanting: bool,
    /// Those of which it is not certain where sources had them.
    pub elsewhere: &'c UncertainNotes,
}

/// The chats in which a source has, or had last, a message.
pub fn chats_of(connection: &Connection, message: i64, source: i64) -> rusqlite::Result<BTreeSet<i64>> {
    let elsewhere = chats_elsewhere(connection, message, source)?;
    if !elsewhere.is_empty() {
        return Ok(elsewhere);
    }
    let mut shown =
        connection.prepare_cached(&format!("SELECT chat_id FROM {PLACES} WHERE message_id = ?1"))?;
    shown.query_map([message], |row| row.get(0))?.collect()
}

/// Of another archive: in which chat a message was, between which runs of this one.
#[derive(Debug, Clone, Copy)]
pub struct FormerPlace {
    pub message: i64,
    pub chat: i64,
    pub since: i64,
    pub until: i64,
}

/// Takes over where messages were that this run brought: of others this archive knows itself.
pub fn inherit(connection: &Connection, former: &[FormerPlace], run: i64) -> rusqlite::Result<()> {
    let mut note = connection.prepare(&format!(
        "INSERT INTO {FORMER_PLACES} (message, chat, since, until) \
         SELECT ?1, ?2, ?3, ?4 FROM msgarchive_message WHERE id = ?1 AND added = ?5 AND NOT EXISTS \
           (SELECT 1 FROM {FORMER_PLACES} WHERE message = ?1 AND chat = ?2 AND since = ?3 AND until = ?4)"
    ))?;
    former.iter().try_for_each(|FormerPlace { message, chat, since, until }| {
        note.execute([message, chat, since, until, &run]).map(drop)
    })
}

/// What is to be done so that messages are shown where the source has them now.
#[derive(Debug, Default)]
pub struct Moving {
    /// (message, chat) to be shown.
    pub show: BTreeSet<(i64, i64)>,
    /// (message, chat) to be shown no more.
    pub hide: BTreeSet<(i64, i64)>,
}

/// Compares in which chats a source has the messages that are news with those in which it had them.
pub struct Moves<'c> {
    connection: &'c Connection,
    visit: Visit<'c>,
    doubts: Doubts<'c>,
    /// No run read the source before.
    is_new: bool,
    predecessors: Vec<i64>,
    /// What this run brought: it is shown wherever the source has it.
    new: &'c RoaringTreemap,
    /// Where the source has what is shown elsewhere.
    elsewhere: Chats,
    /// By the place among the messages that are news, in how many of the chats the source has it in which it is shown.
    agreed: Vec<u8>,
    /// Messages that may have moved.
    asked: RoaringTreemap,
    places: OnceCell<Places>,
    /// Of which what another archive says of their places is not what it wrote.
    distrusted: HashSet<i64>,
}

impl<'c> Moves<'c> {
    /// `is_new`: no run read the source before. `messages`: how many are news.
    pub fn read(
        connection: &'c Connection,
        (visit, is_new): (Visit<'c>, bool),
        messages: usize,
        new: &'c RoaringTreemap,
        doubts: Doubts<'c>,
    ) -> rusqlite::Result<Moves<'c>> {
        let mut elsewhere = Chats::new();
        let mut all =
            connection.prepare(&format!("SELECT message, chat FROM {ELSEWHERE} WHERE source = ?1"))?;
        let mut rows = all.query([visit.source])?;
        while let Some(row) = rows.next()? {
            elsewhere.entry(row.get(0)?).or_default().insert(row.get(1)?);
        }
        Ok(Moves {
            connection,
            visit,
            is_new,
            predecessors: predecessors(connection, visit.source, visit.run)?,
            doubts,
            new,
            elsewhere,
            agreed: vec![0; messages],
            asked: RoaringTreemap::new(),
            places: OnceCell::new(),
            distrusted: HashSet::new(),
        })
    }

    /// The source has a message in a chat. Whether the row is to be put in as it comes: of what is noted, or is to be asked
    /// first, it is not. `at`: its place among the messages that are news.
    pub fn note(&mut self, at: usize, message: i64, chat: i64) -> rusqlite::Result<bool> {
        if self.new.contains(message.cast_unsigned()) {
            return Ok(true);
        }
        let is_doubtful = self.doubts.elsewhere.has(message);
        if self.doubts.damaged.contains(&message) && !is_doubtful {
            return Ok(!self.elsewhere.contains_key(&message));
        }
        let is_shown: bool = self
            .connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {BOOK} WHERE message_id = ?1 AND chat_id = ?2)"
            ))?
            .query_row([message, chat], |row| row.get(0))?;
        if self.doubts.damaged.contains(&message) && (is_shown || self.shown(message)?.is_empty()) {
            return Ok(true);
        }
        if self.elsewhere.contains_key(&message) || !is_shown && !self.is_shown_beside(message, chat)? {
            self.asked.insert(message.cast_unsigned());
            return Ok(false);
        }
        if let Some(agreed) = self.agreed.get_mut(at) {
            *agreed = agreed.saturating_add(1);
        }
        Ok(!is_shown)
    }

    /// Whether it is shown in another chat of the same conversation.
    fn is_shown_beside(&self, message: i64, chat: i64) -> rusqlite::Result<bool> {
        let places = self.places()?;
        Ok(places.all(&self.shown(message)?).contains(&places.of(chat)))
    }

    /// What was told of the places of these is not certain.
    pub fn distrust(&mut self, messages: impl IntoIterator<Item = i64>) {
        self.distrusted.extend(messages);
    }

    /// All places were told of: which messages may have moved. `messages`: those that are news.
    pub fn may_have_moved(&mut self, messages: &[(i64, i64)]) -> rusqlite::Result<RoaringTreemap> {
        let mut asked = std::mem::take(&mut self.asked);
        let known = if self.is_new { &[] } else { messages };
        let mut shown =
            self.connection.prepare(&format!("SELECT count(*) FROM {BOOK} WHERE message_id = ?1"))?;
        for (agreed, (_, message)) in self.agreed.iter().zip(known).filter(|(agreed, _)| **agreed > 0) {
            let is_all = shown.query_row([message], |row| row.get::<_, i64>(0))? == i64::from(*agreed);
            // From nowhere a source takes what it did not have there.
            if !is_all && self.had(*message)? {
                asked.insert(message.cast_unsigned());
            }
        }
        for message in &self.distrusted {
            asked.remove(message.cast_unsigned());
        }
        Ok(asked)
    }

    /// Notes where the source has messages now. `moving`: what is to be shown for it is added there.
    pub fn settle(&self, now: &Chats, moving: &mut Moving) -> rusqlite::Result<()> {
        for (message, now) in now.iter().filter(|(_, now)| !now.is_empty()) {
            self.settle_one(*message, now, moving)?;
        }
        Ok(())
    }

    fn settle_one(&self, message: i64, now: &BTreeSet<i64>, moving: &mut Moving) -> rusqlite::Result<()> {
        let places = self.places()?;
        let shown = self.shown(message)?;
        let others = self.others(message)?;
        let before = match self.had(message)? {
            true => Some(self.elsewhere.get(&message).unwrap_or(&shown)),
            false => None,
        };
        let mut then: BTreeSet<i64> = match before {
            Some(before) => {
                let gone = places.elsewhere(before, now);
                &(&shown - &gone) | &(now - before)
            }
            None if others.is_empty() => now | &(&shown - &places.elsewhere(&shown, now)),
            None if self.may_lack_one(message) && !places.are_apart(now, &shown) => {
                &shown | &places.elsewhere(now, &shown)
            }
            None => &shown | &(now - &places.elsewhere(now, &shown)),
        };
        if then.is_empty() {
            then.clone_from(now);
        }
        if then != shown {
            for other in others {
                let noted = chats_elsewhere(self.connection, message, other)?;
                let has = if noted.is_empty() { &shown } else { &noted };
                self.note_elsewhere(message, other, has, places.are_same(has, &then))?;
            }
            for chat in &shown - &then {
                self.note_former(message, chat)?;
                moving.hide.insert((message, chat));
            }
            moving.show.extend((&then - &shown).into_iter().map(|chat| (message, chat)));
        }
        self.note_elsewhere(message, self.visit.source, now, places.are_same(now, &then))
    }

    /// Whether damage may have taken one of several chats in which it was shown. A source that has it where it is shown still
    /// may say which.
    fn may_lack_one(&self, message: i64) -> bool {
        self.doubts.elsewhere.has(message)
            && (self.doubts.are_wanting || self.doubts.damaged.contains(&message))
    }

    /// Read once it is asked: of a source that has all where it is shown it is not.
    fn places(&self) -> rusqlite::Result<&Places> {
        if self.places.get().is_none() {
            let _ = self.places.set(Places::read(self.connection)?);
        }
        Ok(self.places.get_or_init(Places::default))
    }

    fn shown(&self, message: i64) -> rusqlite::Result<BTreeSet<i64>> {
        let mut shown =
            self.connection.prepare_cached(&format!("SELECT chat_id FROM {BOOK} WHERE message_id = ?1"))?;
        shown.query_map([message], |row| row.get(0))?.collect()
    }

    /// The other sources that have it, but for those that this one took the place of.
    fn others(&self, message: i64) -> rusqlite::Result<BTreeSet<i64>> {
        let mut others = self.connection.prepare_cached(
            "SELECT source FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2 AND source <> ?3",
        )?;
        let of = [Kind::Message.number(), message, self.visit.source];
        let mut others: BTreeSet<i64> =
            others.query_map(of, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        others.retain(|source| !self.predecessors.contains(source));
        Ok(others)
    }

    /// Whether the source had it before this run, and where is certain.
    fn had(&self, message: i64) -> rusqlite::Result<bool> {
        if self.doubts.elsewhere.has(message) {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting \
                   WHERE kind = ?1 AND id = ?2 AND source = ?3 AND since < ?4)",
            )?
            .query_row(params![Kind::Message.number(), message, self.visit.source, self.visit.run], |row| {
                row.get(0)
            })
    }

    /// Notes where it has it, unless it is shown there.
    fn note_elsewhere(
        &self,
        message: i64,
        source: i64,
        chats: &BTreeSet<i64>,
        is_shown: bool,
    ) -> rusqlite::Result<()> {
        let chats = if is_shown { &BTreeSet::new() } else { chats };
        let noted = chats_elsewhere(self.connection, message, source)?;
        let mut forget = self.connection.prepare_cached(&format!(
            "DELETE FROM {ELSEWHERE} WHERE message = ?1 AND source = ?2 AND chat = ?3"
        ))?;
        for chat in noted.difference(chats) {
            forget.execute([message, source, *chat])?;
        }
        let mut note = self.connection.prepare_cached(&format!(
            "INSERT INTO {ELSEWHERE} (message, source, chat) VALUES (?1, ?2, ?3)"
        ))?;
        for chat in chats.difference(&noted) {
            note.execute([message, source, *chat])?;
        }
        Ok(())
    }

    /// Notes until when it was in a chat, and since when.
    fn note_former(&self, message: i64, chat: i64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO {FORMER_PLACES} (message, chat, since, until) \
                 SELECT ?1, ?2, coalesce((SELECT run FROM {MOVED} WHERE message = ?1 AND chat = ?2), \
                   (SELECT added FROM msgarchive_message WHERE id = ?1), 0), ?3"
            ))?
            .execute([message, chat, self.visit.run])?;
        self.connection
            .prepare_cached(&format!("DELETE FROM {MOVED} WHERE message = ?1 AND chat = ?2"))?
            .execute([message, chat])?;
        Ok(())
    }
}

/// Which conversation each chat is of.
#[derive(Default)]
struct Places(HashMap<i64, usize>);

/// A conversation; or a chat that is of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Conversation(usize),
    Chat(i64),
}

impl Places {
    fn read(connection: &Connection) -> rusqlite::Result<Places> {
        let conversations = Conversations::read(connection, &[])?;
        let mut chats = connection.prepare("SELECT ROWID FROM chat")?;
        let mut places = Places::default();
        for chat in chats.query_map([], |row| row.get(0))? {
            let chat = chat?;
            places.0.extend(conversations.place_of_chat(chat).map(|place| (chat, place)));
        }
        Ok(places)
    }

    fn of(&self, chat: i64) -> Place {
        self.0.get(&chat).copied().map_or(Place::Chat(chat), Place::Conversation)
    }

    fn all(&self, chats: &BTreeSet<i64>) -> BTreeSet<Place> {
        chats.iter().map(|chat| self.of(*chat)).collect()
    }

    /// The chats that are of other places than any of those.
    fn elsewhere(&self, chats: &BTreeSet<i64>, than: &BTreeSet<i64>) -> BTreeSet<i64> {
        let there = self.all(than);
        chats.iter().copied().filter(|chat| !there.contains(&self.of(*chat))).collect()
    }

    /// Whether they have no place in common.
    fn are_apart(&self, one: &BTreeSet<i64>, other: &BTreeSet<i64>) -> bool {
        self.all(one).is_disjoint(&self.all(other))
    }

    fn are_same(&self, one: &BTreeSet<i64>, other: &BTreeSet<i64>) -> bool {
        self.all(one) == self.all(other)
    }
}

fn chats_elsewhere(connection: &Connection, message: i64, source: i64) -> rusqlite::Result<BTreeSet<i64>> {
    let mut chats = connection
        .prepare_cached(&format!("SELECT chat FROM {ELSEWHERE} WHERE message = ?1 AND source = ?2"))?;
    chats.query_map([message, source], |row| row.get(0))?.collect()
}
