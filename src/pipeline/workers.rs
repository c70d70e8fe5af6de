//! The workers of a run: claims, windows, turns.
//!
//! **Must never**: let the order in which workers are done show in what is written, or wait for a turn that cannot come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Progress;
use super::count::Hanging;
use super::crew::{self, Claims, lock};
use super::decode::date::instant;
use super::normalize::{RowKind, normalize, row_kind};
use super::roster::{Roster, RosterEntry};
use super::run::{ExportError, LostMessages, Options, Report};
use super::select::{Selection, Without};
use super::stored_payload;
use super::tally::{DEFECTS_KEPT, Tally, Total};
use super::window::Window;
use super::writer::{AssetSink, ConversationWriter, Prepared, Writer};
use crate::source::{RawMessage, Session, Source, Timeline, Window as SourceWindow};

/// Rows in a window: enough to read in bulk, few enough that `jobs` of them are small.
const WINDOW: usize = 512;

/// One reading of the selected conversations, for these writers.
pub(super) struct Pass<'a> {
    pub source: &'a dyn Source,
    pub roster: &'a Roster,
    pub writers: &'a [Box<dyn Writer>],
    pub assets: Option<&'a dyn AssetSink>,
    pub options: &'a Options,
    pub progress: &'a dyn Progress,
    /// By index into the roster's conversations.
    pub selected: Vec<bool>,
    pub order: Vec<&'a RosterEntry>,
    pub one_by_one: bool,
    /// What an earlier pass over all of them found: this one reads some of them again.
    pub again: Option<&'a Report>,
}

impl Pass<'_> {
    /// Works until everything is read. `total` is what is accounted for already.
    pub fn run(self, total: Total) -> Result<Report, ExportError> {
        let run = Run {
            claims: Claims::of(self.order.clone()),
            opened: AtomicUsize::new(0),
            written: self.one_by_one.then(Mutex::default),
            one_written: Condvar::new(),
            total: Mutex::new(total),
            pass: self,
        };
        crew::work(run.pass.options.jobs, &run.claims.stop, || run.work())?;
        run.finish()
    }
}

struct Run<'a> {
    pass: Pass<'a>,
    claims: Claims<&'a RosterEntry, Thread<'a>>,
    /// Conversations with rows that were opened.
    opened: AtomicUsize,
    /// How many conversations are complete, where they are written one by one.
    written: Option<Mutex<usize>>,
    one_written: Condvar,
    total: Mutex<Total>,
}

/// A conversation in the making.
struct Thread<'a> {
    entry: &'a RosterEntry,
    /// So many conversations come before it.
    place: usize,
    timeline: Timeline,
    turns: Mutex<Turns>,
    turn_over: Condvar,
    /// Apart from the turns: the next window's attachments are named while this one is appended.
    output: Mutex<Output<'a>>,
}

#[derive(Default)]
struct Turns {
    /// The window whose attachments are named next.
    naming: usize,
    /// The window that is appended next, or now.
    appending: usize,
    is_appending: bool,
    /// Windows that are complete before their turn, by number.
    early: BTreeMap<usize, Ready>,
}

/// A window, and what each writer prepared of it.
type Ready = (Window, Vec<Prepared>);

#[derive(Default)]
struct Output<'a> {
    /// Begun with the first message: a conversation of which nothing is selected leaves no file.
    writers: Option<Vec<Box<dyn ConversationWriter + 'a>>>,
    tally: Tally,
}

/// A window, or a part of one whose rows are large.
enum Part {
    Read(Vec<RawMessage>),
    ToRead(SourceWindow),
}

