//! vCard 2.1, 3.0 and 4.0 (RFC 2425, 2426, 6350), as far as names, numbers and addresses go.

use std::borrow::Cow;

use super::{Card, Contact, Name, addresses};

/// A card that somebody sent: a person, or a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentCard {
    pub name: Option<String>,
    /// Phone numbers and addresses, as written, in the card's order.
    pub handles: Vec<String>,
    /// Web addresses: of a place, its map.
    pub urls: Vec<String>,
}

/// The cards of a file that was sent. `None` when it is no vCard at all.
pub fn sent_cards(bytes: &[u8]) -> Option<Vec<SentCard>> {
    let mut cards = Vec::new();
    let any = drafts(bytes, |draft| {
        let name = draft.formatted.or_else(|| draft.name.shown().map(|(name, _)| name));
        cards.push(SentCard { name, handles: draft.handles, urls: draft.urls });
    });
    any.then_some(cards)
}

/// Adds the cards of a file; false when it is no vCard at all.
pub(super) fn read(bytes: &[u8], book: usize, cards: &mut Vec<Card>) -> bool {
    drafts(bytes, |draft| cards.extend(draft.finish(book)))
}

/// Goes through the cards of a file; false when it is no vCard at all.
fn drafts(bytes: &[u8], mut each: impl FnMut(Draft)) -> bool {
    let bytes = utf8_of_utf16(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut any = false;
    // Cards within a card (`AGENT`) are other people.
    let mut depth = 0u32;
    let mut draft = Draft::default();
    let mut lines = Lines { rest: bytes };
    while let Some(line) = lines.next_logical() {
        let Some(property) = Property::parse(&line) else { continue };
        let is_card = property.value.trim_ascii().eq_ignore_ascii_case(b"VCARD");
        match property.name.as_str() {
            "BEGIN" if is_card => {
                any = true;
                depth = depth.saturating_add(1);
            }
            "END" if is_card => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    each(std::mem::take(&mut draft));
                }
            }
            _ if depth == 1 => draft.take(&property),
            _ => {}
        }
    }
    // The last card, where its end is missing.
    if !draft.is_empty() {
        each(draft);
    }
    any
}

/// A card, while its lines come in.
#[derive(Default)]
struct Draft {
    formatted: Option<String>,
    name: Name,
    is_group: bool,
    phones: Vec<String>,
    emails: Vec<String>,
    /// Both, in the card's order.
    handles: Vec<String>,
    urls: Vec<String>,
}

impl Draft {
    fn is_empty(&self) -> bool {
        let names = self.formatted.is_none() && self.name.shown().is_none();
        names && self.handles.is_empty() && self.urls.is_empty()
    }

    fn take(&mut self, property: &Property) {
        let value = property.decoded();
        let some = |text: &str| Some(unescaped(text)).filter(|text| !text.is_empty());
        match property.name.as_str() {
            "FN" => self.formatted = self.formatted.take().or_else(|| some(&value)),
            "N" => {
                // Family; given; additional; prefixes; suffixes.
                let parts = fields(&value);
                let part = |i: usize| parts.get(i).and_then(|part| some(part));
                (self.name.last, self.name.first, self.name.middle) = (part(0), part(1), part(2));
            }
            "NICKNAME" => self.name.nickname = some(&value),
            "ORG" => self.name.organization = fields(&value).first().and_then(|part| some(part)),
            "X-ABSHOWAS" => self.name.company = value.trim().eq_ignore_ascii_case("company"),
            "KIND" | "X-ADDRESSBOOKSERVER-KIND" => self.is_group = value.trim().eq_ignore_ascii_case("group"),
            "TEL" => {
                let number = unescaped(&value);
                // "tel:+1-202-555-0101;ext=5" in version 4.
                let number = number.split(';').next().unwrap_or_default();
                let number = number.strip_prefix("tel:").unwrap_or(number).to_owned();
                self.handles.extend(Some(number.clone()).filter(|number| !number.is_empty()));
                self.phones.push(number);
            }
            "EMAIL" => {
                let before = self.emails.len();
                self.emails.extend(addresses(unescaped(&value).trim_start_matches("mailto:")));
                self.handles.extend(self.emails.iter().skip(before).cloned());
            }
            "URL" => self.urls.extend(some(&value)),
            _ => {}
        }
    }

