//! `LegacyGroupIdentifiers` of `chat.properties`: the ids that a group had before it was made anew
//! (`messages-format.md` 12.6).
//!
//! Reads the one list out of the binary plist and nothing else, so that no property list, however it is built,
//! can cost more than its length.

const KEYS: [&[u8]; 2] = [b"LegacyGroupIdentifiers", b"legacyGroupIdentifiers"];

/// Far more than any group had.
const MOST_IDS: usize = 256;

/// The earlier ids; none where there are none or the plist is damaged.
pub(super) fn earlier_ids(properties: &[u8]) -> Vec<String> {
    Plist::open(properties).and_then(|plist| plist.ids()).unwrap_or_default()
}

struct Plist<'a> {
    bytes: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    root: usize,
    offsets: usize,
}

/// The kind of an object, its length, and where its content starts.
type Object = (u8, usize, usize);

impl<'a> Plist<'a> {
    fn open(bytes: &'a [u8]) -> Option<Plist<'a>> {
        let trailer = bytes.len().checked_sub(32)?;
        let size =
            |at: usize| bytes.get(trailer + at).map(|b| usize::from(*b)).filter(|s| (1..=8).contains(s));
        let mut plist = Plist { bytes, offset_size: size(6)?, reference_size: size(7)?, root: 0, offsets: 0 };
        plist.root = plist.number(trailer + 16, 8)?;
        plist.offsets = plist.number(trailer + 24, 8)?;
        bytes.starts_with(b"bplist0").then_some(plist)
    }

    fn ids(&self) -> Option<Vec<String>> {
        let (0xd, count, start) = self.object(self.root)? else { return None };
        // A dictionary: all references to keys, then all references to values.
        let list = (0..count.min(self.bytes.len())).find_map(|i| {
            let key = self.text(self.reference(start, i)?)?;
            KEYS.contains(&key).then(|| self.reference(start, count.checked_add(i)?)).flatten()
        })?;
        let (0xa, count, start) = self.object(list)? else { return None };
        let texts = (0..count.min(MOST_IDS)).filter_map(|i| self.text(self.reference(start, i)?));
        Some(texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect())
    }

    /// An ASCII string; ids are never anything else.
    fn text(&self, index: usize) -> Option<&'a [u8]> {
        let (0x5, length, start) = self.object(index)? else { return None };
        self.bytes.get(start..start.checked_add(length)?)
    }

    fn object(&self, index: usize) -> Option<Object> {
        let entry = index.checked_mul(self.offset_size)?.checked_add(self.offsets)?;
        let at = self.number(entry, self.offset_size)?;
        let marker = *self.bytes.get(at)?;
        if marker & 0xf != 0xf {
            return Some((marker >> 4, usize::from(marker & 0xf), at + 1));
        }
        let size = 1usize << (self.bytes.get(at + 1)? & 0xf).min(3);
        Some((marker >> 4, self.number(at + 2, size)?, at + 2 + size))
    }

    fn reference(&self, start: usize, i: usize) -> Option<usize> {
        self.number(i.checked_mul(self.reference_size)?.checked_add(start)?, self.reference_size)
    }

    fn number(&self, at: usize, size: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        bytes.iter().try_fold(0usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plist(key: &str) -> Vec<u8> {
        let ids = ["E1", "chat17"].map(plist::Value::from).to_vec();
        let mut dictionary = plist::Dictionary::new();
        dictionary.insert("before".into(), plist::Value::from(1));
        dictionary.insert(key.into(), plist::Value::Array(ids));
        let mut out = Vec::new();
        plist::Value::Dictionary(dictionary).to_writer_binary(&mut out).unwrap();
        out
    }

    #[test]
    fn both_spellings_are_read() {
        assert_eq!(earlier_ids(&plist("LegacyGroupIdentifiers")), ["E1", "chat17"]);
        assert_eq!(earlier_ids(&plist("legacyGroupIdentifiers")), ["E1", "chat17"]);
        assert!(earlier_ids(&plist("SomethingElse")).is_empty());
    }

    #[test]
    fn damage_is_survived() {
        let whole = plist("LegacyGroupIdentifiers");
        for i in 0..whole.len() {
            earlier_ids(&whole[..i]);
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[i] ^= 1 << bit;
                earlier_ids(&damaged);
            }
        }
    }
}
