//! The list as text: to read, to print, to click in a terminal.

use std::fmt::Write as _;

use chrono_tz::Tz;

use super::{State, WorkList};
use crate::writers::clock::Clock;
use crate::writers::phrase::{one_line, short_date, size};

/// What the text begins with, and by what it is known.
pub const TITLE: &str = "Attachments that are only in iCloud";

/// The whole text. `tool`: name and version of the program.
pub fn text(list: &WorkList, zone: Tz, tool: &str) -> String {
    let mut clock = Clock::new(zone);
    let mut text = format!("{TITLE}\n{}.\n", list.counts().words());
    if list.counts().to_fetch > 0 {
        text.push_str(
            "\nOpen each link on the Mac, or find the message in Messages: what is shown is downloaded.\n\
             Then run the same command again: it ticks off what has arrived.\n",
        );
    }
    for section in &list.conversations {
        let _ = write!(text, "\n{}  [{}]\n", one_line(&section.title), one_line(&section.id));
        for item in &section.items {
            let (mark, since) = match item.state {
                State::ToFetch => (' ', String::new()),
                State::Arrived(at) => ('x', format!("  arrived by {}", short_date(&clock.local(at)))),
                State::Gone(at) => ('-', format!("  gone by {}", short_date(&clock.local(at)))),
            };
            let date = item.date.map_or_else(|| "no date".into(), |date| short_date(&clock.local(date)));
            let bytes = if item.bytes > 0 { size(item.bytes) } else { "size unknown".into() };
            let _ = writeln!(text, "  [{mark}] {date}  {}  {bytes}{since}", one_line(&item.name));
            if let (State::ToFetch, Some(link)) = (item.state, item.link()) {
                let _ = writeln!(text, "      {link}");
            }
        }
    }
    let _ = write!(text, "\nMade by {tool}; no text of a message is in this list.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::list;
    use super::*;

    #[test]
    fn every_attachment_has_its_box() {
        let text = text(&list(), chrono_tz::UTC, "msgarchive 1");
        assert!(text.starts_with(TITLE));
        assert!(
            text.contains(
                "  [ ] 13 November 2023  =cmd|' /C calc'!A0.mov  52.0 MB\n      sms://open?message-guid=1A\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("  [x] 13 November 2023  a.jpg  52.0 MB  arrived by 14 November 2023\n"),
            "{text}"
        );
        assert!(
            text.contains("  [-] 13 November 2023  b.jpg  52.0 MB  gone by 14 November 2023\n"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }
}
