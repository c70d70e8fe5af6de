use std::fmt::Write as _;

use chrono_tz::Tz;
use msgarchive::model::{ConversationKind, Instant};
use msgarchive::pipeline::Report;
use msgarchive::pipeline::writer::Finished;
use msgarchive::writers::clock::Clock;
use msgarchive::writers::phrase::{self, grouped};
use msgarchive::writers::{export, jsonl};
use serde_json::json;

use super::progress::{Watch, When};
use super::selection_options::{SelectionOptions, explain};
use super::source_options::SourceOptions;
use super::terminal::{fit, plain};
use super::{Failure, Outcome, report, terminal};

/// List conversations: title, messages, period, attachments, id.
///
/// Counts what an export with the same options would write.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  msgarchive list
  msgarchive list --with \"Ana Abbott\" --since 1y
  msgarchive list --json |
    jq '.conversations[] | select(.messages > 1000) | .title'")]
pub struct ListArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    selection: SelectionOptions,
}

pub fn run(args: ListArgs) -> Result<Outcome, Failure> {
    let zone = args.source.reading.zone()?;
    let selection = args.selection.selection(zone)?;
    let watch = Watch::new(When::Auto);
    let opened = args.source.open(When::Auto)?;
    let jobs = args.source.reading.jobs();
    let done = export::list(opened.source.as_ref(), &opened.contacts, &selection, jobs, &watch);
    drop(watch);
    let done = done.map_err(|failure| explain(failure, &opened, &selection, jobs, zone))?;
    let then = opened.source.info().as_of();
    let printed =
        if args.json { as_json(&done, then, zone) } else { report::as_of(then, zone) + &table(&done, zone) };
    terminal::print(&printed)?;
    Ok(report::outcome_of(opened.source.info(), &done))
}

/// Columns beside the title's, with two blanks before each: kind, messages, files, period, id.
const BESIDE: usize = (2 + 6) + (2 + 9) + (2 + 6) + (2 + 17) + (2 + 10);

/// Longest first, as people look for the one that matters.
fn table(done: &Report, zone: Tz) -> String {
    let title_width = terminal::width().saturating_sub(BESIDE).max(12);
    let mut table = String::new();
    let _ = writeln!(
        table,
        "{}  {:6}  {:>9}  {:>6}  {:17}  ID",
        fit("CONVERSATION", title_width),
        "KIND",
        "MESSAGES",
        "FILES",
        "PERIOD"
    );
    let mut conversations: Vec<&Finished> = done.conversations.iter().collect();
    conversations.sort_by_key(|c| std::cmp::Reverse(c.rows.messages));
    for c in conversations {
        let _ = writeln!(
            table,
            "{}  {:6}  {:>9}  {:>6}  {:17}  {}",
            fit(&plain(&c.conversation.title), title_width),
            match c.conversation.kind {
                ConversationKind::Direct => "direct",
                ConversationKind::Group => "group",
                ConversationKind::Orphaned => "orphan",
            },
            grouped(c.rows.messages),
            grouped(c.attachments.referenced),
            period(c, zone),
            c.conversation.id,
        );
    }
    let _ = writeln!(
        table,
        "\n{} in {}",
        phrase::count(done.rows.messages, "message", "messages"),
        phrase::count(done.conversations.len() as u64, "conversation", "conversations"),
    );
    table.push_str(&report::troubles(done, terminal::width()));
    table
}

/// `2019-03 – 2024-12`.
fn period(c: &Finished, zone: Tz) -> String {
    let month = |instant: Instant| instant.with_timezone(&zone).format("%Y-%m").to_string();
    match (c.first, c.last) {
        (Some(first), Some(last)) if month(first) == month(last) => month(first),
        (Some(first), Some(last)) => format!("{} – {}", month(first), month(last)),
        _ => String::new(),
    }
}

/// The lines of `conversations.jsonl`, with counts and bytes of the attachments, and no file.
fn as_json(done: &Report, then: Option<Instant>, zone: Tz) -> String {
    let mut clock = Clock::new(zone);
    let conversations: Vec<String> =
        done.conversations.iter().map(|c| jsonl::listed(c, &mut clock)).collect();
    let then = then.map(|then| json!(then.with_timezone(&zone).to_rfc3339())).unwrap_or_default();
    format!("{{\"schema\":1,\"conversations\":[{}],\"as_of\":{then}}}\n", conversations.join(","))
}
