//! What a run of the schedule shows to whom.

use std::process::{Command, Stdio};

use super::stage::Stage;
use super::{found, not_checked};

/// What it says fits a terminal, as everything else does; in a log it is one line.
#[test]
fn what_a_run_says_is_wrapped() {
    let Some(script) = found("script") else { return not_checked("What a terminal shows", "script") };
    let stage = Stage::new();
    stage.install(&["--system", "cron"]).with_code(0);
    stage.archive_program(
        "echo '{\"added\":7,\"unreadable\":[\"the attachment one.heic of a conversation: Input/output error\"]}'; exit 3",
    );
    let said = "new messages: 7; incomplete: cannot read the attachment one.heic of a conversation: Input/output error";
    let run = stage.command(&["schedule", "run"]);
    let line = format!("/bin/stty cols 60 rows 20; exec {} schedule run", run.get_program().display());
    let mut shown = Command::new(script);
    shown.args(["-qec", &line, "/dev/null"]).current_dir(stage.program.path()).env("SHELL", "/bin/sh");
    shown.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let shown = String::from_utf8(shown.stdin(Stdio::null()).output().unwrap().stdout).unwrap();
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= 60), "{shown}");
    assert_eq!(lines.join(" "), said);
    stage.archive_run(0, 7);
    assert_eq!(stage.run(&["schedule", "run"]).with_code(3).out, format!("{said}\n"));
}