    fn finish(self, book: usize) -> Option<Card> {
        let shown = self.name.shown();
        let full = self.name.first.is_some() && self.name.last.is_some() && !self.name.company;
        let (name, full_name) = match self.formatted {
            Some(formatted) => {
                let full = full || (shown.is_none() && formatted.contains(' '));
                (formatted, full)
            }
            None => shown?,
        };
        // Its place in the book says nothing: with a card put in front of it, it would be somebody else.
        let says: Vec<&str> =
            std::iter::once(&name).chain(&self.phones).chain(&self.emails).map(String::as_str).collect();
        let person = format!("{book} card {}", says.join("\n"));
        let contact = Contact {
            person,
            name,
            full_name,
            phones: self.phones,
            emails: self.emails,
            ..Contact::default()
        };
        (!self.is_group).then_some(Card { contact, preferred: false })
    }
}

/// A line: `item1.TEL;type=CELL:…`.
struct Property<'a> {
    /// In capitals, without its group.
    name: String,
    parameters: String,
    value: &'a [u8],
}

impl Property<'_> {
    fn parse(line: &[u8]) -> Option<Property<'_>> {
        let mut quoted = false;
        let colon = line.iter().position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b':' && !quoted
        })?;
        let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let head = String::from_utf8_lossy(head).to_ascii_uppercase();
        let (name, parameters) = head.split_once(';').unwrap_or((&head, ""));
        let name = name.rsplit('.').next().unwrap_or(name).trim().to_owned();
        Some(Property { name, parameters: parameters.to_owned(), value })
    }

    fn is_quoted_printable(&self) -> bool {
        self.parameters.contains("QUOTED-PRINTABLE")
    }

    fn decoded(&self) -> String {
        let bytes = if self.is_quoted_printable() { unquoted(self.value) } else { Cow::Borrowed(self.value) };
        // Version 2.1 names other character sets; in practice they are Latin ones.
        match std::str::from_utf8(&bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        }
    }
}

/// Lines with their continuations.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn next_physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        self.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        Some(line)
    }

    fn next_logical(&mut self) -> Option<Cow<'a, [u8]>> {
        let mut line = Cow::Borrowed(self.next_physical()?);
        while let [b' ' | b'\t', ..] = self.rest {
            let more = self.next_physical()?;
            line.to_mut().extend(more.get(1..)?);
        }
        // A soft line break of quoted-printable text.
        if line.ends_with(b"=") && Property::parse(&line).is_some_and(|p| p.is_quoted_printable()) {
            while line.ends_with(b"=") {
                let line = line.to_mut();
                line.pop();
                line.extend(self.next_physical().unwrap_or_default());
            }
        }
        Some(line)
    }
}

fn unquoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let [first, tail @ ..] = rest {
        rest = match tail {
            [high, low, after @ ..] if *first == b'=' => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    after
                }
                _ => {
                    out.push(*first);
                    tail
                }
            },
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    Cow::Owned(out)
}

