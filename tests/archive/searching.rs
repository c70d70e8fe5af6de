//! Searching an archive.

use std::collections::BTreeSet;
use std::fs;

use rusqlite::params;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::Schema;
use crate::support::keyed::SummaryInfo;
use crate::support::typedstream::AttributedString;

const START: i64 = 700_000_000;

fn prepared(program: &Program) -> Device {
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let said = [
        ("A", "The lake house is ours for June"),
        ("B", "Un café crème, s'il vous plaît"),
        ("C", "明日東京都で会いましょう"),
        ("D", "Party 🎉🎉 tonight!"),
        ("E", "houses by the lake"),
        ("F", "Приветствую тебя"),
        ("G", "پیام فارسی"),
        ("H", "NEAR \"quoted\" -minus* (parens)"),
    ];
    for (at, (guid, text)) in said.into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, text);
    }
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    mac
}

fn found(program: &Program, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["search", "archive", "--json"], arguments].concat();
    let hits: Value = serde_json::from_str(&program.run(&arguments).with_code(0).out).unwrap();
    let hits = hits["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["guid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn words_are_found_in_every_script() {
    let program = Program::new();
    prepared(&program);
    let find = |text: &str| found(&program, &[text]);
    assert_eq!(find("lake house"), ["E", "A"]);
    assert_eq!(find("\"lake house\""), ["A"]);
    assert_eq!(find("HOUSE june"), ["A"]);
    assert_eq!(find("cafe plait"), ["B"]);
    assert_eq!(find("東京"), ["C"]);
    assert_eq!(find("京"), ["C"]);
    assert_eq!(find("京東"), [""; 0]);
    assert_eq!(find("🎉 tonight"), ["D"]);
    assert_eq!(find("привет"), ["F"]);
    assert_eq!(find("پیام"), ["G"]);
    assert_eq!(find("minus* OR \"quoted\" (parens"), [""; 0]);
    assert_eq!(find("\"quoted\" -minus* (parens)"), ["H"]);
    // Nothing that is a word.
    for nothing in ["", "*", "!!!", "\"\""] {
        let ran = program.run(&["search", "archive", nothing]).with_code(2);
        assert!(ran.err.contains("there is no word to search for"), "{}", ran.err);
    }
}

/// ß is ss, and letters of other shapes are those that people type; whichever of both was written.
#[test]
fn words_are_found_whatever_their_case_and_shape() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let said = [
        ("STREET", "Die Straße ist groß"),
        ("SWISS", "die grosse Strasse"),
        ("CAPITAL", "DIE GROẞE"),
        ("LIGATURE", "our oﬃce"),
        ("WIDE", "ＡＢＣ １２"),
        ("TURKISH", "İstanbul ışık"),
    ];
    for (at, (guid, text)) in said.into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, text);
    }
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    let find = |text: &str| found(&program, &[text]);
    for typed in ["straße", "strasse", "STRASSE", "STRAẞE", "strass"] {
        assert_eq!(find(typed), ["SWISS", "STREET"], "{typed}");
    }
    for typed in ["groß", "gross", "GROSS"] {
        assert_eq!(find(typed), ["CAPITAL", "SWISS", "STREET"], "{typed}");
    }
    assert_eq!((find("office"), find("oﬃce")), (vec!["LIGATURE".to_owned()], vec!["LIGATURE".to_owned()]));
    assert_eq!(
        (find("abc 12"), find("istanbul isik")),
        (vec!["WIDE".to_owned()], vec!["TURKISH".to_owned()])
    );
}

/// How many there are is said, also of those that are not shown; and filters count.
#[test]
fn how_many_there_are_is_said() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for number in 0..60 {
        mac.receive(&format!("N{number}"), 0, START + number, "once more");
    }
    mac.run("UPDATE message SET is_spam = 1 WHERE guid IN ('N1', 'N2')", []);
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    let run = |more: &[&str]| program.run(&[&["search", "archive", "more"], more].concat()).with_code(0).out;
    let last = |more: &[&str]| run(more).lines().last().unwrap().to_owned();
    assert_eq!(last(&[]), "50 of 60 messages (--limit shows more)");
    assert_eq!(last(&["--limit", "1"]), "1 of 60 messages (--limit shows more)");
    assert_eq!(last(&["--limit", "60"]), "60 messages");
    assert_eq!(last(&["--limit", "1", "--without", "junk"]), "1 of 58 messages (--limit shows more)");
    assert_eq!(last(&["--sent"]), "filters, 60 messages say it.");
    let json =
        |more: &[&str]| -> Value { serde_json::from_str(&run(&[&["--json"], more].concat())).unwrap() };
    let found = json(&[]);
    assert_eq!((&found["total"], &found["more"]), (&60.into(), &true.into()));
    let found = json(&["--limit", "60"]);
    assert_eq!((&found["total"], &found["more"]), (&60.into(), &false.into()));
}

