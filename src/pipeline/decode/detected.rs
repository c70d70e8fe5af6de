//! What Apple's data detectors found in a text: archived `DDScannerResult`s (`messages-format.md` 4.8).
//!
//! **Must never**: go deeper than [`DEEPEST`], or read more than an [`Allowance`] lets it: a hostile archive names one
//! result again and again.

use super::attributes::Allowance;
use super::keyed::{Archive, Node};
use crate::model::Detected;

/// Results in results; what is deeper is left out.
pub const DEEPEST: u32 = 8;

/// Reads the archive of one hit. `None` where these bytes are none, or are more than the allowance.
pub fn detected(archive: &[u8], allowance: &mut Allowance) -> Option<Detected> {
    // Others are never written here, and need unpacking.
    if !archive.starts_with(b"bplist00") || !allowance.spend(0, archive.len()) {
        return None;
    }
    let archive = Archive::read(archive).ok()?;
    let result = result(archive.root(), DEEPEST, allowance)?;
    (!result.kind.is_empty()).then_some(result)
}

/// One result with what it is made of, `levels` deep.
fn result(node: Node<'_>, levels: u32, allowance: &mut Allowance) -> Option<Detected> {
    let levels = levels.checked_sub(1)?;
    // Looking up a member looks at all of them.
    if !allowance.spend(1 + node.len(), 0) {
        return None;
    }
    let text = |key| {
        let text = node.get(key)?.stored_text()?;
        (text.size() > 0).then_some(text)
    };
    let (kind, matched, value) = (text("T"), text("MS"), text("V"));
    let bytes = [kind, matched, value].iter().flatten().map(|text| text.size()).sum();
    if !allowance.spend(0, bytes) {
        return None;
    }
    let mut parts = Vec::new();
    if let Some(list) = node.get("SR")
        && levels > 0
    {
        for part in list.items() {
            match result(part, levels, allowance) {
                Some(part) => parts.push(part),
                None => break,
            }
        }
    }
    let decoded = |text: Option<crate::property_list::Text<'_>>| text.map(|text| text.decode().into_owned());
    Some(Detected {
        kind: decoded(kind).unwrap_or_default(),
        text: decoded(matched),
        value: decoded(value),
        parts,
    })
}

/// The bytes that are copied whenever this is.
pub fn weight(detected: &Detected) -> usize {
    let texts = [Some(&detected.kind), detected.text.as_ref(), detected.value.as_ref()];
    let own: usize = texts.into_iter().flatten().map(String::len).sum();
    size_of::<Detected>() + own + detected.parts.iter().map(weight).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plist::{Dictionary, Uid, Value};

    fn dictionary(entries: Vec<(&str, Value)>) -> Value {
        Value::Dictionary(
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Dictionary>(),
        )
    }

    fn archive(objects: Vec<Value>) -> Vec<u8> {
        let top = dictionary(vec![("dd-result", Value::Uid(Uid::new(1)))]);
        let archive = dictionary(vec![
            ("$archiver", "NSKeyedArchiver".into()),
            ("$objects", Value::Array(objects)),
            ("$top", top),
            ("$version", 100_000.into()),
        ]);
        let mut bytes = Vec::new();
        archive.to_writer_binary(&mut bytes).unwrap();
        bytes
    }

    /// `width` times the next, `depth` times.
    fn tower(depth: u64, width: usize) -> Vec<u8> {
        let mut objects = vec![Value::from("$null")];
        for level in 1..=depth {
            let next = Value::Array(vec![Value::Uid(Uid::new(level + 1)); width]);
            objects.push(dictionary(vec![("T", format!("L{level}").into()), ("SR", next)]));
        }
        objects.push(dictionary(vec![("T", "End".into()), ("V", "v".into()), ("MS", "m".into())]));
        archive(objects)
    }

    #[test]
    fn results_in_results() {
        let bytes = tower(2, 1);
        let found = detected(&bytes, &mut Allowance::new(bytes.len())).unwrap();
        assert_eq!((found.kind.as_str(), &found.text, &found.value), ("L1", &None, &None));
        let end = &found.parts[0].parts[0];
        assert_eq!(
            (end.kind.as_str(), end.text.as_deref(), end.value.as_deref()),
            ("End", Some("m"), Some("v"))
        );
    }

    #[test]
    fn no_deeper_than_eight() {
        let bytes = tower(20, 1);
        let found = detected(&bytes, &mut Allowance::new(bytes.len())).unwrap();
        let mut levels = 1;
        let mut at = &found;
        while let Some(part) = at.parts.first() {
            at = part;
            levels += 1;
        }
        assert_eq!(levels, DEEPEST);
    }

    /// 30^8 results in a few hundred bytes.
    #[test]
    fn nothing_unfolds_without_end() {
        let bytes = tower(8, 30);
        let mut allowance = Allowance::new(bytes.len());
        let found = detected(&bytes, &mut allowance);
        let count = found.as_ref().map_or(0, |found| weight(found) / size_of::<Detected>());
        assert!(count <= bytes.len() + 1024, "{count}");
        assert!(!allowance.spend(1, 0), "it is used up, and whoever asks next learns of it");
    }

    #[test]
    fn what_is_no_result_is_none() {
        let mut none = vec![Vec::new(), b"bplist00".to_vec(), b"\x1f\x8b\x08".to_vec(), b"<plist/>".to_vec()];
        none.push(archive(vec!["$null".into(), "a text".into()]));
        none.push(archive(vec!["$null".into(), dictionary(vec![("V", "no kind".into())])]));
        for bytes in none {
            assert_eq!(detected(&bytes, &mut Allowance::new(bytes.len())), None);
        }
    }
}