/// The parts of a structured value, still escaped.
fn fields(value: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        if c == ';' && !escaped {
            fields.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = fields.last_mut() {
            last.push(c);
        }
    }
    fields
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// Some exporters write UTF-16 with a byte order mark.
fn utf8_of_utf16(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (rest, unit): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        _ => return Cow::Borrowed(bytes),
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}

/// WHATWG's windows-1252: Latin-1 with letters and marks where that has control characters.
fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let upper = usize::from(byte).checked_sub(0x80).and_then(|i| UPPER.get(i));
    upper.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(text: impl AsRef<[u8]>) -> Vec<Contact> {
        let mut cards = Vec::new();
        read(text.as_ref(), 0, &mut cards);
        cards.into_iter().map(|card| card.contact).collect()
    }

    fn check(lines: &str, name: &str, phones: &[&str], emails: &[&str]) {
        let card = format!("BEGIN:VCARD\r\n{}\r\nEND:VCARD\r\n", lines.replace('\n', "\r\n"));
        let read = contacts(card);
        assert_eq!(read.len(), 1, "{lines}");
        assert_eq!(
            (read[0].name.as_str(), read[0].phones.as_slice()),
            (name, &phones.iter().map(|p| p.to_string()).collect::<Vec<_>>()[..])
        );
        assert_eq!(read[0].emails, emails);
    }

    #[test]
    fn numbers_and_addresses_with_and_without_groups() {
        check(
            "FN:Ana Abbott\nitem1.TEL;type=CELL;type=pref:+1 (202) 555-0101\nitem1.X-ABLabel:_$!<Other>!$_\nemail;TYPE=\"home:x\":ana@example.com",
            "Ana Abbott",
            &["+1 (202) 555-0101"],
            &["ana@example.com"],
        );
    }

    #[test]
    fn version_4_writes_uris() {
        check(
            "FN:Ana\nTEL;VALUE=uri:tel:+1-202-555-0101;ext=5\nEMAIL:mailto:ana@example.com",
            "Ana",
            &["+1-202-555-0101"],
            &["ana@example.com"],
        );
    }

    #[test]
    fn folded_lines_are_one() {
        check("FN:Ana Abb\n ott\nTEL:+1202\n\t5550101", "Ana Abbott", &["+12025550101"], &[]);
    }

    #[test]
    fn quoted_printable_and_old_character_sets() {
        check(
            "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCl=\nler;J=C3=B6rg;;;",
            "Jörg Müller",
            &[],
            &[],
        );
        let latin = contacts(b"BEGIN:VCARD\nN;CHARSET=ISO-8859-1:M\xfcller;J\xf6rg\nEND:VCARD");
        assert_eq!(latin[0].name, "Jörg Müller");
    }

    #[test]
    fn the_name_is_fn_else_n_else_the_organization() {
        check("N:Abbott;Ana;;;\nFN:Annie A.\nORG:Acme;Sales", "Annie A.", &[], &[]);
        check("N:Abbott;Ana;;;\nORG:Acme;Sales", "Ana Abbott", &[], &[]);
        check("N:;;;;\nFN:\nORG:Acme\\; Sons;Sales", "Acme; Sons", &[], &[]);
    }

    #[test]
    fn photos_and_cards_within_cards_are_passed_over() {
        check(
            "FN:Ana\nAGENT:\nBEGIN:VCARD\nFN:Ben\nTEL:1\nEND:VCARD\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\n BBBB=\n TEL:9\nTEL:+12025550101",
            "Ana",
            &["+12025550101"],
            &[],
        );
    }

    #[test]
    fn groups_and_nameless_cards_are_nobody() {
        assert!(contacts("BEGIN:VCARD\nFN:Friends\nX-ADDRESSBOOKSERVER-KIND:group\nEND:VCARD").is_empty());
        assert!(contacts("BEGIN:VCARD\nTEL:+12025550101\nEND:VCARD").is_empty());
    }

    #[test]
    fn several_cards_and_no_last_end() {
        let read = contacts("BEGIN:VCARD\rFN:Ana\rEND:VCARD\rBEGIN:VCARD\rFN:Ben Boyd\rTEL:1");
        assert_eq!(
            read.iter().map(|c| (c.name.as_str(), c.full_name)).collect::<Vec<_>>(),
            [("Ana", false), ("Ben Boyd", true)]
        );
        assert_ne!(read[0].person, read[1].person);
    }

    #[test]
    fn a_person_is_the_same_wherever_the_card_is_in_its_book() {
        let ana = "BEGIN:VCARD\nFN:Ana\nTEL:1\nEND:VCARD\n";
        let ben = "BEGIN:VCARD\nFN:Ben\nTEL:2\nEND:VCARD\n";
        let (first, second) = (contacts(format!("{ana}{ben}")), contacts(format!("{ben}{ana}")));
        assert_eq!((&first[0], &first[1]), (&second[1], &second[0]));
        // Two of one name are two people.
        let other = contacts(format!("{ana}{}", ana.replace("TEL:1", "TEL:3")));
        assert_ne!(other[0].person, other[1].person);
    }

    #[test]
    fn utf_16_is_read() {
        let text = "BEGIN:VCARD\nFN:Zoë\nEND:VCARD";
        let little: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(contacts(little)[0].name, "Zoë");
    }

    #[test]
    fn a_card_that_was_sent_keeps_its_order_and_its_web_addresses() {
        let card = "BEGIN:VCARD\nN:Abbott;Ana;;;\nEMAIL:ana@example.com\nTEL:+12025550101\nTEL:\nEND:VCARD";
        let sent = SentCard {
            name: Some("Ana Abbott".into()),
            handles: vec!["ana@example.com".into(), "+12025550101".into()],
            urls: vec![],
        };
        assert_eq!(sent_cards(card.as_bytes()), Some(vec![sent]));
        let place = "BEGIN:VCARD\nFN:Current Location\nitem1.URL;type=pref:https://maps.apple.com/?ll=50.1\\,7.5\n\
                     item1.X-ABLabel:map url\nEND:VCARD";
        let place = sent_cards(place.as_bytes()).unwrap();
        assert_eq!(place[0].urls, ["https://maps.apple.com/?ll=50.1,7.5"]);
        assert_eq!(sent_cards(b"hello"), None);
    }

    #[test]
    fn nonsense_is_survived() {
        for text in [
            "",
            ":",
            "=",
            "BEGIN:VCARD",
            "END:VCARD",
            " x\n y",
            "BEGIN:VCARD\nN;QUOTED-PRINTABLE:=\n",
            "\u{feff}",
        ] {
            assert_eq!(contacts(text), [], "{text:?}");
        }
        assert!(!read(b"hello", 0, &mut Vec::new()));
    }
}