/// Nothing found: what was looked for and among what, and only such as would be found is proposed.
#[test]
fn what_was_searched_is_said_where_nothing_is_found() {
    let program = Program::new();
    prepared(&program);
    let said = |arguments: &[&str]| {
        let ran =
            program.run(&[&["search", "archive", "--time-zone", "UTC"], arguments].concat()).with_code(0);
        assert!(
            ran.out.lines().count() <= 3 && ran.out.lines().all(|line| line.chars().count() <= 80),
            "{}",
            ran.out
        );
        ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let archive = "The archive, fed last 2023-03-09 20:26, has 8 messages and tapbacks in 1 conversation.";
    for (arguments, asked, instead) in [
        (&["nosuchword"][..], "\"nosuchword\" or ever said it", "Try another word, or only its beginning."),
        (&["houseboat"], "\"houseboat\" or ever said it", "Its beginning is found: house"),
        (&["Straße"], "\"Straße\" or ever said it", "Try another word, or only its beginning."),
        (&["京東"], "\"京東\" or ever said it", "Try another word, or only its beginning."),
        (
            &["house", "tonight"],
            "\"house tonight\" or ever said it",
            "Each word is in some message, but all are in none: try fewer words.",
        ),
        (
            &["lake", "houseboat"],
            "\"lake houseboat\" or ever said it",
            "\"houseboat\" is in no message, but \"house\" is.",
        ),
        (&["lake", "xyz"], "\"lake xyz\" or ever said it", "Try it without \"xyz\", which is in no message."),
        (&["\"june house\""], "\"june house\" or ever said it", "Without quotation marks it is found."),
        (
            &["house", "--sent"],
            "\"house\" or ever said it, with --sent",
            "Without filters, 2 messages say it.",
        ),
        (
            &["crème", "--until", "2001-01-01", "--has", "image,link"],
            "\"crème\" or ever said it, with --until 2001-01-01 --has image --has link",
            "Without filters, 1 message says it.",
        ),
        (
            &["xyz", "--since", "2001-01-01"],
            "\"xyz\" or ever said it, with --since 2001-01-01 or without",
            "Try another word, or only its beginning.",
        ),
        (&["\u{1b}[2Jxyz"], "\"\u{fffd}[2Jxyz\" or ever said it", "Try another word, or only its beginning."),
    ] {
        assert_eq!(said(arguments), format!("No message says {asked}. {archive} {instead}"));
    }
    // However much is asked for, it is told in a few lines.
    let long = "word ".repeat(100);
    let (dates, text) =
        (["--since", "2001-01-01T10:00:00", "--until", "2035-01-01T10:00:00"], "x".repeat(200));
    let asked = [
        &[long.as_str(), "--text", &text, "--service", "SMS,RCS", "--without", "junk,deleted", "--received"],
        &dates[..],
    ];
    assert!(said(&asked.concat()).contains(", with 8 filters or without."));
    // Scripts are told what they always were.
    let json = program.run(&["search", "archive", "xyz", "--json"]).with_code(0).out;
    assert_eq!(
        serde_json::from_str::<Value>(&json).unwrap(),
        serde_json::json!({ "schema": 1, "hits": [], "total": 0, "more": false })
    );
}

/// Nothing is made up of an archive whose last record is lost.
#[test]
fn what_is_not_known_of_an_archive_is_not_said_where_nothing_is_found() {
    let program = Program::new();
    prepared(&program);
    rusqlite::Connection::open(program.path().join("archive/chat.db"))
        .unwrap()
        .execute("UPDATE msgarchive_run SET record = 'x'", [])
        .unwrap();
    let ran = program.run(&["search", "archive", "xyz"]).with_code(0);
    assert!(ran.out.contains("The archive has 8 messages and tapbacks\nin 1 conversation."), "{}", ran.out);
}

/// Why a message is gone is said of the message, as `history` says it.
#[test]
fn why_a_message_is_gone_is_said() {
    let program = Program::new();
    let mut mac = prepared(&program);
    mac.remove("B", true, "deleted");
    mac.recently_delete("A", START + DAY);
    add(&program.path().join("archive"), &[&mac.folder], START + 2 * DAY).unwrap();
    for (text, reason, words) in [
        ("crème", "deleted", "      Deleted: not there on "),
        ("june", "recently_deleted", "      Moved to Recently Deleted on "),
    ] {
        let ran = program.run(&["search", "archive", text]).with_code(0).out;
        assert!(ran.contains(words), "{ran}");
        assert_eq!(ran.lines().next(), Some("+12025550143"), "{ran}");
        let json = program.run(&["search", "archive", text, "--json"]).with_code(0).out;
        let found: Value = serde_json::from_str(&json).unwrap();
        let hit = &found["hits"][0];
        assert_eq!((&hit["deleted"], &hit["reason"]), (&true.into(), &reason.into()));
    }
    let json = program.run(&["search", "archive", "houses", "--json"]).with_code(0).out;
    let found: Value = serde_json::from_str(&json).unwrap();
    let hit = &found["hits"][0];
    assert_eq!((&hit["deleted"], &hit["reason"]), (&false.into(), &Value::Null));
}

/// A tap on a message is no message, whatever its row says; nor is it shown between messages. An announcement is, with
/// what it says.
#[test]
fn taps_are_no_messages_and_announcements_are() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "the lake");
    mac.receive("TAP", 0, START + 1, "Loved “the lake”");
    mac.run("UPDATE message SET associated_message_type = 2000, associated_message_guid = 'p:0/A' WHERE guid = 'TAP'", []);
    mac.receive("LOST", 0, START + 2, "Loved “another lake”");
    mac.run("UPDATE message SET associated_message_type = 2000, associated_message_guid = 'p:0/NOWHERE' WHERE guid = 'LOST'", []);
    mac.receive("NAME", 0, START + 3, "");
    mac.run("UPDATE message SET item_type = 2, text = NULL, attributedBody = NULL, group_title = 'The Lunds' WHERE guid = 'NAME'", []);
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    assert_eq!(found(&program, &["lake"]), ["A"]);
    assert_eq!(found(&program, &["loved"]), [""; 0]);
    assert_eq!(found(&program, &["lunds"]), ["NAME"]);
    let ran = program.run(&["search", "archive", "lake"]).with_code(0).out;
    assert!(ran.contains("+12025550143 named the conversation “The Lunds”"), "{ran}");
    assert!(!ran.contains("Loved"), "{ran}");
    assert!(!ran.contains("NAME"), "{ran}");
    // The GUIDs are there for who wants to ask further.
    let ran = program.run(&["search", "archive", "lunds", "--guids"]).with_code(0).out;
    assert!(ran.lines().any(|line| line == "      NAME"), "{ran}");
    program.run(&["history", "archive", "--message", "NAME"]).with_code(0);
}

