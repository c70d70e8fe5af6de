use std::collections::HashMap;
use std::sync::Arc;

use super::plan::{Elsewhere, Hanging, Place, Plan};
use super::unite::{hang, repetition, unite};
use super::{Identity, Merged};
use crate::source::timeline::order;
use crate::source::{ChatId, RawMessage, Session, SourceError, Target, Timeline, Window};

/// A worker's readers, one of each source.
pub(super) struct MergedSession<'m> {
    pub merged: &'m Merged,
    pub sessions: Vec<Box<dyn Session + 'm>>,
}

impl Session for MergedSession<'_> {
    fn timeline(&mut self, chats: &[ChatId], size: usize) -> Result<Timeline, SourceError> {
        let mut timelines = Vec::with_capacity(self.sessions.len());
        for (source, session) in self.sessions.iter_mut().enumerate() {
            let own = self.merged.several.own_chats(source, chats);
            timelines.push(match own.is_empty() {
                true => Timeline::default(),
                false => session.timeline(&own, size)?,
            });
        }
        let plan = Plan::of(timelines, size, &mut self.sessions, self.merged.identity.as_ref())?;
        Ok(Timeline::of_several(plan))
    }

    /// As one: rows of several windows of its sources may be united in it.
    fn parts(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<Window>, SourceError> {
        Ok(timeline.window(window).into_iter().cloned().collect())
    }

    fn read(&mut self, timeline: &Timeline, window: &Window) -> Result<Vec<RawMessage>, SourceError> {
        let Some(plan) = timeline.plan.clone() else { return Ok(Vec::new()) };
        let window = window.number_of_several();
        let mut page = Page::new(self.merged.identity.as_ref());
        for source in 0..self.sessions.len() {
            for mut row in self.read_own(&plan, source, window)? {
                self.complete(&plan, source, &mut row)?;
                match plan.is_away(source, row.rowid) {
                    true => page.repeated.push(repetition(&row)),
                    false => page.add(source, row),
                }
            }
        }
        for Elsewhere { at, head } in plan.joining(window) {
            if let Some(row) = self.row(&plan, *at)? {
                page.join(*head, row);
            }
        }
        for Hanging { at, on } in plan.hanging(window) {
            if let Some(row) = self.row(&plan, *at)? {
                page.hang(*on, row);
            }
        }
        Ok(page.finish())
    }
}

impl MergedSession<'_> {
    /// Adds to a row what it needs of other sources.
    fn complete(&mut self, plan: &Arc<Plan>, source: usize, row: &mut RawMessage) -> Result<(), SourceError> {
        if plan.is_adopted(source, row.rowid) && row.target.is_none() {
            // In the same conversation as what it hangs on.
            let chat = row.chat.unwrap_or(ChatId::ORPHANS);
            row.target = Some(Target { rowid: row.rowid, chat });
        }
        if row.originator.is_none()
            && let Some(guid) = row.thread_originator_guid.as_deref()
            && let Some(place) = plan.answered(self.merged.identity.guid(guid))
        {
            let answered = self.row(plan, place)?.map(|answered| RawMessage {
                attachments: Vec::new(),
                associated: Vec::new(),
                ..answered
            });
            row.originator = answered.map(Box::new);
        }
        Ok(())
    }

    /// One row, wherever it lies.
    fn row(&mut self, plan: &Arc<Plan>, at: Place) -> Result<Option<RawMessage>, SourceError> {
        let rows = self.read_own(plan, at.source, at.window)?;
        Ok(rows.into_iter().find(|row| row.rowid == at.rowid))
    }

    /// A window of one source, as it is among the others.
    fn read_own(
        &mut self,
        plan: &Arc<Plan>,
        source: usize,
        window: usize,
    ) -> Result<Vec<RawMessage>, SourceError> {
        let (Some(session), Some(timeline)) = (self.sessions.get_mut(source), plan.timelines.get(source))
        else {
            return Ok(Vec::new());
        };
        let mut rows = session.page(timeline, window)?;
        for row in &mut rows {
            self.merged.several.renumber(source, row);
            mark(row, u16::try_from(source).unwrap_or(u16::MAX));
        }
        Ok(rows)
    }
}

/// Says of a row and what hangs on it where it is from.
fn mark(row: &mut RawMessage, source: u16) {
    row.sources = vec![source];
    row.attachments.iter_mut().for_each(|attachment| attachment.rows = vec![(source, attachment.rowid)]);
    row.associated.iter_mut().for_each(|row| mark(row, source));
}

