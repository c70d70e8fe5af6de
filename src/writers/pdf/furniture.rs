//! What is on every page beside its messages: whose they are, of which days, and where in the document it is.

use crate::writers::clock::Clock;
use crate::writers::{WriterOptions, pdf::Bates, phrase};

use super::blocks::QUIET;
use super::document::Furniture;
use super::layout::{Engine, Ink, Line};
use super::page::{Color, Item, TextRun};
use super::shape::{Rectangle, Shape};
use super::style::Style;

const HEADER: f32 = 40.0;
/// Of the footer's baseline, from the page's bottom.
const FOOTER: f32 = 38.0;
/// The second line of the footer, below the first.
const BELOW: f32 = 11.0;
/// Header and footer have one size, whatever the messages have.
const SIZE: f32 = 8.0;
/// Between the title and the days.
const GAP: f32 = 14.0;

/// What all pages of a document share.
#[derive(Debug, Clone)]
pub struct Running {
    style: Style,
    title: String,
    tool: String,
    zone: String,
    /// Of an archive that is shown as it was.
    as_of: Option<String>,
    /// The number that is stamped on the first page.
    bates: Option<Bates>,
}

impl Running {
    /// `bates` is the number of the first page.
    pub fn new(title: String, options: &WriterOptions, bates: Option<Bates>) -> Running {
        let zone = format!("Times in {}", options.zone.name());
        let style = Style::new(options.pdf);
        let then = options.provenance.as_ref().and_then(|provenance| provenance.as_of());
        let as_of = then.map(|then| phrase::as_of(then, &mut Clock::new(options.zone)));
        Running { as_of, style, title, tool: options.tool.clone(), zone, bates }
    }

    /// On the page with this number, from 0; `shows` says in a few words what is on it.
    pub fn on(&self, number: u32, shows: &str, engine: &mut Engine) -> Furniture {
        let (left, right, measure) = (self.style.side, self.style.right(), self.style.measure());
        let footer = self.style.page_height - FOOTER;
        let mut items = Vec::new();
        if number > 0 {
            // The days are whole, on the smallest paper, too; a title that is cut is on the first page.
            let days = engine.words(shows, QUIET, SIZE, measure * 0.7);
            let title = engine.label(&self.title, QUIET, SIZE, measure - days.width - GAP);
            put(&mut items, title, left, HEADER);
            let x = right - days.width;
            put(&mut items, days, x, HEADER);
            let rule = Rectangle { x: left, y: HEADER + 7.0, width: measure, height: 0.5 };
            items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
        }
        let stamp = match &self.bates {
            Some(bates) => {
                engine.label(&bates.plus(number), Ink { bold: true, ..Ink::default() }, SIZE, 200.0)
            }
            None => engine.label(&self.tool, QUIET, SIZE, 200.0),
        };
        let x = right - stamp.width;
        put(&mut items, stamp, x, footer);
        let zone = engine.label(&self.zone, QUIET, SIZE, 200.0);
        let x = (self.style.page_width - zone.width) / 2.0;
        put(&mut items, zone, x, footer);
        if let Some(as_of) = &self.as_of {
            let line = engine.label(as_of, QUIET, SIZE, measure);
            let x = (self.style.page_width - line.width) / 2.0;
            put(&mut items, line, x, footer + BELOW);
        }
        let page = engine.words(&format!("Page {} of ", number + 1), QUIET, SIZE, 200.0);
        let end = left + page.width;
        put(&mut items, page, left, footer);
        Furniture { items, count_at: (end, footer) }
    }
}

/// Puts a line on a baseline.
fn put(items: &mut Vec<Item>, line: Line, x: f32, y: f32) {
    let baseline = line.baseline;
    let mut row = line.into_row(x);
    row.items.iter_mut().for_each(|item| item.shift(0.0, y - baseline));
    items.append(&mut row.items);
}

/// The number of pages for the form in the footer, on a baseline at the very top left.
pub fn count_of(pages: u32, style: &Style, engine: &mut Engine) -> Vec<TextRun> {
    let line = engine.label(&pages.to_string(), QUIET, SIZE, 200.0);
    let baseline = line.baseline;
    let runs = line.into_row(0.0).items.into_iter().filter_map(|item| match item {
        Item::Text(mut run) => {
            // The encoder counts from the page's top, the form from its own origin.
            run.y += style.page_height - baseline;
            Some(run)
        }
        _ => None,
    });
    runs.collect()
}
