//! A disk that fails at every single step: the program runs as it is, behind a shim that fails the calls which touch one
//! folder, one after the other, until a run goes through unharmed.
//!
//! A run is a sequence of steps: calls of the C library about files below the folder. A [`Fault`] says which steps it
//! strikes and how; [`Run::at_every_step`] tries each of them. Nothing is sampled, and nothing relies on a count made
//! before: where a run takes other steps than the one before, those are tried too.
//!
//! The shim is C, compiled by the `cc` that links Rust programs. It needs Linux and the GNU C library.

mod archives;
mod exports;

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::program::{Program, Ran, ran};

/// What goes wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One call fails as with a bad cable; the next ones do not.
    Error,
    /// So do all that follow: the disk is dead.
    Dead,
    /// Nothing that needs room succeeds any more.
    Full,
    /// The program is killed before it changes something. What only looks leaves nothing behind.
    Killed,
    /// The folder gets another name, as a disk that is unmounted.
    Vanished,
}

impl Fault {
    /// How the shim is told: the class of the steps, what happens there, and with which error.
    fn told(self) -> [&'static str; 3] {
        const EIO: &str = "5";
        const ENOSPC: &str = "28";
        match self {
            Fault::Error => ["1", "once", EIO],
            Fault::Dead => ["1", "for good", EIO],
            Fault::Full => ["3", "for good", ENOSPC],
            Fault::Killed => ["2", "killed", "0"],
            Fault::Vanished => ["1", "vanished", "0"],
        }
    }
}

/// Bytes of what the shim and the test share: the number of steps, then which one was struck.
const ACCOUNT: usize = 4096;
const NUMBER: usize = size_of::<usize>();

/// What is tried again and again.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub arguments: &'a [&'a str],
    /// What lies on the disk that fails, relative to where the program runs.
    pub folder: &'a str,
    /// Makes everything as it is before the run.
    pub set: &'a (dyn Fn(&Program) + Sync),
}

/// A run, and how it was disturbed.
#[derive(Debug)]
pub struct Disturbed {
    pub ran: Ran,
    pub fault: Fault,
    /// The call that was struck, and its path.
    pub at: String,
}

impl Run<'_> {
    /// Tries a fault at every step, on all cores, and shows each run that was struck to `judge`, which panics where something
    /// is wrong. Returns how many they were.
    #[track_caller]
    pub fn at_every_step(&self, fault: Fault, judge: &(dyn Fn(&Program, &Disturbed) + Sync)) -> usize {
        let (next, over) = (AtomicUsize::new(1), AtomicBool::new(false));
        let (struck, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            let program = Program::in_memory();
            while !over.load(Ordering::Relaxed) {
                let step = next.fetch_add(1, Ordering::Relaxed);
                let disturbed = self.disturbed(&program, fault, step);
                let Some(disturbed) = disturbed else {
                    over.store(true, Ordering::Relaxed);
                    return;
                };
                struck.fetch_add(1, Ordering::Relaxed);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| judge(&program, &disturbed))) {
                    let words = words(&*panic);
                    let Disturbed { ran, at, .. } = &disturbed;
                    failed.lock().unwrap().push(format!("step {step}, {at}: {words}\n{ran:#?}"));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let failed = failed.into_inner().unwrap();
        assert!(failed.is_empty(), "{fault:?}: {} steps:\n\n{}", failed.len(), failed.join("\n\n"));
        struck.into_inner()
    }

    /// The run on a disk that is slow and no worse: reads and writes are interrupted, and cut short. How often they were
    /// interrupted.
    pub fn hindered(&self, program: &Program) -> (Ran, usize) {
        (self.set)(program);
        let (ran, account) = self.behind_shim(program, ["1", "hindered", "0"], 0);
        (ran, number(&account))
    }

    fn disturbed(&self, program: &Program, fault: Fault, step: usize) -> Option<Disturbed> {
        (self.set)(program);
        let (ran, account) = self.behind_shim(program, fault.told(), step);
        let at = account.get(NUMBER..).unwrap().split(|byte| *byte == 0).next().unwrap();
        let at = String::from_utf8_lossy(at).into_owned();
        (number(&account) >= step).then_some(Disturbed { ran, fault, at })
    }

    fn behind_shim(&self, program: &Program, told: [&str; 3], step: usize) -> (Ran, Vec<u8>) {
        let [class, what, error] = told;
        let here = program.path().canonicalize().unwrap();
        let account = here.join("account");
        fs::write(&account, [0; ACCOUNT]).unwrap();
        let output = program
            .command(self.arguments)
            .env("LD_PRELOAD", shim())
            .env("FAILING_DISK_ACCOUNT", &account)
            .env("FAILING_DISK_FOLDER", here.join(self.folder))
            .env("FAILING_DISK_STEP", step.to_string())
            .env("FAILING_DISK_CLASS", class)
            .env("FAILING_DISK_FAULT", what)
            .env("FAILING_DISK_ERROR", error)
            .output()
            .unwrap();
        (ran(output), fs::read(&account).unwrap())
    }
}

impl Disturbed {
    /// The program did not panic, and where it failed it says which path is concerned and what to do.
    pub fn has_an_answer(&self, folder: &str) {
        let Ran { code, err, .. } = &self.ran;
        assert!(!err.contains("panicked"));
        match (self.fault, code) {
            (Fault::Killed, code) => assert_eq!(*code, None),
            (_, Some(0 | 3)) => {}
            (_, Some(1)) => {
                assert!(err.contains(folder), "no path is named");
                assert!(err.contains("hint:"), "nothing says what to do");
            }
            (_, code) => panic!("exit code {code:?}"),
        }
    }
}

fn number(account: &[u8]) -> usize {
    usize::from_ne_bytes(account.get(..NUMBER).unwrap().try_into().unwrap())
}

fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned())).unwrap_or_default()
}

/// The shim, compiled once. Its name is there when it is whole: other tests may be doing the same.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("failing_disk.so");
        let unfinished = path.with_extension(std::process::id().to_string());
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&unfinished)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/failing_disk/shim.c"))
            .arg("-ldl")
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        fs::rename(unfinished, &path).unwrap();
        path
    })
}
