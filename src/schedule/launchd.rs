//! macOS: an agent in the user's session.

use askama::Template;

use super::account::Folder;
use super::{Account, Every, Invocation, Job, NAME, ScheduleError, Step};

#[derive(Template)]
#[template(path = "schedule/launchd.plist", escape = "html")]
struct Agent<'a> {
    name: &'a str,
    command: &'a [String],
    hour: u32,
    minute: u32,
    on_sundays: bool,
    log: &'a str,
}

/// The agent's description, then `bootout` and `bootstrap`: launchd reads it again in no other way. It takes leave of an
/// agent in its own time, and starts none before.
pub fn install(job: &Job, account: &Account, folder: &Folder) -> Result<Vec<Step>, ScheduleError> {
    let mut command = super::plan::command(job, folder)?;
    // `RunAtLoad` starts it at every login.
    command.push("--if-due".into());
    let (path, log) = (account.agent(), folder.outer_log());
    let agent = Agent {
        name: NAME,
        command: &command,
        hour: job.when.at.hour,
        minute: job.when.at.minute,
        on_sundays: job.when.every == Every::Week,
        log: super::job::words(&log)?,
    };
    let agent_path = super::job::words(&path)?;
    let domain = domain(account);
    Ok(vec![
        // launchd would make it for everybody to read.
        Step::Begin(log.clone()),
        Step::Write { path: path.clone(), bytes: super::text_of(&agent)?.into_bytes() },
        Step::Tell(tell(account, "bootout", &[]).or_not()),
        Step::Tell(Invocation::new("launchctl", ["bootstrap", &domain, agent_path]).tries(10)),
    ])
}

/// What takes it away.
pub fn remove(account: &Account) -> Vec<Step> {
    vec![Step::Tell(tell(account, "bootout", &[]).or_not()), Step::Delete(account.agent())]
}

/// Speaks about the agent.
pub fn tell(account: &Account, verb: &str, more: &[&str]) -> Invocation {
    let service = format!("{}/{NAME}", domain(account));
    Invocation::new("launchctl", [verb].into_iter().chain(more.iter().copied()).chain([service.as_str()]))
}

fn domain(account: &Account) -> String {
    format!("gui/{}", account.uid)
}
