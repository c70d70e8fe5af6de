use std::fmt::Write as _;

use chrono_tz::Tz;
use msgarchive::model::Instant;
use msgarchive::storage::{Amount, ConversationAmount, Estimate, Kept, Large, Passage, Places};
use msgarchive::writers::phrase::{grouped, size};
use msgarchive::writers::storage::words;

use super::terminal::{fit, plain, wrap};

/// How it is shown.
pub struct Shown<'a> {
    pub zone: Tz,
    pub me: &'a str,
    pub width: usize,
}

/// Rows of the long tables; JSON and CSV have all.
const MOST: usize = 10;

/// Columns beside the name's and the bar's, with two blanks before each: items, low, high.
const FIGURES: usize = (2 + 11) + (2 + 9) + (2 + 9);

/// Columns of a bar.
const BAR: usize = 14;

/// An estimate for a terminal.
pub fn tables(found: &Estimate, shown: &Shown<'_>) -> String {
    let mut text = String::new();
    let width = shown.width;
    let _ = writeln!(text, "{}", wrap("", &words::verdict(&found.total), width));
    if let Some(icloud) = &found.icloud {
        let _ = writeln!(text, "{}", wrap("", &words::icloud(icloud), width));
    }
    if let Some(freed) = &found.freed {
        let _ = writeln!(text, "{}", wrap("", &words::freed(freed), width));
    }

    if let Some(passage) = &found.gate {
        gate(&mut text, passage, found, shown);
    }
    if let Some(read) = &found.read {
        let _ = writeln!(text, "{}", wrap("", &words::read(read), width));
    }

    let categories = found.categories.iter().filter(|(_, sum)| sum.items > 0);
    let categories =
        categories.map(|(category, sum)| (words::category(*category).to_owned(), *sum)).collect();
    amounts(&mut text, "BY CATEGORY", categories, width);
    let conversations = found.conversations.iter().map(|of| (plain(title(of)), of.amount)).collect();
    amounts(&mut text, "BY CONVERSATION", conversations, width);
    let years = found.years.iter().map(|(year, sum)| (words::year(*year), *sum)).collect();
    amounts_of(&mut text, "BY YEAR", years, width, usize::MAX);
    let senders = found.senders.iter().map(|(who, sum)| (plain(words::who(who, shown.me)), *sum)).collect();
    amounts(&mut text, "BY SENDER", senders, width);

    largest(&mut text, found, shown);
    places(&mut text, &found.places, width);
    if let Some(deleted) = found.recently_deleted {
        let _ = writeln!(text, "{}", wrap("  ", &words::recently_deleted(&deleted), width));
    }
    plans(&mut text, found);
    keep(&mut text, found, shown);
    let _ = writeln!(text, "\nWHAT THIS RESTS ON");
    for sentence in words::assumptions(found) {
        let _ = writeln!(text, "{}", wrap("  - ", &sentence, width));
    }
    text
}

/// Things that are named; JSON has all.
const MOST_BLOCKED: usize = 20;

fn gate(text: &mut String, passage: &Passage, found: &Estimate, shown: &Shown<'_>) {
    let _ = writeln!(text, "\n{}", wrap("", &words::passage(passage), shown.width));
    for blocked in passage.blocked.iter().take(MOST_BLOCKED) {
        let of = blocked.conversation.and_then(|at| found.conversations.get(at)).map(title);
        let day = blocked.date.map(|date| day(Some(date), shown.zone));
        let sentence = words::blocked(blocked, of, day.as_deref());
        let _ = writeln!(text, "{}", wrap("  - ", &plain(&sentence), shown.width));
    }
    let more = passage.blocked.len().saturating_sub(MOST_BLOCKED) as u64;
    if more > 0 {
        let _ = writeln!(
            text,
            "{}",
            wrap("  ", &format!("and {} more: --json has all.", grouped(more)), shown.width)
        );
    }
}

fn title(of: &ConversationAmount) -> &str {
    of.conversation.as_ref().map_or(words::NO_CONVERSATION, |conversation| &conversation.title)
}

fn amounts(text: &mut String, heading: &str, rows: Vec<(String, Amount)>, width: usize) {
    amounts_of(text, heading, rows, width, MOST);
}

/// A table with bars; what is not shown of it is added up in its last row.
fn amounts_of(text: &mut String, heading: &str, rows: Vec<(String, Amount)>, width: usize, most: usize) {
    let name_width = width.saturating_sub(2 + BAR + FIGURES).max(12);
    let _ = writeln!(
        text,
        "\n{}  {:BAR$}  {:>11}  {:>9}  {:>9}",
        fit(heading, name_width),
        "",
        "ITEMS",
        "AT LEAST",
        "AT MOST"
    );
    let longest = rows.iter().map(|(_, sum)| sum.high).max().unwrap_or(0);
    let mut row = |name: &str, bar: &str, sum: &Amount| {
        let (items, low, high) = (grouped(sum.items), size(sum.low), size(sum.high));
        let _ =
            writeln!(text, "{}  {}  {items:>11}  {low:>9}  {high:>9}", fit(name, name_width), fit(bar, BAR));
    };
    for (name, sum) in rows.iter().take(most) {
        row(name, &bar(sum, longest), sum);
    }
    if rows.len() > most {
        let rest = rows.get(most..).unwrap_or_default();
        let mut sum = Amount::default();
        rest.iter().for_each(|(_, more)| sum += *more);
        row(&format!("{} more", grouped(rest.len() as u64)), "", &sum);
    }
}

