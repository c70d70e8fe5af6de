//! Installing, installing again, removing, printing: on every system, with schedulers that write down what they are told.

use std::fs;
use std::path::Path;

use msgarchive::schedule::{Plan, Step, System};

use super::paths::account;
use super::stage::Stage;
use crate::support::backup::{Layout, wrap};
use crate::support::{Library, Schema, tree};

const SYSTEMS: [&str; 4] = ["launchd", "systemd", "task-scheduler", "cron"];

#[test]
fn every_system_is_told_once_and_forgets_everything() {
    let mut told = String::new();
    for system in SYSTEMS {
        let stage = Stage::new();
        let before = stage.home_tree();
        let out = stage.install(&["--system", system]).with_code(0).out;
        assert!(out.starts_with("Installed, through "), "{out}");
        told.push_str(&format!("== {system}\n{}files:\n", stage.told()));
        let installed = stage.home_tree();
        installed.iter().for_each(|file| told.push_str(&format!("  {file}\n")));

        let again = stage.install(&["--system", system]).with_code(0).out;
        assert!(again.starts_with("The schedule was installed already"), "{again}");
        told.push_str(&format!("again:\n{}", stage.told()));
        assert_eq!(stage.home_tree(), installed);

        let removed = stage.run(&["schedule", "remove"]).with_code(0).out;
        assert_eq!(removed, "Removed. The archive stays.\n");
        told.push_str(&format!("remove:\n{}", stage.told()));
        assert_eq!(stage.home_tree(), before, "{system}");
        assert!(!stage.archive().exists(), "nothing had come into it");
        let left = fs::read_dir(stage.path("fakes")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{system}");
        stage.run(&["schedule", "status"]).with_code(0);
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_different_is_installed_anew() {
    let stage = Stage::new();
    stage.install(&["--system", "systemd"]).with_code(0);
    stage.told();
    let out = stage.install(&["--system", "systemd", "--at", "4:05", "--every", "week"]).with_code(0).out;
    assert!(out.starts_with("Installed") && out.contains("next run  2023-11-19 04:05"), "{out}");
    assert!(stage.told().contains("restart msgarchive-schedule.timer"));
    let timer = stage.program.home().join(".config/systemd/user/msgarchive-schedule.timer");
    assert!(fs::read_to_string(timer).unwrap().contains("OnCalendar=Sun *-*-* 04:05:00\n"));
}

#[test]
fn another_system_takes_over() {
    let stage = Stage::new();
    stage.install(&["--system", "launchd"]).with_code(0);
    stage.install(&["--system", "cron"]).with_code(0);
    assert!(stage.told().contains("launchctl bootout"));
    assert!(!stage.program.home().join("Library/LaunchAgents/msgarchive-schedule.plist").exists());
    let job = fs::read_to_string(stage.folder().join("schedule.json")).unwrap();
    assert!(job.contains("\"system\": \"cron\""), "{job}");
}

/// The scheduler that is to take over does not do it: everything goes on as before, and what the runs left is there.
#[test]
fn a_schedule_stays_where_another_system_refuses() {
    let stage = Stage::new();
    stage.install(&["--system", "cron", "--at", "4:05"]).with_code(0);
    stage.archive_that_adds(1);
    stage.run(&["schedule", "run"]).with_code(0);
    let (home, crontab) = (stage.home_tree(), fs::read(stage.path("fakes/crontab")).unwrap());
    let job = || fs::read_to_string(stage.folder().join("schedule.json")).unwrap();
    let as_it_was: serde_json::Value = serde_json::from_str(&job()).unwrap();
    fs::write(stage.path("fakes/no-bus"), "").unwrap();
    stage.install(&["--system", "systemd"]).with_code(1);
    assert_eq!(stage.home_tree(), home);
    assert_eq!(fs::read(stage.path("fakes/crontab")).unwrap(), crontab);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&job()).unwrap(), as_it_was);
    // Once it does, the records of the runs are still there, and the crontab is empty.
    fs::remove_file(stage.path("fakes/no-bus")).unwrap();
    stage.install(&["--system", "systemd"]).with_code(0);
    assert_eq!(stage.attempts().len(), 1);
    assert!(!stage.path("fakes/crontab").exists());
}

/// What every night would fail for is said at once.
#[test]
fn a_folder_with_something_else_in_it_is_refused() {
    let stage = Stage::new();
    let before = stage.home_tree();
    let out = stage.path("mine");
    fs::create_dir(&out).unwrap();
    fs::write(out.join(".DS_Store"), "").unwrap();
    let export = out.display().to_string();
    let with_export = ["--system", "cron", "--export", "csv", "--out", &export];
    stage.install(&with_export).with_code(0);
    stage.run(&["schedule", "remove"]).with_code(0);
    fs::write(out.join("thesis.txt"), "").unwrap();
    let err = stage.install(&with_export).with_code(1).err;
    assert!(err.contains("thesis.txt") && err.contains("choose an empty or a new folder"), "{err}");
    fs::create_dir(stage.archive()).unwrap();
    fs::write(stage.archive().join("chat.db"), "").unwrap();
    let err = stage.install(&["--system", "cron"]).with_code(1).err;
    assert!(err.contains("neither empty nor an archive"), "{err}");
    assert_eq!(stage.home_tree(), before);
}

/// Nor is anything installed that would write into what it reads.
#[test]
fn an_archive_and_an_export_lie_apart_from_what_is_read() {
    let stage = Stage::new();
    let home = stage.home_tree();
    stage.library();
    fs::create_dir(stage.path("Library")).unwrap();
    fs::rename(stage.path("Messages"), stage.path("Library/Messages")).unwrap();
    let library = stage.path("Library/Messages/chat.db").display().to_string();
    let before = tree::files(stage.program.path());
    let install = |archive: &str, more: &[&str]| {
        let install = ["schedule", "install", "--system", "cron", "--archive", archive];
        stage.run(&[&install[..], more].concat())
    };
    let source = ["--source", &*library, "--export", "csv", "--out"];
    let folder = ["--source", "Library/Messages", "--export", "csv", "--out"];
    for (archive, more, why) in [
        ("Library/Messages/archive", &["--source", &*library][..], "what is read is never written to"),
        ("archive", &[&source[..], &["Library/Messages/out"]].concat(), "what is read is never written to"),
        (
            "archive",
            &[&folder[..], &["./Library/Messages/new/out"]].concat(),
            "what is read is never written to",
        ),
        ("archive", &[&source[..], &["archive/out"]].concat(), "an archive holds nothing but"),
        ("out/archive", &[&source[..], &["out"]].concat(), "an export holds nothing else"),
    ] {
        let err = install(archive, more).with_code(1).err;
        assert!(err.contains(why) && err.contains("choose a folder outside of it"), "{err}");
    }
    // This Mac's own library, which is not named.
    let own = stage.program.home().join("Library/Messages");
    fs::create_dir_all(&own).unwrap();
    fs::copy(stage.path("Library/Messages/chat.db"), own.join("chat.db")).unwrap();
    if cfg!(target_os = "macos") {
        let err = install(&own.join("archive").display().to_string(), &[]).with_code(1).err;
        assert!(err.contains("what is read is never written to"), "{err}");
    }
    fs::remove_dir_all(stage.program.home().join("Library")).unwrap();
    assert_eq!(stage.home_tree(), home);
    assert!(tree::files(stage.program.path()) == before, "something was written");
}

/// What a scheduler refuses is not there.
#[test]
fn a_schedule_that_is_refused_leaves_nothing() {
    for system in ["launchd", "systemd"] {
        let stage = Stage::new();
        let before = stage.home_tree();
        fs::write(stage.path("fakes/no-bus"), "").unwrap();
        stage.install(&["--system", system]).with_code(1);
        assert_eq!(stage.home_tree(), before, "{system}");
        assert!(!stage.archive().exists(), "{system}");
    }
}

#[test]
fn a_scheduler_that_is_still_busy_is_told_again() {
    let stage = Stage::new();
    fs::write(stage.path("fakes/busy"), "").unwrap();
    stage.install(&["--system", "launchd"]).with_code(0);
    assert_eq!(stage.told().matches("launchctl bootstrap").count(), 2);
}

#[test]
fn a_crontab_keeps_its_other_lines() {
    let stage = Stage::new();
    let others: &[u8] = b"# mine\nMAILTO=ana\n0 5 * * 1 tar \xff%\n";
    fs::write(stage.path("fakes/crontab"), others).unwrap();
    stage.install(&["--system", "cron", "--at", "02:30"]).with_code(0);
    let crontab = fs::read(stage.path("fakes/crontab")).unwrap();
    assert!(crontab.starts_with(others));
    assert!(String::from_utf8_lossy(&crontab).contains("\n30 2 * * * PATH="));
    stage.run(&["schedule", "remove"]).with_code(0);
    assert_eq!(fs::read(stage.path("fakes/crontab")).unwrap(), others);
}

#[test]
fn a_crontab_that_cannot_be_read_is_not_overwritten() {
    let stage = Stage::new();
    fs::write(stage.path("fakes/denied"), "").unwrap();
    let err = stage.install(&["--system", "cron"]).with_code(1).err;
    assert!(err.contains("`crontab -l` failed: You (ana) are not allowed"), "{err}");
    assert!(!stage.told().contains("crontab -\n"));
}

#[test]
fn a_session_without_systemd_is_said() {
    let stage = Stage::new();
    fs::write(stage.path("fakes/no-bus"), "").unwrap();
    let err = stage.install(&["--system", "systemd"]).with_code(1).err;
    assert!(err.contains("Failed to connect to bus") && err.contains("--system names another"), "{err}");
}

#[test]
fn lingering_is_spoken_of() {
    let out = Stage::new().install(&["--system", "systemd"]).with_code(0).out;
    assert!(out.contains("lingering is off"), "{out}");
}

/// A package manager puts the next version elsewhere, and leads the same name to it.
#[test]
fn the_program_is_named_as_it_is_found() {
    let stage = Stage::new();
    let found = stage.path("bin/msgarchive");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_msgarchive"), &found).unwrap();
    let printed = |stage: &Stage| stage.run(&["schedule", "print", "--archive", "a", "--system", "cron"]).out;
    assert!(printed(&stage).contains(&format!("\"program\": {:?}", found.display().to_string())));
    // Another program of that name is not this one.
    std::fs::remove_file(&found).unwrap();
    super::stage::script_at(&found, "exit 1");
    assert!(!printed(&stage).contains(&found.display().to_string()));
}

#[test]
fn printing_touches_nothing() {
    for system in SYSTEMS {
        let stage = Stage::new();
        let archive = stage.archive().display().to_string();
        let out = stage
            .run(&["schedule", "print", "--archive", &archive, "--system", system, "--on-failure", "false"])
            .with_code(0)
            .out;
        assert!(out.contains("\"on_failure\": \"false\"") && out.contains("--job"), "{out}");
        assert_eq!(stage.home_tree(), [""; 0]);
        assert_eq!(stage.told(), "");
        assert!(!stage.archive().exists());
    }
}

#[test]
fn removing_nothing_says_so() {
    let out = Stage::new().run(&["schedule", "remove"]).with_code(0).out;
    assert_eq!(out, "No schedule was installed.\n");
}

#[test]
fn a_path_that_no_scheduler_can_hold_is_refused() {
    let stage = Stage::new();
    let err = stage.run(&["schedule", "install", "--system", "cron", "--archive", "a\nb"]).with_code(1).err;
    assert!(err.contains("a line break or another control character is in it"), "{err}");
    assert_eq!(stage.home_tree(), [""; 0]);
    let err = stage.run(&["schedule", "install", "--archive", "a", "--at", "25:00"]).with_code(2).err;
    assert!(err.contains("is no time of day such as 02:30"), "{err}");
}

/// Every night would fail.
#[test]
fn an_encrypted_backup_wants_a_password_file() {
    let stage = Stage::new();
    let device = stage.path("device");
    fs::create_dir_all(&device).unwrap();
    Library::new(Schema::MACOS_15).write(&device);
    let layout = Layout { password: Some("secret"), ..Layout::default() };
    wrap(&device, None, &stage.path("backup"), layout);
    let install = ["--system", "systemd", "--source", "backup"];
    let err = stage.install(&install).with_code(0).err;
    let path = stage.path("backup").display().to_string();
    assert!(err.contains(&format!("{path} is encrypted, and nobody can be asked at night")), "{err}");
    fs::write(stage.path("pw"), "secret\n").unwrap();
    let err = stage.install(&[&install[..], &["--password-file", "pw"]].concat()).with_code(0).err;
    assert_eq!(err, "");
}

#[test]
fn a_job_that_was_damaged_can_be_removed() {
    let stage = Stage::new();
    stage.install(&["--system", "cron"]).with_code(0);
    fs::write(stage.folder().join("schedule.json"), "{").unwrap();
    assert!(stage.run(&["schedule", "status"]).with_code(1).err.contains("is not the job of a schedule"));
    stage.install(&["--system", "cron"]).with_code(0);
    stage.run(&["schedule", "remove"]).with_code(0);
    assert!(!stage.folder().exists());
}

/// Which system it was is not known any more, and may be another one than this machine has.
#[test]
fn a_damaged_job_is_removed_from_whichever_system_has_it() {
    for system in SYSTEMS {
        let stage = Stage::new();
        let before = stage.home_tree();
        stage.install(&["--system", system]).with_code(0);
        for job in stage.home_tree().iter().filter_map(|file| file.strip_suffix(" 600")) {
            if job.ends_with("/schedule.json") {
                fs::write(stage.program.home().join(job), "{").unwrap();
            }
        }
        stage.told();
        let err = stage.run(&["schedule", "status"]).with_code(1).err;
        assert!(err.contains("is not the job of a schedule"), "{system}: {err}");
        let out = stage.run(&["schedule", "remove"]).with_code(0).out;
        assert_eq!(out, "Removed. The archive stays.\n", "{system}");
        assert_eq!(stage.home_tree(), before, "{system}");
        stage.told();
        let left = fs::read_dir(stage.path("fakes")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{system}");
    }
}

/// As long as one that may have it does not say, what is left of the job is there for another try.
#[test]
fn a_damaged_job_stays_while_a_scheduler_cannot_be_asked() {
    let stage = Stage::new();
    let before = stage.home_tree();
    stage.install(&["--system", "cron"]).with_code(0);
    fs::write(stage.folder().join("schedule.json"), "{").unwrap();
    fs::write(stage.path("fakes/denied"), "").unwrap();
    let err = stage.run(&["schedule", "remove"]).with_code(1).err;
    assert!(err.contains("`crontab -l` failed"), "{err}");
    assert!(stage.folder().join("schedule.json").exists() && stage.path("fakes/crontab").exists());
    fs::remove_file(stage.path("fakes/denied")).unwrap();
    stage.run(&["schedule", "remove"]).with_code(0);
    assert_eq!(stage.home_tree(), before);
    assert!(!stage.path("fakes/crontab").exists());
}

/// And each folder is named once: a plan is shown, and read.
#[test]
fn nothing_is_removed_twice() {
    let account = account(Path::new("/home/ana"));
    let all: Vec<System> = System::NAMES.iter().map(|(_, system)| *system).collect();
    for systems in all.chunks(1).chain([&all[..]]) {
        let steps = Plan::remove(systems, None, &account).steps;
        for (at, step) in steps.iter().enumerate() {
            assert!(!steps[..at].contains(step), "{systems:?}: {step:?}");
        }
        // A folder goes after all that lies in it.
        let folders: Vec<&Path> = steps
            .iter()
            .filter_map(|step| if let Step::DeleteFolder(path) = step { Some(&**path) } else { None })
            .collect();
        for (at, folder) in folders.iter().enumerate() {
            assert!(
                !folders[at + 1..].iter().any(|later| later.starts_with(folder)),
                "{systems:?}: {folder:?}"
            );
        }
    }
}
