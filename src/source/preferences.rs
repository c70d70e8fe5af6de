//! Property lists that say how a device or a user has set Messages up. Every one of them may be missing, which says nothing.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::property_list::{Object, Plist, Value};

/// Real ones have some kilobytes.
const LARGEST: u64 = 1 << 20;

/// Gives the bytes of the list with this name in a device's or a user's `Library/Preferences`.
pub(super) type Preferences<'p> = &'p dyn Fn(&str) -> Option<Vec<u8>>;

/// A list of those that somebody's preferences have.
pub(super) fn list(preferences: Preferences<'_>, name: &str) -> Option<Plist<'static>> {
    preferences(name).and_then(|bytes| Plist::read(bytes.into()))
}

/// The preferences of whoever's messages are in `database`: `Messages` and `SMS` lie beside `Preferences`. Whose messages
/// a copy elsewhere has is not known.
pub(super) fn beside(database: &Path) -> impl Fn(&str) -> Option<Vec<u8>> + use<> {
    let folder = database.parent().filter(|folder| folder.ends_with("Messages") || folder.ends_with("SMS"));
    let preferences = folder.and_then(Path::parent).map(|library| library.join("Preferences"));
    move |name| {
        let file = preferences.as_ref()?.join(name);
        read(&mut fs::metadata(&file).ok()?.is_file().then(|| File::open(&file))?.ok()?)
    }
}

/// All of a list that is not too large.
pub(super) fn read(list: &mut dyn Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = list.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (read as u64 <= LARGEST).then_some(bytes)
}

/// A date that a calendar can show.
pub(super) fn date(list: Object<'_>, key: &str) -> Option<SystemTime> {
    /// From the Unix epoch to Apple's, 2001, in seconds.
    const SINCE_1970: f64 = 978_307_200.0;
    const LATEST: f64 = 1e11;
    let Value::Date(seconds) = list.get(key)?.value() else { return None };
    let since = Duration::try_from_secs_f64(seconds + SINCE_1970).ok()?;
    (seconds < LATEST).then(|| UNIX_EPOCH.checked_add(since)).flatten()
}
