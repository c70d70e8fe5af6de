//! Writes attributed strings as Messages does: `NSArchiver`'s typedstream, `messages-format.md` 4.2 to 4.6.
//!
//! Byte for byte what Apple writes for the same string: class chains once, shared strings and objects by reference,
//! attribute dictionaries by index.

/// The attribute that numbers the parts of a message.
pub const PART: &str = "__kIMMessagePartAttributeName";
/// The attribute that ties a U+FFFC to `attachment.guid`.
pub const FILE_TRANSFER: &str = "__kIMFileTransferGUIDAttributeName";
/// The attribute with an attachment's name.
pub const FILE_NAME: &str = "__kIMFilenameAttributeName";
/// −1 is the natural direction.
pub const WRITING_DIRECTION: &str = "__kIMBaseWritingDirectionAttributeName";
/// A link's target.
pub const LINK: &str = "__kIMLinkAttributeName";

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An `NSNumber` of type `i`.
    Int(i64),
    /// An `NSNumber` of type `q`.
    Long(i64),
    /// An `NSNumber` of type `c`.
    Char(i8),
    /// An `NSNumber` of type `d`.
    Double(f64),
    String(String),
    Url(String),
    Data(Vec<u8>),
    Dictionary(Vec<(&'static str, Value)>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

/// Attributes of one run, in the order they are written.
pub type Attributes = Vec<(&'static str, Value)>;

/// A string with attributes; the runs cover it from left to right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttributedString {
    pub text: String,
    /// (length in UTF-16 units, attributes).
    pub runs: Vec<(u32, Attributes)>,
    /// What arrives is an `NSMutableAttributedString`, what was typed here is not.
    pub mutable: bool,
}

impl AttributedString {
    /// The usual body: one part, nothing else.
    pub fn plain(text: &str) -> Self {
        Self::default().with(text, vec![(PART, Value::Int(0))])
    }

    /// Appends a run.
    pub fn with(mut self, text: &str, attributes: Attributes) -> Self {
        self.push(text, attributes);
        self
    }

    /// Appends a run, as part of the last one where the attributes are equal.
    pub fn push(&mut self, text: &str, attributes: Attributes) {
        let units = text.encode_utf16().count() as u32;
        if units == 0 {
            return;
        }
        self.text.push_str(text);
        match self.runs.last_mut() {
            Some((length, last)) if *last == attributes => *length += units,
            _ => self.runs.push((units, attributes)),
        }
    }

    /// The bytes of `message.attributedBody`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(self.text.len() + 256);
        w.string_ref(b"@");
        if self.mutable {
            w.new_object(&[("NSMutableAttributedString", 0), ("NSAttributedString", 0), ("NSObject", 0)]);
        } else {
            w.new_object(&[("NSAttributedString", 0), ("NSObject", 0)]);
        }
        w.string_ref(b"@");
        if self.mutable {
            w.new_object(&[("NSMutableString", 1), ("NSString", 1), ("NSObject", 0)]);
        } else {
            w.new_object(&[("NSString", 1), ("NSObject", 0)]);
        }
        w.string_ref(b"+");
        w.bytes(self.text.as_bytes());
        w.end();
        let mut known: Vec<&Attributes> = Vec::new();
        for (length, attributes) in &self.runs {
            let seen = known.iter().position(|k| *k == attributes);
            w.string_ref(b"iI");
            w.integer(seen.unwrap_or(known.len()) as i64 + 1);
            w.integer(i64::from(*length));
            if seen.is_none() {
                w.string_ref(b"@");
                w.dictionary(attributes);
                known.push(attributes);
            }
        }
        w.end();
        w.out
    }
}

/// What the stream's second table holds.
#[derive(Debug, PartialEq)]
enum Entry {
    /// Never referred to again.
    Object,
    Class(&'static str),
    /// The text of a C string: an `NSNumber`'s type.
    CString(u8),
    /// A key, which is one constant object in Apple's process.
    Key(&'static str),
    /// A number, likewise (tagged pointers): type and bits.
    Number(u8, i64),
}

struct Writer {
    out: Vec<u8>,
    strings: Vec<Vec<u8>>,
    objects: Vec<Entry>,
}

impl Writer {
    fn new(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(b"\x04\x0bstreamtyped\x81\xe8\x03");
        Self { out, strings: Vec::with_capacity(16), objects: Vec::with_capacity(24) }
    }

    /// A tagged integer. 0x80 to 0x91 are tags, so what would look like one is written wide.
    fn integer(&mut self, value: i64) {
        match value {
            -110..=127 => self.out.push(value as u8),
            -0x8000..=0x7fff => {
                self.out.push(0x81);
                self.out.extend_from_slice(&(value as i16).to_le_bytes());
            }
            -0x8000_0000..=0x7fff_ffff => {
                self.out.push(0x82);
                self.out.extend_from_slice(&(value as i32).to_le_bytes());
            }
            _ => {
                self.out.push(0x87);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
        }
    }

    /// An entry of one of the two tables, counted from 0x92 = −110.
    fn reference(&mut self, index: usize) {
        self.integer(index as i64 - 110);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.integer(bytes.len() as i64);
        self.out.extend_from_slice(bytes);
    }

    /// A shared string: spelled out the first time.
    fn string_ref(&mut self, string: &[u8]) {
        match self.strings.iter().position(|s| s == string) {
            Some(index) => self.reference(index),
            None => {
                self.out.push(0x84);
                self.bytes(string);
                self.strings.push(string.to_vec());
            }
        }
    }

    fn end(&mut self) {
        self.out.push(0x86);
    }

    /// Starts an object: its slot, then its class and superclasses, as far as they are new.
    fn new_object(&mut self, chain: &[(&'static str, i64)]) {
        self.new_entry(Entry::Object, chain);
    }

    fn new_entry(&mut self, entry: Entry, chain: &[(&'static str, i64)]) {
        self.out.push(0x84);
        self.objects.push(entry);
        for (name, version) in chain {
            if let Some(index) = self.objects.iter().position(|e| *e == Entry::Class(name)) {
                return self.reference(index);
            }
            self.out.push(0x84);
            self.string_ref(name.as_bytes());
            self.integer(*version);
            self.objects.push(Entry::Class(name));
        }
        self.out.push(0x85);
    }

    /// True when the object is in the table already: then the reference is all there is to write.
    fn known(&mut self, entry: &Entry) -> bool {
        let index = self.objects.iter().position(|e| e == entry);
        if let Some(index) = index {
            self.reference(index);
        }
        index.is_some()
    }

    fn dictionary(&mut self, pairs: &[(&'static str, Value)]) {
        self.new_object(&[("NSDictionary", 0), ("NSObject", 0)]);
        self.string_ref(b"i");
        self.integer(pairs.len() as i64);
        for (key, value) in pairs {
            self.string_ref(b"@");
            if !self.known(&Entry::Key(key)) {
                self.string_object(Entry::Key(key), key);
            }
            self.string_ref(b"@");
            self.value(value);
        }
        self.end();
    }

    fn string_object(&mut self, entry: Entry, text: &str) {
        self.new_entry(entry, &[("NSString", 1), ("NSObject", 0)]);
        self.string_ref(b"+");
        self.bytes(text.as_bytes());
        self.end();
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Int(v) => self.number(b'i', *v),
            Value::Long(v) => self.number(b'q', *v),
            Value::Char(v) => self.number(b'c', i64::from(*v)),
            Value::Double(v) => self.double(*v),
            Value::String(text) => self.string_object(Entry::Object, text),
            Value::Url(url) => {
                self.new_object(&[("NSURL", 0), ("NSObject", 0)]);
                self.string_ref(b"c");
                self.out.push(0);
                self.string_ref(b"@");
                self.string_object(Entry::Object, url);
                self.end();
            }
            Value::Data(data) => {
                self.new_object(&[("NSMutableData", 0), ("NSData", 0), ("NSObject", 0)]);
                self.string_ref(b"i");
                self.integer(data.len() as i64);
                self.string_ref(format!("[{}c]", data.len()).as_bytes());
                self.out.extend_from_slice(data);
                self.end();
            }
            Value::Dictionary(pairs) => self.dictionary(pairs),
        }
    }

    fn number(&mut self, kind: u8, value: i64) {
        if self.known(&Entry::Number(kind, value)) {
            return;
        }
        self.number_of_type(Entry::Number(kind, value), kind);
        if kind == b'c' {
            self.out.push(value as u8);
        } else {
            self.integer(value);
        }
        self.end();
    }

    fn double(&mut self, value: f64) {
        let entry = Entry::Number(b'd', value.to_bits() as i64);
        if self.known(&entry) {
            return;
        }
        self.number_of_type(entry, b'd');
        if value.fract() == 0.0 && value.abs() < 2e9 {
            self.integer(value as i64);
        } else {
            self.out.push(0x83);
            self.out.extend_from_slice(&value.to_le_bytes());
        }
        self.end();
    }

    fn number_of_type(&mut self, entry: Entry, kind: u8) {
        self.new_entry(entry, &[("NSNumber", 0), ("NSValue", 0), ("NSObject", 0)]);
        self.string_ref(b"*");
        if !self.known(&Entry::CString(kind)) {
            self.out.push(0x84);
            self.string_ref(&[kind]);
            self.objects.push(Entry::CString(kind));
        }
        self.string_ref(&[kind]);
    }
}
