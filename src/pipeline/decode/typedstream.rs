//! typedstream, the serial object format of NSArchiver (`messages-format.md` 4.2): the whole grammar.
//!
//! A stream is read once, front to back, into a flat *tape* of items: an object is an item that knows where its
//! contents end, a reference is the position of the object it means. Nothing is copied: strings stay where they are in
//! the bytes. The tape and the tables beside it are kept by the thread and used again for the next message.
//!
//! What was read before the damage of a damaged stream stays readable: its open objects simply end there.
//!
//! Structs and arrays lie flat on the tape, their members one after the other: every class that Messages
//! archives is understood without them.
//!
//! **Must never**: know what an attribute means, follow a reference while reading, or keep more than a constant times
//! the stream's own length.

mod reader;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;

use super::foundation::Kind;
use reader::{Header, Reader};

/// Tables that grew beyond this many items are not kept for the next message.
const KEEP: usize = 1 << 14;

/// Where and why a stream could not be read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Byte offset in the stream.
    pub at: usize,
    /// In words.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// Whether these bytes begin as a typedstream does, of either byte order.
pub fn is_typedstream(bytes: &[u8]) -> bool {
    Header::read(bytes).is_some()
}

/// Reads a stream and hands its root value to `then`, with the damage where there is some.
///
/// # Errors
///
/// When not even a root value begins in these bytes.
pub fn read<T>(bytes: &[u8], then: impl FnOnce(Value<'_>, Option<Damage>) -> T) -> Result<T, Damage> {
    thread_local! {
        static TAPE: Cell<Tape> = const { Cell::new(Tape::new()) };
    }
    let mut tape = TAPE.take();
    tape.clear();
    let damage = Reader::new(bytes, &mut tape).and_then(|mut reader| reader.group());
    let result = match (tape.items.is_empty(), damage) {
        (true, Err(damage)) => Err(damage),
        (_, damage) => {
            let stream = Stream { bytes, tape: &tape };
            let root = Values { stream, at: 0, end: tape.items.len() }.next();
            Ok(then(root.unwrap_or(Value::Nil), damage.err()))
        }
    };
    if tape.items.capacity() <= KEEP && tape.slots.capacity() <= KEEP {
        TAPE.set(tape);
    }
    result
}

/// One value of a stream.
#[derive(Debug, Clone, Copy)]
pub enum Value<'s> {
    /// No object, class or string.
    Nil,
    /// Types `c s i l q`, and integral values of `f d`.
    Int(i64),
    /// Types `C B S I L Q`.
    Unsigned(u64),
    /// Types `f d`.
    Real(f64),
    /// Type `+` and arrays of characters: bytes of no declared encoding.
    Bytes(&'s [u8]),
    /// A C string, an atom or a selector: types `* % :`.
    Name(&'s [u8]),
    /// The name of a class: type `#`.
    Class(&'s [u8]),
    /// Type `@`.
    Object(Object<'s>),
}

/// An object of a stream. The same object may be reached in several ways, itself included.
#[derive(Clone, Copy)]
pub struct Object<'s> {
    stream: Stream<'s>,
    at: usize,
}

impl fmt::Debug for Object<'_> {
    /// The class only: contents may be cyclic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", String::from_utf8_lossy(self.class_name()))
    }
}

impl<'s> Object<'s> {
    /// The Foundation class it is, or the nearest one it descends from.
    pub fn kind(self) -> Kind {
        self.class().map_or(Kind::Other, |class| class.kind)
    }

    /// The name of its own class, as stored; empty where the stream breaks off before it.
    pub fn class_name(self) -> &'s [u8] {
        self.class().map_or(&[], |class| self.stream.slice(class.name))
    }

    /// Its contents, in order, of all groups alike.
    pub fn values(self) -> Values<'s> {
        let end = match self.stream.tape.items.get(self.at) {
            Some(Item::Object { end, .. }) => *end as usize,
            _ => self.at,
        };
        Values { stream: self.stream, at: self.at + 1, end }
    }

    fn class(self) -> Option<&'s Class> {
        match self.stream.tape.items.get(self.at)? {
            Item::Object { class, .. } => self.stream.tape.classes.get(*class as usize),
            _ => None,
        }
    }
}

/// The values in an object.
#[derive(Clone)]
pub struct Values<'s> {
    stream: Stream<'s>,
    at: usize,
    end: usize,
}

impl<'s> Iterator for Values<'s> {
    type Item = Value<'s>;

    #[inline]
    fn next(&mut self) -> Option<Value<'s>> {
        if self.at >= self.end {
            return None;
        }
        let stream = self.stream;
        let at = self.at;
        self.at += 1;
        Some(match *stream.tape.items.get(at)? {
            Item::Nil => Value::Nil,
            Item::Int(i) => Value::Int(i),
            Item::Unsigned(u) => Value::Unsigned(u),
            Item::Real(r) => Value::Real(r),
            Item::Bytes(span) => Value::Bytes(stream.slice(span)),
            Item::Name(span) => Value::Name(stream.slice(span)),
            Item::Class(id) => match stream.tape.classes.get(id as usize) {
                Some(class) => Value::Class(stream.slice(class.name)),
                None => Value::Nil,
            },
            Item::Object { end, .. } => {
                self.at = self.at.max(end as usize);
                Value::Object(Object { stream, at })
            }
            Item::Reference(at) => Value::Object(Object { stream, at: at as usize }),
        })
    }
}

#[derive(Clone, Copy)]
struct Stream<'s> {
    bytes: &'s [u8],
    tape: &'s Tape,
}

impl<'s> Stream<'s> {
    fn slice(self, span: Span) -> &'s [u8] {
        self.bytes.get(span.range()).unwrap_or(&[])
    }
}

#[derive(Debug, Clone, Copy)]
struct Span {
    at: u32,
    len: u32,
}

impl Span {
    fn range(self) -> std::ops::Range<usize> {
        self.at as usize..self.at as usize + self.len as usize
    }
}

#[derive(Debug, Clone, Copy)]
enum Item {
    Nil,
    Int(i64),
    Unsigned(u64),
    Real(f64),
    Bytes(Span),
    Name(Span),
    Class(u32),
    Object {
        class: u32,
        /// The item after its last.
        end: u32,
    },
    /// The item of the object that is meant.
    Reference(u32),
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Object(u32),
    Class(u32),
    CString(Option<Span>),
}

struct Class {
    name: Span,
    kind: Kind,
}

/// What a stream was read into.
#[derive(Default)]
struct Tape {
    items: Vec<Item>,
    /// The table of shared strings.
    strings: Vec<Span>,
    /// The table shared by objects, classes and C strings.
    slots: Vec<Slot>,
    classes: Vec<Class>,
}

impl Tape {
    const fn new() -> Tape {
        Tape { items: Vec::new(), strings: Vec::new(), slots: Vec::new(), classes: Vec::new() }
    }

    fn clear(&mut self) {
        self.items.clear();
        self.strings.clear();
        self.slots.clear();
        self.classes.clear();
    }
}
