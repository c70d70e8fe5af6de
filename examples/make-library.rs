//! Writes a big Messages library, the same one for the same numbers:
//! `cargo run --release --example make-library -- --messages 1000000 OUT`

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use support::crowd::Crowd;

/// Writes a big Messages library for measuring: OUT/chat.db, of the schema of macOS 26.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder without a chat.db
    out: PathBuf,
    /// Rows of messages, tapbacks and announcements together
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    messages: u64,
    /// How many chats they are in
    #[arg(long, value_name = "N", default_value_t = 200)]
    conversations: u64,
    /// Everything in one chat
    #[arg(long, conflicts_with = "conversations")]
    one_conversation: bool,
    /// Write small files for attachments; without, all are in iCloud or missing
    #[arg(long)]
    attachments: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.out.join("chat.db").exists() {
        eprintln!("error: {} holds a library already", arguments.out.display());
        return ExitCode::FAILURE;
    }
    let crowd = Crowd {
        messages: arguments.messages,
        conversations: if arguments.one_conversation { 1 } else { arguments.conversations },
        files: arguments.attachments,
    };
    let started = Instant::now();
    match crowd.write(&arguments.out) {
        Ok(path) => {
            let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
            eprintln!(
                "{}: {} messages, {} MB, {:.1} s",
                path.display(),
                crowd.messages,
                bytes / 1_000_000,
                started.elapsed().as_secs_f64()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
