//! Moments that a clock wrote down which was ahead.
//!
//! **Must never**: let one run of such a clock stand for those that should come after it.

use chrono::{DateTime, TimeDelta, Utc};

/// Clocks are put right by some minutes every now and then.
const STEP: TimeDelta = TimeDelta::hours(1);

/// The latest moment that may have been, by a clock which says that it is `now`.
pub fn latest(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(STEP).unwrap_or(now)
}
