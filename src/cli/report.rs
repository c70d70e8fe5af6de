use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anstream::eprintln;
use chrono_tz::Tz;
use clap::builder::styling::{AnsiColor, Style};
use msgarchive::archive::archive_cut_off;
use msgarchive::disk;
use msgarchive::model::Instant;
use msgarchive::pipeline::{LostMessages, Report};
use msgarchive::source::SourceInfo;
use msgarchive::writers::clock::Clock;
use msgarchive::writers::export::AttachmentMode;
use msgarchive::writers::phrase::{self, count, grouped, size};
use serde_json::{Value, json};

use super::terminal::{plain, width_of_errors, width_of_messages, wrap};
use super::{Failure, Outcome, hints, terminal};

/// Defects that are printed; the manifest has more.
const DEFECTS_PRINTED: usize = 5;

/// Says on standard error what failed, why, and what to do next.
pub fn failure(failure: &Failure) {
    say("error:", Some(AnsiColor::Red), &failure.to_string(), width_of_errors());
    causes(failure);
    for hint in hints::hints(failure) {
        say("hint:", Some(AnsiColor::Green), &hint, width_of_messages());
    }
}

/// A sentence behind its label, in lines of so many columns.
fn say(label: &str, color: Option<AnsiColor>, words: &str, width: usize) {
    let style = Style::new().bold().fg_color(color.map(Into::into));
    let words = wrap(&format!("{label} "), &plain(words), width);
    eprintln!("{style}{label}{style:#}{}", words.strip_prefix(label).unwrap_or(&words));
}

/// Of an archive that is shown as it was: a line that says so, above everything else.
pub fn as_of(then: Option<Instant>, zone: Tz) -> String {
    let Some(then) = then else { return String::new() };
    let words = phrase::as_of(then, &mut Clock::new(zone));
    format!("{}\n\n", wrap("", &words, terminal::width()))
}

/// Says on standard error what went wrong beside the way.
pub fn warning(error: &dyn Error) {
    warn(&error.to_string());
    causes(error);
}

/// A warning in words.
pub fn warn(words: &str) {
    say("warning:", Some(AnsiColor::Yellow), words, width_of_errors());
}

fn causes(error: &dyn Error) {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        // What some libraries repeat needs to be said once.
        let news = words.strip_suffix(&said).unwrap_or(&words);
        if !said.contains(&words) && news == words {
            say("caused by:", None, &words, width_of_errors());
            said = words;
        }
        cause = error.source();
    }
}

/// Whatever could not be read completely makes a run incomplete. An attachment that is not on this disk does not:
/// nothing here could have been read of it.
pub fn outcome(done: &Report) -> Outcome {
    if done.rows.failed == 0 && done.defect_count == 0 && done.unreadable == 0 {
        Outcome::Complete
    } else {
        Outcome::Incomplete
    }
}

/// The same of what was read of `source`, whose database may end before it should: nobody knows what was there.
pub fn outcome_of(source: &SourceInfo, done: &Report) -> Outcome {
    if source.cut_off().next().is_some() { Outcome::Incomplete } else { outcome(done) }
}

/// Of an archive that is only looked at: whether its database ends before it should, of which what is asked for may say nothing.
pub fn warn_of_end(archive: &Path) -> Result<Outcome, Failure> {
    let Some(what) = archive_cut_off(archive)? else { return Ok(Outcome::Complete) };
    warn(&format!(
        "{what}, and what is missing there is not shown, or is not what it was; `msgarchive verify` names what is damaged, and \
         the next run of `archive` mends it"
    ));
    Ok(Outcome::Incomplete)
}

/// `, 2019-03-01 to 2024-12-24`; nothing where no message has a date.
pub fn period(done: &Report, zone: Tz) -> String {
    let day = |instant: Instant| instant.with_timezone(&zone).format("%Y-%m-%d").to_string();
    let first = done.conversations.iter().filter_map(|c| c.first).min();
    let last = done.conversations.iter().filter_map(|c| c.last).max();
    match (first, last) {
        (Some(first), Some(last)) => format!(", {} to {}", day(first), day(last)),
        _ => String::new(),
    }
}

/// The account: what became of every row.
pub fn rows(done: &Report) -> String {
    let rows = &done.rows;
    let parts = [
        (rows.messages, "message", "messages"),
        (rows.tapbacks, "tapback, under its message", "tapbacks, under their message"),
        (rows.votes, "vote, in its poll", "votes, in their poll"),
        (rows.updates, "update, folded into its card", "updates, folded into their cards"),
        (rows.filtered, "not selected", "not selected"),
        (
            rows.duplicates,
            "duplicate of a row in another chat or source",
            "duplicates of a row in another chat or source",
        ),
        (rows.failed, "failed", "failed"),
    ];
    let width = grouped(rows.read).len();
    let mut words =
        format!("\nRows of the source, all accounted for:\n    {:>width$} read\n", grouped(rows.read));
    let mut sign = '=';
    for (n, one, many) in parts.into_iter().filter(|(n, _, many)| *n > 0 || *many == "messages") {
        let what = if n == 1 { one } else { many };
        let _ = writeln!(words, "  {sign} {:>width$} {what}", grouped(n));
        sign = '+';
    }
    words
}

