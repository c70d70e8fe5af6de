//! What could not be checked here, for want of a program or of a right. It is said in one form, past the test runner, which shows
//! nothing of what a test that passes prints; `.ci/run` lists it all in the end.

use std::io::Write as _;

/// Says that something was not checked.
pub fn say(what: &str, lacking: &str) {
    let _ = writeln!(std::io::stderr(), "NOT CHECKED: {what}, for want of {lacking}");
}

/// The same; a failure where this variable says that it has to be possible here.
#[track_caller]
pub fn unless_required(what: &str, lacking: &str, variable: &str) {
    assert!(std::env::var_os(variable).is_none(), "{what}: {lacking} is required here");
    say(what, lacking);
}
