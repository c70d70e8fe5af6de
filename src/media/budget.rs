//! How many pixels are decoded at one time, by all workers together.
//!
//! **Must never**: be claimed twice by one thread (it would wait for itself), or be held while waiting for a worker.

use std::sync::{Condvar, Mutex, PoisonError};

/// Pixels in flight: with what decoders need beside the pixels, some 10 bytes each.
const MOST: u64 = 64_000_000;

static IN_FLIGHT: Mutex<u64> = Mutex::new(0);
static RELEASED: Condvar = Condvar::new();

/// The right to decode so many pixels, as long as it lives.
pub(super) struct Claim(u64);

/// Waits until so many pixels more may be decoded. A picture of more than all of them is decoded alone.
pub(super) fn claim(pixels: u64) -> Claim {
    let pixels = pixels.min(MOST);
    let in_flight = IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut in_flight = RELEASED
        .wait_while(in_flight, |in_flight| *in_flight + pixels > MOST)
        .unwrap_or_else(PoisonError::into_inner);
    *in_flight += pixels;
    Claim(pixels)
}

impl Drop for Claim {
    fn drop(&mut self) {
        *IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        RELEASED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_than_allowed_and_everyone_gets_a_turn() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for i in 0..8 {
                let (now, most) = (&now, &most);
                scope.spawn(move || {
                    for pixels in [1_000_000, 24_000_000 + i, 200_000_000, 40_000_000] {
                        let claim = claim(pixels);
                        let together = now.fetch_add(claim.0, Ordering::SeqCst) + claim.0;
                        most.fetch_max(together, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(claim.0, Ordering::SeqCst);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((40_000_000..=MOST).contains(&most), "{most}");
    }
}
