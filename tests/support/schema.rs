//! The schemas of `fixtures/schema`, one an era.

/// The database layout of one era.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    pub name: &'static str,
    pub sql: &'static str,
    /// Dates in nanoseconds; else in seconds.
    pub nanoseconds: bool,
    /// Of an iPhone: `sms.db`, paths below `~/Library/SMS`.
    pub device: bool,
}

macro_rules! schema {
    ($name:literal, $nanoseconds:literal) => {
        Schema {
            name: $name,
            sql: include_str!(concat!("../../fixtures/schema/", $name, ".sql")),
            nanoseconds: $nanoseconds,
            device: false,
        }
    };
}

impl Schema {
    pub const IOS_6: Schema = schema!("ios-6", false).on_device();
    pub const OSX_10_10: Schema = schema!("osx-10.10", false);
    pub const IOS_10: Schema = schema!("ios-10", false).on_device();
    pub const MACOS_10_13: Schema = schema!("macos-10.13", true);
    pub const MACOS_13: Schema = schema!("macos-13", true);
    pub const MACOS_15: Schema = schema!("macos-15", true);
    pub const MACOS_26: Schema = schema!("macos-26", true);
    pub const MACOS_27: Schema = schema!("macos-27", true);

    /// Oldest first.
    pub const ALL: [Schema; 8] = [
        Self::IOS_6,
        Self::OSX_10_10,
        Self::IOS_10,
        Self::MACOS_10_13,
        Self::MACOS_13,
        Self::MACOS_15,
        Self::MACOS_26,
        Self::MACOS_27,
    ];

    /// The same layout on an iPhone.
    pub const fn on_device(self) -> Schema {
        Schema { device: true, ..self }
    }

    /// `chat.db` or `sms.db`.
    pub fn file_name(&self) -> &'static str {
        if self.device { "sms.db" } else { "chat.db" }
    }

    /// The folder of the database, as paths in the database spell it.
    pub fn home(&self) -> &'static str {
        if self.device { "~/Library/SMS" } else { "~/Library/Messages" }
    }
}
