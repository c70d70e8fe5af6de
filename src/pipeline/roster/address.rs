//! Spellings of a phone number or an e-mail address → one key by which they are equal (`messages-format.md` 15.4).
//!
//! **Must never**: take two numbers for one because their last digits agree.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::source::RawHandle;

/// An address that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Equal for all spellings of this address: `+` and digits, bare digits, lower-case e-mail, or the text itself.
    pub key: String,
    /// Other readings of a number that does not say its country, best first.
    pub others: Vec<String>,
    /// A person can have it: not a business id or the name of a short code.
    pub personal: bool,
}

impl Address {
    /// The key, then the other readings.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.key).chain(&self.others).map(String::as_str)
    }

    fn exactly(key: String, personal: bool) -> Address {
        Address { key, others: Vec::new(), personal }
    }
}

/// How numbers without a country code are read: as those of the country that most numbers of the library are of.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbering {
    /// A calling code; `None` where no handle shows one.
    home: Option<&'static str>,
}

impl Numbering {
    /// From all numbers with a country code, else from the countries that the handles name.
    pub fn of(handles: &[RawHandle]) -> Numbering {
        let mut seen = HashSet::new();
        let international = handles
            .iter()
            .filter_map(|h| digits(&visible(&h.id)).filter(|n| n.international))
            .filter_map(|n| seen.insert(n.digits.clone()).then(|| code_of_number(&n.digits)).flatten());
        let home = most_frequent(international)
            .or_else(|| most_frequent(handles.iter().filter_map(|h| code_of_country(h.country.as_deref()?))));
        Numbering { home }
    }

    /// Reads an address; `country` is the ISO code that its handle names, where there is one.
    pub fn read(&self, text: &str, country: Option<&str>) -> Address {
        let text = visible(text);
        if text.contains('@') && !text.starts_with("urn:") {
            return Address::exactly(email(&text), true);
        }
        let Some(number) = digits(&text) else {
            return Address::exactly(text, false);
        };
        if number.international {
            return Address::exactly(format!("+{}", number.digits), true);
        }
        let bare = number.digits;
        if bare.len() < SHORTEST_NUMBER {
            return Address::exactly(bare, true);
        }
        let region = country.and_then(code_of_country).or(self.home);
        if region == Some("1")
            && let Some(abroad) = bare.strip_prefix("011").filter(|d| d.len() > SHORTEST_NUMBER)
        {
            return Address::exactly(format!("+{abroad}"), true);
        }
        let mut others: Vec<String> = Vec::with_capacity(3);
        for code in [region, Some("1")].into_iter().flatten() {
            if let Some(full) = with_code(&bare, code).filter(|full| !others.contains(full)) {
                others.push(full);
            }
        }
        others.push(bare);
        let key = others.remove(0);
        Address { key, others, personal: true }
    }
}

/// Fewer digits are a short code, which only equals itself.
const SHORTEST_NUMBER: usize = 7;

struct Number {
    digits: String,
    /// It starts with `+` or `00`, so that the digits start with a calling code.
    international: bool,
}

/// Without the invisible characters that contacts and handles pick up when they are pasted (15.4.9).
fn visible(text: &str) -> String {
    let shown = text.chars().filter(|c| {
        !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            && !c.is_control()
    });
    let spaced: String = shown.map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// The address in `Ana <ana@example.com>` or `mailto:ana@example.com`, in lower case.
fn email(text: &str) -> String {
    let inner = match (text.rfind('<'), text.rfind('>')) {
        (Some(from), Some(to)) if from < to => text.get(from + 1..to).unwrap_or(text),
        _ => text,
    };
    let inner = strip_scheme(inner.trim(), "mailto:").trim();
    inner.to_lowercase()
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> &'a str {
    match text.split_at_checked(scheme.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(scheme) => rest,
        _ => text,
    }
}

/// Reads visible text; `None` for everything that is not only digits and the punctuation of numbers.
fn digits(text: &str) -> Option<Number> {
    let text = strip_scheme(text, "tel:");
    // "+49 (0)171 …": the zero is dialled only without the country code.
    let with_code = text.starts_with(['+', '\u{ff0b}']) || text.starts_with("00");
    let text =
        if with_code && text.contains("(0)") { Cow::from(text.replace("(0)", "")) } else { Cow::from(text) };
    let mut plus = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '+' | '\u{ff0b}' if out.is_empty() => plus = true,
            ' ' | '(' | ')' | '-' | '.' | '/' | '_' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            c => out.push(decimal(c)?),
        }
    }
    if out.is_empty() {
        return None;
    }
    let zeros = out.strip_prefix("00").filter(|rest| !plus && rest.len() > SHORTEST_NUMBER);
    Some(match zeros.map(str::to_owned) {
        Some(rest) => Number { digits: rest, international: true },
        None => Number { digits: out, international: plus },
    })
}

