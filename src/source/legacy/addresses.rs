//! Lists of addresses in property lists: `message.recipients`, `madrid_chat.participants` (`messages-format.md` 2.8).
//!
//! **Must never**: unfold a list that says the same things again and again, or go down without end.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Lists inside each other.
const DEEPEST: u8 = 4;
/// Bytes and values in a list; one that unfolds to more is none.
const MOST: usize = 1 << 20;

/// The addresses in a list, each once, in its order: all strings of an array, and of dictionaries in it those that read
/// as addresses. None of what is no such list, or a damaged one.
pub(super) fn addresses(plist: &[u8]) -> Vec<String> {
    plist::from_bytes::<Addresses>(plist).map(|found| found.list).unwrap_or_default()
}

#[derive(Default)]
struct Addresses {
    list: Vec<String>,
    known: HashSet<String>,
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Addresses, D::Error> {
        let mut found = Addresses::default();
        let mut left = MOST;
        Walk { found: &mut found, left: &mut left, depth: 0, named: false }.deserialize(deserializer)?;
        Ok(found)
    }
}

/// Goes through a value and takes what it meets.
struct Walk<'w> {
    found: &'w mut Addresses,
    /// Bytes and values that may still come.
    left: &'w mut usize,
    depth: u8,
    /// It is in a dictionary, where not every string is an address.
    named: bool,
}

impl Walk<'_> {
    fn spend<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        *self.left = self.left.checked_sub(bytes.saturating_add(1)).ok_or_else(|| E::custom("too much"))?;
        Ok(())
    }

    fn inside(&mut self, named: bool) -> Walk<'_> {
        Walk { found: self.found, left: self.left, depth: self.depth + 1, named: self.named || named }
    }
}

fn reads_as_address(text: &str) -> bool {
    let is_number = || {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        digits >= 3 && text.bytes().all(|b| b.is_ascii_digit() || b"+-() .".contains(&b))
    };
    text.contains('@') || is_number()
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of addresses")
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.spend(text.len())?;
        let address = text.trim();
        let wanted = self.depth > 0 && !address.is_empty() && (!self.named || reads_as_address(address));
        if wanted && self.found.known.insert(address.to_owned()) {
            self.found.list.push(address.to_owned());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.spend(0)?;
        if self.depth == DEEPEST {
            return Err(A::Error::custom("too deep"));
        }
        while list.next_element_seed(self.inside(false))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.spend(0)?;
        if self.depth == DEEPEST {
            return Err(A::Error::custom("too deep"));
        }
        while let Some(key) = map.next_key::<String>()? {
            self.spend(key.len())?;
            map.next_value_seed(self.inside(true))?;
        }
        Ok(())
    }

    fn visit_bytes<E: Error>(mut self, bytes: &[u8]) -> Result<(), E> {
        self.spend(bytes.len())
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.spend(0)
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.spend(0)
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        self.spend(0)
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.spend(0)
    }
}

#[cfg(test)]
mod tests {
    use plist::Value;

    use super::*;

    fn binary(value: Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.to_writer_binary(&mut bytes).unwrap();
        bytes
    }

    fn text(text: &str) -> Value {
        Value::String(text.into())
    }

    #[test]
    fn lists_and_lists_of_dictionaries() {
        let list = Value::Array(vec![text("+12025550143"), text("ana@example.com"), text("+12025550143")]);
        assert_eq!(addresses(&binary(list.clone())), ["+12025550143", "ana@example.com"]);
        let mut xml = Vec::new();
        list.to_writer_xml(&mut xml).unwrap();
        assert_eq!(addresses(&xml), ["+12025550143", "ana@example.com"]);

        let mut person = plist::Dictionary::new();
        person.insert("a".into(), text("ben@example.com"));
        person.insert("b".into(), text("iMessage"));
        person.insert("c".into(), Value::Integer(3.into()));
        assert_eq!(addresses(&binary(Value::Array(vec![Value::Dictionary(person)]))), ["ben@example.com"]);
    }

    #[test]
    fn what_is_no_list_has_none() {
        for bytes in [&b""[..], b"bplist00", b"\0\0", b"<plist><array><string>x", &binary(text("x"))] {
            assert_eq!(addresses(bytes), Vec::<String>::new());
        }
        let whole = binary(Value::Array(vec![text("+12025550143"), text("ana@example.com")]));
        for end in 0..whole.len() {
            addresses(&whole[..end]);
        }
    }

    /// 60 arrays, each twice in the next: 2^60 strings.
    #[test]
    fn nothing_unfolds_without_end() {
        let mut bytes = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for object in 0_u8..60 {
            offsets.push(u8::try_from(bytes.len()).unwrap());
            bytes.extend([0xA2, object + 1, object + 1]);
        }
        offsets.push(u8::try_from(bytes.len()).unwrap());
        bytes.extend(b"\x51x");
        let table = bytes.len() as u64;
        bytes.extend(&offsets);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        bytes.extend(61_u64.to_be_bytes());
        bytes.extend(0_u64.to_be_bytes());
        bytes.extend(table.to_be_bytes());
        assert_eq!(addresses(&bytes), Vec::<String>::new());

        let again_and_again = Value::Array(vec![text(&"x".repeat(60_000)); 50]);
        assert_eq!(addresses(&binary(again_and_again)), Vec::<String>::new());
    }
}
