//! A machine for one test: its own home, schedulers that write down what they are told, an archive program that does
//! what it is told to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::program::{Program, Ran, ran};
use crate::support::{Library, Schema};

/// 2023-11-14 23:13:20 in Berlin.
pub const NOW: i64 = 1_700_000_000;
pub const DAY: i64 = 86_400;

pub struct Stage {
    pub program: Program,
    now: i64,
}

impl Stage {
    pub fn new() -> Stage {
        let stage = Stage { program: Program::new(), now: NOW };
        for folder in ["bin", "fakes"] {
            fs::create_dir(stage.path(folder)).unwrap();
        }
        let fakes = stage.path("fakes").display().to_string();
        for (name, script) in FAKES {
            script_at(&stage.path("bin").join(name), &script.replace("FAKES", &fakes));
        }
        stage
    }

    /// Goes to a moment, as RFC 3339 has it.
    pub fn at(&mut self, now: &str) -> &mut Stage {
        self.now = chrono::DateTime::parse_from_rfc3339(now).unwrap().timestamp();
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.program.path().join(below)
    }

    /// The archive that is fed; what the fake program says in `fakes/archive` it says there.
    pub fn archive(&self) -> PathBuf {
        self.path("archive")
    }

    /// The schedule's folder, of all systems that keep it at the same place.
    pub fn folder(&self) -> PathBuf {
        self.program.home().join(".local/state/msgarchive/schedule")
    }

    /// Goes on in time.
    pub fn later(&mut self, seconds: i64) -> &mut Stage {
        self.now += seconds;
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program.command(arguments);
        let now = self.now.to_string();
        command.env("PATH", self.path("bin")).env("SOURCE_DATE_EPOCH", &now).env("MSGARCHIVE_TEST_NOW", &now);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// `schedule install` with the archive and more.
    pub fn install(&self, more: &[&str]) -> Ran {
        let archive = self.archive().display().to_string();
        let ran = self.run(&[&["schedule", "install", "--archive", &archive], more].concat());
        let job = self.folder().join("schedule.json");
        if job.is_file() {
            // The clock of the files is not the clock of the test.
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(self.now).unwrap());
            fs::File::options().write(true).open(&job).unwrap().set_modified(then).unwrap();
        }
        ran
    }

    /// Puts a program in the place of `msgarchive archive`.
    pub fn archive_program(&self, script: &str) {
        self.archive_program_of(&self.folder(), script);
    }

    /// The same for a schedule that lies elsewhere.
    pub fn archive_program_of(&self, schedule: &Path, script: &str) {
        let job = schedule.join("schedule.json");
        let modified = fs::metadata(&job).unwrap().modified().unwrap();
        let mut value: Value = serde_json::from_slice(&fs::read(&job).unwrap()).unwrap();
        let program = self.path("bin/archive-program");
        script_at(&program, &script.replace("FAKES", &self.path("fakes").display().to_string()));
        value["program"] = program.display().to_string().into();
        fs::write(&job, value.to_string()).unwrap();
        fs::File::options().write(true).open(&job).unwrap().set_modified(modified).unwrap();
    }

    /// One that writes down its arguments and succeeds, having added some messages.
    pub fn archive_that_adds(&self, added: u64) {
        self.archive_program(&format!(
            "for a; do printf '[%s]' \"$a\"; done >FAKES/arguments\necho '{{\"schema\":1,\"added\":{added}}}'"
        ));
    }

    /// A library with two messages, the last one sent on 2023-11-13 at noon.
    pub fn library(&self) -> String {
        let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        library.message(chat).from(ana).at("2023-11-10T12:00:00Z").text("before");
        library.message(chat).from(ana).at("2023-11-13T12:00:00Z").text("after");
        let folder = self.path("Messages");
        fs::create_dir_all(&folder).unwrap();
        library.write(&folder).display().to_string()
    }

    /// A record in the archive, as a run of that many seconds ago left it.
    pub fn archive_run(&self, ago: i64, added: u64) {
        self.archive_run_numbered(ago, added, 1);
    }

