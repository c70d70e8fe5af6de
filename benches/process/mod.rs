//! The program in a process of its own, and what one run of it took; and the generated libraries that it is run on.
//!
//! Never says whether that is good: whoever reads the numbers does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::crowd::Crowd;

/// What one run took.
#[derive(Clone, Copy)]
pub struct Cost {
    pub time: Duration,
    /// Peak resident memory in kB; unknown where there is no `/proc`.
    pub peak: Option<u64>,
}

impl Cost {
    pub fn megabytes(&self) -> String {
        self.peak.map_or("?".to_owned(), |kb| format!("{:.1}", kb as f64 / 1024.0))
    }
}

/// A number of messages as somebody writes it.
pub fn number(text: &str) -> Result<u64, String> {
    text.replace(['_', ','], "").parse().map_err(|_| format!("{text} is no number of messages"))
}

/// The library of this size in `target/throughput`: the one of an earlier bench, or a new one. A half-written one has
/// another name.
pub fn library(messages: u64, conversations: u64) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("throughput");
    let folder = root.join(format!("{messages}-in-{conversations}"));
    if !folder.is_dir() {
        eprintln!("making a library of {messages} messages…");
        let crowd = Crowd { messages, conversations, files: false };
        let making = folder.with_extension("making");
        let _ = fs::remove_dir_all(&making);
        crowd.write(&making).expect("a library");
        fs::rename(&making, &folder).expect("a library in its place");
    }
    folder
}

/// msgarchive with these arguments; nothing where it failed.
pub fn run(arguments: &[&str]) -> Option<Cost> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_msgarchive"));
    command.args(arguments).stdout(Stdio::null());
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
    status.success().then_some(Cost { time, peak })
}

/// `VmHWM` of a running process, in kB.
fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
