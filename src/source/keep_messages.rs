use super::preferences::{self, Preferences};
use crate::property_list::{Object, Plist, Value};

/// How long a device keeps messages, by its setting: it explains what is not there, and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepMessages {
    Forever,
    /// 30 or 365, as far as Apple's settings go.
    Days(u32),
}

/// The property lists that may have the setting, the likeliest first. Some devices have a second one that differs in the case of a letter.
const LISTS: [&str; 3] = ["com.apple.MobileSMS.plist", "com.apple.mobileSMS.plist", "com.apple.iChat.plist"];
/// The key of iOS 17 and later; then that of the systems before, which stays behind when a device is updated
/// (`ios-backup-format.md` 9.2).
const KEYS: [&str; 2] = ["SSKeepMessages", "KeepMessageForDays"];

impl KeepMessages {
    /// `None`: no list has the setting, which says nothing.
    pub(super) fn of(preferences: Preferences<'_>) -> Option<KeepMessages> {
        let lists: Vec<Plist<'static>> =
            LISTS.iter().filter_map(|name| preferences::list(preferences, name)).collect();
        KEYS.into_iter().find_map(|key| lists.iter().find_map(|list| of_key(list.root(), key)))
    }
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
    use std::fs;

    use super::*;

    fn list(entries: &str) -> Vec<u8> {
        format!("<?xml version=\"1.0\"?><plist><dict>{entries}</dict></plist>").into_bytes()
    }

    /// Of lists, in the order of [`LISTS`].
    fn setting<const COUNT: usize>(lists: [Vec<u8>; COUNT]) -> Option<KeepMessages> {
        KeepMessages::of(&|name| lists.get(LISTS.iter().position(|known| *known == name)?).cloned())
    }

    #[test]
    fn the_newer_key_counts_and_none_says_nothing() {
        let old = |days: &str| list(&format!("<key>KeepMessageForDays</key><integer>{days}</integer>"));
        let new = list("<key>SSKeepMessages</key><integer>30</integer>");
        assert_eq!(setting([old("365")]), Some(KeepMessages::Days(365)));
        assert_eq!(setting([old("0"), new]), Some(KeepMessages::Days(30)));
        assert_eq!(setting([list(""), old("0")]), Some(KeepMessages::Forever));
        for nothing in [list(""), old("-1"), old("99999999999"), b"no list".to_vec(), Vec::new()] {
            assert_eq!(setting([nothing]), None);
        }
        assert_eq!(setting([list("<key>SSKeepMessages</key><string>30</string>")]), None);
    }

    #[test]
    fn a_library_has_it_beside_itself() {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("Library");
        fs::create_dir_all(library.join("Preferences")).unwrap();
        let setting = list("<key>KeepMessageForDays</key><integer>365</integer>");
        fs::write(library.join("Preferences/com.apple.iChat.plist"), &setting).unwrap();
        let of = |path: &str| KeepMessages::of(&preferences::beside(&library.join(path)));
        assert_eq!(of("Messages/chat.db"), Some(KeepMessages::Days(365)));
        assert_eq!(of("SMS/sms.db"), Some(KeepMessages::Days(365)));
        assert_eq!(of("Desktop/chat.db"), None, "whose messages a copy has is not known");
    }
}
