use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::{Every, Periodicity};

/// Minutes that a clock may leave out: a day, where a country went to the other side of the date line.
const LONGEST_GAP: i64 = 24 * 60;

/// The last time that came, `now` included; `None` at the end of all calendars only.
pub fn previous(when: Periodicity, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    around(when, now, zone).into_iter().filter(|slot| *slot <= now).max()
}

/// The next time to come.
pub fn next(when: Periodicity, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    around(when, now, zone).into_iter().filter(|slot| *slot > now).min()
}

/// Every time of more than a week before and after.
fn around(when: Periodicity, now: DateTime<Utc>, zone: Tz) -> Vec<DateTime<Utc>> {
    let today = now.with_timezone(&zone).date_naive();
    let Some(first) = today.checked_sub_days(Days::new(8)) else { return Vec::new() };
    let is_wanted = |date: &NaiveDate| when.every == Every::Day || date.weekday() == Weekday::Sun;
    let days = first.iter_days().take(17).filter(is_wanted);
    days.filter_map(|date| instant(date, when, zone)).collect()
}

/// The first of two where the clock is set back. Where it is set forward and there is no such time, the moment after: the
/// earliest at which a scheduler makes up for it.
fn instant(date: NaiveDate, when: Periodicity, zone: Tz) -> Option<DateTime<Utc>> {
    let local = date.and_time(NaiveTime::from_hms_opt(when.at.hour, when.at.minute, 0)?);
    let there_is = |local| match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => Some(instant.to_utc()),
        LocalResult::None => None,
    };
    (0..=LONGEST_GAP).find_map(|minutes| there_is(local.checked_add_signed(TimeDelta::minutes(minutes))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(every: Every, at: &str, now: &str, before: &str, after: &str) {
        let when = Periodicity { every, at: at.parse().unwrap() };
        let instant = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let zone = chrono_tz::Europe::Berlin;
        assert_eq!(previous(when, instant(now), zone), Some(instant(before)));
        assert_eq!(next(when, instant(now), zone), Some(instant(after)));
    }

    #[test]
    fn every_day_and_every_week() {
        let now = "2026-11-25T12:00:00Z";
        check(Every::Day, "02:30", now, "2026-11-25T01:30:00Z", "2026-11-26T01:30:00Z");
        check(Every::Week, "02:30", now, "2026-11-22T01:30:00Z", "2026-11-29T01:30:00Z");
    }

    #[test]
    fn the_moment_itself_has_come() {
        let now = "2026-11-25T01:30:00Z";
        check(Every::Day, "02:30", now, now, "2026-11-26T01:30:00Z");
    }

    #[test]
    fn clocks_are_set() {
        // Forward on March 29 at 02:00, back on October 25 at 03:00.
        check(Every::Day, "02:30", "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
        check(Every::Week, "02:30", "2026-03-28T12:00:00Z", "2026-03-22T01:30:00Z", "2026-03-29T01:00:00Z");
        check(Every::Day, "02:30", "2026-10-25T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    }

    /// When it is 02:30 for the second time, the time has come already.
    #[test]
    fn an_hour_that_comes_twice_has_one_time() {
        let before = "2026-10-25T00:30:00Z";
        check(Every::Day, "02:30", "2026-10-25T00:40:00Z", before, "2026-10-26T01:30:00Z");
        check(Every::Day, "02:30", "2026-10-25T01:30:00Z", before, "2026-10-26T01:30:00Z");
    }

    #[test]
    fn a_day_that_a_country_left_out_is_made_up_for_after_it() {
        let when = Periodicity { every: Every::Day, at: "02:30".parse().unwrap() };
        // Samoa had no December 30, 2011: at midnight it was the 31st.
        let now = "2011-12-29T20:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let after = next(when, now, chrono_tz::Pacific::Apia).unwrap();
        assert_eq!(after.to_rfc3339(), "2011-12-30T10:00:00+00:00");
    }
}
