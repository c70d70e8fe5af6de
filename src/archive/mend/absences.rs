//! When and why messages are gone where they came from, worked out of the sums that runs wrote down: of a row that is
//! wanting, or of which one column is another, they tell all that it said. What that does not tell a source may tell again.

use rusqlite::params_from_iter;

use super::Mending;
use crate::archive::absence::Reason;
use crate::archive::row::{Owned, owned};
use crate::archive::sums::{self, ABSENCES, NOTES, Solver};
use crate::model::Instant;
use crate::source::apple_date;
use rusqlite::types::ToSqlOutput;

/// The columns of an absence, in the order in which they are summed up.
const COLUMNS: &str = "message, source, run, reason, date, gone, returned";
/// Which of them says when.
const DATE: usize = 4;
/// A run notices what is gone within so many nanoseconds of when it says that it began.
const NEAR: u64 = 2_000_000_000;

/// What an absence may say.
struct Possible {
    sources: Vec<i64>,
    /// With their dates, as Apple has them.
    runs: Vec<(i64, i64)>,
}

impl Mending<'_> {
    pub(super) fn absences(&self) -> rusqlite::Result<()> {
        let mut told = self.found.ids_of(ABSENCES).peekable();
        let Some(notes) = NOTES.iter().find(|notes| notes.table == ABSENCES) else { return Ok(()) };
        if told.peek().is_none() || !sums::are_vouched_for(self.connection, ABSENCES)? {
            return Ok(());
        }
        let possible = self.possible()?;
        let solver = notes.solver();
        told.try_for_each(|message| self.absences_of(message, &possible, &solver))
    }

    fn possible(&self) -> rusqlite::Result<Possible> {
        let mut sources = self.connection.prepare("SELECT source FROM msgarchive_source")?;
        let sources = sources.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut runs = self.connection.prepare("SELECT run, date FROM msgarchive_run ORDER BY run DESC")?;
        let runs = runs.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let dated = |run: rusqlite::Result<(i64, String)>| {
            let (run, date) = run.ok()?;
            Some((run, apple_date(date.parse::<Instant>().ok()?)))
        };
        Ok(Possible { sources, runs: runs.filter_map(dated).collect() })
    }

    fn absences_of(&self, message: i64, possible: &Possible, solver: &Solver<'_>) -> rusqlite::Result<()> {
        let written = sums::read(self.connection, ABSENCES, &message.to_string())?;
        let mut there: Vec<(i64, i64)> = Vec::new();
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS}, rowid FROM msgarchive_absence WHERE message = ?1"))?;
        let mut rows = statement.query([message])?;
        while let Some(row) = rows.next()? {
            there.push((row.get(7)?, solver.weight(&owned(row, 7)?)));
        }
        let mut remove = self.connection.prepare_cached("DELETE FROM msgarchive_absence WHERE rowid = ?1")?;
        let sum = there.iter().fold(0i64, |sum, (_, weight)| sum.wrapping_add(*weight));
        if let Some(row) = possible.row(message, written.wrapping_sub(sum), solver) {
            return self.put_absence(&row);
        }
        for (rowid, weight) in there {
            let without = written.wrapping_sub(sum.wrapping_sub(weight));
            let row = possible.row(message, without, solver);
            // Nobody wrote it, or it was another one.
            if without == 0 || row.is_some() {
                remove.execute([rowid])?;
                return row.map_or(Ok(()), |row| self.put_absence(&row));
            }
        }
        Ok(())
    }

    fn put_absence(&self, row: &[Owned]) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO msgarchive_absence ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
            ))?
            .execute(params_from_iter(row.iter().map(|value| ToSqlOutput::Borrowed(value.value()))))
            .map(drop)
    }
}

/// Why a run notices that something is gone, and whether the source has the row still.
fn noticed() -> impl Iterator<Item = (Reason, bool)> {
    let by_run = Reason::ALL.into_iter().filter(|reason| *reason != Reason::RecentlyDeleted);
    by_run.map(|reason| (reason, false)).chain([(Reason::ConversationDeleted, true)])
}

impl Possible {
    /// The absence that adds this to the sum of a message. A date that is near a run's by chance is one in ten billions.
    fn row(&self, message: i64, weight: i64, solver: &Solver<'_>) -> Option<Vec<Owned>> {
        if weight == 0 {
            return None;
        }
        let back = std::iter::once(Owned::Null).chain(self.runs.iter().map(|(run, _)| Owned::Integer(*run)));
        for returned in back {
            for source in &self.sources {
                for (run, date) in &self.runs {
                    for (reason, has_row) in noticed() {
                        let mut row = vec![
                            Owned::Integer(message),
                            Owned::Integer(*source),
                            Owned::Integer(*run),
                            Owned::Text(reason.name().into()),
                            Owned::Null,
                            if has_row { Owned::Null } else { Owned::Integer(*run) },
                            returned.clone(),
                        ];
                        let solved = solver.number(&row, DATE, weight)?;
                        if solved.abs_diff(*date) < NEAR {
                            row[DATE] = Owned::Integer(solved);
                            return Some(row);
                        }
                    }
                }
            }
        }
        None
    }
}
