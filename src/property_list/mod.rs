//! Property lists, read in place: binary ones as they are, XML ones once they are made binary.
//!
//! A view, not a tree: an object is decoded when it is asked for. So a file of a few hundred bytes that would unfold
//! to gigabytes costs nothing, one damaged string spoils nothing but itself, and the few values that are wanted of
//! an archive cost no copy of the rest.
//!
//! **Must never**: allocate by a number it read, or follow a reference on its own.

use std::borrow::Cow;

pub mod unicode;
mod xml;

/// A property list.
#[derive(Debug, Clone)]
pub struct Plist<'a> {
    bytes: Cow<'a, [u8]>,
    /// Width in bytes of an entry of the offset table.
    offset_width: usize,
    /// Width in bytes of a reference to an object.
    reference_width: usize,
    /// Number of objects, all of which have an entry in the table.
    objects: usize,
    root: usize,
    /// Where the offset table begins; the objects lie before it.
    table: usize,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'p> {
    /// The null object, or one that is damaged.
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    /// Seconds since 2001.
    Date(f64),
    Data(&'p [u8]),
    Text(Text<'p>),
    /// An index into a keyed archive's objects.
    Uid(u64),
    Array(References<'p>),
    Dictionary {
        keys: References<'p>,
        values: References<'p>,
    },
}

impl<'a> Plist<'a> {
    /// A list of either kind, recognized by its first bytes. `None` when they are none, or one that lies too deep.
    pub fn read(bytes: Cow<'a, [u8]>) -> Option<Plist<'a>> {
        match bytes.starts_with(b"bplist") {
            true => Plist::read_binary(bytes),
            false => Plist::read_binary(xml::to_binary(&bytes)?.into()),
        }
    }

    /// Reads the trailer. `None` when the offset table does not lie in these bytes.
    fn read_binary(bytes: Cow<'a, [u8]>) -> Option<Plist<'a>> {
        if !bytes.starts_with(b"bplist0") {
            return None;
        }
        let end = bytes.len().checked_sub(32)?;
        let trailer: &[u8; 32] = bytes.last_chunk()?;
        let word = |at: usize| {
            let word = trailer.get(at..)?.first_chunk::<8>()?;
            usize::try_from(u64::from_be_bytes(*word)).ok()
        };
        let plist = Plist {
            offset_width: usize::from(*trailer.get(6)?),
            reference_width: usize::from(*trailer.get(7)?),
            objects: word(8)?,
            root: word(16)?,
            table: word(24)?,
            bytes,
        };
        let widths = 1..=8;
        let table_size = plist.objects.checked_mul(plist.offset_width)?;
        (widths.contains(&plist.offset_width)
            && widths.contains(&plist.reference_width)
            && plist.table.checked_add(table_size)? <= end
            && plist.root < plist.objects)
            .then_some(plist)
    }

    /// The outermost object.
    pub fn root(&self) -> Object<'_> {
        Object { plist: self, number: self.root }
    }
}

/// An object of a list: cheap to copy, decoded by [`value`](Object::value).
#[derive(Debug, Clone, Copy)]
pub struct Object<'p> {
    plist: &'p Plist<'p>,
    number: usize,
}

impl PartialEq for Object<'_> {
    /// The same object of the same list.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.plist, other.plist) && self.number == other.number
    }
}

