//! A comparison as one JSON object, written as it goes: it can name every message of two histories.

use std::io::{self, Write};

use chrono_tz::Tz;

use crate::compare::{About, Comparison, Counts, Difference, Finding, Found, Gap, Gaps, Reason, Says, Side};
use crate::model::ConversationKind;
use crate::pipeline::RowKind;
use crate::writers::clock::Clock;
use crate::writers::json::Json;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 16;

/// Writes the object, and a line end.
///
/// # Errors
/// What writing said.
pub fn write(comparison: &Comparison, zone: Tz, to: &mut dyn Write) -> io::Result<()> {
    let mut clock = Clock::new(zone);
    let mut buffer = Vec::new();
    let mut json = Json { to: &mut buffer, clock: &mut clock };
    json.raw("{\"schema\":1,\"time_zone\":").text(zone.name());
    json.raw(",\"equal\":").boolean(comparison.is_equal());
    json.raw(",\"complete\":").boolean(comparison.is_complete());
    json.raw(",\"left\":");
    about(&mut json, &comparison.left);
    json.raw(",\"right\":");
    about(&mut json, &comparison.right);
    json.raw(",");
    gaps(&mut json, &comparison.total);
    json.raw(",\"restored\":").number(comparison.restored);
    json.raw(",\"conversations\":").array(&comparison.conversations, conversation);
    json.raw(",\"messages\":[");
    let mut separator = "";
    for finding in comparison.findings() {
        json.raw(separator);
        separator = ",";
        message(&mut json, &finding, &comparison.conversations);
        if json.to.len() >= BUFFER {
            to.write_all(json.to)?;
            json.to.clear();
        }
    }
    json.raw("]}\n");
    to.write_all(&buffer)?;
    to.flush()
}

fn about(json: &mut Json<'_>, about: &About) {
    let backup = about.source.backup.as_ref();
    json.raw("{\"kind\":").text(about.source.kind.name());
    json.raw(",\"path\":").text(&about.source.path.to_string_lossy());
    json.raw(",\"device\":").maybe(backup.and_then(|backup| backup.device.as_deref()));
    json.raw(",\"os\":").maybe(backup.and_then(|backup| backup.os.as_deref()));
    json.raw(",\"date\":").date(backup.and_then(|backup| backup.date).map(Into::into));
    json.raw(",\"encrypted\":").boolean(backup.is_some_and(|backup| backup.encrypted));
    json.raw(",\"messages\":").number(about.messages);
    json.raw(",\"tapbacks\":").number(about.hanging);
    json.raw(",\"first\":").date(about.first);
    json.raw(",\"last\":").date(about.last);
    json.raw(",\"unreadable\":").number(about.unreadable);
    json.raw(",\"unread_attachments\":").number(about.unread_files).raw("}");
}

/// The keys of all counts, without braces.
fn gaps(json: &mut Json<'_>, gaps: &Gaps) {
    counts(json, &gaps.messages);
    json.raw(",\"what\":{");
    let differences = gaps.differences();
    for (i, (name, difference)) in Difference::NAMES.iter().enumerate() {
        let count = differences.iter().find(|(other, _)| other == difference).map_or(0, |(_, count)| *count);
        json.raw(if i == 0 { "" } else { "," }).text(name).raw(":").number(count);
    }
    json.raw("},\"reasons\":{");
    for (side, separator) in Side::BOTH.into_iter().zip(["", ","]) {
        json.raw(separator).text(side.name()).raw(":{");
        let reasons = gaps.reasons(side);
        for (i, (name, reason)) in Reason::NAMES.iter().enumerate() {
            let count = reasons.iter().find(|(other, _)| other == reason).map_or(0, |(_, count)| *count);
            json.raw(if i == 0 { "" } else { "," }).text(name).raw(":").number(count);
        }
        json.raw("}");
    }
    json.raw("},\"tapbacks\":{\"both\":").number(gaps.hanging.both);
    json.raw(",\"only_left\":").number(gaps.hanging.only_left);
    json.raw(",\"only_right\":").number(gaps.hanging.only_right);
    json.raw(",\"different\":").number(gaps.hanging.different).raw("}");
}

fn counts(json: &mut Json<'_>, counts: &Counts) {
    json.raw("\"both\":").number(counts.both);
    json.raw(",\"only_left\":").number(counts.only_left);
    json.raw(",\"only_right\":").number(counts.only_right);
    json.raw(",\"different\":").number(counts.different);
}

fn conversation(json: &mut Json<'_>, gap: &Gap) {
    let kind = match gap.conversation.kind {
        ConversationKind::Direct => "direct",
        ConversationKind::Group => "group",
        ConversationKind::Orphaned => "orphaned",
    };
    json.raw("{\"id\":").text(&gap.conversation.id);
    json.raw(",\"title\":").text(&gap.conversation.title);
    json.raw(",\"kind\":").text(kind);
    json.raw(",\"chat_guids\":").texts(&gap.conversation.chat_guids).raw(",");
    gaps(json, &gap.gaps);
    json.raw(",\"months\":").array(&gap.gaps.months, |json, (month, of_month)| {
        let month = month.map(|month| month.to_string());
        json.raw("{\"month\":").maybe(month.as_deref()).raw(",");
        counts(json, of_month);
        json.raw("}");
    });
    json.raw("}");
}

fn message(json: &mut Json<'_>, finding: &Finding, conversations: &[Gap]) {
    let id = conversations.get(finding.conversation).map(|gap| gap.conversation.id.as_str());
    let kind = match finding.row {
        RowKind::Own => "message",
        RowKind::Tapback => "tapback",
        RowKind::Vote => "vote",
        RowKind::Update => "update",
    };
    json.raw("{\"guid\":").maybe(finding.guid.as_deref());
    json.raw(",\"conversation\":").maybe(id);
    json.raw(",\"date\":").date(finding.date);
    json.raw(",\"kind\":").text(kind);
    match &finding.found {
        Found::Only(side, reason, guessed) => {
            json.raw(",\"side\":").text(side.name());
            json.raw(",\"what\":[],\"reason\":").text(reason.name());
            if *guessed {
                json.raw(",\"guessed\":true");
            }
        }
        Found::Different(what, said) => {
            let names = Difference::NAMES.iter().filter(|(_, difference)| what.has(*difference));
            json.raw(",\"side\":\"both\",\"what\":").array(names, |json, (name, _)| {
                json.text(name);
            });
            json.raw(",\"reason\":null");
            for (side, said) in Side::BOTH.into_iter().zip(said.iter()) {
                json.raw(",").text(side.name()).raw(":");
                says(json, said);
            }
        }
    }
    json.raw("}");
}

fn says(json: &mut Json<'_>, said: &Says) {
    json.raw("{\"from_me\":").boolean(said.from_me);
    json.raw(",\"sender\":").sender(said.sender.as_deref());
    json.raw(",\"date\":").date(said.date);
    json.raw(",\"service\":").maybe(said.service.as_deref()).raw("}");
}
