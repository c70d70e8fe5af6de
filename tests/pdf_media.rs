//! What people see of films, stickers and colors in a PDF, read back with poppler and qpdf.

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::media::still;
use msgarchive::model::*;
use msgarchive::writers::WriterOptions;
use msgarchive::writers::pdf::DocumentOptions;

use crate::export_pdf::{
    ana, at, bare, export, extracted, files, local, plain, qpdf_check, run, text, with_file,
};
use crate::program::Program;
use crate::support::film::Film;
use crate::support::picture::Canvas;
use crate::support::{Library, Schema, Tapback as Reaction};

const RED: [u8; 3] = [230, 30, 30];
const MAGENTA: [u8; 3] = [250, 0, 250];
const GREEN: [u8; 3] = [40, 160, 60];
/// Of a bubble that was sent by iMessage.
const BUBBLE: [u8; 3] = [0xd5, 0xe7, 0xfd];

/// A page as pixels; a point is two of them.
struct Rendered {
    width: usize,
    rgb: Vec<[u8; 3]>,
}

/// Left, top, right, bottom, in points.
type Bounds = (f32, f32, f32, f32);

impl Rendered {
    fn page(pdf: &Path, page: u32) -> Rendered {
        let prefix = pdf.with_extension(format!("page-{page}"));
        let (number, prefix) = (page.to_string(), prefix.to_str().unwrap());
        let path = pdf.to_str().unwrap();
        run("pdftoppm", &["-r", "144", "-png", "-singlefile", "-f", &number, "-l", &number, path, prefix]);
        let pixels = still::decode(&fs::read(format!("{prefix}.png")).unwrap(), None).unwrap();
        let rgb = pixels.rgba.chunks(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Rendered { width: pixels.width as usize, rgb }
    }

    /// Around everything of about this color.
    fn bounds(&self, color: [u8; 3], within: u8) -> Option<Bounds> {
        let close = |pixel: &[u8; 3]| pixel.iter().zip(color).all(|(a, b)| a.abs_diff(b) <= within);
        let places = self.rgb.iter().enumerate().filter(|(_, pixel)| close(pixel));
        let places = places.map(|(at, _)| ((at % self.width) as f32 / 2.0, (at / self.width) as f32 / 2.0));
        places.fold(None, |bounds: Option<Bounds>, (x, y)| {
            let (left, top, right, bottom) = bounds.unwrap_or((x, y, x, y));
            Some((left.min(x), top.min(y), right.max(x + 0.5), bottom.max(y + 0.5)))
        })
    }

    fn at(&self, x: f32, y: f32) -> [u8; 3] {
        self.rgb[(y * 2.0) as usize * self.width + (x * 2.0) as usize]
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/films").join(name)).unwrap()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn images(pdf: &Path) -> Vec<String> {
    let list = run("pdfimages", &["-list", pdf.to_str().unwrap()]);
    let rows = list.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.map(|row| [row[2], row[3], row[4], row[8]].join(" ")).collect()
}

#[test]
fn a_film_is_its_first_picture_with_a_play_mark() {
    let files = files();
    let path = write(files.path(), "IMG_0007.mp4", &fixture("h264.mp4"));
    let mut film = local(path, "IMG_0007.mp4", "video/mp4");
    film.media = Some(Box::new(Media {
        duration: Some(std::time::Duration::from_secs(34)),
        pixels: Some((128, 96)),
        contact: None,
    }));
    let path = export("film", &[with_file(true, at(0, 0), film)], 5, &WriterOptions::default());
    qpdf_check(&path);
    assert_eq!(images(&path), ["image 128 96 jpeg"]);
    let words = bare(&extracted(&path));
    assert!(words.contains("IMG_0007.mp4(") && words.contains("0:34"), "{words}");
    assert!(plain(&path).contains("2023-11-29%20IMG_0007.mp4)"));
    // The upper left field is red, and reaches to the middle.
    let page = Rendered::page(&path, 1);
    let (left, top, right, bottom) = page.bounds(RED, 50).unwrap();
    let (width, height) = (2.0 * (right - left), 2.0 * (bottom - top));
    assert!((width - 76.8).abs() < 3.0 && (height - 57.6).abs() < 3.0, "{width} × {height}");
    let disc = 0.4 * height;
    assert!(page.at(right, bottom).iter().all(|value| *value > 240), "the triangle");
    let beside = page.at(right - 0.3 * disc, bottom);
    assert!(beside.iter().all(|value| *value < 60), "the disc is {beside:?}");
}

#[test]
fn pictures_have_no_more_pixels_than_are_wanted() {
    let files = files();
    let path = write(files.path(), "large.jpg", &Canvas::new(2_000, 1_500, [30, 200, 30]).to_jpeg(95));
    let messages = [with_file(true, at(0, 0), local(path, "large.jpg", "image/jpeg"))];
    for (name, longest_edge, expect) in [
        ("usual", Some(1_600), "image 1600 1200 jpeg"),
        ("small", Some(300), "image 300 225 jpeg"),
        ("original", None, "image 2000 1500 jpeg"),
    ] {
        let document = DocumentOptions { longest_edge, ..DocumentOptions::default() };
        let options = WriterOptions { document, ..WriterOptions::default() };
        let path = export(&format!("edge-{name}"), &messages, 5, &options);
        qpdf_check(&path);
        assert_eq!(images(&path), [expect]);
    }
}

/// However large it is, and whichever bytes are behind its picture.
#[test]
fn a_film_is_not_read_whole() {
    let files = files();
    let path = write(files.path(), "long.mov", &fixture("hevc.mov"));
    let rest = 1_u32 << 31;
    let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    std::io::Write::write_all(&mut &file, &[&rest.to_be_bytes()[..], b"free"].concat()).unwrap();
    // Two gigabytes that take no place.
    file.set_len(length + u64::from(rest)).unwrap();
    let messages = [with_file(true, at(0, 0), local(path, "long.mov", "video/quicktime"))];
    let path = export("long-film", &messages, 5, &WriterOptions::default());
    assert_eq!(images(&path), ["image 96 128 jpeg"]);
}

#[test]
fn a_film_that_is_not_decoded_keeps_its_box() {
    let files = files();
    let other = Film { codec: *b"ap4h", ..Film::default() }.bytes();
    let mut cut = fixture("hevc.mov");
    cut.truncate(cut.len() - 400);
    let film = |name: &str, bytes: &[u8]| {
        with_file(false, at(0, 0), local(write(files.path(), name, bytes), name, "video/quicktime"))
    };
    let messages = [film("prores.mov", &other), film("cut.mov", &cut)];
    let path = export("film-boxes", &messages, 5, &WriterOptions::default());
    assert!(images(&path).is_empty());
    let words = bare(&extracted(&path));
    assert!(words.contains("prores.mov") && words.contains("cut.mov"), "{words}");
    assert_eq!(words.matches("damaged").count(), 1, "{words}");
    assert!(words.contains("thefilmisdamaged"), "{words}");
}

#[test]
fn an_animation_without_a_still_is_its_first_frame() {
    let files = files();
    let mut sequence = fixture("hevc.mov");
    let handler = sequence.windows(8).position(|window| window == b"mhlrvide").unwrap();
    sequence[handler + 4..handler + 8].copy_from_slice(b"pict");
    sequence[8..12].copy_from_slice(b"hevc");
    let path = write(files.path(), "dance.heics", &sequence);
    let messages = [with_file(true, at(0, 0), local(path, "dance.heics", "image/heic-sequence"))];
    let path = export("animation", &messages, 5, &WriterOptions::default());
    assert_eq!(images(&path), ["image 96 128 jpeg"]);
}

#[test]
fn a_live_photo_is_marked_and_leads_to_its_film() {
    let files = files();
    let path = write(files.path(), "IMG_1.jpg", &Canvas::new(640, 480, [30, 200, 30]).to_jpeg(80));
    let mut photo = local(path, "IMG_1.jpg", "image/jpeg");
    photo.motion = Some("attachments/Ana/2023-11-29 IMG_1.mov".into());
    let still = Attachment { motion: None, ..photo.clone() };
    let messages = [with_file(true, at(0, 0), photo), with_file(true, at(0, 0), still)];
    let path = export("live", &messages, 5, &WriterOptions::default());
    qpdf_check(&path);
    let words = bare(&extracted(&path));
    assert_eq!(words.matches("LIVE").count(), 1, "{words}");
    let plain = plain(&path);
    assert_eq!(plain.matches("(attachments/Ana/2023-11-29%20IMG_1.mov)").count(), 1);
    assert_eq!(plain.matches("2023-11-29%20IMG_1.jpg)").count(), 2);
}

/// A sticker of one color, `width` by `height`.
fn sticker(folder: &Path, width: u32, height: u32, placement: Option<Placement>) -> Tapback {
    let path = folder.join(format!("sticker-{width}x{height}.png"));
    let mut encoder = png::Encoder::new(fs::File::create(&path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels = MAGENTA.repeat((width * height) as usize);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    let facts = Sticker { placement, ..Sticker::default() };
    let picture = Attachment {
        sticker: true,
        sticker_facts: Some(Box::new(facts)),
        ..local(path, "sticker.png", "image/png")
    };
    Tapback {
        guid: None,
        part: 0,
        kind: TapbackKind::Sticker(Some(Box::new(picture))),
        from_me: false,
        sender: Some(ana()),
        date: at(0, 5),
        removed: false,
    }
}

fn placed(x: f64, y: f64, scale: f64, rotation: f64) -> Option<Placement> {
    Some(Placement { x, y, scale, rotation, parent_width: None })
}

const LONG: &str = "A message that is long enough to fill a few lines of its bubble, so that there is some room \
                    to put a sticker on it, in the middle or wherever somebody likes to put stickers on messages.";

#[test]
fn what_is_named_a_picture_and_is_none_says_so() {
    let files = files();
    for (name, mime, bytes, says) in [
        ("noise.jpg", "image/jpeg", &b"anything at all"[..], true),
        ("drawing.svg", "image/svg+xml", b"<svg/>", true),
        ("letter.pdf", "application/pdf", b"%PDF-1.4", false),
    ] {
        let path = write(files.path(), name, bytes);
        let message = with_file(false, at(0, 0), local(path, name, mime));
        let path = export(&format!("none-{name}"), &[message], 5, &WriterOptions::default());
        qpdf_check(&path);
        let words = bare(&extracted(&path));
        assert!(words.contains(&bare(name)), "{words}");
        assert_eq!(words.contains("nopictureofakindthatcanbeshownhere"), says, "{words}");
    }
}

/// A message of one green photo.
fn photo(folder: &Path) -> Message {
    let path = folder.join("photo.png");
    let mut encoder = png::Encoder::new(fs::File::create(&path).unwrap(), 400, 300);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&GREEN.repeat(400 * 300)).unwrap();
    with_file(true, at(0, 0), local(path, "photo.png", "image/png"))
}

#[test]
fn a_sticker_lies_where_it_was_put_on_a_picture() {
    let files = files();
    for (rotation, size) in [(0.0, (0.2, 0.1)), (std::f64::consts::FRAC_PI_2, (0.1, 0.2))] {
        let mut message = photo(files.path());
        message.tapbacks = vec![sticker(files.path(), 200, 100, placed(0.75, 0.5, 0.2, rotation))];
        let name = format!("sticker-{}", rotation as u32);
        let path = export(&name, &[message], 5, &WriterOptions::default());
        qpdf_check(&path);
        let page = Rendered::page(&path, 1);
        let (left, top, right, bottom) = page.bounds(GREEN, 1).unwrap();
        let (sticker_left, sticker_top, sticker_right, sticker_bottom) = page.bounds(MAGENTA, 1).unwrap();
        let center = ((sticker_left + sticker_right) / 2.0, (sticker_top + sticker_bottom) / 2.0);
        assert!((center.0 - (left + 0.75 * (right - left))).abs() < 1.5, "{center:?} in {left} to {right}");
        assert!((center.1 - (top + bottom) / 2.0).abs() < 1.5, "{center:?} in {top} to {bottom}");
        let (width, height) = (sticker_right - sticker_left, sticker_bottom - sticker_top);
        let size = (size.0 * (right - left), size.1 * (right - left));
        assert!((width - size.0).abs() < 1.5 && (height - size.1).abs() < 1.5, "{width} × {height}");
        let words = bare(&extracted(&path));
        assert!(words.contains("StickerbyAnaAbbott"), "{words}");
    }
}

/// On paper nobody can move it aside.
#[test]
fn a_sticker_on_words_hides_none_of_them() {
    let files = files();
    for words in [LONG, "No."] {
        let message = text(true, at(0, 0), words);
        let bare = export("no-sticker", std::slice::from_ref(&message), 5, &WriterOptions::default());
        let mut stuck = message;
        stuck.tapbacks = vec![sticker(files.path(), 100, 100, placed(0.5, 0.5, 0.3, 0.4))];
        let path = export("sticker-on-words", &[stuck], 5, &WriterOptions::default());
        let (bare, stuck) = (Rendered::page(&bare, 1), Rendered::page(&path, 1));
        assert!(stuck.bounds(MAGENTA, 1).is_some());
        let is_letter = |pixel: &[u8; 3]| pixel.iter().all(|value| *value < 90);
        let (left, top, right, bottom) = bare.bounds(BUBBLE, 1).unwrap();
        let mut letters = 0;
        for y in (top * 2.0) as usize..(bottom * 2.0) as usize {
            for x in (left * 2.0) as usize..(right * 2.0) as usize {
                let at = y * bare.width + x;
                if is_letter(&bare.rgb[at]) {
                    letters += 1;
                    assert!(is_letter(&stuck.rgb[at]), "hidden at {}, {}", x / 2, y / 2);
                }
            }
        }
        assert!(letters > 20, "{letters}");
    }
}

#[test]
fn a_sticker_without_a_place_is_at_the_corner_and_one_taken_back_is_not_there() {
    let files = files();
    let mut message = text(true, at(0, 0), LONG);
    message.tapbacks = vec![sticker(files.path(), 100, 100, None)];
    let path = export("sticker-corner", std::slice::from_ref(&message), 5, &WriterOptions::default());
    let page = Rendered::page(&path, 1);
    let (bubble, at_corner) = (page.bounds(BUBBLE, 1).unwrap(), page.bounds(MAGENTA, 1).unwrap());
    assert!(
        at_corner.0 < bubble.0 && at_corner.2 > bubble.0 && at_corner.1 < bubble.1 + 1.0,
        "{at_corner:?}"
    );
    message.tapbacks[0].removed = true;
    let path = export("sticker-removed", &[message], 5, &WriterOptions::default());
    assert!(images(&path).is_empty());
}

/// Wherever the pages end, each sticker is on the page of its bubble.
#[test]
fn stickers_are_on_the_pages_of_their_bubbles() {
    let files = files();
    let (photo, place) = (files.path().join("photo.jpg"), placed(0.5, 0.9, 0.2, 0.4));
    fs::write(&photo, Canvas::new(640, 400, [200, 200, 200]).to_jpeg(80)).unwrap();
    let messages: Vec<Message> = (0..60)
        .map(|number| {
            let message = match number % 3 {
                0 => with_file(true, at(0, number), local(photo.clone(), "photo.jpg", "image/jpeg")),
                1 => text(false, at(0, number), &"Several words on every line of it. ".repeat(9)),
                _ => text(true, at(0, number), "Yes"),
            };
            Message { tapbacks: vec![sticker(files.path(), 100, 100, place)], ..message }
        })
        .collect();
    let options = |jobs| WriterOptions { jobs, ..WriterOptions::default() };
    let path = export("sticker-pages", &messages, 60, &options(1));
    let again = export("sticker-pages-4", &messages, 7, &options(4));
    assert!(fs::read(&path).unwrap() == fs::read(again).unwrap());
    qpdf_check(&path);
    let text = extracted(&path);
    let pages: Vec<&str> = text.split('\u{c}').collect();
    assert!(pages.len() > 6);
    let plain = plain(&path);
    let sticker = {
        let object = plain.split("endobj").find(|o| o.contains("/Width 100\n")).unwrap();
        let number = object.lines().find(|line| line.ends_with(" 0 obj")).unwrap().split(' ').next().unwrap();
        let name =
            plain.lines().find(|line| line.ends_with(&format!(" {number} 0 R")) && line.contains("/I"));
        name.unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let drawn: Vec<usize> = plain
        .split("%% Contents for page ")
        .skip(1)
        .map(|page| page.split("endstream").next().unwrap().matches(&format!("{sticker} Do")).count())
        .collect();
    assert_eq!(drawn.iter().sum::<usize>(), 60, "{drawn:?}");
    for (page, drawn) in pages.iter().zip(drawn) {
        let named = page.matches("Sticker by").count();
        assert_eq!(named, drawn, "{page}");
    }
}

fn display_p3() -> Vec<u8> {
    moxcms::ColorProfile::new_display_p3().encode().unwrap()
}

fn jpeg_with(profile: &[u8], color: [u8; 3]) -> Vec<u8> {
    let jpeg = Canvas::new(320, 240, color).to_jpeg(95);
    let mut bytes = jpeg[..2].to_vec();
    // In two pieces, the second first.
    let (one, two) = profile.split_at(profile.len() / 2);
    for (number, piece) in [(2, two), (1, one)] {
        bytes.extend([0xff, 0xe2]);
        bytes.extend((piece.len() as u16 + 16).to_be_bytes());
        bytes.extend(b"ICC_PROFILE\0");
        bytes.extend([number, 2]);
        bytes.extend(piece);
    }
    bytes.extend(&jpeg[2..]);
    bytes
}

fn png_with(path: &Path, profile: &[u8], color: png::ColorType, pixel: &[u8]) {
    let mut info = png::Info::with_size(200, 100);
    info.icc_profile = Some(profile.to_vec().into());
    info.color_type = color;
    info.bit_depth = png::BitDepth::Eight;
    if color == png::ColorType::Indexed {
        info.palette = Some(vec![9, 9, 9, 200, 100, 50].into());
    }
    let encoder = png::Encoder::with_info(fs::File::create(path).unwrap(), info).unwrap();
    encoder.write_header().unwrap().write_image_data(&pixel.repeat(20_000)).unwrap();
}

#[test]
fn the_colors_of_a_profile_are_kept() {
    let files = files();
    // What the two matrices and the common curve make of it in sRGB.
    // Once: it says when it was made.
    let profile = display_p3();
    let (stored, seen) = ([200, 100, 50], [215, 93, 31]);
    let jpeg = write(files.path(), "p3.jpg", &jpeg_with(&profile, stored));
    let (rgb, indexed) = (files.path().join("rgb.png"), files.path().join("indexed.png"));
    png_with(&rgb, &profile, png::ColorType::Rgb, &stored);
    png_with(&indexed, &profile, png::ColorType::Indexed, &[1]);
    let plain_jpeg = write(files.path(), "plain.jpg", &Canvas::new(320, 240, stored).to_jpeg(95));
    for (name, path, color) in [
        ("p3-jpeg", &jpeg, seen),
        ("p3-png", &rgb, seen),
        ("p3-indexed", &indexed, seen),
        ("no-profile", &plain_jpeg, stored),
    ] {
        let picture = with_file(true, at(0, 0), local(path.clone(), "picture", "image/jpeg"));
        let pdf = export(name, &[picture], 5, &WriterOptions::default());
        qpdf_check(&pdf);
        let (left, top, right, bottom) = Rendered::page(&pdf, 1).bounds(color, 4).unwrap();
        assert!(right - left > 100.0 && bottom - top > 50.0, "{name}");
        let icc = run("pdfimages", &["-list", pdf.to_str().unwrap()]);
        assert_eq!(icc.contains(" icc "), name == "p3-jpeg" || name == "p3-png", "{icc}");
    }

    // One profile for all three, whatever the workers do.
    let messages: Vec<Message> = [&jpeg, &rgb, &indexed]
        .into_iter()
        .map(|path| with_file(true, at(0, 0), local(path.clone(), "picture", "image/png")))
        .collect();
    let options = |jobs| WriterOptions { jobs, ..WriterOptions::default() };
    let one = export("p3-all", &messages, 3, &options(1));
    let many = export("p3-all-4", &messages, 1, &options(4));
    assert!(fs::read(&one).unwrap() == fs::read(many).unwrap());
    let plain = plain(&one);
    let profiles = plain.split("endobj").filter(|object| object.contains("/Alternate /DeviceRGB"));
    assert_eq!(profiles.count(), 1);
    assert_eq!(plain.matches("/ICCBased").count(), 3);
}

/// A profile of other channels, of no known kind, or cut off is left out, and the picture is there.
#[test]
fn a_profile_that_is_none_is_left_out() {
    let files = files();
    let gray = moxcms::ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    let p3 = display_p3();
    let broken = [vec![7; 400], p3[..p3.len() - 9].to_vec(), gray];
    let messages: Vec<Message> = (0..)
        .zip(&broken)
        .map(|(number, profile)| {
            let bytes = jpeg_with(profile, [200, 100, 50 + number]);
            let path = write(files.path(), &format!("{number}.jpg"), &bytes);
            with_file(true, at(0, 0), local(path, "picture.jpg", "image/jpeg"))
        })
        .collect();
    let path = export("no-profiles", &messages, 3, &WriterOptions::default());
    qpdf_check(&path);
    assert_eq!(images(&path).len(), 3);
    assert_eq!(plain(&path).matches("/ICCBased").count(), 0);
}

/// Between pictures there are lines of nothing; what was said of them is said of something.
#[test]
fn tapbacks_on_white_space_are_not_lost() {
    let files = files();
    let path = write(files.path(), "photo.jpg", &Canvas::new(64, 48, [30, 200, 30]).to_jpeg(80));
    let mut message = with_file(true, at(0, 0), local(path, "photo.jpg", "image/jpeg"));
    message.parts.push(Part { index: 1, content: PartContent::Text { text: "\n".into(), styles: vec![] } });
    let tapback = |part, kind| Tapback {
        guid: None,
        part,
        kind,
        from_me: false,
        sender: Some(ana()),
        date: at(0, 5),
        removed: false,
    };
    message.tapbacks = vec![tapback(0, TapbackKind::Loved), tapback(1, TapbackKind::Laughed)];
    let path = export("white-space", &[message], 5, &WriterOptions::default());
    let words = bare(&extracted(&path));
    assert!(words.contains("LovedbyAnaAbbott") && words.contains("LaughedatbyAnaAbbott"), "{words}");
}

#[test]
fn a_card_shows_the_pictures_of_its_payload() {
    let picture = |bytes: Vec<u8>| {
        Value::Map(vec![("role".into(), Value::Text("image".into())), ("bytes".into(), Value::Bytes(bytes))])
    };
    let pictures = vec![
        picture(Canvas::new(640, 480, [30, 200, 30]).to_jpeg(80)),
        picture(b"no picture".to_vec()),
        picture(Canvas::new(64, 64, [250, 0, 250]).to_jpeg(80)),
    ];
    let mut message = text(true, at(0, 0), "https://example.com");
    message.parts = vec![Part { index: 0, content: PartContent::Balloon }];
    message.balloon = Some(Box::new(Balloon {
        kind: BalloonKind::Url,
        title: Some("A page".into()),
        url: Some("https://example.com".into()),
        data: vec![("pictures", Value::List(pictures))],
        ..Balloon::default()
    }));
    let options = |jobs| WriterOptions { jobs, ..WriterOptions::default() };
    let messages = [message.clone(), message];
    let path = export("card-pictures", &messages, 5, &options(1));
    let again = export("card-pictures-4", &messages, 1, &options(4));
    assert!(fs::read(&path).unwrap() == fs::read(again).unwrap());
    qpdf_check(&path);
    let mut images = images(&path);
    images.sort();
    images.dedup();
    assert_eq!(images, ["image 64 64 jpeg", "image 640 480 jpeg"]);
    let page = Rendered::page(&path, 1);
    assert!(page.bounds([30, 200, 30], 4).is_some() && page.bounds(MAGENTA, 8).is_some());
}

/// Through the whole program: a film sent twice, one that is cut off, a Live Photo and a sticker on it.
#[test]
fn an_export_with_films_is_the_same_for_any_number_of_jobs() {
    let program = Program::new();
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let film = fixture("hevc.mov");
    for (minute, (name, bytes)) in [
        ("IMG_1.mov", film.clone()),
        ("IMG_2.mov", film.clone()),
        ("cut.mov", film[..film.len() - 400].to_vec()),
    ]
    .into_iter()
    .enumerate()
    {
        let file = library.attachment(name).bytes(bytes).id();
        library.message(chat).from(ana).at(&format!("2024-05-01T11:{minute:02}:00Z")).attachment(file);
    }
    let photo = Canvas::new(640, 480, [30, 200, 30]);
    let photo = library.attachment("IMG_3.JPG").bytes(photo.to_jpeg(80)).beside("IMG_3.MOV", film).id();
    let photo = library.message(chat).from(ana).at("2024-05-01T11:10:00Z").attachment(photo).id();
    let mark = Canvas::new(80, 80, MAGENTA).to_png();
    let mark = library.attachment("sticker.png").bytes(mark).sticker("com.example.pack", 0.5, 0.5).id();
    library.message(chat).from_me().at("2024-05-01T11:11:00Z").tapback(photo, Reaction::Placed(mark));
    let source = library.write(program.path());
    let export = |jobs: &str, mode: &str| {
        let out = program.path().join(format!("out-{mode}-{jobs}"));
        let arguments = ["export", "--format", "pdf", "--attachments", mode, "--jobs", jobs, "-s"];
        let places = [source.to_str().unwrap(), "--no-cover", "--no-index", "--out", out.to_str().unwrap()];
        // The film that is cut off is reported.
        program.run(&[&arguments[..], &places].concat()).with_code(3);
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
        let defects = manifest["defects"].as_array().unwrap();
        assert_eq!(defects.len(), 1, "{defects:?}");
        assert_eq!(defects[0]["what"], "cut.mov: the film is damaged");
        let mut files = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "pdf")).unwrap()
    };
    for mode in ["copy", "none"] {
        let pdf = export("1", mode);
        assert!(fs::read(&pdf).unwrap() == fs::read(export("3", mode)).unwrap());
        qpdf_check(&pdf);
        let mut images = images(&pdf);
        images.sort();
        images.dedup();
        assert_eq!(images, ["image 640 480 jpeg", "image 80 80 image", "image 96 128 jpeg"]);
        assert_eq!(plain(&pdf).matches("IMG_3.mov)").count(), usize::from(mode == "copy"), "{mode}");
        let page = Rendered::page(&pdf, 1);
        let (photo, sticker) = (page.bounds([30, 200, 30], 6).unwrap(), page.bounds(MAGENTA, 2).unwrap());
        assert!(sticker.0 > photo.0 && sticker.1 > photo.1 && sticker.2 < photo.2 && sticker.3 < photo.3);
    }
}