impl<'p> Object<'p> {
    /// Decodes the object itself; what it contains stays references.
    pub fn value(self) -> Value<'p> {
        self.decode().unwrap_or(Value::Null)
    }

    /// What a dictionary has under a key.
    pub fn get(self, key: &str) -> Option<Object<'p>> {
        let Value::Dictionary { keys, values } = self.value() else { return None };
        let named = |place: &usize| {
            keys.get(*place).is_some_and(|object| matches!(object.value(), Value::Text(text) if text.is(key)))
        };
        values.get((0..keys.len()).find(named)?)
    }

    fn decode(self) -> Option<Value<'p>> {
        let plist = self.plist;
        let entry = plist.table + self.number * plist.offset_width;
        let offset = number(plist.bytes.get(entry..entry + plist.offset_width)?)?;
        let bytes = plist.bytes.get(..plist.table)?;
        let (&marker, rest) = bytes.get(usize::try_from(offset).ok()?..)?.split_first()?;
        let low = marker & 0x0F;
        let sized = || match low {
            0x0F => {
                let (&marker, rest) = rest.split_first()?;
                let width = 1_usize.checked_shl(u32::from(marker & 0x0F))?;
                let (count, rest) = rest.split_at_checked(width)?;
                Some((usize::try_from(number(count)?).ok()?, rest))
            }
            _ => Some((usize::from(low), rest)),
        };
        let references = |count: usize, rest: &'p [u8]| {
            let (list, rest) = rest.split_at_checked(count.checked_mul(plist.reference_width)?)?;
            Some((References { plist, list }, rest))
        };
        Some(match marker >> 4 {
            0x0 if low == 8 => Value::Bool(false),
            0x0 if low == 9 => Value::Bool(true),
            0x1 => {
                let digits = rest.get(..1_usize.checked_shl(low.into())?)?;
                match digits.len() {
                    // Narrow integers are unsigned, those of 8 bytes signed; 16 bytes hold what does not fit 8.
                    1 | 2 | 4 | 8 => Value::Int(number(digits)?.cast_signed()),
                    16 => {
                        let wide = i128::from_be_bytes(*digits.first_chunk()?);
                        Value::Int(i64::try_from(wide).ok()?)
                    }
                    _ => return None,
                }
            }
            0x2 => Value::Real(match low {
                2 => f32::from_be_bytes(*rest.first_chunk()?).into(),
                3 => f64::from_be_bytes(*rest.first_chunk()?),
                _ => return None,
            }),
            0x3 => Value::Date(f64::from_be_bytes(*rest.first_chunk()?)),
            0x4 => {
                let (count, rest) = sized()?;
                Value::Data(rest.get(..count)?)
            }
            0x5 | 0x7 => {
                let (count, rest) = sized()?;
                Value::Text(Text { bytes: rest.get(..count)?, wide: false })
            }
            0x6 => {
                let (count, rest) = sized()?;
                Value::Text(Text { bytes: rest.get(..count.checked_mul(2)?)?, wide: true })
            }
            0x8 => Value::Uid(number(rest.get(..usize::from(low) + 1)?)?),
            0xA..=0xC => {
                let (count, rest) = sized()?;
                Value::Array(references(count, rest)?.0)
            }
            0xD => {
                let (count, rest) = sized()?;
                let (keys, rest) = references(count, rest)?;
                let (values, _) = references(count, rest)?;
                Value::Dictionary { keys, values }
            }
            _ => return None,
        })
    }
}

/// A string, not decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'p> {
    bytes: &'p [u8],
    /// Big-endian UTF-16, not ASCII (or UTF-8, which some writers put there).
    wide: bool,
}

impl<'p> Text<'p> {
    /// The text; lone surrogates become U+FFFD.
    pub fn decode(self) -> Cow<'p, str> {
        match self.wide {
            true => unicode::utf16(self.bytes, true).into(),
            false => unicode::utf8(self.bytes),
        }
    }

    /// Whether it is this text; costs no more than its length.
    pub fn is(self, text: &str) -> bool {
        match self.wide {
            true => {
                let (units, _) = self.bytes.as_chunks::<2>();
                units.len() <= text.len()
                    && text.encode_utf16().eq(units.iter().map(|u| u16::from_be_bytes(*u)))
            }
            false => self.bytes == text.as_bytes(),
        }
    }

    /// The size as stored, in bytes.
    pub fn size(self) -> usize {
        self.bytes.len()
    }
}

/// A big-endian number of at most 8 bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// The members of an array, or the keys or values of a dictionary.
#[derive(Debug, Clone, Copy)]
pub struct References<'p> {
    plist: &'p Plist<'p>,
    list: &'p [u8],
}

impl PartialEq for References<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.plist, other.plist) && self.list == other.list
    }
}

impl<'p> References<'p> {
    /// How many.
    pub fn len(&self) -> usize {
        self.list.len() / self.plist.reference_width
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The member at a position; `None` behind the end and for a reference to nothing.
    pub fn get(self, position: usize) -> Option<Object<'p>> {
        let width = self.plist.reference_width;
        let at = position.checked_mul(width)?;
        let number = number(self.list.get(at..at + width)?)?;
        let number = usize::try_from(number).ok()?;
        (number < self.plist.objects).then_some(Object { plist: self.plist, number })
    }
}
