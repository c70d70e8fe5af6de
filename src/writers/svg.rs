//! A drawing as an SVG file.
//!
//! Numbers have at most two decimals and paths are written relative, so the same drawing is always the same, short text.
//!
//! **Must never**: hold anything that runs or is fetched, or let a text become markup.

use std::fmt::Write as _;

use super::{strokes, xml};
use crate::model::{Drawing, Mark, Point, Rgba, Segment};

/// Widths of lines, in units of the drawing, are multiples of this.
const WIDTH_STEP: f32 = 0.5;

/// The file's text. `title` and `description` may be hostile.
pub fn svg(drawing: &Drawing, title: &str, description: &str) -> String {
    let (width, height) = (number(drawing.width), number(drawing.height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n",
        xml::text(title)
    );
    if !description.is_empty() {
        element(&mut svg, format_args!("<desc>{}</desc>", xml::text(description)));
    }
    if let Some(color) = drawing.background {
        let fill = paint("fill", color);
        element(&mut svg, format_args!("<rect width=\"{width}\" height=\"{height}\"{fill}/>"));
    }
    for each in &drawing.marks {
        mark(&mut svg, each);
    }
    svg.push_str("</svg>\n");
    svg
}

fn element(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Into memory: it cannot fail.
    let _ = svg.write_fmt(text);
    svg.push('\n');
}

fn mark(svg: &mut String, mark: &Mark) {
    match mark {
        Mark::Stroke { points, color } => {
            // Where the lines of a stroke lie on each other it must not be less clear: opacity is the whole stroke's.
            let (color, opacity) = (opaque(*color), opacity("opacity", *color));
            let stroke = paint("stroke", color);
            element(
                svg,
                format_args!(
                    "<g fill=\"none\"{stroke}{opacity} stroke-linecap=\"round\" stroke-linejoin=\"round\">"
                ),
            );
            for line in strokes::lines(points, WIDTH_STEP) {
                let mut path = Path::default();
                match line.points.as_slice() {
                    // Nothing is drawn of a line that goes nowhere without saying so.
                    [dot] => {
                        path.go('M', &[*dot]);
                        path.text.push_str("h0");
                    }
                    points => path.polyline(points),
                }
                let (width, path) = (number(line.width), path.text);
                element(svg, format_args!("<path stroke-width=\"{width}\" d=\"{path}\"/>"));
            }
            element(svg, format_args!("</g>"));
        }
        Mark::Disc { center, radius, color } => {
            let (x, y, r) = (number(center.x), number(center.y), number(*radius));
            let (fill, opacity) = (paint("fill", *color), opacity("fill-opacity", *color));
            element(svg, format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{fill}{opacity}/>"));
        }
        Mark::Ring { center, radius, width, color } => {
            let (x, y, r, w) = (number(center.x), number(center.y), number(*radius), number(*width));
            let (stroke, opacity) = (paint("stroke", *color), opacity("stroke-opacity", *color));
            element(
                svg,
                format_args!(
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"none\"{stroke}{opacity} stroke-width=\"{w}\"/>"
                ),
            );
        }
        Mark::Shape { outline, color } => {
            let mut path = Path::default();
            for segment in outline {
                match segment {
                    Segment::Move(to) => path.go('M', &[*to]),
                    Segment::Line(to) => path.go('l', &[*to]),
                    Segment::Curve(first, second, end) => path.go('c', &[*first, *second, *end]),
                }
            }
            path.text.push('z');
            let (fill, opacity, path) = (paint("fill", *color), opacity("fill-opacity", *color), path.text);
            element(svg, format_args!("<path{fill}{opacity} d=\"{path}\"/>"));
        }
    }
}

/// A path's data. Places are whole hundredths, so that relative steps add up to exactly where they should.
#[derive(Default)]
struct Path {
    text: String,
    /// Where the last command ended, in hundredths.
    at: (i64, i64),
    command: Option<char>,
}

impl Path {
    /// One command: capitals are absolute, others count from where the last one ended.
    fn go(&mut self, command: char, points: &[Point]) {
        let from = if command.is_ascii_uppercase() { (0, 0) } else { self.at };
        // A command that is repeated need not be said again; a repeated move would be a line.
        if self.command.replace(command) == Some(command) && command != 'M' {
            self.text.push(' ');
        } else {
            self.text.push(command);
        }
        for (place, point) in points.iter().enumerate() {
            let (x, y) = (hundredths(point.x), hundredths(point.y));
            let space = if place == 0 { "" } else { " " };
            let (dx, dy) = (decimal(x - from.0), decimal(y - from.1));
            let _ = write!(self.text, "{space}{dx} {dy}");
            self.at = (x, y);
        }
    }

    /// A line through points, without those that are where the one before is.
    fn polyline(&mut self, points: &[Point]) {
        for (place, point) in points.iter().enumerate() {
            if place == 0 {
                self.go('M', &[*point]);
            } else if (hundredths(point.x), hundredths(point.y)) != self.at {
                self.go('l', &[*point]);
            }
        }
        if self.command == Some('M') {
            self.text.push_str("h0");
        }
    }
}

/// ` fill="#ff2d55"`.
fn paint(attribute: &str, Rgba { r, g, b, .. }: Rgba) -> String {
    format!(" {attribute}=\"#{r:02x}{g:02x}{b:02x}\"")
}

/// Nothing for a color that is opaque.
fn opacity(attribute: &str, color: Rgba) -> String {
    match color.a {
        255 => String::new(),
        alpha => format!(" {attribute}=\"{}\"", number(f32::from(alpha) / 255.0)),
    }
}

fn opaque(color: Rgba) -> Rgba {
    Rgba { a: 255, ..color }
}

fn hundredths(value: f32) -> i64 {
    (f64::from(value) * 100.0).round() as i64
}

fn number(value: f32) -> String {
    decimal(hundredths(value))
}

/// Hundredths as a number: `12`, `-0.5`, `3.25`.
fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
    match (rest, rest % 10) {
        (0, _) => format!("{sign}{whole}"),
        (rest, 0) => format!("{sign}{whole}.{}", rest / 10),
        (rest, _) => format!("{sign}{whole}.{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PenPoint;

    const RED: Rgba = Rgba { r: 255, g: 0, b: 10, a: 255 };

    fn at(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    fn drawing(marks: Vec<Mark>) -> Drawing {
        Drawing { width: 40.0, height: 30.5, background: None, marks, path: None }
    }

    #[test]
    fn every_mark() {
        let pen = |x, y, width| PenPoint { at: at(x, y), width };
        let stroke = vec![pen(1.0, 2.0, 1.0), pen(2.005, 2.0, 1.0), pen(4.0, 1.5, 1.0), pen(5.0, 1.5, 2.0)];
        let drawing = Drawing {
            background: Some(Rgba::BLACK),
            ..drawing(vec![
                Mark::Stroke { points: stroke, color: Rgba { a: 51, ..RED } },
                Mark::Stroke { points: vec![pen(7.0, 8.0, 3.0)], color: RED },
                Mark::Disc { center: at(1.0, 2.0), radius: 3.25, color: RED },
                Mark::Ring { center: at(1.0, 2.0), radius: 3.0, width: 0.5, color: Rgba { a: 128, ..RED } },
                Mark::Shape {
                    outline: vec![
                        Segment::Move(at(1.0, 1.0)),
                        Segment::Line(at(2.0, 1.0)),
                        Segment::Curve(at(2.0, 2.0), at(1.5, 2.5), at(1.0, 2.0)),
                    ],
                    color: RED,
                },
            ])
        };
        let expected = "\
<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30.5\" viewBox=\"0 0 40 30.5\" role=\"img\">
<title>A title</title>
<rect width=\"40\" height=\"30.5\" fill=\"#000000\"/>
<g fill=\"none\" stroke=\"#ff000a\" opacity=\"0.2\" stroke-linecap=\"round\" stroke-linejoin=\"round\">
<path stroke-width=\"1\" d=\"M1 2l1.01 0 1.99 -0.5\"/>
<path stroke-width=\"1.5\" d=\"M4 1.5l0.5 0\"/>
<path stroke-width=\"2\" d=\"M4.5 1.5l0.5 0\"/>
</g>
<g fill=\"none\" stroke=\"#ff000a\" stroke-linecap=\"round\" stroke-linejoin=\"round\">
<path stroke-width=\"3\" d=\"M7 8h0\"/>
</g>
<circle cx=\"1\" cy=\"2\" r=\"3.25\" fill=\"#ff000a\"/>
<circle cx=\"1\" cy=\"2\" r=\"3\" fill=\"none\" stroke=\"#ff000a\" stroke-opacity=\"0.5\" stroke-width=\"0.5\"/>
<path fill=\"#ff000a\" d=\"M1 1l1 0c0 1 -0.5 1.5 -1 1z\"/>
</svg>
";
        assert_eq!(svg(&drawing, "A title", ""), expected);
    }

    #[test]
    fn texts_stay_texts() {
        let svg = svg(&drawing(Vec::new()), "</title><script>alert(1)</script>&\u{1B}[0m", "a\u{FFFF}<b>");
        assert!(!svg.contains("<script") && !svg.contains('\u{1B}') && !svg.contains('\u{FFFF}'), "{svg}");
        assert!(
            svg.contains(
                "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\u{FFFD}[0m</title>"
            )
        );
        assert!(svg.contains("<desc>a\u{FFFD}&lt;b&gt;</desc>"));
    }

    #[test]
    fn numbers_are_short() {
        let numbers = [0.0, -0.001, 1.0, -1.5, 0.05, 100.1, 99.999].map(number);
        assert_eq!(numbers, ["0", "0", "1", "-1.5", "0.05", "100.1", "100"]);
        assert_eq!(number(f32::NAN), "0");
    }
}
