use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use crate::property_list::{Object, Plist, Value};
use crate::source::preferences::date;

/// What a backup's property lists say of it (`ios-backup-format.md` 2). Every one of them may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupInfo {
    /// The device's name.
    pub device: Option<String>,
    /// Such as `iPhone14,5`.
    pub product: Option<String>,
    /// The version of its system, such as `18.1`.
    pub os: Option<String>,
    /// When it was made.
    pub date: Option<SystemTime>,
    pub encrypted: bool,
    /// What is wrong with it, in words for people: not finished, or not copied whole.
    pub problem: Option<String>,
}

/// The key bag and the wrapped key of `Manifest.db`, where there are some.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub bag: Option<Vec<u8>>,
    pub manifest: Option<Vec<u8>>,
}

/// The files by which a backup is known.
const LISTS: [&str; 2] = ["Manifest.db", "Manifest.mbdb"];

/// Whether a folder is the backup of one device, perhaps unfinished.
pub fn is_backup(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    LISTS.into_iter().chain(["Manifest.plist"]).any(has) || has("Info.plist") && has("Status.plist")
}

impl BackupInfo {
    /// Reads what there is.
    pub fn read(folder: &Path) -> BackupInfo {
        read(folder).0
    }

    fn of(folder: &Path, [info, manifest, status]: [Option<Object<'_>>; 3]) -> BackupInfo {
        let lockdown = manifest.and_then(|list| list.get("Lockdown"));
        let encrypted = manifest.and_then(|list| list.get("IsEncrypted"));
        let listed =
            LISTS.iter().any(|name| fs::metadata(folder.join(name)).is_ok_and(|about| about.len() > 0));
        // Very old ones have no Status.plist.
        let unfinished = folder.join("Snapshot").is_dir()
            || folder.join("Status.plist").exists()
                && text(status, "SnapshotState").is_none_or(|state| state != "finished");
        let problem = if !listed {
            Some("it has no list of its files: it was not finished, or not copied whole")
        } else if manifest.is_none() {
            Some("its Manifest.plist is missing or damaged")
        } else if unfinished {
            Some("it was not finished, or is being made now: something may be missing")
        } else {
            None
        };
        BackupInfo {
            device: text(info, "Device Name")
                .or_else(|| text(info, "Display Name"))
                .or_else(|| text(lockdown, "DeviceName")),
            product: text(info, "Product Type").or_else(|| text(lockdown, "ProductType")),
            os: text(info, "Product Version").or_else(|| text(lockdown, "ProductVersion")),
            date: [(info, "Last Backup Date"), (status, "Date"), (manifest, "Date")]
                .into_iter()
                .filter_map(|(list, key)| date(list?, key))
                .max(),
            encrypted: encrypted.is_some_and(|value| value.value() == Value::Bool(true)),
            problem: problem.map(str::to_owned),
        }
    }
}

impl Keys {
    fn of(manifest: Option<Object<'_>>) -> Keys {
        let data = |key: &str| match manifest?.get(key)?.value() {
            Value::Data(data) => Some(data.to_vec()),
            _ => None,
        };
        Keys { bag: data("BackupKeyBag"), manifest: data("ManifestKey") }
    }
}

/// Reads a backup's property lists, each once: `Info.plist` is large.
pub(super) fn read(folder: &Path) -> (BackupInfo, Keys) {
    let lists = ["Info.plist", "Manifest.plist", "Status.plist"].map(|name| list(&folder.join(name)));
    let [info, manifest, status] = lists.each_ref().map(|list| list.as_ref().map(Plist::root));
    (BackupInfo::of(folder, [info, manifest, status]), Keys::of(manifest))
}

/// `Info.plist` may have some 10 MB; what is much larger is none, nor is what is no file.
fn list(file: &Path) -> Option<Plist<'static>> {
    const LARGEST: u64 = 64 << 20;
    if !fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let read = File::open(file).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    let list = (read as u64 <= LARGEST).then(|| Plist::read(bytes.into())).flatten()?;
    matches!(list.root().value(), Value::Dictionary { .. }).then_some(list)
}

fn text(of: Option<Object<'_>>, key: &str) -> Option<String> {
    match of?.get(key)?.value() {
        Value::Text(text) => Some(text.decode().into_owned()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn info(list: &[u8]) -> BackupInfo {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Info.plist"), list).unwrap();
        BackupInfo::read(folder.path())
    }

    fn xml(value: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><plist><dict><key>Device Name</key><string>Büro</string>\
             <key>Last Backup Date</key>{value}</dict></plist>"
        )
    }

    #[test]
    fn lists_made_to_hurt_cost_nothing() {
        let whole = info(xml("<date>2024-05-01T10:00:00Z</date>").as_bytes());
        assert_eq!(whole.device.as_deref(), Some("Büro"));
        assert_eq!(whole.date, Some(UNIX_EPOCH + Duration::from_secs(1_714_557_600)));
        let deep = [("<array>", "</array>"), ("<dict><key>k</key>", "</dict>")];
        for (open, close) in deep {
            let deep = [&open.repeat(1_000_000), "<true/>", &close.repeat(1_000_000)].concat();
            assert_eq!(info(xml(&deep).as_bytes()), info(b""));
        }
    }

    #[test]
    fn only_what_says_that_it_is_finished_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, list: &str| fs::write(folder.path().join(name), list).unwrap();
        let problem = || BackupInfo::read(folder.path()).problem;
        write("Manifest.db", "SQLite format 3\0");
        assert!(problem().unwrap().contains("Manifest.plist"));
        write("Manifest.plist", "<plist><dict/></plist>");
        assert_eq!(problem(), None);
        let state = |state: &str| {
            format!("<plist><dict><key>SnapshotState</key><string>{state}</string></dict></plist>")
        };
        for (status, finished) in [
            (state("finished"), true),
            (state("uploading"), false),
            (String::new(), false),
            ("<plist><dict/></plist>".into(), false),
        ] {
            write("Status.plist", &status);
            assert_eq!(problem().is_none(), finished, "{status}");
        }
        write("Status.plist", &state("finished"));
        fs::create_dir(folder.path().join("Snapshot")).unwrap();
        assert!(problem().is_some());
    }

    #[test]
    fn dates_that_no_calendar_has_are_none() {
        for seconds in [f64::NAN, f64::INFINITY, -1e300, -1e10, 1e18, 9e11, 1e300] {
            let mut list = b"bplist00\xd1\x01\x02\x5f\x10\x10Last Backup Date\x33".to_vec();
            list.extend(seconds.to_be_bytes());
            let table = list.len() as u64;
            list.extend([8, 11, 30, 0, 0, 0, 0, 0, 0, 1, 1]);
            for word in [3, 0, table] {
                list.extend(word.to_be_bytes());
            }
            assert_eq!(info(&list).date, None, "{seconds}");
        }
    }
}
