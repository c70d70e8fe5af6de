//! One feeding of the archive, in a process of its own, and what became of it.

use chrono::{DateTime, Utc};

use super::attempt::{Attempts, ExportEnd};
use super::child::{self, Ended};
use super::job::Doing;
use super::log::Log;
use super::other_run::{self, PATIENCE};
use super::printed::Printed;
use super::{ExportJob, Job};
use crate::disk::archive_folder::is_archive;

/// How feeding the archive went.
#[derive(Debug)]
pub struct Fed {
    pub exit: i32,
    pub message: String,
    pub added: Option<u64>,
    /// What could not be read of it, in words; `None`: nothing, or it failed.
    pub incomplete: Option<String>,
    pub export: Option<ExportEnd>,
}

impl Fed {
    fn failed(message: String) -> Fed {
        Fed { exit: 1, message, added: None, incomplete: None, export: None }
    }
}

/// Feeds the archive, and brings its export up to date, once nobody else is doing that.
pub fn feed(job: &Job, before: &Attempts, now: &dyn Fn() -> DateTime<Utc>, log: &mut Log) -> Fed {
    let is_free = other_run::let_finish(job, PATIENCE, now, log);
    let fed = feed_now(job, before, log);
    // By one that began at the same moment, or came to its export meanwhile.
    let is_held_up = is_free && !matches!(fed.exit, 0 | 3) && other_run::in_the_way(job).is_some();
    if !is_held_up {
        return fed;
    }
    other_run::let_finish(job, PATIENCE, now, log);
    feed_now(job, before, log)
}

/// What is on a disk that is elsewhere must not be begun anew where the
/// disk should be: neither the archive nor, once the archive is fed, the export.
fn feed_now(job: &Job, before: &Attempts, log: &mut Log) -> Fed {
    if is_elsewhere(job, before) {
        return no_archive(job);
    }
    let is_lost = |export: &&ExportJob| before.may_have_exported(job) && !export.out.is_dir();
    let Some(export) = job.export.as_ref().filter(is_lost) else { return told(job, Doing::All, log) };
    let fed = told(job, Doing::Feeding, log);
    let out = export.out.display();
    match fed.exit {
        0 | 3 => without_export(
            fed,
            export,
            format!(
                "there is no folder {out}: is its disk connected? Where there is an empty one, it is made anew"
            ),
        ),
        _ => fed,
    }
}

/// Reads all that would be fed, and changes nothing.
pub fn try_out(job: &Job, before: &Attempts, log: &mut Log) -> Fed {
    match is_elsewhere(job, before) {
        true => no_archive(job),
        false => told(job, Doing::Trial, log),
    }
}

/// Of a disk that cannot tell, the run itself says what is wrong with it.
fn is_elsewhere(job: &Job, before: &Attempts) -> bool {
    before.may_have_fed(job) && !is_archive(&job.archive).unwrap_or(true)
}

fn no_archive(job: &Job) -> Fed {
    Fed::failed(format!("there is no archive at {}: is its disk connected?", job.archive.display()))
}

/// The archive was fed, and its export is not up to date.
fn without_export(fed: Fed, export: &ExportJob, failure: String) -> Fed {
    let message = match fed.added {
        Some(added) => format!("new messages: {added}; but the export failed: {failure}"),
        None => format!("the export failed: {failure}"),
    };
    let exit = if matches!(fed.exit, 0 | 3) { 1 } else { fed.exit };
    Fed { exit, message, export: Some(ExportEnd { out: export.out.clone(), failure: Some(failure) }), ..fed }
}

/// Starts the program, which does that much.
fn told(job: &Job, doing: Doing, log: &mut Log) -> Fed {
    match child::start(&job.program, job.arguments(doing), log) {
        Ok(ended) => outcome(job.export.as_ref().filter(|_| doing == Doing::All), &ended),
        Err(words) => Fed::failed(words),
    }
}

/// By how the program ended, the record that it printed, and what it said.
fn outcome(export: Option<&ExportJob>, ended: &Ended) -> Fed {
    let printed = serde_json::from_slice::<Printed>(&ended.printed).ok();
    let exit = ended.exit();
    // It prints nothing where feeding the archive failed, and then does not come to the export.
    let Some(printed) = printed else {
        let message = if exit == 0 { "done".into() } else { ended.reason() };
        return Fed { exit, ..Fed::failed(message) };
    };
    let exported = export.zip(printed.export.as_ref());
    let fed = |message: String, incomplete: Option<String>| Fed {
        exit,
        message,
        added: Some(printed.added),
        incomplete,
        export: exported.map(|(export, _)| ExportEnd { out: export.out.clone(), failure: None }),
    };
    match (exit, exported) {
        (0, _) => fed(printed.done(), None),
        (3, _) => match printed.incomplete(export) {
            // That has an alarm of its own.
            None if printed.tells_of_damage() => fed(printed.done(), None),
            what => {
                let what = what.unwrap_or_else(|| ended.reason());
                fed(format!("{}; incomplete: {what}", printed.done()), Some(what))
            }
        },
        (_, Some((export, of_export))) if of_export.written.is_none() => {
            without_export(fed(String::new(), None), export, ended.reason())
        }
        _ => fed(ended.reason(), None),
    }
}