/// What nobody types is no part of a word, in scripts of which that is true; and is, where it makes another word of it.
#[test]
fn words_are_found_without_their_marks() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let said = [
        ("GREEK", "Καλημέρα, ο λόγος"),
        ("RUSSIAN", "Ёлка и йогурт"),
        ("ARABIC", "مَرْحَبًا بـــك أحمد"),
        ("HEBREW", "שָׁלוֹם"),
        ("VIETNAMESE", "tiếng Việt"),
        ("HINDI", "कमल"),
        ("HINDI TOO", "कमाल"),
        ("KOREAN", "한국어"),
        // As a Mac writes file names: in pieces.
        ("PIECES", "cafe\u{301}"),
    ];
    for (at, (guid, text)) in said.into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, text);
    }
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    let find = |text: &str| found(&program, &[text]);
    for typed in ["Καλημέρα", "καλημερα", "ΚΑΛΗΜΕΡΑ", "λογος", "ΛΟΓΟΣ", "λόγος"]
    {
        assert_eq!(find(typed), ["GREEK"], "{typed}");
    }
    for typed in ["елка", "ёлка", "иогурт", "ЙОГУРТ"] {
        assert_eq!(find(typed), ["RUSSIAN"], "{typed}");
    }
    for typed in ["مرحبا", "مَرْحَبًا", "بك", "احمد"] {
        assert_eq!(find(typed), ["ARABIC"], "{typed}");
    }
    assert_eq!(find("שלום"), ["HEBREW"]);
    assert_eq!(find("tieng viet"), ["VIETNAMESE"]);
    assert_eq!(find("कमल"), ["HINDI"]);
    assert_eq!(find("한국어"), ["KOREAN"]);
    for typed in ["café", "cafe", "CAFE\u{301}"] {
        assert_eq!(find(typed), ["PIECES"], "{typed}");
    }
}

