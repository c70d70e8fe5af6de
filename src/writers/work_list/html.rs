//! The list as one page that needs nothing else: no script, no file beside it, no network.

use std::borrow::Cow;
use std::io::{self, Write};

use askama::Template;
use chrono_tz::Tz;

use super::{Item, State, WorkList};
use crate::writers::clock::Clock;
use crate::writers::phrase::{one_line, short_date, size};

/// Writes the page. `tool`: name and version of the program.
///
/// # Errors
/// What writing said.
pub fn write(list: &WorkList, zone: Tz, tool: &str, to: &mut dyn Write) -> io::Result<()> {
    let mut clock = Clock::new(zone);
    let counts = list.counts();
    let all = counts.to_fetch + counts.arrived;
    let sections = list
        .conversations
        .iter()
        .map(|section| SectionView {
            title: one_line(&section.title),
            id: one_line(&section.id),
            counts: section.counts().words(),
            done: section.counts().to_fetch == 0,
            items: section.items.iter().map(|item| ItemView::of(item, &mut clock)).collect(),
        })
        .collect();
    let page = Page {
        title: super::text::TITLE,
        tool,
        counts: counts.words(),
        to_fetch: counts.to_fetch,
        percent: (counts.arrived * 100).checked_div(all).filter(|_| counts.arrived > 0),
        sections,
    };
    let mut buffered = io::BufWriter::new(to);
    page.write_into(&mut buffered)?;
    buffered.flush()
}

#[derive(Template)]
#[template(path = "work_list.html")]
struct Page<'l> {
    title: &'static str,
    tool: &'l str,
    counts: String,
    to_fetch: u64,
    /// Of what was ever listed and is not gone, how much has arrived; where something has.
    percent: Option<u64>,
    sections: Vec<SectionView<'l>>,
}

struct SectionView<'l> {
    title: Cow<'l, str>,
    id: Cow<'l, str>,
    counts: String,
    done: bool,
    items: Vec<ItemView<'l>>,
}

struct ItemView<'l> {
    /// A class of the page's styles.
    sort: &'static str,
    mark: char,
    name: Cow<'l, str>,
    facts: String,
    link: Option<String>,
}

impl<'l> ItemView<'l> {
    fn of(item: &'l Item, clock: &mut Clock) -> ItemView<'l> {
        let (sort, mark, since) = match item.state {
            State::ToFetch => ("open", '\u{2610}', None),
            State::Arrived(at) => ("arrived", '\u{2611}', Some(("arrived by", at))),
            State::Gone(at) => ("gone", '\u{2013}', Some(("no longer in iCloud, nor here: seen on", at))),
        };
        let mut facts =
            vec![item.date.map_or_else(|| "no date".into(), |date| short_date(&clock.local(date)))];
        facts.push(if item.bytes > 0 { size(item.bytes) } else { "size unknown".into() });
        facts.extend(since.map(|(what, at)| format!("{what} {}", short_date(&clock.local(at)))));
        ItemView {
            sort,
            mark,
            name: if item.name.is_empty() { "without a name".into() } else { one_line(&item.name) },
            facts: facts.join(" · "),
            link: item.link().filter(|_| item.state == State::ToFetch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::list;
    use super::*;

    #[test]
    fn no_name_gets_out_of_its_place() {
        let mut page = Vec::new();
        write(&list(), chrono_tz::UTC, "msgarchive 1", &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(
            !page.contains("<script") && !page.contains("<b> .heic") && !page.contains('\u{1b}'),
            "{page}"
        );
        assert!(page.contains("href=\"sms://open?message-guid=1A\""), "{page}");
        assert_eq!(page.matches("href=").count(), 2);
        assert!(page.contains("message-guid=%22%3E%3Cscript%3E\""), "{page}");
        assert!(page.contains("2 to fetch (104 MB), 1 arrived, 1 gone"), "{page}");
    }
}
