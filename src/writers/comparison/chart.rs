//! Both sides of a history by month, as the shapes of an SVG: the left side's bars rise from the middle, the right side's
//! hang below it. What only one side has is at the far end of its bars.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::compare::{Counts, Month};

/// Units of one month: its bar, and the gap behind it.
const STEP: usize = 6;
const BAR: usize = 5;
/// Of the longest bar.
const HEIGHT: f64 = 40.0;
/// From the middle to where bars begin.
const MIDDLE: f64 = 42.0;
const MARGIN: f64 = 1.0;
/// Units that can still be seen.
const LEAST: f64 = 1.5;
/// Messages had no dates before, and a date far off is a mistake of its device.
const YEARS: std::ops::RangeInclusive<i32> = 1995..=2100;
/// Years that are named below the bars; as many as fit on a phone.
const NAMED_YEARS: usize = 6;

/// The months that all charts of a page show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    first: Month,
    months: usize,
}

/// The shapes of one chart.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub both: String,
    pub only_left: String,
    pub only_right: String,
    /// Months that have messages and are not shown.
    pub beyond: usize,
}

/// A year below the bars.
#[derive(Debug)]
pub(super) struct Tick {
    pub year: i32,
    /// Percent of the width.
    pub at: String,
}

impl Axis {
    /// From the first month to the last; `None` where no message has a date of our time.
    pub fn of(months: &BTreeMap<Option<Month>, Counts>) -> Option<Axis> {
        let mut shown = months.keys().flatten().filter(|month| YEARS.contains(&month.year));
        let first = *shown.next()?;
        let last = shown.next_back().copied().unwrap_or(first);
        let mut axis = Axis { first, months: 1 };
        axis.months = axis.place(last)? + 1;
        Some(axis)
    }

    fn place(&self, month: Month) -> Option<usize> {
        let number = |month: Month| month.year.checked_mul(12)?.checked_add(i32::from(month.month));
        usize::try_from(number(month)?.checked_sub(number(self.first)?)?).ok()
    }

    /// Units from left to right.
    pub fn width(&self) -> usize {
        self.months * STEP
    }

    /// Years, at their January.
    pub fn ticks(&self) -> Vec<Tick> {
        let last = self.first.year + (usize::from(self.first.month) + self.months - 2) as i32 / 12;
        let every = ((last - self.first.year) as usize / NAMED_YEARS + 1) as i32;
        let years = (self.first.year..=last).filter(|year| year % every == 0 || self.months < 12);
        let tick = |year| {
            let place = self.place(Month { year, month: 1 }).unwrap_or(0);
            let at = format!("{:.2}", place as f64 * 100.0 / self.months as f64);
            Tick { year, at }
        };
        years
            .filter(|year| *year > self.first.year || self.first.month == 1 || self.months < 12)
            .map(tick)
            .collect()
    }

    /// The bars of some months.
    pub fn chart(&self, months: &BTreeMap<Option<Month>, Counts>) -> Chart {
        let mut chart = Chart::default();
        let placed = |month: &Option<Month>| self.place((*month)?).filter(|place| *place < self.months);
        let of_side = |counts: &Counts| counts.both + counts.only_left.max(counts.only_right);
        let shown = || months.iter().filter_map(|(month, counts)| Some((placed(month)?, counts)));
        let most = shown().map(|(_, counts)| of_side(counts)).max().unwrap_or(0).max(1) as f64;
        chart.beyond = months.len() - shown().count();
        for (place, counts) in shown() {
            let height = |count: u64| match count {
                0 => 0.0,
                count => (count as f64 * HEIGHT / most).max(LEAST),
            };
            let (both, left, right) =
                (height(counts.both), height(counts.only_left), height(counts.only_right));
            let (up, down) = (MIDDLE - MARGIN - both, MIDDLE + MARGIN);
            bar(&mut chart.both, place, up, both);
            bar(&mut chart.both, place, down, both);
            bar(&mut chart.only_left, place, up - left, left);
            bar(&mut chart.only_right, place, down + both, right);
        }
        chart
    }
}

fn bar(path: &mut String, place: usize, top: f64, height: f64) {
    if height > 0.0 {
        let _ = write!(path, "M{} {top:.1}h{BAR}v{height:.1}h-{BAR}z", place * STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(named: &[(i32, u8, u64, u64, u64)]) -> BTreeMap<Option<Month>, Counts> {
        let of = |&(year, month, both, only_left, only_right): &(i32, u8, u64, u64, u64)| {
            (Some(Month { year, month }), Counts { both, only_left, only_right, different: 0 })
        };
        named.iter().map(of).collect()
    }

    #[test]
    fn the_left_side_rises_and_the_right_one_hangs() {
        let months = months(&[(2019, 12, 1, 1, 0), (2020, 2, 0, 0, 1)]);
        let axis = Axis::of(&months).unwrap();
        assert_eq!(axis.width(), 18);
        let chart = axis.chart(&months);
        assert_eq!(chart.both, "M0 21.0h5v20.0h-5zM0 43.0h5v20.0h-5z");
        assert_eq!(chart.only_left, "M0 1.0h5v20.0h-5z");
        assert_eq!(chart.only_right, "M12 43.0h5v20.0h-5z");
    }

    #[test]
    fn dates_of_no_time_do_not_stretch_the_axis() {
        let months = months(&[(-100_000, 1, 1, 0, 0), (2020, 1, 1, 0, 0), (200_000, 3, 1, 0, 0)]);
        let axis = Axis::of(&months).unwrap();
        assert_eq!((axis.width(), axis.chart(&months).beyond), (6, 2));
        assert!(Axis::of(&BTreeMap::new()).is_none());
    }

    #[test]
    fn few_years_are_named() {
        for last in 2001..2060 {
            let axis = Axis::of(&months(&[(2000, 5, 1, 0, 0), (last, 1, 1, 0, 0)])).unwrap();
            let ticks = axis.ticks();
            assert!((1..=NAMED_YEARS + 1).contains(&ticks.len()), "{last}: {ticks:?}");
            assert!(ticks.iter().all(|tick| tick.at.parse::<f64>().unwrap() < 100.0), "{last}");
        }
    }
}
