//! The whole `--help` tree as one snapshot: every word of it is reviewed when it changes.

use crate::program::Program;

/// Every command that has a page of its own.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["export"],
    &["list"],
    &["compare"],
    &["doctor"],
    &["storage"],
    &["sources"],
    &["archive"],
    &["verify"],
    &["history"],
    &["schedule"],
    &["schedule", "install"],
    &["schedule", "status"],
    &["schedule", "run"],
    &["schedule", "remove"],
    &["schedule", "print"],
    &["search"],
    &["generate"],
];

#[test]
fn every_help_page() {
    let program = Program::new();
    let mut pages = String::new();
    for command in COMMANDS {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let ran = program.run(&arguments).with_code(0);
        assert_eq!(ran.err, "");
        pages.push_str(&format!("$ msgarchive {}\n\n{}\n", arguments.join(" "), ran.out));
    }
    insta::assert_snapshot!(pages);
}

/// Commands that somebody copies stay what they are, and lines that were set by hand are not broken once more, where a terminal
/// is 80 columns wide.
#[test]
fn what_is_set_by_hand_fits_into_a_terminal() {
    let page = |command: &[&str], columns: &str| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_msgarchive"));
        let ran = program.args(command).arg("--help").env("COLUMNS", columns).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    for command in COMMANDS {
        let (wide, narrow) = (page(command, "400"), page(command, "80"));
        let by_hand = |help: &str| {
            let behind = help
                .lines()
                .skip_while(|line| !line.starts_with("Example") && !line.starts_with("For monitors"));
            behind.filter(|line| line.starts_with(' ')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(by_hand(&wide), by_hand(&narrow), "{command:?}");
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{command:?}");
        // A sentence goes on to the end of a line.
        let status = narrow.lines().skip_while(|line| !line.starts_with("Exit status")).collect::<Vec<_>>();
        for lines in status.windows(2) {
            let next = lines[1].split(' ').next().unwrap_or_default();
            assert!(lines[0].chars().count() + next.chars().count() + 1 > 80, "{command:?}: {lines:?}");
        }
    }
}

#[test]
fn every_format_is_in_the_help() {
    let help = Program::new().run(&["export", "--help"]).with_code(0).out;
    for format in msgarchive::writers::FORMATS {
        assert!(help.contains(format.summary), "{} is missing", format.name);
    }
}

#[test]
fn every_command_is_in_the_man_page_and_the_completions() {
    let program = Program::new();
    for what in ["man", "bash", "zsh", "fish", "powershell"] {
        let printed = program.run(&["generate", what]).with_code(0).out;
        for word in [
            "export",
            "list",
            "compare",
            "doctor",
            "storage",
            "sources",
            "archive",
            "verify",
            "history",
            "schedule",
            "search",
            "generate",
            "attachments",
        ] {
            assert!(printed.to_lowercase().contains(word), "{what} says nothing of {word}");
        }
    }
}
