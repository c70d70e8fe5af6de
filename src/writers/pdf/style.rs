//! How a document looks: its paper, where things are on it, how large, in what colors.
//!
//! One value, made of the options and handed down; nothing else knows a paper's size or a color's red, green and blue.

use super::page::{Color, Frame};

/// What shapes the look of PDF.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PdfOptions {
    pub paper: Paper,
    pub theme: Theme,
    /// Of the text in bubbles, in points, within [`FONT_SIZES`]; everything else goes with it.
    pub font_size: f32,
    pub times: Times,
}

/// What [`PdfOptions::font_size`] may be: smaller cannot be read, larger leaves no room for words on A5.
pub const FONT_SIZES: std::ops::RangeInclusive<f32> = 6.0..=24.0;

impl Default for PdfOptions {
    fn default() -> PdfOptions {
        PdfOptions {
            paper: Paper::A4,
            theme: Theme::Messages,
            font_size: DESIGNED_FOR,
            times: Times::Minutes,
        }
    }
}

/// The size of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Paper {
    #[default]
    A4,
    Letter,
    A5,
}

impl Paper {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Paper)] = &[("a4", Paper::A4), ("letter", Paper::Letter), ("a5", Paper::A5)];

    /// Width and height, in points.
    fn size(self) -> (f32, f32) {
        match self {
            Paper::A4 => (595.28, 841.89),
            Paper::Letter => (612.0, 792.0),
            Paper::A5 => (419.53, 595.28),
        }
    }
}

/// A look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Bubbles in the colors that people know.
    #[default]
    Messages,
    /// For printing in black and white: outlines, no colors, nothing filled.
    Plain,
}

impl Theme {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Theme)] = &[("messages", Theme::Messages), ("plain", Theme::Plain)];
}

/// How much is said of the time of every message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Times {
    /// Hours and minutes.
    #[default]
    Minutes,
    /// Seconds and the offset from UTC, too, and when it was delivered and read.
    Exact,
}

impl Times {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Times)] = &[("minutes", Times::Minutes), ("exact", Times::Exact)];
}

/// The text size for which all lengths are said.
const DESIGNED_FOR: f32 = 10.0;

/// The look of a document; lengths in points.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub theme: Theme,
    pub times: Times,
    pub page_width: f32,
    pub page_height: f32,
    /// The left and right margins.
    pub side: f32,
    /// Where the first row may begin and the last must end, from the top.
    pub body_top: f32,
    pub body_bottom: f32,
    /// The widest text in a bubble.
    pub text_width: f32,
    /// The largest picture.
    pub picture_width: f32,
    pub picture_height: f32,
    /// The width of cards and boxes.
    pub box_width: f32,
    /// The column at the right margin in which every message's time stands.
    time_column: f32,
    /// How much larger the text is than that for which lengths are said.
    scale: f32,
}

impl Style {
    pub fn new(options: PdfOptions) -> Style {
        let PdfOptions { paper, theme, font_size, times } = options;
        let (page_width, page_height) = paper.size();
        let scale = font_size.clamp(*FONT_SIZES.start(), *FONT_SIZES.end()) / DESIGNED_FOR;
        let small = paper == Paper::A5;
        let side = if small { 36.0 } else { 58.0 };
        let time_column = scale * if times == Times::Exact { 68.0 } else { 40.0 };
        let lane = page_width - 2.0 * side - time_column;
        Style {
            theme,
            times,
            page_width,
            page_height,
            side,
            body_top: if small { 60.0 } else { 72.0 },
            body_bottom: page_height - if small { 52.0 } else { 64.0 },
            text_width: lane * 0.72,
            picture_width: (lane * 0.8).min(216.0),
            picture_height: (page_height * 0.4).min(236.0),
            box_width: (250.0 * scale).min(lane * 0.95),
            time_column,
            scale,
        }
    }

    /// A length, or a size of text, that grows with the text.
    pub fn points(&self, at_ten_points: f32) -> f32 {
        at_ten_points * self.scale
    }

    /// The width between the margins.
    pub fn measure(&self) -> f32 {
        self.page_width - 2.0 * self.side
    }

    /// Where the right margin begins.
    pub fn right(&self) -> f32 {
        self.page_width - self.side
    }

    /// Bubbles stand between the left margin and here, where the column of times begins.
    pub fn lane_right(&self) -> f32 {
        self.right() - self.time_column
    }

    /// The widest text in the middle of the page, clear of the times.
    pub fn middle(&self) -> f32 {
        self.measure() - 2.0 * self.time_column
    }

