//! What sounds and films say of themselves: of files that are made here, of real ones where there are some, and of
//! damaged ones.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use msgarchive::media::{Undecodable, facts, facts_of, poster};
use msgarchive::model::Media;

use crate::support::film::{Film, atom};
use crate::support::sound::{self, Caf};

fn of(bytes: Vec<u8>) -> Option<Media> {
    facts_of(Cursor::new(bytes))
}

fn seconds(bytes: Vec<u8>) -> f64 {
    of(bytes).and_then(|media| media.duration).map_or(-1.0, |duration| duration.as_secs_f64())
}

/// Real samples beside the checkout.
pub fn sample(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = folder.join(name);
    if !path.exists() {
        println!("not checked against real samples: {} is not here", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn sounds_say_how_long_they_are() {
    let voice = Caf::opus(vec![vec![7; 200]; 617], 156, 296_004);
    assert_eq!(seconds(voice.bytes()), 296_004.0 / 24_000.0);
    assert_eq!(seconds(sound::caf_pcm(3)), 3.0);
    assert_eq!(seconds(sound::amr(false, &[7, 0, 8, 15], 618)), 12.36);
    assert_eq!(seconds(sound::amr(true, &[8, 9, 2], 50)), 1.0);
    assert_eq!(seconds(sound::wave(2)), 2.0);
    assert_eq!(seconds(sound::aiff(44_100 * 5)), 5.0);
    assert_eq!(seconds(sound::mp3(441, true)), 441.0 * 1152.0 / 44_100.0);
    // By its rate: near enough.
    assert!((seconds(sound::mp3(441, false)) - 11.5).abs() < 0.1);
    // Cut off in the middle of a frame: the whole ones count.
    let mut cut = sound::amr(false, &[7], 100);
    cut.truncate(cut.len() - 3);
    assert_eq!(seconds(cut), 99.0 / 50.0);
}

#[test]
fn films_say_how_long_and_how_large_they_are() {
    let plain = Film::default();
    let expected =
        Media { duration: Some(Duration::from_secs(34)), pixels: Some((1920, 1080)), contact: None };
    let variants = [
        plain.clone(),
        Film { moov_first: true, ..plain.clone() },
        Film { file_type: false, ..plain.clone() },
        Film { wide: true, ..plain.clone() },
        Film { wide: true, moov_first: true, turns: 2, ..plain.clone() },
    ];
    for film in variants {
        assert_eq!(of(film.bytes()), Some(expected.clone()));
    }
    for turns in [1, 3] {
        let upright = of(Film { turns, ..plain.clone() }.bytes()).unwrap().pixels;
        assert_eq!(upright, Some((1080, 1920)), "{turns} quarter turns");
    }
}

/// Only the places where the facts lie are read: the film itself may be as large as it likes.
#[test]
fn the_film_itself_is_not_read() {
    struct Counting {
        inner: Cursor<Vec<u8>>,
        read: usize,
    }
    impl std::io::Read for Counting {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            self.read += to.len();
            std::io::Read::read(&mut self.inner, to)
        }
    }
    impl std::io::Seek for Counting {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            std::io::Seek::seek(&mut self.inner, to)
        }
    }
    let film = Film { samples: vec![vec![0; 1 << 20]; 8], ..Film::default() };
    let mut counting = Counting { inner: Cursor::new(film.bytes()), read: 0 };
    assert!(facts_of(&mut counting).is_some());
    assert!(counting.read < 2000, "{} bytes read", counting.read);
}

#[test]
fn the_bytes_decide() {
    assert_eq!(of(b"%PDF-1.7 not a film at all".to_vec()), None);
    assert_eq!(of(Vec::new()), None);
    assert_eq!(of(atom(b"ftyp", b"heic\0\0\0\0mif1heic")), None);
    // Boxes, and no `moov` among them.
    assert_eq!(of(atom(b"mdat", &[0; 100])), None);
    // A year and more is damage, not a length.
    let endless = Caf { sample_rate: 1e-9, ..Caf::opus(vec![vec![1]], 0, 100) };
    assert_eq!(of(endless.bytes()), None);
}

#[test]
fn damaged_files_are_survived() {
    let files = [
        Caf::opus(vec![vec![7; 20]; 30], 156, 10_000).bytes(),
        sound::caf_pcm(0),
        sound::amr(false, &[7, 0], 20),
        sound::wave(0),
        sound::aiff(7),
        sound::mp3(3, true),
        Film::default().bytes(),
        Film { wide: true, moov_first: true, ..Film::default() }.bytes(),
    ];
    for file in files {
        for length in 0..file.len() {
            let _ = of(file[..length].to_vec());
        }
        for at in 0..file.len() {
            for value in [0x00, 0x01, 0x7f, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = value;
                let _ = of(damaged.clone());
                damaged[at..].iter_mut().take(8).for_each(|byte| *byte = value);
                let _ = of(damaged);
            }
        }
    }
}

#[test]
fn real_files_say_what_others_read_in_them() {
    // (file, milliseconds, pixels), as ffprobe has them.
    let expected = [
        ("media/testAMR.amr", 5560, None),
        ("media/testMP4.m4a", 69, None),
        ("media/livePhoto.mov", 2733, None),
        ("media/seq_seed.heif", 33, Some((16, 16))),
    ];
    for (name, milliseconds, pixels) in expected {
        let Some(path) = sample(name) else { return };
        let media = facts(&path).unwrap_or_default();
        let duration = media.duration.unwrap_or_default().as_millis();
        println!("{name}: {media:?}");
        assert_eq!((duration, media.pixels), (milliseconds, pixels), "{name}");
    }
}

fn film(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/films").join(name)).unwrap()
}

/// The middles of the four fields of a poster: upper left and right, lower left and right.
#[track_caller]
fn fields(name: &str, size: (u32, u32)) -> [[u8; 3]; 4] {
    let pixels = poster(Cursor::new(film(name))).unwrap();
    assert_eq!((pixels.width, pixels.height, pixels.opaque), (size.0, size.1, true), "{name}");
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| {
        let at = (size.1 * y / 4 * size.0 + size.0 * x / 4) as usize * 4;
        [pixels.rgba[at], pixels.rgba[at + 1], pixels.rgba[at + 2]]
    })
}

