use crate::model::Instant;
use crate::property_list::{Object, Value};

use super::preferences::{self, Preferences};

/// What a device's own settings say of Messages in iCloud (`messages-format.md` 1.1, 14.1). Each may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ICloudSettings {
    /// It is switched on: `CloudKitSyncingEnabled`.
    pub enabled: Option<bool>,
    /// When it last ran: `CloudKitSyncDate`.
    pub last_sync: Option<Instant>,
    /// How much of the last download was done, in percent, rounded down: `CloudKitLastDownloadProgress`.
    pub downloaded_percent: Option<u8>,
    /// iCloud has more to download: `CloudKitHasAvailableRecordsToDownload`.
    pub has_more: Option<bool>,
}

/// The list that has them.
const LIST: &str = "com.apple.madrid.plist";

impl ICloudSettings {
    /// `None`: no list, or one that says nothing of it.
    pub(super) fn of(preferences: Preferences<'_>) -> Option<ICloudSettings> {
        let list = preferences::list(preferences, LIST)?;
        let list = list.root();
        let settings = ICloudSettings {
            enabled: flag(list, "CloudKitSyncingEnabled"),
            last_sync: preferences::date(list, "CloudKitSyncDate").map(Instant::from),
            downloaded_percent: percent(list, "CloudKitLastDownloadProgress"),
            has_more: flag(list, "CloudKitHasAvailableRecordsToDownload"),
        };
        (settings != ICloudSettings::default()).then_some(settings)
    }
}

/// Programs write 0 and 1, too.
fn flag(list: Object<'_>, key: &str) -> Option<bool> {
    match list.get(key)?.value() {
        Value::Bool(flag) => Some(flag),
        Value::Int(number) => Some(number != 0),
        _ => None,
    }
}

fn percent(list: Object<'_>, key: &str) -> Option<u8> {
    let share = match list.get(key)?.value() {
        Value::Real(share) => share,
        Value::Int(share) => share as f64,
        _ => return None,
    };
    (0.0..=1.0).contains(&share).then(|| (share * 100.0).floor() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(entries: &str) -> Option<ICloudSettings> {
        let list = format!("<?xml version=\"1.0\"?><plist><dict>{entries}</dict></plist>");
        ICloudSettings::of(&|name| (name == LIST).then(|| list.clone().into_bytes()))
    }

    #[test]
    fn what_the_list_says_is_said_and_nothing_else() {
        let all = settings(
            "<key>CloudKitSyncingEnabled</key><true/><key>CloudKitSyncDate</key><date>2024-05-01T10:00:00Z</date>\
             <key>CloudKitLastDownloadProgress</key><real>0.995</real>\
             <key>CloudKitHasAvailableRecordsToDownload</key><integer>0</integer>",
        );
        let all = all.unwrap();
        assert_eq!((all.enabled, all.downloaded_percent, all.has_more), (Some(true), Some(99), Some(false)));
        assert_eq!(all.last_sync.unwrap().to_rfc3339(), "2024-05-01T10:00:00+00:00");
        let done = settings("<key>CloudKitLastDownloadProgress</key><integer>1</integer>").unwrap();
        assert_eq!((done.enabled, done.downloaded_percent), (None, Some(100)));
        for nothing in [
            "",
            "<key>CloudKitSyncingEnabled</key><string>yes</string>",
            "<key>CloudKitLastDownloadProgress</key><real>7</real>",
        ] {
            assert_eq!(settings(nothing), None, "{nothing}");
        }
        assert_eq!(ICloudSettings::of(&|_| None), None);
    }
}
