//! The systems' own checkers, on what the program itself installs.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::stage::Stage;
use super::{found, not_checked};

const VARIANTS: [&[&str]; 3] = [
    &[],
    &["--every", "week", "--at", "23:59", "--source", "a b%c"],
    &["--on-failure", "mail -s \"$X\" ana"],
];

#[test]
fn units_pass_systemd_analyze() {
    let Some(analyze) = found("systemd-analyze") else { return not_checked("systemd's units", "systemd") };
    for variant in VARIANTS {
        let stage = Stage::new();
        stage.install(&[&["--system", "systemd"], variant].concat()).with_code(0);
        let units = stage.program.home().join(".config/systemd/user");
        let ran = Command::new(&analyze)
            .args(["--user", "--man=no", "verify"])
            .arg(units.join("msgarchive-schedule.timer"))
            .arg(units.join("msgarchive-schedule.service"))
            .env("XDG_CONFIG_HOME", stage.program.home().join(".config"))
            .env("XDG_RUNTIME_DIR", stage.program.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        // It speaks of units of the machine, too.
        let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("msgarchive-schedule")).collect();
        assert!(ran.status.success() && of_ours.is_empty(), "{said}");
    }
    // It would have found something.
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("msgarchive-schedule.service");
    fs::write(&wrong, "[Service]\nExecStart=/no/such/program\nNiec=1\n").unwrap();
    let ran = Command::new(&analyze).args(["--user", "--man=no", "verify"]).arg(&wrong).output().unwrap();
    assert!(!ran.status.success());
}

#[test]
fn calendars_pass_systemd_analyze() {
    let Some(analyze) = found("systemd-analyze") else { return not_checked("systemd's calendar", "systemd") };
    for (variant, next) in [
        (&["--at", "02:30"][..], "Thu 2023-11-16 02:30:00"),
        (&["--at", "0:05", "--every", "week"], "Sun 2023-11-19 00:05:00"),
    ] {
        let stage = Stage::new();
        stage.install(&[&["--system", "systemd"], variant].concat()).with_code(0);
        let timer = stage.program.home().join(".config/systemd/user/msgarchive-schedule.timer");
        let timer = fs::read_to_string(timer).unwrap();
        let calendar = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
        let ran = Command::new(&analyze)
            .args(["calendar", "--base-time=2023-11-15 12:00:00", calendar])
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(said.contains(&format!("Next elapse: {next} UTC")), "{said}");
        // And the program counts as systemd does.
        let at = stage.status(0)["next"].as_str().unwrap().to_owned();
        assert!(at.starts_with("2023-11-15") || at.starts_with("2023-11-18T23:05"), "{at}");
    }
}

#[test]
fn the_task_is_of_the_form_that_task_scheduler_wants() {
    let Some(xmllint) = found("xmllint") else { return not_checked("Task Scheduler's file", "xmllint") };
    let form = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schedule/task.xsd");
    let check = |file: &Path| {
        Command::new(&xmllint).arg("--noout").arg("--schema").arg(&form).arg(file).output().unwrap()
    };
    for variant in VARIANTS {
        let stage = Stage::new();
        stage.install(&[&["--system", "task-scheduler"], variant].concat()).with_code(0);
        let file = stage.program.home().join("AppData/Local/msgarchive/schedule/task.xml");
        assert!(fs::read(&file).unwrap().starts_with(&[0xFF, 0xFE]));
        let ran = check(&file);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        // It would have found something.
        let units: Vec<u16> =
            fs::read(&file).unwrap().chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let wrong = String::from_utf16(&units).unwrap().replace("IgnoreNew", "IgnoreAll");
        fs::write(&file, wrong.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
        assert!(!check(&file).status.success());
    }
}