#[track_caller]
fn near(fields: [[u8; 3]; 4], expected: [[u8; 3]; 4], within: u8) {
    let far = |(a, b): (&u8, &u8)| a.abs_diff(*b) > within;
    let any = fields.as_flattened().iter().zip(expected.as_flattened()).any(far);
    assert!(!any, "{fields:?} for {expected:?}");
}

const RED: [u8; 3] = [230, 30, 30];
const GREEN: [u8; 3] = [30, 200, 30];
const BLUE: [u8; 3] = [30, 30, 230];
const WHITE: [u8; 3] = [240, 240, 240];

/// Films of other encoders (`fixtures/PROVENANCE.md`): a red, a green, a blue and a white field.
#[test]
fn a_poster_is_the_first_picture_upright_and_in_its_colors() {
    near(fields("h264.mp4", (128, 96)), [RED, GREEN, BLUE, WHITE], 4);
    // A quarter turn clockwise.
    near(fields("hevc.mov", (96, 128)), [BLUE, RED, WHITE, GREEN], 4);
    let media = of(film("hevc.mov")).unwrap();
    assert_eq!((media.pixels, media.duration), (Some((96, 128)), Some(Duration::from_millis(300))));
}

/// A sequence of pictures (an animated sticker) is a film whose track has another name, whatever its brand says.
#[test]
fn a_sequence_shows_its_first_picture() {
    for brand in [b"msf1", b"hevc", b"heic"] {
        let mut sequence = film("hevc.mov");
        let handler = sequence.windows(8).position(|w| w == b"mhlrvide").unwrap();
        sequence[handler + 4..handler + 8].copy_from_slice(b"pict");
        sequence[8..12].copy_from_slice(brand);
        let pixels = poster(Cursor::new(sequence)).unwrap();
        assert_eq!((pixels.width, pixels.height), (96, 128));
    }
    // A still picture has no such track.
    assert_eq!(poster(Cursor::new(atom(b"ftyp", b"heic\0\0\0\0mif1heic"))), Err(Undecodable::OtherKind));
}

/// Its signal is that of the others; as HLG in BT.2020 its white is brighter than a page, its colors are stronger.
#[test]
fn a_poster_high_dynamic_range_is_bright() {
    let [red, green, blue, white] = fields("hlg.mov", (128, 96));
    assert!(white.iter().all(|value| *value >= 250), "{white:?}");
    assert!(red[0] >= 240 && green[1] >= 200 && blue[2] >= 240, "{red:?} {green:?} {blue:?}");
    assert!(red[1] < 60 && green[0] < 60 && blue[0] < 60, "{red:?} {green:?} {blue:?}");
}

#[test]
fn what_has_no_poster_says_why() {
    let of = |bytes: Vec<u8>| poster(Cursor::new(bytes)).unwrap_err();
    assert_eq!(of(sound::amr(false, &[7], 10)), Undecodable::OtherKind);
    assert_eq!(of(Film { codec: *b"ap4h", ..Film::default() }.bytes()), Undecodable::OtherKind);
    assert_eq!(of(Film::default().bytes()), Undecodable::Damaged);
    // The decoder is told a size by the film's own parameters, not by its head.
    let whole = film("hevc.mov");
    assert_eq!(of(whole[..whole.len() - 400].to_vec()), Undecodable::Damaged);
}

/// The first sample that needs no other, wherever its chunk lies.
#[test]
fn the_key_frame_is_found_among_others() {
    let whole = film("h264.mp4");
    let at = |kind: &[u8]| whole.windows(4).position(|window| window == kind).unwrap();
    let size = |at: usize| u32::from_be_bytes(whole[at - 4..at].try_into().unwrap()) as usize;
    let configuration = whole[at(b"avcC") + 4..at(b"avcC") - 4 + size(at(b"avcC"))].to_vec();
    let first = u32::from_be_bytes(whole[at(b"stsz") + 16..at(b"stsz") + 20].try_into().unwrap()) as usize;
    let place = u32::from_be_bytes(whole[at(b"stco") + 12..at(b"stco") + 16].try_into().unwrap()) as usize;
    let key = whole[place..place + first].to_vec();
    let mut samples = vec![vec![0; 40]; 5];
    for number in 0..5 {
        samples.insert(number, key.clone());
        for (wide, moov_first) in [(false, false), (true, true)] {
            let film = Film {
                codec: *b"avc1",
                configuration: configuration.clone(),
                samples: samples.clone(),
                first_key: number as u32 + 1,
                wide,
                moov_first,
                ..Film::default()
            };
            let pixels = poster(Cursor::new(film.bytes())).unwrap();
            assert_eq!((pixels.width, pixels.height), (128, 96), "key frame {number}");
        }
        samples.remove(number);
    }
}

#[test]
fn damaged_films_are_survived() {
    for name in ["h264.mp4", "hevc.mov", "hlg.mov"] {
        let whole = film(name);
        for length in (0..whole.len()).step_by(41) {
            let _ = poster(Cursor::new(&whole[..length]));
        }
        for at in (0..whole.len()).step_by(5) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            let _ = poster(Cursor::new(&damaged));
        }
    }
}
