//! A disk that fails at every single step: the program runs as it is, behind a shim that fails the calls which touch one
//! folder, one after the other, until a run goes through unharmed.
//!
//! A run is a sequence of steps: calls of the C library about files below the folder. A [`Fault`] says which steps it
//! strikes and how; [`Run::survives`] tries them, as [`steps`] says.
//!
//! The shim is C, compiled by the `cc` that links Rust programs. It needs Linux and the GNU C library.

/// The words of a command that does one thing after the other, and has nobody looking on: its steps are the same each time.
macro_rules! in_one_thread {
    ($($word:literal),+ $(,)?) => { &[$($word),+, "--jobs", "1", "--progress", "never"] };
}

mod archives;
mod backups;
mod exports;
mod nights;
mod out_of_reach;
mod readers;
mod repairs;
mod scene;
mod schedules;
mod steps;

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::program::{Program, Ran, ran};
use steps::Recorded;

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
    /// The class of the steps that it strikes; each has those above it.
    fn class(self) -> u64 {
        match self {
            Fault::Error | Fault::Dead | Fault::Vanished => 1,
            Fault::Killed => 2,
            Fault::Full => 3,
        }
    }

    /// How the shim is told: what happens at a step, and with which error.
    fn told(self) -> [&'static str; 2] {
        const EIO: &str = "5";
        const ENOSPC: &str = "28";
        match self {
            Fault::Error => ["once", EIO],
            Fault::Dead => ["for good", EIO],
            Fault::Full => ["for good", ENOSPC],
            Fault::Killed => ["killed", "0"],
            Fault::Vanished => ["vanished", "0"],
        }
    }
}

/// Bytes of what the shim and the test share: the number of steps, then which one was struck; then, where a run is
/// recorded, the place of each.
const ACCOUNT: usize = 4096;
const NUMBER: usize = size_of::<usize>();
const RECORDED: usize = ACCOUNT + size_of::<u64>() * (1 << 16);

/// What is tried again and again.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub arguments: &'a [&'a str],
    /// What lies on the disk that fails, relative to where the program runs.
    pub folder: &'a str,
    /// Makes everything as it is before the run.
    pub set: &'a (dyn Fn(&Program) + Sync),
    /// The first argument of processes that no fault strikes.
    pub spared: &'a str,
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
    /// Tries faults at the steps of the run, on all cores, and shows each run that was struck to `judge`, which panics where
    /// something is wrong.
    #[track_caller]
    pub fn survives(&self, faults: &[Fault], judge: &(dyn Fn(&Program, &Disturbed) + Sync)) {
        let recorded = self.recorded();
        for fault in faults {
            let chosen = recorded.chosen(*fault);
            let struck = self.struck(*fault, (!steps::every()).then_some(&chosen), judge);
            // A run may take some steps more or less than the one before.
            if steps::every() {
                println!("{} {}: {fault:?}: {struck} steps", self.arguments[0], self.folder);
            }
            assert!(struck > 4 && struck * 10 >= chosen.len() * 9, "{fault:?}: {struck} of {}", chosen.len());
        }
    }

    /// `steps`: `None` for all there are. How many of them were struck.
    #[track_caller]
    fn struck(
        &self,
        fault: Fault,
        steps: Option<&Vec<usize>>,
        judge: &(dyn Fn(&Program, &Disturbed) + Sync),
    ) -> usize {
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (struck, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let step_of = |turn: usize| match steps {
            Some(steps) => steps.get(turn).copied(),
            None => Some(turn + 1).filter(|_| !over.load(Ordering::Relaxed)),
        };
        let work = || {
            let program = Program::in_memory();
            while let Some(step) = step_of(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(disturbed) = self.disturbed(&program, fault, step) else {
                    over.store(true, Ordering::Relaxed);
                    continue;
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
        let (ran, account) = self.behind_shim(program, 1, ["hindered", "0"], 0);
        (ran, number(&account))
    }

    /// All that the run does, step by step: its class, the call, and the path below the folder.
    pub fn logged(&self, program: &Program) -> Vec<(u64, String, PathBuf)> {
        (self.set)(program);
        self.behind_shim(program, 1, ["logged", "0"], 0);
        let folder = program.path().canonicalize().unwrap().join(self.folder);
        let log = fs::read_to_string(program.path().join("log")).unwrap();
        let step = |line: &str| {
            let (class, step) = line.split_once(' ').unwrap();
            let (call, path) = step.split_at(step.find(" /").unwrap());
            let below = Path::new(path.trim_start()).strip_prefix(&folder).unwrap();
            (class.parse().unwrap(), call.to_owned(), below.to_owned())
        };
        log.lines().map(step).collect()
    }

    /// The steps of the run where nothing disturbs it.
    fn recorded(&self) -> Recorded {
        let program = Program::in_memory();
        (self.set)(&program);
        let (_, account) = self.behind_shim(&program, 1, ["recorded", "0"], 0);
        Recorded::of(account.get(ACCOUNT..).unwrap(), number(&account))
    }

    fn disturbed(&self, program: &Program, fault: Fault, step: usize) -> Option<Disturbed> {
        (self.set)(program);
        let (ran, account) = self.behind_shim(program, fault.class(), fault.told(), step);
        let at = account.get(NUMBER..).unwrap().split(|byte| *byte == 0).next().unwrap();
        let at = String::from_utf8_lossy(at).into_owned();
        (number(&account) >= step).then_some(Disturbed { ran, fault, at })
    }

    fn behind_shim(&self, program: &Program, class: u64, told: [&str; 2], step: usize) -> (Ran, Vec<u8>) {
        let [what, error] = told;
        let here = program.path().canonicalize().unwrap();
        let account = here.join("account");
        // What is not written takes no room.
        let _ = fs::remove_file(&account);
        let size = if what == "recorded" { RECORDED } else { ACCOUNT };
        fs::File::create_new(&account).unwrap().set_len(size as u64).unwrap();
        let output = program
            .command(self.arguments)
            .env("LD_PRELOAD", shim())
            .env("FAILING_DISK_ACCOUNT", &account)
            .env("FAILING_DISK_FOLDER", here.join(self.folder))
            .env("FAILING_DISK_STEP", step.to_string())
            .env("FAILING_DISK_CLASS", class.to_string())
            .env("FAILING_DISK_FAULT", what)
            .env("FAILING_DISK_ERROR", error)
            .env("FAILING_DISK_LOG", here.join("log"))
            .env("FAILING_DISK_SPARES", self.spared)
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
