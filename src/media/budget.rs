//! How many bytes pictures take while they are read and made, by all workers together: however many cores there are.
//!
//! There are two budgets, claimed in this order only: the bytes of files, then what is made of them. Who has of both
//! waits for nobody, so everybody gets a turn.
//!
//! **Must never**: be claimed twice by one thread (it would wait for itself), or in the other order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Of files that are read whole.
pub(super) static FILES: Budget = Budget::of(24_000_000);
/// Of what decoders hold, of what they give, and of what is made of that: three photos of 12 megapixels that are made
/// smaller.
pub(super) static PICTURES: Budget = Budget::of(174_000_000);

/// So many bytes may be held at one time.
#[derive(Debug)]
pub(super) struct Budget {
    most: u64,
    taken: Mutex<Taken>,
    released: Condvar,
}

#[derive(Debug)]
struct Taken {
    now: u64,
    /// The most at any time.
    #[cfg(test)]
    peak: u64,
}

/// The right to hold so many bytes, as long as it lives.
#[derive(Debug)]
pub(super) struct Claim {
    budget: &'static Budget,
    bytes: u64,
}

impl Budget {
    const fn of(most: u64) -> Budget {
        let taken = Taken {
            now: 0,
            #[cfg(test)]
            peak: 0,
        };
        Budget { most, taken: Mutex::new(taken), released: Condvar::new() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many bytes more may be held. What takes more than all of them is alone.
    pub(super) fn claim(&'static self, bytes: u64) -> Claim {
        let bytes = bytes.min(self.most);
        let mut taken = self
            .released
            .wait_while(self.taken(), |taken| taken.now + bytes > self.most)
            .unwrap_or_else(PoisonError::into_inner);
        taken.now += bytes;
        #[cfg(test)]
        {
            taken.peak = taken.peak.max(taken.now);
        }
        Claim { budget: self, bytes }
    }
}

impl Claim {
    /// From now on no more than so many bytes are held.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        let released = self.bytes.saturating_sub(bytes);
        self.bytes -= released;
        self.budget.taken().now -= released;
        self.budget.released.notify_all();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_than_allowed_and_everyone_gets_a_turn() {
        static BUDGET: Budget = Budget::of(64_000_000);
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for i in 0..16 {
                let (now, most) = (&now, &most);
                scope.spawn(move || {
                    for bytes in [1_000_000, 24_000_000 + i, 200_000_000, 40_000_000] {
                        let mut claim = BUDGET.claim(bytes);
                        let held = claim.bytes;
                        most.fetch_max(now.fetch_add(held, Ordering::SeqCst) + held, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(held / 2, Ordering::SeqCst);
                        claim.shrink_to(held - held / 2);
                        std::thread::yield_now();
                        now.fetch_sub(held - held / 2, Ordering::SeqCst);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((40_000_000..=64_000_000).contains(&most), "{most}");
        let taken = BUDGET.taken();
        assert_eq!((taken.now, taken.peak), (0, 64_000_000));
    }

    #[test]
    fn a_claim_does_not_grow() {
        static BUDGET: Budget = Budget::of(100);
        let mut claim = BUDGET.claim(60);
        claim.shrink_to(90);
        assert_eq!(BUDGET.taken().now, 60);
        claim.shrink_to(10);
        drop(BUDGET.claim(90));
        drop(claim);
        assert_eq!(BUDGET.taken().now, 0);
    }
}
