//! How many messages there are of every month, as bars. Always of the same height.

use std::collections::BTreeMap;

use crate::writers::phrase;

use super::blocks::QUIET;
use super::front::put;
use super::layout::Engine;
use super::page::{Block, Color, Item, Role, Row};
use super::shape::{Rectangle, Shape};
use super::style::Style;

/// Above the bars.
const TOP: f32 = 4.0;
/// Left of the bars, for the scale.
const SCALE: f32 = 26.0;
const BARS: f32 = 46.0;
/// Below the bars, for the years.
const BOTTOM: f32 = 13.0;
/// More months than this become years.
const MOST_BARS: usize = 180;
/// Between one label and the next.
const ROOM: f32 = 6.0;
const LABEL: f32 = 7.5;

/// A bar of the chart.
struct Bar {
    count: u64,
    /// What is written below it where there is room.
    label: String,
}

/// The chart of these months.
pub fn chart(months: &BTreeMap<(i64, u8), u64>, style: &Style, engine: &mut Engine) -> Block {
    let bars = bars(months);
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    let scale = round_up(most);
    let mut row = Row { height: TOP + BARS + BOTTOM, items: vec![Item::Figure(in_words(months))] };
    // What the scale and the years say, the words for the picture do.
    let mut labels = Row::default();
    let (left, width) = (style.side + SCALE, style.measure() - SCALE);
    let rule = |y: f32| filled(Rectangle { x: left, y, width, height: 0.5 }, Color::Hairline);
    for (share, number) in [(1.0, scale), (0.5, scale / 2)] {
        let y = TOP + BARS * (1.0 - share);
        row.items.push(rule(y));
        // Half of an odd scale is no number of messages.
        if number > 0 && (share > 0.9 || scale.is_multiple_of(2)) {
            let number = engine.label(&phrase::grouped(number), QUIET, LABEL, SCALE);
            let x = left - 5.0 - number.width;
            put(number, x, y + 2.5, &mut labels);
        }
    }
    row.items.push(rule(TOP + BARS));
    let step = width / bars.len().max(1) as f32;
    // A few months are no broad walls.
    let width = (step * 0.76).min(16.0);
    let mut free_from = 0.0;
    for (number, bar) in bars.iter().enumerate() {
        let x = left + step * number as f32 + (step - width) / 2.0;
        if bar.count > 0 && scale > 0 {
            // One message is seen beside ten thousand.
            let height = (BARS * bar.count as f32 / scale as f32).max(0.8);
            let y = TOP + BARS - height;
            row.items.push(filled(Rectangle { x, y, width, height }, Color::Accent));
        }
        if !bar.label.is_empty() && x >= free_from {
            let label = engine.label(&bar.label, QUIET, LABEL, 80.0);
            free_from = x + label.width + ROOM;
            put(label, x, TOP + BARS + 9.5, &mut labels);
        }
    }
    row.items.extend(labels.items.into_iter().map(Item::into_ornament));
    Block { before: 6.0, rows: vec![row], begins: Some(Role::Paragraph), ..Block::default() }
}

/// What the chart shows, to who cannot see it.
fn in_words(months: &BTreeMap<(i64, u8), u64>) -> String {
    let name = |(year, month): (i64, u8)| format!("{} {year}", phrase::month_name(month));
    // The first of those with the most.
    let most = months.iter().rev().max_by_key(|(_, count)| **count);
    match (months.first_key_value(), most, months.last_key_value()) {
        (Some((first, _)), Some((month, count)), Some((last, _))) => format!(
            "A chart of the messages by month, from {} to {}: the most, {}, in {}.",
            name(*first),
            name(*last),
            phrase::grouped(*count),
            name(*month)
        ),
        _ => "A chart of the messages by month: none has a date.".into(),
    }
}

fn filled(at: Rectangle, color: Color) -> Item {
    Item::Shape(Shape::bar(at, color))
}

/// Every month from the first to the last; of a long history every year; of dates that are far apart those there are.
fn bars(months: &BTreeMap<(i64, u8), u64>) -> Vec<Bar> {
    let (Some((&first, _)), Some((&last, _))) = (months.first_key_value(), months.last_key_value()) else {
        return Vec::new();
    };
    let index = |(year, month): (i64, u8)| year.saturating_mul(12).saturating_add(i64::from(month) - 1);
    let span =
        |from: i64, to: i64| usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX).saturating_add(1);
    let few = span(index(first), index(last)) <= 24;
    if span(index(first), index(last)) <= MOST_BARS {
        let bar = |at: i64| {
            let (year, month) = (at.div_euclid(12), at.rem_euclid(12) as u8 + 1);
            let short: String = phrase::month_name(month).chars().take(3).collect();
            let label = match (few, month) {
                (false, 1) => year.to_string(),
                (false, _) => String::new(),
                (true, _) if month == 1 || at == index(first) => format!("{short} {year}"),
                (true, _) => short,
            };
            Bar { count: months.get(&(year, month)).copied().unwrap_or(0), label }
        };
        return (index(first)..=index(last)).map(bar).collect();
    }
    let mut years: BTreeMap<i64, u64> = BTreeMap::new();
    for ((year, _), count) in months {
        *years.entry(*year).or_default() += count;
    }
    let bar = |year: i64, count: u64| Bar { count, label: year.to_string() };
    if span(first.0, last.0) <= MOST_BARS {
        return (first.0..=last.0).map(|year| bar(year, years.get(&year).copied().unwrap_or(0))).collect();
    }
    years.into_iter().take(MOST_BARS).map(|(year, count)| bar(year, count)).collect()
}

/// 1, 2 or 5 and noughts, not less than `count`.
fn round_up(count: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 5] {
            if power.saturating_mul(step) >= count {
                return power.saturating_mul(step);
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_a_round_number() {
        assert_eq!(
            [0, 1, 2, 3, 7, 11, 480, 501, u64::MAX].map(round_up),
            [1, 1, 2, 5, 10, 20, 500, 1000, u64::MAX]
        );
    }

    #[test]
    fn a_chart_is_said_in_words() {
        let months = [((2019, 3), 4), ((2020, 1), 1_200), ((2021, 2), 1_200)].into();
        let words = in_words(&months);
        assert_eq!(
            words,
            "A chart of the messages by month, from March 2019 to February 2021: the most, 1,200, in January 2020."
        );
    }

    #[test]
    fn every_month_has_a_bar_and_nonsense_has_few() {
        let of = |months: &[(i64, u8)]| bars(&months.iter().map(|month| (*month, 1)).collect());
        assert_eq!(of(&[]).len(), 0);
        assert_eq!(
            of(&[(2023, 11), (2024, 2)]).iter().map(|bar| bar.label.as_str()).collect::<Vec<_>>(),
            ["Nov 2023", "Dec", "Jan 2024", "Feb"]
        );
        assert_eq!(of(&[(2015, 3), (2024, 2)]).len(), 108);
        assert_eq!(of(&[(1970, 1), (2024, 2)]).len(), 55);
        assert_eq!(of(&[(-4000, 1), (i64::MAX, 2)]).len(), 2);
    }
}
