use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::builder::styling::Style;
use msgarchive::archive::search::{Hit, Line, Query, search};
use msgarchive::writers::phrase::count;
use serde_json::{Value, json};

use super::progress::{When, working};
use super::selection_options::SelectionOptions;
use super::terminal::{plain, said, wrap};
use super::{Failure, Outcome, terminal, zone};

/// Search an archive: every word that a message says or ever said, deleted and unsent ones included.
///
/// All words have to be there, in any order, case and accents aside; a word finds longer ones that begin with it.
/// "Quotation marks" hold a phrase together. Works in all scripts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  msgarchive search ~/MessagesArchive \"lake house\"
  msgarchive search ~/MessagesArchive invoice --since 1y --context 2
  msgarchive search ~/MessagesArchive 東京 --json | jq -r '.hits[].text'")]
pub struct SearchArgs {
    /// The folder of the archive
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What to look for
    #[arg(id = "words", value_name = "TEXT", required = true, num_args = 1..)]
    words: Vec<String>,
    /// Only what you sent
    #[arg(long, conflicts_with = "received")]
    sent: bool,
    /// Only what others sent
    #[arg(long)]
    received: bool,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Messages to show before and after each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=100))]
    context: u32,
    /// Time zone for all dates, as an IANA name [default: the system's]
    #[arg(long, value_name = "ZONE", value_parser = zone::parse)]
    time_zone: Option<Tz>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    selection: SelectionOptions,
}

pub fn run(args: SearchArgs) -> Result<Outcome, Failure> {
    let zone = args.time_zone.map_or_else(zone::of_the_system, Ok)?;
    let query = Query {
        text: args.words.join(" "),
        selection: args.selection.selection(zone)?,
        from_me: (args.sent || args.received).then_some(args.sent),
        limit: args.limit as usize,
        context: args.context as usize,
    };
    // Only where there is no index yet does this take its time.
    let hits = working(When::Auto, "Indexing for search…", || search(&args.dir, &query))?;
    let printed = if args.json { as_json(&hits, zone) } else { in_words(&args, &hits, zone) };
    terminal::print(&printed)?;
    Ok(Outcome::Complete)
}

fn in_words(args: &SearchArgs, hits: &[Hit], zone: Tz) -> String {
    let width = terminal::width();
    let words: Vec<String> =
        args.words.join(" ").split(['"', ' ']).map(str::to_lowercase).filter(|w| !w.is_empty()).collect();
    let mut out = String::new();
    for hit in hits {
        let title = hit.conversation.as_ref().map_or("no conversation", |(_, title)| title);
        let deleted = if hit.deleted { ", deleted at the source" } else { "" };
        let _ = writeln!(out, "{}{deleted}", plain(title));
        for line in &hit.before {
            let _ = writeln!(out, "{}", wrap("    ", &in_a_line(line, zone), width));
        }
        let _ = writeln!(out, "{}", marked(&wrap("  > ", &in_a_line(&hit.line, zone), width), &words));
        for text in &hit.once {
            let once = format!("once: {}", said(Some(text)));
            let _ = writeln!(out, "{}", marked(&wrap("    ", &once, width), &words));
        }
        for line in &hit.after {
            let _ = writeln!(out, "{}", wrap("    ", &in_a_line(line, zone), width));
        }
        out.push('\n');
    }
    let more = if hits.len() == args.limit as usize { " (--limit shows more)" } else { "" };
    let _ = writeln!(out, "{}{more}", count(hits.len() as u64, "message", "messages"));
    out
}

/// Sets off the words, on a terminal that may show colors.
fn marked(text: &str, words: &[String]) -> String {
    if !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        return text.to_owned();
    }
    let bold = Style::new().bold();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        // Where lowering the case changes lengths, nothing is set off.
        let found = words
            .iter()
            .find(|word| rest.get(..word.len()).is_some_and(|start| start.to_lowercase() == **word));
        match found {
            Some(word) => {
                let (start, after) = rest.split_at(word.len());
                let _ = write!(out, "{bold}{start}{bold:#}");
                rest = after;
            }
            None => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}

fn in_a_line(line: &Line, zone: Tz) -> String {
    let date =
        line.date.map_or("—".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string());
    let who =
        if line.from_me { "Me" } else { line.name.as_deref().or(line.sender.as_deref()).unwrap_or("?") };
    format!("{date} {}: {}", plain(who), said(line.text.as_deref()))
}

fn as_json(hits: &[Hit], zone: Tz) -> String {
    let line = |line: &Line| {
        json!({
            "guid": line.guid,
            "date": line.date.map(|at| at.with_timezone(&zone).to_rfc3339()),
            "from_me": line.from_me,
            "sender": line.sender,
            "name": line.name,
            "text": line.text,
        })
    };
    let hits: Vec<Value> = hits
        .iter()
        .map(|hit| {
            let mut value = line(&hit.line);
            if let Some(object) = value.as_object_mut() {
                object.insert("conversation".into(), json!(hit.conversation.as_ref().map(|(id, _)| id)));
                object.insert("title".into(), json!(hit.conversation.as_ref().map(|(_, title)| title)));
                object.insert("once".into(), json!(hit.once));
                object.insert("deleted".into(), hit.deleted.into());
                object.insert("before".into(), hit.before.iter().map(line).collect());
                object.insert("after".into(), hit.after.iter().map(line).collect());
            }
            value
        })
        .collect();
    format!("{}\n", json!({ "schema": 1, "hits": hits }))
}
