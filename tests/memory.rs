//! What pictures take of memory, counted: every byte that is allocated.
//!
//! A program of its own, with one test: the count is that of the whole process. That all claims together stay within
//! their bound, however many workers there are, is tested beside `media::budget`.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use msgarchive::media::still;
use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;

/// Colors that change all the time, so that nothing is short; `channels` of a pixel.
fn colors(width: u32, height: u32, channels: usize) -> Vec<u8> {
    let mut state = 1_u32;
    (0..width as usize * height as usize * channels)
        .map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (at / 4_096) as u8 ^ (state >> 28) as u8
        })
        .collect()
}

fn jpeg(width: u16, height: u16, progressive: bool, kind: ColorType) -> Vec<u8> {
    let channels = if kind == ColorType::Cmyk { 4 } else { 3 };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 60);
    encoder.set_progressive(progressive);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.encode(&colors(width.into(), height.into(), channels), width, height, kind).unwrap();
    bytes
}

fn png(width: u32, height: u32, kind: png::ColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&colors(width, height, kind.samples())).unwrap();
    writer.finish().unwrap();
    bytes
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &[0; 3 * 256]).unwrap();
    let pixels = colors(width.into(), height.into(), 1);
    encoder.write_frame(&gif::Frame::from_indexed_pixels(width, height, pixels, None)).unwrap();
    drop(encoder);
    bytes
}

fn webp(width: u32, height: u32, kind: image_webp::ColorType) -> Vec<u8> {
    let channels = if kind == image_webp::ColorType::Rgb8 { 3 } else { 4 };
    let mut bytes = Vec::new();
    let encoder = image_webp::WebPEncoder::new(&mut bytes);
    encoder.encode(&colors(width, height, channels), width, height, kind).unwrap();
    bytes
}

/// Of tiles; turned where a quarter is wanted.
fn heic(width: u32, height: u32, turned: bool, alpha: u8) -> Vec<u8> {
    let mut rgba = colors(width, height, 4);
    rgba.as_chunks_mut::<4>().0.iter_mut().for_each(|[.., of]| *of = alpha.max(*of & 127));
    let quality = heifer::EncodeOptions { quality: 40, max_threads: 2 };
    let mut bytes = heifer::encode_rgba8(width, height, &rgba, &quality).unwrap();
    if turned {
        // `pixi` says nothing that a decoder needs.
        let at = bytes.windows(4).position(|name| name == b"pixi").unwrap();
        bytes[at..at + 4].copy_from_slice(b"irot");
        bytes[at + 4] = 1;
    }
    bytes
}

/// Makes something of a picture, as a worker does; the most that was allocated meanwhile.
fn peak(bytes: &[u8], edge: Option<u32>) -> u64 {
    let before = COUNTED.current_usage();
    COUNTED.reset_peak_usage();
    let pixels = still::decode(bytes, edge).unwrap();
    let made = if pixels.opaque { still::to_jpeg(&pixels, 80, None) } else { still::to_png(&pixels) };
    assert!(!made.unwrap().is_empty());
    COUNTED.peak_usage().saturating_sub(before) as u64
}

#[test]
fn a_picture_takes_no_more_than_is_claimed_for_it() {
    const SMALL: Option<u32> = Some(400);
    let pictures = [
        ("a photo", jpeg(1_200, 900, false, ColorType::Rgb), SMALL),
        ("a photo, a little smaller", jpeg(1_200, 900, false, ColorType::Rgb), Some(1_199)),
        ("a photo, whole", jpeg(1_200, 900, false, ColorType::Rgb), None),
        ("a photo in scans", jpeg(1_200, 900, true, ColorType::Rgb), SMALL),
        ("a photo of inks", jpeg(1_200, 900, true, ColorType::Cmyk), SMALL),
        ("a HEIC", heic(1_200, 900, false, 255), SMALL),
        ("a HEIC, turned", heic(1_200, 900, true, 255), SMALL),
        ("a HEIC, turned, whole", heic(1_200, 900, true, 255), None),
        ("a HEIC, transparent", heic(1_200, 900, true, 0), SMALL),
        ("a HEIC of one picture", heic(500, 400, true, 0), SMALL),
        ("a PNG", png(1_200, 900, png::ColorType::Rgba), SMALL),
        ("a PNG, whole", png(1_200, 900, png::ColorType::Rgba), None),
        ("a PNG of grays", png(1_200, 900, png::ColorType::GrayscaleAlpha), SMALL),
        ("a GIF", gif(1_200, 900), SMALL),
        ("a WebP", webp(1_200, 900, image_webp::ColorType::Rgb8), SMALL),
        ("a WebP, transparent", webp(1_200, 900, image_webp::ColorType::Rgba8), SMALL),
    ];
    for (name, bytes, edge) in &pictures {
        let (peak, claimed) = (peak(bytes, *edge), still::most_held(bytes, *edge).unwrap());
        println!("{name}: {peak} of {claimed}");
        assert!(peak <= claimed, "{name}: {peak} bytes are held, {claimed} are claimed");
        // Who claims much too much lets the others wait.
        assert!(peak >= claimed / 5, "{name}: {peak} bytes are held, {claimed} are claimed");
    }
}
