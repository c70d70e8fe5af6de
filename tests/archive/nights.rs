//! Thirty nights of two devices, with everything that can happen to messages, conversations and attachments; and what an
//! archive has to know then, and of every night before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::source::OpenOptions;
use msgarchive::source::tables::Tables;
use rusqlite::types::ValueRef;

use super::device::{DAY, instant};
use super::feeding::shown_of;
use super::happenings::Nights;
use super::seen::{Lost, Seen, all_rows};
use super::{PASSWORD, add};
use crate::program::Program;
use crate::support::backup::{Layout, wrap};

/// So that a backup is made on the night on which the phone's old messages go.
const START: i64 = 734_090_400;

/// As what the phone comes into the archive.
#[derive(Clone, Copy, PartialEq)]
enum Phone {
    /// As it is; one day it is restored, and has other row ids.
    Restored,
    /// In the second half through another archive, which was fed from it all along.
    Elsewhere,
    /// As a backup, encrypted or not.
    Backup { encrypted: bool },
}

/// All that an archive shows, and what it says is gone: of now, or of a day.
fn shown(archive: &Path, as_of: Option<String>) -> BTreeSet<String> {
    let tables = Tables::open(archive, &OpenOptions { as_of, ..OpenOptions::default() }).unwrap();
    let mut all = BTreeSet::new();
    for (name, columns) in [
        (
            "message",
            &["ROWID", "guid", "text", "date_edited", "date_read", "associated_message_guid", "group_title"]
                [..],
        ),
        ("chat", &["ROWID", "guid", "display_name", "properties"]),
        ("attachment", &["ROWID", "guid", "transfer_name", "total_bytes", "filename"]),
        ("handle", &["ROWID", "id"]),
        ("chat_handle_join", &["chat_id", "handle_id"]),
    ] {
        let table = tables.table(name).unwrap();
        let rows = tables.reader().rows::<msgarchive::source::SourceError>(
            table,
            columns,
            i64::MIN..=i64::MAX,
            |row| {
                let mut values: Vec<String> = (0..columns.len()).map(|at| text(row.value(at))).collect();
                // Where a file is that is not here says whoever had it last.
                let of_content = |path: &str| archive.join(path).exists();
                if name == "attachment"
                    && let Some(path) = values.pop()
                {
                    values.extend(
                        path.strip_prefix("~/Library/Messages/")
                            .filter(|path| of_content(path))
                            .map(str::to_owned),
                    );
                }
                all.insert(format!("{name} {}", values.join(" ")));
                Ok(())
            },
        );
        rows.unwrap();
    }
    all
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null | ValueRef::Integer(0) => "-".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What is read of the phone tonight.
fn as_read(phone: Phone, folder: &Path, night: i64) -> PathBuf {
    let beside = |name: &str| folder.with_file_name(name);
    match phone {
        Phone::Restored => folder.to_owned(),
        Phone::Elsewhere => {
            add(&beside("elsewhere"), &[folder], START + night * DAY + 2 * 3600).unwrap();
            if night < 14 { folder.to_owned() } else { beside("elsewhere") }
        }
        Phone::Backup { encrypted } => {
            let backup = beside("backup");
            if backup.exists() {
                fs::remove_dir_all(&backup).unwrap();
            }
            let layout = Layout { password: encrypted.then_some(PASSWORD), ..Layout::default() };
            wrap(folder, None, &backup, layout);
            backup
        }
    }
}

/// The nights of one seed.
fn live(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let mut seen = Seen::default();
    let as_phone = [
        Phone::Restored,
        Phone::Elsewhere,
        Phone::Backup { encrypted: false },
        Phone::Backup { encrypted: true },
    ][seed as usize / 2 % 4];
    let mut nights = Nights::new(folder.path(), seed, START);
    let mut were = Vec::new();
    // What the sources lost that are no more.
    let mut former: Vec<Lost> = Vec::new();
    let mut lost_yesterday = Lost::new();
    for night in 0..30 {
        let now = START + night * DAY;
        nights.pass(night);
        if night == 12 && as_phone == Phone::Restored {
            nights.devices[1].be_restored();
            former.push(lost_yesterday.clone());
        }
        if night == 14 && as_phone == Phone::Elsewhere {
            former.push(lost_yesterday.clone());
        }
        let of_phone = as_read(as_phone, &nights.devices[1].folder, night);
        let [mac, phone] = &mut nights.devices;
        seen.look(mac);
        seen.look(phone);
        match night % 3 {
            0 => drop(add(&archive, &[&mac.folder, &of_phone], now + 3 * 3600).unwrap()),
            _ => {
                add(&archive, &[&mac.folder], now + 3 * 3600).unwrap();
                add(&archive, &[&of_phone], now + 4 * 3600).unwrap();
            }
        }
        mac.is_archived();
        phone.is_archived();
        let when = format!("seed {seed}, night {night}");
        let lost = [&[mac.lost.clone()][..], &former, std::slice::from_ref(&phone.lost)].concat();
        seen.check(&archive, [mac, phone], &lost, &when);
        lost_yesterday.clone_from(&phone.lost);
        were.push((instant(now + 5 * 3600).format("%Y-%m-%dT%H:%M:%SZ").to_string(), shown(&archive, None)));
    }
    for (night, (date, was)) in were.iter().enumerate() {
        let now = shown(&archive, Some(date.clone()));
        let differences: Vec<&String> = now.symmetric_difference(was).collect();
        assert!(differences.is_empty(), "seed {seed}: night {night} was another: {differences:#?}");
    }
    let [mac, phone] = &nights.devices;
    let of_phone = as_read(as_phone, &phone.folder, 30);
    let before = all_rows(&archive);
    let again = add(&archive, &[&mac.folder, &of_phone], START + 31 * DAY).unwrap();
    assert_eq!(all_rows(&archive), before, "seed {seed}: the same thing twice");
    assert_eq!((again.counts.added, again.counts.changed, again.counts.stored), (0, 0, 0));
    assert_eq!(again.counts.absent.len(), 0);
    assert_eq!(msgarchive::archive::check(&archive, true, 2, &()).unwrap().problems, []);
}

/// Two devices after their nights: whichever is read first, and whether into one archive or into two that are merged, what is shown
/// of every message is the same.
fn merge(seed: u64) {
    let program = Program::new();
    let at = |name: &str| program.path().join(name);
    let mut nights = Nights::new(program.path(), seed, START);
    let devices = ["mac", "phone"];
    for night in 0..30 {
        nights.pass(night);
        let now = START + night * DAY + 3 * 3600;
        if night % 10 == 9 {
            for (first, second) in [(0, 1), (1, 0)] {
                let [first, second] = [first, second].map(|at| devices[at]);
                let merged = at(&format!("{first}-{second}"));
                add(&merged, &[&at(first)], now).unwrap();
                add(&merged, &[&at(second)], now).unwrap();
                // Of what the second one lost the first one tells whether it has it still.
                add(&merged, &[&at(first)], now).unwrap();
                add(&at(&format!("{first}-{second}-together")), &[&at(first), &at(second)], now).unwrap();
                add(&at(&format!("of-{first}")), &[&at(first)], now).unwrap();
            }
        }
    }
    let now = START + 31 * DAY;
    for (first, second) in [("mac", "phone"), ("phone", "mac")] {
        let merged = at(&format!("archives-{first}-{second}"));
        let [one, other] = [first, second].map(|name| at(&format!("of-{name}")));
        for _ in 0..2 {
            add(&merged, &[&one], now).unwrap();
            add(&merged, &[&other], now).unwrap();
        }
    }
    let exported = |name: &str| {
        let out = format!("{name}-out");
        program.run(&["export", "-s", name, "-f", "jsonl", "-o", &out, "--contacts", "none"]).with_code(0);
        shown_of(&at(&out))
    };
    let expected = exported("mac-phone");
    assert!(expected.len() > 20);
    for other in
        ["phone-mac", "mac-phone-together", "phone-mac-together", "archives-mac-phone", "archives-phone-mac"]
    {
        let shown = exported(other);
        for (one, another) in expected.iter().zip(&shown) {
            assert_eq!(one, another, "seed {seed}, {other}");
        }
        assert_eq!(shown.len(), expected.len(), "seed {seed}, {other}");
    }
}

/// `NIGHTS=1-300` tries so many others.
fn seeds(otherwise: &[u64]) -> Vec<u64> {
    let wanted = std::env::var("NIGHTS").ok();
    match wanted.as_deref().and_then(|range| range.split_once('-')) {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).collect(),
        None => otherwise.to_vec(),
    }
}

#[test]
fn thirty_nights_of_two_devices() {
    seeds(&[1, 2, 1_000_004, 7]).into_iter().for_each(live);
}

#[test]
fn two_devices_merge_either_way() {
    seeds(&[1, 2]).into_iter().for_each(merge);
}