impl<'a> Run<'a> {
    fn work(&self) -> Result<(), ExportError> {
        let mut session = self.pass.source.session()?;
        while let Some((thread, number)) = self.claim(session.as_mut())? {
            let mut parts = match session.page_if_small(&thread.timeline, number)? {
                Some(rows) => vec![Part::Read(rows)],
                None => session.parts(&thread.timeline, number)?.into_iter().map(Part::ToRead).collect(),
            }
            .into_iter()
            .peekable();
            while let Some(part) = parts.next() {
                let is_last = parts.peek().is_none();
                let Some(ready) = self.make_ready(session.as_mut(), &thread, number, part, is_last)? else {
                    return Ok(());
                };
                if is_last {
                    // A window that is ahead of its turn is left to whoever has the turn before it, as long as few are.
                    let early = self.pass.options.jobs.saturating_sub(1);
                    if !self
                        .await_turn(&thread, |turns| turns.appending == number || turns.early.len() < early)
                    {
                        return Ok(());
                    }
                    self.hand_in(&thread, number, ready)?;
                } else if !self.append_in_turn(&thread, number, ready)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads, names and prepares a window, or a part of it; `None` when the run was stopped meanwhile.
    fn make_ready(
        &self,
        session: &mut dyn Session,
        thread: &Thread<'_>,
        number: usize,
        part: Part,
        is_last: bool,
    ) -> Result<Option<Ready>, ExportError> {
        let mut window = self.read(session, thread, part)?;
        // Only names are given in order.
        if self.pass.assets.is_some() && !self.await_turn(thread, |turns| turns.naming == number) {
            return Ok(None);
        }
        window.name(&thread.entry.conversation, self.pass.assets)?;
        if is_last {
            thread.end_turn(|turns| turns.naming += 1);
        }
        let mut prepared = Vec::with_capacity(self.pass.writers.len());
        if !window.messages.is_empty() {
            for writer in self.pass.writers {
                prepared.push(writer.prepare(&thread.entry.conversation, &window.messages)?);
            }
        }
        Ok(Some((window, prepared)))
    }

    /// Appends a part of a window that is not its last: the next part is not read before. False when the run was stopped
    /// meanwhile.
    fn append_in_turn(
        &self,
        thread: &Thread<'a>,
        number: usize,
        (window, prepared): Ready,
    ) -> Result<bool, ExportError> {
        if !self.await_turn(thread, |turns| turns.appending == number && !turns.is_appending)
            || !self.await_place(thread.place)
        {
            return Ok(false);
        }
        let rows = window.tally.rows.read;
        self.append(thread, window, prepared)?;
        self.pass.progress.advance(rows);
        Ok(true)
    }

    /// Appends a window, and those behind it that are there already; or leaves it, when its turn has not come.
    fn hand_in(&self, thread: &Thread<'a>, number: usize, ready: Ready) -> Result<(), ExportError> {
        let mut turns = lock(&thread.turns);
        turns.early.insert(number, ready);
        // Who appends looks for the next one before the turn ends.
        while !turns.is_appending {
            let next = turns.appending;
            let Some((window, prepared)) = turns.early.remove(&next) else {
                break;
            };
            turns.is_appending = true;
            drop(turns);
            if !self.await_place(thread.place) {
                return Ok(());
            }
            let rows = window.tally.rows.read;
            self.append(thread, window, prepared)?;
            if next + 1 == thread.timeline.len() {
                self.complete(thread)?;
            }
            self.pass.progress.advance(rows);
            turns = lock(&thread.turns);
            turns.is_appending = false;
            turns.appending += 1;
            thread.turn_over.notify_all();
        }
        Ok(())
    }

    /// The next window, of the open conversation or of the next one. `None`: no more, or stopped.
    fn claim(&self, session: &mut dyn Session) -> Result<Option<(Arc<Thread<'a>>, usize)>, ExportError> {
        if self.pass.progress.interrupted() {
            return Err(ExportError::Interrupted);
        }
        self.claims.next(|entry| {
            let timeline = session.timeline(&entry.chats, WINDOW)?;
            let windows = timeline.len();
            let place = self.opened.fetch_add(usize::from(windows > 0), Ordering::Relaxed);
            let thread = Thread {
                entry,
                place,
                timeline,
                turns: Mutex::default(),
                turn_over: Condvar::new(),
                output: Mutex::default(),
            };
            Ok((thread, windows))
        })
    }

    /// Waits until it is this window's turn; false when the run was stopped meanwhile.
    fn await_turn(&self, thread: &Thread<'_>, ready: impl Fn(&Turns) -> bool) -> bool {
        let mut turns = lock(&thread.turns);
        while !ready(&turns) {
            if self.claims.stop.load(Ordering::Relaxed) {
                return false;
            }
            // The timeout is for a stop, which nobody announces here.
            let waited = thread.turn_over.wait_timeout(turns, Duration::from_millis(20));
            turns = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !self.claims.stop.load(Ordering::Relaxed)
    }

    /// Waits until all conversations before this place are complete, where that matters; false when the run was stopped
    /// meanwhile. All windows of those have been claimed by then, by workers that do not wait for this one.
    fn await_place(&self, place: usize) -> bool {
        let Some(written) = &self.written else { return true };
        let mut written = lock(written);
        while *written != place {
            if self.claims.stop.load(Ordering::Relaxed) {
                return false;
            }
            let waited = self.one_written.wait_timeout(written, Duration::from_millis(20));
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Reads and normalizes a window, or a part of it, and takes in the bytes of its attachments.
    fn read(
        &self,
        session: &mut dyn Session,
        thread: &Thread<'_>,
        part: Part,
    ) -> Result<Window, ExportError> {
        let rows = match part {
            Part::Read(rows) => rows,
            Part::ToRead(part) => session.read(&thread.timeline, &part)?,
        };
        let mut window = Window::of(rows.len());
        for raw in without_repetitions(rows, &mut window.tally.rows.duplicates) {
            self.take_row(raw, &mut window)?;
        }
        Ok(window)
    }

    fn take_row(&self, mut raw: RawMessage, window: &mut Window) -> Result<(), ExportError> {
        let tally = &mut window.tally;
        if raw.repeats {
            tally.rows.duplicates += 1;
            return Ok(());
        }
        let kind = row_kind(&raw);
        if kind != RowKind::Own
            && let Some(target) = raw.target
        {
            let conversation = self.pass.roster.conversation_of(target.chat);
            if conversation.and_then(|i| self.pass.selected.get(i)) == Some(&true) {
                tally.met.count(kind);
            } else {
                tally.rows.filtered += 1;
            }
            return Ok(());
        }
        let mut hanging = Hanging::default();
        for row in raw.associated.iter().chain(&raw.again) {
            hanging.count(row_kind(row));
        }
        for row in &raw.again {
            tally.again.count(row_kind(row));
        }
        let selection = &self.pass.options.selection;
        if selection.without.contains(&Without::Deleted) {
            // The rest of the message was not deleted.
            raw.deleted_parts.clear();
        }
        let junk = raw.chat.is_some_and(|chat| self.pass.options.junk_chats.contains(&chat));
        let normalized = (!selection.rules_out_date(instant(raw.date))).then(|| {
            stored_payload::fetch(&mut raw);
            normalize(raw, self.pass.roster, junk)
        });
        let Some(normalized) = normalized.filter(|n| selection.takes(&n.message)) else {
            tally.rows.filtered += 1;
            tally.hidden.add(&hanging);
            return Ok(());
        };
        tally.rows.messages += 1;
        tally.shown.add(&hanging);
        // Who only counts shows none.
        let with_facts = self.pass.writers.iter().any(|writer| writer.shows_facts());
        window.take_in(normalized, self.pass.assets, with_facts)?;
        Ok(())
    }

    fn append(
        &self,
        thread: &Thread<'a>,
        window: Window,
        prepared: Vec<Prepared>,
    ) -> Result<(), ExportError> {
        let mut output = lock(&thread.output);
        let Output { writers, tally } = &mut *output;
        tally.add(window.tally);
        if prepared.is_empty() {
            return Ok(());
        }
        let writers = match writers {
            Some(writers) => writers,
            None => {
                let entry: &'a RosterEntry = thread.entry;
                let begun = self
                    .pass
                    .writers
                    .iter()
                    .map(|w| w.begin(&entry.conversation))
                    .collect::<Result<_, _>>()?;
                writers.insert(begun)
            }
        };
        for (writer, prepared) in writers.iter_mut().zip(prepared) {
            writer.append(prepared)?;
        }
        Ok(())
    }

    /// After a conversation's last window: completes its files and adds it to the account.
    fn complete(&self, thread: &Thread<'a>) -> Result<(), ExportError> {
        let Output { writers, mut tally } = std::mem::take(&mut *lock(&thread.output));
        let done = tally.close(thread.entry);
        let mut files = Vec::new();
        for writer in writers.into_iter().flatten() {
            files.extend(writer.finish(&done)?);
        }
        if let Some(assets) = self.pass.assets {
            assets.close(&thread.entry.conversation);
        }
        let mut total = lock(&self.total);
        total.report.files.extend(files);
        total.complete(done, tally);
        if let Some(written) = &self.written {
            *lock(written) += 1;
            self.one_written.notify_all();
        }
        Ok(())
    }

    /// The account, once every worker has ended.
    fn finish(self) -> Result<Report, ExportError> {
        let total = self.total.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut report = match self.pass.again {
            Some(known) => total.balance_again(known)?,
            None => total.balance().map_err(|unbalanced| match self.pass.source.undamaged() {
                // What an index says of a row and what the row says differ.
                Err(damaged) => damaged.into(),
                Ok(()) => unbalanced,
            })?,
        };
        report.lost = match self.pass.again {
            Some(known) => known.lost.clone(),
            None => LostMessages::of(
                self.pass.order.iter().map(|entry| &entry.conversation),
                self.pass.source.info().lost_anywhere(),
            ),
        };
        if report.rows.messages == 0 && self.pass.options.selection != Selection::default() {
            return Err(ExportError::NothingSelected { lost: report.lost });
        }
        for writer in self.pass.writers {
            report.files.extend(writer.finish(&report.conversations)?);
            report.notes.extend(writer.notes());
            report.unread.extend(writer.unread());
            let (defects, count) = writer.defects();
            report.defects.extend(defects);
            report.defect_count += count;
        }
        report.defects.sort();
        report.defects.truncate(DEFECTS_KEPT);
        report.files.sort();
        Ok(report)
    }
}

impl Thread<'_> {
    fn end_turn(&self, change: impl FnOnce(&mut Turns)) {
        change(&mut lock(&self.turns));
        self.turn_over.notify_all();
    }
}

/// A row that is in several chats of a conversation, or in a chat and in its Recently Deleted, comes several times
/// in a row; it is shown once, as deleted if one of them says so.
fn without_repetitions(mut rows: Vec<RawMessage>, repeated: &mut u64) -> Vec<RawMessage> {
    rows.dedup_by(|row, kept| {
        let again = row.rowid == kept.rowid && row.sources.first() == kept.sources.first() && !row.repeats;
        if again {
            *repeated += 1;
            kept.deleted = kept.deleted.or(row.deleted);
        }
        again
    });
    rows
}
