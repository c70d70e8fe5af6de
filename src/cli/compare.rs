use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use msgarchive::compare::{About, Comparison, Counts, Gap, Gaps, Options, Quote, Side, compare};
use msgarchive::source::{OpenOptions, contacts_of_several};
use msgarchive::writers::clock::Clock;
use msgarchive::writers::comparison::both::both;
use msgarchive::writers::comparison::{html, json, words};
use msgarchive::writers::phrase::{self, count, grouped};

use super::progress::{Watch, When};
use super::reading_options::{ReadingOptions, Wanted, for_each};
use super::selection_options::ScopeOptions;
use super::terminal::{fit, plain, wrap};
use super::{Failure, Outcome, page, terminal};

/// Put two sources side by side: what only one of them has, what differs, and why.
///
/// Matches messages by GUID, then by content where they were restored under new GUIDs. Says for every conversation and
/// month what only one side has, and why as far as the evidence goes. Both sides are read whole; neither is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// A Messages folder, a chat.db or sms.db, an iPhone or iPad backup, a copy of a device's Library/SMS, an
    /// archive, or an export with JSON Lines
    left: PathBuf,
    /// Another one
    #[arg(required_unless_present = "sample")]
    right: Option<PathBuf>,
    /// Put the sample library built into the program on the left, and the only source that is named on the right
    #[arg(long, conflicts_with = "right")]
    sample: bool,
    /// Also read all attachments that are there, and compare their bytes; else their sizes, and what archives know of them
    #[arg(long)]
    deep: bool,
    /// Print one JSON object, with every message that makes a difference
    #[arg(long)]
    json: bool,
    /// Also write one page to look at and print, with a timeline of both sides
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show progress
    #[arg(long, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    progress: When,
    /// Where attachment files lie, when not at their usual place: once for the left and once for the right side
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    attachments_root: Vec<PathBuf>,
    #[command(flatten)]
    reading: ReadingOptions,
    #[command(flatten)]
    scope: ScopeOptions,
}

