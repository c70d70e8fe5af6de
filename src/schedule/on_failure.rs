//! The command that is called when a run has failed.

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::account::Folder;
use super::child::code;
use super::log::Log;
use super::run::SCHEDULED;
use super::{Attempt, Job};

/// Later runs wait for this one, and a command that hangs must not be the reason that nothing is archived any more.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);
const POLL: Duration = Duration::from_millis(50);

/// Runs the command of a job in the system's shell, for as long as `patience`; what it says goes to the log.
///
/// # Errors
/// How it failed, in words.
pub fn call(
    command: &str,
    job: &Job,
    attempt: &Attempt,
    folder: &Folder,
    patience: Duration,
    log: &mut Log,
) -> Result<(), String> {
    let mut shell = shell(command);
    shell
        .env(SCHEDULED, "1")
        .env("MSGARCHIVE_REASON", &attempt.message)
        .env("MSGARCHIVE_EXIT", attempt.status().to_string())
        .env("MSGARCHIVE_ARCHIVE", &job.archive)
        .env("MSGARCHIVE_LOG", folder.log())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = shell.spawn().map_err(|error| format!("could not be started: {error}"))?;
    // Few at a time: a log takes no more from one run than its share, whatever is said.
    let (speaking, heard) = mpsc::sync_channel(16);
    child.stdout.take().into_iter().for_each(|stdout| listen(stdout, speaking.clone()));
    child.stderr.take().into_iter().for_each(|stderr| listen(stderr, speaking.clone()));
    drop(speaking);
    let begun = Instant::now();
    loop {
        let is_silent = match heard.recv_timeout(POLL) {
            Ok(bytes) => {
                log.put(&bytes);
                false
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(POLL);
                true
            }
        };
        // What it leaves running in the background may hold its output open for ever.
        if is_silent && let Ok(Some(status)) = child.try_wait() {
            return match status.success() {
                true => Ok(()),
                false => Err(format!("ended with {}", code(status))),
            };
        }
        if begun.elapsed() >= patience {
            stop(&mut child);
            return Err(format!("was stopped: it had not ended after {} seconds", patience.as_secs()));
        }
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut shell = Command::new("sh");
    // In a group of its own, so that all of it can be ended together.
    shell.args(["-c", command]).process_group(0);
    shell
}

/// Between quotation marks of which it takes away the outer ones only (`cmd /?`): those within are the command's.
#[cfg(windows)]
fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt;
    let mut shell = Command::new("cmd");
    shell.raw_arg(format!("/S /C \"{command}\""));
    shell
}

/// Passes on what is said until nobody listens.
fn listen(mut from: impl Read + Send + 'static, speaking: SyncSender<Vec<u8>>) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
                Ok(read) => {
                    let said = buffer.get(..read).unwrap_or_default().to_vec();
                    if speaking.send(said).is_err() {
                        return;
                    }
                }
            }
        }
    });
}

/// The shell, and what it has started.
fn stop(child: &mut Child) {
    let id = child.id();
    let mut all = if cfg!(windows) {
        let mut all = Command::new("taskkill");
        all.args(["/T", "/F", "/PID", &id.to_string()]);
        all
    } else {
        // Built into every shell, which a program of that name is not.
        let mut all = Command::new("sh");
        all.args(["-c", &format!("kill -KILL -{id}")]);
        all
    };
    let _ = all.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::schedule::{Every, Periodicity, System};

    fn attempt(job: &Job) -> Attempt {
        Attempt {
            number: 1,
            started: chrono::DateTime::UNIX_EPOCH,
            finished: None,
            exit: Some(1),
            message: "no \"$x\" '%'".into(),
            added: None,
            incomplete: None,
            archive: job.archive.clone(),
            export: None,
            verified: None,
            raised: None,
            unheard: None,
        }
    }

    /// How it ended, and what is in the log.
    fn called(command: &str, patience: Duration) -> (Result<(), String>, String) {
        let place = tempfile::tempdir().unwrap();
        let job = Job {
            system: System::Cron,
            program: "/bin/false".into(),
            archive: place.path().join("an archive"),
            sources: Vec::new(),
            password_file: None,
            contacts: None,
            export: None,
            when: Periodicity { every: Every::Day, at: "02:30".parse().unwrap() },
            on_failure: Some(command.into()),
        };
        let folder = Folder::new(place.path().to_owned());
        let mut log = Log::open(&folder);
        let ended = call(command, &job, &attempt(&job), &folder, patience, &mut log);
        drop(log);
        let said = std::fs::read_to_string(folder.log()).unwrap();
        (ended, said.replace(&place.path().display().to_string(), "PLACE"))
    }

    #[cfg(unix)]
    #[test]
    fn it_is_given_to_the_shell_as_it_is() {
        let command = "printf '%s|' \"$MSGARCHIVE_REASON\" \"$MSGARCHIVE_EXIT\" \"$MSGARCHIVE_ARCHIVE\" \\
            \"$MSGARCHIVE_LOG\" 'it'\\''s' \"a  b\" \\$x; echo to stderr >&2";
        let (ended, said) = called(command, PATIENCE);
        assert_eq!(ended, Ok(()));
        for part in ["no \"$x\" '%'|1|PLACE/an archive|PLACE/schedule.log|it's|a  b|$x|", "to stderr\n"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn its_own_failure_is_told() {
        assert_eq!(called("echo sorry; exit 3", PATIENCE), (Err("ended with 3".into()), "sorry\n".into()));
        assert_eq!(called("kill -9 $$", PATIENCE).0, Err("ended with 137".into()));
        assert_eq!(called("no-such-program-anywhere 2>/dev/null", PATIENCE).0, Err("ended with 127".into()));
    }

    /// Whatever it has started, in the background, too, with the log or away from it.
    #[cfg(unix)]
    #[test]
    fn one_that_hangs_is_ended_with_all_that_it_has_started() {
        let begun = Instant::now();
        let hanging = "sleep 600 & echo $!; sleep 600; echo never";
        let (ended, said) = called(hanging, Duration::from_secs(1));
        assert_eq!(ended, Err("was stopped: it had not ended after 1 seconds".into()));
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert!(!said.contains("never"));
        let sleeping = said.trim();
        let state =
            || std::fs::read_to_string(Path::new("/proc").join(sleeping).join("stat")).unwrap_or_default();
        while !matches!(state().split(' ').nth(2), None | Some("Z")) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{sleeping} is still running");
            thread::sleep(POLL);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_it_leaves_in_the_background_is_not_waited_for() {
        let begun = Instant::now();
        let (ended, said) = called("sleep 20 & echo left", PATIENCE);
        assert_eq!((ended, said), (Ok(()), "left\n".into()));
        assert!(begun.elapsed() < Duration::from_secs(15));
    }

    #[cfg(unix)]
    #[test]
    fn one_that_talks_without_end_fills_no_log() {
        let (ended, said) = called("while :; do echo again and again; done", Duration::from_secs(1));
        assert!(ended.is_err());
        assert!(said.len() > 10_000 && said.len() <= 256 * 1024, "{}", said.len());
    }
}
