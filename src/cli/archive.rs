use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use msgarchive::archive::{
    self, ArchiveError, ArchiveOptions, Feed, GoneSource, Reason, RunRecord, SourceRead,
};
use msgarchive::disk::{MANIFEST, archive_folder};
use msgarchive::sample;
use msgarchive::source::{OpenOptions, Place, SourceError, contacts};
use msgarchive::writers::keep_up::KeptUp;
use msgarchive::writers::phrase::{count, grouped, size};
use serde_json::{Map, Value, json};

use super::access_options::AccessOptions;
use super::keeping_up::{self, KeepingUpOptions};
use super::progress::{Watch, When};
use super::reading_options::{for_each, jobs_of, unpack_sample};
use super::source_options::default_source;
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, guard, lost, moment, report, terminal};

/// Add everything new to an archive that never loses a message.
///
/// Creates the archive with the first run. Later runs add what is new, keep what was before where something was
/// edited, unsent or read, and write down what a source has no more, with the reason as far as it can be known. Nothing
/// is ever removed from an archive; the sources are not changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ArchiveArgs {
    /// The folder of the archive
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// A Messages folder, a chat.db or sms.db, an iPhone or iPad backup, a copy of a device's Library/SMS, or
    /// another archive; may be given several times [default: this Mac's library, else the newest complete backup]
    #[arg(short, long, value_name = "PATH")]
    source: Vec<PathBuf>,
    /// Read the sample library built into the program
    #[arg(long, conflicts_with_all = ["source", "contacts", "attachments_root"])]
    sample: bool,
    /// Where attachment files lie, when not at their usual place; of several sources, once for each, in their order
    #[arg(long, value_name = "PATH")]
    attachments_root: Vec<PathBuf>,
    /// A source that will never be there again (sold, dead, deleted), by its path as `history` has it: what is damaged is no
    /// longer kept waiting for it, and what only it had of that is given up, and named. Nothing that the archive has is
    /// removed. Should it be read again after all, it counts again. May be given several times, with or without --source
    #[arg(long, value_name = "PATH")]
    gone: Vec<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "export")]
    dry_run: bool,
    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Print the run's record as one JSON object
    #[arg(long)]
    json: bool,
    /// Show progress
    #[arg(long, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    progress: When,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    keeping_up: KeepingUpOptions,
}

/// How often a source is read that others write to, until it lies still for as long as that takes.
const TRIES: u32 = 3;

/// So much of what is damaged is named; the record has all of it.
const NAMED: usize = 20;

const EXAMPLES: &str = "\
Examples:
  This Mac's library, tonight and every night:
    msgarchive archive ~/MessagesArchive
  A Mac and an iPhone, merged:
    msgarchive archive ~/MessagesArchive -s ~/Library/Messages \\
      -s ~/iPhoneBackup --password-file pw
  What would be added:
    msgarchive archive ~/MessagesArchive --dry-run
  A phone that was sold, and is still waited for to mend what is damaged:
    msgarchive archive ~/MessagesArchive --gone ~/Backups/OldPhone
  And documents of it, of which only what changed is written:
    msgarchive archive ~/MessagesArchive --export pdf,csv --out ~/Messages

Exit status: 0 done, 1 failed (the archive is as it was; or the export failed and is as it was), 2 wrong command line, 3 done, but something could not be read completely, or damage that was found could not be put right, 130 interrupted (nothing half done is left).";

