//! Whether what is noted down beside the rows is as runs wrote it: the same sums in the tables, in `msgarchive_sum` and in
//! the last record.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::{Check, Problem, holders};
use crate::archive::ArchiveError;
use crate::archive::kind::Kind;
use crate::archive::named::{NAMED, name};
use crate::archive::noted::what_is_noted;
use crate::archive::sums::{
    ABSENCES, ALIASES, Digest, FILES, NOTES, Notes, OBJECTS, PLACED, SIGHTINGS, SOURCES, Sums, Totals,
    WrongSum, first_together, last_together, objects, total, written_digests, written_of,
};
use crate::archive::vanished::vanished;
use crate::pipeline::crew::lock;

impl Check<'_> {
    /// Every table that is vouched for by sums.
    /// `last`: the sums that the last record closes over; `None` where an earlier program wrote it.
    pub(super) fn sums(&self, connection: &Connection, last: Option<Totals>) -> Result<(), ArchiveError> {
        let compare = || -> rusqlite::Result<()> {
            let Some(totals) = last else { return Ok(()) };
            let written = written_digests(connection)?;
            if written.is_none() {
                let what = "msgarchive_sum is gone; the next `archive` run makes it of what there is then";
                self.found(Problem::of("note", what));
            }
            let is_written = |table: &str, digest: &Digest| match &written {
                Some(written) => written.get(table).copied().unwrap_or_default() == *digest,
                None => true,
            };
            let of = |table: &str, there: &Sums| match &written {
                Some(_) => written_of(connection, table),
                None => Ok(there.clone()),
            };
            for notes in &NOTES {
                // Of a table that is whole nothing is kept.
                let digest = notes.digest(connection)?;
                if digest.total == totals.of(notes.table) && is_written(notes.table, &digest) {
                    continue;
                }
                let there = notes.there(connection)?;
                let differing = self.differing(notes.table, &there, &of(notes.table, &there)?, &totals);
                if notes.table == Kind::Attachment.table() {
                    let rows =
                        differing.iter().filter_map(|about| Some((Kind::Attachment, about.parse().ok()?)));
                    lock(&self.damaged).rows.extend(rows);
                }
                for about in differing.iter().take(NAMED) {
                    self.note_is_damaged(connection, notes, about)?;
                }
                if differing.len() > NAMED {
                    let others = differing.len() - NAMED;
                    let what = format!(
                        "{} ({others} more, in {}) is not what was written",
                        what_is_noted(notes.table),
                        notes.table
                    );
                    self.found(Problem::of("note", what));
                }
            }
            self.vanished(connection)?;
            let there = objects(connection)?;
            for name in self.differing(OBJECTS, &there, &of(OBJECTS, &there)?, &totals) {
                let what = format!("{name}, of which the database is made, is not as it was made");
                self.found(Problem::of("database", what).at(crate::archive::folder::DATABASE));
                // If it is a table that is not, the next run makes it anew.
                lock(&self.damaged).database = true;
            }
            Ok(())
        };
        self.as_far_as_read(compare())
    }

    /// Names the rows that are gone with their hashes: where sums of these are wrong.
    fn vanished(&self, connection: &Connection) -> rusqlite::Result<()> {
        for notes in &NOTES {
            let Some(kind) =
                Kind::ALL.into_iter().find(|kind| notes.table == format!("msgarchive_{}", kind.table()))
            else {
                continue;
            };
            let (mut wrong, mut is_any) = (BTreeSet::new(), false);
            for sum in lock(&self.damaged).sums.iter().filter(|sum| sum.table == notes.table) {
                match sum.about.as_deref().and_then(|about| notes.numbers(about)) {
                    Some((first, _)) => drop(wrong.insert(first)),
                    None => is_any = true,
                }
            }
            let span = match (wrong.first(), wrong.last()) {
                _ if is_any => (1, i64::MAX),
                (Some(first), Some(last)) => (*first, last_together(*last)),
                _ => continue,
            };
            for id in vanished(connection, kind, span)? {
                if is_any || wrong.contains(&first_together(id)) {
                    self.row_is_damaged(connection, kind, id, false)?;
                }
            }
        }
        Ok(())
    }

    /// What the rows of a table speak of whose sum is another one. Notes it for the next run.
    fn differing(&self, table: &str, there: &Sums, written: &Sums, totals: &Totals) -> Vec<String> {
        let all = there.keys().chain(written.keys().filter(|about| !there.contains_key(*about)));
        let differing: Vec<String> =
            all.filter(|about| there.get(*about) != written.get(*about)).cloned().collect();
        let wrong = |about: Option<&String>| WrongSum { table: table.to_owned(), about: about.cloned() };
        let mut damaged = lock(&self.damaged);
        damaged.sums.extend(differing.iter().map(|about| wrong(Some(about))));
        match total(there) == totals.of(table) {
            true if differing.is_empty() => {}
            true => {
                let what = format!(
                    "sums of {table} are damaged in msgarchive_sum; the next `archive` run makes them anew"
                );
                self.found(Problem::of("note", what));
                return Vec::new();
            }
            false if differing.is_empty() => {
                damaged.sums.push(wrong(None));
                self.found(Problem::of("note", format!("{table} is not what the last record closes over")));
            }
            false => {}
        }
        differing
    }

    fn note_is_damaged(&self, connection: &Connection, notes: &Notes, about: &str) -> rusqlite::Result<()> {
        let table = notes.table;
        let id = notes.numbers(about).map(|(first, _)| first);
        let of_row = |kind: Kind, says: &str| -> rusqlite::Result<Problem> {
            let row = id.unwrap_or_default();
            let name = name(connection, kind, row)?;
            let holder = holders::of_row(connection, (kind, row), &self.gone)?;
            let what = format!("of {}, {says} (in {table}) is not what was written", kind.in_words());
            let problem = Problem::of("note", what).held_by(holder);
            Ok(Problem { guid: Some(name), lost: false, ..problem })
        };
        let problem = match table {
            SIGHTINGS => {
                let of: Vec<i64> = about.split(' ').filter_map(|number| number.parse().ok()).collect();
                let kind =
                    of.first().and_then(|kind| Kind::ALL.into_iter().find(|own| own.number() == *kind));
                let path = of.get(1).map(|source| path_of(connection, *source)).transpose()?.flatten();
                let (first, many) = notes.numbers(about).unwrap_or_default();
                let what = format!(
                    "which rows {first} to {} of {} the source has (in {table}) is not what was written",
                    first.saturating_add(many - 1),
                    kind.map_or("an unknown table", Kind::table),
                );
                Problem { source: path, ..Problem::of("note", what) }
            }
            ABSENCES => of_row(Kind::Message, "when and why it is gone where it came from")?,
            PLACED => of_row(Kind::Attachment, "where its bytes lie")?,
            "attachment" => of_row(Kind::Attachment, "where its file is")?,
            "msgarchive_message_version" => of_row(Kind::Message, "since when it was what it was before")?,
            "msgarchive_chat_version" => of_row(Kind::Chat, "since when it was what it was before")?,
            "msgarchive_attachment_version" => {
                of_row(Kind::Attachment, "since when it was what it was before")?
            }
            SOURCES => {
                let path = path_of(connection, id.unwrap_or_default())?;
                let what = format!("what is known of source {about} (in {table}) is not what was written");
                Problem { source: path, ..Problem::of("note", what) }
            }
            FILES => Problem::of("note", format!("its size and hash (in {table}) are not what was written"))
                .at(about),
            ALIASES => {
                let what =
                    format!("which message it is another GUID of (in {table}) is not what was written");
                Problem { guid: Some(about.to_owned()), ..Problem::of("note", what) }
            }
            _ => {
                let what = match notes.numbers(about) {
                    Some((first, many)) if many > 1 => {
                        format!(
                            "what is known of rows {first} to {} (in {table})",
                            first.saturating_add(many - 1)
                        )
                    }
                    _ => format!("what is known of {about:?} (in {table})"),
                };
                Problem::of("note", format!("{what} is not what was written"))
            }
        };
        self.found(problem);
        Ok(())
    }
}

fn path_of(connection: &Connection, source: i64) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT path FROM msgarchive_source WHERE source = ?1", [source], |row| row.get(0))
        .optional()
}
