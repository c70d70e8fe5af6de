use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::property_list::{Object, Plist, Value};

/// How long a device keeps messages, by its setting: it explains what is not there, and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepMessages {
    Forever,
    /// 30 or 365, as far as Apple's settings go.
    Days(u32),
}

/// The property lists that may have the setting, the likeliest first, in a device's or a user's
/// `Library/Preferences`. Some devices have a second one that differs in the case of a letter.
pub(super) const LISTS: [&str; 3] =
    ["com.apple.MobileSMS.plist", "com.apple.mobileSMS.plist", "com.apple.iChat.plist"];
/// The key of iOS 17 and later; then that of the systems before, which stays behind when a device is updated
/// (`ios-backup-format.md` 9.2).
const KEYS: [&str; 2] = ["SSKeepMessages", "KeepMessageForDays"];
/// Real ones have some kilobytes.
const LARGEST: u64 = 1 << 20;

impl KeepMessages {
    /// The setting in any of these lists. `None`: they do not have it, which says nothing.
    pub(super) fn of_lists(lists: impl IntoIterator<Item = Vec<u8>>) -> Option<KeepMessages> {
        let lists: Vec<Plist<'static>> =
            lists.into_iter().filter_map(|bytes| Plist::read(bytes.into())).collect();
        KEYS.into_iter().find_map(|key| lists.iter().find_map(|list| of_key(list.root(), key)))
    }

    /// That of whoever's messages are in `database`: `Messages` and `SMS` lie beside `Preferences`.
    pub(super) fn beside(database: &Path) -> Option<KeepMessages> {
        let folder =
            database.parent().filter(|folder| folder.ends_with("Messages") || folder.ends_with("SMS"))?;
        let preferences = folder.parent()?.join("Preferences");
        let files = LISTS.map(|name| preferences.join(name));
        let whole =
            |file: &Path| read(&mut fs::metadata(file).ok()?.is_file().then(|| File::open(file))?.ok()?);
        KeepMessages::of_lists(files.iter().filter_map(|file| whole(file)))
    }
}

/// All of a list that is not too large.
pub(super) fn read(list: &mut dyn Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = list.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (read as u64 <= LARGEST).then_some(bytes)
}

fn of_key(list: Object<'_>, key: &str) -> Option<KeepMessages> {
    match list.get(key)?.value() {
        Value::Int(0) => Some(KeepMessages::Forever),
        Value::Int(days) => u32::try_from(days).ok().map(KeepMessages::Days),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &str) -> Vec<u8> {
        format!("<?xml version=\"1.0\"?><plist><dict>{entries}</dict></plist>").into_bytes()
    }

    #[test]
    fn the_newer_key_counts_and_none_says_nothing() {
        let old = |days: &str| list(&format!("<key>KeepMessageForDays</key><integer>{days}</integer>"));
        let new = list("<key>SSKeepMessages</key><integer>30</integer>");
        assert_eq!(KeepMessages::of_lists([old("365")]), Some(KeepMessages::Days(365)));
        assert_eq!(KeepMessages::of_lists([old("0"), new]), Some(KeepMessages::Days(30)));
        assert_eq!(KeepMessages::of_lists([list(""), old("0")]), Some(KeepMessages::Forever));
        for nothing in [list(""), old("-1"), old("99999999999"), b"no list".to_vec(), Vec::new()] {
            assert_eq!(KeepMessages::of_lists([nothing]), None);
        }
        assert_eq!(KeepMessages::of_lists([list("<key>SSKeepMessages</key><string>30</string>")]), None);
    }

    #[test]
    fn a_library_has_it_beside_itself() {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("Library");
        fs::create_dir_all(library.join("Preferences")).unwrap();
        let setting = list("<key>KeepMessageForDays</key><integer>365</integer>");
        fs::write(library.join("Preferences/com.apple.iChat.plist"), &setting).unwrap();
        let of = |path: &str| KeepMessages::beside(&library.join(path));
        assert_eq!(of("Messages/chat.db"), Some(KeepMessages::Days(365)));
        assert_eq!(of("SMS/sms.db"), Some(KeepMessages::Days(365)));
        assert_eq!(of("Desktop/chat.db"), None, "whose messages a copy has is not known");
    }
}
