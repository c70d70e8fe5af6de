//! How fast whole exports are, and how much memory they take: the program itself, run on a generated library.
//!
//! `cargo bench --bench throughput -- [--messages N] [--one-conversation] [FORMAT…]`
//!
//! The library is made once in `target/throughput` and used again. `MSGARCHIVE_BENCH_MESSAGES` sets the size, too;
//! without either it is 100,000. Every line is the best of three runs, so that the file is in the system's cache.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use support::crowd::Crowd;

const FORMATS: [&str; 4] = ["txt", "csv", "jsonl", "pdf"];
const RUNS: usize = 3;

struct Plan {
    messages: u64,
    one_conversation: bool,
    formats: Vec<String>,
}

/// What one run took.
#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    /// Peak resident memory in kB; unknown where there is no `/proc`.
    peak: Option<u64>,
}

fn main() -> ExitCode {
    let plan = match plan() {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let library = library(&plan);
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
            let peak = cost.peak.map_or("?".to_owned(), |kb| format!("{:.1}", kb as f64 / 1024.0));
            let rate = plan.messages as f64 / seconds;
            println!("{format:<6} {jobs:>4} {seconds:>9.2} {rate:>12.0} {peak:>9}");
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn plan() -> Result<Plan, String> {
    let number = |text: &str| {
        text.replace(['_', ','], "").parse().map_err(|_| format!("{text} is no number of messages"))
    };
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

/// The library of this size: the one of an earlier bench, or a new one. A half-written one has another name.
fn library(plan: &Plan) -> PathBuf {
    let conversations = if plan.one_conversation { 1 } else { 200 };
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("throughput");
    let folder = root.join(format!("{}-in-{conversations}", plan.messages));
    if !folder.is_dir() {
        eprintln!("making a library of {} messages…", plan.messages);
        let crowd = Crowd { messages: plan.messages, conversations, files: false };
        let making = folder.with_extension("making");
        let _ = fs::remove_dir_all(&making);
        crowd.write(&making).expect("a library");
        fs::rename(&making, &folder).expect("a library in its place");
    }
    folder
}

/// One export in a process of its own, into a folder that is removed again.
fn run(library: &Path, format: &str, jobs: usize) -> Option<Cost> {
    let out = tempfile::tempdir_in(library.parent()?).ok()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_msgarchive"));
    command
        .args([
            "export",
            "--attachments",
            "none",
            "--contacts",
            "none",
            "--time-zone",
            "UTC",
            "--progress",
            "never",
        ])
        .args(["--format", format, "--jobs", &jobs.to_string()])
        .arg("--source")
        .arg(library)
        .arg("--out")
        .arg(out.path().join("export"))
        .stdout(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().ok()?;
    let mut peak = None;
    let status = loop {
        // Sampled until the end: the high-water mark only rises, and is gone with the process.
        peak = peak_memory(&child).max(peak);
        if let Some(status) = child.try_wait().ok()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let time = started.elapsed();
    let complete = status.success() && out.path().join("export/manifest.json").is_file();
    complete.then_some(Cost { time, peak })
}

/// `VmHWM` of a running process, in kB.
fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
