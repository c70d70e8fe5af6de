//! Pictures of every kind through a whole export: in the PDF with their colors, and converted beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use heifer::EncodeOptions;
use msgarchive::media::still::decode;
use msgarchive::media::{Pixels, still};
use serde_json::Value;

use crate::program::Program;
use crate::support::{Library, Schema};

const QUALITY: EncodeOptions = EncodeOptions { quality: 90, max_threads: 1 };

/// Red above, blue below; the blue is clear to `alpha`.
fn flag(width: u32, height: u32, alpha: u8) -> Vec<u8> {
    let half = (width * height / 2) as usize;
    [[210, 40, 40, 255].repeat(half), [30, 60, 200, alpha].repeat(half)].concat()
}

fn heic(width: u32, height: u32, alpha: u8) -> Vec<u8> {
    heifer::encode_rgba8(width, height, &flag(width, height, alpha), &QUALITY).unwrap()
}

fn gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 60, 40, &[210, 40, 40, 30, 60, 200]).unwrap();
    for first in [0, 1] {
        let pixels = [vec![first; 1_200], vec![1 - first; 1_200]].concat();
        encoder.write_frame(&gif::Frame::from_indexed_pixels(60, 40, pixels, None)).unwrap();
    }
    drop(encoder);
    bytes
}

fn cmyk() -> Vec<u8> {
    let mut bytes = Vec::new();
    let inks = [[0, 215, 215, 45].repeat(1_200), [215, 180, 0, 40].repeat(1_200)].concat();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.encode(&inks, 60, 40, jpeg_encoder::ColorType::Cmyk).unwrap();
    bytes
}

fn webp() -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image_webp::WebPEncoder::new(&mut bytes);
    encoder.encode(&flag(60, 40, 255), 60, 40, image_webp::ColorType::Rgba8).unwrap();
    bytes
}

/// A conversation with one of each.
fn library(program: &Program) -> PathBuf {
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let photo = heic(2_000, 1_200, 255);
    let mut cut = heic(200, 120, 255);
    cut.truncate(cut.len() * 2 / 3);
    let files = [
        ("IMG_0001.heic", photo.clone()),
        // The same once more, under a name that lies.
        ("IMG_0001.jpg", photo),
        ("IMG_0002.heic", cut),
        ("cat.gif", gif()),
        ("dog.webp", webp()),
        ("print.jpg", cmyk()),
        ("new.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif".to_vec()),
        ("notes.heic", b"not a picture at all".to_vec()),
    ];
    for (minute, (name, bytes)) in files.into_iter().enumerate() {
        let file = library.attachment(name).bytes(bytes).id();
        let at = format!("2024-05-01T11:{minute:02}:00Z");
        library.message(chat).from(ana).at(&at).attachment(file);
    }
    let sticker = library.attachment("sticker.heic").bytes(heic(300, 200, 0)).sticker("app", 0.5, 0.5).id();
    library.message(chat).from(ana).at("2024-05-01T12:00:00Z").attachment(sticker);
    library.write(program.path())
}

/// Exports; the files of the folder by their paths.
fn export(program: &Program, source: &Path, jobs: &str, mode: &str) -> (PathBuf, BTreeMap<String, Vec<u8>>) {
    let out = program.path().join(format!("out-{mode}-{jobs}"));
    let (source, folder) = (source.to_str().unwrap(), out.to_str().unwrap());
    let format = ["export", "--format", "pdf,jsonl", "--attachments", mode, "--jobs", jobs];
    let said = program.run(&[&format[..], &["-s", source, "--out", folder]].concat()).with_code(3);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    let mut files = BTreeMap::new();
    let mut folders = vec![out.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&out).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    (out, files)
}

fn run(tool: &str, args: &[&str]) -> String {
    let output = Command::new(tool).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{tool} is needed for this test: {error}"));
    assert!(output.status.success(), "{tool} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn pdf(out: &Path) -> PathBuf {
    let mut entries = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.extension().is_some_and(|e| e == "pdf")).unwrap()
}

/// Red above, blue below.
#[track_caller]
fn is_flag(pixels: &Pixels, by: u8) {
    let at = |y: u32| (y * pixels.width + pixels.width / 2) as usize * 4;
    for (y, color) in [(pixels.height / 4, [210, 40, 40]), (pixels.height * 3 / 4, [30, 60, 200])] {
        let got = &pixels.rgba[at(y)..at(y) + 3];
        assert!(got.iter().zip(color).all(|(a, b)| a.abs_diff(b) <= by), "{got:?} for {color:?}");
    }
}

