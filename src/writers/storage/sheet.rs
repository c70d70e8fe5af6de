//! What one page says of an estimate, in words and shares: the same for HTML and for PDF.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::words;
use crate::model::Instant;
use crate::storage::{Amount, ConversationAmount, Estimate, Kept};
use crate::writers::clock::Clock;
use crate::writers::open_in_messages::link;
use crate::writers::phrase::{self, grouped, one_line, size, source_kind};

/// Bars of a chart that has many.
const MOST_BARS: usize = 7;
/// Years of a chart: beyond that the oldest are one.
const MOST_YEARS: usize = 16;
/// Of the largest attachments.
const MOST_LARGE: usize = 5;

/// The page.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    pub title: &'static str,
    /// Whose it is, and what was read.
    pub source: String,
    pub verdict: String,
    /// What else was asked for, a sentence each.
    pub remarks: Vec<String>,
    pub categories: Chart,
    pub years: Chart,
    pub conversations: Chart,
    pub places: Chart,
    pub plans: Vec<(String, String)>,
    pub keep: Vec<Keep>,
    /// Whether an archive was asked about.
    pub has_archive: bool,
    pub largest: Vec<Large>,
    pub rests_on: Vec<String>,
    pub zone: &'static str,
    pub tool: String,
}

/// Bars, the widest of which fills its room.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    pub title: &'static str,
    pub bars: Vec<Bar>,
}

/// A bar: what is certain of it, and what it may be.
#[derive(Debug, Clone, Default)]
pub struct Bar {
    pub name: String,
    pub range: String,
    /// The upper figure alone, where there is little room.
    pub most: String,
    /// Of the widest.
    pub low: f64,
    pub high: f64,
}

/// What a setting purges.
#[derive(Debug, Clone)]
pub struct Keep {
    pub setting: &'static str,
    pub messages: String,
    pub attachments: String,
    pub size: String,
    pub oldest: String,
    /// What of it is in no archive; empty where none was asked about.
    pub not_archived: String,
}

/// A large attachment.
#[derive(Debug, Clone)]
pub struct Large {
    pub name: String,
    pub size: String,
    pub date: String,
    pub place: &'static str,
    pub conversation: String,
    /// Opens its message in Messages.
    pub link: Option<String>,
}

impl Sheet {
    /// `me`: how the owner is named; `tool`: name and version of the program.
    pub fn of(found: &Estimate, zone: Tz, me: &str, tool: &str) -> Sheet {
        let mut clock = Clock::new(zone);
        let owner = match one_line(me) {
            me if me == "Me" => String::new(),
            me => format!("{me} · "),
        };
        let counted = phrase::day_heading(&clock.local(found.now));
        let source = format!("{owner}{} · {counted}", source_kind(&found.source, &mut clock));
        let mut remarks = Vec::new();
        remarks.extend(found.icloud.as_ref().map(words::icloud));
        remarks.extend(found.freed.as_ref().map(words::freed));
        remarks.extend(found.gate.as_ref().map(words::passage));
        let deleted = found.recently_deleted.as_ref().filter(|deleted| deleted.items > 0);
        remarks.extend(deleted.map(words::recently_deleted));
        let categories = found.categories.iter().filter(|(_, sum)| sum.items > 0);
        let mut day = |date: Option<Instant>| {
            date.map_or_else(|| "–".to_owned(), |date| phrase::short_date(&clock.local(date)))
        };
        let keep = found.keep.iter().map(|kept| Keep::of(kept, &mut day)).collect();
        let largest = found.largest.iter().take(MOST_LARGE).map(|item| Large {
            name: one_line(item.name.as_deref().unwrap_or("unnamed")).into_owned(),
            size: size(item.bytes),
            date: day(item.date),
            place: words::whereabouts(item.availability),
            conversation: item
                .conversation
                .and_then(|at| found.conversations.get(at))
                .map_or_else(String::new, |of| title(of).into_owned()),
            link: item.message.as_deref().map(link),
        });
        Sheet {
            title: "What Messages takes in iCloud",
            source,
            verdict: words::verdict(&found.total),
            remarks,
            categories: chart(
                "By category",
                categories.map(|(of, sum)| (words::category(*of).to_owned(), *sum)).collect(),
                usize::MAX,
            ),
            years: years(found),
            conversations: chart(
                "The largest conversations",
                found.conversations.iter().map(|of| (title(of).into_owned(), of.amount)).collect(),
                MOST_BARS,
            ),
            places: places(found),
            plans: found.plans.iter().map(plan).collect(),
            keep,
            has_archive: found.keep.iter().any(|kept| kept.not_in_archive.is_some()),
            largest: largest.collect(),
            rests_on: words::assumptions(found),
            zone: zone.name(),
            tool: tool.to_owned(),
        }
    }
}

