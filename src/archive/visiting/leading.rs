//! Where identifiers lead in a source, as its rows are taken.

use std::collections::{BTreeSet, HashSet};

use rusqlite::types::ValueRef;

use super::{Visiting, Whereabouts};
use crate::archive::identifiers::{self, Identifiers, Lead};
use crate::archive::joins::Joining;
use crate::archive::kind::Join;
use crate::archive::places::number;

/// What the rows say of that.
pub(super) struct Leading<'c> {
    identifiers: Identifiers<'c>,
    /// The places of the chat, of the domain and of the identifier among the values of a row.
    places: [Option<usize>; 3],
}

impl<'c> Leading<'c> {
    /// `None`: another join. `names`: the columns of the rows.
    pub(super) fn of(
        visiting: &Visiting<'c>,
        join: &Join,
        names: &[&str],
    ) -> rusqlite::Result<Option<Leading<'c>>> {
        if join.table != identifiers::NOW {
            return Ok(None);
        }
        let is_changed = visiting.prepared.is_changed();
        let identifiers = Identifiers::read(visiting.connection, visiting.visit, is_changed)?;
        let at = |column: &str| names.iter().position(|name| name.eq_ignore_ascii_case(column));
        Ok(Some(Leading { identifiers, places: ["chat", "domain", "identifier"].map(at) }))
    }

    /// Notes down what a row says. Whether that is to be shown; what leads nowhere is as it comes.
    pub(super) fn note(&mut self, values: &[ValueRef<'_>]) -> rusqlite::Result<bool> {
        let [chat, domain, identifier] =
            self.places.map(|at| at.and_then(|at| values.get(at)).copied().unwrap_or(ValueRef::Null));
        match Lead::of(number(chat), domain, identifier) {
            Some(lead) => self.identifiers.note(&lead),
            None => Ok(true),
        }
    }

    /// All rows were told of. `wrong`: the chats (row ids) of which it is not certain what the source says.
    pub(super) fn finish(
        self,
        whereabouts: &Whereabouts,
        wrong: &BTreeSet<i64>,
        joining: &Joining<'_>,
    ) -> rusqlite::Result<()> {
        let (mut certain, mut distrusted) = (HashSet::new(), HashSet::new());
        for (rowid, chat) in &whereabouts.chats {
            if wrong.contains(rowid) { &mut distrusted } else { &mut certain }.insert(*chat);
        }
        self.identifiers.finish(&certain, &distrusted, |lead| joining.remove(&lead.identity()))
    }
}

/// The source has no table of this join.
pub(super) fn says_nothing(visiting: &Visiting<'_>, join: &Join) -> rusqlite::Result<()> {
    match join.table == identifiers::NOW {
        true => identifiers::says_nothing(visiting.connection, visiting.visit.source),
        false => Ok(()),
    }
}
