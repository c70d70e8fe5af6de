//! A user's systemd, a real one: its timer starts the job at a minute that comes, and nothing of it is left in the end.

use std::fs;
use std::process::Command;

use super::stage::Stage;
use super::{found, not_checked};
use crate::not_checked;

/// In namespaces of its own, where no unit of the machine is seen; it dies with the first process. systemd asks for the folder by
/// which programs know that it is there. What would have the timer come up to ten minutes late is set by a file of its own.
const SCRIPT: &str = r#"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user/0
chmod 700 /run/user/0
export XDG_RUNTIME_DIR=/run/user/0
"$SYSTEMD" --user >"$PLACE/said by systemd" 2>&1 &
for i in $(seq 1 100); do
    systemctl --user is-system-running >"$PLACE/is running" 2>/dev/null && break
    sleep 0.1
done
grep -q running "$PLACE/is running" || exit 0
soon=$XDG_RUNTIME_DIR/systemd/user/msgarchive-schedule.timer.d
mkdir -p "$soon"
printf '[Timer]\nRandomizedDelaySec=0\nAccuracySec=1s\n' >"$soon/soon.conf"

# What is said, and how it ended, under a name.
note() { name=$1; shift; "$@" >"$PLACE/$name" 2>&1; echo "$?" >>"$PLACE/$name"; }
job="$HOME/.local/state/msgarchive/schedule"
install() {
    "$PROGRAM" schedule install --system systemd --archive "$PLACE/an \"archive\" \\ 100%" --source "$SOURCE" \
        --contacts none "$@"
}
install --at "$(date -d '+65 seconds' +%H:%M)" --export txt --out "$PLACE/it's \$out" >"$PLACE/installed" 2>&1
systemctl --user list-timers --no-legend >"$PLACE/timers"
note before "$PROGRAM" schedule status
for i in $(seq 1 140); do
    grep -qs '"exit": 0' "$job/attempts.json" && break
    sleep 1
done
while [ "$(systemctl --user is-active msgarchive-schedule.service)" = activating ]; do sleep 0.1; done
note after "$PROGRAM" schedule status
note probed "$PROGRAM" schedule run --through-scheduler

# On battery, for which not being on it stands here.
waits=$XDG_RUNTIME_DIR/systemd/user/msgarchive-schedule.service.d
mkdir -p "$waits"
printf '[Unit]\nConditionACPower=\nConditionACPower=false\n' >"$waits/battery.conf"
systemctl --user daemon-reload
note battery timeout 30 "$PROGRAM" schedule run --through-scheduler
rm -r "$waits"
systemctl --user daemon-reload

# Of a service that is not hardened, what it calls for help.
install --on-failure 'echo "$MSGARCHIVE_REASON" >"$HOME/help"' >/dev/null 2>&1
mv "$SOURCE" "$SOURCE.away"
note failed "$PROGRAM" schedule run --through-scheduler
mv "$HOME/help" "$PLACE/help"

# A program that systemd cannot start.
cp "$PROGRAM" "$PROGRAM.copy"
chmod -x "$PROGRAM"
PROGRAM="$PROGRAM.copy"
note refused "$PROGRAM" schedule run --through-scheduler

note removed "$PROGRAM" schedule remove
systemctl --user list-unit-files --no-legend 'msgarchive*' >"$PLACE/left"
systemctl --user list-timers --all --no-legend >>"$PLACE/left"
systemctl --user list-units --all --no-legend 'msgarchive*' >>"$PLACE/left"
find "$HOME" -type f >>"$PLACE/left"
echo done >"$PLACE/done"
"#;

#[test]
fn a_users_systemd_runs_the_job() {
    let (Some(systemd), Some(unshare)) = (found("systemd"), found("unshare")) else {
        return not_checked("A job run by systemd", "systemd");
    };
    let unshared = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let namespace = Command::new(&unshare).args(unshared).arg("true").output();
    if !namespace.is_ok_and(|ran| ran.status.success()) {
        return not_checked::say("A job run by systemd", "the right to make namespaces (root)");
    }
    let stage = Stage::new();
    let source = stage.library();
    let place = stage.path("-100% Zoë & $HOME <x> `id` ~ #|;* 👨‍👩‍👧 שלום \u{202e}x");
    let home = place.join("home");
    fs::create_dir_all(&home).unwrap();
    let program = place.join("msgarchive");
    fs::copy(env!("CARGO_BIN_EXE_msgarchive"), &program).unwrap();
    let script = stage.path("script");
    super::stage::script_at(&script, SCRIPT);
    let ran = Command::new(&unshare)
        .args(unshared)
        .arg(&script)
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("SYSTEMD", &systemd)
        .env("PROGRAM", &program)
        .env("PLACE", &place)
        .env("SOURCE", &source)
        .env("HOME", &home)
        .output()
        .unwrap();
    let said = |name: &str| fs::read_to_string(place.join(name)).unwrap_or_default();
    if !said("is running").contains("running") {
        return not_checked::say(
            "A job run by systemd",
            &format!("a control group that may be written (systemd: {})", said("said by systemd").trim()),
        );
    }
    assert!(place.join("done").exists(), "{}", String::from_utf8_lossy(&ran.stderr));

    assert!(said("installed").starts_with("Installed, through systemd.\n"), "{}", said("installed"));
    assert!(said("timers").contains("msgarchive-schedule.timer"), "{}", said("timers"));
    assert!(
        said("before").contains("last run   none yet\n") && said("before").ends_with("\n0\n"),
        "{}",
        said("before")
    );
    // At its time, by itself, hardened; the export's folder, too, is where it may write.
    let after = said("after");
    assert!(
        after.contains("new messages: 2; exported conversations: 1") && after.ends_with("\n0\n"),
        "{after}"
    );
    assert!(place.join("it's $out/manifest.json").is_file());
    assert_eq!(said("probed"), "new messages: 0; exported conversations: 0\n0\n");

    let battery = said("battery");
    assert!(
        battery.starts_with("error: the machine is on battery") && battery.ends_with("\n1\n"),
        "{battery}"
    );

    let why = format!("there is nothing at {source}");
    assert!(said("failed").contains(&why) && said("failed").ends_with("\n1\n"), "{}", said("failed"));
    assert!(said("help").contains(&why), "{}", said("help"));
    let refused = said("refused");
    let why = "error: the program did not begin: systemd could not start it (203); `systemctl --user status";
    assert!(refused.starts_with(why), "{refused}");

    assert_eq!(said("removed"), "Removed. The archive stays.\n0\n");
    assert_eq!(said("left"), "", "nothing is left but the archive");
    assert!(place.join("an \"archive\" \\ 100%/chat.db").is_file());
}
