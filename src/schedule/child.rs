//! The program, started by its schedule, and what it said.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use super::log::Log;
use super::run::SCHEDULED;

/// What an error says is shorter.
const LONGEST_WORDS: usize = 64 * 1024;
/// So is a record, even of a run that names a hundred thousand things which it could not read.
const LONGEST_RECORD: usize = 32 * 1024 * 1024;

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    /// What it printed.
    pub printed: Vec<u8>,
    said: Vec<u8>,
}

impl Ended {
    /// As a shell has it: 128 and the number of the signal.
    pub fn exit(&self) -> i32 {
        code(self.status)
    }

    /// What the program said failed, with the causes; else how it ended.
    pub fn reason(&self) -> String {
        let text = String::from_utf8_lossy(&self.said);
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
            true => format!("it ended with {}", self.status),
            false => words.join(": ").replace('\0', ""),
        }
    }
}

/// Starts it, and waits; what it says goes to the log.
///
/// # Errors
/// That it could not be started, in words.
pub fn start<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    log: &mut Log,
) -> Result<Ended, String> {
    let child = Command::new(program)
        .args(arguments)
        .env(SCHEDULED, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (printed, said) = std::thread::scope(|scope| {
        let printed =
            scope.spawn(|| stdout.map(|stdout| collect(stdout, LONGEST_RECORD, |_| ())).unwrap_or_default());
        let said =
            stderr.map(|stderr| collect(stderr, LONGEST_WORDS, |bytes| log.put(bytes))).unwrap_or_default();
        (printed.join().unwrap_or_default(), said)
    });
    let status = child.wait().map_err(|error| format!("lost sight of {}: {error}", program.display()))?;
    Ok(Ended { status, printed, said })
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
