//! What threads that work on one thing share.
//!
//! **Must never**: let one thread's panic become another's deadlock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value, whether or not a thread panicked while it had it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops the others when a worker ends in a panic: they would wait for its turn for ever.
#[derive(Debug)]
pub struct StopOnPanic<'r>(pub &'r AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
