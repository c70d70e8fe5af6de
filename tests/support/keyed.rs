//! Writes what Messages keeps as property lists: keyed archives (balloons, data detectors, translations) and
//! `message_summary_info`. `messages-format.md` 4.8, 5, 10 and 11.

use plist::{Dictionary, Uid, Value};

use super::typedstream::AttributedString;

/// An `NSKeyedArchiver` in the making: `$objects` grows as values are added.
#[derive(Debug)]
pub struct Archiver {
    objects: Vec<Value>,
}

impl Default for Archiver {
    fn default() -> Self {
        Self { objects: vec![Value::from("$null")] }
    }
}

impl Archiver {
    /// Adds a value as it is; strings and classes that are there already are used again.
    pub fn add(&mut self, value: Value) -> Uid {
        let shared = value.as_string().is_some()
            || value.as_dictionary().is_some_and(|d| d.contains_key("$classname"));
        if shared && let Some(index) = self.objects.iter().position(|o| *o == value) {
            return Uid::new(index as u64);
        }
        self.objects.push(value);
        Uid::new(self.objects.len() as u64 - 1)
    }

    pub fn string(&mut self, text: &str) -> Uid {
        self.add(Value::from(text))
    }

    /// An instance: its own class first, then the superclasses.
    pub fn object<'k>(
        &mut self,
        classes: &[&str],
        fields: impl IntoIterator<Item = (&'k str, Value)>,
    ) -> Uid {
        let mut object: Dictionary = fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let mut class = Dictionary::new();
        class.insert("$classname".into(), Value::from(classes[0]));
        class.insert("$classes".into(), Value::Array(classes.iter().map(|c| Value::from(*c)).collect()));
        let class = self.add(Value::Dictionary(class));
        object.insert("$class".into(), Value::Uid(class));
        self.add(Value::Dictionary(object))
    }

    pub fn dictionary<'k>(&mut self, pairs: impl IntoIterator<Item = (&'k str, Uid)>) -> Uid {
        let (keys, values): (Vec<_>, Vec<_>) =
            pairs.into_iter().map(|(key, value)| (Value::Uid(self.string(key)), Value::Uid(value))).unzip();
        self.object(
            &["NSDictionary", "NSObject"],
            [("NS.keys", Value::Array(keys)), ("NS.objects", Value::Array(values))],
        )
    }

    pub fn array(&mut self, items: impl IntoIterator<Item = Uid>) -> Uid {
        let items = items.into_iter().map(Value::Uid).collect();
        self.object(&["NSArray", "NSObject"], [("NS.objects", Value::Array(items))])
    }

    pub fn url(&mut self, url: &str) -> Uid {
        let relative = self.string(url);
        self.object(
            &["NSURL", "NSObject"],
            [("NS.base", Value::Uid(Uid::new(0))), ("NS.relative", Value::Uid(relative))],
        )
    }

    pub fn uuid(&mut self, bytes: [u8; 16]) -> Uid {
        self.object(&["NSUUID", "NSObject"], [("NS.uuidbytes", Value::Data(bytes.to_vec()))])
    }

    /// The binary property list, with this `$top`.
    pub fn finish(self, top: &[(&str, Value)]) -> Vec<u8> {
        let top: Dictionary = top.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let archive: Dictionary = [
            ("$version", Value::from(100_000)),
            ("$archiver", Value::from("NSKeyedArchiver")),
            ("$top", Value::Dictionary(top)),
            ("$objects", Value::Array(self.objects)),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
        binary(&Value::Dictionary(archive))
    }

    fn finish_root(self, root: Uid) -> Vec<u8> {
        self.finish(&[("root", Value::Uid(root))])
    }
}

/// A value as a binary property list.
pub fn binary(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.to_writer_binary(&mut bytes).expect("a property list in memory");
    bytes
}

/// What a data detector found: (kind, matched text, sub-results as (kind, value)).
pub fn data_detector(kind: &str, matched: &str, location: u32, parts: &[(&str, &str)]) -> Vec<u8> {
    let mut a = Archiver::default();
    let length = matched.encode_utf16().count() as i64;
    let children: Vec<Uid> = parts
        .iter()
        .map(|(kind, value)| scanner_result(&mut a, kind, value, Some(value), location, length, &[]))
        .collect();
    let result = scanner_result(&mut a, kind, matched, None, location, length, &children);
    let version = a.add(Value::from(1));
    a.finish(&[("dd-result", Value::Uid(result)), ("version", Value::Uid(version))])
}

