//! What may not be read, and a disk that is full: by the real thing, where the machine lets a test have it.

use std::fs;
use std::io;
use std::process::Command;

use msgarchive::doctor::{Checkup, Presented, Status, Surroundings, examine};
use msgarchive::source::{OpenOptions, SourceError, SourceInfo, open};

use super::{Home, NOW, as_json, only, with_status, year};
use crate::not_checked;
use crate::support::Schema;

#[test]
fn full_disk_access_is_missing() {
    // Only macOS says "Operation not permitted" of a file that may be opened otherwise: here its answer is handed on.
    let path = "/Users/ana/Library/Messages/chat.db";
    let error = SourceError::Forbidden { path: path.into(), source: io::Error::from_raw_os_error(1) };
    let remedy = Some("Give Terminal Full Disk Access.".to_owned());
    let checkup =
        Checkup::unreadable(SourceInfo { path: path.into(), ..SourceInfo::default() }, &error, remedy);
    let of = |status: Status| {
        let verdicts =
            checkup.reports[0].verdicts.iter().filter(move |(_, verdict)| verdict.status == status);
        verdicts.map(|(check, _)| check.name).collect::<Vec<_>>()
    };
    assert_eq!(of(Status::Problem), ["readable"]);
    assert_eq!((of(Status::Unknown).len(), of(Status::Ok).len(), of(Status::Warning).len()), (13, 0, 0));
    let (_, verdict) = &checkup.reports[0].verdicts[0];
    assert!(verdict.finding.contains("Full Disk Access is missing"), "{}", verdict.finding);
    assert_eq!(verdict.remedy.as_deref(), Some("Give Terminal Full Disk Access."));
    assert!(!checkup.is_healthy());
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let mode =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let home = Home::of(&year(Schema::MACOS_15));
    mode(&home.library().join("chat.db"), 0o000);
    let mut command = home.program.command(&["doctor", "--json"]);
    // Root may read everything; nobody may not.
    if fs::File::open(home.library().join("chat.db")).is_ok() {
        mode(home.program.path(), 0o755);
        command.uid(65_534);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let lacking = format!("nobody's right to run {}", env!("CARGO_BIN_EXE_msgarchive"));
            not_checked::say("a file that may not be read", &lacking);
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let object = as_json(&crate::program::ran(output));
    only(&object, "readable problem", "its own mode forbids it");
    assert_eq!(with_status(&object, &["unknown"]).len(), 13);
}

#[test]
fn a_damaged_library_is_a_finding_and_a_wrong_path_is_a_failure() {
    let home = Home::of(&year(Schema::MACOS_15));
    fs::write(home.library().join("chat.db"), "").unwrap();
    only(&home.json(&[]), "readable problem", "is empty");
    let ran = home.program.run(&["doctor", "--source", "nowhere"]).with_code(1);
    assert!(ran.err.contains("there is nothing at nowhere"), "{}", ran.err);
}

#[test]
fn a_library_of_which_half_is_gone() {
    let home = Home::of(&year(Schema::MACOS_15));
    let database = home.library().join("chat.db");
    let bytes = fs::read(&database).unwrap();
    fs::write(&database, &bytes[..bytes.len() / 2]).unwrap();
    let object = home.json(&[]);
    only(&object, "readable problem", "is damaged");
    let remedy = super::check(&object, "readable")["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("Copy it again from where it came from: chat.db, chat.db-wal"), "{remedy}");
}

/// With so much room on the library's disk, and for an export.
fn with_room(free: u64, free_here: u64) -> Vec<(&'static str, Status)> {
    let home = Home::of(&year(Schema::MACOS_15));
    let source = open(&home.library(), &OpenOptions::default()).unwrap();
    let around = Surroundings {
        now: NOW.parse().unwrap(),
        zone: chrono_tz::UTC,
        free_here: Some(free_here),
        awaited: Default::default(),
        jobs: 1,
    };
    let presented = [Presented { source: source.as_ref(), free: Some(free), nightly: None }];
    let checkup = examine(&presented, &[], &around, &()).unwrap();
    let verdicts = checkup.reports[0].verdicts.iter();
    verdicts
        .filter(|(_, verdict)| matches!(verdict.status, Status::Warning | Status::Problem))
        .map(|(check, verdict)| (check.name, verdict.status))
        .collect()
}

#[test]
fn a_disk_without_room() {
    assert_eq!(with_room(1_000_000_000, 1_000_000_000), []);
    assert_eq!(with_room(1_000_000_000, 10_000), [("disk", Status::Warning)]);
}

/// A disk of some kilobytes, and the library on it.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=2m tmpfs "$HOME"
cp -R "$LIBRARY" "$HOME/Library"
head -c 900000 /dev/zero >"$HOME/much"
"$PROGRAM" doctor --json
"#;

#[test]
fn a_disk_that_is_really_full() {
    let namespace = Command::new("unshare").args(["--mount", "true"]).output();
    if !namespace.is_ok_and(|ran| ran.status.success()) {
        not_checked::say("a disk that is full", "the right to mount one (root)");
        return;
    }
    let home = Home::of(&year(Schema::MACOS_15));
    let moved = home.program.path().join("moved");
    fs::rename(home.program.home().join("Library"), &moved).unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "--propagation=private", "sh", "-c", SCRIPT])
        .current_dir(home.program.path())
        .env("HOME", home.program.home())
        .env("LIBRARY", &moved)
        .env("PROGRAM", env!("CARGO_BIN_EXE_msgarchive"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("TZ", "Europe/Berlin")
        .output()
        .unwrap();
    only(&as_json(&crate::program::ran(output)), "disk problem", "The library's disk is full");
}
