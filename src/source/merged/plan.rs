use std::collections::{BTreeMap, HashMap, HashSet};

use super::Identity;
use crate::source::chatdb::target_of;
use crate::source::timeline::{Cut, second_of};
use crate::source::{Session, SourceError, Timeline};

/// How a conversation of several sources is read: windows of the same stretches of time in each of them.
#[derive(Debug, Default)]
pub(in crate::source) struct Plan {
    /// By source; the windows of one number belong together.
    pub timelines: Vec<Timeline>,
    /// Rows that are in another source at quite another time, by the window of the row that they are the same as.
    elsewhere: BTreeMap<usize, Vec<Elsewhere>>,
    /// The same, by source and row id.
    away: HashSet<(usize, i64)>,
    /// What hangs on rows that its own source lacks, by the window of those.
    hanging: BTreeMap<usize, Vec<Hanging>>,
    /// The same, by source and row id.
    adopted: HashSet<(usize, i64)>,
    /// Rows that are answered in a source that lacks them, by GUID.
    answered: HashMap<u128, Place>,
}

/// Where a row lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub source: usize,
    pub rowid: i64,
    pub window: usize,
}

/// A row that hangs on one of another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hanging {
    pub at: Place,
    /// The GUID of what it hangs on.
    pub on: u128,
}

/// A row that is read for the window of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub at: Place,
    /// Source and row id of the row that it is the same as.
    pub head: (usize, i64),
}

/// What is known of a row while it is planned.
struct Outline {
    /// In halves, which take less room; 0 for none.
    guid: [u64; 2],
    rowid: i64,
    /// Raw.
    date: i64,
    deleted: bool,
    hangs: bool,
}

/// A row that names another.
struct Reference {
    to: u128,
    /// By hanging on it; else by answering it.
    hangs: bool,
    own_guid: u128,
    rowid: i64,
    date: i64,
}

/// What is known of a source's rows.
#[derive(Default)]
struct Outlines {
    rows: Vec<Outline>,
    references: Vec<Reference>,
}