pub fn run(args: ArchiveArgs) -> Result<Outcome, Failure> {
    let now = moment::of_run();
    let keeping_up = args.keeping_up.wanted()?;
    let watch = Watch::new(args.progress);
    let unpacked = if args.sample { Some(unpack_sample()?) } else { None };
    let paths = match (&unpacked, args.source.is_empty()) {
        (Some(folder), _) => vec![folder.path().to_owned()],
        (None, false) => args.source.clone(),
        (None, true) if !args.gone.is_empty() => Vec::new(),
        (None, true) => vec![default_source()?],
    };
    let jobs = jobs_of(args.jobs);
    let attachments_roots = for_each(&args.attachments_root, paths.len())?;
    // Its disk is elsewhere: what is here must not wait for that, lest it be gone by then.
    let is_away = |path: &Path| matches!(path.try_exists(), Ok(false));
    let are_all_away = paths.iter().all(|path| is_away(path));
    let (mut places, mut away) = (Vec::new(), Vec::new());
    for (number, (path, attachments_root)) in paths.iter().zip(attachments_roots).enumerate() {
        if !are_all_away && is_away(path) {
            away.push(format!("{}: it is not there", path.display()));
            continue;
        }
        let options = OpenOptions {
            attachments_root,
            shown_as: args.sample.then(|| "(sample)".into()),
            sessions: jobs,
            ..OpenOptions::default()
        };
        places.push((path, args.access.place(path, number, args.progress)?, options));
    }
    if let Some(wanted) = &keeping_up {
        let read: Vec<PathBuf> = places.iter().filter_map(|(_, place, _)| place.own_folder()).collect();
        wanted.check_place(&args.dir, &read)?;
    }
    let open = |(path, place, options): &(&PathBuf, Place, OpenOptions)| -> Result<Feed, Failure> {
        let tables = place.tables(options)?;
        // What is not read is told when the run is done.
        let info = tables.info();
        let told = info.warnings.iter().filter(|words| info.unread.as_ref() != Some(*words));
        told.for_each(|words| report::warn(words));
        let contacts = match &unpacked {
            Some(folder) => contacts::load(&folder.path().join(sample::CONTACTS))?,
            None => args.access.contacts(tables.contacts(), path)?,
        };
        Ok(Feed { tables, contacts })
    };
    let options = ArchiveOptions {
        now,
        jobs,
        dry_run: args.dry_run,
        guard: Some(guard::over),
        away: &away,
        gone: &args.gone,
        copies: keeping_up.as_ref().map(|wanted| wanted.out),
    };
    let mut tries = 1..TRIES;
    let record = loop {
        let feeds = places.iter().map(open).collect::<Result<Vec<Feed>, Failure>>()?;
        match archive::archive(&args.dir, &feeds, options, &watch) {
            // Messages was opened just now: as long as it runs there is a state of one moment to read.
            Err(ArchiveError::Source(SourceError::Changed { .. })) if tries.next().is_some() => {}
            done => break done?,
        }
    };
    let exported =
        keeping_up.map(|wanted| (wanted.out, wanted.bring_up(&args.dir, &args.access, jobs, &watch)));
    drop(watch);
    let mut beside = beside_record(args.dry_run, exported.as_ref());
    let exported = exported.map(|(out, done)| done.map(|done| (out, done)));
    let told = match &exported {
        Some(Ok((out, done))) if !args.json => keeping_up::in_words(out, done),
        _ => String::new(),
    };
    let note = report::without_permissions(&made(&args, &record, &exported));
    let printed = match args.json {
        true => {
            beside.extend(note.map(|words| ("notes".to_owned(), json!([words]))));
            as_json(&record, beside)
        }
        false => {
            let note = note.map(|words| report::note(&words, terminal::width())).unwrap_or_default();
            in_words(&args, &record) + &told + &note
        }
    };
    terminal::print(&printed)?;
    record.sources.iter().filter_map(emptied).for_each(|words| report::warn(&words));
    record.unreadable.iter().for_each(|words| report::warn(&format!("cannot read {words}")));
    let lost = record.lost.iter().zip(&record.lost_of).map(|(what, of)| (&**what, of.as_ref()));
    warn_of("lost by damage, and nothing has it any more", &lost::all_in_words(lost));
    let still = record.still_damaged.iter().zip(&record.still_damaged_of);
    let still = still.map(|(what, of)| lost::in_words(what, of.as_ref()));
    warn_of("damaged still, as no source that was read has it", &still.collect::<Vec<String>>());
    let is_exported = match exported.transpose()? {
        Some((_, done)) => keeping_up::outcome(&done) == Outcome::Complete,
        None => true,
    };
    let is_whole = record.unreadable.is_empty()
        && record.lost.is_empty()
        && record.still_damaged.is_empty()
        && is_exported;
    Ok(if is_whole { Outcome::Complete } else { Outcome::Incomplete })
}