#[test]
fn filters_context_and_words() {
    let program = Program::new();
    prepared(&program);
    assert_eq!(found(&program, &["lake", "--limit", "1"]), ["E"]);
    assert_eq!(found(&program, &["lake", "--sent"]), [""; 0]);
    assert_eq!(found(&program, &["lake", "--until", "2020-01-01"]), [""; 0]);
    assert_eq!(
        found(&program, &["lake", "--since", "2020-01-01", "--conversation", "+12025550143"]),
        ["E", "A"]
    );
    let ran = program.run(&["search", "archive", "lake", "--conversation", "Nowhere"]).with_code(1);
    assert!(ran.err.contains("matches no conversation"), "{}", ran.err);
    assert_eq!(found(&program, &["lake", "--only", "+1 202-555-0143"]), ["E", "A"]);
    assert_eq!(found(&program, &["lake", "--exclude", "+12025550143"]), [""; 0]);
    assert_eq!(found(&program, &["lake", "--service", "SMS"]), [""; 0]);
    assert_eq!(found(&program, &["lake", "--service", "imessage", "--received"]), ["E", "A"]);
    assert_eq!(found(&program, &["lake", "--has", "image,link"]), [""; 0]);
    let ran = program.run(&["search", "archive", "lake", "--with", "Nobody"]).with_code(1);
    assert!(ran.err.contains("--with"), "{}", ran.err);
    let ran = program.run(&["search", "archive", "東京", "--context", "2"]).with_code(0);
    let shown: Vec<&str> =
        ran.out.lines().filter_map(|line| line.split_once(": ").map(|(_, text)| text)).collect();
    assert_eq!(shown.len(), 5, "{}", ran.out);
    assert!(ran.out.contains("  > ") && ran.out.contains("1 message"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "no colors without a terminal");
    let ran = program.run(&["search", "mac", "x"]).with_code(1);
    assert!(ran.err.contains("is no archive"), "{}", ran.err);
}

#[test]
fn what_a_message_carries() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (guid, text) in
        [("A", "look"), ("B", "look at https://example.com"), ("C", "look there"), ("D", "look")]
    {
        mac.receive(guid, 0, START, text);
    }
    mac.attach("A", "a.png");
    mac.attach("D", "d.pdf");
    mac.run("UPDATE attachment SET mime_type = 'application/pdf' WHERE guid = 'at_0_D'", []);
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    let has = |what: &str| found(&program, &["look", "--has", what]);
    assert_eq!((has("image"), has("document")), (vec!["A".to_owned()], vec!["D".to_owned()]));
    assert_eq!(
        (has("link"), has("image,link")),
        (vec!["B".to_owned()], vec!["B".to_owned(), "A".to_owned()])
    );
}

/// What was said once is found, and the index is no more than an index.
#[test]
fn what_was_said_once_is_found() {
    let program = Program::new();
    let mut mac = prepared(&program);
    mac.edit("A", START + DAY, "It is taken");
    mac.remove("B", true, "deleted");
    mac.receive("Z", 0, START + 2 * DAY, "news of the lake");
    add(&program.path().join("archive"), &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(found(&program, &["lake"]), ["Z", "E", "A"]);
    assert_eq!(found(&program, &["taken"]), ["A"]);
    let json = program.run(&["search", "archive", "crème", "--json"]).with_code(0).out;
    let hits: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(hits["hits"][0]["deleted"], true);
    assert_eq!(found(&program, &["crème", "--without", "deleted"]), [""; 0]);
    let index = program.path().join("archive/search.db");
    fs::remove_file(&index).unwrap();
    assert_eq!(found(&program, &["lake"]), ["Z", "E", "A"]);
    fs::write(&index, "no database").unwrap();
    assert_eq!(found(&program, &["lake"]), ["Z", "E", "A"]);
    // Any page but the first: those are read only when something is looked for.
    let whole = fs::read(&index).unwrap();
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(&index, bytes).unwrap();
        assert_eq!(found(&program, &["lake"]), ["Z", "E", "A"], "page {page}");
    }
}

