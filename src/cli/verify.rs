use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use msgarchive::verify::{Findings, Lost, Problem, Unread, verify};
use msgarchive::writers::phrase::{count, grouped, size};
use serde_json::{Value, json};

use super::progress::{Watch, When};
use super::reading_options::jobs_of;
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, lost, terminal};

/// Check an archive or an export against its own hashes and counts.
///
/// Of an archive: every row, every run's record, that every attachment is there with its size, and, with --deep, its
/// bytes. Of an export: every file of its manifest. Names what is damaged or gone, says whether it can be had again and
/// from where, and mends nothing: `archive` with that source does. With --deep it also names files among an archive's
/// attachments that are of no message, which are no damage.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 whole, 1 failed, or something could not be read, 2 wrong command line, 3 something is \
                  damaged or gone."
)]
pub struct VerifyArgs {
    /// The folder of an archive or an export
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Read every attachment of an archive again
    #[arg(long)]
    deep: bool,
    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Show progress
    #[arg(long, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    progress: When,
}

/// Problems that are printed; `--json` has all of them.
const PRINTED: usize = 50;

pub fn run(args: VerifyArgs) -> Result<Outcome, Failure> {
    let watch = Watch::new(args.progress);
    let findings = verify(&args.dir, args.deep, jobs_of(args.jobs), &watch)?;
    drop(watch);
    let printed = if args.json { as_json(&findings) } else { in_words(&args, &findings) };
    terminal::print(&printed)?;
    if let Some(first) = findings.unread.first() {
        // Nobody can tell whether it is whole.
        return Err(Failure::Unread { path: args.dir.join(&first.path), what: first.what.clone() });
    }
    Ok(if findings.problems.is_empty() { Outcome::Complete } else { Outcome::Incomplete })
}

fn in_words(args: &VerifyArgs, findings: &Findings) -> String {
    let checked = &findings.checked;
    let width = terminal::width();
    let mut words = format!(
        "{}: {}, {} ({}), {}\n",
        plain(&args.dir.display().to_string()),
        count(checked.rows, "row", "rows"),
        count(checked.contents, "file", "files"),
        size(checked.bytes),
        count(checked.runs, "run", "runs"),
    );
    let list = |words: &mut String, lines: &mut dyn Iterator<Item = String>| {
        for line in lines.take(PRINTED) {
            let _ = writeln!(words, "{}", wrap("  - ", &line, width));
        }
        let more = lines.count();
        if more > 0 {
            let _ = writeln!(words, "  and {} more: --json has all of them", grouped(more as u64));
        }
    };
    let many = |count_of: usize, one, more| count(count_of as u64, one, more);
    match (findings.problems.len(), findings.unread.is_empty()) {
        (0, true) if !findings.lost.is_empty() => words.push_str("Whole, but for what was lost before.\n"),
        (0, true) if checked.runs == 0 => {
            words.push_str("No run has been completed yet: there is nothing here to verify.\n");
        }
        (0, true) => words.push_str("Whole: nothing is damaged, and nothing is missing.\n"),
        (0, false) => words.push_str("What could be read is whole.\n"),
        (problems, _) => {
            let _ = writeln!(words, "\n{}:", many(problems, "problem", "problems"));
            list(&mut words, &mut findings.problems.iter().map(in_a_line));
            // Of a whole database that waits for no single source.
            let waits = |problem: &&Problem| problem.in_doubt && problem.kind != "database";
            let in_doubt = findings.problems.iter().filter(waits);
            let sources: BTreeSet<&str> = in_doubt.filter_map(|problem| problem.source.as_deref()).collect();
            for source in sources {
                let _ = writeln!(words, "\n{}", wrap("", &lost::way_out(source, &args.dir), width));
            }
        }
    }
    if findings.is_unnoted && !findings.problems.is_empty() {
        let told = "Nothing may be written here, so that the next run will not know of it: run `verify` again where it \
                     may, and `archive` then.";
        let _ = writeln!(words, "\n{}", wrap("", told, width));
    }
    if !findings.unread.is_empty() {
        let files = many(findings.unread.len(), "file", "files");
        let _ = writeln!(words, "\n{files} could not be read, and may be whole:");
        let line = |unread: &Unread| plain(&format!("{} ({})", unread.path, unread.what));
        list(&mut words, &mut findings.unread.iter().map(line));
    }
    if !findings.lost.is_empty() {
        words.push_str("\nLeft by damage of before, as nothing could mend it:\n");
        let of_runs = findings.lost.chunk_by(|a, b| a.run == b.run);
        let of_run = |lost: &[Lost]| {
            let run = lost.first().map_or_else(String::new, |lost| plain(&lost.run));
            let things = lost.iter().map(|Lost { thing, .. }| (&*thing.what, thing.of.as_ref()));
            let said = move |words| format!("{words} (said run {run})");
            lost::all_in_words(things).into_iter().map(said).collect::<Vec<String>>()
        };
        list(&mut words, &mut of_runs.flat_map(of_run));
    }
    if let Some(foreign @ [_, ..]) = findings.foreign.as_deref() {
        let these = match foreign.len() {
            1 => {
                "1 file in Attachments belongs to no message; it does no harm, and is left alone:".to_owned()
            }
            many => format!(
                "{} files in Attachments belong to no message; they do no harm, and are left alone:",
                grouped(many as u64)
            ),
        };
        let _ = writeln!(words, "\n{}", wrap("", &these, width));
        list(&mut words, &mut foreign.iter().map(|path| plain(path)));
    }
    words
}

