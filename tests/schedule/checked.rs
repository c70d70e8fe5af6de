//! The systems' own checkers, on what the program itself installs.

use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

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

/// When systemd would come next, by the timer that is installed; of its expressions the earliest.
fn next_of_systemd(analyze: &Path, stage: &Stage, zone: &str, now: &str) -> DateTime<Utc> {
    let timer = stage.program.home().join(".config/systemd/user/msgarchive-schedule.timer");
    let timer = fs::read_to_string(timer).unwrap();
    let calendars: Vec<&str> = timer.lines().filter_map(|line| line.strip_prefix("OnCalendar=")).collect();
    let ran = Command::new(analyze)
        .args(["calendar", &format!("--base-time={now}")])
        .args(&calendars)
        .env("TZ", zone)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8_lossy(&ran.stdout);
    let time = |line: &str| {
        // In UTC itself there is no line of its own for it.
        let rest =
            line.trim().strip_prefix("(in UTC): ").or_else(|| line.trim().strip_prefix("Next elapse: "))?;
        let date = rest.strip_suffix(" UTC")?;
        Some(NaiveDateTime::parse_from_str(date, "%a %Y-%m-%d %H:%M:%S").unwrap().and_utc())
    };
    let times: Vec<DateTime<Utc>> = said.lines().filter_map(time).collect();
    assert_eq!(times.len(), calendars.len(), "{said}");
    times.into_iter().min().unwrap()
}

/// The program counts as systemd does: in summer and winter, and where a clock is set forward or back at that time.
#[test]
fn calendars_pass_systemd_analyze() {
    let Some(analyze) = found("systemd-analyze") else { return not_checked("systemd's calendar", "systemd") };
    for (zone, at, every, now, next) in [
        ("UTC", "02:30", "day", "2023-11-15 12:00:00", "2023-11-16T02:30:00Z"),
        ("UTC", "0:05", "week", "2023-11-15 12:00:00", "2023-11-19T00:05:00Z"),
        ("UTC", "23:59", "day", "2023-11-15 12:00:00", "2023-11-15T23:59:00Z"),
        ("UTC", "23:30", "week", "2023-11-19 23:00:00", "2023-11-19T23:30:00Z"),
        ("UTC", "12:00", "day", "2023-11-15 12:00:00", "2023-11-16T12:00:00Z"),
        ("Asia/Kathmandu", "4:15", "day", "2023-11-15 12:00:00", "2023-11-15T22:30:00Z"),
        // Left out: the moment after it; systemd comes within the hour.
        ("Europe/Berlin", "02:30", "day", "2026-03-28 12:00:00", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "02:30", "week", "2026-03-28 12:00:00", "2026-03-29T01:00:00Z"),
        ("America/New_York", "02:00", "week", "2026-03-07 12:00:00", "2026-03-08T07:00:00Z"),
        ("America/Santiago", "00:30", "day", "2026-09-05 12:00:00", "2026-09-06T04:00:00Z"),
        ("Australia/Lord_Howe", "02:15", "day", "2026-10-03 12:00:00", "2026-10-03T15:30:00Z"),
        ("America/Nuuk", "23:30", "day", "2026-03-28 12:00:00", "2026-03-29T01:00:00Z"),
        // Twice: the first one.
        ("Europe/Berlin", "02:30", "day", "2026-10-24 12:00:00", "2026-10-25T00:30:00Z"),
        ("America/New_York", "01:30", "week", "2026-10-31 12:00:00", "2026-11-01T05:30:00Z"),
    ] {
        let next: DateTime<Utc> = next.parse().unwrap();
        let mut stage = Stage::new();
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        let local = NaiveDateTime::parse_from_str(now, "%Y-%m-%d %H:%M:%S").unwrap();
        stage.at(&local.and_local_timezone(tz).unwrap().to_rfc3339());
        stage.install(&["--system", "systemd", "--at", at, "--every", every]).with_code(0);
        let status = stage.command(&["schedule", "status", "--json"]).env("TZ", zone).output().unwrap();
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(status["next"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), next, "{zone} {at}");
        let of_systemd = next_of_systemd(&analyze, &stage, zone, now);
        let late = of_systemd - next;
        let is_left_out = next.with_timezone(&tz).format("%H:%M").to_string() != format!("{at:0>5}");
        let most = if is_left_out { TimeDelta::hours(1) } else { TimeDelta::zero() };
        assert!(
            late >= TimeDelta::zero() && late <= most,
            "{zone} {at} {every}: {next}, systemd: {of_systemd}"
        );
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
