//! `message_summary_info`: a message's edits, unsent parts and translation (`messages-format.md` 5).
//!
//! **Must never**: leave an edit out because another is damaged.

use std::collections::BTreeMap;

use super::body::body_without_data;
use super::date;
use super::keyed::{Archive, Node};
use crate::model::{Instant, Translation};

/// What `message_summary_info` says (`messages-format.md` 5).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Every version of every edited part, oldest first: `ec`.
    pub edits: BTreeMap<u32, Vec<Version>>,
    /// Edited parts as the list `ep` has them, sorted, each once; those without versions in `ec` too.
    pub edited: Vec<u32>,
    /// Unsent parts: `rp`, sorted, each once.
    pub unsent: Vec<u32>,
    /// Number of parts the message had: the highest key of `otr` + 1; `None` without `otr`.
    pub parts: Option<u32>,
    /// `tmp`.
    pub translation: Option<Translation>,
    /// Troubles, in words.
    pub defects: Vec<String>,
}

impl Summary {
    /// Whether a part said this before it was edited, or does now.
    pub fn was(&self, part: u32, text: &str) -> bool {
        self.edits.get(&part).is_some_and(|versions| versions.iter().any(|version| version.text == text))
    }
}

/// How a part once was, or is.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// When it was written: of the first the time of the message.
    pub date: Option<Instant>,
    pub text: String,
}

/// Decodes the blob. An empty one says nothing.
pub fn summary(blob: &[u8]) -> Summary {
    let mut summary = Summary::default();
    if blob.is_empty() {
        return summary;
    }
    let archive = match Archive::read(blob) {
        Ok(archive) => archive,
        Err(damage) => {
            let what = format!("edit history not understood: {damage}");
            summary.defects.push(what);
            return summary;
        }
    };
    let root = archive.root();
    let highest = root.get("otr").and_then(|ranges| {
        let parts = ranges.entries().filter_map(|(part, _)| part_number(part));
        parts.max()
    });
    summary.parts = highest.map(|highest| highest.saturating_add(1));
    summary.edited = part_numbers(root.get("ep"));
    summary.unsent = part_numbers(root.get("rp"));
    if let Some(history) = root.get("ec") {
        edits(history, blob.len(), &mut summary);
    }
    if let Some(archive) = root.get("tmp").and_then(Node::data) {
        match translation(archive) {
            Ok(translation) => summary.translation = translation,
            Err(what) => summary.defects.push(what),
        }
    }
    summary
}

/// A part as a key (decimal digits) or a number.
fn part_number(node: Node<'_>) -> Option<u32> {
    match node.integer() {
        Some(part) => part.try_into().ok(),
        // Ten digits, in UTF-16 at most.
        None => node.stored_text().filter(|text| text.size() <= 20)?.decode().parse().ok(),
    }
}

