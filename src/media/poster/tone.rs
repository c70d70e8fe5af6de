//! A film's colors → sRGB. Films in high dynamic range (HLG, PQ) get tones that a page can show.
//!
//! Formulas: Rec. ITU-R BT.601, BT.709, BT.2020, BT.2100; white of a page = 203 cd/m² (BT.2408).

use crate::media::movie::Color;

/// Steps of the tables from signal to light, and back.
const STEPS: usize = 4096;
/// Code points of ISO/IEC 23091-2.
const BT_2020: u16 = 9;
const DISPLAY_P3: u16 = 12;
const PQ: u16 = 16;
const HLG: u16 = 18;
/// Of HLG's display, and of a page's white, in cd/m².
const PEAK: f32 = 1000.0;
const WHITE: f32 = 203.0;

/// How a picture's samples become colors.
pub(super) struct Tones {
    /// The sample that is black, and the span to white; the span of chroma.
    black: f32,
    luma_span: f32,
    chroma_middle: f32,
    chroma_span: f32,
    /// Red's and blue's share of luma.
    kr: f32,
    kb: f32,
    light: Option<Light>,
}

/// For films whose light is not that of sRGB.
struct Light {
    is_hlg: bool,
    /// Signal → light; 1 is a page's white (before HLG's system gamma).
    of_signal: Vec<f32>,
    /// Light from 0 to 1 → sRGB.
    srgb: Vec<u8>,
    /// From the film's primaries to those of sRGB.
    primaries: [[f32; 3]; 3],
}

impl Tones {
    /// Where nobody says: BT.709 for films of 720 lines and more, BT.601 for smaller ones, of video range.
    pub fn of(color: Option<Color>, depth: u8, lines: usize) -> Tones {
        let unsaid = Color { primaries: 2, transfer: 2, matrix: 2, full_range: false };
        let color = color.unwrap_or(unsaid);
        let (kr, kb) = match color.matrix {
            1 => (0.2126, 0.0722),
            5 | 6 => (0.299, 0.114),
            9 | 10 => (0.2627, 0.0593),
            _ if lines >= 720 => (0.2126, 0.0722),
            _ => (0.299, 0.114),
        };
        let unit = f32::from(1u16 << (depth.clamp(8, 15) - 8));
        let (black, luma_span, chroma_span) = match color.full_range {
            true => (0.0, 256.0 * unit - 1.0, 256.0 * unit - 1.0),
            false => (16.0 * unit, 219.0 * unit, 224.0 * unit),
        };
        let wide = matches!(color.primaries, BT_2020 | DISPLAY_P3);
        let light = (wide || matches!(color.transfer, PQ | HLG)).then(|| Light::of(color));
        Tones { black, luma_span, chroma_middle: 128.0 * unit, chroma_span, kr, kb, light }
    }

    pub fn rgb(&self, luma: f32, blue: f32, red: f32) -> [u8; 3] {
        let y = (luma - self.black) / self.luma_span;
        let cb = (blue - self.chroma_middle) / self.chroma_span;
        let cr = (red - self.chroma_middle) / self.chroma_span;
        let r = y + 2.0 * (1.0 - self.kr) * cr;
        let b = y + 2.0 * (1.0 - self.kb) * cb;
        let g = (y - self.kr * r - self.kb * b) / (1.0 - self.kr - self.kb);
        match &self.light {
            None => [r, g, b].map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8),
            Some(light) => light.shown([r, g, b]),
        }
    }
}

impl Light {
    fn of(color: Color) -> Light {
        let signal = |step: usize| step as f32 / (STEPS - 1) as f32;
        let to_light: fn(f32) -> f32 = match color.transfer {
            HLG => hlg,
            PQ => pq,
            // The light of a screen that shows a film.
            _ => |signal| signal.powf(2.2),
        };
        Light {
            is_hlg: color.transfer == HLG,
            of_signal: (0..STEPS).map(|step| to_light(signal(step))).collect(),
            srgb: (0..STEPS).map(|step| srgb(signal(step))).collect(),
            primaries: match color.primaries {
                BT_2020 => {
                    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
                }
                DISPLAY_P3 => [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]],
                _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            },
        }
    }

    fn shown(&self, signal: [f32; 3]) -> [u8; 3] {
        let mut light = signal.map(|value| *self.of_signal.get(index(value)).unwrap_or(&0.0));
        if self.is_hlg {
            let [r, g, b] = light;
            // The system gamma of 1.2, on luminance.
            let scene = 0.2627 * r + 0.6780 * g + 0.0593 * b;
            light = light.map(|value| value * scene.powf(0.2) * PEAK / WHITE);
        }
        let mut rgb =
            self.primaries.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f32>().max(0.0));
        // By its brightest color, so that hues stay.
        let brightest = rgb.iter().copied().fold(0.0, f32::max);
        if brightest > KNEE {
            rgb = rgb.map(|value| value * rolled_off(brightest) / brightest);
        }
        rgb.map(|value| *self.srgb.get(index(value)).unwrap_or(&255))
    }
}

