//! The lines of an app's card; of a poll its options, with a bar for the votes of each.

use super::blocks::Composer;
use super::layout::{Ink, Measure};
use super::page::{Color, Item, Row};
use super::shape::{Rectangle, Shape};
use crate::model::{Balloon, Message, PollOption};
use crate::writers::phrase::CardLine;

/// How high a bar is, in points.
const BAR: f32 = 4.0;

impl Composer<'_> {
    /// What a message's card says.
    pub(super) fn card_lines<'b>(&mut self, balloon: &'b Balloon, message: &Message) -> Vec<CardLine<'b>> {
        let sent = message.date.map(|date| self.clock.local(date));
        self.phrases.balloon_lines(balloon, sent.as_ref(), &mut self.clock)
    }

    /// An option of a poll: its words over a bar that is as long as its share of the votes of the one with the most.
    pub(super) fn poll_option(
        &mut self,
        option: &PollOption,
        poll: &Balloon,
        x: f32,
        width: f32,
    ) -> Vec<Row> {
        let most = poll.options.iter().map(|option| option.voters.len()).max().unwrap_or(0);
        let text = self.phrases.option(option);
        let mut rows = self
            .engine
            .plain(&text, Ink::default(), Measure { size: self.style.points(8.5), width })
            .into_rows(x);
        let bar = |width, fill| {
            Item::Shape(Shape::filled(Rectangle { x, y: 1.5, width, height: BAR }, BAR / 2.0, fill))
        };
        let share = option.voters.len() as f32 / most.max(1) as f32;
        let mut bars = vec![bar(width, Color::Received)];
        if share > 0.0 {
            bars.push(bar((width * share).max(BAR), Color::Accent));
        }
        rows.push(Row { height: BAR + 5.0, items: bars });
        rows
    }
}
