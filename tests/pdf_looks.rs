//! PDF on every paper, in every size and theme.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use msgarchive::model::{Conversation, ConversationKind, Message, Sender, Tapback, TapbackKind};
use msgarchive::writers::WriterOptions;
use msgarchive::writers::pdf::{Paper, PdfOptions, Theme};

use crate::export_pdf::{
    at, conversation, everything, export, export_of, extracted, files, plain, qpdf_check, run, text,
};
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
                let words_there = extracted(&path);
                let found: BTreeSet<&str> = words_there.split_whitespace().collect();
                for words in [
                    "Are you free this weekend? The weather is said to be lovely 🌞",
                    "and one after an empty one",
                    "The minutes of the general assembly of last year, final",
                    "before: “Let us take the trian at 10:20.”",
                    "The ten finest walks along the coast",
                ] {
                    // A page may end between any two of them.
                    let lost: Vec<_> = words.split(' ').filter(|word| !found.contains(word)).collect();
                    assert!(
                        lost.is_empty(),
                        "{file}: {lost:?} of {words} are not in the text:\n{words_there}"
                    );
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

#[test]
fn the_last_line_is_never_alone_on_a_page() {
    let mut pages = BTreeSet::new();
    for count in 12..30 {
        let messages: Vec<_> = (0..count).map(|i| text(i % 2 == 0, at(0, i), "said before")).collect();
        let path = export(&format!("last-line-{count}"), &messages, 5, &WriterOptions::default());
        let told = run("pdfinfo", &[path.to_str().unwrap()]);
        let last = told.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().to_owned();
        let said = run("pdftotext", &["-f", &last, "-l", &last, path.to_str().unwrap(), "-"]);
        assert!(said.contains(&format!("{count} messages, 28 November 2023")), "{said}");
        assert!(said.contains("said before"), "{count}: {said}");
        pages.insert(last);
    }
    // Where a page was full was met.
    assert!(pages.len() > 1, "{pages:?}");
}

#[test]
fn the_days_of_a_page_are_whole_on_the_smallest_paper() {
    let far: Vec<_> = [0, 300].map(|day| text(false, at(day, 0), "Merry Christmas")).into();
    let long = Conversation { title: "Everybody from the old harbor, and their children".into(), ..group() };
    let pdf = PdfOptions { paper: Paper::A5, theme: Theme::Compact, ..PdfOptions::default() };
    let path = export_of(&long, "days-whole", &far, 2, &options(pdf));
    let said = run("pdftotext", &["-layout", path.to_str().unwrap(), "-"]);
    assert!(said.contains("28 November 2023 to 23 September 2024"), "{said}");
    assert!(said.contains("Everybody from the old har"), "{said}");
}

/// Red, green and blue of every color that a file sets, in its pages and not in pictures.
fn colors(path: &Path) -> Vec<[f32; 3]> {
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
    let messages: Vec<_> = (0..30).map(|i| text(i % 2 == 0, at(0, i), "Black on white")).collect();
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

/// A word and where it is: page, left edge, upper and lower edge.
#[derive(Debug)]
struct Word {
    page: usize,
    x: f32,
    top: f32,
    bottom: f32,
    text: String,
}

fn words(path: &Path) -> Vec<Word> {
    let mut page = 0;
    let mut found = Vec::new();
    for line in run("pdftotext", &["-bbox", path.to_str().unwrap(), "-"]).lines() {
        page += usize::from(line.contains("<page "));
        if let Some((_, word)) = line.split_once("<word ") {
            let value = |name: &str| {
                let (_, rest) = word.split_once(&format!("{name}=\"")).unwrap();
                rest.split('"').next().unwrap().parse().unwrap()
            };
            let text = word.split('>').nth(1).unwrap().trim_end_matches("</word").to_owned();
            found.push(Word { page, x: value("xMin"), top: value("yMin"), bottom: value("yMax"), text });
        }
    }
    found
}

fn group() -> Conversation {
    Conversation { kind: ConversationKind::Group, title: "Lunch".into(), ..conversation() }
}

fn said_by(name: &str, minute: i64, words: &str) -> Message {
    let sender = Sender { handle: None, name: Some(name.into()) };
    Message { sender: Some(Arc::new(sender)), ..text(false, at(0, minute), words) }
}

fn looking(conversation: &Conversation, name: &str, messages: &[Message], theme: Theme) -> Vec<Word> {
    let pdf = PdfOptions { theme, font_size: theme.usual_font_size(), ..PdfOptions::default() };
    words(&export_of(conversation, name, messages, 2, &options(pdf)))
}

#[test]
fn initials_stand_beside_the_last_bubble_of_who_speaks_in_a_group() {
    let messages = [
        said_by("Zoe Quill", 0, "first"),
        said_by("Zoe Quill", 1, "second"),
        said_by("Yan", 2, "third"),
        text(true, at(0, 3), "fourth"),
        said_by("Zoe Quill", 4, "fifth"),
    ];
    let found = looking(&group(), "initials", &messages, Theme::Messages);
    let beside = |word: &str, initials: &str| {
        let word = found.iter().find(|w| w.text == word).unwrap();
        let middle = (word.top + word.bottom) / 2.0;
        found
            .iter()
            .any(|w| w.text == initials && w.x < word.x && w.top < middle + 6.0 && w.bottom > middle - 2.0)
    };
    assert!(beside("second", "ZQ") && beside("third", "Y") && beside("fifth", "ZQ"), "{found:?}");
    assert!(!beside("first", "ZQ"), "{found:?}");
    assert_eq!(found.iter().filter(|w| w.text == "ZQ").count(), 2);
    let direct = looking(&conversation(), "no-initials", &messages, Theme::Messages);
    assert!(direct.iter().all(|w| w.text != "ZQ"), "{direct:?}");
}

#[test]
fn a_list_has_columns_and_many_messages_a_page() {
    let messages: Vec<_> = (0..200)
        .map(|i| match i % 3 {
            0 => text(true, at(0, i), "mine"),
            _ => text(false, at(0, i), "theirs"),
        })
        .collect();
    let list = looking(&conversation(), "list", &messages, Theme::Compact);
    let said: Vec<_> = list.iter().filter(|w| w.text == "mine" || w.text == "theirs").collect();
    assert_eq!(said.len(), 200);
    assert!(said.iter().all(|word| (word.x - said[0].x).abs() < 0.2), "{said:?}");
    let times: Vec<_> = list.iter().filter(|w| w.text.len() == 5 && w.text.contains(':')).collect();
    assert_eq!(times.len(), 200);
    assert!(times.iter().all(|time| (time.x - times[0].x).abs() < 0.2 && time.x < said[0].x), "{times:?}");
    // The name once for each time that somebody else speaks.
    let ana = list.iter().find(|w| w.text == "Ana" && w.x > times[0].x + 10.0).unwrap();
    assert_eq!(list.iter().filter(|w| w.text == "Ana" && (w.x - ana.x).abs() < 0.2).count(), 67);
    let bubbles = looking(&conversation(), "bubbles", &messages, Theme::Messages);
    assert!(list.last().unwrap().page * 5 < bubbles.last().unwrap().page * 2);
}

#[test]
fn services_are_told_apart_in_words_and_by_corners() {
    let over = |service: &str, minute| Message {
        service: Some(service.into()),
        ..text(true, at(0, minute), "said")
    };
    let messages =
        [over("iMessage", 0), over("SMS", 1), over("SMS", 2), over("iMessageLite", 3), over("RCS", 4)];
    for theme in [Theme::Messages, Theme::Plain, Theme::Compact] {
        let pdf = PdfOptions { theme, ..PdfOptions::default() };
        let path = export(&format!("services-{theme:?}"), &messages, 5, &options(pdf));
        let page = extracted(&path).split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["Me · SMS", "Me · iMessage via satellite", "Me · RCS"] {
            assert_eq!(page.matches(words).count(), 1, "{theme:?} {words}: {page}");
        }
    }
    // The line around a bubble is as thick as its corners are round, twice.
    let pdf = PdfOptions { theme: Theme::Messages, ..PdfOptions::default() };
    let plain = plain(&export("corners", &messages, 5, &options(pdf)));
    let corners = |width: &str| plain.lines().filter(|line| *line == width).count();
    assert_eq!((corners("22 w"), corners("10 w")), (2, 2), "{plain}");
}

#[test]
fn the_time_is_said_after_a_pause() {
    let messages =
        [text(true, at(0, 0), "before"), text(true, at(0, 59), "near"), text(true, at(0, 120), "after")];
    let found = looking(&conversation(), "pause", &messages, Theme::Messages);
    let mut times: Vec<&str> =
        found.iter().map(|w| w.text.as_str()).filter(|text| text.len() == 5 && text.contains(':')).collect();
    times.sort_unstable();
    assert_eq!(times, ["09:00", "09:59", "11:00", "11:00"]);
    let middle = found.iter().find(|w| w.text == "11:00").unwrap().x;
    assert!((280.0..300.0).contains(&middle), "{found:?}");
}

#[test]
fn everybody_who_put_a_tapback_is_named_at_the_bubble() {
    let names: Vec<String> = (0..30).map(|i| format!("Person{i} Number{i}")).collect();
    let mut loved = said_by("Zoe Quill", 0, "Loved");
    loved.tapbacks = names
        .iter()
        .map(|name| Tapback {
            guid: None,
            part: 0,
            kind: TapbackKind::Loved,
            from_me: false,
            sender: Some(Arc::new(Sender { handle: None, name: Some(name.clone()) })),
            date: at(0, 1),
            removed: false,
        })
        .collect();
    for theme in [Theme::Messages, Theme::Plain, Theme::Compact] {
        let found = looking(&group(), "tapbacks", &[loved.clone()], theme);
        let said = found.iter().find(|w| w.text == "Loved").unwrap();
        for i in 0..30 {
            let name = found.iter().find(|w| w.text.trim_end_matches(',') == format!("Number{i}")).unwrap();
            assert!(name.page == said.page && name.top > said.top, "{theme:?} {name:?} {said:?}");
        }
    }
}
