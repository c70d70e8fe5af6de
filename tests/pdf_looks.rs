//! PDF on every paper, in every size and theme.

use std::collections::BTreeSet;

use msgarchive::writers::WriterOptions;
use msgarchive::writers::pdf::{Paper, PdfOptions, Theme};

use crate::export_pdf::{everything, export, extracted, files, plain, qpdf_check, run};
use crate::program::Program;

fn options(pdf: PdfOptions) -> WriterOptions {
    WriterOptions { pdf, ..WriterOptions::default() }
}

#[test]
fn every_paper_theme_and_size_shows_everything() {
    let files = files();
    let messages = everything(files.path());
    for (name, paper) in Paper::NAMES {
        for (word, theme) in Theme::NAMES {
            for font_size in [6.0, 10.0, 24.0] {
                let pdf = PdfOptions { paper: *paper, theme: *theme, font_size, ..PdfOptions::default() };
                let file = format!("look-{name}-{word}-{font_size}");
                let path = export(&file, &messages, 5, &options(pdf));
                qpdf_check(&path);
                let text = extracted(&path);
                let found: BTreeSet<&str> = text.split_whitespace().collect();
                for words in [
                    "Are you free this weekend? The weather is said to be lovely 🌞",
                    "and one after an empty one",
                    "The minutes of the general assembly of last year, final",
                    "before: “Let us take the trian at 10:20.”",
                    "The ten finest walks along the coast",
                ] {
                    // A page may end between any two of them.
                    let lost: Vec<_> = words.split(' ').filter(|word| !found.contains(word)).collect();
                    assert!(lost.is_empty(), "{file}: {lost:?} of {words} are not in the text:\n{text}");
                }
            }
        }
    }
}

#[test]
fn paper_is_what_was_asked_for() {
    let files = files();
    let messages = everything(files.path());
    for (paper, size) in [
        (Paper::A4, "595.28 x 841.89 pts (A4)"),
        (Paper::Letter, "612 x 792 pts (letter)"),
        (Paper::A5, "419.53 x 595.28 pts"),
    ] {
        let pdf = PdfOptions { paper, ..PdfOptions::default() };
        let path = export(&format!("paper-{paper:?}"), &messages, 5, &options(pdf));
        let said = run("pdfinfo", &[path.to_str().unwrap()]);
        assert!(said.contains(size), "{said}");
    }
}

/// Red, green and blue of every color that a file sets, in its pages and not in pictures.
fn colors(path: &std::path::Path) -> Vec<[f32; 3]> {
    let plain = plain(path);
    let set = plain.lines().filter(|line| line.ends_with(" rg") || line.ends_with(" RG"));
    set.map(|line| {
        let mut parts = line.split(' ').filter_map(|part| part.parse().ok());
        std::array::from_fn(|_| parts.next().unwrap())
    })
    .collect()
}

#[test]
fn plain_is_black_and_white() {
    let messages: Vec<_> = (0..30)
        .map(|i| crate::export_pdf::text(i % 2 == 0, crate::export_pdf::at(0, i), "Black on white"))
        .collect();
    let pdf = PdfOptions { theme: Theme::Plain, ..PdfOptions::default() };
    let path = export("plain", &messages, 5, &options(pdf));
    let found = colors(&path);
    assert!(!found.is_empty());
    assert!(found.iter().all(|[r, g, b]| r == g && g == b), "{found:?}");
    assert!(
        colors(&export("colors", &messages, 5, &WriterOptions::default())).iter().any(|[r, _, b]| r != b)
    );
}

#[test]
fn what_is_for_pdf_only_wants_a_pdf() {
    let program = Program::new();
    for option in [["--paper", "a5"], ["--theme", "plain"], ["--font-size", "12"]] {
        let ran = program.run(&[&["export", "--sample", "-f", "txt,csv"][..], &option].concat()).with_code(2);
        let flowing = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        let said =
            format!("{} is for PDF, which is not among the formats: say --format txt,csv,pdf", option[0]);
        assert!(flowing.contains(&said), "{flowing}");
        program.run(&[&["export", "--sample", "-f", "txt,pdf"][..], &option].concat()).with_code(0);
        let manifest =
            std::fs::read_to_string(program.path().join("msgarchive-export/manifest.json")).unwrap();
        assert!(manifest.contains(&format!("\"{}\":\"{}\"", &option[0][2..], option[1])), "{manifest}");
    }
    for size in ["5", "25", "NaN", "large"] {
        let ran = program.run(&["export", "--sample", "-f", "pdf", "--font-size", size]).with_code(2);
        assert!(ran.err.contains("a number of points from 6 to 24"), "{}", ran.err);
    }
}
