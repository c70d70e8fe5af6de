//! Apple Cash (`messages-format.md` 10.6): the sentence says it all, in words; the payment itself is a property list in
//! the URL whose keys nobody has described, so it is read for what can be recognized and handed on as it is.

use super::template;
use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::{Archive, Node};
use crate::pipeline::decode::url;

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let known = template::fill(root, card);
    let mut amount = None;
    let mut currency = None;
    let payment = card.url.as_deref().and_then(url::data).and_then(|bytes| {
        let archive = Archive::read(&bytes).ok()?;
        for (name, value) in archive.root().entries() {
            let Some(name) = name.text().map(|name| name.to_ascii_lowercase()) else { continue };
            match name.as_str() {
                "amount" => amount = number(value).or(amount.take()),
                "currency" | "currencycode" => currency = value.text().or(currency.take()),
                "memo" | "note" => card.lines.extend(value.text()),
                _ => {}
            }
        }
        archive.root().value()
    });
    let sentence = card.summary.clone().unwrap_or_default();
    let shown = [&card.title, &card.summary, &card.subtitle];
    let said = shown.into_iter().flatten().find_map(|text| money(text));
    if let Some(said) = said {
        amount = amount.or(Some(said.amount));
        currency = currency.or(Some(said.currency.to_owned()));
        // What a card is looked at for, large.
        card.title = card.title.take().or(Some(said.shown));
    }
    let words = sentence.to_lowercase();
    let texts = [
        ("amount", amount),
        ("currency", currency),
        ("direction", direction(&words).map(str::to_owned)),
        ("recurring", period(&words).map(str::to_owned)),
        ("starting", starting(&sentence)),
    ];
    card.data.extend(texts.into_iter().filter_map(|(name, text)| Some((name, Value::Text(text?)))));
    card.data.extend(payment.map(|payment| ("payment", payment)));
    known
}

fn number(value: Node<'_>) -> Option<String> {
    let real = || value.real().filter(|real| real.is_finite()).map(|real| real.to_string());
    value.text().or_else(real)
}

/// `sent`, `requested` or `received`, of a sentence in English.
fn direction(words: &str) -> Option<&'static str> {
    if words.contains("request") {
        Some("requested")
    } else if words.contains("received") || words.contains("receiving") {
        Some("received")
    } else if words.contains("sent") || words.contains("sending") {
        Some("sent")
    } else {
        None
    }
}

/// How often, of a sentence in English.
fn period(words: &str) -> Option<&'static str> {
    let known = [
        ("biweekly", "biweekly"),
        ("every two weeks", "biweekly"),
        ("every 2 weeks", "biweekly"),
        ("weekly", "weekly"),
        ("every week", "weekly"),
        ("monthly", "monthly"),
        ("every month", "monthly"),
        ("daily", "daily"),
        ("every day", "daily"),
    ];
    known.iter().find(|(said, _)| words.contains(said)).map(|(_, period)| *period)
}

/// The day as the sentence says it.
fn starting(sentence: &str) -> Option<String> {
    let (_, day) = sentence.split_once(" starting ")?;
    Some(day.trim_end_matches('.').to_owned()).filter(|day| !day.is_empty())
}

struct Money {
    /// As it stands in the text.
    shown: String,
    /// Digits, with a point before the fraction.
    amount: String,
    /// ISO 4217.
    currency: &'static str,
}

