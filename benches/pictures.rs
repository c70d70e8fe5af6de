//! How long a picture takes from its bytes to what a page of PDF shows: pixels a second, one core.

use std::sync::OnceLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use heifer::EncodeOptions;
use msgarchive::media::still::{decode, to_jpeg, to_png};

fn main() {
    divan::main();
}

/// As phones take them.
const PHOTO: (u32, u32) = (4_032, 3_024);
const STICKER: (u32, u32) = (900, 720);
/// What PDF uses.
const EDGE: u32 = 1_600;

/// Soft shapes, edges, and a grain as of a sensor in the dark: without it a picture is decoded in no time.
fn scene((width, height): (u32, u32), alpha: bool) -> Vec<u8> {
    let mut random = 0x9e37_79b9_u32;
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        for x in 0..width {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let grain = (random % 9) as i32 - 4;
            let wave = (((x as f32 / 90.0).sin() + (y as f32 / 130.0).cos()) * 40.0) as i32;
            let edge = if (x / 300 + y / 200) % 2 == 0 { 30 } else { 0 };
            let level = |base: i32| (base + wave + edge + grain).clamp(0, 255) as u8;
            let clear = alpha && (x * 2).abs_diff(width) + (y * 2).abs_diff(height) > height;
            rgba.extend([level(120), level(100), level(90), if clear { 0 } else { 255 }]);
        }
    }
    rgba
}

fn heic(size: (u32, u32), alpha: bool) -> Vec<u8> {
    let options = EncodeOptions { quality: 70, max_threads: 0 };
    heifer::encode_rgba8(size.0, size.1, &scene(size, alpha), &options).expect("a picture")
}

/// 12 megapixels in tiles of 512, some 2 MB: as an iPhone writes it.
fn photo() -> &'static [u8] {
    static PHOTO_BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    PHOTO_BYTES.get_or_init(|| heic(PHOTO, false))
}

fn pixels((width, height): (u32, u32)) -> ItemsCount {
    ItemsCount::new(width as usize * height as usize)
}

#[divan::bench(sample_count = 5)]
fn heic_photo_to_a_page(bencher: Bencher) {
    let bytes = photo();
    bencher.counter(pixels(PHOTO)).bench(|| {
        let small = decode(black_box(bytes), Some(EDGE)).expect("a picture");
        to_jpeg(&small, 82, None).expect("a JPEG")
    });
}

#[divan::bench(sample_count = 5)]
fn heic_photo_to_a_jpeg_of_its_size(bencher: Bencher) {
    let bytes = photo();
    bencher.counter(pixels(PHOTO)).bench(|| {
        let whole = decode(black_box(bytes), None).expect("a picture");
        to_jpeg(&whole, 90, None).expect("a JPEG")
    });
}

#[divan::bench(sample_count = 20)]
fn heic_sticker_to_pixels(bencher: Bencher) {
    let bytes = heic(STICKER, true);
    bencher.counter(pixels(STICKER)).bench(|| decode(black_box(&bytes), Some(EDGE)));
}

#[divan::bench(sample_count = 10)]
fn png_screenshot_to_pixels(bencher: Bencher) {
    let size = (1_170, 2_532);
    let rgba = scene(size, true);
    let bytes = to_png(&msgarchive::media::Pixels { width: size.0, height: size.1, rgba, opaque: false })
        .expect("a PNG");
    bencher.counter(pixels(size)).bench(|| decode(black_box(&bytes), Some(EDGE)));
}
