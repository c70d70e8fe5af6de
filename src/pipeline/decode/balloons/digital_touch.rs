//! Digital Touch: taps, sketches, hearts, kisses and fireballs, alone or on a picture or video
//! (`messages-format.md` 10.13).
//!
//! They move where they are received; here they are one still picture that shows all of it.

mod shapes;

use crate::model::{Balloon, Drawing, Mark, PenPoint, Point, Rgba, Value};
use crate::pipeline::decode::date::from_milliseconds;
use crate::pipeline::decode::keyed::{Archive, Node};
use crate::pipeline::decode::protobuf;

/// The canvas, 4 : 5.
const WIDTH: f32 = 400.0;
const HEIGHT: f32 = 500.0;
/// Points that are drawn, of all strokes together.
const MOST_POINTS: usize = 100_000;
/// Taps, or kisses, that are drawn.
const MOST_SPOTS: usize = 1_000;
/// Messages drawn on a picture or video.
const MOST_OVERLAYS: usize = 100;
/// How wide a sketch is drawn.
const PEN: f32 = 8.0;

#[derive(Clone, PartialEq, prost::Message)]
struct Base {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    /// Milliseconds since 2001, as in handwriting; 0 in the samples.
    #[prost(sfixed64, optional, tag = "2")]
    created: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "3")]
    payload: Option<Vec<u8>>,
    /// Red, green, blue, alpha, from the highest byte to the lowest.
    #[prost(fixed32, optional, tag = "4")]
    color: Option<u32>,
    #[prost(string, optional, tag = "5")]
    id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Tap {
    #[prost(bytes = "vec", optional, tag = "2")]
    delays: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    points: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    colors: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Heartbeat {
    #[prost(float, optional, tag = "1")]
    bpm: Option<f32>,
    /// In seconds.
    #[prost(uint64, optional, tag = "2")]
    duration: Option<u64>,
    /// In seconds; 0: it does not break.
    #[prost(float, optional, tag = "6")]
    broken_at: Option<f32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Sketch {
    #[prost(bytes = "vec", optional, tag = "2")]
    strokes: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    colors: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Media {
    #[prost(bytes = "vec", optional, tag = "2")]
    overlays: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "4")]
    kind: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Kiss {
    #[prost(bytes = "vec", optional, tag = "1")]
    delays: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    points: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    rotations: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Fireball {
    /// In seconds.
    #[prost(float, optional, tag = "1")]
    duration: Option<f32>,
    #[prost(float, optional, tag = "2")]
    start_x: Option<f32>,
    #[prost(float, optional, tag = "3")]
    start_y: Option<f32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    delays: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    points: Option<Vec<u8>>,
}

/// Fills the card of a Digital Touch message; returns its defects.
pub fn fill(payload: &[u8], card: &mut Balloon) -> Vec<String> {
    let touch = Touch::read(payload, false);
    card.title = Some(touch.title);
    card.lines.extend(touch.lines);
    card.data.extend(touch.data);
    if !touch.marks.is_empty() {
        card.drawing = Some(Box::new(Drawing {
            width: WIDTH,
            height: HEIGHT,
            background: Some(Rgba::BLACK),
            marks: touch.marks,
            path: None,
        }));
    }
    touch.defects
}

/// One message, or one of those on a picture.
#[derive(Default)]
struct Touch {
    title: String,
    lines: Vec<String>,
    data: Vec<(&'static str, Value)>,
    marks: Vec<Mark>,
    /// Points in the marks.
    drawn: usize,
    defects: Vec<String>,
    color: Option<Rgba>,
}

impl Touch {
    fn read(payload: &[u8], nested: bool) -> Touch {
        let mut touch = Touch::default();
        let (base, damage) = protobuf::read::<Base>(payload);
        damage.iter().for_each(|what| touch.damaged(what));
        let Base { kind, created, payload: inner, color, id } = base;
        let name = match kind {
            Some(1) => "tap",
            Some(3) => "heartbeat",
            Some(4) => "sketch",
            Some(6) => "media",
            Some(7) => "kiss",
            Some(8) => "fireball",
            _ => "unknown",
        };
        touch.data.push(("kind", Value::Text(name.into())));
        touch.data.extend(id.filter(|id| !id.is_empty()).map(|id| ("id", Value::Text(id))));
        touch.data.extend(created.and_then(from_milliseconds).map(|date| ("created", Value::Date(date))));
        touch.color = color.map(|color| rgba(&color.to_be_bytes()));
        touch.data.extend(touch.color.map(|color| ("color", Value::Text(hexadecimal(color)))));
        let inner = inner.unwrap_or_default();
        match kind {
            Some(1) => touch.taps(&inner),
            Some(3) => touch.heartbeat(&inner),
            Some(4) => touch.sketch(&inner),
            Some(6) if !nested => touch.media(&inner),
            Some(7) => touch.kisses(&inner),
            Some(8) => touch.fireball(&inner),
            _ => {
                touch.title = "Digital Touch of an unknown kind".into();
                // Kept for whoever will know.
                touch.data.extend(kind.map(|kind| ("kind_number", Value::Integer(kind.into()))));
                touch.data.push(("raw", Value::Bytes(payload.to_vec())));
                match kind {
                    Some(kind) => touch.damaged(&format!("kind {kind} is not known")),
                    None if touch.defects.is_empty() => touch.damaged("it has no kind"),
                    None => {}
                }
            }
        }
        touch
    }

    fn damaged(&mut self, what: &str) {
        self.defects.push(format!("Digital Touch message not understood: {what}"));
    }

    fn inner<M: prost::Message + Default>(&mut self, bytes: &[u8]) -> M {
        let (message, damage) = protobuf::read::<M>(bytes);
        damage.iter().for_each(|what| self.damaged(what));
        message
    }

    fn count(&mut self, name: &'static str, count: usize) {
        self.data.push((name, Value::Integer(count as i64)));
    }

    /// How often something was done, and where, with the time of each. Places beyond `most` are left out, and that is said.
    fn places(
        &mut self,
        points: Option<Vec<u8>>,
        delays: Option<Vec<u8>>,
        most: usize,
    ) -> (usize, Vec<Point>) {
        let (points, delays) = (points.unwrap_or_default(), delays.unwrap_or_default());
        let delays: Vec<u16> = delays.as_chunks().0.iter().map(|delay| u16::from_le_bytes(*delay)).collect();
        let (whole, rest) = points.as_chunks::<4>();
        if !rest.is_empty() {
            self.damaged("its points are cut off");
        } else if whole.len() != delays.len() {
            self.damaged(&format!("{} points and {} delays", whole.len(), delays.len()));
        }
        if whole.len() > most {
            self.damaged("it has more points than can be drawn");
        }
        self.count("points", whole.len());
        let delays = delays.into_iter().map(|delay| Value::Integer(delay.into()));
        self.data.push(("delays", Value::List(delays.collect())));
        (whole.len(), whole.iter().take(most).map(place).collect())
    }

    fn taps(&mut self, inner: &[u8]) {
        let Tap { delays, points, colors } = self.inner(inner);
        let (count, places) = self.places(points, delays, MOST_SPOTS);
        self.title = match count {
            1 => "1 tap".into(),
            taps => format!("{taps} taps"),
        };
        let colors = colors.unwrap_or_default();
        let (colors, _) = colors.as_chunks::<4>();
        let last = places.len().saturating_sub(1).max(1) as f32;
        for (number, center) in places.iter().enumerate() {
            let color = colors.get(number).map(rgba);
            // The older a tap, the further its ring has gone.
            let age = 1.0 - number as f32 / last;
            self.marks.extend(shapes::tap(*center, color.or(self.color).unwrap_or(shapes::WHITE), age));
        }
    }

    fn heartbeat(&mut self, inner: &[u8]) {
        let Heartbeat { bpm, duration, broken_at } = self.inner(inner);
        let positive = |value: Option<f32>| value.filter(|v| v.is_finite() && *v > 0.0).map(f64::from);
        let (bpm, broken_at) = (positive(bpm), positive(broken_at));
        let rate = bpm.map(|bpm| format!(", {} beats a minute", decimal(bpm)));
        let long = duration.map(|seconds| format!(" for {seconds} s"));
        let broken = broken_at.map(|at| format!(", broken after {} s", decimal(at)));
        let heart = if broken.is_some() { "Broken heart" } else { "Heartbeat" };
        let words = [rate, long, broken].map(Option::unwrap_or_default).concat();
        self.title = format!("{heart}{words}");
        self.data.extend(bpm.map(|bpm| ("bpm", Value::Real(bpm))));
        let duration = duration.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        self.data.extend(duration.map(|seconds| ("duration", Value::Integer(seconds))));
        self.data.extend(broken_at.map(|at| ("broken_at", Value::Real(at))));
        let center = Point { x: WIDTH / 2.0, y: HEIGHT / 2.0 };
        self.marks = if broken_at.is_some() { shapes::broken_heart(center) } else { shapes::heart(center) };
    }

    /// A stroke is two bytes that are 0, the number of its points, and the points.
    fn sketch(&mut self, inner: &[u8]) {
        self.title = "Sketch".into();
        let Sketch { strokes, colors } = self.inner(inner);
        let (strokes, colors) = (strokes.unwrap_or_default(), colors.unwrap_or_default());
        let (colors, _) = colors.as_chunks::<4>();
        let mut colors = colors.iter();
        let mut rest = strokes.as_slice();
        while let Some(([_, _, low, high], after)) = rest.split_first_chunk() {
            let count = usize::from(u16::from_le_bytes([*low, *high]));
            let (whole, _) = after.get(..count * 4).unwrap_or(after).as_chunks::<4>();
            rest = after.get(count * 4..).unwrap_or_default();
            if whole.len() < count {
                self.damaged("a stroke is cut off");
            }
            let color = colors.next().map(rgba);
            if self.drawn + whole.len() > MOST_POINTS {
                self.damaged("it has more points than can be drawn");
                break;
            }
            self.drawn += whole.len();
            let points: Vec<PenPoint> =
                whole.iter().map(|at| PenPoint { at: place(at), width: PEN }).collect();
            if !points.is_empty() {
                let color = color.or(self.color).unwrap_or(shapes::WHITE);
                self.marks.push(Mark::Stroke { points, color });
            }
        }
        if !rest.is_empty() && rest.len() < 4 {
            self.damaged("a stroke is cut off");
        }
        self.count("strokes", self.marks.len());
        self.count("points", self.drawn);
    }

    /// The picture or video is an attachment of the message; here is what was drawn on it.
    fn media(&mut self, inner: &[u8]) {
        let Media { overlays, kind } = self.inner(inner);
        let media = match kind {
            Some(1) => "video",
            Some(2) => "picture",
            _ => "media",
        };
        self.title = format!("Digital Touch {media}");
        self.data.push(("media", Value::Text(media.into())));
        let overlays = overlays.unwrap_or_default();
        if overlays.is_empty() {
            return;
        }
        let archive = match Archive::read(&overlays) {
            Ok(archive) => archive,
            Err(damage) => return self.damaged(&damage.to_string()),
        };
        let mut data = Vec::new();
        // An archive can name the same bytes again and again.
        let mut left = overlays.len();
        for (number, overlay) in archive.root().items().filter_map(Node::data).enumerate() {
            left = left.saturating_sub(overlay.len());
            if number == MOST_OVERLAYS || left == 0 || self.drawn > MOST_POINTS {
                self.damaged("more is drawn on it than can be shown");
                break;
            }
            let overlay = Touch::read(overlay, true);
            self.lines.push(overlay.title);
            self.drawn += overlay.drawn + overlay.marks.len();
            self.marks.extend(overlay.marks);
            self.defects.extend(overlay.defects);
            let entries = overlay.data.into_iter().map(|(name, value)| (name.to_owned(), value));
            data.push(Value::Map(entries.collect()));
        }
        if !data.is_empty() {
            self.data.push(("overlays", Value::List(data)));
        }
    }

    fn kisses(&mut self, inner: &[u8]) {
        let Kiss { delays, points, rotations } = self.inner(inner);
        let (count, places) = self.places(points, delays, MOST_SPOTS);
        self.title = match count {
            1 => "Kiss".into(),
            kisses => format!("{kisses} kisses"),
        };
        let rotations = rotations.unwrap_or_default();
        let rotations: Vec<u16> = rotations.as_chunks().0.iter().map(|r| u16::from_le_bytes(*r)).collect();
        for (number, center) in places.iter().enumerate() {
            // In thousandths of a radian.
            let rotation = rotations.get(number).map_or(0.0, |rotation| f32::from(*rotation) / 1000.0);
            self.marks.extend(shapes::kiss(*center, rotation));
        }
        let rotations = rotations.into_iter().map(|rotation| Value::Integer(rotation.into()));
        self.data.push(("rotations", Value::List(rotations.collect())));
    }

    fn fireball(&mut self, inner: &[u8]) {
        let Fireball { duration, start_x, start_y, delays, points } = self.inner(inner);
        let duration = duration.filter(|d| d.is_finite() && *d > 0.0).map(f64::from);
        let long = duration.map(|seconds| format!(" for {} s", decimal(seconds)));
        self.title = format!("Fireball{}", long.unwrap_or_default());
        self.data.extend(duration.map(|seconds| ("duration", Value::Real(seconds))));
        let mut path = Vec::new();
        if let (Some(x), Some(y)) = (start_x, start_y)
            && x.is_finite()
            && y.is_finite()
        {
            let start = [("x".to_owned(), Value::Real(x.into())), ("y".to_owned(), Value::Real(y.into()))];
            self.data.push(("start", Value::Map(start.into())));
            // From the center, a half of the canvas in each direction, upwards as in the points.
            let half = |value: f32| value.clamp(-1.0, 1.0) / 2.0;
            path.push(Point { x: WIDTH * (0.5 + half(x)), y: HEIGHT * (0.5 - half(y)) });
        }
        path.extend(self.places(points, delays, MOST_POINTS).1);
        self.drawn = path.len();
        self.marks = shapes::fireball(&path);
    }
}

/// X and Y in 65,535ths of the canvas, from its lower left corner.
fn place([x0, x1, y0, y1]: &[u8; 4]) -> Point {
    let part = |low: u8, high: u8| f32::from(u16::from_le_bytes([low, high])) / 65_535.0;
    Point { x: part(*x0, *x1) * WIDTH, y: HEIGHT - part(*y0, *y1) * HEIGHT }
}

fn rgba([r, g, b, a]: &[u8; 4]) -> Rgba {
    Rgba { r: *r, g: *g, b: *b, a: *a }
}

fn hexadecimal(Rgba { r, g, b, a }: Rgba) -> String {
    format!("#{r:02x}{g:02x}{b:02x}{a:02x}")
}

/// `84`, `0.5`, `3.27`.
fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
