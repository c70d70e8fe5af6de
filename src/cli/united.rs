//! Which conversations became one, and which came apart again, as `history` shows it: with the run that found it.

use msgarchive::archive::united::United;
use serde_json::{Value, json};

use super::terminal::plain;

/// So many are named of a run, and of a conversation.
const NAMED: usize = 20;

/// What a run found, a line each: `joined into one conversation: “Ana”, “Bo”`.
pub fn of_run(united: &[United], run: &str) -> Vec<String> {
    let all: Vec<&United> = united.iter().filter(|one| one.run.0 == run).collect();
    let more = all.len().saturating_sub(NAMED);
    let mut lines: Vec<String> = all.into_iter().take(NAMED).map(in_words).collect();
    if more > 0 {
        lines.push(format!("{more} more conversations became one or came apart; --json has all of them"));
    }
    lines
}

fn in_words(one: &United) -> String {
    match one.are_one() {
        true => format!("joined into one conversation: {}", list(&one.before)),
        false => format!("came apart: {}, into {}", list(&one.before), list(&one.after)),
    }
}

fn list(named: &[(String, String)]) -> String {
    let mut titles: Vec<String> =
        named.iter().take(NAMED).map(|(_, title)| format!("“{}”", plain(title))).collect();
    if named.len() > NAMED {
        titles.push(format!("{} more", named.len() - NAMED));
    }
    titles.join(", ")
}

/// The same, all of it.
pub fn as_json(united: &[United]) -> Value {
    let list = |named: &[(String, String)]| -> Vec<Value> {
        named.iter().map(|(id, title)| json!({ "id": id, "title": title })).collect()
    };
    let each = |one: &United| {
        json!({
            "run": one.run.0,
            "date": one.run.1,
            "what": if one.are_one() { "joined" } else { "apart" },
            "before": list(&one.before),
            "after": list(&one.after),
        })
    };
    united.iter().map(each).collect()
}
