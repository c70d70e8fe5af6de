//! How a document looks: its paper, where things are on it, how large, in what colors.
//!
//! One value, made of the options and handed down; nothing else knows a paper's size or a color's red, green and blue.

use super::page::{Color, Frame};
use super::shape::{Form, Rectangle, Shape};

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
    /// Many messages a page: a list of lines, with small pictures.
    Compact,
}

impl Theme {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Theme)] =
        &[("messages", Theme::Messages), ("plain", Theme::Plain), ("compact", Theme::Compact)];

    /// The size of text where none is asked for.
    pub fn usual_font_size(self) -> f32 {
        if self == Theme::Compact { 8.5 } else { DESIGNED_FOR }
    }
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
    /// The column in which every message's time stands: at the right margin, in a list at the left one.
    time_column: f32,
    /// In a list, that of the names.
    pub name_column: f32,
    /// Left of the bubbles of others, for their initials.
    gutter: f32,
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
        let list = theme == Theme::Compact;
        let time_column = scale
            * match (times, list) {
                (Times::Exact, _) => 68.0,
                (Times::Minutes, false) => 40.0,
                (Times::Minutes, true) => 34.0,
            };
        let name_column = if list { (84.0 * scale).min(page_width * 0.18) } else { 0.0 };
        let lane = (page_width - side).floor() - side - time_column - name_column;
        Style {
            theme,
            times,
            page_width,
            page_height,
            side,
            // A whole number of points from the bottom, from where a file counts.
            body_top: page_height.fract() + if small { 60.0 } else { 72.0 },
            body_bottom: page_height - if small { 52.0 } else { 64.0 },
            text_width: if list { lane } else { lane * 0.72 },
            picture_width: (lane * 0.8).min(if list { 110.0 } else { 216.0 }),
            picture_height: (page_height * 0.4).min(if list { 84.0 } else { 236.0 }),
            box_width: (250.0 * scale).min(lane * 0.95),
            time_column,
            name_column,
            gutter: 0.0,
            scale,
        }
    }

    /// A length, or a size of text, that grows with the text.
    pub fn points(&self, at_ten_points: f32) -> f32 {
        at_ten_points * self.scale
    }

    /// The width between the margins.
    pub fn measure(&self) -> f32 {
        self.right() - self.side
    }

    /// Where the right margin begins: at a whole point, which makes shorter numbers of most places.
    pub fn right(&self) -> f32 {
        (self.page_width - self.side).floor()
    }

    /// With room for initials beside the bubbles of several people.
    pub fn for_group(self) -> Style {
        let gutter = if self.is_list() { 0.0 } else { self.points(26.0) };
        let lane = self.lane_right() - self.lane_left() - gutter;
        Style {
            gutter,
            text_width: self.text_width.min(lane - 2.0 * self.inset()),
            picture_width: self.picture_width.min(lane),
            box_width: self.box_width.min(lane),
            ..self
        }
    }

    /// Whether messages are lines of a list, all from the left, with the time and the name in front.
    pub fn is_list(&self) -> bool {
        self.theme == Theme::Compact
    }

    /// Bubbles stand between here and [`Style::lane_right`].
    pub fn lane_left(&self) -> f32 {
        let list = if self.is_list() { self.time_column + self.name_column } else { 0.0 };
        self.side + self.gutter + list
    }

    pub fn lane_right(&self) -> f32 {
        self.right() - if self.is_list() { 0.0 } else { self.time_column }
    }

    /// Where a time of this width begins.
    pub fn time_x(&self, width: f32) -> f32 {
        if self.is_list() { self.side } else { self.right() - width }
    }

    /// Where the names of a list begin.
    pub fn name_x(&self) -> f32 {
        self.side + self.time_column
    }

    /// White space between messages.
    pub fn gap(&self, at_ten_points: f32) -> f32 {
        self.points(at_ten_points) * if self.is_list() { 0.4 } else { 1.0 }
    }

    /// Between a bubble's edge and its text.
    pub fn inset(&self) -> f32 {
        if self.is_list() { 0.0 } else { self.points(10.0) }
    }

    /// The diameter of the disc for initials, where there is room for one.
    pub fn disc(&self) -> Option<f32> {
        (self.gutter > 0.0).then(|| self.points(20.0))
    }

    /// The widest text that nobody says: in the middle of the page, clear of the times.
    pub fn middle(&self) -> f32 {
        if self.is_list() { self.text_width } else { self.measure() - 2.0 * self.time_column }
    }

    /// Where such a text begins.
    pub fn middle_x(&self, width: f32) -> f32 {
        if self.is_list() { self.lane_left() } else { self.side + (self.measure() - width) / 2.0 }
    }

    /// The height between the header and the footer.
    pub fn body(&self) -> f32 {
        self.body_bottom - self.body_top
    }

    /// Higher rows are divided: this fits on a page with the day and the name above.
    pub fn tallest_row(&self) -> f32 {
        self.body() * 0.75
    }

    /// The background of a bubble. What went over the carrier is squarer, to be told apart without colors.
    pub fn bubble(&self, x: f32, width: f32, color: Color, carrier: bool) -> Frame {
        let radius = self.points(if carrier { 5.0 } else { 11.0 });
        let padding = self.points(if self.is_list() { 0.5 } else { 5.0 });
        let (fill, stroke) = match self.theme {
            Theme::Messages => (Some(color), None),
            Theme::Plain => (None, Some(Color::Hairline)),
            Theme::Compact => (None, None),
        };
        Frame { x, width, radius, fill, stroke, padding }
    }

    /// The background of what is not there any more.
    pub fn outline(&self, x: f32, width: f32) -> Frame {
        let stroke = Some(Color::Hairline).filter(|_| !self.is_list());
        Frame { fill: None, stroke, ..self.bubble(x, width, Color::Received, false) }
    }

    /// The background of a tapback.
    pub fn capsule(&self, x: f32, width: f32) -> Frame {
        let (radius, padding) = (self.points(7.0), self.points(1.5));
        let (fill, stroke) = self.ground(Color::Capsule);
        Frame { x, width, radius, fill, stroke, padding }
    }

    /// What small labels stand on: initials, the kind of a file.
    pub fn mark(&self, at: Rectangle, radius: f32) -> Shape {
        let (fill, stroke) = self.ground(Color::Received);
        Shape { at, form: Form::Panel { radius, fill, stroke } }
    }

    /// What something stands on: a color, and no line around it, for that takes five times the room in the file. Without
    /// colors, a line.
    fn ground(&self, color: Color) -> (Option<Color>, Option<Color>) {
        match self.theme {
            Theme::Plain => (Some(Color::Paper), Some(Color::Hairline)),
            _ => (Some(color), None),
        }
    }

    /// The background of a card or a box.
    pub fn card(&self, x: f32) -> Frame {
        let (width, (fill, stroke)) = (self.box_width, self.ground(Color::Paper));
        let padding = self.points(if self.is_list() { 5.0 } else { 8.0 });
        Frame { x, width, radius: self.points(9.0), fill, stroke, padding }
    }

    /// Red, green and blue, 0 to 255. All text colors keep a contrast of at least 4.5 : 1 on white and on the bubbles.
    pub fn rgb(&self, color: Color) -> [u8; 3] {
        match self.theme {
            Theme::Messages | Theme::Compact => match color {
                Color::Text => [0x1c, 0x1c, 0x1e],
                Color::Quiet => [0x63, 0x66, 0x6d],
                Color::Link => [0x0a, 0x58, 0xb8],
                Color::Alarm => [0xa3, 0x2d, 0x1e],
                Color::Received => [0xee, 0xee, 0xf1],
                Color::SentBlue => [0xd5, 0xe7, 0xfd],
                Color::SentGreen => [0xd8, 0xf2, 0xdb],
                Color::Paper => [0xf5, 0xf5, 0xf7],
                Color::Capsule => [0xe4, 0xe5, 0xea],
                Color::Hairline => [0xd4, 0xd5, 0xda],
                Color::Accent => [0x8a, 0xb4, 0xe8],
            },
            Theme::Plain => match color {
                Color::Text | Color::Link | Color::Alarm => [0; 3],
                Color::Quiet => [0x4d; 3],
                Color::Hairline | Color::Accent => [0x8c; 3],
                Color::Received => [0xe6; 3],
                Color::SentBlue | Color::SentGreen | Color::Paper | Color::Capsule => [0xff; 3],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLORS: [Color; 11] = [
        Color::Capsule,
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
        for ((_, paper), (_, theme)) in
            Paper::NAMES.iter().flat_map(|p| Theme::NAMES.iter().map(move |t| (p, t)))
        {
            for font_size in [6.0, 10.0, 24.0, f32::MAX, -1.0] {
                let style = Style::new(PdfOptions {
                    paper: *paper,
                    theme: *theme,
                    font_size,
                    ..PdfOptions::default()
                })
                .for_group();
                let lane = style.lane_right() - style.lane_left();
                assert!(lane > style.points(70.0), "{style:?}");
                assert!(style.text_width + 2.0 * style.inset() <= lane + 0.1, "{style:?}");
                assert!(style.box_width <= lane && style.picture_width <= lane, "{style:?}");
                assert!(style.picture_height < style.tallest_row(), "{style:?}");
            }
        }
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        for (_, theme) in Theme::NAMES {
            let style = Style::new(PdfOptions { theme: *theme, ..PdfOptions::default() });
            for text in [Color::Text, Color::Quiet, Color::Link, Color::Alarm] {
                for ground in
                    [Color::Received, Color::SentBlue, Color::SentGreen, Color::Paper, Color::Capsule]
                {
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
        assert_eq!(style.bubble(0.0, 10.0, Color::SentBlue, false).fill, None);
    }
}