const EXAMPLES: &str = "\
Examples:
  What is on the phone that is not on this Mac, as a page:
    msgarchive compare ~/Library/Messages ~/Backups/00008110-0012 \\
      --html gaps.html
  One person, one year:
    msgarchive compare OLD NEW --only \"Ana Abbott\" \\
      --since 2024-01-01 --until 2025-01-01
  The GUIDs of what only the right side has and nothing explains:
    msgarchive compare OLD NEW --json |
      jq -r '.messages[] | select(.side == \"right\")
        | select(.reason == \"unexplained\") | .guid'

Exit status: 0 both have the same, 3 they differ or could not be read completely, 1 failed, 2 wrong command line, 130 interrupted.";

pub fn run(args: CompareArgs) -> Result<Outcome, Failure> {
    let zone = args.reading.zone()?;
    let selection = args.scope.selection(zone)?;
    let wanted = args.wanted();
    let mut attachments_roots = for_each(&args.attachments_root, wanted.len())?.into_iter();
    let watch = Watch::new(args.progress);
    let mut open = |number: usize, wanted: &Wanted| {
        let attachments_root = attachments_roots.next().flatten();
        args.reading.open(
            wanted,
            number,
            OpenOptions { attachments_root, ..OpenOptions::default() },
            args.progress,
        )
    };
    let [left, right] = wanted;
    let (left, right) = (open(0, &left)?, open(1, &right)?);
    let path = &left.source.info().path;
    if *path == right.source.info().path || same_file(path, &right.source.info().path) {
        return Err(Failure::SameSource { path: path.clone() });
    }
    let contacts = contacts_of_several(vec![left.contacts, right.contacts]);
    let quotes = if args.json { 0 } else { MOST_QUOTED };
    let options = Options { selection, zone, jobs: args.reading.jobs(), deep: args.deep, quotes };
    let compared = compare(left.source.as_ref(), right.source.as_ref(), &contacts, &options, &watch);
    drop(watch);
    let compared = compared?;
    if let Some(path) = &args.html {
        let tool = concat!("msgarchive ", env!("CARGO_PKG_VERSION"));
        page::write(path, |file| html::write(&compared, zone, &args.reading.me, tool, file))?;
    }
    if args.json {
        let mut out = BufWriter::new(io::stdout().lock());
        match json::write(&compared, zone, &mut out).and_then(|()| out.flush()) {
            // A reader that has seen enough is no failure.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(Failure::Output(error)),
            _ => {}
        }
    } else {
        terminal::print(&in_words(&compared, zone, args.html.as_deref()))?;
    }
    Ok(match (compared.is_equal(), compared.is_complete()) {
        (true, true) => Outcome::Complete,
        (true, false) => Outcome::Incomplete,
        (false, _) => Outcome::Different,
    })
}

impl CompareArgs {
    fn wanted(&self) -> [Wanted; 2] {
        let named = Wanted::At(self.left.clone());
        match &self.right {
            Some(right) => [named, Wanted::At(right.clone())],
            None => [Wanted::Sample, named],
        }
    }
}

pub(super) fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Conversations that are named; JSON and the page have all.
const MOST_NAMED: usize = 40;

/// Messages of which it is told what both sides say; JSON has all, without their words.
const MOST_QUOTED: usize = 20;

/// Columns of the four counts, with two blanks before each.
const COUNTS: usize = (2 + 9) + (2 + 9) + (2 + 10) + (2 + 9);

fn in_words(compared: &Comparison, zone: Tz, page: Option<&Path>) -> String {
    let width = terminal::width();
    let mut clock = Clock::new(zone);
    let mut text = String::new();
    for (name, about) in [("Left:  ", &compared.left), ("Right: ", &compared.right)] {
        let _ = writeln!(text, "{}", wrap(name, &plain(&side(about, &mut clock)), width));
    }
    let _ = writeln!(text, "\n{}", wrap("", &words::verdict(compared), width));
    if compared.restored > 0 {
        let restored = count(compared.restored, "message has", "messages have");
        let sentence = format!("{restored} another GUID on each side and the same content: restored.");
        let _ = writeln!(text, "{}", wrap("", &sentence, width));
    }
    for (side, about) in [(Side::Left, &compared.left), (Side::Right, &compared.right)] {
        if about.unreadable > 0 {
            let rows = count(about.unreadable, "row", "rows");
            let sentence = format!("{rows} on the {} could not be read: the file is damaged.", side.name());
            let _ = writeln!(text, "{}", wrap("", &sentence, width));
        }
    }
    for (side, about) in [(Side::Left, &compared.left), (Side::Right, &compared.right)] {
        if about.unread_files > 0 {
            let files = count(about.unread_files, "attachment", "attachments");
            let sentence =
                format!("{files} on the {} could not be read: their bytes are not compared.", side.name());
            let _ = writeln!(text, "{}", wrap("", &sentence, width));
        }
    }
    if !compared.is_equal() {
        text.push_str(&table(compared, width));
        text.push_str(&quotes(compared, &mut clock, width));
    }
    if let Some(path) = page {
        let _ = writeln!(text, "\n{}", wrap("", &plain(&format!("Page: {}", path.display())), width));
    }
    text
}

/// What a side is: `Messages library of a Mac, or a copy of one: /a/chat.db; 1,000 messages, 1 to 3 May 2024`.
fn side(about: &About, clock: &mut Clock) -> String {
    let period = match (about.first, about.last) {
        (Some(first), Some(last)) => format!(", {}", phrase::days(&clock.local(first), &clock.local(last))),
        _ => String::new(),
    };
    format!(
        "{}: {}; {}{period}",
        phrase::source_kind(&about.source, clock),
        about.source.path.display(),
        count(about.messages, "message", "messages"),
    )
}

fn table(compared: &Comparison, width: usize) -> String {
    let title_width = width.saturating_sub(COUNTS).max(12);
    let header = ["BOTH", "ONLY LEFT", "ONLY RIGHT", "DIFFERENT"];
    let mut table = format!("\n{}", fit("CONVERSATION", title_width));
    let _ = writeln!(table, "  {:>9}  {:>9}  {:>10}  {:>9}", header[0], header[1], header[2], header[3]);
    row(&mut table, "All", title_width, &compared.total.messages);
    details(&mut table, &compared.total, width);
    let differing: Vec<&Gap> = compared.conversations.iter().filter(|gap| !gap.gaps.is_equal()).collect();
    for gap in differing.iter().take(MOST_NAMED) {
        table.push('\n');
        row(&mut table, &plain(&gap.conversation.title), title_width, &gap.gaps.messages);
        details(&mut table, &gap.gaps, width);
    }
    let more = differing.len().saturating_sub(MOST_NAMED) as u64;
    if more > 0 {
        let more = count(more, "more conversation differs", "more conversations differ");
        let _ = writeln!(table, "\n{}", wrap("", &format!("{more}: --json and --html have all."), width));
    }
    let equal = (compared.conversations.len() - differing.len()) as u64;
    if equal > 0 {
        let _ = writeln!(table, "\n{} the same.", count(equal, "conversation is", "conversations are"));
    }
    table
}

fn row(table: &mut String, title: &str, title_width: usize, counts: &Counts) {
    let _ = writeln!(
        table,
        "{}  {:>9}  {:>9}  {:>10}  {:>9}",
        fit(title, title_width),
        grouped(counts.both),
        grouped(counts.only_left),
        grouped(counts.only_right),
        grouped(counts.different),
    );
}

/// Where the gaps lie, and why.
fn details(table: &mut String, gaps: &Gaps, width: usize) {
    let mut say = |what: &str, months: String, why: String| {
        let sentence = if months.is_empty() { why } else { format!("{months}: {why}") };
        let _ = writeln!(table, "{}", wrap(&format!("  {what:<10}  "), &sentence, width));
    };
    for (side, what) in [(Side::Left, "only left"), (Side::Right, "only right")] {
        if gaps.messages.only(side) > 0 {
            say(what, words::months(gaps, |counts| counts.only(side)), words::reasons(gaps, side));
        }
    }
    if gaps.messages.different > 0 {
        say("different", words::months(gaps, |counts| counts.different), words::differences(gaps));
    }
    if !gaps.hanging.is_equal() {
        let _ = writeln!(table, "{}", wrap("  ", &words::hanging(&gaps.hanging), width));
    }
}

/// What both sides say, of some messages that differ.
fn quotes(compared: &Comparison, clock: &mut Clock, width: usize) -> String {
    let mut text = String::new();
    if compared.quotes.is_empty() {
        return text;
    }
    text.push_str("\nWHAT BOTH SIDES SAY\n");
    for quote in &compared.quotes {
        let _ = writeln!(text, "\n{}", wrap("", &heading(compared, quote, clock), width));
        for one in both(quote, clock) {
            for (name, said, what) in [("left:  ", &one.sides[0], one.what), ("right: ", &one.sides[1], "")] {
                let _ = writeln!(text, "{}", wrap(&format!("  {what:<8}  {name}"), &plain(said), width));
            }
        }
    }
    let hanging = compared.total.hanging.different;
    let more = (compared.total.messages.different + hanging).saturating_sub(compared.quotes.len() as u64);
    if more > 0 {
        let more = count(more, "more message differs", "more messages differ");
        let _ = writeln!(text, "\n{}", wrap("", &format!("{more}: --json names all."), width));
    }
    text
}

/// `Ana Abbott, 1 May 2024, 12:00:00 (UTC+02:00), message 0F0B…`
fn heading(compared: &Comparison, quote: &Quote, clock: &mut Clock) -> String {
    let finding = &quote.finding;
    let title = compared.conversations.get(finding.conversation).map(|gap| gap.conversation.title.as_str());
    let date = finding.date.map(|date| phrase::moment(date, clock));
    let guid = finding.guid.as_deref().unwrap_or("without a GUID");
    let parts = title.into_iter().chain(date.as_deref()).chain([guid]);
    plain(&parts.collect::<Vec<_>>().join(", "))
}
