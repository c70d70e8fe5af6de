//! A list to work off: the attachments that are only in iCloud, by conversation, each with a link that opens its message in
//! Messages, which downloads it. As text, as a table and as a page; the table is what a later run reads to tick off what
//! has arrived.
//!
//! **Must never**: show a text of a message.

pub mod html;
pub mod table;
pub mod text;

use super::open_in_messages;
use crate::model::Instant;

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkList {
    /// Those with the most to fetch first.
    pub conversations: Vec<Section>,
}

/// A conversation of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The conversation's id.
    pub id: String,
    /// Hostile text.
    pub title: String,
    /// By date.
    pub items: Vec<Item>,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `attachment.guid`; a row without one cannot be ticked off.
    pub guid: String,
    /// `guid` of the message it hangs on.
    pub message: String,
    pub date: Option<Instant>,
    /// Hostile text.
    pub name: String,
    /// 0: not known.
    pub bytes: u64,
    pub state: State,
}

/// What became of an attachment since it was first listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is still only in iCloud.
    ToFetch,
    /// It was here at this time, the first time that somebody looked.
    Arrived(Instant),
    /// At this time it was neither here nor in iCloud any more.
    Gone(Instant),
}

/// How many there are of each sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub to_fetch: u64,
    /// What these take.
    pub bytes: u64,
    pub arrived: u64,
    pub gone: u64,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::ToFetch => "to fetch",
            State::Arrived(_) => "arrived",
            State::Gone(_) => "gone",
        }
    }

    /// When it was seen.
    pub fn since(self) -> Option<Instant> {
        match self {
            State::ToFetch => None,
            State::Arrived(at) | State::Gone(at) => Some(at),
        }
    }
}

impl WorkList {
    /// Puts everything in its order.
    pub fn sort(&mut self) {
        for section in &mut self.conversations {
            section.items.sort_by(|a, b| (a.date, &a.guid).cmp(&(b.date, &b.guid)));
        }
        self.conversations
            .sort_by(|a, b| b.counts().to_fetch.cmp(&a.counts().to_fetch).then_with(|| a.id.cmp(&b.id)));
    }

    /// Of all conversations.
    pub fn counts(&self) -> Counts {
        self.conversations.iter().map(Section::counts).fold(Counts::default(), |all, of| Counts {
            to_fetch: all.to_fetch + of.to_fetch,
            bytes: all.bytes.saturating_add(of.bytes),
            arrived: all.arrived + of.arrived,
            gone: all.gone + of.gone,
        })
    }
}

impl Section {
    /// Of this conversation.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for item in &self.items {
            match item.state {
                State::ToFetch => {
                    counts.to_fetch += 1;
                    counts.bytes = counts.bytes.saturating_add(item.bytes);
                }
                State::Arrived(_) => counts.arrived += 1,
                State::Gone(_) => counts.gone += 1,
            }
        }
        counts
    }
}

impl Item {
    /// Opens the message in Messages; `None` where it has no GUID.
    pub fn link(&self) -> Option<String> {
        (!self.message.is_empty()).then(|| open_in_messages::link(&self.message))
    }
}

impl Counts {
    /// `3 to fetch (52.0 MB), 2 arrived, 1 gone`.
    pub fn words(&self) -> String {
        use super::phrase::{grouped, size};
        let mut words = Vec::new();
        if self.to_fetch > 0 || self.arrived + self.gone == 0 {
            words.push(format!("{} to fetch ({})", grouped(self.to_fetch), size(self.bytes)));
        }
        for (count, what) in [(self.arrived, "arrived"), (self.gone, "gone")] {
            if count > 0 {
                words.push(format!("{} {what}", grouped(count)));
            }
        }
        words.join(", ")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn item(message: &str, name: &str, state: State) -> Item {
        let date = Some("2023-11-13T11:00:00.5Z".parse().unwrap());
        Item {
            guid: format!("at_0_{message}"),
            message: message.into(),
            date,
            name: name.into(),
            bytes: 52_000_000,
            state,
        }
    }

    /// With names made to hurt.
    pub fn list() -> WorkList {
        let at = "2023-11-14T22:13:20Z".parse().unwrap();
        let section = |id: &str, title: &str, items| Section { id: id.into(), title: title.into(), items };
        let mut list = WorkList {
            conversations: vec![
                section(
                    "c-00000001",
                    "=HYPERLINK(\"x\")</title><script>alert(1)</script>\u{1b}[31m\u{202e}",
                    vec![
                        item("1A", "=cmd|' /C calc'!A0.mov", State::ToFetch),
                        item("\"><script>", "<b>\n.heic", State::ToFetch),
                        item("2B", "a.jpg", State::Arrived(at)),
                    ],
                ),
                section("c-00000002", "Family", vec![item("3C", "b.jpg", State::Gone(at))]),
            ],
        };
        list.sort();
        list
    }

    #[test]
    fn counts_are_said_in_words() {
        let counts = |to_fetch, arrived, gone| Counts { to_fetch, bytes: 52_000_000, arrived, gone }.words();
        assert_eq!(counts(3, 2, 1), "3 to fetch (52.0 MB), 2 arrived, 1 gone");
        assert_eq!(counts(0, 2, 0), "2 arrived");
        assert_eq!(Counts::default().words(), "0 to fetch (0 bytes)");
    }
}