/// Attachments by where their bytes are.
pub fn attachments(done: &Report, mode: AttachmentMode) -> String {
    let a = &done.attachments;
    if a.referenced == 0 {
        return String::new();
    }
    let elsewhere = a.copied + a.in_icloud + a.missing + a.expired;
    let left = match mode {
        AttachmentMode::None => "left out, as asked",
        AttachmentMode::Copy | AttachmentMode::Link | AttachmentMode::Convert => "could not be read",
    };
    let copied = format!("beside the export ({})", size(a.copied_bytes));
    let parts = [
        (a.copied, copied.as_str()),
        (a.referenced.saturating_sub(elsewhere), left),
        (a.in_icloud, "only in iCloud, not on this disk"),
        (a.missing, "missing: they should be on this disk and are not"),
        (a.expired, "expired: Messages removed them"),
    ];
    let width = grouped(a.referenced).len();
    let mut words = format!("\nAttachments:\n    {:>width$} referred to\n", grouped(a.referenced));
    let mut sign = '=';
    for (n, what) in parts.into_iter().filter(|(n, _)| *n > 0) {
        let _ = writeln!(words, "  {sign} {:>width$} {what}", grouped(n));
        sign = '+';
    }
    words
}

/// What could not be read completely, and what else is to be said.
pub fn troubles(done: &Report, width: usize) -> String {
    let mut words = String::new();
    if done.defect_count > 0 {
        let found = count(done.defect_count, "defect was", "defects were");
        let sentence = match done.rows.failed {
            0 => format!(
                "{found} found; the messages are there all the same, marked where a format can mark them:"
            ),
            failed => format!(
                "{found} found, and {} could not be read at all; the other messages are there, marked where a \
                 format can mark them:",
                count(failed, "row", "rows")
            ),
        };
        let _ = writeln!(words, "\n{}", wrap("", &sentence, width));
        for defect in done.defects.iter().take(DEFECTS_PRINTED) {
            let guid = defect.guid.as_deref().unwrap_or("no guid");
            let line = format!("{} ({})", plain(&defect.what), plain(guid));
            let _ = writeln!(words, "{}", wrap("  - ", &line, width));
        }
        let more = done.defect_count.saturating_sub(DEFECTS_PRINTED as u64);
        if more > 0 {
            let sentence = format!("and {} more: an export's manifest.json lists them.", grouped(more));
            let _ = writeln!(words, "{}", wrap("  ", &sentence, width));
        }
    }
    words.extend(done.notes.iter().map(|words| note(words, width)));
    words
}

/// What to know of folders on disks that keep no permissions. `made`: in each of them a file that was made just now.
pub fn without_permissions(made: &[(&Path, PathBuf)]) -> Option<String> {
    let open = made.iter().filter(|(_, file)| file.exists() && !disk::is_private(file));
    let folders: Vec<String> = open.map(|(folder, _)| plain(&folder.display().to_string())).collect();
    (!folders.is_empty()).then(|| {
        format!(
            "permissions are not kept on the disk of {}: whoever uses this computer and can get there can read it.",
            folders.join(" and of ")
        )
    })
}

/// The same, as it is printed.
pub fn note(words: &str, width: usize) -> String {
    format!("\n{}\n", wrap("Note: ", &plain(words), width))
}

/// As in `manifest.json`.
pub fn rows_as_json(done: &Report) -> Value {
    let rows = &done.rows;
    json!({
        "read": rows.read,
        "messages": rows.messages,
        "tapbacks": rows.tapbacks,
        "votes": rows.votes,
        "updates": rows.updates,
        "filtered": rows.filtered,
        "duplicates": rows.duplicates,
        "failed": rows.failed,
    })
}

/// As in `manifest.json`, with titles; nothing where nothing is lost.
pub fn lost_as_json(done: &Report) -> Value {
    let lost = |LostMessages { conversation, title, messages }: &LostMessages| {
        let title = conversation.is_some().then_some(title);
        json!({ "conversation": conversation, "title": title, "messages": messages })
    };
    done.lost.iter().map(lost).collect()
}

/// As in `manifest.json`.
pub fn attachments_as_json(done: &Report) -> Value {
    let a = &done.attachments;
    json!({
        "referenced": a.referenced,
        "copied": a.copied,
        "in_icloud": a.in_icloud,
        "missing": a.missing,
        "expired": a.expired,
    })
}