/// The rows of a window, being united.
struct Page<'i> {
    identity: &'i dyn Identity,
    rows: Vec<RawMessage>,
    /// Rows that were united with others.
    repeated: Vec<RawMessage>,
    /// Where the first row with a GUID is.
    by_guid: HashMap<u128, usize>,
    /// Where a row is, by its source and row id.
    by_rowid: HashMap<(usize, i64), usize>,
}

impl<'i> Page<'i> {
    fn new(identity: &'i dyn Identity) -> Page<'i> {
        Page {
            identity,
            rows: Vec::new(),
            repeated: Vec::new(),
            by_guid: HashMap::new(),
            by_rowid: HashMap::new(),
        }
    }

    /// Adds a row. Earlier sources come first.
    fn add(&mut self, source: usize, row: RawMessage) {
        // In another chat of the conversation, or in Recently Deleted.
        if let Some(known) = self.by_rowid.get(&(source, row.rowid)).and_then(|at| self.rows.get_mut(*at)) {
            known.deleted = known.deleted.or(row.deleted);
            self.repeated.push(repetition(&row));
            return;
        }
        let guid = row.guid.as_deref().map(|guid| self.identity.guid(guid));
        let twin = guid.and_then(|guid| self.by_guid.get(&guid).copied());
        if let Some(at) = twin
            && let Some(known) = self.rows.get_mut(at)
            && !known.sources.iter().any(|of| row.sources.contains(of))
            // Both hang on a row: there they are united, and here they are counted.
            && !(known.target.is_some() && row.target.is_some())
        {
            self.by_rowid.insert((source, row.rowid), at);
            self.repeated.push(repetition(&row));
            unite(known, row, self.identity);
            return;
        }
        self.by_rowid.insert((source, row.rowid), self.rows.len());
        if let Some(guid) = guid {
            self.by_guid.entry(guid).or_insert(self.rows.len());
        }
        self.rows.push(row);
    }

    /// Unites a row of another window with the one here that is the same.
    fn join(&mut self, head: (usize, i64), row: RawMessage) {
        if let Some(known) = self.by_rowid.get(&head).and_then(|at| self.rows.get_mut(*at)) {
            unite(known, row, self.identity);
        }
    }

    /// Adds what hangs on the row with this GUID.
    fn hang(&mut self, on: u128, row: RawMessage) {
        if let Some(known) = self.by_guid.get(&on).and_then(|at| self.rows.get_mut(*at)) {
            hang(known, vec![row], self.identity);
        }
    }

    /// Unites by content what no GUID told of, and gives all rows in order.
    fn finish(mut self) -> Vec<RawMessage> {
        let single = |row: &RawMessage| {
            row.sources.len() == 1 && row.target.is_none() && !row.unreadable && !self.identity.hangs(row)
        };
        let mut same: HashMap<u128, Vec<usize>> = HashMap::new();
        let singles: Vec<usize> =
            (0..self.rows.len()).filter(|at| self.rows.get(*at).is_some_and(single)).collect();
        let of_source = |at: &usize| self.rows.get(*at).and_then(|row| row.sources.first());
        let of_several = singles.windows(2).any(|pair| match pair {
            [a, b] => of_source(a) != of_source(b),
            _ => false,
        });
        if of_several {
            for at in singles {
                if let Some(row) = self.rows.get(at) {
                    same.entry(self.identity.content(row)).or_default().push(at);
                }
            }
        }
        let mut united: Vec<(usize, usize)> = Vec::new();
        for alike in same.values() {
            // As many of one source are the same as as many of another, in order.
            let mut heads: Vec<(usize, Vec<u16>)> = Vec::new();
            for at in alike {
                let Some(source) = self.rows.get(*at).and_then(|row| row.sources.first().copied()) else {
                    continue;
                };
                match heads.iter_mut().find(|(_, sources)| !sources.contains(&source)) {
                    Some((head, sources)) => {
                        sources.push(source);
                        united.push((*at, *head));
                    }
                    None => heads.push((*at, vec![source])),
                }
            }
        }
        // From behind, so that places stay; of one row's twins the earlier source first.
        united.sort_unstable();
        for (at, head) in &united {
            let Some(row) = self.rows.get_mut(*at) else { continue };
            let stays = repetition(row);
            let row = std::mem::replace(row, stays);
            if let Some(head) = self.rows.get_mut(*head) {
                unite(head, row, self.identity);
            }
        }
        self.rows.sort_by(|a, b| (a.repeats, order(a)).cmp(&(b.repeats, order(b))));
        self.rows.append(&mut self.repeated);
        self.rows
    }
}
