//! Who clears away after a run that is killed.
//!
//! An export is made in a hidden folder and appears when it is whole; a dry run of `archive` has a copy of the archive in
//! one. A run that ends by itself, or by a signal that can be heard, removes that folder; one that is killed cannot. What
//! is in it would stay until the next run: of an encrypted backup, in clear. So a second process of this program waits at a
//! pipe until the first one is gone, however it went, and removes what is left of the folder.

use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use msgarchive::disk::{self, DiskError};

use super::password;

/// The first argument of such a process; the second one is the folder. People have no use for it, and are not told.
const ARGUMENT: &str = "clear-away-after-me";

/// How often it is tried to clear away, for half a minute.
const TRIES: u32 = 1_500;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The other process, from this one's side. Dropping it waits for it.
struct Guard(Child);

/// Has this folder cleared away when this process ends without doing so. Where that cannot be had, the next run into
/// the same place will do it.
pub fn over(folder: &Path) -> Box<dyn Any> {
    match start(folder) {
        Ok(child) => Box::new(Guard(child)),
        Err(_) => Box::new(()),
    }
}

fn start(folder: &Path) -> io::Result<Child> {
    let folder = std::path::absolute(folder)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([OsStr::new(ARGUMENT), folder.as_os_str()])
        .env_remove(password::VARIABLE)
        // No folder is kept from being removed.
        .current_dir(folder.ancestors().last().unwrap_or(&folder))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C at the terminal is for the run alone.
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt as _;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }
    command.spawn()
}

impl Drop for Guard {
    fn drop(&mut self) {
        // That is what it waits for.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The folder that this process is there to clear away; `None` for an ordinary one.
pub fn wanted() -> Option<OsString> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == ARGUMENT).then(|| arguments.next()).flatten()
}

/// Waits until the other process is gone.
pub fn clear_away(folder: &OsStr) -> ExitCode {
    let mut nothing = [0; 64];
    let mut pipe = io::stdin().lock();
    while !matches!(pipe.read(&mut nothing), Ok(0) | Err(_)) {}
    // The system lets go of the pipe and of the lock in whatever order.
    for _ in 0..TRIES {
        match disk::clear_away(Path::new(folder)) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(DiskError::Busy { .. }) => std::thread::sleep(BETWEEN_TRIES),
            Err(_) => break,
        }
    }
    ExitCode::FAILURE
}
