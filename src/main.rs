//! The `msgarchive` program: a thin face over the library of the same name.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::todo, clippy::unwrap_used))]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
