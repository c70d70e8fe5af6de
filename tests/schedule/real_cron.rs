//! A job that a real cron starts: installed by the program through the real `crontab`, at a minute that comes.

use std::fs;
use std::process::Command;

use super::stage::script_at;
use super::{found, not_checked};
use crate::not_checked;

/// In a mount namespace of its own, where no job of the machine is seen and no crontab of it is touched. The program's
/// path, the archive's and the home's hold everything that cron or a shell could trip over.
const SCRIPT: &str = r#"
set -e
for folder in /var/spool/cron /etc/cron.d /run; do mount -t tmpfs tmpfs "$folder"; done
mkdir /var/spool/cron/crontabs
chgrp crontab /var/spool/cron/crontabs 2>/dev/null || true
chmod 1730 /var/spool/cron/crontabs
mount --bind /dev/null /etc/crontab
echo '0 0 1 1 * /bin/true' | crontab -
crontab -l >"$PLACE/before"
minute=$(date -d '+65 seconds' +%H:%M 2>/dev/null || date -v+65S +%H:%M)
"$PROGRAM" schedule install --system cron --at "$minute" --archive "$HOME/archive" --source "$HOME/it's 100%"
job="$HOME/.local/state/msgarchive/schedule"
sed -i "s|\"program\": .*|\"program\": \"$FED\",|" "$job/schedule.json"
cron -f &
cron=$!
for i in $(seq 1 140); do
    grep -qs '"exit": 0' "$job/attempts.json" && [ -s "$job/scheduler.log" ] && break
    sleep 1
done
kill $cron
cat "$job/scheduler.log" >"$PLACE/said" || true
"$PROGRAM" schedule remove
crontab -l >"$PLACE/after"
"#;

#[test]
fn cron_runs_the_job() {
    let (Some(_), Some(unshare)) = (found("cron"), found("unshare")) else {
        return not_checked("A job run by cron", "cron");
    };
    let namespace = Command::new(&unshare).args(["--mount", "true"]).output();
    if !namespace.is_ok_and(|ran| ran.status.success()) {
        return not_checked::say("A job run by cron", "the right to make a mount namespace (root)");
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("-it's 100% \"Zoë's\" & $HOME <x> \\ `id` #|;* 👨‍👩‍👧 שלום \u{202e}x");
    let home = place.join("home");
    fs::create_dir_all(&home).unwrap();
    let program = place.join("msgarchive");
    fs::copy(env!("CARGO_BIN_EXE_msgarchive"), &program).unwrap();
    let fed = folder.path().join("fed");
    script_at(&fed, "for w; do printf '[%s]' \"$w\"; done >\"$0.with\"; echo '{\"added\":4}'");
    let script = folder.path().join("script");
    script_at(&script, SCRIPT);
    let ran = Command::new(&unshare)
        .args(["--mount", "--propagation=private"])
        .arg(&script)
        .env("PROGRAM", &program)
        .env("PLACE", &place)
        .env("FED", &fed)
        .env("HOME", &home)
        .env_remove("TZ")
        .env_remove("XDG_STATE_HOME")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "{said}");
    let heard = fs::read_to_string(place.join("said")).unwrap_or_default();
    assert_eq!(heard, "new messages: 4\n", "{said}");
    let with = fs::read_to_string(folder.path().join("fed.with")).unwrap();
    let home_words = home.display();
    let expected = format!(
        "[archive][--json][--progress][never][--source][{home_words}/it's 100%][--][{home_words}/archive]"
    );
    assert_eq!(with, expected);
    assert_eq!(fs::read(place.join("before")).unwrap(), fs::read(place.join("after")).unwrap());
    assert!(!home.join(".local/state/msgarchive").exists());
}
