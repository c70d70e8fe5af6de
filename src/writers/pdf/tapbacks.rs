//! Tapbacks: small capsules on the lower corner of what they were put on, with the names of who put them.
//!
//! The app shows who only on a touch; on paper the names stand there, so that nothing is lost.

use crate::model::Tapback;

use super::blocks::{Bubbles, Composer, QUIET, TINY};
use super::layout::Measure;
use super::page::{Block, Color};

/// How far the first capsule lies on its bubble.
const OVER: f32 = 3.5;
/// From the bubble's side.
const ASIDE: f32 = 8.0;
const INSET: f32 = 6.0;

impl Composer<'_> {
    /// The tapbacks on one part, or (for `None`) on all, below the bubble that was laid out last.
    pub(super) fn tapbacks(&mut self, tapbacks: &[Tapback], part: Option<u32>, bubbles: &mut Bubbles<'_>) {
        let (gone, there): (Vec<Tapback>, Vec<Tapback>) =
            tapbacks.iter().cloned().partition(|tapback| tapback.removed);
        for line in self.phrases.tapbacks(&there, part) {
            if self.style.is_list() {
                self.remark(&line, Color::Quiet, bubbles);
            } else {
                self.capsule(&line, bubbles);
            }
        }
        for line in self.phrases.tapbacks(&gone, part) {
            self.remark(&line, Color::Quiet, bubbles);
        }
    }

    fn capsule(&mut self, words: &str, bubbles: &mut Bubbles<'_>) {
        let style = self.style;
        let (aside, inset) = (style.points(ASIDE), style.points(INSET));
        let measure = Measure { size: style.points(TINY), width: style.text_width - 2.0 * (aside + inset) };
        let lines = self.engine.plain(words, QUIET, measure);
        let width = lines.width.ceil() + 2.0 * inset;
        let x = bubbles.side.x(width + 2.0 * aside, &style) + aside;
        let lies_on_it = bubbles.blocks.last().is_some_and(|last| last.frame.is_some())
            && bubbles.bubble == bubbles.blocks.len().checked_sub(1);
        let block = Block {
            before: if lies_on_it { style.points(-OVER) } else { 1.5 },
            frame: Some(style.capsule(x, width)),
            // One name more than fits on a line must not come onto another page.
            rows: vec![lines.into_row(x + inset)],
            ..Block::default()
        };
        bubbles.below(block, &style);
    }
}
