//! The attributes of a run of text (`messages-format.md` 4.6) → what this program knows of them.
//!
//! **Must never**: take an unknown key for an error.

use super::detected;
use crate::model::Style;

/// A value of an attribute, in whichever archive it lies.
pub trait AttributeValue {
    /// A number of any type.
    fn number(&self) -> Option<i64>;
    /// A string, or the text of a URL.
    fn text(&self) -> Option<String>;
    /// Bytes.
    fn data(&self) -> Option<&[u8]>;
    /// The text that a dictionary has under a key.
    fn member(&self, key: &str, allowance: &mut Allowance) -> Option<String>;
}

/// What a run's attributes say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    /// `__kIMMessagePartAttributeName`.
    pub part: Option<u32>,
    /// `__kIMFileTransferGUIDAttributeName`.
    pub attachment: Option<String>,
    /// `__kIMFilenameAttributeName`.
    pub name: Option<String>,
    /// `IMAudioTranscription`.
    pub transcription: Option<String>,
    /// In the order of [`rank`], each once.
    pub styles: Vec<Style>,
    /// The bytes of what data detectors found in it.
    pub(super) detected: usize,
}

/// How much of an archive's attributes may be read, in all: a hostile body names one huge dictionary, or one huge string,
/// again and again.
#[derive(Debug)]
pub struct Allowance {
    entries: usize,
    bytes: usize,
    /// Whether what data detectors found, and codes, are wanted: not where only text is.
    data: bool,
}

impl Allowance {
    /// For an archive of `size` bytes: no honest one comes near it.
    pub fn new(size: usize) -> Allowance {
        let (entries, bytes) = (size.saturating_add(1024), size.saturating_mul(8).saturating_add(4096));
        Allowance { entries, bytes, data: true }
    }

    /// The same, without what data detectors found: only the marks.
    pub fn without_data(self) -> Allowance {
        Allowance { data: false, ..self }
    }

    /// Takes off so many entries, and so many bytes of text. `false` once there is nothing left.
    pub fn spend(&mut self, entries: usize, bytes: usize) -> bool {
        match (self.entries.checked_sub(entries), self.bytes.checked_sub(bytes)) {
            (Some(entries), Some(bytes)) => {
                (self.entries, self.bytes) = (entries, bytes);
                true
            }
            _ => {
                (self.entries, self.bytes) = (0, 0);
                false
            }
        }
    }
}

impl Attributes {
    /// Reads a set. `None` when the allowance did not suffice.
    pub fn read<K: AsRef<[u8]>, V: AttributeValue>(
        entries: impl Iterator<Item = (K, V)>,
        allowance: &mut Allowance,
    ) -> Option<Attributes> {
        let mut attributes = Attributes::default();
        for (key, value) in entries {
            if !allowance.spend(1, 0) {
                return None;
            }
            attributes.set(key.as_ref(), &value, allowance);
        }
        allowance.spend(0, attributes.weight()).then_some(attributes)
    }

    /// Takes one attribute in, unless one of its name is there: each text of a set is copied once.
    fn set(&mut self, key: &[u8], value: &impl AttributeValue, allowance: &mut Allowance) {
        let text = || value.text().filter(|text| !text.is_empty());
        match key {
            b"__kIMMessagePartAttributeName" => {
                self.part = value.number().and_then(|part| part.try_into().ok());
            }
            b"__kIMFileTransferGUIDAttributeName" => fill(&mut self.attachment, text),
            b"__kIMFilenameAttributeName" => fill(&mut self.name, text),
            b"IMAudioTranscription" => fill(&mut self.transcription, text),
            b"__kIMLinkAttributeName" => self.add_to(LINK, text, |target| Style::Link { target }),
            b"__kIMMentionConfirmedMention" => {
                self.add_to(MENTION, text, |target| Style::Mention { target });
            }
            b"__kIMOneTimeCodeAttributeName" => {
                let mut code = |key| value.member(key, allowance).filter(|code| !code.is_empty());
                let code = code("code").or_else(|| code("displayCode"));
                self.add(Style::OneTimeCode { code });
            }
            b"__kIMDataDetectedAttributeName"
            | b"__kIMDataDetectorResultAttributeName"
            | b"__kIMPhoneNumberAttributeName"
            | b"__kIMMoneyAttributeName"
            | b"__kIMAddressAttributeName"
            | b"__kIMCalendarEventAttributeName" => self.detect(value, allowance),
            _ => {
                if let Some(style) = style(key, value) {
                    self.add(style);
                }
            }
        }
    }

    /// What a data detector found. Several attributes of one run hold the same archive.
    fn detect(&mut self, value: &impl AttributeValue, allowance: &mut Allowance) {
        if self.detected > 0 {
            return;
        }
        let found = match allowance.data {
            true => value.data().and_then(|archive| detected::detected(archive, allowance)).map(Box::new),
            false => None,
        };
        self.detected = found.as_deref().map_or(0, detected::weight);
        // The mark of an archive that cannot be read gives way to one that can.
        self.styles.retain(|style| !matches!(style, Style::Data(_)));
        self.add(Style::Data(found));
    }

