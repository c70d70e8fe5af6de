//! Where an export comes from, how it was made and what is in it, in words: for covers.

use super::{count, days, one_line, short_date, time_with_seconds};
use crate::model::Instant;
use crate::pipeline::RowCounts;
use crate::pipeline::select::{Has, Selection, Without};
use crate::source::backup::BackupInfo;
use crate::source::{Custody, DigestedFile, Fed, KeepMessages, Record, SourceInfo, SourceKind};
use crate::writers::clock::Clock;
use crate::writers::contents::{Contents, Counts, Thing};
use crate::writers::export::AttachmentMode;
use crate::writers::provenance::Provenance;

/// `1 March 2019 to 24 December 2024`; a single day for one.
pub fn period(contents: &Contents) -> String {
    match (&contents.first, &contents.last) {
        (Some(first), Some(last)) => days(first, last),
        (Some(day), _) | (_, Some(day)) => short_date(day),
        (None, None) => "Without dates".into(),
    }
}

/// `1 March 2019 to 24 December 2024  ·  1,234 messages`.
pub fn period_and_count(contents: &Contents) -> String {
    format!("{}  ·  {}", period(contents), count(contents.messages, "message", "messages"))
}

/// The title of a document of all conversations. `me` is how the owner is named.
pub fn all_of(me: &str) -> String {
    match one_line(me).as_ref() {
        "Me" | "" => "Messages".into(),
        name => format!("Messages of {name}"),
    }
}

/// What sort of source it was.
pub fn source_kind(source: &SourceInfo, clock: &mut Clock) -> String {
    match source.kind {
        SourceKind::Library => "Messages library of a Mac, or a copy of one".into(),
        SourceKind::Device => "Messages of an iPhone or iPad, copied from it".into(),
        SourceKind::Archive => "archive kept by msgarchive".into(),
        SourceKind::Export => "export made by msgarchive".into(),
        SourceKind::Backup => backup(source.backup.as_ref(), clock),
    }
}

/// What an archive that is shown as it was says of that.
pub fn as_of(then: Instant, clock: &mut Clock) -> String {
    format!("The archive as it was on {}", moment(then, clock))
}

/// Sources of an archive that are named; the rest is counted.
const MOST_SOURCES: usize = 8;

/// What fed an archive: a line each.
pub fn fed(custody: &Custody, clock: &mut Clock) -> Vec<String> {
    let shown = custody.sources.iter().take(MOST_SOURCES);
    let mut lines: Vec<String> = shown.map(|source| one_that_fed(source, clock)).collect();
    match custody.sources.len().saturating_sub(MOST_SOURCES) {
        0 => {}
        more => lines.push(format!("and {}", count(more as u64, "other source", "other sources"))),
    }
    lines
}

/// `library /Users/ana/Library/Messages/chat.db: read from 1 May 2024, 02:30:00 (UTC+02:00) to …`.
fn one_that_fed(source: &Fed, clock: &mut Clock) -> String {
    let device = source.device.as_deref().map(|device| format!(" of “{}”", one_line(device)));
    let what = format!("{}{} {}", one_line(&source.kind), device.unwrap_or_default(), one_line(&source.path));
    match (source.first, source.last) {
        (Some(first), Some(last)) if first != last => {
            format!("{what}: read first on {}, last on {}", moment(first, clock), moment(last, clock))
        }
        (Some(once), _) | (_, Some(once)) => format!("{what}: read on {}", moment(once, clock)),
        (None, None) => what,
    }
}

/// `9 runs, from 1 May 2024, 02:30:00 (UTC+02:00) to …`.
pub fn runs(custody: &Custody, clock: &mut Clock) -> String {
    let runs = count(custody.runs, "run", "runs");
    match (custody.first, custody.last) {
        (Some(first), Some(last)) if first != last => {
            format!("{runs}, from {} to {}", moment(first, clock), moment(last, clock))
        }
        (Some(once), _) | (_, Some(once)) => format!("{runs}, on {}", moment(once, clock)),
        (None, None) => runs,
    }
}

/// Which record an archive's chain ended with: its SHA-256, and the file.
pub fn latest_record(record: &Record) -> [String; 2] {
    let file =
        format!("of {}.json in its folder runs; it closes over those before it", one_line(&record.name));
    [record.sha256.clone(), file]
}

/// What a device's setting says, which explains gaps.
pub fn keep_messages(setting: KeepMessages) -> String {
    format!("{}: the setting of this device when it was read", kept_for(setting))
}