    pub fn archive_run_numbered(&self, ago: i64, added: u64, number: u64) {
        let started = chrono::DateTime::from_timestamp(self.now - ago, 0).unwrap();
        let started = started.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let runs = self.archive().join("runs");
        fs::create_dir_all(&runs).unwrap();
        fs::write(self.archive().join("archive.json"), "{\"format\":1}").unwrap();
        let record = serde_json::json!({"schema": 1, "archive": "0123", "started": started, "added": added});
        fs::write(runs.join(format!("{}-{number:04}.json", started.replace(':', "-"))), record.to_string())
            .unwrap();
    }

    /// What the schedulers were told since the last time.
    pub fn told(&self) -> String {
        let told = self.path("fakes/told");
        let text = fs::read_to_string(&told).unwrap_or_default();
        let _ = fs::remove_file(&told);
        text.replace(&self.program.home().display().to_string(), "HOME").replace(&uid(self), "UID")
    }

    pub fn status(&self, code: i32) -> Value {
        let out = self.run(&["schedule", "status", "--json"]).with_code(code).out;
        serde_json::from_str(&out).unwrap()
    }

    pub fn attempts(&self) -> Vec<Value> {
        let text = fs::read(self.folder().join("attempts.json")).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        value["attempts"].as_array().unwrap().clone()
    }

    /// Every file and folder of the home, with its mode.
    pub fn home_tree(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.program.home()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                let below = path.strip_prefix(self.program.home()).unwrap().display().to_string();
                found.push(format!("{below} {mode:o}"));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

fn uid(stage: &Stage) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("gui/{}", fs::metadata(stage.program.home()).unwrap().uid())
}

pub fn script_at(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Each remembers in `loaded-` and its name whether it knows the job, and starts what is in `start` when it is asked to.
const FAKES: &[(&str, &str)] = &[
    (
        "launchctl",
        "echo \"launchctl $*\" >>FAKES/told
[ -f FAKES/no-bus ] && { echo 'Could not find domain' >&2; exit 1; }
case $1 in
print) [ -f FAKES/loaded-launchctl ] ;;
bootout) /bin/rm FAKES/loaded-launchctl 2>/dev/null || { echo 'Boot-out failed: 3: No such process' >&2; exit 3; } ;;
bootstrap)
    # The first time it is still busy.
    if [ -f FAKES/busy ]; then /bin/rm FAKES/busy; echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; fi
    : >FAKES/loaded-launchctl ;;
kickstart) /bin/sh FAKES/start >/dev/null 2>&1 & ;;
esac",
    ),
    (
        "systemctl",
        "echo \"systemctl $*\" >>FAKES/told
[ -f FAKES/no-bus ] && { echo 'Failed to connect to bus: No medium found' >&2; exit 1; }
case $2 in
is-active) [ -f FAKES/loaded-systemctl ] ;;
restart) : >FAKES/loaded-systemctl ;;
show) /bin/cat FAKES/ending 2>/dev/null ;;
disable) /bin/rm -f FAKES/loaded-systemctl ;;
# It waits for the end.
start) /bin/sh FAKES/start >/dev/null 2>&1 ;;
esac",
    ),
    ("loginctl", "echo Linger=no"),
    (
        "schtasks",
        "echo \"schtasks $*\" >>FAKES/told
case $1 in
/Query) [ -f FAKES/loaded-schtasks ] ;;
/Create) : >FAKES/loaded-schtasks ;;
/Delete) /bin/rm FAKES/loaded-schtasks ;;
/Run) /bin/sh FAKES/start >/dev/null 2>&1 & ;;
esac",
    ),
    (
        "crontab",
        "echo \"crontab $*\" >>FAKES/told
[ -f FAKES/denied ] && { echo 'You (ana) are not allowed to use this program (crontab)' >&2; exit 1; }
case $1 in
-l) if [ -f FAKES/crontab ]; then /bin/cat FAKES/crontab; else echo 'no crontab for ana' >&2; exit 1; fi ;;
-r) /bin/rm FAKES/crontab ;;
-) /bin/cat >FAKES/crontab ;;
esac",
    ),
];