    /// The bytes of text that are copied whenever a run has these attributes.
    pub fn weight(&self) -> usize {
        let texts = [&self.attachment, &self.name, &self.transcription];
        let texts = texts.into_iter().flatten().map(String::len);
        let targets = self.styles.iter().map(|style| match style {
            Style::Link { target } | Style::Mention { target } => target.len(),
            Style::OneTimeCode { code: Some(code) } => code.len(),
            _ => 0,
        });
        self.detected + texts.chain(targets).sum::<usize>()
    }

    fn add(&mut self, style: Style) {
        let place = self.styles.partition_point(|s| rank(s) < rank(&style));
        if self.styles.get(place).map(rank) != Some(rank(&style)) {
            self.styles.insert(place, style);
        }
    }

    fn add_to(
        &mut self,
        wanted: u8,
        target: impl FnOnce() -> Option<String>,
        style: impl FnOnce(String) -> Style,
    ) {
        if self.styles.iter().all(|style| rank(style) != wanted)
            && let Some(target) = target()
        {
            self.add(style(target));
        }
    }
}

fn fill(field: &mut Option<String>, text: impl FnOnce() -> Option<String>) {
    if field.is_none() {
        *field = text();
    }
}

/// The styles that are said by a key, or a key and a number.
fn style(key: &[u8], value: &impl AttributeValue) -> Option<Style> {
    Some(match key {
        b"__kIMTextBoldAttributeName" => Style::Bold,
        b"__kIMTextItalicAttributeName" => Style::Italic,
        b"__kIMTextUnderlineAttributeName" => Style::Underline,
        b"__kIMTextStrikethroughAttributeName" => Style::Strikethrough,
        b"__kIMTextEffectAttributeName" => text_effect(value.number()?)?,
        _ => return None,
    })
}

/// `messages-format.md` 4.7. `None` for no effect and for those that Messages does not offer.
fn text_effect(id: i64) -> Option<Style> {
    Some(match id {
        1 | 4 => Style::Ripple,
        5 => Style::Big,
        6 => Style::Bloom,
        8 => Style::Nod,
        9 => Style::Shake,
        10 => Style::Jitter,
        11 => Style::Small,
        12 => Style::Explode,
        _ => return None,
    })
}

const LINK: u8 = 12;
const MENTION: u8 = 13;

/// The order of styles that begin at the same place.
pub fn rank(style: &Style) -> u8 {
    match style {
        Style::Bold => 0,
        Style::Italic => 1,
        Style::Underline => 2,
        Style::Strikethrough => 3,
        Style::Big => 4,
        Style::Small => 5,
        Style::Shake => 6,
        Style::Nod => 7,
        Style::Explode => 8,
        Style::Ripple => 9,
        Style::Bloom => 10,
        Style::Jitter => 11,
        Style::Link { .. } => LINK,
        Style::Mention { .. } => MENTION,
        Style::OneTimeCode { .. } => 14,
        Style::Data(_) => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(i64);
    impl AttributeValue for Number {
        fn number(&self) -> Option<i64> {
            Some(self.0)
        }
        fn text(&self) -> Option<String> {
            None
        }
        fn data(&self) -> Option<&[u8]> {
            None
        }
        fn member(&self, _: &str, _: &mut Allowance) -> Option<String> {
            None
        }
    }

    fn set(attributes: &mut Attributes, key: &[u8], value: i64) {
        attributes.set(key, &Number(value), &mut Allowance::new(0));
    }

    #[test]
    fn text_effects() {
        let effect = |id| {
            let mut attributes = Attributes::default();
            set(&mut attributes, b"__kIMTextEffectAttributeName", id);
            attributes.styles
        };
        for (id, style) in [
            (1, Style::Ripple),
            (4, Style::Ripple),
            (5, Style::Big),
            (6, Style::Bloom),
            (8, Style::Nod),
            (9, Style::Shake),
            (10, Style::Jitter),
            (11, Style::Small),
            (12, Style::Explode),
        ] {
            assert_eq!(effect(id), [style], "{id}");
        }
        for id in [-1, 0, 2, 3, 7, 13] {
            assert_eq!(effect(id), [], "{id}");
        }
    }

    #[test]
    fn a_part_that_is_no_number_is_none() {
        let mut attributes = Attributes::default();
        set(&mut attributes, b"__kIMMessagePartAttributeName", -1);
        assert_eq!(attributes.part, None);
        set(&mut attributes, b"__kIMMessagePartAttributeName", 7);
        assert_eq!(attributes.part, Some(7));
    }
}
