//! Still pictures, decoded: made here by encoders of other people, and real ones where they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::picture::Canvas;
use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use heifer::{EncodeOptions, Image, Metadata};
use msgarchive::media::still::{Kind, decode, kind, to_jpeg, to_png};
use msgarchive::media::{Pixels, Undecodable};

const CALM: EncodeOptions = EncodeOptions { quality: 92, max_threads: 1 };

/// Four colors in four quarters, so that a turn or a wrong matrix is seen: red, green / blue, near white.
const QUARTERS: [[u8; 4]; 4] =
    [[210, 40, 40, 255], [40, 180, 60, 255], [30, 60, 200, 255], [240, 235, 230, 255]];

fn quarters(width: u32, height: u32, colors: [[u8; 4]; 4]) -> Vec<u8> {
    let at = |x: u32, y: u32| colors[usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2)];
    (0..height).flat_map(|y| (0..width).flat_map(move |x| at(x, y))).collect()
}

fn heic(width: u32, height: u32, rgba: &[u8]) -> Vec<u8> {
    heifer::encode_rgba8(width, height, rgba, &CALM).unwrap()
}

/// The colors in the middle of the four quarters.
fn middles(pixels: &Pixels) -> [[u8; 4]; 4] {
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| {
        let at = (pixels.height * y / 4 * pixels.width + pixels.width * x / 4) as usize * 4;
        pixels.rgba[at..at + 4].try_into().unwrap()
    })
}

#[track_caller]
fn close(got: [[u8; 4]; 4], expected: [[u8; 4]; 4], by: u8) {
    let far = got.iter().flatten().zip(expected.iter().flatten()).any(|(a, b)| a.abs_diff(*b) > by);
    assert!(!far, "{got:?}\n{expected:?}");
}

#[test]
fn heic_has_its_colors_large_and_small() {
    // Of one picture, and of a grid of tiles.
    for (width, height) in [(200, 120), (1_300, 700)] {
        let bytes = heic(width, height, &quarters(width, height, QUARTERS));
        assert_eq!(kind(&bytes), Some(Kind::Heif));
        let whole = decode(&bytes, None).unwrap();
        assert_eq!((whole.width, whole.height, whole.opaque), (width, height, true));
        close(middles(&whole), QUARTERS, 4);
        let small = decode(&bytes, Some(100)).unwrap();
        assert_eq!(small.width, 100);
        assert_eq!(small.height, (100.0 * f64::from(height) / f64::from(width)).round() as u32);
        close(middles(&small), QUARTERS, 4);
    }
}

/// Puts other bytes of the same length in the place of the only occurrence.
fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    assert_eq!(what.len(), with.len());
    let places: Vec<_> = (0..=bytes.len() - what.len()).filter(|at| bytes[*at..].starts_with(what)).collect();
    assert_eq!(places.len(), 1, "{} occurrences", places.len());
    let mut changed = bytes.to_vec();
    changed[places[0]..places[0] + what.len()].copy_from_slice(with);
    changed
}

#[test]
fn the_turn_of_the_container_counts_and_that_of_the_exif_does_not() {
    let (width, height) = (200, 120);
    let samples = quarters(width, height, QUARTERS).iter().map(|v| u16::from(*v)).collect();
    let image = Image { width, height, bit_depth: 8, has_alpha: false, data: samples };
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let metadata = Metadata { exif: Some(exif), ..Metadata::default() };
    let upright = heifer::encode_with_metadata(&image, &metadata, &CALM).unwrap();
    // The encoder makes the EXIF upright as well: put the turn back.
    let tag = b"\x01\x12\0\x03\0\0\0\x01\0";
    let bytes = replaced(&upright, &[&tag[..], &[1]].concat(), &[&tag[..], &[6]].concat());
    let read = heifer::read_metadata(&bytes).unwrap();
    assert_eq!(read.exif_fields().unwrap().orientation(), Some(6));
    let pixels = decode(&bytes, None).unwrap();
    assert_eq!((pixels.width, pixels.height), (width, height));
    close(middles(&pixels), QUARTERS, 4);

    // `pixi` says nothing that the decoder needs: turn it into a turn.
    let [red, green, blue, white] = QUARTERS;
    let pixi = |bytes: &[u8]| bytes.windows(4).position(|window| window == b"pixi").unwrap();
    for (name, value, expected, swaps) in [
        (b"irot", 1, [green, white, red, blue], true),
        (b"irot", 2, [white, blue, green, red], false),
        (b"irot", 3, [blue, red, white, green], true),
        (b"imir", 0, [blue, white, red, green], false),
        (b"imir", 1, [green, red, white, blue], false),
    ] {
        let mut bytes = upright.clone();
        let at = pixi(&bytes);
        bytes[at..at + 4].copy_from_slice(name);
        bytes[at + 4] = value;
        let pixels = decode(&bytes, None).unwrap();
        assert_eq!(pixels.width, if swaps { height } else { width });
        close(middles(&pixels), expected, 4);
    }
}

