/// What a figure rests on that the database does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assumption {
    /// Whether iCloud keeps equal contents once: the lower figure says once, the upper one each time. `read`: contents
    /// were compared by their bytes; else two files of one size may be the same.
    Duplicates { read: bool },
    /// The schema has no word on synchronization: the lower figure takes everything as synchronized.
    SyncUnknown,
    /// Nothing here is marked as synchronized.
    NeverSynced,
    /// So many messages and attachments are not marked as synchronized: only in the upper figure.
    NotSynced { messages: u64, attachments: u64 },
    /// So many attachments of which nothing says how large they are: in no figure.
    SizeUnknown { attachments: u64 },
    /// What is hidden or deleted is in the upper figure only.
    HiddenAndDeleted,
    /// The schema does not know Recently Deleted.
    RecentlyDeletedUnknown,
    /// Texts are counted as they are stored here; iCloud may store them otherwise.
    Texts,
    /// Other devices may have what this one never saw.
    OtherDevices,
    /// So many messages have no date: as old as can be for Keep Messages.
    Undated { messages: u64 },
    /// So many rows cannot be read: the file is damaged.
    Unreadable { messages: u64 },
    /// In an archive, what was deleted where it came from counts as deleted.
    Archive,
    /// Keep Messages goes by each message's own date; how Messages itself counts is not documented.
    Purge,
}
