//! A local backup of an iPhone or iPad, plain or encrypted, from iOS 4 on: its Messages database, attachments and contacts
//! (`ios-backup-format.md`).
//!
//! Nothing of an encrypted backup ever lies on a disk under a name: its databases are decrypted into files that have
//! none, its attachments as they are read.
//!
//! **Must never**: write to the backup, keep a password longer than deriving the keys takes, or decrypt what was not
//! asked for.

mod about;
mod address_book;
mod decrypt;
mod device;
mod keybag;
mod manifest;
mod messages;
mod password;
#[cfg(test)]
mod random;
mod sealed;
mod store;

pub use about::{BackupInfo, is_backup};
pub(super) use device::DeviceFolder;
pub use password::Password;
pub use sealed::{SealedFile, SealedReader};
pub(super) use store::{Backup, keep_messages_of_plain};

/// Where Messages keeps its database, and what it sends and receives.
const HOME: &str = "HomeDomain";
const MEDIA: &str = "MediaDomain";
const LIBRARY: &str = "Library/SMS/";
const MESSAGES: &str = "Library/SMS/sms.db";
const ADDRESS_BOOK: &str = "Library/AddressBook/AddressBook.sqlitedb";
const PREFERENCES: &str = "Library/Preferences/";
/// What attachments are named below.
const STORES: [&str; 3] = ["Attachments/", "StickerCache/", "Parts/"];
