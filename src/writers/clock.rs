//! Instants in the zone they are shown in.
//!
//! **Must never**: read the time of day. A run writes the same bytes whenever it happens.

use chrono::{DateTime, Offset, SecondsFormat, TimeZone};
use chrono_tz::Tz;

use crate::model::Instant;

const DAY: i64 = 86_400;

/// Shows instants in one zone. Remembers the offset of the day it saw last, so one belongs to each worker.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: Tz,
    /// The seconds since 1970 for which `offset` holds.
    from: i64,
    until: i64,
    offset: i64,
}

/// An instant as the clock on the wall shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 is Monday.
    pub weekday: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub nanosecond: u32,
    /// Minutes east of UTC.
    pub offset: i32,
}

impl Local {
    /// Tells days apart: days since 1970-01-01 by the calendar of the zone.
    pub fn day_number(&self) -> i64 {
        days_from_civil(self.year, self.month, self.day)
    }
}

impl Clock {
    /// A clock in `zone`.
    pub fn new(zone: Tz) -> Clock {
        Clock { zone, from: 0, until: 0, offset: 0 }
    }

    /// What the clock shows at an instant.
    pub fn local(&mut self, instant: Instant) -> Local {
        let offset = self.offset(instant.timestamp());
        let local = instant.timestamp() + offset;
        let (days, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        Local {
            year,
            month,
            day,
            // 1970-01-01 was a Thursday.
            weekday: (days + 3).rem_euclid(7) as u8,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            // chrono counts a leap second on.
            nanosecond: instant.timestamp_subsec_nanos().min(999_999_999),
            offset: (offset / 60) as i32,
        }
    }

    /// Appends `2024-05-01T13:30:00.123456789+02:00`: always nine digits, and `+00:00` in UTC.
    pub fn rfc3339(&mut self, instant: Instant, to: &mut Vec<u8>) {
        let local = self.local(instant);
        let Ok(year) = u32::try_from(local.year).and_then(|year| u16::try_from(year.min(10_000))) else {
            return write_far(instant, to);
        };
        if year > 9999 {
            return write_far(instant, to);
        }
        let mut text = *b"0000-00-00T00:00:00.000000000+00:00";
        put(&mut text, 0, u32::from(year), 4);
        put(&mut text, 5, u32::from(local.month), 2);
        put(&mut text, 8, u32::from(local.day), 2);
        put(&mut text, 11, u32::from(local.hour), 2);
        put(&mut text, 14, u32::from(local.minute), 2);
        put(&mut text, 17, u32::from(local.second), 2);
        put(&mut text, 20, local.nanosecond, 9);
        let offset = local.offset.unsigned_abs();
        if local.offset < 0
            && let Some(sign) = text.get_mut(29)
        {
            *sign = b'-';
        }
        put(&mut text, 30, offset / 60, 2);
        put(&mut text, 33, offset % 60, 2);
        to.extend_from_slice(&text);
    }

    /// Seconds east of UTC, whole minutes (as RFC 3339 has no others).
    fn offset(&mut self, seconds: i64) -> i64 {
        if (self.from..self.until).contains(&seconds) {
            return self.offset;
        }
        let offset = self.look_up(seconds);
        let from = seconds.div_euclid(DAY) * DAY;
        // No zone ever changed its mind twice within a day.
        if offset == self.look_up(from) && offset == self.look_up(from + DAY) {
            (self.from, self.until, self.offset) = (from, from + DAY, offset);
        }
        offset
    }

    fn look_up(&self, seconds: i64) -> i64 {
        let Some(instant) = DateTime::from_timestamp(seconds, 0) else {
            return 0;
        };
        let offset = self.zone.offset_from_utc_datetime(&instant.naive_utc()).fix();
        i64::from(offset.local_minus_utc()).div_euclid(60) * 60
    }
}

/// Years that four digits cannot hold: only nonsense has them, and it is shown as it is.
#[cold]
fn write_far(instant: Instant, to: &mut Vec<u8>) {
    to.extend_from_slice(instant.to_rfc3339_opts(SecondsFormat::Nanos, false).as_bytes());
}

/// Writes `value` with `digits` digits at `at`.
fn put(text: &mut [u8], at: usize, mut value: u32, digits: usize) {
    for place in text.iter_mut().skip(at).take(digits).rev() {
        *place = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// The proleptic Gregorian date of a day since 1970-01-01 (Howard Hinnant's algorithm: eras of 400 years that begin
/// on 1 March, so that the leap day comes last).
fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u8, day as u8)
}

fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate, Timelike};

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(zone: &str, instant: &str, expect: &str) {
        let mut clock = Clock::new(zone.parse().unwrap());
        let mut shown = Vec::new();
        clock.rfc3339(at(instant), &mut shown);
        assert_eq!(String::from_utf8(shown).unwrap(), expect);
    }

    #[test]
    fn an_instant_has_nine_digits_and_the_offset_of_its_zone() {
        check("Europe/Berlin", "2024-05-01T11:30:00.123456789Z", "2024-05-01T13:30:00.123456789+02:00");
        check("UTC", "2024-05-01T11:30:00Z", "2024-05-01T11:30:00.000000000+00:00");
        check("America/St_Johns", "2024-01-01T00:00:00Z", "2023-12-31T20:30:00.000000000-03:30");
        check("Asia/Kathmandu", "2024-02-29T23:59:59.9Z", "2024-03-01T05:44:59.900000000+05:45");
        // The hour that comes twice.
        check("Europe/Berlin", "2024-10-27T00:30:00Z", "2024-10-27T02:30:00.000000000+02:00");
        check("Europe/Berlin", "2024-10-27T01:30:00Z", "2024-10-27T02:30:00.000000000+01:00");
        // Local mean time had seconds; the instant stays right.
        check("Europe/Berlin", "1850-01-01T00:00:00Z", "1850-01-01T00:53:00.000000000+00:53");
        check("UTC", "+12345-01-01T00:00:00Z", "+12345-01-01T00:00:00.000000000+00:00");
        check("UTC", "-0044-03-15T00:00:00Z", "-0044-03-15T00:00:00.000000000+00:00");
    }

    #[test]
    fn every_instant_is_shown_as_chrono_shows_it() {
        let zones =
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"];
        for zone in zones {
            let zone: Tz = zone.parse().unwrap();
            let mut clock = Clock::new(zone);
            // Steps that hit every hour of the day, forwards over 60 years, and both sides of each change.
            for step in 0..60 * 366 * 4 {
                let instant = DateTime::from_timestamp(step * 21_587 - 20_000 * 30, 7).unwrap();
                let expect = instant.with_timezone(&zone);
                let mut shown = Vec::new();
                clock.rfc3339(instant, &mut shown);
                let expect_text = expect.to_rfc3339_opts(SecondsFormat::Nanos, false);
                // Old offsets with seconds are rounded differently, on purpose.
                if expect.offset().fix().local_minus_utc() % 60 == 0 {
                    assert_eq!(String::from_utf8(shown).unwrap(), expect_text);
                }
                let local = clock.local(instant);
                assert_eq!(u32::from(local.weekday), expect.weekday().num_days_from_monday());
                assert_eq!(u32::from(local.hour), expect.hour());
            }
        }
    }

    #[test]
    fn dates_and_days_are_each_others_inverse() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
            let expect = NaiveDate::from_num_days_from_ce_opt(days as i32 + 719_163).unwrap();
            assert_eq!(
                (year as i32, u32::from(month), u32::from(day)),
                (expect.year(), expect.month(), expect.day())
            );
        }
    }
}
