//! Reads the bytes of a stream onto the tape.

use super::{Class, Damage, Item, Slot, Span, Tape};
use crate::pipeline::decode::foundation::Kind;

/// Objects inside objects: Messages needs about six.
const MAX_DEPTH: u32 = 96;
/// Structs and arrays inside each other in one type encoding.
const MAX_NESTING: u32 = 32;
const NEW: u8 = 0x84;
const NIL: u8 = 0x85;
const END: u8 = 0x86;

pub(super) struct Header {
    big_endian: bool,
}

impl Header {
    const LENGTH: usize = 13;

    pub(super) fn read(bytes: &[u8]) -> Option<Header> {
        let big_endian = match bytes.get(..Self::LENGTH)? {
            [3 | 4, 11, signature @ ..] if signature == b"streamtyped" => false,
            [3 | 4, 11, signature @ ..] if signature == b"typedstream" => true,
            _ => return None,
        };
        Some(Header { big_endian })
    }
}

pub(super) struct Reader<'a, 't> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
    depth: u32,
    /// Steps left: a stream may repeat a long type encoding that takes no bytes.
    fuel: u64,
    tape: &'t mut Tape,
}

type Read<T> = Result<T, Damage>;

impl<'a, 't> Reader<'a, 't> {
    pub(super) fn new(bytes: &'a [u8], tape: &'t mut Tape) -> Read<Self> {
        let header = Header::read(bytes)
            .filter(|_| u32::try_from(bytes.len()).is_ok())
            .ok_or(Damage { at: 0, what: "no typedstream header" })?;
        let mut reader = Reader {
            bytes,
            at: Header::LENGTH,
            big_endian: header.big_endian,
            depth: 0,
            fuel: 4096 + 64 * bytes.len() as u64,
            tape,
        };
        reader.signed()?; // the system version, 1000 everywhere
        Ok(reader)
    }

    #[cold]
    fn damage<T>(&self, what: &'static str) -> Read<T> {
        Err(Damage { at: self.at, what })
    }