#[test]
fn every_picture_is_in_the_pdf_with_its_colors() {
    let program = Program::new();
    let source = library(&program);
    let (out, _) = export(&program, &source, "2", "copy");
    let path = pdf(&out);
    let said = run("qpdf", &["--check", path.to_str().unwrap()]);
    assert!(said.contains("No syntax or stream encoding errors found"), "{said}");

    // The photo is there once, smaller, then GIF, WebP and the four inks as three colors, the sticker and its mask.
    let list = run("pdfimages", &["-list", path.to_str().unwrap()]);
    let rows: Vec<Vec<&str>> = list.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    let mut seen: Vec<String> =
        rows.iter().map(|row| [row[2], row[3], row[4], row[5], row[8]].join(" ")).collect();
    seen.sort();
    seen.dedup();
    let expected = [
        "image 1600 960 rgb jpeg",
        "image 300 200 rgb image",
        "image 60 40 rgb jpeg",
        "smask 300 200 gray image",
    ];
    assert_eq!(seen, expected, "{list}");
    let objects: std::collections::BTreeSet<&str> =
        rows.iter().filter(|row| row[3] == "1600").map(|row| row[10]).collect();
    assert_eq!(objects.len(), 1, "{list}");

    let prefix = program.path().join("picture");
    run("pdfimages", &["-png", path.to_str().unwrap(), prefix.to_str().unwrap()]);
    let mut pictures = 0;
    for row in rows.iter().filter(|row| row[2] == "image" && row[3] != "300") {
        let number: usize = row[1].parse().unwrap();
        let file = format!("{}-{number:03}.png", prefix.display());
        is_flag(&decode(&fs::read(&file).unwrap(), None).unwrap(), if row[3] == "60" { 30 } else { 6 });
        pictures += 1;
    }
    // The photo is listed on its page once for each time it is drawn, or once.
    assert!(pictures >= 4, "{list}");

    let text =
        run("pdftotext", &["-raw", path.to_str().unwrap(), "-"]).split_whitespace().collect::<String>();
    for words in ["thepictureisdamaged", "AVIFimagescannotbeshownhere", "notes.heic", "IMG_0002.heic"] {
        assert!(text.contains(words), "{words} is not in the text:\n{text}");
    }
}

#[test]
fn what_is_damaged_is_reported_and_what_is_foreign_is_not() {
    let program = Program::new();
    let source = library(&program);
    let (_, files) = export(&program, &source, "1", "copy");
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let defects: Vec<&str> =
        manifest["defects"].as_array().unwrap().iter().map(|d| d["what"].as_str().unwrap()).collect();
    assert_eq!(defects, ["IMG_0002.heic: the picture is damaged"]);
}

#[test]
fn converted_copies_lie_beside_their_originals() {
    let program = Program::new();
    let source = library(&program);
    let (out, files) = export(&program, &source, "1", "convert");
    let (_, again) = export(&program, &source, "3", "convert");
    assert_eq!(files.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in &files {
        assert!(again[name] == *bytes, "{name} differs");
    }

    let lines = files.iter().find(|(name, _)| name.ends_with("].jsonl")).unwrap().1;
    let attachments: Vec<Value> = String::from_utf8_lossy(lines)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["attachments"][0].clone())
        .collect();
    let converted: Vec<(&str, Option<&str>)> = attachments
        .iter()
        .map(|a| (a["name"].as_str().unwrap(), a.get("converted").map(|path| path.as_str().unwrap())))
        .map(|(name, path)| (name, path.map(|path| path.rsplit_once('/').unwrap().1)))
        .collect();
    let expected = [
        ("IMG_0001.heic", Some("2024-05-01 IMG_0001.jpg")),
        ("IMG_0001.jpg", Some("2024-05-01 IMG_0001 (2) (2).jpg")),
        ("IMG_0002.heic", None),
        ("cat.gif", None),
        ("dog.webp", None),
        ("print.jpg", None),
        ("new.avif", None),
        ("notes.heic", None),
        ("sticker.heic", Some("2024-05-01 sticker.png")),
    ];
    assert_eq!(converted, expected);

    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest["options"]["attachments"], "convert");
    let listed = manifest["files"].as_array().unwrap();
    for path in attachments.iter().filter_map(|a| a.get("converted")) {
        let bytes = &files[path.as_str().unwrap()];
        let row = listed.iter().find(|file| file["path"] == *path).unwrap();
        assert_eq!(row["bytes"], bytes.len());
        let hash = msgarchive::disk::hash_file(&out.join(path.as_str().unwrap())).unwrap().sha256;
        assert_eq!(row["sha256"], msgarchive::disk::hexadecimal(&hash));
        let pixels = decode(bytes, None).unwrap();
        is_flag(&Pixels { opaque: true, ..pixels.clone() }, if pixels.opaque { 6 } else { 255 });
        let kind = still::kind(bytes).unwrap();
        match kind {
            still::Kind::Jpeg => assert_eq!((pixels.width, pixels.height), (2_000, 1_200)),
            _ => assert_eq!((pixels.width, pixels.opaque, kind), (300, false, still::Kind::Png)),
        }
        let modified = fs::metadata(out.join(path.as_str().unwrap())).unwrap().modified().unwrap();
        let day = chrono::DateTime::<chrono::Utc>::from(modified).format("%Y-%m-%d %H").to_string();
        assert!(day.starts_with("2024-05-01 1"), "{day}");
    }
    let defects: Vec<&str> =
        manifest["defects"].as_array().unwrap().iter().map(|d| d["what"].as_str().unwrap()).collect();
    let expected = [
        "IMG_0002.heic: the picture is damaged",
        "the attachment IMG_0002.heic was not converted: the picture is damaged",
    ];
    assert_eq!(defects, expected);
}
