//! A machine that is not to be drained: its scheduler leaves out what is due, and that is said.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use super::stage::Stage;

/// It says so at once, and what to do.
#[test]
fn on_battery_nothing_is_waited_for() {
    let mut stage = Stage::new();
    stage.install(&["--system", "systemd"]).with_code(0);
    // As real_systemd.rs has it from a real one.
    let ending = "ExecMainStatus=0\nConditionResult=no\nConditionTimestamp=DATE\n";
    let now = chrono::DateTime::from(SystemTime::now() + Duration::from_secs(2)).to_utc();
    let date = now.format("%a %Y-%m-%d %H:%M:%S UTC").to_string();
    fs::write(stage.path("fakes/ending"), ending.replace("DATE", &date)).unwrap();
    fs::write(stage.path("fakes/start"), "exit 0").unwrap();
    let begun = Instant::now();
    let err = stage.run(&["schedule", "run", "--through-scheduler"]).with_code(1).err;
    assert!(begun.elapsed() < Duration::from_secs(30), "it was waited for");
    assert!(err.contains("the machine is on battery") && err.contains("hint: plug it in"), "{err}");
    assert!(!stage.folder().join("asked").exists());
    // The night that was left out for it.
    stage.at("2023-11-15T07:00:00Z");
    let missed = |stage: &Stage, date: &str| {
        fs::write(stage.path("fakes/ending"), ending.replace("DATE", date)).unwrap();
        stage.status(3)["alarm"].clone()
    };
    let alarm = missed(&stage, "Wed 2023-11-15 01:31:07 UTC");
    let what = "nothing ran at 2023-11-15 02:30: the machine was on battery; `msgarchive schedule run` makes up for it";
    assert_eq!((&alarm["kind"], &alarm["what"]), (&"missed".into(), &what.into()));
    // And one that something else kept it from.
    let alarm = missed(&stage, "Tue 2023-11-14 01:31:07 UTC");
    assert!(
        alarm["what"]
            .as_str()
            .unwrap()
            .ends_with("nobody logged in? `msgarchive schedule run` makes up for it"),
        "{alarm}"
    );
}
