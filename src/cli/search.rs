use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::builder::styling::Style;
use msgarchive::archive::search::{Found, Hit, Query, Word, search};
use msgarchive::model::Message;
use msgarchive::writers::clock::Clock;
use msgarchive::writers::phrase::{Phrases, count, deleted, grouped, shortened};
use serde_json::{Value, json};

use super::excerpt::{LEFT_OUT, Room, around, beginning, places};
use super::progress::{When, working};
use super::selection_options::SelectionOptions;
use super::terminal::{fill, plain, said, wrap};
use super::unfound::Asked;
use super::{Failure, Outcome, report, terminal, unfound, zone};

/// Before every message.
const INDENT: usize = 4;
/// Of who sent a message, in characters.
const LONGEST_NAME: usize = 60;

/// Search an archive: every word that a message says or ever said, deleted and unsent ones included.
///
/// All words have to be there, in any order, case and accents aside; a word finds longer ones that begin with it.
/// "Quotation marks" hold a phrase together. Works in all scripts. What links, polls and other cards say is searched, too,
/// names of files, transcriptions of voice messages, translations, and names that conversations were given.
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
    /// Show the GUID of each, for `history --message`
    #[arg(long)]
    guids: bool,
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
    let found = working(When::Auto, "Indexing for search…", || search(&args.dir, &query))?;
    let mut page = Page { phrases: Phrases::new("Me"), clock: Clock::new(zone), zone };
    let printed = if args.json { page.as_json(&found) } else { page.in_words(&args, &found) };
    terminal::print(&printed)?;
    report::warn_of_end(&args.dir)
}

impl SearchArgs {
    /// All that keeps a message that says the words from being a hit, as given.
    fn filters(&self) -> Vec<(String, String)> {
        let directions = [("sent", self.sent), ("received", self.received)];
        let given = directions.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| (name.to_owned(), String::new())).chain(self.selection.as_given()).collect()
    }
}

/// What was found, as it is shown.
struct Page {
    phrases: Phrases,
    clock: Clock,
    zone: Tz,
}

impl Page {
    fn in_words(&mut self, args: &SearchArgs, found: &Found) -> String {
        let width = terminal::width();
        let typed = args.words.join(" ");
        if let Some(unfound) = &found.unfound {
            let asked = Asked { text: &typed, filters: &args.filters() };
            return unfound::in_words(unfound, &asked, self.zone, width) + "\n";
        }
        let outer = |c: char| !c.is_alphanumeric() && c.is_ascii();
        let words: Vec<Word> =
            typed.split(['"', ' ']).filter_map(|word| Word::new(word.trim_matches(outer))).collect();
        let mut out = String::new();
        let long = Room::lines(width - INDENT, 10, 5);
        let short = Room::lines(width - INDENT, 3, 2);
        for hit in &found.hits {
            let title = hit.conversation.as_ref().map_or("no conversation", |(_, title)| title);
            let _ = writeln!(out, "{}", fill("", &beginning(&plain(title), short), width));
            for message in &hit.before {
                let _ = writeln!(out, "{}", fill("    ", &self.in_a_line(message, &[], short), width));
            }
            let line = self.in_a_line(&hit.message, &words, long);
            let _ = writeln!(out, "{}", marked(&fill("  > ", &line, width), &words));
            for text in &hit.once {
                let once = format!("once: {}", around(&said(Some(text)), &words, long));
                let _ = writeln!(out, "{}", marked(&fill("      ", &once, width), &words));
            }
            if let Some(why) = hit.message.deleted {
                let _ = writeln!(out, "{}", wrap("      ", &deleted(why, &mut self.clock), width));
            }
            if let Some(guid) = hit.message.guid.as_deref().filter(|_| args.guids) {
                let _ = writeln!(out, "      {}", plain(guid));
            }
            for message in &hit.after {
                let _ = writeln!(out, "{}", fill("    ", &self.in_a_line(message, &[], short), width));
            }
            out.push('\n');
        }
        // Where a message itself has such a mark, it does no harm to say what it means.
        if out.contains(LEFT_OUT) {
            let dir = plain(&args.dir.to_string_lossy());
            let how = format!(
                "{LEFT_OUT} stands for what is left out of long messages. `msgarchive history {dir} --message GUID` shows one \
                 whole (--guids shows GUIDs), and --json all of them."
            );
            let _ = writeln!(out, "{}", wrap("", &how, width));
        }
        let _ = writeln!(out, "{}", wrap("", &how_many(found), width));
        out
    }

    fn in_a_line(&mut self, message: &Message, words: &[Word], room: Room) -> String {
        let date = message
            .date
            .map_or("—".to_owned(), |at| at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string());
        let line = self.phrases.in_a_line(message, &mut self.clock);
        let line = around(&line, words, room);
        match self.phrases.event(message) {
            Some(_) => format!("{date} {line}"),
            None => {
                let sender = plain(self.phrases.sender(message));
                format!("{date} {}: {line}", shortened(&sender, LONGEST_NAME))
            }
        }
    }

    fn as_json(&mut self, found: &Found) -> String {
        let hits: Vec<Value> = found.hits.iter().map(|hit| self.hit(hit)).collect();
        let more = found.total.is_none_or(|total| total > hits.len() as u64);
        format!("{}\n", json!({ "schema": 1, "hits": hits, "total": found.total, "more": more }))
    }

    fn hit(&mut self, hit: &Hit) -> Value {
        let mut value = self.message(&hit.message);
        if let Some(object) = value.as_object_mut() {
            object.insert("conversation".into(), json!(hit.conversation.as_ref().map(|(id, _)| id)));
            object.insert("title".into(), json!(hit.conversation.as_ref().map(|(_, title)| title)));
            object.insert("once".into(), json!(hit.once));
            object.insert("deleted".into(), hit.message.deleted.is_some().into());
            object.insert("reason".into(), json!(hit.message.deleted.map(|deleted| deleted.reason.name())));
            if hit.message.deleted.is_some_and(|deleted| deleted.guessed) {
                object.insert("guessed".into(), true.into());
            }
            object.insert("before".into(), hit.before.iter().map(|message| self.message(message)).collect());
            object.insert("after".into(), hit.after.iter().map(|message| self.message(message)).collect());
        }
        value
    }

    fn message(&mut self, message: &Message) -> Value {
        let sender = message.sender.as_deref();
        json!({
            "guid": message.guid,
            "date": message.date.map(|at| at.with_timezone(&self.zone).to_rfc3339()),
            "from_me": message.from_me,
            "sender": sender.and_then(|sender| sender.handle.as_deref()),
            "name": sender.and_then(|sender| sender.name.as_deref()),
            "text": message.text(),
            "line": self.phrases.in_a_line(message, &mut self.clock),
        })
    }
}

/// `50 of 6,000 messages (--limit shows more)`.
fn how_many(found: &Found) -> String {
    let shown = found.hits.len() as u64;
    match found.total {
        Some(total) if total <= shown => count(shown, "message", "messages"),
        Some(total) => {
            format!("{} of {} (--limit shows more)", grouped(shown), count(total, "message", "messages"))
        }
        None => format!("{} of many (--limit shows more)", count(shown, "message", "messages")),
    }
}

/// Sets off the words, on a terminal that may show colors.
fn marked(text: &str, words: &[Word]) -> String {
    if !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        return text.to_owned();
    }
    let bold = Style::new().bold();
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for place in places(text, words) {
        if let (true, Some(before), Some(word)) =
            (place.start >= end, text.get(end..place.start), text.get(place.start..place.end))
        {
            let _ = write!(out, "{before}{bold}{word}{bold:#}");
            end = place.end;
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}
