//! The tables whose rows have an identity of their own, and the joins between them.

/// A table of the archive that keeps what it once held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Handle,
    Chat,
    Attachment,
    Message,
}

impl Kind {
    /// What is referred to comes before what refers to it.
    pub const ALL: [Kind; 4] = [Kind::Handle, Kind::Chat, Kind::Attachment, Kind::Message];

    /// Its number in `msgarchive_sighting`.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// Apple's name of the table.
    pub fn table(self) -> &'static str {
        match self {
            Kind::Handle => "handle",
            Kind::Chat => "chat",
            Kind::Attachment => "attachment",
            Kind::Message => "message",
        }
    }

    /// One row of it, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::Handle => "an address",
            Kind::Chat => "a chat",
            Kind::Attachment => "an attachment",
            Kind::Message => "a message",
        }
    }

    /// The columns by which a row is known, whichever database it is in.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Kind::Handle => &["id", "service"],
            _ => &["guid"],
        }
    }

    /// Columns that name a handle by its row id.
    pub fn refers_to_handles(self) -> &'static [&'static str] {
        match self {
            Kind::Message => &["handle_id", "other_handle"],
            _ => &[],
        }
    }

    /// What can differ without anybody seeing a difference: the state of iCloud and of indexes, what a device worked out
    /// by itself, and where it put a file. It is kept as it was when the row was new.
    pub fn immaterial(self) -> &'static [&'static str] {
        match self {
            Kind::Handle => &["person_centric_id", "uncanonicalized_id", "country"],
            Kind::Chat => &[
                "account_id",
                "ck_sync_state",
                "cloudkit_record_id",
                "engram_id",
                "is_archived",
                "last_read_message_timestamp",
                "server_change_token",
                "state",
                "successful_query",
                "syndication_date",
                "syndication_type",
            ],
            Kind::Attachment => &[
                "ck_record_id",
                "ck_server_change_token_blob",
                "ck_sync_state",
                "filename",
                "preview_generation_state",
                "transfer_state",
            ],
            Kind::Message => &[
                "account_guid",
                "cache_has_attachments",
                "cache_roomnames",
                "ck_chat_id",
                "ck_record_change_tag",
                "ck_record_id",
                "ck_sync_state",
                "has_dd_results",
                "index_state",
                "is_prepared",
                "needs_relay",
                "replace",
                "retry_count",
                "sort_id",
                "sr_ck_record_change_tag",
                "sr_ck_record_id",
                "sr_ck_sync_state",
                "synced_syndication_ranges",
                "syndication_ranges",
                "was_data_detected",
                "was_deduplicated",
            ],
        }
    }

    /// Of what is immaterial, what tells that there may be other bytes: a change of it makes a row news, and no other state.
    pub fn watched(self) -> &'static [&'static str] {
        match self {
            Kind::Attachment => &["transfer_state"],
            _ => &[],
        }
    }

    /// Columns that a row's hash leaves out: where the bytes of an attachment lie is known later than the row, and
    /// `msgarchive_content` says it, too.
    pub fn unhashed(self) -> &'static [&'static str] {
        match self {
            Kind::Attachment => &["filename"],
            _ => &[],
        }
    }

    /// Columns that are never taken: keys to Apple's servers.
    pub fn secret(self) -> &'static [&'static str] {
        match self {
            Kind::Attachment => &["user_info"],
            _ => &[],
        }
    }
}

/// A table that joins rows; one row of it says nothing but that.
#[derive(Debug)]
pub struct Join {
    pub table: &'static str,
    /// The columns that name rows, and of which table.
    pub ends: &'static [(&'static str, Kind)],
    /// Further columns that belong to its key.
    pub key: &'static [&'static str],
    /// Columns that an archive cannot do without.
    pub columns: &'static str,
    /// What a row of it says of its owner, for people.
    pub says: &'static str,
}

/// Where a message is; in the archive also after it was deleted.
pub const PLACES: &str = "chat_message_join";
/// Where Apple puts a message that is in Recently Deleted, instead.
pub const RECENTLY_DELETED: &str = "chat_recoverable_message_join";

/// What a message carries.
pub const CARRIED: &str = "message_attachment_join";

/// The joins that are kept.
pub const JOINS: [Join; 6] = [
    Join {
        table: "chat_handle_join",
        ends: &[("chat_id", Kind::Chat), ("handle_id", Kind::Handle)],
        key: &[],
        columns: "chat_id INTEGER, handle_id INTEGER",
        says: "its participant",
    },
    Join {
        table: "chat_lookup",
        ends: &[("chat", Kind::Chat)],
        key: &["identifier", "domain"],
        columns: "identifier TEXT, domain TEXT, chat INTEGER, priority INTEGER DEFAULT 0",
        says: "the identifier",
    },
    Join {
        table: "chat_service",
        ends: &[("chat", Kind::Chat)],
        key: &["service"],
        columns: "service TEXT, chat INTEGER",
        says: "its service",
    },
    Join {
        table: PLACES,
        ends: &[("chat_id", Kind::Chat), ("message_id", Kind::Message)],
        key: &[],
        columns: "chat_id INTEGER, message_id INTEGER, message_date INTEGER DEFAULT 0",
        says: "its place in the chat",
    },
    Join {
        table: CARRIED,
        ends: &[("message_id", Kind::Message), ("attachment_id", Kind::Attachment)],
        key: &[],
        columns: "message_id INTEGER, attachment_id INTEGER",
        says: "its attachment",
    },
    Join {
        table: "recoverable_message_part",
        ends: &[("chat_id", Kind::Chat), ("message_id", Kind::Message)],
        key: &["part_index"],
        columns: "chat_id INTEGER, message_id INTEGER, part_index INTEGER, delete_date INTEGER, part_text BLOB",
        says: "what Recently Deleted has of it in the chat",
    },
];

impl Join {
    /// It says something of messages.
    pub fn of_messages(&self) -> bool {
        self.ends.iter().any(|(_, kind)| *kind == Kind::Message)
    }

    /// The row that it says something of: the column that names it, and its table.
    pub fn owner(&self) -> (&'static str, Kind) {
        let of_message = self.ends.iter().find(|(_, kind)| *kind == Kind::Message);
        of_message.or(self.ends.first()).copied().unwrap_or(("chat", Kind::Chat))
    }

    /// The row that it joins with that one, if it is no text.
    pub fn other(&self) -> Option<(&'static str, Kind)> {
        self.ends.iter().copied().find(|end| *end != self.owner())
    }

    /// The columns that make two rows of it one, the owner's first.
    pub fn identity(&self) -> Vec<&'static str> {
        let owner = self.owner().0;
        let others = self.ends.iter().map(|(column, _)| *column).chain(self.key.iter().copied());
        std::iter::once(owner).chain(others.filter(|column| *column != owner)).collect()
    }

    /// The table that has a hash of each of its rows.
    pub fn book(&self) -> String {
        format!("msgarchive_{}", self.table)
    }
}
