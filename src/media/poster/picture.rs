//! A decoded picture, luma and chroma, as upright pixels.

use super::tone::Tones;
use crate::media::Pixels;
use crate::media::movie::{Color, Orientation};

/// One plane.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Samples {
    pub width: usize,
    pub height: usize,
    /// `width × height`, row by row.
    pub values: Vec<u16>,
}

/// A picture in 4:2:0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planes {
    pub luma: Samples,
    /// Half as wide and high.
    pub blue: Samples,
    pub red: Samples,
    /// Bits of a sample.
    pub depth: u8,
    /// `None`: nobody says.
    pub color: Option<Color>,
}

impl Samples {
    /// The mean of a square of samples; at the edges the last one again.
    fn mean(&self, x: usize, y: usize, side: usize) -> Option<f32> {
        let mut sum = 0u32;
        for row in y..y + side {
            let begin = row.min(self.height.checked_sub(1)?) * self.width;
            for column in x..x + side {
                sum += u32::from(*self.values.get(begin + column.min(self.width.checked_sub(1)?))?);
            }
        }
        Some(sum as f32 / (side * side) as f32)
    }
}

impl Planes {
    /// Upright pixels, made smaller by a whole number until no side is longer than this. `None` for an impossible
    /// picture.
    pub fn pixels(&self, orientation: Orientation, longest: usize) -> Option<Pixels> {
        let by = self.luma.width.max(self.luma.height).div_ceil(longest.max(1)).max(1);
        let (width, height) = (self.luma.width / by, self.luma.height / by);
        if width == 0 || height == 0 || !(8..=16).contains(&self.depth) {
            return None;
        }
        let tones = Tones::of(self.color, self.depth, self.luma.height);
        let sideways = orientation.is_sideways();
        let (out_width, out_height) = if sideways { (height, width) } else { (width, height) };
        let mut rgba = vec![255; width.checked_mul(height)?.checked_mul(4)?];
        let half = by.div_ceil(2);
        // Where a step that leads back begins.
        let start = |step: i8, along: usize| if step < 0 { along - 1 } else { 0 };
        for y in 0..height {
            for x in 0..width {
                let luma = self.luma.mean(x * by, y * by, by)?;
                let (cx, cy) = (x * by / 2, y * by / 2);
                let blue = self.blue.mean(cx, cy, half)?;
                let red = self.red.mean(cx, cy, half)?;
                let (right, down) = (orientation.right, orientation.down);
                let (ox, oy) = if sideways {
                    (step(start(down.0, height), down.0, y), step(start(right.1, width), right.1, x))
                } else {
                    (step(start(right.0, width), right.0, x), step(start(down.1, height), down.1, y))
                };
                let at = (oy * out_width + ox) * 4;
                rgba.get_mut(at..at + 3)?.copy_from_slice(&tones.rgb(luma, blue, red));
            }
        }
        Some(Pixels { width: out_width as u32, height: out_height as u32, rgba, opaque: true })
    }
}

fn step(start: usize, step: i8, by: usize) -> usize {
    if step < 0 { start.saturating_sub(by) } else { start + by }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 4 × 2: black but for a white upper left corner.
    fn corner() -> Planes {
        let chroma = || Samples { width: 2, height: 1, values: vec![128; 2] };
        Planes {
            luma: Samples { width: 4, height: 2, values: vec![235, 16, 16, 16, 16, 16, 16, 16] },
            blue: chroma(),
            red: chroma(),
            depth: 8,
            color: None,
        }
    }

    #[track_caller]
    fn check(right: (i8, i8), down: (i8, i8), size: (u32, u32), white: (u32, u32)) {
        let pixels = corner().pixels(Orientation { right, down }, 100).unwrap();
        assert_eq!((pixels.width, pixels.height), size);
        let at = pixels.rgba.chunks(4).position(|pixel| pixel == [255; 4]).unwrap() as u32;
        assert_eq!((at % size.0, at / size.0), white);
    }

    #[test]
    fn every_way_up() {
        check((1, 0), (0, 1), (4, 2), (0, 0));
        // A quarter turn clockwise: up left comes to be up right.
        check((0, 1), (-1, 0), (2, 4), (1, 0));
        check((-1, 0), (0, -1), (4, 2), (3, 1));
        check((0, -1), (1, 0), (2, 4), (0, 3));
        // Mirrored.
        check((-1, 0), (0, 1), (4, 2), (3, 0));
        check((0, 1), (1, 0), (2, 4), (0, 0));
    }

    #[test]
    fn large_ones_are_made_smaller() {
        let pixels = corner().pixels(Orientation::UPRIGHT, 2).unwrap();
        assert_eq!((pixels.width, pixels.height), (2, 1));
        // A quarter of white in the first, nothing in the second.
        assert_eq!(pixels.rgba.first(), Some(&64));
        assert_eq!(pixels.rgba.get(4), Some(&0));
        let nothing = Planes { luma: Samples { width: 0, height: 2, values: vec![] }, ..corner() };
        assert_eq!(nothing.pixels(Orientation::UPRIGHT, 2), None);
        let short = Planes { luma: Samples { width: 9, height: 2, values: vec![1] }, ..corner() };
        assert_eq!(short.pixels(Orientation::UPRIGHT, 20), None);
    }
}
