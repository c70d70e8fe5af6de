use std::io::{self, Write as _};

use clap::{Command, ValueEnum};
use clap_complete::Shell;

use super::{Failure, Outcome, terminal};

/// Print the man page or shell completions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  msgarchive generate man > msgarchive.1
  msgarchive generate zsh > ~/.zfunc/_msgarchive
  msgarchive generate bash > /etc/bash_completion.d/msgarchive")]
pub struct GenerateArgs {
    /// What to print
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// The man page, for all commands
    Man,
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
}

pub fn run(args: GenerateArgs, mut command: Command) -> Result<Outcome, Failure> {
    let shell = match args.what {
        What::Man => None,
        What::Bash => Some(Shell::Bash),
        What::Zsh => Some(Shell::Zsh),
        What::Fish => Some(Shell::Fish),
        What::PowerShell => Some(Shell::PowerShell),
    };
    let mut printed = Vec::new();
    match shell {
        Some(shell) => clap_complete::generate(shell, &mut command, "msgarchive", &mut printed),
        None => man_page(command, &mut printed).map_err(Failure::Output)?,
    }
    terminal::print(&String::from_utf8_lossy(&printed))?;
    Ok(Outcome::Complete)
}

/// One page with a section for every command; clap_mangen alone makes one page for each.
fn man_page(mut root: Command, to: &mut Vec<u8>) -> io::Result<()> {
    root.build();
    let page = clap_mangen::Man::new(root.clone());
    page.render_title(to)?;
    page.render_name_section(to)?;
    page.render_synopsis_section(to)?;
    page.render_description_section(to)?;
    for command in root.get_subcommands() {
        let part = clap_mangen::Man::new(command.clone());
        writeln!(to, ".SH \"{}\"", part_title(command))?;
        let mut sections = Vec::new();
        part.render_description_section(&mut sections)?;
        part.render_synopsis_section(&mut sections)?;
        part.render_options_section(&mut sections)?;
        part.render_extra_section(&mut sections)?;
        for line in String::from_utf8_lossy(&sections).lines() {
            match line.strip_prefix(".SH ") {
                Some("DESCRIPTION") => {}
                Some(title) => writeln!(to, ".SS {title}")?,
                None => writeln!(to, "{line}")?,
            }
        }
    }
    writeln!(to, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in [
        ("0", "done and complete"),
        ("1", "failed; nothing new appeared"),
        ("2", "wrong command line"),
        ("3", "done, but something could not be read completely"),
        ("130", "interrupted; no partial files"),
    ] {
        writeln!(to, ".TP\n{code}\n{meaning}")?;
    }
    Ok(())
}

fn part_title(command: &Command) -> String {
    format!("MSGARCHIVE {}", command.get_name().to_uppercase())
}
