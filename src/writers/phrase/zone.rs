//! What the rules of a time zone were in a period.

use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::{OffsetName as _, Tz, TzOffset};

use super::{count, offset, short_date};
use crate::writers::clock::{Clock, Local};

const DAY: i64 = 86_400;
/// No history is longer: dates beyond are nonsense, and no reason to look at every day of them.
const LONGEST_PERIOD: i64 = 200 * 366;
/// Changes of the clock on a line.
const BESIDE: usize = 3;
/// Lines of them.
const LINES: usize = 3;

/// The rules of the zone in a period: its offsets from UTC, and on the other lines when which of them began to hold, as
/// far as there is room. Always as many lines; the last may be empty.
pub fn zone_rules(zone: Tz, first: Option<&Local>, last: Option<&Local>) -> [String; 1 + LINES] {
    let mut lines: [String; 1 + LINES] = Default::default();
    let (Some(first), Some(last)) = (first, last) else { return lines };
    let (first, last) = (first.day_number(), last.day_number());
    let mut said: Vec<String> = Vec::new();
    if last - first > LONGEST_PERIOD {
        said.push("Its offset from UTC changed with the rules of the IANA time zone database.".into());
    } else {
        let (offsets, changes) = changes(zone, first, last);
        said.push(offsets.join(", "));
        let mut shown = changes.as_slice();
        if changes.is_empty() {
            said.push("The clock did not change in this period".into());
        }
        if changes.len() > LINES * BESIDE {
            let count = count(changes.len() as u64, "change", "changes");
            said.push(format!("{count} of the clock in this period; the last of them:"));
            shown = changes.get(changes.len() - (LINES - 1) * BESIDE..).unwrap_or_default();
        }
        said.extend(shown.chunks(BESIDE).map(|beside| beside.join("; ")));
    }
    lines.iter_mut().zip(said).for_each(|(line, words)| *line = words);
    lines
}

/// The offsets that held on these days, and what was changed when: `31 March 2024: UTC+02:00`.
fn changes(zone: Tz, first: i64, last: i64) -> (Vec<String>, Vec<String>) {
    let at = |day: i64| {
        let instant = DateTime::from_timestamp(day * DAY, 0).unwrap_or_default();
        zone.offset_from_utc_datetime(&instant.naive_utc())
    };
    let seconds = |then: &TzOffset| then.fix().local_minus_utc();
    let named = |then: &TzOffset| match name(then) {
        Some(name) => format!("{} ({name})", offset(seconds(then).into())),
        None => offset(seconds(then).into()),
    };
    let mut clock = Clock::new(Tz::UTC);
    let mut before = at(first);
    let (mut offsets, mut changes) = (vec![named(&before)], Vec::new());
    for day in first + 1..=last + 1 {
        let now = at(day);
        if (seconds(&now), name(&now)) != (seconds(&before), name(&before)) {
            let changed = DateTime::from_timestamp((day - 1) * DAY, 0).unwrap_or_default();
            changes.push(format!("{}: {}", short_date(&clock.local(changed)), offset(seconds(&now).into())));
            if !offsets.contains(&named(&now)) {
                offsets.push(named(&now));
            }
            before = now;
        }
    }
    (offsets, changes)
}

/// What people call it; `None` where that is a number.
fn name(then: &TzOffset) -> Option<&str> {
    then.abbreviation().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()) && *name != "UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(zone: Tz, first: &str, last: &str) -> Vec<String> {
        let mut clock = Clock::new(zone);
        let [first, last] = [first, last].map(|at| clock.local(at.parse().unwrap()));
        let lines = zone_rules(zone, Some(&first), Some(&last));
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn a_zone_says_what_its_clock_did() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(
            rules(berlin, "2024-01-10T12:00:00Z", "2024-12-10T12:00:00Z"),
            ["UTC+01:00 (CET), UTC+02:00 (CEST)", "31 March 2024: UTC+02:00; 27 October 2024: UTC+01:00"]
        );
        assert_eq!(
            rules(berlin, "2024-01-10T12:00:00Z", "2024-04-10T12:00:00Z")[1..],
            ["31 March 2024: UTC+02:00"]
        );
        assert_eq!(
            rules(chrono_tz::UTC, "2004-01-10T12:00:00Z", "2024-04-10T12:00:00Z"),
            ["UTC+00:00", "The clock did not change in this period"]
        );
        assert_eq!(
            rules(chrono_tz::Asia::Kathmandu, "2024-01-10T12:00:00Z", "2024-04-10T12:00:00Z")[0],
            "UTC+05:45"
        );
        assert!(rules(berlin, "0001-01-10T12:00:00Z", "9000-04-10T12:00:00Z")[0].contains("IANA"));
    }

    #[test]
    fn of_a_long_history_the_last_changes_are_said() {
        let berlin = chrono_tz::Europe::Berlin;
        let four_years = rules(berlin, "2021-01-10T12:00:00Z", "2024-12-10T12:00:00Z");
        assert_eq!(four_years.len(), 4);
        assert!(four_years[1].starts_with("28 March 2021: UTC+02:00; "), "{four_years:?}");
        let ten_years = rules(berlin, "2015-01-10T12:00:00Z", "2024-12-10T12:00:00Z");
        assert_eq!(ten_years[1], "20 changes of the clock in this period; the last of them:");
        assert!(ten_years[2].starts_with("27 March 2022: UTC+02:00; "), "{ten_years:?}");
        assert!(
            ten_years[3].ends_with("; 31 March 2024: UTC+02:00; 27 October 2024: UTC+01:00"),
            "{ten_years:?}"
        );
    }
}
