//! The command line: words in, words and exit codes out.
//!
//! **Must never**: contain logic that a user of the library would miss, or print text from a database without
//! [`terminal::plain`].

mod access_options;
mod account;
mod archive;
mod changed;
mod compare;
mod doctor;
mod document_options;
mod excerpt;
mod export;
mod failure;
mod generate;
mod gone;
mod groups;
mod guard;
mod hints;
mod history;
mod keeping_up;
mod list;
mod lost;
mod moment;
mod nightly;
mod page;
mod password;
mod pdf_options;
mod progress;
mod reading_options;
mod report;
mod schedule;
mod search;
mod selection_options;
mod source_options;
mod sources;
mod storage;
mod storage_tables;
mod terminal;
mod unfound;
mod united;
mod verify;
mod zone;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::Failure;

/// Keeps people's message history: Apple Messages as PDF, CSV, JSON Lines and text, complete and exact.
///
/// Reads a Mac's Messages library or a copy of one. The library is never changed, and nothing ever touches the
/// network.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Try it on the built-in sample: msgarchive export --sample --format pdf --out sample-export"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(export::ExportArgs),
    List(list::ListArgs),
    Compare(compare::CompareArgs),
    Storage(storage::StorageArgs),
    Doctor(doctor::DoctorArgs),
    Sources(sources::SourcesArgs),
    Archive(archive::ArchiveArgs),
    Verify(verify::VerifyArgs),
    History(history::HistoryArgs),
    Schedule(schedule::ScheduleArgs),
    Search(search::SearchArgs),
    Generate(generate::GenerateArgs),
}

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    /// Done, but something could not be read completely; it was said what.
    Incomplete,
    /// Done, and two sources differ.
    Different,
    /// Done, and something is wrong with a source.
    Unhealthy,
    /// Done, and what somebody is about to do is not safe.
    Unsafe,
}

/// Runs the program.
pub fn main() -> ExitCode {
    if let Some(folder) = guard::wanted() {
        return guard::clear_away(&folder);
    }
    let result = match Cli::parse().command {
        Command::Export(args) => export::run(args),
        Command::List(args) => list::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Storage(args) => storage::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Sources(args) => sources::run(args),
        Command::Archive(args) => archive::run(args),
        Command::Verify(args) => verify::run(args),
        Command::History(args) => history::run(args),
        Command::Schedule(args) => schedule::run(args),
        Command::Search(args) => search::run(args),
        Command::Generate(args) => generate::run(args, Cli::command()),
    };
    match result {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete | Outcome::Different | Outcome::Unhealthy | Outcome::Unsafe) => {
            ExitCode::from(3)
        }
        Err(failure) => {
            report::failure(&failure);
            failure.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }
}