/// `forever`, `for one year`, `for 30 days`.
pub fn kept_for(setting: KeepMessages) -> String {
    match setting {
        KeepMessages::Forever => "forever".into(),
        KeepMessages::Days(365) => "for one year".into(),
        KeepMessages::Days(days) => format!("for {}", super::count(days.into(), "day", "days")),
    }
}

/// `Encrypted backup of “Ana's iPhone” (iPhone14,5, iOS 18.1), made on 1 May 2024`.
fn backup(about: Option<&BackupInfo>, clock: &mut Clock) -> String {
    let Some(about) = about else { return "Backup of an iPhone or iPad".into() };
    let mut words = String::from(if about.encrypted { "Encrypted backup of " } else { "Backup of " });
    match &about.device {
        Some(name) => words.push_str(&format!("“{}”", one_line(name))),
        None => words.push_str("an iPhone or iPad"),
    }
    let os = about.os.as_ref().map(|version| format!("iOS {}", one_line(version)));
    let facts: Vec<String> =
        about.product.as_deref().map(one_line).map(Into::into).into_iter().chain(os).collect();
    if !facts.is_empty() {
        words.push_str(&format!(" ({})", facts.join(", ")));
    }
    if let Some(made) = about.date {
        words.push_str(&format!(", made on {}", short_date(&clock.local(made.into()))));
    }
    words
}

/// Of a document whose export is kept up with its source.
pub const KEPT_UP: &str = "This document is written anew whenever its conversation has changed.";

/// Which bytes were read: a hash a line, always two of them.
pub fn digest(provenance: &Provenance) -> [String; 2] {
    let Some(digest) = provenance.digest() else {
        return [
            "could not be computed: the file changed, or could not be read to its end".into(),
            String::new(),
        ];
    };
    let line = |file: &DigestedFile| format!("{}  {}", file.sha256, one_line(&file.name));
    let first = digest.files.first().map(line).unwrap_or_default();
    let second = match digest.files.get(1) {
        _ if digest.of_copy => "of the copy that was made of it while Messages wrote to it, and read".into(),
        Some(log) => line(log),
        None => "of the file as it was read".into(),
    };
    [first, second]
}

/// `27 November 2026, 16:52:53 (UTC+01:00)`.
pub fn moment(instant: Instant, clock: &mut Clock) -> String {
    let at = clock.local(instant);
    format!("{}, {} ({})", short_date(&at), time_with_seconds(&at), offset(i64::from(at.offset) * 60))
}

/// `UTC+01:00`.
pub fn offset(seconds: i64) -> String {
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '\u{2212}' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What was asked for, a sentence each. `then`: an archive is shown as it was then.
pub fn selection(selection: &Selection, then: Option<Instant>, clock: &mut Clock) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(then) = then {
        sentences.push(format!("{}: what its later runs brought is left out.", as_of(then, clock)));
    }
    let mut say = |what: &str, values: &[String]| {
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| format!("“{}”", one_line(value))).collect();
            sentences.push(format!("{what} {}.", values.join(", ")));
        }
    };
    say("Only the conversations", &selection.conversations);
    say("Only the conversations with one person,", &selection.only);
    say("Only conversations in which these take part:", &selection.with);
    say("Without the conversations", &selection.exclude);
    say("Only messages of the services", &selection.services);
    say("Only messages that contain", selection.text.as_slice());
    if let Some(since) = selection.since {
        sentences.push(format!("Only messages from {} on.", moment(since, clock)));
    }
    if let Some(until) = selection.until {
        sentences.push(format!("Only messages before {}.", moment(until, clock)));
    }
    let has = selection.has.iter().map(|has| match has {
        Has::Image => "pictures",
        Has::Video => "videos",
        Has::Audio => "sound",
        Has::Document => "documents",
        Has::Link => "links",
    });
    let has: Vec<&str> = has.collect();
    if !has.is_empty() {
        sentences.push(format!("Only messages with {}.", has.join(" or ")));
    }
    let without = selection.without.iter().map(|without| match without {
        Without::Junk => "junk",
        Without::Deleted => "what is in Recently Deleted",
        Without::Announcements => "announcements",
    });
    let without: Vec<&str> = without.collect();
    if !without.is_empty() {
        sentences.push(format!("Without {}.", without.join(" and ")));
    }
    if sentences.is_empty() {
        sentences.push("Everything: no conversation, date or message was left out.".into());
    }
    sentences
}

/// What was done with attachments.
pub fn attachment_mode(mode: AttachmentMode) -> &'static str {
    match mode {
        AttachmentMode::Copy => "Copied beside this document, in the folder attachments.",
        AttachmentMode::Link => {
            "Beside this document, in the folder attachments, as links to the source's files."
        }
        AttachmentMode::Convert => {
            "Copied beside this document, in the folder attachments, and converted where few programs open them."
        }
        AttachmentMode::None => "Not copied, as asked.",
    }
}