    /// The height between the header and the footer.
    pub fn body(&self) -> f32 {
        self.body_bottom - self.body_top
    }

    /// Higher rows are divided: this fits on a page with the day and the name above.
    pub fn tallest_row(&self) -> f32 {
        self.body() * 0.75
    }

    /// The background of a bubble.
    pub fn bubble(&self, x: f32, width: f32, color: Color) -> Frame {
        let (fill, stroke) = match self.theme {
            Theme::Messages => (Some(color), None),
            Theme::Plain => (None, Some(Color::Hairline)),
        };
        Frame { x, width, radius: self.points(11.0), fill, stroke, padding: self.points(5.0) }
    }

    /// The background of what is not there any more.
    pub fn outline(&self, x: f32, width: f32) -> Frame {
        Frame { fill: None, stroke: Some(Color::Hairline), ..self.bubble(x, width, Color::Received) }
    }

    /// The background of a card or a box.
    pub fn card(&self, x: f32) -> Frame {
        let fill = Some(Color::Paper).filter(|_| self.theme == Theme::Messages);
        let (width, stroke) = (self.box_width, Some(Color::Hairline));
        Frame { x, width, radius: self.points(9.0), fill, stroke, padding: self.points(8.0) }
    }

    /// Red, green and blue, 0 to 255. All text colors keep a contrast of at least 4.5 : 1 on white and on the bubbles.
    pub fn rgb(&self, color: Color) -> [u8; 3] {
        match self.theme {
            Theme::Messages => match color {
                Color::Text => [0x1c, 0x1c, 0x1e],
                Color::Quiet => [0x63, 0x66, 0x6d],
                Color::Link => [0x0a, 0x58, 0xb8],
                Color::Alarm => [0xa3, 0x2d, 0x1e],
                Color::Received => [0xee, 0xee, 0xf1],
                Color::SentBlue => [0xd5, 0xe7, 0xfd],
                Color::SentGreen => [0xd8, 0xf2, 0xdb],
                Color::Paper => [0xfa, 0xfa, 0xfb],
                Color::Hairline => [0xd4, 0xd5, 0xda],
                Color::Accent => [0x8a, 0xb4, 0xe8],
            },
            Theme::Plain => match color {
                Color::Text | Color::Link | Color::Alarm => [0; 3],
                Color::Quiet => [0x4d; 3],
                Color::Hairline | Color::Accent => [0x8c; 3],
                Color::Received => [0xe6; 3],
                Color::SentBlue | Color::SentGreen | Color::Paper => [0xff; 3],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLORS: [Color; 10] = [
        Color::Text,
        Color::Quiet,
        Color::Link,
        Color::Alarm,
        Color::Received,
        Color::SentBlue,
        Color::SentGreen,
        Color::Paper,
        Color::Hairline,
        Color::Accent,
    ];

    /// The contrast of two colors, by WCAG 2.
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let light = |color: [u8; 3]| {
            let [r, g, b] = color.map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (light(a), light(b));
        a.max(b) / a.min(b)
    }

    #[test]
    fn everything_is_on_the_page_whatever_the_paper_and_the_size() {
        for (_, paper) in Paper::NAMES {
            for font_size in [6.0, 10.0, 24.0, f32::MAX, -1.0] {
                let style = Style::new(PdfOptions { paper: *paper, font_size, ..PdfOptions::default() });
                assert!(style.lane_right() > style.side + 200.0, "{style:?}");
                assert!(
                    style.text_width + style.points(20.0) <= style.lane_right() - style.side,
                    "{style:?}"
                );
                assert!(style.box_width <= style.lane_right() - style.side, "{style:?}");
                assert!(style.picture_height < style.tallest_row(), "{style:?}");
            }
        }
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        for (_, theme) in Theme::NAMES {
            let style = Style::new(PdfOptions { theme: *theme, ..PdfOptions::default() });
            for text in [Color::Text, Color::Quiet, Color::Link, Color::Alarm] {
                for ground in [Color::Received, Color::SentBlue, Color::SentGreen, Color::Paper] {
                    let contrast = contrast(style.rgb(text), style.rgb(ground));
                    assert!(contrast >= 4.5, "{theme:?} {text:?} on {ground:?}: {contrast}");
                }
            }
        }
    }

    #[test]
    fn plain_has_no_color() {
        let style = Style::new(PdfOptions { theme: Theme::Plain, ..PdfOptions::default() });
        for color in COLORS {
            let [r, g, b] = style.rgb(color);
            assert!(r == g && g == b, "{color:?}");
        }
        assert_eq!(style.bubble(0.0, 10.0, Color::SentBlue).fill, None);
    }
}
