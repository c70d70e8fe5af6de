//! What a search says that found nothing: what was looked for and among what, and what to try.
//!
//! **Must never**: take more than a few lines, or let what was typed steer a terminal.

use chrono::DateTime;
use chrono_tz::Tz;
use msgarchive::archive::search::{Instead, Unfound};
use msgarchive::writers::phrase::{count, shortened};

use super::terminal::{fill, plain};

/// So many lines are read before anybody tries something else.
const LINES: usize = 3;
/// Of what was typed, in characters: all that anybody types, and less where there is no room.
const LONGEST: [usize; 3] = [60, 40, 20];

/// What was asked for.
pub struct Asked<'a> {
    pub text: &'a str,
    /// Options and their values, as they were given; without one for those that have none.
    pub filters: &'a [(String, String)],
}

/// In as few lines as there is room for: what was asked for is shortened for it.
pub fn in_words(unfound: &Unfound, asked: &Asked, zone: Tz, width: usize) -> String {
    let mut words = String::new();
    for longest in LONGEST {
        for filters in asked.filters_shorter_and_shorter() {
            words = fill("", &told(unfound, asked.text, longest, &filters, zone), width);
            if words.lines().count() <= LINES {
                return words;
            }
        }
    }
    words
}

fn told(unfound: &Unfound, typed: &str, longest: usize, filters: &str, zone: Tz) -> String {
    let short = |text: &str| shortened(&plain(text), longest).into_owned();
    let with = match (filters, &unfound.instead) {
        ("", _) => String::new(),
        (filters, Some(Instead::Unfiltered(_))) => format!(", with {filters}"),
        (filters, _) => format!(", with {filters} or without"),
    };
    let fed = unfound.fed.as_deref().and_then(|fed| DateTime::parse_from_rfc3339(fed).ok());
    let fed = fed.map_or_else(String::new, |fed| {
        format!(", fed last {},", fed.with_timezone(&zone).format("%Y-%m-%d %H:%M"))
    });
    let there = format!(
        "{} in {}",
        count(unfound.messages, "message or tapback", "messages and tapbacks"),
        count(unfound.conversations, "conversation", "conversations"),
    );
    let instead = match &unfound.instead {
        None => "Try another word, or only its beginning.".to_owned(),
        Some(Instead::Unfiltered(1)) => "Without filters, 1 message says it.".to_owned(),
        Some(Instead::Unfiltered(messages)) => {
            format!("Without filters, {} say it.", count(*messages, "message", "messages"))
        }
        Some(Instead::Unquoted) => "Without quotation marks it is found.".to_owned(),
        Some(Instead::FewerWords) => {
            "Each word is in some message, but all are in none: try fewer words.".to_owned()
        }
        Some(Instead::Beginning(beginning)) => format!("Its beginning is found: {}", short(beginning)),
        Some(Instead::WithoutWord { unsaid, beginning: None }) => {
            format!("Try it without \"{}\", which is in no message.", short(unsaid))
        }
        Some(Instead::WithoutWord { unsaid, beginning: Some(beginning) }) => {
            format!("\"{}\" is in no message, but \"{}\" is.", short(unsaid), short(beginning))
        }
    };
    let typed = typed.trim();
    let quoted = if typed.contains('"') { short(typed) } else { format!("\"{}\"", short(typed)) };
    format!("No message says {quoted} or ever said it{with}. The archive{fed} has {there}. {instead}")
}

impl Asked<'_> {
    /// With their values; their names; how many there are.
    fn filters_shorter_and_shorter(&self) -> Vec<String> {
        let with_value = |(name, value): &(String, String)| match value.as_str() {
            "" => format!("--{name}"),
            value if value.contains(' ') => format!("--{name} \"{}\"", plain(value)),
            value => format!("--{name} {}", plain(value)),
        };
        let all: Vec<String> = self.filters.iter().map(with_value).collect();
        let mut names: Vec<String> = self.filters.iter().map(|(name, _)| format!("--{name}")).collect();
        names.dedup();
        let number = count(self.filters.len() as u64, "filter", "filters");
        match self.filters {
            [] => vec![String::new()],
            _ => vec![all.join(" "), names.join(" "), number],
        }
    }
}
