//! `schedule`: what four schedulers are told, what their own parsers make of it, and what a run leaves.

mod checked;
mod exports;
mod install;
mod paths;
mod real_cron;
mod real_systemd;
mod runs;
mod sources;
pub mod stage;
mod status;
mod trial;
mod verified;

use std::io::Write as _;

/// Says that something was not checked for want of a program; where `.ci/run` has installed it, that is a failure.
fn not_checked(what: &str, lacking: &str) {
    let required = std::env::var_os("MSGARCHIVE_TEST_SCHEDULERS").is_some();
    assert!(!required, "{lacking} is required here");
    say_not_checked(what, lacking);
}

/// Says it past the test runner, which shows nothing of what a test that passes prints.
fn say_not_checked(what: &str, lacking: &str) {
    let _ = writeln!(std::io::stderr(), "{what} was NOT checked: there is no {lacking}");
}

/// Where a program lies, of those that everybody has.
fn found(program: &str) -> Option<std::path::PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/lib/systemd", "/lib/systemd"].map(std::path::PathBuf::from);
    std::env::split_paths(&folders).chain(more).map(|folder| folder.join(program)).find(|path| path.is_file())
}