/// Names what damage took.
fn warn_of(what: &str, all: &[String]) {
    all.iter().take(NAMED).for_each(|words| report::warn(&format!("{what}: {words}")));
    let more = all.len().saturating_sub(NAMED);
    if more > 0 {
        report::warn(&format!("{what}: {} more, which the record of this run names", grouped(more as u64)));
    }
}

/// A source that is suddenly empty, in words.
fn emptied(source: &SourceRead) -> Option<String> {
    let had = source.had?;
    Some(format!(
        "{} holds no messages, where it had {} when it was read before: was the account signed out, or is another library \
         there now? None of them is called deleted for that alone, and the archive keeps them all",
        source.path,
        grouped(had)
    ))
}

/// What was made now, in the archive and in its export.
fn made<'a>(
    args: &'a ArchiveArgs,
    record: &RunRecord,
    exported: &Option<Result<(&'a Path, KeptUp), Failure>>,
) -> Vec<(&'a Path, PathBuf)> {
    let in_archive = args.dir.join(archive_folder::RUNS).join(format!("{}.json", record.name));
    let mut made = vec![(&*args.dir, in_archive)];
    if let Some(Ok((out, done))) = exported
        && !done.is_unchanged()
    {
        made.push((out, out.join(MANIFEST)));
    }
    made
}

/// What there is to say of a run that its record does not: that there is none, and what became of the export.
fn beside_record(dry_run: bool, exported: Option<&(&Path, Result<KeptUp, Failure>)>) -> Map<String, Value> {
    let mut beside = Map::new();
    if dry_run {
        beside.insert("dry_run".into(), true.into());
    }
    if let Some((out, done)) = exported {
        let export = match done {
            Ok(done) => keeping_up::as_json(out, done),
            Err(failure) => json!({ "out": out.to_string_lossy(), "failed": failure.to_string() }),
        };
        beside.insert("export".into(), export);
    }
    beside
}

/// The record as it lies in the archive, with what there is to say beside it.
fn as_json(record: &RunRecord, beside: Map<String, Value>) -> String {
    match serde_json::from_str::<Map<String, Value>>(&record.text) {
        Ok(mut object) if !beside.is_empty() => {
            object.extend(beside);
            format!("{}\n", Value::Object(object))
        }
        _ => record.text.clone(),
    }
}

/// What became of what was found damaged, in sentences; nothing where nothing was.
fn of_damage(record: &RunRecord, dir: &Path, dry_run: bool) -> String {
    let mut sentences = Vec::new();
    if !record.damage.is_empty() {
        sentences.push(match dry_run {
            true => "What was found damaged would be put right as far as the sources and the archive itself have it.".into(),
            false => String::from(
                "What was found damaged is put right as far as the sources and the archive itself have it; the record of this \
                 run lists it.",
            ),
        });
    }
    if !record.lost.is_empty() {
        let lost = count(record.lost.len() as u64, "thing", "things");
        let (is, them) = if record.lost.len() == 1 { ("is", "it") } else { ("are", "them") };
        sentences.push(format!("{lost} that damage took {is} nowhere any more: `history` names {them}."));
    }
    if !record.still_damaged.is_empty() {
        let many = count(record.still_damaged.len() as u64, "thing", "things");
        let stays = if record.still_damaged.len() == 1 { "stays" } else { "stay" };
        sentences.push(format!(
            "{many} of what is damaged {stays} so until a run reads a source that has it; the record of this run names the sources \
             that may."
        ));
    }
    if !sentences.is_empty() && !dry_run {
        sentences.push("Verify again.".into());
    }
    if !record.still_damaged.is_empty() {
        let holders = record.still_damaged_of.iter().flatten().filter_map(|of| of.source.as_deref());
        sentences
            .extend(holders.collect::<BTreeSet<&str>>().into_iter().map(|path| lost::way_out(path, dir)));
    }
    sentences.join(" ")
}