/// The first amount in a text. A bare `$` is that of the United States, where Apple Cash is.
fn money(text: &str) -> Option<Money> {
    let signs = [('$', "USD"), ('€', "EUR"), ('£', "GBP"), ('¥', "JPY"), ('₹', "INR")];
    text.char_indices().find_map(|(at, sign)| {
        let (_, currency) = signs.iter().find(|(known, _)| *known == sign)?;
        let (before, rest) = text.split_at_checked(at)?;
        let after = rest.get(sign.len_utf8()..)?;
        let blank = |c: char| c == ' ' || c == '\u{A0}' || c == '\u{202F}';
        let part = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
        let behind = after.trim_start_matches(blank);
        let end = behind.find(|c| !part(c)).unwrap_or(behind.len());
        let behind_digits = behind.get(..end)?.trim_end_matches(['.', ',']);
        let letters = before.trim_end_matches(|c: char| c.is_ascii_uppercase()).len();
        let prefix = before.get(letters..).unwrap_or("");
        let currency = match (sign, prefix) {
            ('$', "CA" | "C") => "CAD",
            ('$', "AU" | "A") => "AUD",
            ('$', "NZ") => "NZD",
            ('$', "HK") => "HKD",
            _ => currency,
        };
        if behind_digits.starts_with(|c: char| c.is_ascii_digit()) {
            let gap = after.get(..after.len() - behind.len())?;
            let shown = format!("{prefix}{sign}{gap}{behind_digits}");
            return Some(Money { shown, amount: plain(behind_digits), currency });
        }
        let front = before.trim_end_matches(blank);
        let start = front
            .rfind(|c| !part(c))
            .map_or(0, |i| i + front.get(i..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8));
        let front_digits = front.get(start..)?.trim_start_matches(['.', ',']);
        if !front_digits.ends_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let gap = before.get(front.len()..)?;
        Some(Money { shown: format!("{front_digits}{gap}{sign}"), amount: plain(front_digits), currency })
    })
}

/// `1,234.50` and `1.234,50` as `1234.50`. A single mark before three digits groups them.
fn plain(digits: &str) -> String {
    let last = digits.rfind(['.', ',']);
    let is_fraction = last.is_some_and(|at| {
        let mark = digits.get(at..at + 1).unwrap_or("");
        let fraction = digits.len() - at - 1;
        let alone = digits.matches(mark).count() == 1;
        let other_mark = digits.matches(['.', ',']).count() > digits.matches(mark).count();
        alone && (fraction != 3 || other_mark)
    });
    let mut out = String::with_capacity(digits.len());
    for (at, c) in digits.char_indices() {
        match c {
            '.' | ',' if is_fraction && Some(at) == last => out.push('.'),
            '.' | ',' => {}
            digit => out.push(digit),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_in_sentences() {
        for (text, expected) in [
            ("Sent $265 with Apple Pay.", Some(("$265", "265", "USD"))),
            ("Sending you $1 weekly starting Nov 18, 2023", Some(("$1", "1", "USD"))),
            ("$1,234.50", Some(("$1,234.50", "1234.50", "USD"))),
            ("US$12.00, please", Some(("US$12.00", "12.00", "USD"))),
            ("CA$5", Some(("CA$5", "5", "CAD"))),
            ("5,00\u{A0}€ gesendet", Some(("5,00\u{A0}€", "5.00", "EUR"))),
            ("1.234,50 €", Some(("1.234,50 €", "1234.50", "EUR"))),
            ("£ 1,000", Some(("£ 1,000", "1000", "GBP"))),
            ("1,234,567 $", Some(("1,234,567 $", "1234567", "USD"))),
            ("é3$", Some(("3$", "3", "USD"))),
            ("$ and cents", None),
            ("12 loaves", None),
            ("", None),
        ] {
            let found = money(text);
            let found = found.as_ref().map(|m| (m.shown.as_str(), m.amount.as_str(), m.currency));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_the_sentence_says() {
        assert_eq!(direction("requesting $5"), Some("requested"));
        assert_eq!(direction("sent $5 with apple pay."), Some("sent"));
        assert_eq!(direction("you received $5"), Some("received"));
        assert_eq!(direction("5 € für dich"), None);
        assert_eq!(period("sending you $1 every two weeks"), Some("biweekly"));
        assert_eq!(period("sending you $1 weekly starting today"), Some("weekly"));
        assert_eq!(starting("Sending you $1 weekly starting Nov 18, 2023."), Some("Nov 18, 2023".into()));
    }
}