/// The digits of the scripts in which phones write numbers.
fn decimal(c: char) -> Option<char> {
    let zero = match c {
        '0'..='9' => return Some(c),
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '०'..='९' => '०',
        '০'..='৯' => '০',
        '０'..='９' => '０',
        _ => return None,
    };
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

fn most_frequent(codes: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for code in codes {
        *counts.entry(code).or_default() += 1;
    }
    counts.into_iter().max_by(|(a, m), (b, n)| m.cmp(n).then_with(|| b.cmp(a))).map(|(code, _)| code)
}

/// A number as it is dialled inside the country → `+`, calling code and number; `None` when it cannot be one.
fn with_code(national: &str, code: &str) -> Option<String> {
    let whole = |rest: &str| Some(format!("+{code}{rest}"));
    if code == "1" {
        let ten = if national.len() == 11 { national.strip_prefix('1')? } else { national };
        // No area code starts with 0 or 1.
        return (ten.len() == 10 && !ten.starts_with(['0', '1'])).then(|| whole(ten)).flatten();
    }
    let mut dialled_whole = DIALLED_WHOLE.iter().filter(|(c, ..)| *c == code);
    if dialled_whole.any(|(_, least, most)| (*least..=*most).contains(&national.len())) {
        return whole(national);
    }
    if code == "39" {
        return None;
    }
    let trunk = TRUNK_PREFIXES.iter().find(|(c, _)| *c == code).map_or("0", |(_, prefix)| *prefix);
    national.strip_prefix(trunk).filter(|rest| rest.len() >= 5).and_then(whole)
}

/// What is dialled before the area code, where it is not 0.
const TRUNK_PREFIXES: &[(&str, &str)] =
    &[("7", "8"), ("36", "06"), ("370", "8"), ("375", "80"), ("993", "8")];

/// Countries whose people write numbers without any prefix: calling code, fewest and most digits.
/// In Italy (39) a leading zero is part of the number.
const DIALLED_WHOLE: &[(&str, usize, usize)] = &[
    ("30", 10, 10),
    ("34", 9, 9),
    ("39", 8, 11),
    ("45", 8, 8),
    ("47", 8, 8),
    ("48", 9, 9),
    ("51", 9, 9),
    ("52", 10, 10),
    ("55", 10, 11),
    ("56", 9, 9),
    ("57", 10, 10),
    ("65", 8, 8),
    ("7", 10, 10),
    ("86", 11, 11),
    ("90", 10, 10),
    ("91", 10, 10),
    ("351", 9, 9),
    ("352", 9, 9),
    ("354", 7, 7),
    ("356", 8, 8),
    ("357", 8, 8),
    ("371", 8, 8),
    ("372", 7, 8),
    ("420", 9, 9),
    ("502", 8, 8),
    ("503", 8, 8),
    ("506", 8, 8),
    ("507", 8, 8),
    ("852", 8, 8),
    ("853", 8, 8),
    ("965", 8, 8),
    ("968", 8, 8),
    ("973", 8, 8),
    ("974", 8, 8),
];

/// The calling code that the digits of an international number start with.
fn code_of_number(digits: &str) -> Option<&'static str> {
    COUNTRIES.iter().map(|(code, _)| *code).find(|code| digits.starts_with(code))
}

/// The calling code of an ISO 3166 country, in any case.
fn code_of_country(country: &str) -> Option<&'static str> {
    let named = |codes: &&(&str, &str)| codes.1.split(' ').any(|c| c.eq_ignore_ascii_case(country));
    COUNTRIES.iter().find(named).map(|(code, _)| *code)
}

