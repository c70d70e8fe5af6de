//! Stickers that were put on a message: on a picture about where they were put, on words at their bubble's corner.
//!
//! On paper nobody can move a sticker aside: no word may be hidden by one, and of a picture not much. The line that names
//! it is there beside.

use crate::model::{Attachment, Availability, Placement, Tapback, TapbackKind};

use super::attached::alt;
use super::blocks::{Bubbles, Composer, INSET, Side};
use super::page::{Block, Item, Setting};
use super::shape::Rectangle;
use super::style::Style;

/// Width and height, in points.
const LARGEST: f32 = 60.0;
/// Of one that has no place.
const AT_CORNER: f32 = 28.0;
const SMALLEST: f32 = 18.0;
/// So many of one bubble are drawn.
const MOST: usize = 12;
/// How far they reach over the upper and lower edge.
const OVER: f32 = 4.0;
/// Into the column of times, and into the left margin.
const BESIDE: f32 = 12.0;

/// The first bubble or picture of a part.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    /// Which block.
    pub block: usize,
    pub area: Area,
}

/// Where a bubble or a picture is, from the top of its block.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    pub x: f32,
    pub width: f32,
    pub height: f32,
    /// There is something to read in it.
    pub words: bool,
}

/// A sticker's place: its center, and how it is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    x: f32,
    /// From the block's top.
    y: f32,
    width: f32,
    height: f32,
    /// Clockwise, in radians.
    turn: f32,
}

impl Composer<'_> {
    /// Puts the stickers among these tapbacks on the first bubble of their part.
    pub(super) fn stickers<'t>(
        &mut self,
        tapbacks: impl Iterator<Item = &'t Tapback>,
        bubbles: &mut Bubbles<'_>,
    ) {
        let Some(Spot { block, area }) = bubbles.spot else { return };
        let Some(block) = bubbles.blocks.get_mut(block) else { return };
        let stickers = tapbacks.filter(|tapback| !tapback.removed).filter_map(drawn);
        let found = stickers.filter_map(|sticker| Some((sticker, self.gallery.picture(sticker).ok()?)));
        let mut beside = 0;
        for (sticker, picture) in found.take(MOST) {
            let placement = sticker.sticker_facts.as_deref().and_then(|facts| facts.placement);
            let placement = placement.filter(|_| !area.words);
            let Place { x, y, width, height, turn } =
                place(area, bubbles.side, picture.size(), placement, beside, &self.style);
            beside += usize::from(placement.is_none());
            put(block, y, |y| Item::Image {
                picture,
                at: Rectangle { x: x - width / 2.0, y: y - height / 2.0, width, height },
                setting: Setting::Stuck { turn },
                alt: alt(sticker),
            });
        }
    }
}

/// The sticker of a tapback, where its picture is here.
fn drawn(tapback: &Tapback) -> Option<&Attachment> {
    match &tapback.kind {
        TapbackKind::Sticker(Some(sticker)) if sticker.availability == Availability::Local => Some(sticker),
        _ => None,
    }
}

/// `size` is the picture's, in pixels; `beside` counts those without a place before it.
fn place(
    area: Area,
    side: Side,
    size: (u32, u32),
    placement: Option<Placement>,
    beside: usize,
    style: &Style,
) -> Place {
    let finite = |value: f64, or: f32| Some(value as f32).filter(|value| value.is_finite()).unwrap_or(or);
    let largest = match placement {
        None => AT_CORNER,
        Some(_) => LARGEST,
    };
    let most = (area.width / 3.0).min(area.height).clamp(SMALLEST, largest);
    let wanted = placement.map_or(most, |placed| finite(placed.scale, 0.0) * area.width);
    let edge = wanted.clamp(SMALLEST, most);
    let (w, h) = (size.0 as f32, size.1 as f32);
    let scale = edge / w.max(h).max(1.0);
    let (width, height) = ((w * scale).max(1.0), (h * scale).max(1.0));
    let turn = placement.map_or(0.0, |placed| finite(placed.rotation, 0.0));
    let (sin, cos) = (turn.sin().abs(), turn.cos().abs());
    let half = ((width * cos + height * sin) / 2.0, (width * sin + height * cos) / 2.0);
    // In so narrow a picture it would hide what is seen.
    let roomy = area.width >= 3.0 * SMALLEST;
    let (x, y) = match placement {
        Some(placed) if roomy => {
            let inside = |value| finite(value, 1.0).clamp(0.0, 1.0);
            (area.x + inside(placed.x) * area.width, inside(placed.y) * area.height)
        }
        // At the upper corner that looks to the middle of the page, one beside the other.
        _ => {
            let step = beside as f32 * edge * 0.9;
            let out = half.0 - INSET / 2.0 + step;
            let x = if side == Side::Left { area.x + area.width + out } else { area.x - out };
            (x, 0.0)
        }
    };
    let x = x.min(style.lane_right() + BESIDE - half.0).max(style.side - BESIDE + half.0);
    let (top, bottom) = (half.1 - OVER, area.height - half.1 + OVER);
    let y = if top < bottom { y.clamp(top, bottom) } else { area.height / 2.0 };
    Place { x, y, width, height, turn }
}

