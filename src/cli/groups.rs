//! What groups were called and who was in them, as `history` shows it.

use std::fmt::Write as _;

use chrono_tz::Tz;
use msgarchive::archive::groups::{AsItWas, Group, Person, WhatChanged};
use msgarchive::model::Instant;
use msgarchive::writers::phrase::grouped;
use serde_json::{Value, json};

use super::terminal::{self, plain, wrap};

/// So many changes of a group are told.
const TOLD: usize = 20;

/// When a run was, by its record.
fn of_run((name, date): &(String, String), zone: Tz) -> String {
    let at = date.parse::<Instant>().ok();
    at.map_or_else(|| plain(name), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
}

fn named(name: &str) -> String {
    format!("“{}”", plain(name))
}

/// A list of those that changed; nothing where none did.
pub fn in_words(groups: &[Group], zone: Tz) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let width = terminal::width();
    let mut words = String::from("\nNames and people of conversations, as the runs found them:\n");
    for Group { title, changes, .. } in groups {
        let _ = writeln!(words, "{}", wrap("  ", &plain(title), width));
        let earlier = changes.len().saturating_sub(TOLD);
        if earlier > 0 {
            let _ =
                writeln!(words, "    {} earlier changes: --json has all of them", grouped(earlier as u64));
        }
        for change in changes.iter().skip(earlier) {
            let what = match &change.what {
                WhatChanged::Name { before: Some(before), after: Some(after) } => {
                    format!("renamed from {} to {}", named(before), named(after))
                }
                WhatChanged::Name { before: Some(before), after: None } => {
                    format!("without a name; before: {}", named(before))
                }
                WhatChanged::Name { before: None, after } => {
                    format!("named {}", named(after.as_deref().unwrap_or_default()))
                }
                WhatChanged::OtherName(name) => format!("named {} elsewhere", named(name)),
                WhatChanged::Came(person) => format!("{} came", plain(person.label())),
                WhatChanged::Left(person) => format!("{} left", plain(person.label())),
            };
            let _ =
                writeln!(words, "{}", wrap(&format!("    {}  ", of_run(&change.run, zone)), &what, width));
        }
    }
    words
}

/// The same, with all changes.
pub fn as_json(groups: &[Group]) -> Value {
    let change = |what: &WhatChanged| match what {
        WhatChanged::Name { before, after } => (json!(before), json!(after), Value::Null),
        WhatChanged::OtherName(name) => (Value::Null, json!(name), Value::Null),
        WhatChanged::Came(who) | WhatChanged::Left(who) => (Value::Null, Value::Null, person(who)),
    };
    let each = |group: &Group| {
        let changes = group.changes.iter().map(|one| {
            let (before, name, person) = change(&one.what);
            json!({
                "run": one.run.0,
                "date": one.run.1,
                "what": one.what.name(),
                "before": before,
                "name": name,
                "person": person,
            })
        });
        json!({ "conversation": group.id, "title": group.title, "changes": changes.collect::<Vec<Value>>() })
    };
    groups.iter().map(each).collect()
}

fn person(person: &Person) -> Value {
    json!({ "handle": person.handle, "name": person.name })
}

/// What a conversation was when a message came: a paragraph.
pub fn then_in_words(then: &AsItWas, zone: Tz) -> String {
    let name = then
        .name
        .as_deref()
        .map_or_else(|| "it had no name".to_owned(), |name| format!("it was named {}", named(name)));
    let people: Vec<String> = then.people.iter().map(|person| plain(person.label())).collect();
    let people = if people.is_empty() { "nobody else".to_owned() } else { people.join(", ") };
    let name = match &then.elsewhere {
        None => name,
        Some((_, title)) if then.name.is_some() || then.people.len() == 1 => {
            format!("it was in {}", plain(title))
        }
        Some((_, title)) => format!("it was in {}, which had no name", plain(title)),
    };
    let line = format!(
        "When the archive first had this message, on {}, {name}, and {people} {} in it",
        of_run(&then.run, zone),
        if then.people.len() > 1 { "were" } else { "was" }
    );
    format!("{}\n", wrap("", &line, terminal::width()))
}

/// The same as JSON.
pub fn then_as_json(then: &AsItWas) -> Value {
    json!({
        "run": then.run.0,
        "date": then.run.1,
        "conversation": then.elsewhere.as_ref().map(|(id, _)| id),
        "title": then.elsewhere.as_ref().map(|(_, title)| title),
        "name": then.name,
        "people": then.people.iter().map(person).collect::<Vec<Value>>(),
    })
}
