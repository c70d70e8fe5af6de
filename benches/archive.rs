//! How fast an archive is fed, verified and searched, and how much memory that takes: the program itself, on a
//! generated library.
//!
//! `cargo bench --bench archive -- [--messages N]`
//!
//! What `design/archive.md` promises is about 1,000,000 messages; without a number it is 100,000. The library is that
//! of the other bench of whole runs, so that both together make one. First half of the messages become an archive, too:
//! a first run whose time grows faster than what it reads is seen by that, at any size.

mod process;
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use process::{Cost, number};
use rusqlite::Connection;

const CONVERSATIONS: u64 = 200;
/// What is asked often is done as often, and the best of it counts.
const TIMES: usize = 3;
/// In the generated texts one of them is frequent and the other nowhere.
const WORDS: [&str; 2] = ["meeting", "zebrafish"];

fn main() -> ExitCode {
    let messages = match messages() {
        Ok(messages) => messages,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match measure(messages) {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}

fn messages() -> Result<u64, String> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(100_000),
        (Some("--messages"), Some(messages)) => number(&messages),
        (Some(other), _) => Err(format!("unknown argument {other}; there is --messages N")),
    }
}

/// Nothing where a run failed, which is said.
fn measure(messages: u64) -> Option<()> {
    let (library, half) =
        (process::library(messages, CONVERSATIONS), process::library(messages / 2, CONVERSATIONS));
    let folder = tempfile::tempdir_in(library.parent()?).ok()?;
    let at = |name: &str| folder.path().join(name).to_str().map(str::to_owned);
    let (archive, of_half, later) = (at("archive")?, at("half")?, at("later")?);
    let (library, half) = (library.to_str()?, half.to_str()?);
    let feed = |archive: &str, source: &str, more: &[&str]| {
        let mut arguments = vec!["archive", archive, "--source", source, "--contacts", "none"];
        arguments.extend(["--progress", "never"]);
        arguments.extend(more);
        process::run(&arguments)
    };

    println!("{messages} messages, {library}");
    println!("{:<28} {:>9} {:>9}", "run", "seconds", "peak MB");
    let small = line("first, of half as many", 1, || feed(&of_half, half, &[]))?;
    let first = line("first", 1, || feed(&archive, library, &[]))?;
    line("nothing new", TIMES, || feed(&archive, library, &[]))?;
    line("nothing new, --dry-run", TIMES, || feed(&archive, library, &["--dry-run"]))?;
    copy_with_changes(Path::new(library), Path::new(&later)).ok()?;
    line("400 changes", 1, || feed(&archive, &later, &[]))?;
    line("verify", TIMES, || process::run(&["verify", &archive, "--progress", "never"]))?;
    line("verify --deep", TIMES, || process::run(&["verify", &archive, "--deep", "--progress", "never"]))?;
    for word in WORDS {
        line(&format!("search {word}"), TIMES, || process::run(&["search", &archive, word]))?;
    }
    let growth = first.time.as_secs_f64() / small.time.as_secs_f64();
    println!("Twice as many messages take {growth:.2} times as long.");
    Some(())
}

/// The best of so many runs, on a line.
fn line(name: &str, times: usize, run: impl Fn() -> Option<Cost>) -> Option<Cost> {
    let Some(best) = (0..times).filter_map(|_| run()).min_by_key(|cost| cost.time) else {
        println!("{name:<28} failed");
        return None;
    };
    println!("{name:<28} {:>9.2} {:>9}", best.time.as_secs_f64(), best.megabytes());
    Some(best)
}

/// The same library a night later: 200 messages have another text, and 200 are gone.
fn copy_with_changes(library: &Path, later: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir(later)?;
    let copy = later.join("chat.db");
    fs::copy(library.join("chat.db"), &copy)?;
    let db = Connection::open(copy)?;
    let middle: i64 = db.query_row("SELECT max(ROWID) / 2 FROM message", [], |row| row.get(0))?;
    db.execute("UPDATE message SET text = text || '!' WHERE ROWID BETWEEN ?1 AND ?1 + 199", [middle])?;
    db.execute("DELETE FROM chat_message_join WHERE message_id BETWEEN ?1 + 200 AND ?1 + 399", [middle])?;
    db.execute("DELETE FROM message WHERE ROWID BETWEEN ?1 + 200 AND ?1 + 399", [middle])?;
    Ok(())
}
