//! What groups were called and who was in them once: `history` says it.

use serde_json::{Value, json};

use super::device::{DAY, Device};
use super::fed::{Fed, START};
use crate::program::{Program, Ran, ran};
use crate::support::Schema;

/// A group, of which these have changed by the second night.
fn renamed() -> Fed {
    let mut fed = Fed::of_device(|folder| {
        let mut mac = Device::new(folder, Schema::MACOS_26);
        mac.receive("A", 2, START, "hello");
        mac
    });
    fed.night();
    fed.mac.rename("R1", 2, START + DAY, "Lake");
    fed.mac.join("J1", 2, START + DAY, 3);
    fed.mac.leave("L1", 2, START + DAY, 2);
    fed.night();
    fed
}

fn history(fed: &Fed, more: &[&str]) -> Ran {
    let archive = fed.archive().display().to_string();
    let program = Program::new();
    ran(program.command(&[&["history", &archive, "--time-zone", "UTC"], more].concat()).output().unwrap())
        .with_code(0)
}

fn in_json(fed: &Fed, more: &[&str]) -> Value {
    serde_json::from_str(&history(fed, &[&["--json"], more].concat()).out).unwrap()
}

#[test]
fn history_says_what_groups_were_called_and_who_came_and_left() {
    let mut fed = renamed();
    let said = history(&fed, &[]).out;
    let lake = "\nNames and people of conversations, as the runs found them:\n  Lake\n    \
        2023-03-10 20:26  renamed from “Harbor” to “Lake”\n    \
        2023-03-10 20:26  cy@example.com came\n    \
        2023-03-10 20:26  bo@example.com left\n";
    assert!(said.ends_with(lake), "{said}");
    // A device of before that: it tells of no change.
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26.on_device());
    phone.receive("B", 2, START, "hello");
    fed.of(&[&phone.folder]);
    assert!(history(&fed, &[]).out.ends_with(lake));
    // Who comes back, and a name that is taken away.
    fed.mac.join("J2", 2, START + 3 * DAY, 2);
    fed.mac.rename("R2", 2, START + 3 * DAY, "");
    fed.night();
    let groups = in_json(&fed, &[])["groups"].clone();
    let runs = in_json(&fed, &[])["runs"].clone();
    let change = |night: usize, what: &str, before: Value, name: Value, handle: Option<&str>| {
        let person = handle.map(|handle| json!({ "handle": handle, "name": null }));
        let run = &runs[night - 1];
        json!({ "run": run["run"], "date": run["started"], "what": what, "before": before, "name": name, "person": person })
    };
    assert_eq!(
        groups[0]["changes"],
        json!([
            change(2, "named", "Harbor".into(), "Lake".into(), None),
            change(2, "came", Value::Null, Value::Null, Some("cy@example.com")),
            change(2, "left", Value::Null, Value::Null, Some("bo@example.com")),
            change(4, "named", "Lake".into(), Value::Null, None),
            change(4, "came", Value::Null, Value::Null, Some("bo@example.com")),
        ])
    );
    assert_eq!(groups.as_array().unwrap().len(), 1);
}

#[test]
fn history_of_a_message_says_what_its_conversation_was() {
    let mut fed = renamed();
    let said = history(&fed, &["--message", "A"]).out.replace('\n', " ");
    let then = "When the archive first had this message, on 2023-03-09 20:26, it was named “Harbor”, and +12025550143, \
        bo@example.com were in it";
    assert!(said.contains("in Lake ") && said.contains(then), "{said}");
    let told = in_json(&fed, &["--message", "A"]);
    assert_eq!(told["then"]["name"], "Harbor");
    let handles: Vec<&Value> =
        told["then"]["people"].as_array().unwrap().iter().map(|person| &person["handle"]).collect();
    assert_eq!(handles, ["+12025550143", "bo@example.com"]);
    assert_eq!(told["then"]["run"], told["versions"][0]["run"]);
    // Of one that came since nothing is to be said.
    fed.mac.receive("C", 2, START + 2 * DAY, "later");
    fed.night();
    assert_eq!(in_json(&fed, &["--message", "C"])["then"], Value::Null);
    assert!(!history(&fed, &["--message", "C"]).out.contains("first had"));
}

/// What another archive knew of it is not lost: neither its names, nor who was in it.
#[test]
fn an_archive_of_an_archive_says_it_too() {
    let fed = renamed();
    let other = Fed::of_device(|folder| Device::new(folder, Schema::MACOS_26));
    super::add(&other.archive(), &[&fed.archive()], START + 9 * DAY).unwrap();
    let groups = in_json(&other, &[])["groups"].clone();
    let told: Vec<&str> =
        groups[0]["changes"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert!(told.contains(&"left") && groups[0].to_string().contains("Harbor"), "{groups}");
}

/// Names are anybody's text; what changed without end is bounded for people, and all there in JSON.
#[test]
fn hostile_and_many() {
    let mut fed = renamed();
    for turn in 0..30 {
        let name = format!("\u{1b}[2J{turn}");
        fed.mac.rename(&format!("N{turn}"), 2, START + (turn + 3) * DAY, &name);
        super::add(&fed.archive(), &[&fed.mac.folder], START + (turn + 3) * DAY).unwrap();
    }
    let said = history(&fed, &[]).out;
    assert!(
        said.contains("    13 earlier changes: --json has all of them\n") && !said.contains('\u{1b}'),
        "{said}"
    );
    assert_eq!(in_json(&fed, &[])["groups"][0]["changes"].as_array().unwrap().len(), 33);
}
