//! How fast whole exports are, and how much memory they take: the program itself, run on a generated library.
//!
//! `cargo bench --bench throughput -- [--messages N] [--one-conversation] [FORMAT…]`
//!
//! The library is made once in `target/tmp/throughput` and used again. `MSGARCHIVE_BENCH_MESSAGES` sets the size, too;
//! without either it is 100,000. Every line is the best of three runs, so that the file is in the system's cache.

mod process;
#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;

use process::{Cost, number};

const FORMATS: [&str; 4] = ["txt", "csv", "jsonl", "pdf"];
const RUNS: usize = 3;

struct Plan {
    messages: u64,
    one_conversation: bool,
    formats: Vec<String>,
}

fn main() -> ExitCode {
    let plan = match plan() {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let conversations = if plan.one_conversation { 1 } else { 200 };
    let library = process::library(plan.messages, conversations);
    println!("{} messages, {}", plan.messages, library.display());
    println!("{:<6} {:>4} {:>9} {:>12} {:>9}", "format", "jobs", "seconds", "messages/s", "peak MB");
    let mut failed = false;
    for format in &plan.formats {
        for jobs in [1, 2] {
            let best = (0..RUNS).filter_map(|_| run(&library, format, jobs)).min_by_key(|c| c.time);
            let Some(cost) = best else {
                println!("{format:<6} {jobs:>4} failed");
                failed = true;
                continue;
            };
            let seconds = cost.time.as_secs_f64();
            let peak = cost.megabytes();
            let rate = plan.messages as f64 / seconds;
            println!("{format:<6} {jobs:>4} {seconds:>9.2} {rate:>12.0} {peak:>9}");
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn plan() -> Result<Plan, String> {
    let mut plan = Plan { messages: 100_000, one_conversation: false, formats: Vec::new() };
    if let Ok(messages) = std::env::var("MSGARCHIVE_BENCH_MESSAGES") {
        plan.messages = number(&messages)?;
    }
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo says so to every bench.
            "--bench" => {}
            "--messages" => plan.messages = number(&arguments.next().unwrap_or_default())?,
            "--one-conversation" => plan.one_conversation = true,
            format if FORMATS.contains(&format) => plan.formats.push(argument),
            other => return Err(format!("unknown argument {other}; formats are {}", FORMATS.join(", "))),
        }
    }
    if plan.formats.is_empty() {
        plan.formats = FORMATS.map(str::to_owned).to_vec();
    }
    Ok(plan)
}

/// One export, into a folder that is removed again.
fn run(library: &Path, format: &str, jobs: usize) -> Option<Cost> {
    let folder = tempfile::tempdir_in(library.parent()?).ok()?;
    let out = folder.path().join("export");
    let mut arguments = vec!["export", "--attachments", "none", "--contacts", "none", "--time-zone", "UTC"];
    let jobs = jobs.to_string();
    arguments.extend(["--progress", "never", "--format", format, "--jobs", &jobs]);
    arguments.extend(["--source", library.to_str()?, "--out", out.to_str()?]);
    let cost = process::run(&arguments)?;
    out.join("manifest.json").is_file().then_some(cost)
}