/// The same words that select what is exported select what is found.
#[test]
fn every_filter_of_an_export_is_one_of_a_search() {
    let program = Program::new();
    let filters = |command: &str| -> BTreeSet<String> {
        let help = program.run(&[command, "--help"]).with_code(0).out;
        let (_, selecting) = help.split_once("Selecting").unwrap();
        let words = selecting.split_whitespace().filter(|word| word.starts_with("--"));
        words.map(str::to_owned).take_while(|word| word != "--format").collect()
    };
    let (export, search) = (filters("export"), filters("search"));
    assert!(export.len() >= 10);
    let missing: Vec<&String> = export.difference(&search).collect();
    assert_eq!(missing, [""; 0]);
    let mac = prepared(&program);
    mac.run("UPDATE message SET is_spam = 1 WHERE guid = 'A'", []);
    mac.run("UPDATE message SET item_type = 2, group_title = 'lake' WHERE guid = 'E'", []);
    mac.run("UPDATE message SET subject = 'To the mountains' WHERE guid = 'B'", []);
    add(&program.path().join("archive"), &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(found(&program, &["lake"]), ["E", "A"]);
    assert_eq!(found(&program, &["lake", "--without", "junk"]), ["E"]);
    assert_eq!(found(&program, &["lake", "--without", "announcements"]), ["A"]);
    assert_eq!(found(&program, &["lake", "--without", "junk,announcements,deleted"]), [""; 0]);
    assert_eq!(found(&program, &["lake", "--text", "E LAKE HO"]), ["A"]);
    mac.run("UPDATE chat SET is_filtered = 2", []);
    add(&program.path().join("archive"), &[&mac.folder], START + 3 * DAY).unwrap();
    assert_eq!(found(&program, &["lake", "--without", "junk"]), [""; 0]);
    assert_eq!(found(&program, &["mountains"]), ["B"]);
    assert_eq!(found(&program, &["mountains", "--text", "mountains"]), ["B"]);
}

/// Whatever came into the archive first, the newest comes first.
#[test]
fn the_newest_comes_first() {
    let program = Program::new();
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_15.on_device());
    phone.receive("OLD", 0, START - 400 * DAY, "the lake of long ago");
    prepared(&program);
    add(&program.path().join("archive"), &[&phone.folder], START + 2 * DAY).unwrap();
    assert_eq!(found(&program, &["lake"]), ["E", "A", "OLD"]);
    assert_eq!(found(&program, &["lake", "--limit", "2"]), ["E", "A"]);
}

