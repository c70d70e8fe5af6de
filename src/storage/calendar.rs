use chrono::{Datelike, TimeZone};
use chrono_tz::Tz;

use crate::model::Instant;

/// Tells years in a zone; fast for dates that come nearly in order.
pub(super) struct Calendar {
    zone: Tz,
    /// A year, and the instants where it and the next one begin.
    last: Option<(i32, Instant, Instant)>,
}

impl Calendar {
    pub fn new(zone: Tz) -> Calendar {
        Calendar { zone, last: None }
    }

    pub fn year(&mut self, date: Instant) -> i32 {
        if let Some((year, from, to)) = self.last
            && (from..to).contains(&date)
        {
            return year;
        }
        let year = date.with_timezone(&self.zone).year();
        let begin = |year| self.zone.with_ymd_and_hms(year, 1, 1, 0, 0, 0).earliest();
        // A zone that has no such midnight is asked each time.
        self.last = match (begin(year), year.checked_add(1).and_then(begin)) {
            (Some(from), Some(to)) => Some((year, from.to_utc(), to.to_utc())),
            _ => None,
        };
        year
    }
}