fn scanner_result(
    a: &mut Archiver,
    kind: &str,
    matched: &str,
    value: Option<&str>,
    location: u32,
    length: i64,
    children: &[Uid],
) -> Uid {
    let number = |a: &mut Archiver, n: i64| Value::Uid(a.add(Value::from(n)));
    let (length, location, special) = (number(a, length), number(a, i64::from(location)), number(a, 4));
    let range = a.object(
        &["NSValue", "NSObject"],
        [("NS.rangeval.length", length), ("NS.rangeval.location", location), ("NS.special", special)],
    );
    let matched = a.string(matched);
    let kind = a.string(kind);
    let children = a.array(children.iter().copied());
    let value = value.map(|v| ("V", Value::Uid(a.string(v))));
    let fields = [
        ("MS", Value::Uid(matched)),
        ("AR", Value::Uid(range)),
        ("T", Value::Uid(kind)),
        ("P", Value::from(1)),
        ("SR", Value::Uid(children)),
        ("VN", Value::from(1)),
    ];
    a.object(&["DDScannerResult", "NSObject"], fields.into_iter().chain(value))
}

/// `payload_data` of a link preview.
#[derive(Debug, Clone, Default)]
pub struct UrlPreview {
    pub url: String,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub site: Option<String>,
    /// The picture is the n-th plug-in payload attachment of the message.
    pub image: Option<u32>,
    /// Never fetched: nothing but the URL is known.
    pub placeholder: bool,
}

impl UrlPreview {
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), ..Self::default() }
    }

    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = Some(summary.to_owned());
        self
    }

    pub fn site(mut self, site: &str) -> Self {
        self.site = Some(site.to_owned());
        self
    }

    pub fn image(mut self, index: u32) -> Self {
        self.image = Some(index);
        self
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut a = Archiver::default();
        let url = a.url(&self.url);
        let mut fields =
            vec![("originalURL", Value::Uid(url)), ("URL", Value::Uid(url)), ("version", Value::from(1))];
        for (key, text) in [("title", &self.title), ("summary", &self.summary), ("siteName", &self.site)] {
            if let Some(text) = text {
                fields.push((key, Value::Uid(a.string(text))));
            }
        }
        if let Some(index) = self.image {
            let mime = Value::Uid(a.string("image/jpeg"));
            let image = a.object(
                &["RichLinkImageAttachmentSubstitute", "LPImage", "NSObject"],
                [
                    ("MIMEType", mime),
                    ("imageType", Value::from(0)),
                    ("richLinkImageAttachmentSubstituteIndex", Value::from(index)),
                ],
            );
            fields.push(("image", Value::Uid(image)));
        }
        let metadata = a.object(&["LPLinkMetadata", "NSObject"], fields);
        let root = a.object(
            &["RichLink", "NSObject"],
            [
                ("richLinkIsPlaceholder", Value::from(self.placeholder)),
                ("richLinkMetadata", Value::Uid(metadata)),
            ],
        );
        // Apple adds the root first and the rest after it; readers follow `$top`, so the order does not matter.
        a.finish_root(root)
    }
}

/// `payload_data` of an app's message: the general template.
#[derive(Debug, Clone, Default)]
pub struct AppTemplate {
    pub app: String,
    pub url: Option<String>,
    /// The fallback text, `ldtext`.
    pub text: Option<String>,
    /// Of `userInfo`: `caption`, `subcaption`, `secondary-subcaption`, `tertiary-subcaption`, `image-title`, …
    pub user_info: Vec<(String, String)>,
    pub session: Option<[u8; 16]>,
    pub app_id: Option<i64>,
}

impl AppTemplate {
    pub fn new(app: &str) -> Self {
        Self { app: app.to_owned(), ..Self::default() }
    }

    pub fn url(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    pub fn info(mut self, key: &str, value: &str) -> Self {
        self.user_info.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn caption(self, caption: &str) -> Self {
        self.info("caption", caption)
    }

    /// Later rows of the same session replace the bubble.
    pub fn session(mut self, session: u8) -> Self {
        self.session = Some([session; 16]);
        self
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut a = Archiver::default();
        let mut pairs = vec![("an", a.string(&self.app))];
        pairs.push(("layoutClass", a.string("MSMessageTemplateLayout")));
        if let Some(url) = &self.url {
            pairs.push(("URL", a.url(url)));
        }
        if let Some(text) = &self.text {
            pairs.push(("ldtext", a.string(text)));
        }
        if let Some(session) = self.session {
            pairs.push(("sessionIdentifier", a.uuid(session)));
        }
        if let Some(id) = self.app_id {
            pairs.push(("appid", a.add(Value::from(id))));
        }
        // Apple writes all six, empty where there is nothing.
        let mut info: Vec<(&str, Uid)> = Vec::new();
        for key in [
            "image-subtitle",
            "image-title",
            "caption",
            "secondary-subcaption",
            "tertiary-subcaption",
            "subcaption",
        ] {
            let given = self.user_info.iter().find(|(k, _)| k == key);
            info.push((key, a.string(given.map_or("", |(_, v)| v))));
        }
        pairs.push(("userInfo", a.dictionary(info)));
        let root = a.dictionary(pairs);
        a.finish_root(root)
    }
}

/// A poll's state or a vote, as the URL of its template: JSON in base64, as Messages writes it.
pub fn data_url(json: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut url = "data:,".to_owned();
    for three in json.as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            url.push(char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]));
        }
        url.extend(std::iter::repeat_n('=', 3 - three.len()));
    }
    url
}

