//! Dates as texts have them, and as rows do.

use chrono::{DateTime, Utc};

use crate::model::Instant;
use crate::source::timeline::NANOSECONDS_FROM;

/// Seconds from the Unix epoch to Apple's.
const APPLE_EPOCH: i64 = 978_307_200;

/// Apple's date of an instant: nanoseconds since 2001.
pub fn apple_date(instant: Instant) -> i64 {
    let seconds = instant.timestamp().saturating_sub(APPLE_EPOCH);
    seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(instant.timestamp_subsec_nanos()))
}

/// An RFC 3339 date.
pub fn instant(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text).ok().map(|date| date.with_timezone(&Utc))
}

/// As a row has it: nanoseconds since 2001, and seconds where that would be taken for something else or is too much.
pub fn raw(instant: Instant) -> i64 {
    let seconds = instant.timestamp().saturating_sub(APPLE_EPOCH);
    let nanoseconds = seconds
        .checked_mul(1_000_000_000)
        .and_then(|nanoseconds| nanoseconds.checked_add(i64::from(instant.timestamp_subsec_nanos())));
    match nanoseconds {
        Some(nanoseconds) if nanoseconds.unsigned_abs() >= NANOSECONDS_FROM.unsigned_abs() => nanoseconds,
        _ => seconds,
    }
}

/// The raw date of a text, 0 where there is none.
pub fn raw_of(text: Option<&str>) -> i64 {
    text.and_then(instant).map_or(0, raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back_as_they_were() {
        assert_eq!(raw_of(Some("2024-05-01T13:30:00.123456789+02:00")), 736_255_800_123_456_789);
        assert_eq!(raw_of(Some("2000-12-31T23:59:59.000000000+00:00")), -1);
        assert_eq!(raw_of(Some("2001-01-01T00:00:07+00:00")), 7);
        assert_eq!(raw_of(Some("2500-01-01T00:00:00+00:00")), 15_746_918_400);
        assert_eq!(raw_of(Some("yesterday")), 0);
        assert_eq!(raw_of(None), 0);
    }
}