#[test]
fn the_range_and_the_matrix_that_a_file_names_are_used() {
    let (width, height) = (200, 120);
    let bytes = heic(width, height, &quarters(width, height, QUARTERS));
    let file = heifer::heifer_isobmff::HeifFile::parse(&bytes).unwrap();
    let nclx = file.item_properties(file.primary_id).unwrap().find_map(|property| match property {
        Property::Color(ColorInfo::Nclx { primaries, transfer, matrix, full_range }) => {
            Some((*primaries, *transfer, *matrix, *full_range))
        }
        _ => None,
    });
    let (primaries, transfer, matrix, full) = nclx.expect("the encoder names its colors");
    assert!(full, "the fixture is of full range, as an iPhone's are");
    let colr = |full: bool| {
        let mut bytes = b"nclx".to_vec();
        for value in [primaries, transfer, matrix] {
            bytes.extend(value.to_be_bytes());
        }
        bytes.push(u8::from(full) << 7);
        bytes
    };
    close(middles(&decode(&bytes, None).unwrap()), QUARTERS, 4);
    // Read as video range the same numbers mean more contrast: 240, 235 and 230 are near the end or past it.
    let video = decode(&replaced(&bytes, &colr(true), &colr(false)), None).unwrap();
    close([middles(&video)[3]; 4], [[255, 255, 250, 255]; 4], 2);
    // Display P3 primaries: the reds become brighter in sRGB.
    let mut p3 = colr(true);
    p3[5] = 12;
    let p3 = decode(&replaced(&bytes, &colr(true), &p3), None).unwrap();
    let [red, ..] = middles(&p3);
    // The two matrices and the common curve make 229, 0, 24 of Display P3's 210, 40, 40.
    close([red; 4], [[229, 0, 24, 255]; 4], 6);
}

/// Where the container says nothing of colors, the video stream itself may: its range is used as well.
#[test]
fn the_range_that_only_the_stream_names_is_used() {
    let (width, height) = (200, 120);
    let bytes = heic(width, height, &quarters(width, height, QUARTERS));
    let silent = replaced(&bytes, b"colrnclx", b"freenclx");
    let file = heifer::heifer_isobmff::HeifFile::parse(&silent).unwrap();
    let named = file.item_properties(file.primary_id).unwrap().any(|p| matches!(p, Property::Color(_)));
    assert!(!named, "the container is silent");
    close(middles(&decode(&silent, None).unwrap()), QUARTERS, 4);
}

#[test]
fn transparency_is_exact() {
    let (width, height) = (128, 96);
    let colors = [[210, 40, 40, 255], [40, 180, 60, 128], [30, 60, 200, 17], [0, 0, 0, 0]];
    let rgba = quarters(width, height, colors);
    let alphas = |pixels: &Pixels| middles(pixels).map(|[.., a]| a);
    let pixels = Pixels { width, height, rgba: rgba.clone(), opaque: false };
    for bytes in [heic(width, height, &rgba), to_png(&pixels).unwrap(), webp(width, height, &rgba)] {
        let decoded = decode(&bytes, None).unwrap();
        assert!(!decoded.opaque);
        let kind = kind(&bytes).unwrap();
        let by = if kind == Kind::Heif { 1 } else { 0 };
        for (got, sent) in alphas(&decoded).iter().zip([255, 128, 17, 0]) {
            assert!(got.abs_diff(sent) <= by, "{kind:?} {:?}", alphas(&decoded));
        }
        // Smaller, the seen colors are not darkened by those that cannot be seen.
        let small = decode(&bytes, Some(32)).unwrap();
        assert_eq!((small.width, small.height), (32, 24));
        close([middles(&small)[0]; 4], [colors[0]; 4], 4);
    }
}

