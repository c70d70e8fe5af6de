//! `schedule`: what four schedulers are told, what their own parsers make of it, and what a run leaves.

mod battery;
mod beside;
mod checked;
mod exports;
mod install;
mod paths;
mod raised;
mod real_cron;
mod real_systemd;
mod runs;
mod shown;
mod sources;
pub mod stage;
mod status;
mod trial;
mod verified;

/// Says that something was not checked for want of a program; where `.ci/run` has installed it, that is a failure.
fn not_checked(what: &str, lacking: &str) {
    crate::not_checked::unless_required(what, lacking, "MSGARCHIVE_TEST_SCHEDULERS");
}

/// Where a program lies, of those that everybody has.
fn found(program: &str) -> Option<std::path::PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/lib/systemd", "/lib/systemd"].map(std::path::PathBuf::from);
    std::env::split_paths(&folders).chain(more).map(|folder| folder.join(program)).find(|path| path.is_file())
}