/// `message_summary_info`.
#[derive(Debug, Clone, Default)]
pub struct SummaryInfo {
    /// (part, location, length) of every part as it was sent, in UTF-16 units.
    pub original: Vec<(u32, u32, u32)>,
    /// (part, versions as (seconds since 2001, body)), oldest first.
    pub edits: Vec<(u32, Vec<(f64, AttributedString)>)>,
    pub unsent: Vec<u32>,
    /// (translation, its language, the original's language).
    pub translation: Option<(String, String, String)>,
    /// Of a tapback: what it is about, in short.
    pub about: Option<String>,
}

impl SummaryInfo {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.unsent.is_empty() && self.translation.is_none() && self.about.is_none()
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut root = Dictionary::new();
        root.insert("amc".into(), Value::from(0));
        root.insert("ust".into(), Value::from(true));
        if let Some(about) = &self.about {
            root.insert("ams".into(), Value::from(about.as_str()));
        }
        if !self.edits.is_empty() || !self.unsent.is_empty() {
            let ranges = self.original.iter().map(|(part, location, length)| {
                let range: Dictionary = [("lo", *location), ("le", *length)]
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), Value::from(v)))
                    .collect();
                (part.to_string(), Value::Dictionary(range))
            });
            root.insert("otr".into(), Value::Dictionary(ranges.collect()));
        }
        if !self.edits.is_empty() {
            let parts = self.edits.iter().map(|(part, versions)| {
                let versions = versions.iter().map(|(date, body)| {
                    let mut event = Dictionary::new();
                    event.insert("d".into(), Value::from(*date));
                    event.insert("t".into(), Value::Data(body.encode()));
                    Value::Dictionary(event)
                });
                (part.to_string(), Value::Array(versions.collect()))
            });
            root.insert("ec".into(), Value::Dictionary(parts.collect()));
            let edited = self.edits.iter().map(|(part, _)| Value::from(*part));
            root.insert("ep".into(), Value::Array(edited.collect()));
        }
        if !self.unsent.is_empty() {
            let unsent = self.unsent.iter().map(|part| Value::from(*part)).collect();
            root.insert("rp".into(), Value::Array(unsent));
        }
        if let Some((text, language, source)) = &self.translation {
            let archive = translation(text, language, source);
            root.insert("tmp".into(), Value::Data(archive));
        }
        binary(&Value::Dictionary(root))
    }
}

/// {0: [{0: {translatedText, translationLanguage, sourceLanguage}}]}, the outer 0 being the part.
fn translation(text: &str, language: &str, source: &str) -> Vec<u8> {
    let mut a = Archiver::default();
    let string = Value::Uid(a.string(text));
    let attributes = Value::Uid(a.dictionary([]));
    let text =
        a.object(&["NSAttributedString", "NSObject"], [("NSString", string), ("NSAttributes", attributes)]);
    let (language, source) = (a.string(language), a.string(source));
    let entry = a.dictionary([
        ("translatedText", text),
        ("translationLanguage", language),
        ("sourceLanguage", source),
    ]);
    let entries = a.array([entry]);
    let zero = a.add(Value::from(0));
    let root = a.object(
        &["NSDictionary", "NSObject"],
        [
            ("NS.keys", Value::Array(vec![Value::Uid(zero)])),
            ("NS.objects", Value::Array(vec![Value::Uid(entries)])),
        ],
    );
    a.finish_root(root)
}

/// `attachment.sticker_user_info`: who made it and where it sits on the bubble.
pub fn sticker_user_info(pack: &str, x: f64, y: f64) -> Vec<u8> {
    let info: Dictionary = [
        ("pid", Value::from(pack)),
        ("sid", Value::from("1")),
        ("spw", Value::from(240)),
        ("sxs", Value::from(x)),
        ("sys", Value::from(y)),
        ("ssa", Value::from(1.0)),
        ("sro", Value::from(0.0)),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v))
    .collect();
    binary(&Value::Dictionary(info))
}

/// `chat.properties`.
pub fn chat_properties(pairs: &[(&str, Value)]) -> Vec<u8> {
    let pairs: Dictionary = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    binary(&Value::Dictionary(pairs))
}