/// What a document holds: captions, in the order in which they are shown.
pub const HELD: [(Thing, &str); 12] = [
    (Thing::Sent, "sent"),
    (Thing::Received, "received"),
    (Thing::Announcement, "announcements"),
    (Thing::Tapback, "tapbacks shown"),
    (Thing::Picture, "pictures"),
    (Thing::Film, "videos"),
    (Thing::Sound, "sounds"),
    (Thing::File, "other files"),
    (Thing::Sticker, "stickers"),
    (Thing::Card, "cards of apps"),
    (Thing::Edited, "edited messages"),
    (Thing::Unsent, "unsent messages"),
];

/// Of an archive, the messages that are not where they were, by why: what stands above them, and captions.
pub const GONE: &str = "Kept here, and gone where it was";
const GONE_WHY: [(Thing, &str); 5] = [
    (Thing::RecentlyDeleted, "to Recently Deleted"),
    (Thing::Deleted, "deleted"),
    (Thing::ConversationDeleted, "with their conversation"),
    (Thing::AgedOut, "by Keep Messages"),
    (Thing::Unexplained, "unexplained"),
];

/// The same, for so many: where one of those that aged out is a guess, none is told as more.
pub fn gone_why(counts: &Counts) -> [(Thing, &'static str); 5] {
    GONE_WHY.map(|(thing, caption)| match thing {
        Thing::AgedOut if counts[Thing::Guessed] > 0 => (thing, "probably by Keep Messages"),
        _ => (thing, caption),
    })
}

/// Headings of what a document holds: all of it, or of one of the conversations in it.
pub const HOLDS: &str = "What this document holds";
pub const HOLDS_OF_IT: &str = "What this document holds of it";

/// The heading of an account of one conversation, and of several.
pub const ITS_ACCOUNT: &str = "Every row of this conversation, accounted for";
pub const THEIR_ACCOUNT: &str = "Every row of these conversations, accounted for";

/// Where the account is, in a document that is not the last of its conversation.
pub const ACCOUNT_ELSEWHERE: &str = "In the last part of this conversation, and in manifest.json.";

/// What is said of a document that is one of several.
pub fn part(label: &str) -> String {
    format!("A part of the conversation: {label}")
}

/// The first line of a document that goes on with another one.
pub fn continues(file: &str) -> String {
    format!("Continues {file}")
}

/// The last line of a document that another one goes on with.
pub fn continued(file: &str) -> String {
    format!("Continued in {file}")
}

/// What a cover is called in an outline; that of all conversations has their names.
pub const COVER: &str = "Cover";
pub const CONTENTS: &str = "Contents";

/// What the header of an index says.
pub const INDEX: &str = "Attachments";

/// What is said above an index of so many attachments.
pub fn index_caption(attachments: u64) -> String {
    format!(
        "{}, in the order of their messages. Numbers of 64 digits are the SHA-256 of the files beside this document.",
        count(attachments, "attachment", "attachments")
    )
}

/// Attachments that are not beside the document, by why.
pub const ABSENT: [(Thing, &str); 4] = [
    (Thing::InICloud, "in iCloud, not on this disk"),
    (Thing::Missing, "missing on this disk"),
    (Thing::Expired, "removed by Messages"),
    (Thing::LeftOut, "not copied"),
];

/// `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What was read, and then all that it became: the first is the sum of the others.
pub fn account(rows: &RowCounts) -> [(u64, &'static str); 8] {
    [
        (rows.read, "rows read"),
        (rows.messages, "messages"),
        (rows.tapbacks, "tapbacks"),
        (rows.votes, "votes"),
        (rows.updates, "updates"),
        (rows.filtered, "not selected"),
        (rows.duplicates, "duplicates"),
        (rows.failed, "failed"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_selection_is_said_in_sentences() {
        let mut clock = Clock::new(chrono_tz::UTC);
        assert_eq!(selection(&Selection::default(), None, &mut clock).len(), 1);
        let chosen = Selection {
            only: vec!["Ana\u{1b}[31m".into()],
            since: Some("2024-05-01T00:00:00Z".parse().unwrap()),
            has: vec![Has::Image, Has::Link],
            without: vec![Without::Junk],
            ..Selection::default()
        };
        let said = selection(&chosen, None, &mut clock).join("\n");
        assert!(!said.contains('\u{1b}'), "{said}");
        assert!(said.contains("Only messages from 1 May 2024, 00:00:00 (UTC+00:00) on."), "{said}");
        assert!(said.contains("Only messages with pictures or links.\nWithout junk."), "{said}");
    }
}
