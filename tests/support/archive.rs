//! JSON → a keyed archive, so that a payload in a test reads like what it holds.

use plist::{Uid, Value as Plist};
use serde_json::Value as Json;

use super::keyed::Archiver;

/// An object with `$class` becomes an object of that class, one with `$url`, `$date` (seconds since 2001), `$data` (text)
/// or `$uuid` (a byte, sixteen times) Foundation's object for it, any other an NSDictionary; null is `$null`.
pub fn archive(json: &Json) -> Vec<u8> {
    let mut archiver = Archiver::default();
    let root = add(&mut archiver, json);
    archiver.finish(&[("root", Plist::Uid(root))])
}

fn add(a: &mut Archiver, json: &Json) -> Uid {
    match json {
        Json::Null => Uid::new(0),
        Json::Bool(value) => a.add(Plist::from(*value)),
        Json::Number(number) => match number.as_i64() {
            Some(value) => a.add(Plist::from(value)),
            None => a.add(Plist::from(number.as_f64().expect("a number"))),
        },
        Json::String(text) => a.string(text),
        Json::Array(items) => {
            let items: Vec<Uid> = items.iter().map(|item| add(a, item)).collect();
            a.array(items)
        }
        Json::Object(entries) => {
            if let Some(url) = json["$url"].as_str() {
                return a.url(url);
            }
            if let Some(seconds) = json["$date"].as_f64() {
                return a.object(&["NSDate", "NSObject"], [("NS.time", Plist::from(seconds))]);
            }
            if let Some(text) = json["$data"].as_str() {
                return a.add(Plist::Data(text.as_bytes().to_vec()));
            }
            if let Some(byte) = json["$uuid"].as_u64() {
                return a.uuid([u8::try_from(byte).expect("a byte"); 16]);
            }
            let members: Vec<(&str, Uid)> = entries
                .iter()
                .filter(|(key, _)| *key != "$class")
                .map(|(key, value)| (key.as_str(), add(a, value)))
                .collect();
            match json["$class"].as_str() {
                Some(class) => {
                    let members = members.into_iter().map(|(key, value)| (key, Plist::Uid(value)));
                    a.object(&[class, "NSObject"], members)
                }
                None => a.dictionary(members),
            }
        }
    }
}