fn webp(width: u32, height: u32, rgba: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image_webp::WebPEncoder::new(&mut bytes);
    encoder.encode(rgba, width, height, image_webp::ColorType::Rgba8).unwrap();
    bytes
}

/// Two frames; the first has an offset, and a transparent color.
fn gif(width: u16, height: u16) -> Vec<u8> {
    let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).unwrap();
    for (left, color) in [(width / 2, 1), (0, 2)] {
        let mut frame = gif::Frame::from_indexed_pixels(
            width / 2,
            height,
            vec![color; usize::from(width / 2) * usize::from(height)],
            Some(3),
        );
        frame.left = left;
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn an_animation_is_its_first_frame() {
    let pixels = decode(&gif(40, 20), None).unwrap();
    assert_eq!((pixels.width, pixels.height, pixels.opaque), (40, 20, false));
    let (clear, green) = ([0; 4], [0, 255, 0, 255]);
    assert_eq!(middles(&pixels), [clear, green, clear, green]);
}

#[test]
fn every_sort_of_png() {
    use png::{BitDepth::*, ColorType::*};
    let cases: [(png::ColorType, png::BitDepth, &[u8], [u8; 4]); 6] = [
        (Rgb, Eight, &[10, 20, 30], [10, 20, 30, 255]),
        (Rgba, Sixteen, &[10, 200, 20, 200, 30, 200, 40, 200], [10, 20, 30, 40]),
        (Grayscale, Eight, &[77], [77, 77, 77, 255]),
        (GrayscaleAlpha, Eight, &[77, 40], [77, 77, 77, 40]),
        (Grayscale, Sixteen, &[77, 1], [77, 77, 77, 255]),
        (Indexed, Eight, &[1], [4, 5, 6, 99]),
    ];
    for (color, depth, pixel, expected) in cases {
        for animated in [false, true] {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, 8, 8);
            encoder.set_color(color);
            encoder.set_depth(depth);
            if color == Indexed {
                encoder.set_palette(vec![1, 2, 3, 4, 5, 6]);
                encoder.set_trns(vec![255, 99]);
            }
            if animated {
                encoder.set_animated(2, 0).unwrap();
            }
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&pixel.repeat(64)).unwrap();
            if animated {
                writer.write_image_data(&vec![0; pixel.len() * 64]).unwrap();
            }
            writer.finish().unwrap();
            let pixels = decode(&bytes, None).unwrap();
            assert_eq!(pixels.rgba, expected.repeat(64), "{color:?} {depth:?} {animated}");
            assert_eq!(pixels.opaque, expected[3] == 255);
        }
    }
}

/// Adam7, by hand: the encoder does not write it. Seven passes of a 4×4 picture that is one color (PNG 3, 8).
#[test]
fn an_interlaced_png() {
    let mut rows = Vec::new();
    for (width, height) in [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2)] {
        for _ in 0..height {
            rows.push(0);
            rows.extend([10, 20, 30].repeat(width));
        }
    }
    let chunk = |name: &[u8], content: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(name);
        crc.update(content);
        [&(content.len() as u32).to_be_bytes(), name, content, &crc.sum().to_be_bytes()].concat()
    };
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zlib, &rows).unwrap();
    let bytes = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 4, 0, 0, 0, 4, 8, 2, 0, 0, 1]),
        chunk(b"IDAT", &zlib.finish().unwrap()),
        chunk(b"IEND", &[]),
    ]
    .concat();
    // Passes 2 and 3 of so small a picture are empty or short: the sizes above are those that are not empty.
    assert_eq!(decode(&bytes, None).unwrap().rgba, [10, 20, 30, 255].repeat(16));
}

