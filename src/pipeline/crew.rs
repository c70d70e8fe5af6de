//! What threads that work on one thing share: the windows of conversations, claimed one after the other, and what makes all
//! of them stop.
//!
//! **Must never**: let one thread's panic become another's deadlock, or its failure be forgotten.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The value, whether or not a thread panicked while it had it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has `work` done by so many workers at once, and waits for all of them. What one cannot do ends the work of all; the
/// others see it by `stop`.
///
/// # Errors
/// The first failure.
pub fn work<E: Send>(
    workers: usize,
    stop: &AtomicBool,
    work: impl Fn() -> Result<(), E> + Sync,
) -> Result<(), E> {
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(|| {
                let _guard = StopOnPanic(stop);
                if let Err(error) = work() {
                    lock(&failure).get_or_insert(error);
                    stop.store(true, Ordering::Relaxed);
                }
            });
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Stops the others when a worker ends in a panic: they would wait for its turn for ever.
struct StopOnPanic<'r>(&'r AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// The windows of conversations (`C`), to be claimed one after the other. Of a conversation that is open several workers
/// have windows at once; they share what it was opened as (`T`).
#[derive(Debug)]
pub struct Claims<C, T> {
    queue: Mutex<Queue<C, T>>,
    /// Nothing is to be claimed any more.
    pub stop: AtomicBool,
}

#[derive(Debug)]
struct Queue<C, T> {
    waiting: std::vec::IntoIter<C>,
    open: Option<Open<T>>,
}

#[derive(Debug)]
struct Open<T> {
    thread: Arc<T>,
    next: usize,
    windows: usize,
}

impl<C, T> Claims<C, T> {
    /// Of these conversations, in their order.
    pub fn of(conversations: Vec<C>) -> Claims<C, T> {
        let queue = Queue { waiting: conversations.into_iter(), open: None };
        Claims { queue: Mutex::new(queue), stop: AtomicBool::new(false) }
    }

    /// The next window, of the open conversation or of the next one. `open` says how many windows a conversation has; one
    /// is opened at a time. `None`: no more, or stopped.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn next<E>(
        &self,
        mut open: impl FnMut(C) -> Result<(T, usize), E>,
    ) -> Result<Option<(Arc<T>, usize)>, E> {
        let mut queue = lock(&self.queue);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if let Some(open) = &mut queue.open
                && open.next < open.windows
            {
                open.next += 1;
                return Ok(Some((Arc::clone(&open.thread), open.next - 1)));
            }
            let Some(conversation) = queue.waiting.next() else { return Ok(None) };
            let (thread, windows) = open(conversation)?;
            queue.open = Some(Open { thread: Arc::new(thread), next: 0, windows });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_is_claimed_once_by_whoever_comes() {
        let claims = Claims::of(vec![3, 0, 2]);
        let seen = Mutex::new(Vec::new());
        let each = |windows: usize| -> Result<_, ()> { Ok((windows, windows)) };
        let worked = work(4, &claims.stop, || -> Result<(), ()> {
            while let Some((conversation, window)) = claims.next(each)? {
                lock(&seen).push((*conversation, window));
            }
            Ok(())
        });
        assert_eq!(worked, Ok(()));
        let mut seen = lock(&seen).clone();
        seen.sort_unstable();
        assert_eq!(seen, [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]);
    }

    #[test]
    fn a_failure_ends_the_work_of_all() {
        let claims: Claims<usize, usize> = Claims::of(vec![usize::MAX]);
        let failed = work(3, &claims.stop, || -> Result<(), &str> {
            while let Some((_, window)) = claims.next(|windows| Ok::<_, &str>((windows, windows)))? {
                if window == 100 {
                    return Err("enough");
                }
            }
            Ok(())
        });
        assert_eq!(failed, Err("enough"));
        let closed: Claims<usize, usize> = Claims::of(vec![1]);
        assert_eq!(work(2, &closed.stop, || closed.next(|_| Err("closed")).map(drop)), Err("closed"));
    }
}
