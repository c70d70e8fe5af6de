//! What both sides say of a message that differs, in words.
//!
//! **Must never**: say which of them is right.

use crate::compare::{Difference, File, Found, On, Quote, Says, Words};
use crate::model::{Sender, TapbackKind};
use crate::writers::clock::Clock;
use crate::writers::phrase::{self, count, one_line, shortened};

/// Characters of a text that are shown.
const SHOWN: usize = 300;

/// Attachments that are named.
const NAMED: usize = 4;

/// Something that differs in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both {
    /// What it is, in a word.
    pub what: &'static str,
    /// What the left and the right side say of it.
    pub sides: [String; 2],
}

/// All that differs in a message.
pub fn both(quote: &Quote, clock: &mut Clock) -> Vec<Both> {
    let Found::Different(what, says) = &quote.finding.found else {
        return Vec::new();
    };
    let each = what.each().map(|difference| {
        let [left, right] = &**says;
        let [left_words, right_words] = &quote.words;
        let mut sides = [
            side(difference, left, left_words.as_ref(), clock),
            side(difference, right, right_words.as_ref(), clock),
        ];
        if difference == Difference::Bytes && sides[0] == sides[1] {
            sides[1].push_str(": other bytes");
        }
        Both { what: name(difference), sides }
    });
    each.collect()
}

fn name(difference: Difference) -> &'static str {
    match difference {
        Difference::Edited | Difference::Text => "text",
        Difference::Unsent => "unsent",
        Difference::Attachment => "attached",
        Difference::Bytes => "bytes",
        Difference::Read => "read",
        Difference::Sender => "from",
        Difference::Date => "date",
        Difference::Subject => "subject",
        Difference::Service => "service",
        Difference::Target => "on",
        Difference::Reply => "answers",
        Difference::Effect => "effect",
        Difference::Error => "sent",
    }
}

fn side(difference: Difference, says: &Says, words: Option<&Words>, clock: &mut Clock) -> String {
    match difference {
        Difference::Sender if says.from_me => "the owner of these messages".into(),
        Difference::Sender => says.sender.as_deref().map_or("somebody unknown".into(), person),
        Difference::Date => says.date.map_or("no date".into(), |date| phrase::moment(date, clock)),
        Difference::Service => {
            says.service.as_deref().map_or("none".into(), |name| phrase::service(name).into())
        }
        _ => words.map_or("could not be read again".into(), |words| told(difference, words)),
    }
}

fn person(sender: &Sender) -> String {
    let text = match (&sender.name, &sender.handle) {
        (Some(name), Some(handle)) => format!("{name} ({handle})"),
        (Some(known), None) | (None, Some(known)) => known.clone(),
        (None, None) => "somebody unknown".into(),
    };
    one_line(&text).into_owned()
}

fn quoted(text: Option<&str>) -> String {
    text.map_or("no text".into(), |text| format!("“{}”", one_line(&shortened(text, SHOWN))))
}

fn told(difference: Difference, words: &Words) -> String {
    if difference == Difference::Target {
        return on(words.on.as_ref());
    }
    if let Some((sort, taken_back)) = &words.tapback {
        return tapback(sort, *taken_back);
    }
    match difference {
        Difference::Edited => edited(words),
        Difference::Unsent => match words.unsent as u64 {
            0 => "nothing".into(),
            parts => count(parts, "part", "parts"),
        },
        Difference::Read => match words.read {
            Some(true) => "read".into(),
            Some(false) => "not read".into(),
            None => "not known".into(),
        },
        Difference::Subject => words.subject.as_deref().map_or("none".into(), |text| quoted(Some(text))),
        Difference::Attachment | Difference::Bytes => files(&words.files),
        Difference::Reply => on(words.on.as_ref()),
        Difference::Effect => {
            words.effect.as_ref().map_or("none".into(), |effect| phrase::effect_name(effect).into_owned())
        }
        Difference::Error => match (words.error, words.sent) {
            (Some(code), _) => phrase::error(code),
            (None, true) => "sent".into(),
            (None, false) => "not known".into(),
        },
        _ => quoted(words.text.as_deref()),
    }
}

/// `“hello”, part 2`; of what is not there its GUID.
fn on(on: Option<&On>) -> String {
    let Some(on) = on else {
        return "no message".into();
    };
    let which = match (on.is_there, &on.text) {
        (true, Some(text)) => quoted(Some(text)),
        (true, None) => format!("message {} (no text)", one_line(&on.guid)),
        (false, _) => format!("message {} (not here)", one_line(&on.guid)),
    };
    // People count from 1, and a message of one part has no parts.
    match on.part {
        Some(part @ 1..) => format!("{which}, part {}", u64::from(part) + 1),
        Some(0) | None => which,
    }
}

fn tapback(sort: &TapbackKind, taken_back: bool) -> String {
    let which = match (sort, sort.emoji()) {
        (TapbackKind::Sticker(_), _) => "a sticker".into(),
        (_, emoji) => emoji.map_or("an emoji".into(), one_line),
    };
    if taken_back { format!("{which}, taken back") } else { which.into_owned() }
}

fn edited(words: &Words) -> String {
    let text = quoted(words.text.as_deref());
    let first = words.first.as_deref().map(|first| format!(", first {}", quoted(Some(first))));
    match (words.edited, words.edits as u64) {
        (false, _) => format!("{text}, not edited"),
        (true, 0) => format!("{text}, edited{}", first.unwrap_or_default()),
        (true, edits) => {
            format!(
                "{text}, edited {}{}",
                if edits == 1 { "once".into() } else { count(edits, "time", "times") },
                first.unwrap_or_default()
            )
        }
    }
}

fn files(files: &[File]) -> String {
    let each = files.iter().take(NAMED).map(|file| {
        let name = file.name.as_deref().map_or("without a name".into(), one_line);
        match (file.is_here, file.bytes) {
            (true, Some(bytes)) => format!("{name} ({})", count(bytes, "byte", "bytes")),
            (true, None) => name.into_owned(),
            (false, Some(bytes)) => format!("{name} ({}, not here)", count(bytes, "byte", "bytes")),
            (false, None) => format!("{name} (not here)"),
        }
    });
    let mut named = each.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = files.len().saturating_sub(NAMED) as u64 {
        named.push_str(&format!(" and {}", count(more, "more", "more")));
    }
    if named.is_empty() { "none".into() } else { named }
}