/// ITU-T E.164 country codes and the ISO 3166 countries that share each. No code is the start of another one.
#[rustfmt::skip]
const COUNTRIES: &[(&str, &str)] = &[
    ("1", "us ca ag ai as bb bm bs dm do gd gu jm kn ky lc mp ms pr sx tc tt vc vg vi"), ("7", "ru kz"),
    ("20", "eg"), ("27", "za"), ("30", "gr"), ("31", "nl"), ("32", "be"), ("33", "fr"), ("34", "es"),
    ("36", "hu"), ("39", "it va"), ("40", "ro"), ("41", "ch"), ("43", "at"), ("44", "gb gg im je"), ("45", "dk"),
    ("46", "se"), ("47", "no sj"), ("48", "pl"), ("49", "de"), ("51", "pe"), ("52", "mx"), ("53", "cu"),
    ("54", "ar"), ("55", "br"), ("56", "cl"), ("57", "co"), ("58", "ve"), ("60", "my"), ("61", "au cc cx"),
    ("62", "id"), ("63", "ph"), ("64", "nz"), ("65", "sg"), ("66", "th"), ("81", "jp"), ("82", "kr"),
    ("84", "vn"), ("86", "cn"), ("90", "tr"), ("91", "in"), ("92", "pk"), ("93", "af"), ("94", "lk"),
    ("95", "mm"), ("98", "ir"),
    ("211", "ss"), ("212", "ma eh"), ("213", "dz"), ("216", "tn"), ("218", "ly"), ("220", "gm"), ("221", "sn"),
    ("222", "mr"), ("223", "ml"), ("224", "gn"), ("225", "ci"), ("226", "bf"), ("227", "ne"), ("228", "tg"),
    ("229", "bj"), ("230", "mu"), ("231", "lr"), ("232", "sl"), ("233", "gh"), ("234", "ng"), ("235", "td"),
    ("236", "cf"), ("237", "cm"), ("238", "cv"), ("239", "st"), ("240", "gq"), ("241", "ga"), ("242", "cg"),
    ("243", "cd"), ("244", "ao"), ("245", "gw"), ("246", "io"), ("247", "ac"), ("248", "sc"), ("249", "sd"),
    ("250", "rw"), ("251", "et"), ("252", "so"), ("253", "dj"), ("254", "ke"), ("255", "tz"), ("256", "ug"),
    ("257", "bi"), ("258", "mz"), ("260", "zm"), ("261", "mg"), ("262", "re yt"), ("263", "zw"), ("264", "na"),
    ("265", "mw"), ("266", "ls"), ("267", "bw"), ("268", "sz"), ("269", "km"), ("290", "sh ta"), ("291", "er"),
    ("297", "aw"), ("298", "fo"), ("299", "gl"), ("350", "gi"), ("351", "pt"), ("352", "lu"), ("353", "ie"),
    ("354", "is"), ("355", "al"), ("356", "mt"), ("357", "cy"), ("358", "fi ax"), ("359", "bg"), ("370", "lt"),
    ("371", "lv"), ("372", "ee"), ("373", "md"), ("374", "am"), ("375", "by"), ("376", "ad"), ("377", "mc"),
    ("378", "sm"), ("380", "ua"), ("381", "rs"), ("382", "me"), ("383", "xk"), ("385", "hr"), ("386", "si"),
    ("387", "ba"), ("389", "mk"), ("420", "cz"), ("421", "sk"), ("423", "li"), ("500", "fk"), ("501", "bz"),
    ("502", "gt"), ("503", "sv"), ("504", "hn"), ("505", "ni"), ("506", "cr"), ("507", "pa"), ("508", "pm"),
    ("509", "ht"), ("590", "gp bl mf"), ("591", "bo"), ("592", "gy"), ("593", "ec"), ("594", "gf"),
    ("595", "py"), ("596", "mq"), ("597", "sr"), ("598", "uy"), ("599", "cw bq"), ("670", "tl"), ("672", "nf"),
    ("673", "bn"), ("674", "nr"), ("675", "pg"), ("676", "to"), ("677", "sb"), ("678", "vu"), ("679", "fj"),
    ("680", "pw"), ("681", "wf"), ("682", "ck"), ("683", "nu"), ("685", "ws"), ("686", "ki"), ("687", "nc"),
    ("688", "tv"), ("689", "pf"), ("690", "tk"), ("691", "fm"), ("692", "mh"), ("850", "kp"), ("852", "hk"),
    ("853", "mo"), ("855", "kh"), ("856", "la"), ("880", "bd"), ("886", "tw"), ("960", "mv"), ("961", "lb"),
    ("962", "jo"), ("963", "sy"), ("964", "iq"), ("965", "kw"), ("966", "sa"), ("967", "ye"), ("968", "om"),
    ("970", "ps"), ("971", "ae"), ("972", "il"), ("973", "bh"), ("974", "qa"), ("975", "bt"), ("976", "mn"),
    ("977", "np"), ("992", "tj"), ("993", "tm"), ("994", "az"), ("995", "ge"), ("996", "kg"), ("998", "uz"),
];