impl Plan {
    /// For timelines of one conversation, by source. Those of one source alone stay as they are.
    ///
    /// Costs a survey of the rows, and 40 bytes of memory a row while it lasts.
    pub fn of(
        timelines: Vec<Timeline>,
        size: usize,
        sessions: &mut [Box<dyn Session + '_>],
        identity: &dyn Identity,
    ) -> Result<Plan, SourceError> {
        let mut plan = Plan { timelines, ..Plan::default() };
        if plan.timelines.iter().filter(|timeline| !timeline.is_empty()).count() < 2 {
            return Ok(plan);
        }
        let (mut rows, mut references) = (Vec::new(), Vec::new());
        for (timeline, session) in plan.timelines.iter().zip(sessions) {
            let outlines = outlines(timeline, session.as_mut(), identity)?;
            rows.push(outlines.rows);
            references.push(outlines.references);
        }
        let boundaries = boundaries(&rows, size);
        for (timeline, rows) in plan.timelines.iter_mut().zip(&rows) {
            *timeline = timeline.cut_at(&cuts(rows, &boundaries));
        }
        let known = ByGuid::new(rows, &boundaries);
        plan.find_elsewhere(&known);
        plan.find_referred(&known, &references);
        Ok(plan)
    }

    pub fn windows(&self) -> usize {
        self.timelines.iter().map(Timeline::len).max().unwrap_or(0)
    }

    /// Whether a row is united with one of another window, and only counted in its own.
    pub fn is_away(&self, source: usize, rowid: i64) -> bool {
        self.away.contains(&(source, rowid))
    }

    /// The rows of other windows that are the same as rows of this one.
    pub(super) fn joining(&self, window: usize) -> &[Elsewhere] {
        self.elsewhere.get(&window).map(Vec::as_slice).unwrap_or_default()
    }

    /// What hangs on rows of a window in sources that lack them.
    pub(super) fn hanging(&self, window: usize) -> &[Hanging] {
        self.hanging.get(&window).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a row hangs on one that its own source lacks.
    pub fn is_adopted(&self, source: usize, rowid: i64) -> bool {
        self.adopted.contains(&(source, rowid))
    }

    /// Where the row with a GUID lies that is answered in a source that lacks it.
    pub(super) fn answered(&self, guid: u128) -> Option<Place> {
        self.answered.get(&guid).copied()
    }

    fn find_elsewhere(&mut self, known: &ByGuid<'_>) {
        for (source, own) in known.rows.iter().enumerate() {
            for row in own.iter().filter(|row| row.guid != [0; 2]) {
                let Some((head, _)) = known.first(row.guid, source) else { continue };
                let at = Place { source, rowid: row.rowid, window: known.window(row.date) };
                if at.window != head.window {
                    let found = Elsewhere { at, head: (head.source, head.rowid) };
                    self.elsewhere.entry(head.window).or_default().push(found);
                    self.away.insert((source, row.rowid));
                }
            }
        }
    }

    fn find_referred(&mut self, known: &ByGuid<'_>, references: &[Vec<Reference>]) {
        for (source, references) in references.iter().enumerate() {
            for reference in references.iter().filter(|r| !known.has(source, r.to)) {
                let Some((place, row)) = known.first(halves(reference.to), known.rows.len()) else {
                    continue;
                };
                if !reference.hangs {
                    self.answered.insert(reference.to, place);
                } else if !row.hangs && !known.has(place.source, reference.own_guid) {
                    let at = Place { source, rowid: reference.rowid, window: known.window(reference.date) };
                    self.hanging.entry(place.window).or_default().push(Hanging { at, on: reference.to });
                    self.adopted.insert((source, reference.rowid));
                }
            }
        }
    }
}

/// The rows of each source, to be found by GUID.
struct ByGuid<'b> {
    rows: Vec<Vec<Outline>>,
    boundaries: &'b [i64],
}

impl<'b> ByGuid<'b> {
    fn new(mut rows: Vec<Vec<Outline>>, boundaries: &'b [i64]) -> ByGuid<'b> {
        for rows in &mut rows {
            rows.sort_unstable_by_key(|row| (row.guid, row.rowid));
            // Where two rows have one GUID, the first is meant.
            rows.dedup_by_key(|row| row.guid);
        }
        ByGuid { rows, boundaries }
    }

    fn window(&self, date: i64) -> usize {
        let second = second_of(date);
        self.boundaries.partition_point(|last| *last < second)
    }

    fn get(&self, source: usize, guid: [u64; 2]) -> Option<&Outline> {
        let rows = self.rows.get(source)?;
        let at = rows.binary_search_by_key(&guid, |row| row.guid).ok()?;
        rows.get(at)
    }

    fn has(&self, source: usize, guid: u128) -> bool {
        self.get(source, halves(guid)).is_some()
    }

    /// The row with a GUID in the first source that has one, of those before `before`.
    fn first(&self, guid: [u64; 2], before: usize) -> Option<(Place, &Outline)> {
        (0..before).find_map(|source| {
            let row = self.get(source, guid)?;
            Some((Place { source, rowid: row.rowid, window: self.window(row.date) }, row))
        })
    }
}

fn halves(guid: u128) -> [u64; 2] {
    [(guid >> 64) as u64, guid as u64]
}

fn outlines(
    timeline: &Timeline,
    session: &mut dyn Session,
    identity: &dyn Identity,
) -> Result<Outlines, SourceError> {
    let mut outlines = Outlines::default();
    for window in 0..timeline.len() {
        for row in session.survey(timeline, window)? {
            let key = |guid: &Option<String>| guid.as_deref().map_or(0, |guid| identity.guid(guid));
            let (own_guid, hangs) = (key(&row.guid), identity.hangs(&row));
            let to = match &row.associated_message_guid {
                Some(target) if hangs => identity.guid(target_of(target)),
                _ => key(&row.thread_originator_guid),
            };
            if to != 0 {
                let (rowid, date) = (row.rowid, row.date);
                outlines.references.push(Reference { to, hangs, own_guid, rowid, date });
            }
            outlines.rows.push(Outline {
                guid: halves(own_guid),
                rowid: row.rowid,
                date: row.date,
                deleted: row.deleted.is_some(),
                hangs,
            });
        }
    }
    Ok(outlines)
}

/// The last seconds of windows of at least so many rows. No second is divided: restored rows have lost what is below.
fn boundaries(rows: &[Vec<Outline>], size: usize) -> Vec<i64> {
    let mut seconds: Vec<i64> = rows.iter().flatten().map(|row| second_of(row.date)).collect();
    seconds.sort_unstable();
    let mut boundaries = Vec::new();
    let mut count = 0;
    for (second, next) in seconds.iter().zip(seconds.iter().skip(1)) {
        count += 1;
        if count >= size && second != next {
            boundaries.push(*second);
            count = 0;
        }
    }
    boundaries
}

/// Where a source's rows, in order, are cut.
fn cuts(rows: &[Outline], boundaries: &[i64]) -> Vec<Cut> {
    let mut through = i64::MIN;
    let mut rows = rows.iter().peekable();
    let cut = |second: &i64| {
        while let Some(row) = rows.next_if(|row| second_of(row.date) <= *second) {
            if !row.deleted {
                through = row.date;
            }
        }
        Cut { second: *second, through }
    };
    boundaries.iter().map(cut).collect()
}
