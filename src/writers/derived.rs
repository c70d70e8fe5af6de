//! Pictures made from pictures: smaller, in a form that a writer can use, made once for each content in a run.
//!
//! They lie in a folder of the export in the making that is not published, named by the content they were made from,
//! so any number of conversations and formats share them and no list of them is held in memory.
//!
//! **Must never**: depend on which worker came first, or make the same twice.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::disk::{DiskError, Staging, hexadecimal};
use crate::media::Undecodable;

/// So many failures are remembered. They are rare, and to fail again is no harm.
const KNOWN_FAILURES: usize = 4_096;

/// Derived files of a run.
#[derive(Debug)]
pub struct Derived {
    folder: PathBuf,
    state: Mutex<State>,
    made: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What is being made now.
    busy: HashSet<String>,
    failed: HashMap<String, Undecodable>,
}

impl Derived {
    /// For one export in the making.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn new(staging: &Staging) -> Result<Derived, DiskError> {
        Ok(Derived { folder: staging.aside("derived")?, state: Mutex::default(), made: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `form` makes of the content with this SHA-256: the path of a file. `make` is called where nobody made it
    /// before, and must not wait for another worker. `form` names all that it depends on, such as `1600.jpg`.
    ///
    /// # Errors
    /// What `make` said; [`Undecodable::Unreadable`] where the disk does not take it.
    pub fn get(
        &self,
        content: &[u8; 32],
        form: &str,
        make: impl FnOnce() -> Result<Vec<u8>, Undecodable>,
    ) -> Result<PathBuf, Undecodable> {
        let name = format!("{}-{form}", hexadecimal(content));
        let path = self.folder.join(&name);
        let mut state = self
            .made
            .wait_while(self.state(), |state| state.busy.contains(&name))
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = state.failed.get(&name) {
            return Err(why.clone());
        }
        if path.exists() {
            return Ok(path);
        }
        state.busy.insert(name.clone());
        drop(state);
        let turn = Turn { derived: self, name };
        // Half a file is never found: whoever looks for it waits until the turn is over.
        let made = make().and_then(|bytes| {
            fs::write(&path, bytes).map_err(|_| {
                let _ = fs::remove_file(&path);
                Undecodable::Unreadable
            })
        });
        if let Err(why) = &made {
            let mut state = self.state();
            if state.failed.len() < KNOWN_FAILURES {
                state.failed.insert(turn.name.clone(), why.clone());
            }
        }
        made.map(|()| path)
    }
}

/// Ends the wait of the others, however the making ends.
struct Turn<'d> {
    derived: &'d Derived,
    name: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.derived.state().busy.remove(&self.name);
        self.derived.made.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::disk::Others;

    #[test]
    fn each_is_made_once_and_failures_too() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::begin(&folder.path().join("out"), Others::Refused).unwrap();
        let derived = Derived::new(&staging).unwrap();
        let (made, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for content in [[1; 32], [2; 32]] {
                        let path = derived.get(&content, "1600.jpg", || {
                            made.fetch_add(1, Ordering::SeqCst);
                            std::thread::sleep(std::time::Duration::from_millis(5));
                            Ok(content[..1].to_vec())
                        });
                        assert_eq!(fs::read(path.unwrap()).unwrap(), content[..1]);
                        let why = derived.get(&content, "other", || {
                            failed.fetch_add(1, Ordering::SeqCst);
                            Err(Undecodable::TooLarge)
                        });
                        assert_eq!(why, Err(Undecodable::TooLarge));
                    }
                });
            }
        });
        assert_eq!((made.into_inner(), failed.into_inner()), (2, 2));
    }
}