/// Light above this is compressed.
const KNEE: f32 = 0.8;

/// Straight up to the knee, then ever flatter towards 1.
fn rolled_off(light: f32) -> f32 {
    let room = 1.0 - KNEE;
    KNEE + room * (1.0 - (-(light - KNEE) / room).exp())
}

fn index(value: f32) -> usize {
    (value.clamp(0.0, 1.0) * (STEPS - 1) as f32).round() as usize
}

/// Scene light from 0 to 1.
fn hlg(signal: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    if signal <= 0.5 { signal * signal / 3.0 } else { (((signal - C) / A).exp() + B) / 12.0 }
}

/// Light in units of a page's white.
fn pq(signal: f32) -> f32 {
    const M1: f32 = 0.159_301_76;
    const M2: f32 = 78.84375;
    const C1: f32 = 0.8359375;
    const C2: f32 = 18.851_563;
    const C3: f32 = 18.6875;
    let root = signal.powf(1.0 / M2);
    ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1) * 10_000.0 / WHITE
}

fn srgb(light: f32) -> u8 {
    let signal = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (signal * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(primaries: u16, transfer: u16, matrix: u16, full_range: bool) -> Option<Color> {
        Some(Color { primaries, transfer, matrix, full_range })
    }

    #[test]
    fn video_range_and_full_range() {
        let video = Tones::of(color(1, 1, 1, false), 8, 1080);
        assert_eq!((video.rgb(16.0, 128.0, 128.0), video.rgb(235.0, 128.0, 128.0)), ([0; 3], [255; 3]));
        // Red in BT.709: Y 63, Cb 102, Cr 240.
        assert_eq!(video.rgb(63.0, 102.0, 240.0), [255, 1, 0]);
        let full = Tones::of(color(1, 1, 1, true), 8, 1080);
        assert_eq!((full.rgb(0.0, 128.0, 128.0), full.rgb(255.0, 128.0, 128.0)), ([0; 3], [255; 3]));
        let deep = Tones::of(color(1, 1, 1, false), 10, 1080);
        assert_eq!((deep.rgb(64.0, 512.0, 512.0), deep.rgb(940.0, 512.0, 512.0)), ([0; 3], [255; 3]));
    }

    /// Green tells the matrices apart: BT.601 Y 145, Cb 54, Cr 34; BT.709 Y 173, Cb 42, Cr 26.
    #[test]
    fn what_nobody_says_goes_by_the_size() {
        let near = |rgb: [u8; 3], expected: [u8; 3]| {
            assert!(rgb.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2), "{rgb:?} for {expected:?}");
        };
        near(Tones::of(None, 8, 480).rgb(145.0, 54.0, 34.0), [0, 255, 0]);
        near(Tones::of(None, 8, 720).rgb(173.0, 42.0, 26.0), [0, 255, 0]);
        near(Tones::of(color(2, 2, 6, false), 8, 720).rgb(145.0, 54.0, 34.0), [0, 255, 0]);
    }

    /// Reference white (75 % of HLG's signal, 58 % of PQ's) is nearly white on the page; black is black; more is more.
    #[test]
    fn high_dynamic_range_is_no_gray_fog() {
        for (transfer, white) in [(HLG, 0.75f32), (PQ, 0.5807)] {
            let tones = Tones::of(color(9, transfer, 9, false), 10, 2160);
            let gray = |signal: f32| tones.rgb(64.0 + 876.0 * signal, 512.0, 512.0);
            let [r, g, b] = gray(white);
            assert!((240..=252).contains(&r) && r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{r} {g} {b}");
            assert_eq!(gray(0.0), [0; 3]);
            let tones: Vec<u8> = (0..=20).map(|n| gray(n as f32 / 20.0)[0]).collect();
            assert!(tones.is_sorted() && tones[20] >= 254, "{tones:?}");
        }
    }
}