    fn burn(&mut self, steps: usize) -> Read<()> {
        match self.fuel.checked_sub(steps as u64) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => self.damage("type encodings without end"),
        }
    }

    // Bytes and numbers

    #[inline]
    fn byte(&mut self) -> Read<u8> {
        match self.bytes.get(self.at) {
            Some(&byte) => {
                self.at += 1;
                Ok(byte)
            }
            None => self.damage("the stream ends early"),
        }
    }

    #[inline]
    fn take(&mut self, len: u64) -> Read<Span> {
        let left = self.bytes.len() - self.at;
        if len > left as u64 {
            return self.damage("a length beyond the end");
        }
        // Both fit: the stream itself is shorter than 4 GB.
        let span = Span { at: self.at as u32, len: len as u32 };
        self.at += len as usize;
        Ok(span)
    }

    fn wide<const N: usize>(&mut self) -> Read<[u8; N]> {
        let Some(bytes) = self.bytes.get(self.at..).and_then(|b| b.first_chunk::<N>()) else {
            return self.damage("the stream ends early");
        };
        self.at += N;
        let mut bytes = *bytes;
        if self.big_endian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    fn signed(&mut self) -> Read<i64> {
        let byte = self.byte()?;
        self.signed_from(byte)
    }

    #[inline]
    fn signed_from(&mut self, byte: u8) -> Read<i64> {
        Ok(match byte {
            0x81 => i16::from_le_bytes(self.wide()?).into(),
            0x82 => i32::from_le_bytes(self.wide()?).into(),
            0x87 => i64::from_le_bytes(self.wide()?),
            0x80..=0x91 => return self.damage("a tag where a number belongs"),
            literal => i64::from(literal as i8),
        })
    }

    fn unsigned(&mut self) -> Read<u64> {
        let byte = self.byte()?;
        self.unsigned_from(byte)
    }

    #[inline]
    fn unsigned_from(&mut self, byte: u8) -> Read<u64> {
        Ok(match byte {
            0x81 => u16::from_le_bytes(self.wide()?).into(),
            0x82 => u32::from_le_bytes(self.wide()?).into(),
            0x87 => u64::from_le_bytes(self.wide()?),
            0x80..=0x91 => return self.damage("a tag where a number belongs"),
            literal => literal.into(),
        })
    }

    fn real(&mut self, double: bool) -> Read<Item> {
        Ok(match self.byte()? {
            0x83 if double => Item::Real(f64::from_le_bytes(self.wide()?)),
            0x83 => Item::Real(f32::from_le_bytes(self.wide()?).into()),
            byte => Item::Int(self.signed_from(byte)?),
        })
    }

    /// An index into a table of `len` entries.
    fn reference(&mut self, byte: u8, len: usize) -> Read<usize> {
        let index = self.signed_from(byte)?.saturating_add(110);
        match usize::try_from(index) {
            Ok(index) if index < len => Ok(index),
            _ => self.damage("a reference to nothing"),
        }
    }

    // Strings and classes

    #[inline]
    fn shared_string(&mut self) -> Read<Option<Span>> {
        match self.byte()? {
            NIL => Ok(None),
            NEW => {
                let len = self.unsigned()?;
                let span = self.take(len)?;
                self.tape.strings.push(span);
                Ok(Some(span))
            }
            byte => {
                let index = self.reference(byte, self.tape.strings.len())?;
                Ok(self.tape.strings.get(index).copied())
            }
        }
    }

    fn unshared_string(&mut self) -> Read<Item> {
        Ok(match self.byte()? {
            NIL => Item::Nil,
            byte => {
                let len = self.unsigned_from(byte)?;
                Item::Bytes(self.take(len)?)
            }
        })
    }

    fn c_string(&mut self) -> Read<Item> {
        let span = match self.byte()? {
            NIL => None,
            NEW => {
                let span = self.shared_string()?;
                self.tape.slots.push(Slot::CString(span));
                span
            }
            byte => {
                let index = self.reference(byte, self.tape.slots.len())?;
                match self.tape.slots.get(index) {
                    Some(Slot::CString(span)) => *span,
                    _ => return self.damage("a reference to something else than a C string"),
                }
            }
        };
        Ok(span.map_or(Item::Nil, Item::Name))
    }

    /// A class chain; the class it begins with. Every new class is followed by its superclass, up to nil or a class
    /// that is known already.
    fn class(&mut self) -> Read<Option<u32>> {
        let known = self.tape.classes.len();
        let last = loop {
            match self.byte()? {
                NIL => break None,
                NEW => {
                    let Some(name) = self.shared_string()? else {
                        return self.damage("a class without a name");
                    };
                    self.signed()?; // its version: no class here has two layouts
                    let id = self.tape.classes.len() as u32;
                    self.tape.slots.push(Slot::Class(id));
                    self.tape.classes.push(Class { name, kind: Kind::Other });
                }
                byte => {
                    let index = self.reference(byte, self.tape.slots.len())?;
                    match self.tape.slots.get(index) {
                        Some(Slot::Class(id)) => break Some(*id),
                        _ => return self.damage("a reference to something else than a class"),
                    }
                }
            }
        };
        let mut kind =
            last.and_then(|id| self.tape.classes.get(id as usize)).map_or(Kind::Other, |class| class.kind);
        for class in self.tape.classes.iter_mut().skip(known).rev() {
            let name = self.bytes.get(class.name.range()).unwrap_or(&[]);
            kind = Kind::named(name).unwrap_or(kind);
            class.kind = kind;
        }
        Ok(if self.tape.classes.len() > known { Some(known as u32) } else { last })
    }

    // Objects and typed values

    fn object(&mut self) -> Read<()> {
        match self.byte()? {
            NIL => {
                self.tape.items.push(Item::Nil);
                Ok(())
            }
            NEW => {
                if self.depth == MAX_DEPTH {
                    return self.damage("objects too deep inside each other");
                }
                self.depth += 1;
                let at = self.tape.items.len();
                self.tape.slots.push(Slot::Object(at as u32));
                self.tape.items.push(Item::Object { class: u32::MAX, end: u32::MAX });
                let result = self.contents(at);
                let last = self.tape.items.len() as u32;
                if let Some(Item::Object { end, .. }) = self.tape.items.get_mut(at) {
                    *end = last;
                }
                self.depth -= 1;
                result
            }
            byte => {
                let index = self.reference(byte, self.tape.slots.len())?;
                match self.tape.slots.get(index) {
                    Some(Slot::Object(at)) => {
                        self.tape.items.push(Item::Reference(*at));
                        Ok(())
                    }
                    _ => self.damage("a reference to something else than an object"),
                }
            }
        }
    }

    fn contents(&mut self, at: usize) -> Read<()> {
        let Some(id) = self.class()? else {
            return self.damage("an object without a class");
        };
        if let Some(Item::Object { class, .. }) = self.tape.items.get_mut(at) {
            *class = id;
        }
        while self.bytes.get(self.at) != Some(&END) {
            self.group()?;
        }
        self.at += 1;
        Ok(())
    }

    /// A type encoding and the values it announces.
    pub(super) fn group(&mut self) -> Read<()> {
        let Some(encoding) = self.shared_string()? else {
            return self.damage("values without a type");
        };
        let mut rest = self.bytes.get(encoding.range()).unwrap_or(&[]);
        while !rest.is_empty() {
            rest = self.value(rest, 0)?;
        }
        Ok(())
    }

    /// Reads one value of the type that `encoding` begins with; the rest of the encoding.
    fn value(&mut self, encoding: &'a [u8], nesting: u32) -> Read<&'a [u8]> {
        self.burn(1)?;
        if nesting == MAX_NESTING {
            return self.damage("types too deep inside each other");
        }
        let Some((&code, rest)) = encoding.split_first() else {
            return self.damage("a type encoding ends early");
        };
        let item = match code {
            b'@' => {
                self.object()?;
                return Ok(rest);
            }
            b'c' => Item::Int((self.byte()? as i8).into()),
            b'C' | b'B' => Item::Unsigned(self.byte()?.into()),
            b's' | b'i' | b'l' | b'q' => Item::Int(self.signed()?),
            b'S' | b'I' | b'L' | b'Q' => Item::Unsigned(self.unsigned()?),
            b'f' => self.real(false)?,
            b'd' => self.real(true)?,
            b'+' => self.unshared_string()?,
            b'*' => self.c_string()?,
            b'%' | b':' => self.shared_string()?.map_or(Item::Nil, Item::Name),
            b'#' => self.class()?.map_or(Item::Nil, Item::Class),
            b'!' => return Ok(rest),
            b'[' => return self.array(rest, nesting + 1),
            b'{' => return self.members(rest, nesting + 1),
            _ => return self.damage("an unknown type"),
        };
        self.tape.items.push(item);
        Ok(rest)
    }

    /// An array, from behind its `[`.
    fn array(&mut self, encoding: &'a [u8], nesting: u32) -> Read<&'a [u8]> {
        let digits = encoding.iter().take_while(|b| b.is_ascii_digit()).count();
        let (count, element) = encoding.split_at(digits);
        let count = std::str::from_utf8(count).ok().and_then(|count| count.parse::<u64>().ok());
        let (Some(count), Some(first)) = (count, element.first()) else {
            return self.damage("an array type without a count");
        };
        let rest = match first {
            b'c' | b'C' => {
                let span = self.take(count)?;
                self.tape.items.push(Item::Bytes(span));
                element.get(1..)
            }
            _ if count == 0 => self.skip_type(element)?,
            _ => {
                let mut rest = None;
                for _ in 0..count {
                    let before = self.at;
                    rest = Some(self.value(element, nesting)?);
                    if self.at == before {
                        break; // elements that take no bytes: one is as good as four billion
                    }
                }
                rest
            }
        };
        match rest.and_then(|rest| rest.strip_prefix(b"]")) {
            Some(rest) => Ok(rest),
            None => self.damage("an array type without an end"),
        }
    }

    /// The members of a struct, from behind its `{`.
    fn members(&mut self, encoding: &'a [u8], nesting: u32) -> Read<&'a [u8]> {
        let name = encoding.iter().position(|b| b"={}[]".contains(b));
        let mut rest = match name.and_then(|name| encoding.split_at_checked(name)) {
            Some((name, rest)) => {
                self.burn(name.len())?;
                rest.strip_prefix(b"=").unwrap_or(encoding)
            }
            None => return self.damage("a struct type without an end"),
        };
        loop {
            match rest.strip_prefix(b"}") {
                Some(rest) => return Ok(rest),
                None => rest = self.value(rest, nesting)?,
            }
        }
    }

    /// The encoding behind its first type, which is not read: the element of an empty array.
    fn skip_type(&mut self, encoding: &'a [u8]) -> Read<Option<&'a [u8]>> {
        let mut open = 0_usize;
        for (i, code) in encoding.iter().enumerate() {
            self.burn(1)?;
            match code {
                b'{' | b'[' => open += 1,
                b'}' | b']' => match open.checked_sub(1) {
                    Some(left) => open = left,
                    None => return Ok(None),
                },
                _ => {}
            }
            if open == 0 {
                return Ok(encoding.get(i + 1..));
            }
        }
        Ok(None)
    }
}