/// Adds an item at this height of a block to the row that is there, so that no page break comes between them.
fn put(block: &mut Block, y: f32, item: impl FnOnce(f32) -> Item) {
    let mut top = block.padding();
    let mut last = block.rows.len().saturating_sub(1);
    for (number, row) in block.rows.iter().enumerate() {
        if y < top + row.height || number == last {
            last = number;
            break;
        }
        top += row.height;
    }
    if let Some(row) = block.rows.get_mut(last) {
        row.items.push(item(y - top));
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::PdfOptions;
    use super::*;

    const SIDE: f32 = 58.0;
    const PHOTO: Area = Area { x: SIDE, width: 300.0, height: 40.0, words: false };
    const BUBBLE: Area = Area { words: true, ..PHOTO };

    fn style() -> Style {
        Style::new(PdfOptions::default())
    }

    fn placed(x: f64, y: f64, scale: f64, rotation: f64) -> Option<Placement> {
        Some(Placement { x, y, scale, rotation, parent_width: None })
    }

    #[test]
    fn it_lies_where_it_was_put() {
        let Place { x, y, width, height, turn } =
            place(PHOTO, Side::Left, (400, 200), placed(0.5, 0.5, 0.1, 0.5), 0, &style());
        assert_eq!((x, y, turn), (SIDE + 150.0, 20.0, 0.5));
        assert_eq!((width.round(), height.round()), (30.0, 15.0));
    }

    #[test]
    fn it_stays_small_and_near_wherever_it_was_put() {
        let wild = [f64::NEG_INFINITY, -1e300, -3.0, 0.0, 0.4, 1.0, 7.0, 1e300, f64::INFINITY, f64::NAN];
        let style = style();
        for area in [
            PHOTO,
            Area { x: style.lane_right() - 20.0, width: 20.0, height: 24.0, words: false },
            Area { x: SIDE, width: 216.0, height: 4.0, words: false },
            Area { x: SIDE, width: 4.0, height: 236.0, words: false },
        ] {
            for side in [Side::Left, Side::Right] {
                for a in wild {
                    for b in wild {
                        for placement in [placed(a, b, 0.3, b), placed(0.5, a, b, a), None] {
                            let Place { x, y, width, height, turn } =
                                place(area, side, (300, 500), placement, MOST - 1, &style);
                            assert!(turn.is_finite() && (1.0..=LARGEST).contains(&width), "{placement:?}");
                            assert!((SMALLEST..=LARGEST).contains(&height), "{placement:?}");
                            let half = (width + height) / 2.0;
                            assert!(x - half > 0.0 && x + half < style.lane_right() + 60.0, "{placement:?}");
                            assert!((-half..=area.height + half).contains(&y), "{placement:?} {y}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn no_word_is_hidden() {
        for width in [30.0, 300.0] {
            let words = Area { width, ..BUBBLE };
            let sticker = place(words, Side::Left, (100, 100), None, 0, &style());
            assert!(sticker.x - sticker.width / 2.0 > words.x + words.width - INSET, "{sticker:?}");
        }
    }

    #[test]
    fn those_without_a_place_stand_beside_each_other() {
        let xs = [0, 1, 2].map(|beside| place(BUBBLE, Side::Left, (90, 90), None, beside, &style()).x);
        assert!(xs.is_sorted() && xs[0] < xs[1], "{xs:?}");
        let xs = [0, 1].map(|beside| {
            place(Area { x: 300.0, ..BUBBLE }, Side::Right, (90, 90), None, beside, &style()).x
        });
        assert!(xs[1] < xs[0], "{xs:?}");
    }
}
