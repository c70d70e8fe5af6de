//! Linux: a service and a timer of the user.

use std::path::Path;

use askama::Template;

use super::account::Folder;
use super::{Account, Every, Invocation, Job, Periodicity, ScheduleError, Step};

/// What is started.
pub const SERVICE: &str = "msgarchive-schedule.service";
/// What starts it.
pub const TIMER: &str = "msgarchive-schedule.timer";

#[derive(Template)]
#[template(path = "schedule/systemd.service", escape = "none")]
struct Service<'a> {
    command: &'a str,
    writes: &'a [String],
    hardened: bool,
}

#[derive(Template)]
#[template(path = "schedule/systemd.timer", escape = "none")]
struct Timer<'a> {
    calendars: &'a [String],
}

/// Both units, and the timer started.
pub fn install(job: &Job, account: &Account, folder: &Folder) -> Result<Vec<Step>, ScheduleError> {
    // Ours, not /tmp alone of somebody's: copies of a library in use lie there for a while.
    let writes = [folder.path(), &job.archive, Path::new("/tmp"), Path::new("/var/tmp")]
        .into_iter()
        .chain(job.export.as_ref().map(|export| &*export.out))
        .map(|path| Ok(format!("-{}", super::job::words(path)?)))
        .map(|path: Result<String, ScheduleError>| path.map(|path| quoted(&path)))
        .collect::<Result<Vec<String>, ScheduleError>>()?;
    let mut command = super::plan::command(job, folder)?;
    // The timer also comes an hour later.
    command.push("--if-due".into());
    let service =
        Service { command: &command_line(&command)?, writes: &writes, hardened: job.on_failure.is_none() };
    let units = account.units();
    let unit = |name: &str, text: String| Step::Write { path: units.join(name), bytes: text.into_bytes() };
    Ok(vec![
        unit(SERVICE, super::text_of(&service)?),
        unit(TIMER, super::text_of(&Timer { calendars: &calendars(job.when) })?),
        Step::Tell(tell(["daemon-reload"])),
        Step::Tell(tell(["enable", TIMER])),
        // Not `enable --now`: a timer that is running already would go on with the time it had.
        Step::Tell(tell(["restart", TIMER])),
    ])
}

/// When the timer comes (systemd.time(7), "Calendar events"). A time that a clock which is set forward leaves out is left out by
/// systemd as well, until the next day or week: so it also comes an hour later, at the hours at which clocks are set.
fn calendars(Periodicity { every, at }: Periodicity) -> Vec<String> {
    let on = |sunday: &str, hour: u32| match every {
        Every::Day => format!("*-*-* {hour:02}:{:02}:00", at.minute),
        Every::Week => format!("{sunday} *-*-* {hour:02}:{:02}:00", at.minute),
    };
    let mut calendars = vec![on("Sun", at.hour)];
    match at.hour {
        0..=3 | 22 => calendars.push(on("Sun", at.hour + 1)),
        23 => calendars.push(on("Mon", 0)),
        _ => {}
    }
    calendars
}

/// What takes them away.
pub fn remove(account: &Account) -> Vec<Step> {
    vec![
        Step::Tell(tell(["disable", "--now", TIMER]).or_not()),
        Step::Tell(tell(["stop", SERVICE]).or_not()),
        // When it last came, which `Persistent=` goes by.
        Step::Tell(tell(["clean", "--what=state", TIMER]).or_not()),
        // A unit that failed is remembered even when there is none any more.
        Step::Tell(tell(["reset-failed", SERVICE]).or_not()),
        Step::Delete(account.units().join(TIMER)),
        Step::Delete(account.units().join(SERVICE)),
        Step::Tell(tell(["daemon-reload"]).or_not()),
    ]
}

/// Speaks to the user's systemd.
pub fn tell<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Invocation {
    Invocation::new("systemctl", ["--user"].into_iter().chain(arguments))
}

/// Starts the service and waits for its end, so that systemd says where it could not even begin.
pub fn start() -> Invocation {
    tell(["start", SERVICE])
}

/// By what systemd says how the last start of the service ended.
pub fn ending() -> Invocation {
    tell(["show", "--property=ExecMainStatus,ConditionResult,ConditionTimestamp", SERVICE])
}

/// By what systemd says whether the user's timers run while nobody is logged in.
pub fn lingering(account: &Account) -> Invocation {
    Invocation::new("loginctl", ["show-user", "--property=Linger", &account.uid.to_string()])
}

/// As `ExecStart=` takes it (systemd.service(5), "Command lines").
fn command_line(words: &[String]) -> Result<String, ScheduleError> {
    let mut line = String::new();
    for (i, word) in words.iter().enumerate() {
        if i == 0 {
            if word.contains(['"', '\'', '\\']) {
                let why = "systemd starts no program with a quotation mark or a backslash in its path";
                return Err(ScheduleError::Path { path: word.clone(), why });
            }
            // No variable is looked for in the path of the program.
            line.push_str(&quoted(word));
        } else {
            line.push(' ');
            line.push_str(&quoted(word).replace('$', "$$"));
        }
    }
    Ok(line)
}

/// One word, as all settings with several words take it: in quotation marks, `%` begins a specifier.
fn quoted(word: &str) -> String {
    if super::plan::is_plain(word) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '%' => text.push_str("%%"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