/// What is certain is solid. Nothing that is there is invisible.
fn bar(sum: &Amount, longest: u64) -> String {
    let length = |bytes: u64| {
        let columns = bytes as f64 * BAR as f64 / longest.max(1) as f64;
        if bytes == 0 { 0 } else { (columns.round() as usize).max(1) }
    };
    let (low, high) = (length(sum.low), length(sum.high));
    format!("{}{}", "█".repeat(low), "░".repeat(high.saturating_sub(low)))
}

fn day(date: Option<Instant>, zone: Tz) -> String {
    date.map_or_else(|| "-".into(), |date| date.with_timezone(&zone).format("%Y-%m-%d").to_string())
}

/// Each with what opens it in Messages below it.
fn largest(text: &mut String, found: &Estimate, shown: &Shown<'_>) {
    if found.largest.is_empty() {
        return;
    }
    const BESIDE: usize = (2 + 9) + (2 + 10) + (2 + 9);
    let names = shown.width.saturating_sub(BESIDE + 2).max(24);
    let (name_width, title_width) = (names / 2, names - names / 2);
    let _ =
        writeln!(text, "\n{}  {:>9}  {:10}  {:9}  IN", fit("LARGEST", name_width), "SIZE", "DATE", "WHERE");
    for item in found.largest.iter().take(MOST) {
        let Large { name, bytes, date, availability, conversation, .. } = item;
        let of = conversation.and_then(|at| found.conversations.get(at)).map_or("-", title);
        let _ = writeln!(
            text,
            "{}  {:>9}  {:10}  {:9}  {}",
            fit(&plain(name.as_deref().unwrap_or("unnamed")), name_width),
            size(*bytes),
            day(*date, shown.zone),
            words::whereabouts(*availability),
            fit(&plain(of), title_width).trim_end(),
        );
    }
    let _ = writeln!(text, "{}", wrap("  ", words::OPENING, shown.width));
}

fn places(text: &mut String, places: &Places, width: usize) {
    let _ = writeln!(text, "\nWHERE THE BYTES ARE");
    let words = words::places(places);
    let most = words.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    let name_width = width.saturating_sub(4 + BAR + 2 + 9).clamp(12, 40);
    for (name, bytes) in words {
        let bar = bar(&Amount { items: 0, low: bytes, high: bytes }, most);
        let _ = writeln!(text, "  {}  {}  {:>9}", fit(name, name_width), fit(&bar, BAR), size(bytes));
    }
}

fn plans(text: &mut String, found: &Estimate) {
    let _ = writeln!(text, "\nSHARE OF A PLAN");
    for plan in &found.plans {
        let (low, high) = (words::share(plan.low, plan.bytes), words::share(plan.high, plan.bytes));
        let share = if low == high { low } else { format!("{low} to {high}") };
        let _ = writeln!(text, "  {:>6}  {share}", words::plan(plan.bytes));
    }
}

fn keep(text: &mut String, found: &Estimate, shown: &Shown<'_>) {
    let archive = found.keep.iter().any(|kept| kept.not_in_archive.is_some());
    let _ = writeln!(
        text,
        "\n{:14}  {:>11}  {:>11}  {:>9}  {:11}{}",
        "KEEP MESSAGES",
        "MESSAGES GO",
        "ATTACHMENTS",
        "SIZE",
        "OLDEST KEPT",
        if archive { "  NOT ARCHIVED" } else { "" }
    );
    for kept in &found.keep {
        let Kept { messages, attachments, oldest_kept, not_in_archive, .. } = kept;
        let missing = not_in_archive.map(|missing| grouped(missing.messages + missing.attachments));
        let line = format!(
            "{:14}  {:>11}  {:>11}  {:>9}  {:11}  {:>12}",
            words::setting(kept.setting),
            grouped(*messages),
            grouped(*attachments),
            size(kept.bytes()),
            day(*oldest_kept, shown.zone),
            missing.unwrap_or_default(),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for kept in found.keep.iter().filter(|kept| kept.before.is_some()) {
        let mut sentence = words::kept(kept);
        if let Some(missing) = words::not_in_archive(kept).filter(|_| kept.messages > 0) {
            sentence = format!("{sentence} {missing}");
        }
        let label = format!("  {}: ", words::setting(kept.setting));
        let _ = writeln!(text, "{}", wrap(&label, &sentence, shown.width));
    }
}
