use std::ops::Range;
use std::sync::Arc;

use super::merged::Plan;
use super::{ChatId, RawMessage};

/// The windows of one conversation: what [`Session::page`](super::Session::page) reads, one after the other.
///
/// Rows come in two ways: from a date range of the join index (`joined`), or listed one by one where the index does
/// not say their date (Recently Deleted, rows of no chat, old schemas). A window takes its share of both.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The chats it was made for; [`Listed::chat`] is an index into them.
    pub(super) chats: Vec<ChatId>,
    /// `chat.ROWID`s of those read by date range.
    pub(super) joined: Vec<i64>,
    /// Oldest first.
    pub(super) listed: Vec<Listed>,
    pub(super) windows: Vec<Window>,
    pub(super) rows: u64,
    /// Of several sources: how they are read together.
    pub(super) plan: Option<Arc<Plan>>,
}

/// The end of a window that is told from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The last second of the rows that are listed.
    pub second: i64,
    /// The raw date of the last row before it that is joined.
    pub through: i64,
}

/// A window of a [`Timeline`], or a part of one: joined rows with `after < message_date <= through`, and a range of the
/// listed rows.
#[derive(Debug, Clone)]
pub struct Window {
    pub(super) after: i64,
    pub(super) through: i64,
    pub(super) listed: Range<usize>,
}

/// A row to be read by its row id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    /// Raw.
    pub date: i64,
    pub rowid: i64,
    /// Which of [`Timeline::chats`].
    pub chat: u32,
    /// Listed for Recently Deleted.
    pub deleted: bool,
}

impl Listed {
    pub fn moment(&self) -> Moment {
        Moment::of(self.date)
    }
}

/// What a raw date means, for ordering: seconds and nanoseconds since 2001, rows without a date first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64, i64);

/// From here on a raw date counts nanoseconds, below it seconds (`messages-format.md` 3.1).
pub(super) const NANOSECONDS_FROM: i64 = 1_000_000_000_000;

impl Moment {
    /// `messages-format.md` 3.1: nanoseconds where the magnitude is at least 10¹², else seconds; 0 is no date.
    pub fn of(raw: i64) -> Moment {
        if raw == 0 {
            Moment(i64::MIN, 0)
        } else if raw.unsigned_abs() >= NANOSECONDS_FROM.unsigned_abs() {
            Moment(raw.div_euclid(1_000_000_000), raw.rem_euclid(1_000_000_000))
        } else {
            Moment(raw, 0)
        }
    }
}

/// The second that a raw date means; the first of all for none.
pub(super) fn second_of(raw: i64) -> i64 {
    Moment::of(raw).0
}

/// A date, and how much lies between it and the sample before.
pub(super) struct Sample {
    pub moment: Moment,
    /// Raw.
    pub date: i64,
    /// Rows, where windows are cut; where a window is, bytes.
    pub amount: usize,
}

impl Window {
    /// Of several sources: a plan says what is in it, by its number.
    fn of_several(number: usize) -> Window {
        Window { after: i64::MIN, through: i64::MIN, listed: number..number }
    }

    /// The number of such a window.
    pub(super) fn number_of_several(&self) -> usize {
        self.listed.start
    }

    /// Cuts it into pieces of at least `size`, as far as the samples (in order) tell; the last one takes what is left.
    /// Nothing of one instant is divided.
    pub(super) fn cut(self, samples: Vec<Sample>, size: usize, timeline: &Timeline) -> Vec<Window> {
        let Window { mut after, through, listed } = self;
        let (mut from, end, mut amount) = (listed.start, listed.end, 0_usize);
        let mut pieces = Vec::new();
        let mut samples = samples.into_iter().peekable();
        while let Some(sample) = samples.next() {
            amount = amount.saturating_add(sample.amount);
            let tied = samples.peek().is_some_and(|next| next.moment <= sample.moment);
            if amount < size || tied {
                continue;
            }
            let listed = timeline.listed.get(from..end).unwrap_or_default();
            let to = from + listed.partition_point(|row| row.moment() <= sample.moment);
            pieces.push(Window { after, through: sample.date, listed: from..to });
            (after, from, amount) = (sample.date, to, 0);
        }
        // What lies after the last cut: less than `size` by the samples, and perhaps nothing.
        let rest = Window { after, through, listed: from..end };
        if !timeline.joined.is_empty() || !rest.listed.is_empty() {
            pieces.push(rest);
        }
        pieces
    }
}

impl Timeline {
    /// A sample every `step` listed rows.
    pub(super) fn listed_samples(&self, step: usize) -> Vec<Sample> {
        let every = self.listed.iter().skip(step.saturating_sub(1)).step_by(step.max(1));
        every.map(|row| Sample { moment: row.moment(), date: row.date, amount: step }).collect()
    }

    /// Cuts windows of at least `size` rows, as far as the samples (in order) tell; the last one takes what is left.
    pub(super) fn cut(&mut self, samples: Vec<Sample>, size: usize) {
        let whole = Window { after: i64::MIN, through: i64::MAX, listed: 0..self.listed.len() };
        self.windows = whole.cut(samples, size, self);
    }

    /// A window by its number.
    pub fn window(&self, number: usize) -> Option<&Window> {
        self.windows.get(number)
    }

    /// The same rows in windows that end at these places; the last one takes what is left.
    pub(super) fn cut_at(&self, cuts: &[Cut]) -> Timeline {
        let mut windows = Vec::with_capacity(cuts.len() + 1);
        let (mut after, mut from) = (i64::MIN, 0);
        for Cut { second, through } in cuts {
            let listed = self.listed.get(from..).unwrap_or_default();
            let to = from + listed.partition_point(|row| second_of(row.date) <= *second);
            windows.push(Window { after, through: *through, listed: from..to });
            (after, from) = (*through, to);
        }
        windows.push(Window { after, through: i64::MAX, listed: from..self.listed.len() });
        Timeline { windows, ..self.clone() }
    }

    /// Of several sources, read together.
    pub(super) fn of_several(plan: Plan) -> Timeline {
        Timeline {
            windows: (0..plan.windows()).map(Window::of_several).collect(),
            rows: plan.timelines.iter().map(Timeline::rows).sum(),
            plan: Some(Arc::new(plan)),
            ..Timeline::default()
        }
    }

    /// How many windows there are.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// True when the chats hold no rows.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// How many rows all windows hold together.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// The order of a window's rows: by (date, GUID); then so that the several places of one row stand together, always the
/// same way round.
pub(super) fn order(row: &RawMessage) -> impl Ord + '_ {
    (Moment::of(row.date), row.guid.as_deref(), row.rowid, row.chat, row.deleted)
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn both_units_and_no_date_compare_as_instants() {
        let mut raw = [700_000_000, 600_000_000_000_000_000, 0, -5, 700_000_000_000_000_001, 1];
        raw.sort_by_key(|&r| Moment::of(r));
        assert_eq!(raw, [0, -5, 1, 600_000_000_000_000_000, 700_000_000, 700_000_000_000_000_001]);
    }
}
