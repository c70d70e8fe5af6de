//! A comparison as one page that needs nothing else: no script, no file beside it, no network.

use std::borrow::Cow;
use std::io::{self, Write};

use askama::Template;
use chrono_tz::Tz;

use super::chart::{Axis, Chart, Tick};
use super::words;
use crate::compare::{About, Comparison, Counts, Gap, Gaps, Reason, Side};
use crate::writers::clock::Clock;
use crate::writers::phrase::{self, conversation_kind, days, grouped, one_line, source_kind};

/// Writes the page. `me`: how the owner is named; `tool`: name and version of the program.
///
/// # Errors
/// What writing said.
pub fn write(comparison: &Comparison, zone: Tz, me: &str, tool: &str, to: &mut dyn Write) -> io::Result<()> {
    let mut clock = Clock::new(zone);
    let sides = [Side::Left, Side::Right].map(|side| {
        let about = match side {
            Side::Left => &comparison.left,
            Side::Right => &comparison.right,
        };
        SideView::of(side, about, &mut clock)
    });
    let axis = Axis::of(&comparison.total.months);
    let page = Page {
        title: "Two message histories side by side",
        owner: Some(one_line(me)).filter(|me| me != "Me"),
        zone: zone.name(),
        tool,
        verdict: words::verdict(comparison),
        sides,
        comparison,
        axis,
    };
    let mut buffered = io::BufWriter::new(to);
    page.write_into(&mut buffered)?;
    buffered.flush()
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'c> {
    title: &'static str,
    owner: Option<Cow<'c, str>>,
    zone: &'static str,
    tool: &'c str,
    verdict: String,
    sides: [SideView; 2],
    comparison: &'c Comparison,
    axis: Option<Axis>,
}

/// What a side is, in words.
struct SideView {
    name: &'static str,
    kind: String,
    path: String,
    messages: String,
    tapbacks: String,
    period: String,
    unreadable: Option<String>,
}

/// A conversation, or all of them.
struct GapView<'c> {
    title: Cow<'c, str>,
    facts: String,
    numbers: Numbers,
    lines: Vec<Line>,
    hanging: Option<String>,
    months: Vec<(String, Numbers)>,
    chart: Chart,
}

/// Counts as they are shown.
struct Numbers {
    both: String,
    only_left: String,
    only_right: String,
    different: String,
}

impl Numbers {
    fn of(counts: &Counts) -> Numbers {
        Numbers {
            both: grouped(counts.both),
            only_left: grouped(counts.only_left),
            only_right: grouped(counts.only_right),
            different: grouped(counts.different),
        }
    }
}

/// What is missing, or differs, in a sentence.
struct Line {
    /// A class of the page's styles.
    sort: &'static str,
    label: String,
    months: String,
    why: String,
}

impl SideView {
    fn of(side: Side, about: &About, clock: &mut Clock) -> SideView {
        let period = match (about.first, about.last) {
            (Some(first), Some(last)) => days(&clock.local(first), &clock.local(last)),
            _ => "without dates".into(),
        };
        let rows = |count| phrase::count(count, "row", "rows");
        SideView {
            name: match side {
                Side::Left => "Left",
                Side::Right => "Right",
            },
            kind: source_kind(&about.source, clock),
            path: one_line(&about.source.path.to_string_lossy()).into_owned(),
            messages: phrase::count(about.messages, "message", "messages"),
            tapbacks: phrase::count(about.hanging, "tapback or vote", "tapbacks and votes"),
            period,
            unreadable: (about.unreadable > 0)
                .then(|| format!("{} could not be read: the file is damaged", rows(about.unreadable))),
        }
    }
}

impl Page<'_> {
    fn all(&self) -> GapView<'_> {
        self.view("All conversations".into(), String::new(), &self.comparison.total)
    }

    /// Those that differ, one at a time.
    fn gaps(&self) -> impl Iterator<Item = GapView<'_>> {
        let differing = self.comparison.conversations.iter().filter(|gap| !gap.gaps.is_equal());
        differing.map(|gap| {
            let services: Vec<_> = gap.conversation.services.iter().map(|s| phrase::service(s)).collect();
            let mut facts = conversation_kind(&gap.conversation).to_owned();
            for fact in [services.join(", "), gap.conversation.id.clone()] {
                if !fact.is_empty() {
                    facts.push_str(" · ");
                    facts.push_str(&one_line(&fact));
                }
            }
            self.view(one_line(&gap.conversation.title), facts, &gap.gaps)
        })
    }

    fn equal(&self) -> impl Iterator<Item = (Cow<'_, str>, String)> {
        let equal = |gap: &&Gap| gap.gaps.is_equal();
        let both = |gap: &Gap| phrase::count(gap.gaps.messages.both, "message", "messages");
        self.comparison
            .conversations
            .iter()
            .filter(equal)
            .map(move |gap| (one_line(&gap.conversation.title), both(gap)))
    }

    fn equal_count(&self) -> u64 {
        self.equal().count() as u64
    }

    fn view<'v>(&self, title: Cow<'v, str>, facts: String, gaps: &Gaps) -> GapView<'v> {
        let mut lines = Vec::new();
        for (side, sort) in [(Side::Left, "left"), (Side::Right, "right")] {
            let count = gaps.messages.only(side);
            if count > 0 {
                lines.push(Line {
                    sort,
                    label: format!("{} only on the {}", grouped(count), side.name()),
                    months: unbroken(words::months(gaps, |counts| counts.only(side))),
                    why: words::reasons(gaps, side),
                });
            }
        }
        if gaps.messages.different > 0 {
            lines.push(Line {
                sort: "different",
                label: format!("{} different", grouped(gaps.messages.different)),
                months: unbroken(words::months(gaps, |counts| counts.different)),
                why: words::differences(gaps),
            });
        }
        let hanging = (gaps.hanging.missing() > 0).then(|| words::hanging(&gaps.hanging));
        let with_gap = gaps.months.iter().filter(|(_, counts)| !counts.is_equal());
        let months = with_gap.map(|(month, counts)| match month {
            Some(month) => (month.to_string(), Numbers::of(counts)),
            None => ("without a date".to_owned(), Numbers::of(counts)),
        });
        GapView {
            title,
            facts,
            numbers: Numbers::of(&gaps.messages),
            lines,
            hanging,
            months: months.collect(),
            chart: self.axis.map(|axis| axis.chart(&gaps.months)).unwrap_or_default(),
        }
    }

    fn width(&self) -> usize {
        self.axis.map_or(0, |axis| axis.width())
    }

    fn ticks(&self) -> Vec<Tick> {
        self.axis.map(|axis| axis.ticks()).unwrap_or_default()
    }

    /// The reasons that come up, and what they mean.
    fn reasons(&self) -> Vec<(&'static str, &'static str)> {
        let all = Side::BOTH.into_iter().flat_map(|side| self.comparison.total.reasons(side));
        let mut met: Vec<Reason> = all.map(|(reason, _)| reason).collect();
        met.sort_unstable();
        met.dedup();
        met.into_iter().map(|reason| (words::reason(reason), words::evidence(reason))).collect()
    }

    fn restored(&self) -> Option<String> {
        let restored = self.comparison.restored;
        let messages = phrase::count(restored, "message has", "messages have");
        (restored > 0).then(|| {
            format!("{messages} another GUID on each side and the same content: restored, and counted as the same.")
        })
    }
}

/// `2024-05` stays on one line.
fn unbroken(months: String) -> String {
    months.replace('-', "\u{2011}")
}
