//! What is drawn by hand in the story.

use crate::support::drawings::{self, Handwriting, InkPoint};

/// A place, in hundredths of the paper's width and height.
type Place = (f32, f32);

/// A line through the places that bends as a hand does.
fn bent(places: &[Place]) -> Vec<Place> {
    const STEPS: u8 = 8;
    let at = |place: usize| places[place.min(places.len() - 1)];
    let mut line = vec![at(0)];
    for place in 0..places.len().saturating_sub(1) {
        let (before, from, to, after) =
            (at(place.saturating_sub(1)), at(place), at(place + 1), at(place + 2));
        for step in 1..=STEPS {
            let t = f32::from(step) / f32::from(STEPS);
            let part = |before: f32, from: f32, to: f32, after: f32| {
                let (c, b) = (to - before, 2.0 * before - 5.0 * from + 4.0 * to - after);
                let a = 3.0 * (from - to) + after - before;
                from + 0.5 * t * (c + t * (b + t * a))
            };
            line.push((part(before.0, from.0, to.0, after.0), part(before.1, from.1, to.1, after.1)));
        }
    }
    line
}

/// Ink on paper: the faster the pen, the thinner.
fn ink(places: &[Place]) -> Vec<InkPoint> {
    let line = bent(places);
    let number = |hundredths: f32| (hundredths / 100.0 * 32_767.0) as i16;
    line.iter()
        .enumerate()
        .map(|(place, (x, y))| {
            let (from_x, from_y) = line[place.saturating_sub(1)];
            let speed = (x - from_x).abs() + (y - from_y).abs();
            [number(*x), number(*y), (22.0 - 8.0 * speed).clamp(6.0, 22.0) as i16]
        })
        .collect()
}

/// “yes!”, written by hand.
pub fn yes() -> Vec<u8> {
    let y = [(8.0, 30.0), (9.0, 44.0), (15.0, 54.0), (21.0, 44.0), (23.0, 28.0), (22.0, 52.0), (18.0, 82.0)];
    let tail = [(18.0, 82.0), (11.0, 92.0), (9.0, 82.0), (18.0, 64.0), (29.0, 54.0)];
    let e =
        [(29.0, 54.0), (37.0, 42.0), (35.0, 31.0), (30.0, 40.0), (32.0, 55.0), (40.0, 58.0), (48.0, 48.0)];
    let s = [(48.0, 48.0), (54.0, 30.0), (53.0, 38.0), (57.0, 50.0), (52.0, 60.0), (46.0, 56.0)];
    let word: Vec<Place> = [&y[..], &tail[1..], &e[1..], &s[1..]].concat();
    let strokes = vec![ink(&word), ink(&[(78.0, 12.0), (76.0, 28.0), (74.0, 44.0)]), ink(&[(72.5, 58.0)])];
    // Not compressed: the sample must not depend on how well a crate compresses.
    let note =
        Handwriting { strokes, frame: [60, 40, 320, 160], compressed: false, ..Handwriting::default() };
    note.encode()
}

/// A lighthouse at night, with a finger. From the lower left corner.
pub fn lighthouse() -> Vec<u8> {
    const SEA: [u8; 4] = [64, 156, 255, 255];
    const WHITE: [u8; 4] = [255, 255, 255, 255];
    const RED: [u8; 4] = [255, 69, 58, 255];
    const LIGHT: [u8; 4] = [255, 214, 10, 255];
    let wave = |y: f32| {
        let places: Vec<Place> =
            (0..9).map(|i| (4.0 + 11.5 * f32::from(i as u8), if i % 2 == 0 { y } else { y + 3.0 })).collect();
        bent(&places)
    };
    let strokes: [(Vec<Place>, [u8; 4]); 10] = [
        (vec![(38.0, 18.0), (43.0, 62.0), (57.0, 62.0), (62.0, 18.0)], WHITE),
        (vec![(40.0, 30.0), (60.0, 30.0)], RED),
        (vec![(41.0, 40.0), (59.0, 40.0)], RED),
        (vec![(42.0, 50.0), (58.0, 50.0)], RED),
        (vec![(45.0, 62.0), (45.0, 71.0), (55.0, 71.0), (55.0, 62.0)], WHITE),
        (bent(&[(42.0, 71.0), (50.0, 79.0), (58.0, 71.0)]), RED),
        (vec![(59.0, 68.0), (94.0, 78.0)], LIGHT),
        (vec![(59.0, 65.0), (94.0, 58.0)], LIGHT),
        (wave(13.0), SEA),
        (wave(7.0), SEA),
    ];
    let number = |hundredths: f32| (hundredths / 100.0 * 65_535.0) as u16;
    let points = |line: &Vec<Place>| line.iter().map(|(x, y)| (number(*x), number(*y))).collect();
    let lines: Vec<Vec<(u16, u16)>> = strokes.iter().map(|(line, _)| points(line)).collect();
    drawings::sketch(&lines, &strokes.map(|(_, color)| color))
}
