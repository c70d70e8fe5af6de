//! Property lists of Apple's apps: NSKeyedArchiver archives (`messages-format.md` 10.2) and bare dictionaries, binary
//! or XML, plain or compressed with gzip.
//!
//! A [`Node`] resolves what it is asked for and nothing else, so neither cycles nor archives that would unfold without
//! end need to be looked for: whoever walks down an archive bounds the steps.
//!
//! **Must never**: resolve an archive as a whole, or unpack more than [`MAX_UNPACKED`].

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

mod plain;

pub use plain::from_json;

use super::url;
use crate::property_list::{Object, Plist, References, Text, Value};

/// Bytes that a compressed payload may unpack to.
pub const MAX_UNPACKED: usize = 16 << 20;
/// URLs inside URLs, references to references.
const MAX_STEPS: u32 = 8;

/// Why bytes are no archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    NotAPlist,
    /// The list itself is whole; the archive in it is not.
    NoRoot,
    /// It cannot be unpacked, or to more than [`MAX_UNPACKED`].
    Compressed,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::NotAPlist => "no property list, or a damaged one",
            Damage::NoRoot => "a keyed archive without a root",
            Damage::Compressed => "compressed data that cannot be unpacked",
        })
    }
}

/// A keyed archive or a bare property list.
#[derive(Debug)]
pub struct Archive<'a> {
    plist: Plist<'a>,
}

impl<'a> Archive<'a> {
    /// Recognizes the encoding by its first bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are no property list, or an archive that has no root.
    pub fn read(bytes: &'a [u8]) -> Result<Archive<'a>, Damage> {
        let bytes: Cow<'a, [u8]> = match bytes.starts_with(&[0x1F, 0x8B]) {
            true => unpack(bytes)?.into(),
            false => bytes.into(),
        };
        let plist = Plist::read(bytes).ok_or(Damage::NotAPlist)?;
        let archive = Archive { plist };
        match archive.resolve_root() {
            Some(_) => Ok(archive),
            None => Err(Damage::NoRoot),
        }
    }

    /// The archived object; of a bare list its outermost.
    pub fn root(&self) -> Node<'_> {
        self.resolve_root().unwrap_or(Node { objects: None, object: self.plist.root() })
    }

    fn resolve_root(&self) -> Option<Node<'_>> {
        let root = self.plist.root();
        let bare = Node { objects: None, object: root };
        let Some(objects) = bare.member("$objects") else {
            return Some(bare);
        };
        let Value::Array(objects) = objects.object.value() else {
            return None;
        };
        let top = bare.member("$top")?;
        // Data detectors and a few others name their root otherwise; beside `dd-result` there is a version.
        let named = top.member("root").or_else(|| top.member("dd-result"));
        let root = named.or_else(|| match top.object.value() {
            Value::Dictionary { values, .. } => Some(top.with(values.get(0)?)),
            _ => None,
        })?;
        Node { objects: Some(objects), object: root.object }.resolved()
    }
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Damage> {
    let mut unpacked = Vec::new();
    let limit = MAX_UNPACKED as u64 + 1;
    match flate2::read::GzDecoder::new(bytes).take(limit).read_to_end(&mut unpacked) {
        Ok(len) if len <= MAX_UNPACKED => Ok(unpacked),
        _ => Err(Damage::Compressed),
    }
}

/// An object of an archive, with references followed and Foundation's containers unwrapped.
#[derive(Debug, Clone, Copy)]
pub struct Node<'p> {
    /// The archive's `$objects`; `None` in a bare list.
    objects: Option<References<'p>>,
    object: Object<'p>,
}

impl<'p> Node<'p> {
    fn with(self, object: Object<'p>) -> Node<'p> {
        Node { object, ..self }
    }

    /// Follows references; `None` for `$null`, a reference to nothing and one that goes round in circles.
    fn resolved(mut self) -> Option<Node<'p>> {
        for _ in 0..MAX_STEPS {
            match (self.object.value(), self.objects) {
                (Value::Null, _) => return None,
                (Value::Uid(0), Some(_)) => return None,
                (Value::Uid(index), Some(objects)) => {
                    self.object = objects.get(usize::try_from(index).ok()?)?;
                }
                _ => return Some(self),
            }
        }
        None
    }

