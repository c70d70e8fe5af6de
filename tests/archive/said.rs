//! What `search` finds is what the exports say: over the whole sample, word by word.

use std::collections::{BTreeMap, BTreeSet};

use msgarchive::archive::search::{Query, search};
use msgarchive::pipeline::select::Selection;
use msgarchive::source::contacts::Contact;
use msgarchive::source::{self, OpenOptions};
use msgarchive::writers::export;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::device::{DAY, Device};
use super::{add, messages};
use crate::program::Program;
use crate::support::Schema;

/// Every text that a line of JSON Lines has as the message's own words.
fn texts(message: &Value) -> Vec<String> {
    let mut texts: Vec<&Value> = vec![
        &message["text"],
        &message["subject"],
        &message["announcement"]["title"],
        &message["translation"]["text"],
    ];
    let card = &message["balloon"];
    texts.extend([&card["title"], &card["subtitle"], &card["summary"], &card["url"]]);
    texts.extend(card["lines"].as_array().into_iter().flatten());
    texts.extend(card["data"]["options"].as_array().into_iter().flatten().map(|option| &option["text"]));
    for state in card["data"]["earlier"].as_array().into_iter().flatten() {
        texts.extend([&state["title"], &state["subtitle"], &state["summary"], &state["url"]]);
        texts.extend(state["lines"].as_array().into_iter().flatten());
    }
    for attachment in message["attachments"].as_array().unwrap() {
        if attachment["hidden"] != true {
            texts.extend([&attachment["name"], &attachment["transcription"], &attachment["description"]]);
        }
    }
    texts.extend(message["edits"].as_array().unwrap().iter().map(|edit| &edit["text"]));
    texts.into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn without_marks(text: &str) -> String {
    let bare = text.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}'));
    bare.collect::<String>().to_lowercase().replace('ß', "ss").nfc().collect()
}

#[test]
fn every_word_of_the_sample_is_found_and_no_other() {
    let program = Program::new();
    msgarchive::sample::unpack(&program.path().join("library")).unwrap();
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    program.run(&["export", "-s", "archive", "-f", "jsonl", "-o", "out"]).with_code(0);
    let said: BTreeMap<String, Vec<String>> = messages(&program.path().join("out"))
        .into_iter()
        .filter(|(_, message)| message["kind"] != "tapback")
        .map(|(_, message)| (message["guid"].as_str().unwrap().to_owned(), texts(&message)))
        .collect();
    let mut words: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (guid, texts) in &said {
        for word in texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())) {
            // From Devanagari on, signs that are no letters are part of words, or each character is one.
            if !word.is_empty() && word.chars().all(|c| c < '\u{900}') {
                words.entry(word.to_lowercase()).or_default().insert(guid);
            }
        }
    }
    assert!(words.len() > 700, "{}", words.len());
    let archive = program.path().join("archive");
    let contacts: Vec<Contact> = Vec::new();
    let mut wrong = Vec::new();
    let source = source::open(&archive, &OpenOptions { sessions: 1, ..OpenOptions::default() }).unwrap();
    for (at, (word, guids)) in words.iter().enumerate() {
        let query = Query { text: format!("\"{word}\""), limit: 1000, ..Query::default() };
        let found = search(&archive, &query).unwrap();
        assert_eq!(found.total, Some(found.hits.len() as u64));
        let found: BTreeSet<String> = found.hits.into_iter().filter_map(|hit| hit.message.guid).collect();
        let missed = guids.iter().filter(|guid| !found.contains(**guid));
        wrong.extend(missed.map(|guid| format!("{word} is not found in {:?}", said[*guid])));
        for guid in &found {
            let texts = said.get(guid).map_or(&[][..], Vec::as_slice);
            if !texts.iter().any(|text| without_marks(text).contains(&without_marks(word))) {
                wrong.push(format!("{word} is found in {guid}: {texts:?}"));
            }
        }
        // And so does `--text`, of some of them: each takes its time.
        if at % 25 == 0 {
            let selection = Selection { text: Some(word.clone()), ..Selection::default() };
            let listed = export::list(source.as_ref(), &contacts, &selection, 1, &()).unwrap();
            let says = |texts: &&Vec<String>| texts.iter().any(|text| text.to_lowercase().contains(word));
            if listed.rows.messages != said.values().filter(says).count() as u64 {
                wrong.push(format!("--text {word} takes {}", listed.rows.messages));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What comes later to a message is found in it: a state of its card, the name of a file, another name; and what it
/// said before is, too.
#[test]
fn what_comes_later_is_found_and_what_was_before() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("FILE", 0, 700_000_000, "see");
    mac.attach("FILE", "harbour.png");
    mac.receive("NAMED", 0, 700_000_001, "");
    mac.run("UPDATE message SET item_type = 2, text = NULL, attributedBody = NULL, group_title = 'Lunds' WHERE guid = 'NAMED'", []);
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], 700_000_000 + DAY).unwrap();
    let find = |text: &str| -> Vec<String> {
        let query = Query { text: text.into(), limit: 10, ..Query::default() };
        search(&archive, &query).unwrap().hits.into_iter().filter_map(|hit| hit.message.guid).collect()
    };
    assert_eq!((find("harbour"), find("lunds")), (vec!["FILE".to_owned()], vec!["NAMED".to_owned()]));
    mac.run("UPDATE attachment SET transfer_name = 'lighthouse.png'", []);
    mac.run("UPDATE message SET group_title = 'Abbotts' WHERE guid = 'NAMED'", []);
    add(&archive, &[&mac.folder], 700_000_000 + 2 * DAY).unwrap();
    assert_eq!((find("lighthouse"), find("abbotts")), (vec!["FILE".to_owned()], vec!["NAMED".to_owned()]));
    // The archive kept that name.
    assert_eq!(find("lunds"), ["NAMED"]);
    let query = Query { text: "lunds".into(), limit: 10, ..Query::default() };
    assert_eq!(search(&archive, &query).unwrap().hits[0].once, ["Lunds"]);
}
