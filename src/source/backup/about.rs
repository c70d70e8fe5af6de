use std::fs;
use std::path::Path;
use std::time::SystemTime;

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
    /// Reads what there is; `Info.plist` alone is large.
    pub fn read(folder: &Path) -> BackupInfo {
        let [info, manifest, status] =
            ["Info.plist", "Manifest.plist", "Status.plist"].map(|name| dictionary(&folder.join(name)));
        let text = |of: &Option<plist::Dictionary>, key: &str| {
            Some(of.as_ref()?.get(key)?.as_string()?.to_owned()).filter(|text| !text.is_empty())
        };
        let date = |of: &Option<plist::Dictionary>, key: &str| -> Option<SystemTime> {
            Some(of.as_ref()?.get(key)?.as_date()?.into())
        };
        let lockdown = manifest.as_ref().and_then(|m| m.get("Lockdown")?.as_dictionary().cloned());
        let encrypted = manifest.as_ref().and_then(|m| m.get("IsEncrypted")?.as_boolean()).unwrap_or(false);
        let listed =
            LISTS.iter().any(|name| fs::metadata(folder.join(name)).is_ok_and(|about| about.len() > 0));
        let unfinished = folder.join("Snapshot").is_dir()
            || text(&status, "SnapshotState").is_some_and(|state| state != "finished");
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
            device: text(&info, "Device Name")
                .or_else(|| text(&info, "Display Name"))
                .or_else(|| text(&lockdown, "DeviceName")),
            product: text(&info, "Product Type").or_else(|| text(&lockdown, "ProductType")),
            os: text(&info, "Product Version").or_else(|| text(&lockdown, "ProductVersion")),
            date: [date(&info, "Last Backup Date"), date(&status, "Date"), date(&manifest, "Date")]
                .into_iter()
                .flatten()
                .max(),
            encrypted,
            problem: problem.map(str::to_owned),
        }
    }
}

impl Keys {
    pub fn read(folder: &Path) -> Keys {
        let manifest = dictionary(&folder.join("Manifest.plist"));
        let data = |key: &str| Some(manifest.as_ref()?.get(key)?.as_data()?.to_vec());
        Keys { bag: data("BackupKeyBag"), manifest: data("ManifestKey") }
    }
}

/// `Info.plist` may have some 10 MB; what is much larger is none.
fn dictionary(file: &Path) -> Option<plist::Dictionary> {
    const LARGEST: u64 = 64 << 20;
    if fs::metadata(file).ok()?.len() > LARGEST {
        return None;
    }
    plist::Value::from_file(file).ok()?.into_dictionary()
}
