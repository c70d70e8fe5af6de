//! What was changed, as `history --changed` shows it; and which message it is that `history --message` speaks of.

use std::fmt::Write as _;

use chrono_tz::Tz;
use msgarchive::archive::about::About;
use msgarchive::archive::changes::{Change, Changed};
use msgarchive::archive::groups::AsItWas;
use msgarchive::model::{Instant, Otherwise, Was};
use msgarchive::writers::clock::Clock;
use msgarchive::writers::phrase::otherwise;
use serde_json::{Value, json};

use super::groups;
use super::terminal::{self, plain, said, wrap};

/// `2026-11-02 13:00`, and seconds where they matter.
pub fn moment(at: Option<Instant>, zone: Tz, format: &str) -> Option<String> {
    Some(at?.with_timezone(&zone).format(format).to_string())
}

/// When something was, to the minute.
const MINUTES: &str = "%Y-%m-%d %H:%M";
/// To the second.
pub const SECONDS: &str = "%Y-%m-%d %H:%M:%S";

fn sender(about: &About) -> String {
    match (&about.sender, about.from_me) {
        (_, true) => "you".into(),
        (Some(sender), false) => plain(sender.label()),
        (None, false) => "somebody unknown".into(),
    }
}

fn conversation(about: &About) -> String {
    about.conversation.as_ref().map_or("no conversation".into(), |(_, title)| plain(title))
}

/// Which message it is; `then`: what its conversation was when it came, where that was otherwise.
pub fn about_in_words(about: &About, then: Option<&AsItWas>, zone: Tz) -> String {
    let width = terminal::width();
    let sent = moment(about.date, zone, SECONDS).unwrap_or_else(|| "on a day that is not known".into());
    let line = format!("Sent {sent} ({}) by {}, in {}", zone.name(), sender(about), conversation(about));
    let mut words = format!("{}\n", wrap("", &line, width));
    if !about.attachments.is_empty() {
        let names: Vec<String> = about.attachments.iter().map(|name| plain(name)).collect();
        let _ = writeln!(words, "{}", wrap("", &format!("Attachments: {}", names.join(", ")), width));
    }
    words.push_str(&then.map(|then| groups::then_in_words(then, zone)).unwrap_or_default());
    words.push('\n');
    words
}

/// The same as JSON, without that.
pub fn about_as_json(about: &About, zone: Tz) -> Value {
    json!({
        "guid": about.guid,
        "conversation": about.conversation.as_ref().map(|(id, _)| id),
        "title": about.conversation.as_ref().map(|(_, title)| title),
        "date": about.date.map(|at| at.with_timezone(&zone).to_rfc3339()),
        "from_me": about.from_me,
        "sender": about.sender.as_ref().map(|sender| json!({ "handle": sender.handle, "name": sender.name })),
        "attachments": about.attachments,
    })
}

pub fn in_words(changed: &[Changed], zone: Tz) -> String {
    if changed.is_empty() {
        return "Nothing was edited or unsent, as far as the archive knows, and nothing says something else.\n".into();
    }
    let width = terminal::width();
    let mut words = String::new();
    for Changed { message, what, date, run, before, after, was } in changed {
        let found = run.1.parse::<Instant>().ok();
        let when = match moment(*date, zone, MINUTES) {
            Some(at) => at,
            None => format!("by {}", moment(found, zone, MINUTES).unwrap_or_else(|| plain(&run.0))),
        };
        let sent = moment(message.date, zone, MINUTES).unwrap_or_else(|| "—".into());
        let (sender, conversation) = (sender(message), conversation(message));
        let line = match what {
            Change::Altered if was.is_some() => {
                format!(
                    "{when} is another, and Messages notes no change (sent {sent} by {sender}, {conversation})"
                )
            }
            Change::Altered => format!(
                "{when} says something else, and Messages notes no edit (sent {sent} by {sender}, {conversation})"
            ),
            what => format!("{when} {} by {sender} (sent {sent}, {conversation})", what.name()),
        };
        let _ = writeln!(words, "{}", wrap("", &line, width.saturating_sub(4)).replace('\n', "\n    "));
        if let Some(was) = was {
            let was = otherwise(was, &mut Clock::new(zone));
            let _ = writeln!(words, "{}", wrap("    ", &format!("{was}."), width));
            let _ = writeln!(words, "{}", wrap("    ", &said(after.as_deref()), width));
            let _ = writeln!(words, "    {}", plain(&message.guid));
            continue;
        }
        let lost = "not kept: it was so when the archive first saw it";
        let before = before.as_deref().map_or_else(|| lost.to_owned(), |text| said(Some(text)));
        let _ = writeln!(words, "{}", wrap("    before: ", &before, width));
        match (what, after) {
            (Change::Unsent, None) => {}
            (_, after) => {
                let _ = writeln!(words, "{}", wrap("    after:  ", &said(after.as_deref()), width));
            }
        }
        let _ = writeln!(words, "    {}", plain(&message.guid));
    }
    let count = |what| changed.iter().filter(|one| one.what == what).count();
    let _ = write!(words, "\n{} edited, {} unsent", count(Change::Edited), count(Change::Unsent));
    let altered = match count(Change::Altered) {
        0 => String::new(),
        altered => format!(", {altered} changed without an edit of Messages: another program, or a loss"),
    };
    let _ = writeln!(words, "{}", altered);
    words
}

/// As JSON Lines have it.
fn was_as_json(Otherwise { elsewhere, was }: &Otherwise, zone: Tz) -> Value {
    let at = |at: &Instant| at.with_timezone(&zone).to_rfc3339();
    let mut was = match was {
        Was::FromMe => json!({ "from_me": true }),
        Was::From(sender) => {
            let sender = sender.as_ref().map(|of| json!({ "handle": of.handle, "name": of.name }));
            json!({ "sender": sender })
        }
        Was::Dated(date) => json!({ "date": date.as_ref().map(at) }),
        Was::Read(date) => json!({ "date_read": at(date) }),
        Was::Delivered(date) => json!({ "date_delivered": at(date) }),
        Was::Kind(kind) => json!({ "kind": kind.name() }),
        Was::Attached { name, path } => json!({ "attachment": name, "path": path }),
        Was::Said(text) => json!({ "text": text }),
        Was::Answered(text) => json!({ "message": text }),
    };
    if let (true, Some(object)) = (elsewhere, was.as_object_mut()) {
        object.insert("elsewhere".into(), true.into());
    }
    was
}

pub fn as_json(changed: &[Changed], zone: Tz) -> String {
    let each = |one: &Changed| {
        let mut object = about_as_json(&one.message, zone);
        if let Some(object) = object.as_object_mut() {
            object.insert("what".into(), one.what.name().into());
            object.insert("changed".into(), one.date.map(|at| at.with_timezone(&zone).to_rfc3339()).into());
            object.insert("run".into(), one.run.0.clone().into());
            object.insert("before".into(), one.before.clone().into());
            object.insert("after".into(), one.after.clone().into());
            if let Some(was) = &one.was {
                object.insert("was".into(), was_as_json(was, zone));
            }
        }
        object
    };
    format!("{}\n", json!({ "schema": 1, "messages": changed.iter().map(each).collect::<Vec<Value>>() }))
}