fn in_a_line(problem: &Problem) -> String {
    let mut line = match &problem.path {
        Some(path) => format!("{} {}", plain(path), plain(&problem.what)),
        None => plain(&problem.what),
    };
    if let Some(guid) = &problem.guid {
        let _ = write!(line, " ({})", plain(guid));
    }
    match (&problem.source, problem.lost) {
        (Some(source), _) => {
            let source = plain(source);
            let _ = match (problem.kind, problem.in_doubt) {
                ("database", true) => {
                    write!(line, "; `archive` takes what {source} still has again from there")
                }
                (_, true) => write!(line, "; `archive` takes it again from {source}, if that still has it"),
                (_, false) => write!(line, "; `archive` takes it again from {source}"),
            };
        }
        (None, true) => line.push_str("; no source that is known has it any more"),
        (None, false) => {}
    }
    line
}

fn as_json(findings: &Findings) -> String {
    let checked = &findings.checked;
    let problems: Vec<Value> = findings
        .problems
        .iter()
        .map(|problem| {
            json!({
                "kind": problem.kind,
                "path": problem.path,
                "guid": problem.guid,
                "what": problem.what,
                "source": problem.source,
                // Nobody can tell without reading the source.
                "lost": if problem.in_doubt { Value::Null } else { problem.lost.into() },
            })
        })
        .collect();
    let lost: Vec<Value> = findings.lost.iter().map(lost_as_json).collect();
    let unread: Vec<Value> =
        findings.unread.iter().map(|unread| json!({ "path": unread.path, "what": unread.what })).collect();
    let object = json!({
        "schema": 1,
        "ok": problems.is_empty() && unread.is_empty(),
        "checked": {
            "rows": checked.rows,
            "contents": checked.contents,
            "bytes": checked.bytes,
            "runs": checked.runs,
        },
        "problems": problems,
        "unread": unread,
        "lost": lost,
        "foreign": findings.foreign,
    });
    format!("{object}\n")
}

fn lost_as_json(Lost { run, thing }: &Lost) -> Value {
    let mut lost = thing.of.clone().unwrap_or_default().to_json();
    if thing.of.is_none() {
        lost["table"] = Value::Null;
    }
    lost["run"] = run.as_str().into();
    lost["what"] = thing.what.as_str().into();
    lost
}
