//! Locks of files: one program at a time does what a lock is for. The system lets go of them, whatever ends the program.
//!
//! **Must never**: stand in the way of who works longer than it takes to look.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// How long whoever is just ending, or only looks whether the lock is taken, may have it.
const MOMENT: Duration = Duration::from_millis(500);

/// Takes the lock of a file, alone; lets who has it for a moment only be done.
///
/// # Errors
/// [`TryLockError::WouldBlock`]: somebody has it for longer. The disk's.
pub fn lock_alone(file: &File) -> Result<(), TryLockError> {
    lock_within(file, MOMENT)
}

fn lock_within(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => std::thread::sleep(MOMENT / 20),
            locked => return locked,
        }
    }
}

/// Whether somebody works under the lock of this file. Others who look see no lock of the one who looks.
///
/// # Errors
/// The disk's: nobody can tell.
pub fn is_locked(file: &File) -> io::Result<bool> {
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => file.unlock().map(|()| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let [one, other] = [File::create(&path).unwrap(), File::open(&path).unwrap()];
        other.lock_shared().unwrap();
        assert!(!is_locked(&one).unwrap());
        assert!(matches!(lock_within(&one, Duration::ZERO), Err(TryLockError::WouldBlock)));
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(20));
                drop(other);
            });
            lock_within(&one, Duration::from_secs(60)).unwrap();
        });
        assert!(is_locked(&File::open(&path).unwrap()).unwrap());
        one.unlock().unwrap();
        assert!(!is_locked(&File::open(&path).unwrap()).unwrap());
    }
}
