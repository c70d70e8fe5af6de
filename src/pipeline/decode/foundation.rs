//! The Foundation classes that typedstreams hold (`messages-format.md` 4.3), as views on the stream's objects.
//!
//! **Must never**: copy what it can borrow, or follow references without a bound.

use std::borrow::Cow;

use super::typedstream::{Object, Value, Values};
use super::url;
use crate::property_list::unicode;

/// What an object is, whatever its own or a private subclass's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    String,
    /// `NSNumber`.
    Number,
    /// `NSValue`: a struct.
    Value,
    Dictionary,
    Array,
    Set,
    Data,
    Date,
    Url,
    Null,
    AttributedString,
    Other,
}

impl Kind {
    /// The kind of a Foundation class; `None` for other classes, which are what their superclass is.
    pub fn named(class: &[u8]) -> Option<Kind> {
        Some(match class {
            b"NSString" | b"NSMutableString" => Kind::String,
            b"NSNumber" => Kind::Number,
            b"NSValue" => Kind::Value,
            b"NSDictionary" | b"NSMutableDictionary" => Kind::Dictionary,
            b"NSArray" | b"NSMutableArray" => Kind::Array,
            b"NSSet" | b"NSMutableSet" => Kind::Set,
            b"NSData" | b"NSMutableData" => Kind::Data,
            b"NSDate" => Kind::Date,
            b"NSURL" => Kind::Url,
            b"NSNull" => Kind::Null,
            b"NSAttributedString" | b"NSMutableAttributedString" => Kind::AttributedString,
            _ => return None,
        })
    }
}

/// URLs that are relative to URLs that are …
const MAX_BASES: u32 = 8;

impl<'s> Value<'s> {
    /// The object, when it is one of this kind.
    pub fn object(self, kind: Kind) -> Option<Object<'s>> {
        match self {
            Value::Object(object) if object.kind() == kind => Some(object),
            _ => None,
        }
    }

    /// A string's bytes, UTF-8 as a rule.
    pub fn string_bytes(self) -> Option<&'s [u8]> {
        self.object(Kind::String)?.values().find_map(|value| match value {
            Value::Bytes(bytes) | Value::Name(bytes) => Some(bytes),
            _ => None,
        })
    }

    /// A string.
    pub fn string(self) -> Option<Cow<'s, str>> {
        self.string_bytes().map(unicode::utf8)
    }

    /// A number, in an NSNumber or bare. Fractions are cut off.
    pub fn integer(self) -> Option<i64> {
        match self.scalar()? {
            Value::Int(i) => Some(i),
            Value::Unsigned(u) => i64::try_from(u).ok(),
            Value::Real(r) => Some(r as i64),
            _ => None,
        }
    }

    /// A number, in an NSNumber or bare; or the seconds since 2001 of a date.
    pub fn real(self) -> Option<f64> {
        match self.scalar()? {
            Value::Int(i) => Some(i as f64),
            Value::Unsigned(u) => Some(u as f64),
            Value::Real(r) => Some(r),
            _ => None,
        }
    }

    fn scalar(self) -> Option<Value<'s>> {
        match self {
            Value::Object(object) if matches!(object.kind(), Kind::Number | Kind::Date) => {
                // A number's type comes first, as a C string.
                object.values().find(|v| matches!(v, Value::Int(_) | Value::Unsigned(_) | Value::Real(_)))
            }
            Value::Int(_) | Value::Unsigned(_) | Value::Real(_) => Some(self),
            _ => None,
        }
    }

    /// An NSData's bytes.
    pub fn data(self) -> Option<&'s [u8]> {
        self.object(Kind::Data)?.values().find_map(|value| match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        })
    }

    /// An NSURL, absolute as far as its bases make it so.
    pub fn url(self) -> Option<String> {
        self.url_within(MAX_BASES)
    }

    fn url_within(self, bases: u32) -> Option<String> {
        let mut values = self.object(Kind::Url)?.values();
        let relative = values.next()?.integer()? != 0;
        let base = match relative {
            true => values.next().and_then(|base| base.url_within(bases.checked_sub(1)?)),
            false => None,
        };
        let text = values.next()?.string()?;
        Some(match base {
            Some(base) => url::resolve(&base, &text),
            None => text.into_owned(),
        })
    }

    /// A dictionary's entries; of anything else none.
    pub fn entries(self) -> Entries<'s> {
        Entries(self.elements_of(&[Kind::Dictionary]))
    }

    /// The elements of an array or a set; of anything else none.
    pub fn elements(self) -> impl Iterator<Item = Value<'s>> {
        self.elements_of(&[Kind::Array, Kind::Set]).into_iter().flatten()
    }

    fn elements_of(self, kinds: &[Kind]) -> Option<Values<'s>> {
        match self {
            Value::Object(object) if kinds.contains(&object.kind()) => {
                let mut values = object.values();
                values.next(); // the count; what is there counts
                Some(values)
            }
            _ => None,
        }
    }
}

/// A dictionary's keys and values.
pub struct Entries<'s>(Option<Values<'s>>);

impl<'s> Iterator for Entries<'s> {
    type Item = (Value<'s>, Value<'s>);

    fn next(&mut self) -> Option<Self::Item> {
        let values = self.0.as_mut()?;
        Some((values.next()?, values.next()?))
    }
}