/// What was edited or unsent is found by what it said, and shown with that: also what only the message's own list of
/// edits tells, since no archive saw it.
#[test]
fn what_is_found_by_what_it_said_says_so() {
    let program = Program::new();
    let mut mac = prepared(&program);
    mac.unsend("A", START + DAY);
    let versions =
        ["meet me at noon", "meet me at one"].map(|text| (START as f64, AttributedString::plain(text)));
    let edits = SummaryInfo {
        original: vec![(0, 0, 15)],
        edits: vec![(0, versions.to_vec())],
        ..SummaryInfo::default()
    };
    mac.receive("N", 0, START + DAY, "meet me at one");
    mac.run(
        "UPDATE message SET message_summary_info = ?1, date_edited = date + 60000000000 WHERE guid = 'N'",
        [edits.encode()],
    );
    add(&program.path().join("archive"), &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(found(&program, &["noon"]), ["N"]);
    let json = program.run(&["search", "archive", "noon", "--json"]).with_code(0).out;
    let hits: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(hits["hits"][0]["once"], serde_json::json!(["meet me at noon"]));
    let ran = program.run(&["search", "archive", "june"]).with_code(0);
    assert!(ran.out.contains("once: The lake house is ours for June"), "{}", ran.out);
}

/// Runs SQL on the index, of which SQLite would else guard the tables.
fn turn(program: &Program, sql: &str) -> usize {
    let index = rusqlite::Connection::open(program.path().join("archive/search.db")).unwrap();
    index.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    index.execute(sql, []).unwrap()
}

/// A bit of the index that is turned may let a message be missed, and nothing but its sum tells.
#[test]
fn an_index_in_which_something_was_changed_is_found_and_made_anew() {
    let program = Program::new();
    let mut mac = prepared(&program);
    let verify = |code| program.run(&["verify", "archive"]).with_code(code).out;
    verify(0);
    // One that was added to, too.
    mac.receive("LATER", 0, START + DAY, "another lake");
    add(&program.path().join("archive"), &[&mac.folder], START + 2 * DAY).unwrap();
    verify(0);
    let index = rusqlite::Connection::open(program.path().join("archive/search.db")).unwrap();
    let mut blocks = index.prepare("SELECT id, hex(block), length(block) FROM words_data").unwrap();
    let blocks: Vec<(i64, String, usize)> = blocks
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as usize)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut changes = vec![
        "UPDATE state SET run = run - 1".to_owned(),
        "UPDATE state SET sum = zeroblob(32)".to_owned(),
        "UPDATE state SET words = zeroblob(32)".to_owned(),
        "DELETE FROM words_docsize WHERE id = 2".to_owned(),
        "UPDATE words_config SET v = v + 1 WHERE k = 'hashsize'".to_owned(),
    ];
    for (id, block, length) in &blocks {
        for at in [0, length / 2, length - 1] {
            let byte = u8::from_str_radix(&block[2 * at..2 * at + 2], 16).unwrap() ^ 4;
            let turned = format!("{}{byte:02X}{}", &block[..2 * at], &block[2 * at + 2..]);
            changes.push(format!("UPDATE words_data SET block = x'{turned}' WHERE id = {id}"));
        }
    }
    assert!(changes.len() > 12, "{changes:?}");
    let place = program.path().join("archive/search.db");
    let whole = fs::read(&place).unwrap();
    for (night, change) in (3..).zip(&changes) {
        fs::write(&place, &whole).unwrap();
        assert!(turn(&program, change) > 0, "{change}");
        assert!(verify(3).contains("search.db"), "{change}");
        add(&program.path().join("archive"), &[&mac.folder], START + night * DAY).unwrap();
        verify(0);
        assert_eq!(found(&program, &["lake"]), ["LATER", "E", "A"], "{change}");
    }
}

/// Nobody looked before the next night: what it writes does not vouch for what was there.
#[test]
fn a_night_does_not_vouch_for_an_index_that_was_changed() {
    const STATE: [&str; 3] = ["run = run - 1", "sum = zeroblob(32)", "words = zeroblob(32)"];
    // The id of a message, and a letter.
    const BLOCK: [&str; 2] = ["length(block) - 1", "length(block) - 3"];
    let mut changes: Vec<String> = STATE.iter().map(|what| format!("UPDATE state SET {what}")).collect();
    changes.push("DELETE FROM words_docsize WHERE id = 2".to_owned());
    changes.extend(BLOCK.map(|at| {
        format!(
            "UPDATE words_data SET block = CAST(substr(block, 1, {at}) || x'2A' || substr(block, {at} + 2) AS BLOB) \
             WHERE id = (SELECT max(id) FROM words_data)"
        )
    }));
    let program = Program::new();
    let mut mac = prepared(&program);
    let archive = program.path().join("archive");
    let verify = || program.run(&["verify", "archive"]);
    let lakes = found(&program, &["lake"]).len();
    let mut days = 2..;
    let mut night = |mac: &Device| {
        add(&archive, &[&mac.folder], START + days.next().unwrap() * DAY).unwrap();
    };
    for (more, change) in (1..).zip(&changes) {
        assert!(turn(&program, change) > 0, "{change}");
        night(&mac);
        // A night without news looks only at what tells how far the index is, and makes it anew then.
        let is_seen = change.contains("state");
        let verified = verify().with_code(if is_seen { 0 } else { 3 });
        assert_eq!(verified.out.contains("search.db"), !is_seen, "{change}");
        if !is_seen {
            // What `verify` noted would be mended for that alone.
            fs::remove_file(archive.join("damaged.json")).unwrap();
        }
        mac.receive(&format!("NEW {more}"), 0, START + (10 + more as i64) * 60, "one more lake");
        night(&mac);
        assert_eq!(found(&program, &["lake"]).len(), lakes + more, "{change}");
        verify().with_code(0);
    }
}

