//! The cover of a document of all conversations: what it holds, where that comes from, and on which page each begins.

use crate::pipeline::RowCounts;
use crate::pipeline::writer::Finished;
use crate::writers::WriterOptions;
use crate::writers::clock::Clock;
use crate::writers::contents::Contents;
use crate::writers::phrase;

use super::blocks::QUIET;
use super::front::{Front, TEXT, fixed};
use super::layout::{Engine, Ink, Line};
use super::page::{Block, Cell, Color, Item, Row, TablePart, Target};
use super::places::Place;
use super::shape::Rectangle;

/// The columns at the right.
const PAGE: f32 = 28.0;
const MESSAGES: f32 = 44.0;
/// Of the width.
const PERIOD: f32 = 0.32;
/// Between columns.
const GAP: f32 = 8.0;
const LINE: f32 = 14.0;
/// The smallest title, as a share of the usual size.
const SMALLEST_TITLE: f32 = 0.7;
/// Lines that are not divided between pages.
const TOGETHER: usize = 12;

/// What the contents say of a conversation once it is complete.
#[derive(Debug)]
pub struct Begins {
    pub place: Place,
    pub messages: u64,
    pub period: String,
}

/// What is known at the end only.
#[derive(Default)]
pub struct Outcome<'a> {
    /// In the order of the conversations.
    pub begins: &'a [Begins],
    pub contents: Contents,
    /// What became of the conversations' rows.
    pub rows: Option<RowCounts>,
    pub is_final: bool,
}

/// All of it. The height depends on the conversations, not on the outcome.
pub fn blocks(
    conversations: &[Finished],
    options: &WriterOptions,
    outcome: &Outcome<'_>,
    engine: &mut Engine,
) -> Vec<Block> {
    let mut front = Front::new(options, engine);
    let count = phrase::count(conversations.len() as u64, "conversation", "conversations");
    front.title(&phrase::all_of(&options.me), &count, &phrase::period_and_count(&outcome.contents));
    let all = conversations.iter().map(|finished| &finished.conversation);
    let mut clock = Clock::new(options.zone);
    front.lost(&phrase::lost_of_all(all, options.provenance.as_deref(), &mut clock));
    front.months(&outcome.contents);
    front.held(phrase::HOLDS, &outcome.contents);
    front.account(phrase::THEIR_ACCOUNT, outcome.rows.as_ref());
    front.provenance(&outcome.contents, outcome.is_final);
    front.heading(phrase::CONTENTS);
    front.captions();
    let contents = front.blocks.len();
    for (number, finished) in conversations.iter().enumerate() {
        front.line(&finished.conversation.title, outcome.begins.get(number));
    }
    // Few stay together, and many do not begin with one or two at the bottom of a page.
    let first = front.blocks.get_mut(contents..).and_then(<[Block]>::split_last_mut);
    for block in first.into_iter().flat_map(|(_, first)| first.iter_mut().take(TOGETHER)) {
        block.keep_with_next = true;
    }
    front.blocks
}

impl Front<'_> {
    /// What is in the columns.
    fn captions(&mut self) {
        let texts = ["Conversation", "Messages", "Period", "Page"];
        let caption = |front: &mut Self, text: &str| front.engine.label(text, QUIET, 7.5, 200.0);
        let lines = texts.map(|text| caption(self, text));
        let mut row = self.columns(lines, [0, 1, 2, 3].map(Cell::caption));
        row.height = 12.0;
        self.blocks.push(Block { rows: vec![row], keep_with_next: true, ..Block::default() });
    }

    /// A conversation, and where it begins.
    fn line(&mut self, title: &str, begins: Option<&Begins>) {
        let period_width = self.style.measure() * PERIOD;
        let width = self.style.measure() - PAGE - MESSAGES - period_width - 3.0 * GAP;
        let link = Ink { color: Color::Link, ..Ink::default() };
        let title = self.title_in(&phrase::one_line(title), link, width);
        let (messages, period, page) = begins.map_or_else(Default::default, |begins| {
            let page = phrase::grouped(u64::from(begins.place.page) + 1);
            (phrase::grouped(begins.messages), begins.period.clone(), page)
        });
        let messages = self.fitted(&messages, Ink::default(), TEXT, MESSAGES);
        let period = self.fitted(&period, QUIET, 8.0, period_width);
        let page = self.fitted(&page, link, TEXT, PAGE);
        let widths = [title.width, page.width];
        let cells = [Cell::HEAD, Cell::at(1), Cell::at(2), Cell::at(3)];
        let mut row = self.columns([title, messages, period, page], cells);
        row.height = LINE;
        if let Some(begins) = begins {
            let xs = [self.style.side, self.style.right() - widths[1]];
            row.items.extend(xs.into_iter().zip(widths).map(|(x, width)| {
                // Not only the glyphs: a single digit is hard to hit.
                let at = Rectangle { x: x - 4.0, y: 0.0, width: width + 8.0, height: LINE };
                Item::Link { at, target: Target::Place(begins.place) }
            }));
        }
        self.blocks.push(Block { rows: vec![row], ..Block::default() });
    }

    /// A title on one line: smaller where it is too long for that, and cut where it still is. It is whole where its
    /// conversation begins.
    fn title_in(&mut self, title: &str, ink: Ink, width: f32) -> Line {
        let whole = self.fitted(title, ink, TEXT, f32::MAX).width;
        let size = TEXT * (width / whole.max(1.0)).clamp(SMALLEST_TITLE, 1.0);
        self.engine.label(title, ink, size, width)
    }

    /// Four lines beside each other: the first at the left, the third behind the second, numbers at the right.
    fn columns(&self, lines: [Line; 4], cells: [Item; 4]) -> Row {
        let right = self.style.right();
        let period = right - PAGE - GAP - self.style.measure() * PERIOD;
        let [_, messages, _, page] =
            [0, 1, 2, 3].map(|number: usize| lines.get(number).map_or(0.0, |l| l.width));
        let xs = [self.style.side, period - GAP - messages, period, right - page];
        let mut row = Row { height: 0.0, items: vec![Item::Part(TablePart::Line)] };
        for ((line, cell), x) in lines.into_iter().zip(cells).zip(xs) {
            row.items.push(cell);
            row.items.append(&mut fixed(line, TEXT, x).items);
        }
        row
    }
}