/// A JPEG as printers' programs write it: four inks, upside down, as Adobe says.
fn cmyk() -> Vec<u8> {
    let inks: Vec<u8> = [0, 200, 200, 20].repeat(64 * 64);
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.encode(&inks, 64, 64, jpeg_encoder::ColorType::Cmyk).unwrap();
    bytes
}

#[test]
fn inks_become_light() {
    let pixels = decode(&cmyk(), None).unwrap();
    // No cyan, much magenta and yellow: red.
    let [red, green, blue, alpha] = middles(&pixels)[0];
    assert!(red > 200 && green < 90 && blue < 90 && alpha == 255, "{:?}", middles(&pixels));
}

#[test]
fn a_jpeg_is_turned_upright() {
    let plain = Canvas::new(64, 32, [250, 250, 250]).to_jpeg(90);
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let turned = [&plain[..2], exif, &plain[2..]].concat();
    let size = |bytes: &[u8]| decode(bytes, None).map(|pixels| (pixels.width, pixels.height)).unwrap();
    assert_eq!((size(&plain), size(&turned)), ((64, 32), (32, 64)));
}

#[test]
fn what_is_not_decoded_says_what_it_is() {
    let says = |bytes: &[u8]| decode(bytes, None).unwrap_err().to_string();
    assert_eq!(says(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"), "AVIF images cannot be shown here");
    assert_eq!(says(b"II*\0\x08\0\0\0"), "TIFF images cannot be shown here");
    let animation = b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc\0\0\0\x10moov\0\0\0\x08mvhd";
    assert_eq!(says(animation), "HEIC animations without a still picture cannot be shown here");
    assert_eq!(decode(b"Dear Ana", None), Err(Undecodable::OtherKind));
    assert_eq!(decode(b"\x89PNG\r\n\x1a\n", None), Err(Undecodable::Damaged));
}

/// Few bytes that claim to be a great many pixels.
#[test]
fn bombs_are_not_opened() {
    let screen = |width: u16, height: u16| {
        let mut bytes = gif(40, 20);
        bytes[6..8].copy_from_slice(&width.to_le_bytes());
        bytes[8..10].copy_from_slice(&height.to_le_bytes());
        bytes
    };
    assert_eq!(decode(&screen(65_535, 65_535), None), Err(Undecodable::TooLarge));
    assert_eq!(decode(&screen(10_000, 10_000), None), Err(Undecodable::Damaged));
    assert_eq!(decode(&screen(2_000, 2_000), Some(100)).unwrap().width, 100);

    let mut webp = webp(16, 16, &[9; 16 * 16 * 4]);
    // VP8L: 14 bits of width less one, 14 bits of height less one: 16,383 of both.
    let at = webp.windows(4).position(|window| window == b"VP8L").unwrap() + 9;
    webp[at..at + 3].copy_from_slice(&[0xfe, 0xbf, 0xff]);
    webp[at + 3] |= 0x0f;
    assert_eq!(decode(&webp, None), Err(Undecodable::TooLarge));

    let mut png = to_png(&Pixels { width: 2, height: 2, rgba: vec![9; 16], opaque: false }).unwrap();
    png[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    assert_eq!(decode(&png, None), Err(Undecodable::Damaged));
    png[16..24].copy_from_slice(&[0, 1, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    assert_eq!(decode(&png, None), Err(Undecodable::TooLarge));

    let heic = heic(200, 120, &quarters(200, 120, QUARTERS));
    let ispe = |w: u32, h: u32| [&b"ispe\0\0\0\0"[..], &w.to_be_bytes(), &h.to_be_bytes()].concat();
    let claims = |w, h| decode(&replaced(&heic, &ispe(200, 120), &ispe(w, h)), None).map(|p| p.width);
    assert_eq!(claims(20_000, 20_000), Err(Undecodable::TooLarge));
    assert_eq!(claims(10_000, 10_000), Err(Undecodable::Damaged));
}

/// 200 changes to each: whatever comes of them, it comes, and it is what the type says.
#[test]
fn damage_is_survived() {
    let rgba = quarters(96, 64, QUARTERS);
    let mut clear = rgba.clone();
    clear.iter_mut().skip(3).step_by(4).take(900).for_each(|a| *a = 90);
    let whole = Pixels { width: 96, height: 64, rgba: rgba.clone(), opaque: true };
    let fixtures = [
        heic(96, 64, &rgba),
        heic(96, 64, &clear),
        heic(600, 520, &quarters(600, 520, QUARTERS)),
        to_png(&whole).unwrap(),
        to_jpeg(&whole, 80, None).unwrap(),
        cmyk(),
        gif(96, 64),
        webp(96, 64, &clear),
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut failed = 0;
    for fixture in &fixtures {
        assert!(decode(fixture, Some(64)).is_ok());
        for turn in 0..200 {
            let mut bytes = fixture.clone();
            match turn % 4 {
                0 => bytes.truncate(next(fixture.len())),
                // The headers are at the front.
                1 => bytes[next(fixture.len().min(600))] = next(256) as u8,
                2 => bytes[next(fixture.len())] ^= 1 << next(8),
                _ => {
                    let from = next(fixture.len());
                    let to = (from + 1 + next(24)).min(fixture.len());
                    bytes[from..to].fill(next(256) as u8);
                }
            }
            match decode(&bytes, Some(64)) {
                Ok(pixels) => {
                    assert!(pixels.width.max(pixels.height) <= 64);
                    assert_eq!(pixels.rgba.len(), (pixels.width * pixels.height * 4) as usize);
                }
                Err(_) => failed += 1,
            }
        }
    }
    assert!((400..1_600).contains(&failed), "{failed} of 1,600");
}

fn samples(folder: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if !folder.is_dir() {
        eprintln!("the real samples are not here: {} was not looked at", folder.display());
        return None;
    }
    Some(folder)
}

/// Means of the four quarters as libheif 1.23 and littleCMS see them.
#[test]
fn real_files_look_as_in_other_programs() {
    let expected: [(&str, &str, (u32, u32), Quarters); 4] = [
        (
            "media",
            "example.heic",
            (1280, 854),
            [
                [155.1, 174.1, 194.4, 255.0],
                [139.5, 155.4, 165.6, 255.0],
                [78.2, 73.1, 58.0, 255.0],
                [118.0, 103.4, 66.4, 255.0],
            ],
        ),
        (
            "media",
            "with-alpha-512x512.heic",
            (512, 512),
            [
                [86.8, 86.8, 86.8, 86.8],
                [48.2, 21.6, 21.7, 61.1],
                [51.7, 26.9, 27.1, 63.8],
                [77.2, 77.1, 77.1, 77.2],
            ],
        ),
        ("stickers", "comic.heic", (900, 721), STICKER),
        ("stickers", "outline.heic", (900, 721), STICKER),
    ];
    for (folder, name, size, quarters) in expected {
        let Some(folder) = samples(folder) else { return };
        let pixels = decode(&fs::read(folder.join(name)).unwrap(), None).unwrap();
        assert_eq!((pixels.width, pixels.height), size, "{name}");
        for (quarter, expected) in quarters.iter().enumerate() {
            let got = mean(&pixels, quarter % 2, quarter / 2);
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() < 1.0, "{name}, quarter {quarter}: {got} for {expected}");
            }
        }
    }
}

/// The mean colors of the upper left, upper right, lower left and lower right quarter.
type Quarters = [[f64; 4]; 4];

/// Of both stickers.
const STICKER: Quarters = [
    [119.5, 119.5, 119.5, 176.2],
    [56.2, 56.2, 56.2, 116.1],
    [124.0, 124.0, 124.0, 193.5],
    [72.7, 72.7, 72.7, 154.5],
];

fn mean(pixels: &Pixels, column: usize, row: usize) -> [f64; 4] {
    let (width, height) = (pixels.width as usize / 2, pixels.height as usize / 2);
    let mut sums = [0.0; 4];
    for y in row * height..(row + 1) * height {
        for x in column * width..(column + 1) * width {
            let at = (y * pixels.width as usize + x) * 4;
            for (sum, value) in sums.iter_mut().zip(&pixels.rgba[at..at + 4]) {
                *sum += f64::from(*value);
            }
        }
    }
    sums.map(|sum| sum / (width * height) as f64)
}