/// An archive that was put back to an earlier run counts on from there: the runs after it are others, with the same numbers.
#[test]
fn an_archive_that_was_put_back_is_searched_as_it_is() {
    let program = Program::new();
    let mut mac = prepared(&program);
    let archive = program.path().join("archive");
    let kept = program.path().join("kept");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        fs::create_dir_all(to.join("runs")).unwrap();
        fs::copy(from.join("chat.db"), to.join("chat.db")).unwrap();
        for file in fs::read_dir(from.join("runs")).unwrap().map(|file| file.unwrap()) {
            fs::copy(file.path(), to.join("runs").join(file.file_name())).unwrap();
        }
    };
    copy(&archive, &kept);
    mac.receive("X", 0, START + 100, "a heron on the pier");
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(found(&program, &["heron"]), ["X"]);
    fs::remove_dir_all(archive.join("runs")).unwrap();
    copy(&kept, &archive);
    mac.run("DELETE FROM message WHERE guid = 'X'", []);
    mac.receive("Y", 0, START + 200, "an otter on the pier");
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    assert_eq!(found(&program, &["otter"]), ["Y"]);
    assert_eq!(found(&program, &["heron"]), [""; 0]);
}

/// What its owner deleted of a message is found by its own words, whenever it was deleted.
#[test]
fn a_part_in_recently_deleted_is_found_by_its_first_word() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "what stayed");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let find = |text: &str| found(&program, &[text]);
    assert_eq!((find("stayed"), find("zanzibar")), (vec!["A".to_owned()], vec![]));
    mac.run(
        "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
         SELECT chat_id, message_id, 1, ?1, ?2 FROM chat_message_join",
        params![(START + DAY + 60) * 1_000_000_000, AttributedString::plain("zanzibar went").encode()],
    );
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    for _ in ["brought up", "made anew"] {
        for word in ["stayed", "zanzibar", "went"] {
            assert_eq!(find(word), ["A"], "{word}");
        }
        assert_eq!(find("stayedzanzibar"), [""; 0]);
        fs::remove_file(archive.join("search.db")).unwrap();
    }
    let told = program.run(&["history", "archive", "--message", "A", "--json"]).with_code(0);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    let part = &told["versions"][1];
    assert_eq!(
        (&part["what"], &part["part"], &part["text"]),
        (&"recently_deleted".into(), &1.into(), &"zanzibar went".into()),
        "{told}"
    );
    let words = program.run(&["history", "archive", "--message", "A"]).with_code(0).out;
    assert!(words.contains("A part of it: ") && words.contains("zanzibar went"), "{words}");
}

/// That a part is in Recently Deleted no more says two things: it is back, or nowhere any more.
#[test]
fn a_part_that_came_back_is_not_gone() {
    for (back, what) in [(true, "restored"), (false, "gone")] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        mac.receive("A", 0, START, "what stayed");
        mac.delete_part("A", 1, START + 60);
        let archive = program.path().join("archive");
        add(&archive, &[&mac.folder], START + DAY).unwrap();
        mac.restore_part("A", 1);
        if back {
            let whole = "what stayeda part of A";
            let body = AttributedString::plain(whole).encode();
            mac.run(
                "UPDATE message SET text = ?1, attributedBody = CASE WHEN attributedBody IS NULL THEN NULL ELSE ?2 END",
                params![whole, body],
            );
        }
        add(&archive, &[&mac.folder], START + 40 * DAY).unwrap();
        let told = program.run(&["history", "archive", "--message", "A", "--json"]).with_code(0);
        let told: Value = serde_json::from_str(&told.out).unwrap();
        let versions = told["versions"].as_array().unwrap().iter();
        let of_part: Vec<&Value> =
            versions.filter(|version| version["part"] == 1).map(|version| &version["what"]).collect();
        assert_eq!(of_part, ["recently_deleted", what], "{told}");
    }
}