fn part_numbers(list: Option<Node<'_>>) -> Vec<u32> {
    let mut parts: Vec<u32> = list.into_iter().flat_map(Node::items).filter_map(part_number).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

fn edits(history: Node<'_>, size: usize, summary: &mut Summary) {
    // A damaged list names one long version again and again.
    let mut allowance = size.saturating_mul(4).saturating_add(4096);
    for (part, versions) in history.entries() {
        let Some(part) = part_number(part) else {
            let what = "edit history of a part without a number left out";
            summary.defects.push(what.into());
            continue;
        };
        let mut read = Vec::new();
        for version in versions.items() {
            let stream = version.get("t").and_then(Node::data);
            match allowance.checked_sub(64 + stream.map_or(0, <[u8]>::len)) {
                Some(left) => allowance = left,
                None => {
                    let what = "edits repeated beyond measure were left out";
                    summary.defects.push(what.into());
                    break;
                }
            }
            let mut body = body_without_data(stream, None);
            if stream.is_none() {
                let what = format!("a version of part {part} has no text");
                summary.defects.push(what);
            }
            let defects = body.defects.drain(..);
            let defects = defects.map(|what| format!("a version of part {part}: {what}"));
            summary.defects.extend(defects);
            read.push(Version {
                date: version.get("d").and_then(Node::real).and_then(date::from_seconds),
                text: body.into_text().unwrap_or_default(),
            });
        }
        if !read.is_sorted_by_key(|version| version.date) && read.iter().all(|v| v.date.is_some()) {
            read.sort_by_key(|version| version.date);
        }
        if !read.is_empty() {
            summary.edits.entry(part).or_default().append(&mut read);
        }
    }
}

/// Parts whose translations are looked for.
const TRANSLATED_PARTS: usize = 256;

/// The translation in an archive of parts (`messages-format.md` 5.4): of several, one below the other. The object
/// characters of the original's inline pictures are taken out. `Ok(None)` where there is none in it.
fn translation(archive: &[u8]) -> Result<Option<Translation>, String> {
    let size = archive.len();
    let archive = Archive::read(archive).map_err(|damage| format!("translation not understood: {damage}"))?;
    let root = archive.root();
    let parts = root.entries().take(TRANSLATED_PARTS);
    let mut parts: Vec<_> = parts.filter_map(|(part, value)| Some((part_number(part)?, value))).collect();
    parts.sort_by_key(|(part, _)| *part);
    // Nodes to look at, in all; a hostile archive has the same ones again and again.
    let mut left = 2 * TRANSLATED_PARTS;
    let found = parts.into_iter().filter_map(|(_, part)| first_translation(part, &mut left));
    let whole = found.reduce(|mut whole, more| {
        if whole.text.len() <= size {
            whole.text.push('\n');
            whole.text.push_str(&more.text);
        }
        whole.language = whole.language.or(more.language);
        whole.source_language = whole.source_language.or(more.source_language);
        whole
    });
    Ok(whole.or_else(|| first_translation(root, &mut left)))
}

/// In a part's (dictionary of a) list of translations: the first that is one.
fn first_translation(node: Node<'_>, left: &mut usize) -> Option<Translation> {
    let mut level = vec![node];
    for _ in 0..4 {
        *left = left.checked_sub(level.len())?;
        if let Some(found) = level.iter().find_map(|node| translated(*node)) {
            return Some(found);
        }
        level = level
            .into_iter()
            .flat_map(|node| {
                let values = node.entries().map(|(_, value)| value).take(16);
                node.items().take(16).chain(values)
            })
            .take(256)
            .collect();
    }
    None
}

fn translated(node: Node<'_>) -> Option<Translation> {
    let text = node.get("translatedText")?.string()?;
    let text: String = text.chars().filter(|c| *c != '\u{FFFC}').collect();
    let language = |key| node.get(key).and_then(Node::text);
    Some(Translation {
        text,
        language: language("translationLanguage"),
        source_language: language("sourceLanguage"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use plist::{Dictionary, Value};

    fn dictionary(entries: &[(&str, Value)]) -> Value {
        Value::Dictionary(entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Dictionary>())
    }

    fn read(entries: &[(&str, Value)]) -> Summary {
        let mut blob = Vec::new();
        dictionary(entries).to_writer_binary(&mut blob).unwrap();
        summary(&blob)
    }

    fn version(text: &str, date: Value) -> Value {
        let string = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x08NSString\x01\x84\x84\x08NSObject\x00\x85\x84\x01+";
        let mut stream = string.to_vec();
        stream.push(text.len() as u8);
        stream.extend(text.as_bytes());
        stream.push(0x86);
        dictionary(&[("t", Value::Data(stream)), ("d", date)])
    }

    fn texts(summary: &Summary, part: u32) -> Vec<&str> {
        summary.edits[&part].iter().map(|version| version.text.as_str()).collect()
    }

    #[test]
    fn versions_in_their_order() {
        let versions =
            vec![version("one", 10.into()), version("two", 10.5.into()), version("three", 10.5.into())];
        let in_order = read(&[("ec", dictionary(&[("0", Value::Array(versions.clone()))]))]);
        assert_eq!(texts(&in_order, 0), ["one", "two", "three"]);
        assert_eq!(in_order.edits[&0][1].date, date::from_seconds(10.5));
        let turned = vec![versions[1].clone(), versions[2].clone(), versions[0].clone()];
        let sorted = read(&[("ec", dictionary(&[("12", Value::Array(turned))]))]);
        assert_eq!(texts(&sorted, 12), ["one", "two", "three"]);
        assert_eq!(sorted.defects, [""; 0]);
    }

    #[test]
    fn a_version_without_a_date_leaves_the_order() {
        let versions = vec![version("two", 20.into()), version("?", "x".into()), version("one", 10.into())];
        let summary = read(&[("ec", dictionary(&[("0", Value::Array(versions))]))]);
        assert_eq!(texts(&summary, 0), ["two", "?", "one"]);
        assert_eq!(summary.edits[&0][1].date, None);
    }

    #[test]
    fn damaged_versions_stay() {
        let damaged = dictionary(&[("t", Value::Data(vec![4, 11])), ("d", 1.into())]);
        let versions = vec![damaged, dictionary(&[("d", 2.into())]), version("now", 3.into())];
        let summary = read(&[("ec", dictionary(&[("0", Value::Array(versions)), ("x", 1.into())]))]);
        assert_eq!(texts(&summary, 0).len(), 3);
        assert_eq!(texts(&summary, 0)[2], "now");
        assert_eq!(summary.defects.len(), 3, "{:?}", summary.defects);
    }

    #[test]
    fn parts_unsent_and_counted() {
        let numbers = Value::Array(vec![3.into(), 1.into(), 3.into(), (-1).into(), "2".into()]);
        let range = dictionary(&[("lo", 0.into()), ("le", 1.into())]);
        let summary = read(&[
            ("rp", numbers),
            ("ep", Value::Array(vec![0.into()])),
            ("otr", dictionary(&[("0", range.clone()), ("10", range)])),
        ]);
        assert_eq!(summary.unsent, [1, 2, 3]);
        assert_eq!(summary.edited, [0]);
        assert_eq!(summary.parts, Some(11));
    }

    fn translations(parts: &[(&str, &str)]) -> Value {
        let part = |text: &str| {
            let translation = dictionary(&[
                ("translatedText", text.into()),
                ("translationLanguage", "fr_FR".into()),
                ("sourceLanguage", "en_US".into()),
            ]);
            dictionary(&[("0", Value::Array(vec![translation]))])
        };
        let parts: Vec<_> = parts.iter().map(|(number, text)| (*number, part(text))).collect();
        let mut archive = Vec::new();
        dictionary(&parts).to_writer_binary(&mut archive).unwrap();
        Value::Data(archive)
    }

    #[test]
    fn a_translation_of_every_part() {
        let found = |parts: &[(&str, &str)]| read(&[("tmp", translations(parts))]).translation;
        let one = found(&[("0", "un\u{FFFC}e")]).unwrap();
        assert_eq!(one.text, "une", "what a picture leaves is taken out");
        assert_eq!(one.language.as_deref(), Some("fr_FR"));
        assert_eq!(one.source_language.as_deref(), Some("en_US"));
        let several = found(&[("10", "trois"), ("0", "une"), ("2", "deux")]).unwrap();
        assert_eq!(several.text, "une\ndeux\ntrois", "in the order of the parts");
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn nothing_and_junk() {
        assert_eq!(summary(b""), Summary::default());
        assert_eq!(read(&[("ust", true.into())]), Summary::default());
        assert_eq!(summary(b"bplist00junk").defects.len(), 1);
    }
}
