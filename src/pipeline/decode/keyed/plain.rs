//! What archives and JSON hold, as values that say nothing of how they were stored.
//!
//! **Must never**: unfold an archive beyond [`MAX_VALUES`] and [`MAX_BYTES`].

use super::super::date;
use super::Node;
use crate::model::Value;
use crate::property_list as stored;

/// Values in what is made of one archive.
const MAX_VALUES: usize = 4096;
/// Bytes of texts and data in it.
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;

/// What may still be unfolded.
struct Budget {
    values: usize,
    bytes: usize,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.values = self.values.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(())
    }
}

impl Node<'_> {
    /// All that it holds. Nulls and classes are left out; `None` for nothing, for circles, and for more than 4096 values or a
    /// mebibyte of texts and data.
    pub fn value(self) -> Option<Value> {
        self.unfold(&mut Budget { values: MAX_VALUES, bytes: MAX_BYTES }, MAX_DEPTH)
    }

    fn unfold(self, budget: &mut Budget, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        if let Some(text) = self.string() {
            budget.take(text.len())?;
            return Some(Value::Text(text.into_owned()));
        }
        match self.object.value() {
            stored::Value::Bool(value) => return Some(Value::Boolean(value)),
            stored::Value::Int(value) => return Some(Value::Integer(value)),
            stored::Value::Real(value) => return finite(value),
            stored::Value::Date(seconds) => return date::from_seconds(seconds).map(Value::Date),
            _ => {}
        }
        if let Some(bytes) = self.resolved_member("NS.uuidbytes").and_then(Node::data) {
            budget.take(36)?;
            return Some(Value::Text(uuid(bytes)));
        }
        if let Some(bytes) = self.data() {
            budget.take(bytes.len())?;
            return Some(Value::Bytes(bytes.to_vec()));
        }
        if let Some(seconds) = self.resolved_member("NS.time").and_then(Node::real) {
            return date::from_seconds(seconds).map(Value::Date);
        }
        if self.resolved_member("NS.relative").is_some() {
            let url = self.url()?;
            budget.take(url.len())?;
            return Some(Value::Text(url));
        }
        if self.is_list() {
            let mut list = Vec::new();
            for item in self.items() {
                budget.take(0)?;
                list.push(item.unfold(budget, depth)?);
            }
            return Some(Value::List(list));
        }
        let mut map = Vec::new();
        for (name, value) in self.entries() {
            let Some(name) = name.text().filter(|name| name != "$class") else { continue };
            budget.take(name.len())?;
            map.push((name, value.unfold(budget, depth)?));
        }
        Some(Value::Map(map))
    }

    /// An NSUUID as it is written.
    pub fn uuid(self) -> Option<String> {
        self.data().filter(|bytes| !bytes.is_empty()).map(uuid)
    }
}

fn finite(value: f64) -> Option<Value> {
    value.is_finite().then_some(Value::Real(value))
}

/// `5E5A5125-D530-42E1-8F7F-1943614E0016`; of other lengths, just the digits.
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if bytes.len() == 16 && matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02X}"));
    }
    text
}

/// JSON as values, without its nulls.
pub fn from_json(json: &serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Integer(value),
            None => return number.as_f64().and_then(finite),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().filter_map(from_json).collect()),
        Json::Object(entries) => Value::Map(
            entries.iter().filter_map(|(name, value)| Some((name.clone(), from_json(value)?))).collect(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::decode::keyed::Archive;
    use plist::{Dictionary, Uid, Value as Plist};

    fn dictionary(entries: &[(&str, Plist)]) -> Plist {
        Plist::Dictionary(entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Dictionary>())
    }

    fn unfolded(objects: Vec<Plist>) -> Option<Value> {
        let archive = dictionary(&[
            ("$top", dictionary(&[("root", Plist::Uid(Uid::new(1)))])),
            ("$objects", Plist::Array(objects)),
        ]);
        let mut bytes = Vec::new();
        archive.to_writer_binary(&mut bytes).unwrap();
        Archive::read(&bytes).unwrap().root().value()
    }

    #[test]
    fn everything_an_archive_holds() {
        let uid = |n| Plist::Uid(Uid::new(n));
        let found = unfolded(vec![
            "$null".into(),
            dictionary(&[
                ("bytes", Plist::Data(vec![1, 2])),
                ("id", uid(2)),
                ("list", uid(3)),
                ("nothing", uid(0)),
                ("url", uid(4)),
                ("when", uid(5)),
                ("yes", true.into()),
            ]),
            dictionary(&[("NS.uuidbytes", Plist::Data((0..16).collect()))]),
            dictionary(&[("NS.objects", Plist::Array(vec![1.into(), 2.5.into(), "x".into()]))]),
            dictionary(&[("NS.base", uid(0)), ("NS.relative", "https://example.com".into())]),
            dictionary(&[("NS.time", 0.into())]),
        ]);
        let text = |text: &str| Value::Text(text.into());
        let expected = [
            ("bytes", Value::Bytes(vec![1, 2])),
            ("id", text("00010203-0405-0607-0809-0A0B0C0D0E0F")),
            ("list", Value::List(vec![Value::Integer(1), Value::Real(2.5), text("x")])),
            ("url", text("https://example.com")),
            ("when", Value::Date("2001-01-01T00:00:00Z".parse().unwrap())),
            ("yes", Value::Boolean(true)),
        ];
        assert_eq!(found, Some(Value::Map(expected.map(|(name, value)| (name.to_owned(), value)).into())));
    }

    #[test]
    fn an_archive_cannot_unfold_without_end() {
        let uid = |n| Plist::Uid(Uid::new(n));
        assert_eq!(unfolded(vec!["$null".into(), dictionary(&[("round", uid(1))])]), None);
        let mut bomb = vec!["$null".into()];
        bomb.extend((1..30).map(|n| Plist::Array(vec![uid(n + 1); 10])));
        bomb.push("end".into());
        assert_eq!(unfolded(bomb), None);
        let text = "x".repeat(MAX_BYTES);
        assert_eq!(unfolded(vec!["$null".into(), Plist::Array(vec![uid(2), uid(2)]), text.into()]), None);
    }
}