    /// A member by the key it is stored under, as it is.
    fn member(self, key: &str) -> Option<Node<'p>> {
        Some(self.with(self.object.get(key)?))
    }

    fn resolved_member(self, key: &str) -> Option<Node<'p>> {
        self.member(key)?.resolved()
    }

    /// The name of its class; `None` outside archives.
    pub fn class(self) -> Option<String> {
        match self.resolved_member("$class")?.member("$classname")?.object.value() {
            Value::Text(name) => Some(name.decode().into_owned()),
            _ => None,
        }
    }

    /// What a dictionary or an object has under a key.
    pub fn get(self, key: &str) -> Option<Node<'p>> {
        if let Some(member) = self.member(key) {
            return member.resolved();
        }
        let (keys, values) = (self.list("NS.keys")?, self.list("NS.objects")?);
        let is_wanted = |place: &usize| {
            let name = keys.get(*place).and_then(|name| self.with(name).resolved());
            name.and_then(Node::stored_text).is_some_and(|name| name.is(key))
        };
        let place = (0..keys.len()).find(is_wanted)?;
        self.with(values.get(place)?).resolved()
    }

    /// Walks down several keys.
    pub fn path(self, keys: &[&str]) -> Option<Node<'p>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// A dictionary's entries, archived or bare, without those whose key or value is null; of an object, its members.
    pub fn entries(self) -> impl Iterator<Item = (Node<'p>, Node<'p>)> {
        let lists = match (self.list("NS.keys"), self.list("NS.objects")) {
            (Some(keys), Some(values)) => Some((keys, values)),
            _ => match self.object.value() {
                Value::Dictionary { keys, values } => Some((keys, values)),
                _ => None,
            },
        };
        let pairs = lists
            .into_iter()
            .flat_map(|(keys, values)| (0..keys.len()).map(move |i| (keys.get(i), values.get(i))));
        pairs.filter_map(move |(key, value)| {
            Some((self.with(key?).resolved()?, self.with(value?).resolved()?))
        })
    }

    /// The elements of an array or a set, archived or bare, without the null ones.
    pub fn items(self) -> impl Iterator<Item = Node<'p>> {
        let list = match self.object.value() {
            Value::Array(list) => Some(list),
            _ => self.list("NS.objects"),
        };
        list.into_iter()
            .flat_map(|list| (0..list.len()).filter_map(move |i| list.get(i)))
            .filter_map(move |object| self.with(object).resolved())
    }

    /// How many entries or elements it has at most.
    pub fn len(self) -> usize {
        match self.object.value() {
            Value::Array(list) => list.len(),
            Value::Dictionary { keys, .. } => {
                keys.len().max(self.list("NS.objects").map_or(0, |list| list.len()))
            }
            _ => 0,
        }
    }

    /// Whether it has no entries and no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether it is an array or a set.
    pub fn is_list(self) -> bool {
        match self.object.value() {
            Value::Array(_) => true,
            _ => self.list("NS.objects").is_some() && self.list("NS.keys").is_none(),
        }
    }

    /// An archived container's list.
    fn list(self, key: &str) -> Option<References<'p>> {
        self.objects?;
        match self.resolved_member(key)?.object.value() {
            Value::Array(list) => Some(list),
            _ => None,
        }
    }

    /// A string, NSString or NSMutableString, or an NSAttributedString's text.
    pub fn string(self) -> Option<Cow<'p, str>> {
        Some(self.stored_text()?.decode())
    }

    /// As [`string`](Self::string), not decoded yet.
    pub fn stored_text(self) -> Option<Text<'p>> {
        let mut node = self;
        for _ in 0..MAX_STEPS {
            match node.object.value() {
                Value::Text(text) => return Some(text),
                _ => {
                    node = node.resolved_member("NS.string").or_else(|| node.resolved_member("NSString"))?;
                }
            }
        }
        None
    }

    /// A string that is not empty.
    pub fn text(self) -> Option<String> {
        self.string().filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// A URL, in whatever is wrapped around it (NSURL, dictionaries with a key `URL`); or a plain string.
    pub fn url(self) -> Option<String> {
        self.url_within(MAX_STEPS).filter(|url| !url.is_empty())
    }

    fn url_within(self, steps: u32) -> Option<String> {
        if let Some(text) = self.string() {
            return Some(text.into_owned());
        }
        let steps = steps.checked_sub(1)?;
        if let Some(relative) = self.resolved_member("NS.relative") {
            let relative = relative.string()?.into_owned();
            let base = self.resolved_member("NS.base").and_then(|base| base.url_within(steps));
            return Some(match base {
                Some(base) => url::resolve(&base, &relative),
                None => relative,
            });
        }
        self.get("URL")?.url_within(steps)
    }

    /// A whole number; fractions are cut off.
    pub fn integer(self) -> Option<i64> {
        match self.object.value() {
            Value::Int(i) => Some(i),
            Value::Real(r) => Some(r as i64),
            Value::Bool(b) => Some(b.into()),
            _ => None,
        }
    }

    /// A number, or a date in seconds since 2001.
    pub fn real(self) -> Option<f64> {
        let bare = |node: Node<'p>| match node.object.value() {
            Value::Int(i) => Some(i as f64),
            Value::Real(r) | Value::Date(r) => Some(r),
            _ => None,
        };
        bare(self).or_else(|| bare(self.resolved_member("NS.time")?))
    }

    /// A truth value, or a number other than 0.
    pub fn bool(self) -> Option<bool> {
        match self.object.value() {
            Value::Bool(b) => Some(b),
            Value::Int(i) => Some(i != 0),
            _ => None,
        }
    }

    /// Bytes: data, NSData or an NSUUID's.
    pub fn data(self) -> Option<&'p [u8]> {
        let data = |node: Node<'p>| match node.object.value() {
            Value::Data(bytes) => Some(bytes),
            _ => None,
        };
        data(self).or_else(|| {
            let inner = self.resolved_member("NS.data").or_else(|| self.resolved_member("NS.uuidbytes"))?;
            data(inner)
        })
    }
}
