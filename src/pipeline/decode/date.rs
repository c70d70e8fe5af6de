use chrono::DateTime;

use crate::model::Instant;

/// Seconds from the Unix epoch to Apple's: 2001-01-01T00:00:00Z.
pub const APPLE_EPOCH: i64 = 978_307_200;

/// A raw date as an instant: nanoseconds since 2001 where the magnitude is at least 10¹², else seconds
/// (`messages-format.md` 3.1). `None` for 0 and for what no calendar can show.
pub fn instant(raw: i64) -> Option<Instant> {
    if raw == 0 {
        return None;
    }
    if raw.unsigned_abs() >= 1_000_000_000_000 {
        DateTime::from_timestamp(
            APPLE_EPOCH + raw.div_euclid(1_000_000_000),
            raw.rem_euclid(1_000_000_000) as u32,
        )
    } else {
        DateTime::from_timestamp(APPLE_EPOCH + raw, 0)
    }
}

/// Milliseconds since 2001, as drawings store them. `None` for 0 and for what no calendar can show.
pub fn from_milliseconds(milliseconds: i64) -> Option<Instant> {
    let since_1970 = milliseconds.checked_add(APPLE_EPOCH * 1000)?;
    DateTime::from_timestamp_millis(since_1970).filter(|_| milliseconds != 0)
}

/// Seconds since 2001, with a fraction, as archives store them. `None` for what no calendar can show.
pub fn from_seconds(seconds: f64) -> Option<Instant> {
    if !seconds.is_finite() || seconds.abs() > 1e11 {
        return None;
    }
    let whole = seconds.floor();
    let nanos = ((seconds - whole) * 1e9) as u32;
    DateTime::from_timestamp(APPLE_EPOCH + whole as i64, nanos.min(999_999_999))
}

/// Seconds since 1970 as text, with a fraction of up to nine digits, as apps write them into URLs.
pub fn from_unix_text(seconds: &str) -> Option<Instant> {
    let (whole, fraction) = seconds.trim().split_once('.').unwrap_or((seconds.trim(), ""));
    let digits: String = fraction.chars().take(9).collect();
    let nanos = if digits.is_empty() { 0 } else { format!("{digits:0<9}").parse().ok()? };
    DateTime::from_timestamp(whole.parse().ok()?, nanos)
}

/// A raw date in nanoseconds, whichever unit it is in (`messages-format.md` 3.1).
pub fn in_nanoseconds(raw: i64) -> i64 {
    match raw.unsigned_abs() < 1_000_000_000_000 {
        true => raw.saturating_mul(1_000_000_000),
        false => raw,
    }
}
