//! Days and times in words. 24 hours, and no numbers that could be a month or a day.

use crate::writers::clock::Local;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `Wednesday, 1 May 2024`.
pub fn day_heading(at: &Local) -> String {
    let weekday = WEEKDAYS.get(usize::from(at.weekday)).copied().unwrap_or_default();
    format!("{weekday}, {}", short_date(at))
}

/// `1 May 2024`.
pub fn short_date(at: &Local) -> String {
    format!("{} {} {}", at.day, month_name(at.month), at.year)
}

/// `1 May 2024`, `1 to 3 May 2024`, `30 April to 2 May 2024`: the days from one to another.
pub fn days(first: &Local, last: &Local) -> String {
    let end = short_date(last);
    match first {
        _ if first.day_number() == last.day_number() => end,
        _ if (first.year, first.month) == (last.year, last.month) => format!("{} to {end}", first.day),
        _ if first.year == last.year => format!("{} {} to {end}", first.day, month_name(first.month)),
        _ => format!("{} to {end}", short_date(first)),
    }
}

/// `May`, for 5.
pub fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default()
}

/// `13:30`.
pub fn time(at: &Local) -> String {
    format!("{:02}:{:02}", at.hour, at.minute)
}

/// `13:30:05`.
pub fn time_with_seconds(at: &Local) -> String {
    format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second)
}

/// `13:30:05 +02:00`.
pub fn exact_time(at: &Local) -> String {
    let (sign, minutes) = if at.offset < 0 { ('\u{2212}', -at.offset) } else { ('+', at.offset) };
    format!("{} {sign}{:02}:{:02}", time_with_seconds(at), minutes / 60, minutes % 60)
}

/// `13:30:05` on the day of `beside`, else `1 May 2024, 13:30:05`.
pub fn day_and_time(at: &Local, beside: Option<&Local>) -> String {
    if beside.is_some_and(|b| b.day_number() == at.day_number()) {
        time_with_seconds(at)
    } else {
        format!("{}, {}", short_date(at), time_with_seconds(at))
    }
}