fn in_words(args: &ArchiveArgs, record: &RunRecord) -> String {
    let dir = plain(&args.dir.display().to_string());
    let mut words = match (args.dry_run, record.number) {
        (true, 1) => format!("Would begin a new archive at {dir}, and did not:\n"),
        (true, _) => format!("Would add to {dir}, and did not:\n"),
        (false, 1) => format!("Began a new archive at {dir}, run 1\n"),
        (false, number) => format!("Added to {dir}, run {number}\n"),
    };
    for source in &record.sources {
        let device =
            source.device.as_deref().map(|device| format!("{}, ", plain(device))).unwrap_or_default();
        let new = if source.new { ", read for the first time" } else { "" };
        let line = format!(
            "{device}{} ({}{new}): {} read",
            plain(&source.path),
            source.kind,
            // As many as rows: `list` counts those that stand by themselves.
            count(source.read, "message or tapback", "messages and tapbacks")
        );
        let _ = writeln!(words, "{}", wrap("  ", &line, terminal::width()));
    }
    for GoneSource { path, kind, .. } in &record.gone_for_good {
        let would = if args.dry_run { "would be noted as gone for good" } else { "gone for good" };
        let line = format!(
            "{} ({kind}): {would}, as you say; nothing waits for it any more, and if it is read after all, it counts again",
            plain(path)
        );
        let _ = writeln!(words, "{}", wrap("  ", &line, terminal::width()));
    }
    let damage = of_damage(record, &args.dir, args.dry_run);
    if !damage.is_empty() {
        let _ = writeln!(words, "\n{}", wrap("", &damage, terminal::width()));
    }
    if !record.found_again.is_empty() {
        let again = count(record.found_again.len() as u64, "thing", "things");
        let line = format!(
            "{again} that had been lost by damage: a source, or a copy, has it still, and it is back in its place."
        );
        let _ = writeln!(words, "\n{}", wrap("", &line, terminal::width()));
    }
    let counts = &record.counts;
    let absent = |reason: Reason| counts.absent.get(&reason).copied().unwrap_or(0);
    let tapbacks = match counts.tapbacks_replaced {
        1 => "tapback that a later one replaced; kept here",
        _ => "tapbacks that a later one replaced; kept here",
    };
    let lines = [
        (counts.added, "new"),
        (counts.changed, "changed: edited, unsent, read, …; what was before is kept"),
        (absent(Reason::RecentlyDeleted), "moved to Recently Deleted; kept here"),
        (counts.gone, "gone from Recently Deleted; kept here"),
        (
            absent(Reason::Deleted).saturating_sub(counts.tapbacks_replaced),
            "deleted at the source; kept here",
        ),
        (counts.tapbacks_replaced, tapbacks),
        (absent(Reason::ConversationDeleted), "deleted with their conversation; kept here"),
        (absent(Reason::AgedOut).saturating_sub(counts.guessed), "removed by Keep Messages; kept here"),
        (counts.guessed, "probably removed by Keep Messages; kept here"),
        (absent(Reason::Unexplained), "gone at the source, nothing says why; kept here"),
        (counts.returned, "came back"),
    ];
    let shown: Vec<&(u64, &str)> = lines.iter().filter(|(n, _)| *n > 0).collect();
    let width = shown.iter().map(|(n, _)| grouped(*n).len()).max().unwrap_or(0);
    let _ = writeln!(words, "\nMessages and tapbacks:{}", if shown.is_empty() { " nothing new" } else { "" });
    for (n, what) in shown {
        let _ = writeln!(words, "  {:>width$} {what}", grouped(*n));
    }
    let attachments = [
        (counts.stored, "stored with new messages"),
        (counts.filled_in, "stored that were not on the disk before"),
        (counts.replaced, "with other bytes than before; those are kept, too"),
        (counts.still_missing, "not on the disk of a source: they are tried again next time"),
    ];
    let shown: Vec<&(u64, &str)> = attachments.iter().filter(|(n, _)| *n > 0).collect();
    if !shown.is_empty() {
        let width = shown.iter().map(|(n, _)| grouped(*n).len()).max().unwrap_or(0);
        let new = if counts.bytes > 0 { format!(" ({} new)", size(counts.bytes)) } else { String::new() };
        let _ = writeln!(words, "\nAttachments{new}:");
        for (n, what) in shown {
            let _ = writeln!(words, "  {:>width$} {what}", grouped(*n));
        }
    }
    words
}
