//! The whole `--help` tree as one snapshot: every word of it is reviewed when it changes.

use crate::program::Program;

#[test]
fn every_help_page() {
    let program = Program::new();
    let mut pages = String::new();
    for command in [
        &[][..],
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
    ] {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let ran = program.run(&arguments).with_code(0);
        assert_eq!(ran.err, "");
        pages.push_str(&format!("$ msgarchive {}\n\n{}\n", arguments.join(" "), ran.out));
    }
    insta::assert_snapshot!(pages);
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