fn title(of: &ConversationAmount) -> Cow<'_, str> {
    of.conversation
        .as_ref()
        .map_or(words::NO_CONVERSATION.into(), |conversation| one_line(&conversation.title))
}

/// A chart of the first so many, and what the others are together.
fn chart(title: &'static str, rows: Vec<(String, Amount)>, most: usize) -> Chart {
    let widest = rows.iter().map(|(_, sum)| sum.high).max().unwrap_or(0).max(1) as f64;
    let bar = |(name, sum): (String, Amount)| Bar {
        name,
        range: words::range(sum.low, sum.high),
        most: size(sum.high),
        low: sum.low as f64 / widest,
        high: sum.high as f64 / widest,
    };
    let more = rows.len().saturating_sub(most) as u64;
    let mut rest = Amount::default();
    rows.iter().skip(most).for_each(|(_, sum)| rest += *sum);
    let mut bars: Vec<Bar> = rows.into_iter().take(most).map(bar).collect();
    if more > 0 {
        // They may be more than the first one: their sum is told, and no bar of them shown.
        bars.push(Bar { low: 0.0, high: 0.0, ..bar((format!("{} more", grouped(more)), rest)) });
    }
    Chart { title, bars }
}

/// Every year from the first to the last, those without anything, too.
fn years(found: &Estimate) -> Chart {
    let named: Vec<(i32, Amount)> =
        found.years.iter().filter_map(|(year, sum)| Some(((*year)?, *sum))).collect();
    let first = named.first().map_or(0, |(year, _)| *year);
    let last = named.last().map_or(-1, |(year, _)| *year);
    let begin = first.max(last.saturating_sub(MOST_YEARS as i32 - 1));
    let mut rows = Vec::new();
    let mut before = Amount::default();
    named.iter().filter(|(year, _)| *year < begin).for_each(|(_, sum)| before += *sum);
    if before.items > 0 {
        rows.push((format!("before {begin}"), before));
    }
    for year in begin..=last {
        let sum = named.iter().find(|(of, _)| *of == year).map(|(_, sum)| *sum);
        rows.push((year.to_string(), sum.unwrap_or_default()));
    }
    chart("By year", rows, usize::MAX)
}

fn places(found: &Estimate) -> Chart {
    let rows = words::places(&found.places);
    let sum = |bytes| Amount { items: 0, low: bytes, high: bytes };
    chart(
        "Where the bytes are",
        rows.into_iter().map(|(name, bytes)| (name.to_owned(), sum(bytes))).collect(),
        usize::MAX,
    )
}

fn plan(plan: &crate::storage::Plan) -> (String, String) {
    let (low, high) = (words::share(plan.low, plan.bytes), words::share(plan.high, plan.bytes));
    let share = if low == high { low } else { format!("{low} to {high}") };
    (words::plan(plan.bytes), share)
}

impl Keep {
    fn of(kept: &Kept, day: &mut impl FnMut(Option<Instant>) -> String) -> Keep {
        let missing = kept.not_in_archive.map(|missing| grouped(missing.messages + missing.attachments));
        Keep {
            setting: words::setting(kept.setting),
            messages: grouped(kept.messages),
            attachments: grouped(kept.attachments),
            size: size(kept.bytes()),
            oldest: day(kept.oldest_kept),
            not_archived: missing.unwrap_or_default(),
        }
    }
}
