//! Windows: a task of the user.

use askama::Template;

use super::account::Folder;
use super::{Every, Invocation, Job, NAME, ScheduleError, Step};

#[derive(Template)]
#[template(path = "schedule/task.xml", escape = "html")]
struct Task<'a> {
    program: &'a str,
    arguments: &'a str,
    at: &'a str,
    on_sundays: bool,
}

/// The task's description, registered.
pub fn install(job: &Job, folder: &Folder) -> Result<Vec<Step>, ScheduleError> {
    let command = super::plan::command(job, folder)?;
    command.iter().try_for_each(|word| check(word))?;
    let (program, arguments) =
        command.split_first().map(|(first, rest)| (first.as_str(), rest)).unwrap_or_default();
    let arguments: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
    let task = Task {
        program,
        arguments: &arguments.join(" "),
        at: &job.when.at.to_string(),
        on_sundays: job.when.every == Every::Week,
    };
    let path = folder.task();
    let file = super::job::words(&path)?.to_owned();
    Ok(vec![
        Step::Write { path, bytes: utf_16(&super::text_of(&task)?) },
        Step::Tell(tell("/Create", ["/XML", &file, "/F"])),
    ])
}

/// What takes it away.
pub fn remove() -> Vec<Step> {
    vec![Step::Tell(tell("/End", []).or_not()), Step::Tell(tell("/Delete", ["/F"]).or_not())]
}

/// Speaks about the task.
pub fn tell<'a>(verb: &'a str, more: impl IntoIterator<Item = &'a str>) -> Invocation {
    Invocation::new("schtasks", [verb, "/TN", NAME].into_iter().chain(more))
}

/// Task Scheduler puts in the values of `%NAME%` and `$(NAME)`, and knows no way to write them as they are.
fn check(word: &str) -> Result<(), ScheduleError> {
    if word.matches('%').count() > 1 || word.contains("$(") {
        let why = "Task Scheduler would take what is in it for a variable: two percent signs, or $(";
        return Err(ScheduleError::Path { path: word.to_owned(), why });
    }
    Ok(())
}

/// One argument, as programs on Windows take their command line apart: backslashes count double before a quotation mark.
fn quoted(word: &str) -> String {
    if super::plan::is_plain(word) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for c in word.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                text.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        text.push(c);
    }
    text.extend(std::iter::repeat_n('\\', backslashes));
    text.push('"');
    text
}

/// Little-endian, with the mark that says so: what Task Scheduler itself writes.
fn utf_16(text: &str) -> Vec<u8> {
    "\u{FEFF}"
        .encode_utf16()
        .chain(text.replace('\n', "\r\n").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}
