//! `Manifest.mbdb` (`ios-backup-format.md` 5).

use std::collections::BTreeMap;

use super::{Entry, FileId, KIND, REGULAR};

/// The files that it lists, by path and domain.
#[derive(Debug, Default)]
pub(in crate::source::backup) struct Records(BTreeMap<(String, String), Entry>);

impl Records {
    /// `None` where it is damaged.
    pub fn read(bytes: &[u8]) -> Option<Records> {
        let mut rest = bytes.strip_prefix(b"mbdb\x05\x00")?;
        let mut records = Records::default();
        while !rest.is_empty() {
            let Record { domain, path, mode, wrapped_key, size } = record(&mut rest)?;
            if i64::from(mode) & KIND == REGULAR {
                let entry = Entry { id: FileId::of(&domain, &path), wrapped_key, size: Some(size) };
                records.0.insert((path, domain), entry);
            }
        }
        Some(records)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn find(&self, domain: &str, path: &str) -> Option<Entry> {
        self.0.get(&(path.to_owned(), domain.to_owned())).cloned()
    }

    pub fn find_anywhere(&self, path: &str) -> Option<Entry> {
        let ((known, _), entry) = self.0.range((path.to_owned(), String::new())..).next()?;
        (known == path).then(|| entry.clone())
    }

    pub fn paths(&self, domains: &[&str], beginning: &str, most: usize) -> Vec<String> {
        let from = self.0.range((beginning.to_owned(), String::new())..).map(|(key, _)| key);
        let all = from.take_while(|(path, _)| path.starts_with(beginning));
        let wanted = all.filter(|(_, domain)| domains.contains(&domain.as_str()));
        wanted.take(most).map(|(path, _)| path.clone()).collect()
    }
}

/// What is needed of a record of `Manifest.mbdb`.
struct Record {
    domain: String,
    path: String,
    mode: u16,
    wrapped_key: Option<Vec<u8>>,
    size: u64,
}

/// Takes a record off the front (`ios-backup-format.md` 5).
fn record(bytes: &mut &[u8]) -> Option<Record> {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let domain = text(string(bytes)?);
    let path = text(string(bytes)?);
    let (_link_target, _hash) = (string(bytes)?, string(bytes)?);
    let wrapped_key = string(bytes)?.map(<[u8]>::to_vec);
    let mode = u16::from_be_bytes(take(bytes, 2)?.try_into().ok()?);
    // Inode, owner, group, three dates.
    take(bytes, 8 + 4 + 4 + 3 * 4)?;
    let size = u64::from_be_bytes(take(bytes, 8)?.try_into().ok()?);
    let _protection_class = take(bytes, 1)?;
    let properties = *take(bytes, 1)?.first()?;
    for _ in 0..properties {
        string(bytes)?;
        string(bytes)?;
    }
    Some(Record { domain, path, mode, wrapped_key, size })
}

/// The outer `None`: damaged; the inner one: no value.
fn string<'b>(bytes: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    match u16::from_be_bytes(take(bytes, 2)?.try_into().ok()?) {
        u16::MAX => Some(None),
        length => Some(Some(take(bytes, usize::from(length))?)),
    }
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::backup::random::Random;

    #[test]
    fn records_of_an_old_manifest() {
        let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
        let none = b"\xff\xff".to_vec();
        let record = |path: &str, mode: u16, key: Vec<u8>| {
            [
                string("MediaDomain"),
                string(path),
                none.clone(),
                string("01234567890123456789"),
                key,
                mode.to_be_bytes().to_vec(),
                vec![0; 37],
                vec![1],
                string("name"),
                none.clone(),
            ]
            .concat()
        };
        let key = [&44_u16.to_be_bytes()[..], &[7; 44]].concat();
        let bytes = [
            b"mbdb\x05\x00".to_vec(),
            record("Library/SMS/Parts", 0x41ED, none.clone()),
            record("Library/SMS/Parts/0a/10/1-0.jpg", 0x81A4, key),
            record("Library/Other", 0x81A4, none.clone()),
        ]
        .concat();
        let manifest = Records::read(&bytes).unwrap();
        let found = manifest.find("MediaDomain", "Library/SMS/Parts/0a/10/1-0.jpg").unwrap();
        assert_eq!(found.wrapped_key, Some(vec![7; 44]));
        assert_eq!(manifest.find("MediaDomain", "Library/SMS/Parts"), None);
        assert!(manifest.find_anywhere("Library/Other").is_some());
        let parts = manifest.paths(&["MediaDomain"], "Library/SMS/Parts/", usize::MAX);
        assert_eq!(parts, ["Library/SMS/Parts/0a/10/1-0.jpg"]);
        for cut in 7..bytes.len() {
            let whole_records = Records::read(&bytes[..cut]).is_some();
            assert_eq!(whole_records, [6].contains(&cut) || ends_a_record(&bytes, cut), "{cut}");
        }
        assert!(Records::read(b"mbdx").is_none());
    }

    #[test]
    fn records_made_to_hurt_are_records_or_nothing() {
        let mut whole = b"mbdb\x05\x00".to_vec();
        for name in ["a", "Library/SMS/Parts/0a/10/1-0.jpg", "b"] {
            whole.extend([&(name.len() as u16).to_be_bytes()[..], name.as_bytes()].concat().repeat(2));
            whole.extend([0xff; 6]);
            whole.extend(0x81A4_u16.to_be_bytes());
            whole.extend([0; 38]);
        }
        assert!(!Records::read(&whole).unwrap().is_empty());
        let mut random = Random::of(3);
        let mut next = |below| random.below(below);
        let mut read = 0;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=next(4) {
                let at = next(bytes.len());
                bytes[at] = [next(256) as u8, 0, 0xff, 1][next(4)];
            }
            let records = Records::read(&bytes);
            read += usize::from(records.is_some());
            let ids = records.iter().flat_map(|records| records.0.values());
            ids.for_each(|entry| assert_eq!(entry.id.as_str().len(), 40));
        }
        assert!(read > 1_000, "{read}");
    }

    /// Whether a record ends at this byte of the three above.
    fn ends_a_record(bytes: &[u8], cut: usize) -> bool {
        let mut rest = &bytes[6..];
        while let Some(taken) = (!rest.is_empty()).then(|| record(&mut rest)).flatten() {
            drop(taken);
            if bytes.len() - rest.len() == cut {
                return true;
            }
        }
        false
    }
}
