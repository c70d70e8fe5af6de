//! What to delete, said in a sentence: `videos larger than 50MB older than 2y`.

use chrono_tz::Tz;

use super::{WhatIf, parse_bytes};
use crate::model::Instant;
use crate::pipeline::select::{Has, parse_moment};

/// Words for kinds of attachments.
const KINDS: [(&str, Has); 13] = [
    ("photos", Has::Image),
    ("photo", Has::Image),
    ("images", Has::Image),
    ("image", Has::Image),
    ("pictures", Has::Image),
    ("videos", Has::Video),
    ("video", Has::Video),
    ("films", Has::Video),
    ("audio", Has::Audio),
    ("documents", Has::Document),
    ("document", Has::Document),
    ("links", Has::Link),
    ("link", Has::Link),
];

/// What begins a clause.
const CLAUSES: [&str; 9] = ["larger", "over", "older", "before", "until", "newer", "since", "with", "in"];

/// What is asked of by a sentence: kinds of attachments (or `everything`), then any of `larger than SIZE`, `older than AGE`
/// (`before DATE`), `newer than AGE` (`since DATE`), `with PERSON`, `in CONVERSATION`. Ages count back from `now`, dates are
/// in `zone`.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_what_if(sentence: &str, zone: Tz, now: Instant) -> Result<WhatIf, String> {
    let unclear = |word: &str| {
        format!(
            "{word:?} is not understood: say such as `videos larger than 50MB older than 2y with Ana Abbott`"
        )
    };
    let mut words = sentence.split([' ', ',']).filter(|word| !word.is_empty()).peekable();
    let mut what = WhatIf::default();
    if words.peek().is_none() {
        return Err(unclear(sentence));
    }
    while let Some(word) = words.next() {
        let clause = word.to_lowercase();
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == clause) {
            what.has.push(*kind);
            continue;
        }
        if matches!(clause.as_str(), "and" | "everything" | "attachments" | "messages") {
            continue;
        }
        if !CLAUSES.contains(&clause.as_str()) {
            return Err(unclear(word));
        }
        let mut value = String::new();
        while let Some(word) = words.next_if(|word| !CLAUSES.contains(&word.to_lowercase().as_str())) {
            if value.is_empty() && word.eq_ignore_ascii_case("than") {
                continue;
            }
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(word);
        }
        if value.is_empty() {
            return Err(unclear(word));
        }
        match clause.as_str() {
            "larger" | "over" => what.larger = Some(parse_bytes(&value)?),
            "older" | "before" | "until" => what.selection.until = Some(parse_moment(&value, zone, now)?),
            "newer" | "since" => what.selection.since = Some(parse_moment(&value, zone, now)?),
            "with" => what.selection.with.push(value),
            _ => what.selection.conversations.push(value),
        }
    }
    Ok(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::select::Selection;

    fn parse(sentence: &str) -> Result<WhatIf, String> {
        parse_what_if(sentence, chrono_tz::UTC, "2024-06-15T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_sentence_says_what_options_say() {
        let moment = |text: &str| Some(text.parse().unwrap());
        assert_eq!(
            parse("videos larger than 50MB older than 2y"),
            Ok(WhatIf {
                selection: Selection { until: moment("2022-06-15T12:00:00Z"), ..Selection::default() },
                has: vec![Has::Video],
                larger: Some(50_000_000),
            })
        );
        assert_eq!(
            parse(
                "Photos, videos and audio over 1.5 GB since 2020-01-01 before 2021-01-01 with Ana Abbott in Family"
            ),
            Ok(WhatIf {
                selection: Selection {
                    since: moment("2020-01-01T00:00:00Z"),
                    until: moment("2021-01-01T00:00:00Z"),
                    with: vec!["Ana Abbott".into()],
                    conversations: vec!["Family".into()],
                    ..Selection::default()
                },
                has: vec![Has::Image, Has::Video, Has::Audio],
                larger: Some(1_500_000_000),
            })
        );
        assert_eq!(parse("everything"), Ok(WhatIf::default()));
    }

    #[test]
    fn nonsense_says_what_is_understood() {
        for nonsense in
            ["", "  ", "old stuff", "videos larger", "videos larger than", "videos older than much"]
        {
            assert!(parse(nonsense).is_err(), "{nonsense}");
        }
        assert!(parse("old stuff").unwrap_err().contains("videos larger than 50MB"));
    }
}
