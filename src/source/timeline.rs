use std::ops::Range;

use super::ChatId;

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
}

/// Joined rows with `after < message_date <= through`, and a range of the listed rows.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub after: i64,
    pub through: i64,
    pub listed: Range<usize>,
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

impl Timeline {
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
