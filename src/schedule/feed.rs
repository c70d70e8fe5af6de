//! One feeding of the archive, in a process of its own, and what became of it.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};

use super::attempt::{Attempts, ExportEnd};
use super::job::Doing;
use super::log::Log;
use super::printed::Printed;
use super::run::SCHEDULED;
use super::{ExportJob, Job};
use crate::disk::archive_folder::is_archive;

/// What an error says is shorter.
const LONGEST_WORDS: usize = 64 * 1024;
/// So is a record, even of a run that names a hundred thousand things which it could not read.
const LONGEST_RECORD: usize = 32 * 1024 * 1024;

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

/// Feeds the archive, and brings its export up to date. What is on a disk that is elsewhere must not be begun anew where the
/// disk should be: neither the archive nor, once the archive is fed, the export.
pub fn feed(job: &Job, before: &Attempts, log: &mut Log) -> Fed {
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
    let child = Command::new(&job.program)
        .args(job.arguments(doing))
        .env(SCHEDULED, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let program = job.program.display();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Fed::failed(format!("cannot start {program}: {error}")),
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (printed, said) = std::thread::scope(|scope| {
        let printed =
            scope.spawn(|| stdout.map(|stdout| collect(stdout, LONGEST_RECORD, |_| ())).unwrap_or_default());
        let said =
            stderr.map(|stderr| collect(stderr, LONGEST_WORDS, |bytes| log.put(bytes))).unwrap_or_default();
        (printed.join().unwrap_or_default(), said)
    });
    match child.wait() {
        Ok(status) => outcome(job.export.as_ref().filter(|_| doing == Doing::All), status, &printed, &said),
        Err(error) => Fed::failed(format!("lost sight of {program}: {error}")),
    }
}

/// By how the program ended, the record that it printed, and what it said.
fn outcome(export: Option<&ExportJob>, status: ExitStatus, printed: &[u8], said: &[u8]) -> Fed {
    let printed = serde_json::from_slice::<Printed>(printed).ok();
    let exit = code(status);
    // It prints nothing where feeding the archive failed, and then does not come to the export.
    let Some(printed) = printed else {
        let message = if exit == 0 { "done".into() } else { reason(said, status) };
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
        (3, _) => {
            let what = printed.incomplete(export).unwrap_or_else(|| reason(said, status));
            fed(format!("{}; incomplete: {what}", printed.done()), Some(what))
        }
        (_, Some((export, of_export))) if of_export.written.is_none() => {
            without_export(fed(String::new(), None), export, reason(said, status))
        }
        _ => fed(reason(said, status), None),
    }
}

/// Reads to the end, passes everything on, and keeps the end of it.
fn collect(mut from: impl Read, most: usize, mut each: impl FnMut(&[u8])) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return kept,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return kept,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
        };
        each(read);
        kept.extend_from_slice(read);
        let surplus = kept.len().saturating_sub(most);
        kept.drain(..surplus);
    }
}

/// As a shell has it: 128 and the number of the signal.
pub fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
    #[cfg(not(unix))]
    {
        status.code().unwrap_or(1)
    }
}

/// What the program said failed, with the causes; else how it ended.
fn reason(said: &[u8], status: ExitStatus) -> String {
    let text = String::from_utf8_lossy(said);
    let after = |mark: &str| {
        let lines = text.lines();
        lines
            .filter_map(|line| line.strip_prefix(mark))
            .map(|words| words.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let mut words = after("error:");
    words.extend(after("caused by:"));
    if words.is_empty() {
        words = after("warning:");
    }
    match words.is_empty() {
        true => format!("archive ended with {status}"),
        false => words.join(": ").replace('\0', ""),
    }
}
