//! The columns that are read, and rows made of them (`messages-format.md` 2.8). A list and its function keep one order.

use rusqlite::Row;

use crate::source::database::Columns;
use crate::source::{RawAttachment, RawChat, RawMessage};

/// Seconds from the Unix epoch to 2001.
const UNIX_TO_2001: i64 = 978_307_200;

/// `flags` of text messages.
mod flags {
    /// Bit 0: by the owner. All values above 2 that are known have it.
    pub const FROM_ME: i64 = 1;
    /// Bit 5: 33 failed, 35 failed and tried again.
    pub const FAILED: i64 = 32;
    pub const DELETED: i64 = 129;
    pub const INVALID_RECIPIENT: i64 = 131;
}

/// `madrid_flags`, bit 2.
const MADRID_FROM_ME: i64 = 1 << 2;

/// What `message.error` of later databases says (`messages-format.md` 13.7).
mod error {
    pub const SEND_FAILED: i64 = 4;
    pub const RECIPIENT_INVALID: i64 = 21;
}

/// A raw date as later databases have it. In one table iMessages count seconds since 2001, texts since 1970.
fn date(raw: i64, imessage: bool) -> i64 {
    if raw == 0 || imessage { raw } else { raw.saturating_sub(UNIX_TO_2001) }
}

/// The name of a service, by the column of its row.
pub(super) fn service(stored: Option<String>, imessage: bool) -> String {
    match stored.filter(|stored| !stored.is_empty()) {
        _ if !imessage => "SMS".into(),
        Some(stored) if !stored.eq_ignore_ascii_case("madrid") => stored,
        _ => "iMessage".into(),
    }
}

/// With whom a row is, and when.
#[derive(Debug)]
pub(super) struct Place {
    pub rowid: i64,
    /// As later databases have it.
    pub date: i64,
    pub service: String,
    /// The other person: of what was received its sender.
    pub address: Option<String>,
    pub country: Option<String>,
    pub group: Option<i64>,
    pub room: Option<String>,
    /// A list of addresses, where nothing else says with whom.
    pub recipients: Option<Vec<u8>>,
}

pub(super) const PLACE: &[&str] = &[
    "rowid",
    "date",
    "is_madrid",
    "address",
    "country",
    "group_id",
    "madrid_handle",
    "madrid_roomname",
    "madrid_service",
];

/// A row of [`PLACE`], and the recipients.
pub(super) fn place(c: &mut Columns) -> Place {
    let (rowid, raw_date, imessage) = (c.number(), c.number(), c.flag());
    let (address, country, group) = (c.text(), c.text(), c.number());
    let (handle, room, stored_service) = (c.text(), c.text(), c.text());
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Place {
        rowid,
        date: date(raw_date, imessage),
        service: service(stored_service, imessage),
        address: if imessage { filled(handle).or(filled(address)) } else { filled(address) },
        country,
        group: (group > 0 && !imessage).then_some(group),
        room: filled(room).filter(|_| imessage),
        recipients: c.bytes(),
    }
}

pub(super) const MESSAGE: &[&str] = &[
    "rowid",
    "date",
    "is_madrid",
    "flags",
    "text",
    "subject",
    "address",
    "madrid_handle",
    "madrid_service",
    "madrid_guid",
    "madrid_attributedbody",
    "madrid_flags",
    "madrid_error",
    "madrid_date_read",
    "madrid_date_delivered",
];

/// A row of [`MESSAGE`], with nothing that hangs on it; and the other person's address.
pub(super) fn message(row: &Row<'_>) -> (RawMessage, Option<String>) {
    let mut c = Columns::from(row, 0);
    let (rowid, raw_date, imessage, flags) = (c.number(), c.number(), c.flag(), c.number());
    let (text, subject) = (c.text(), c.text());
    let (address, handle, stored_service) = (c.text(), c.text(), c.text());
    let (guid, attributed_body, madrid_flags) = (c.text(), c.bytes(), c.maybe_number());
    let (madrid_error, date_read, date_delivered) = (c.number(), c.number(), c.number());
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let is_from_me = match madrid_flags {
        Some(flags) if imessage => flags & MADRID_FROM_ME != 0,
        _ => flags & flags::FROM_ME != 0,
    };
    let error = match flags {
        _ if imessage => madrid_error,
        flags::INVALID_RECIPIENT => error::RECIPIENT_INVALID,
        _ if is_from_me && flags & flags::FAILED != 0 => error::SEND_FAILED,
        _ => 0,
    };
    let message = RawMessage {
        rowid,
        guid: guid.filter(|guid| !guid.is_empty()),
        text,
        attributed_body,
        subject,
        service: Some(service(stored_service, imessage)),
        date: date(raw_date, imessage),
        date_read: date(date_read, true),
        date_delivered: date(date_delivered, true),
        is_from_me,
        error,
        // When is not known.
        deleted: (!imessage && flags == flags::DELETED).then_some(0),
        ..RawMessage::default()
    };
    let address = if imessage { filled(handle).or(filled(address)) } else { filled(address) };
    (message, address)
}

pub(super) const ATTACHMENT: &[&str] =
    &["rowid", "attachment_guid", "filename", "uti_type", "mime_type", "transfer_state"];

/// A row of [`ATTACHMENT`], its content not looked for yet.
pub(super) fn attachment(row: &Row<'_>) -> RawAttachment {
    let mut c = Columns::from(row, 0);
    RawAttachment {
        rowid: c.number(),
        guid: c.text(),
        filename: c.text(),
        uti: c.text(),
        mime_type: c.text(),
        transfer_state: c.number(),
        ..RawAttachment::default()
    }
}

pub(super) const CHAT: &[&str] = &[
    "guid",
    "style",
    "properties",
    "chat_identifier",
    "service_name",
    "room_name",
    "account_login",
    "participants",
];

/// A row of [`CHAT`], without a row id, and the list of its participants.
pub(super) fn chat(c: &mut Columns) -> (RawChat, Option<Vec<u8>>) {
    let chat = RawChat {
        guid: c.text().unwrap_or_default(),
        style: c.maybe_number(),
        properties: c.bytes(),
        chat_identifier: c.text(),
        service_name: Some(service(c.text(), true)),
        room_name: c.text().filter(|room| !room.is_empty()),
        account_login: c.text(),
        ..RawChat::default()
    };
    (chat, c.bytes())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A row whose columns hold their own names, but for those given.
    fn read(values: &[(&str, &str)]) -> (RawMessage, Option<String>) {
        let value = |name: &&str| match values.iter().find(|(given, _)| given == name) {
            Some((_, value)) => (*value).to_owned(),
            None => format!("'{name}'"),
        };
        let select: Vec<String> = MESSAGE.iter().map(value).collect();
        let db = Connection::open_in_memory().unwrap();
        db.query_row(&format!("SELECT {}", select.join(", ")), [], |row| Ok(message(row))).unwrap()
    }

    #[test]
    fn a_list_and_its_function_keep_one_order() {
        let (text, address) = read(&[("rowid", "7"), ("date", "1300000000")]);
        assert_eq!((text.rowid, text.date), (7, 1_300_000_000 - 978_307_200));
        assert_eq!(text.text.as_deref(), Some("text"));
        assert_eq!(text.subject.as_deref(), Some("subject"));
        assert_eq!(text.service.as_deref(), Some("SMS"));
        assert_eq!(address.as_deref(), Some("address"));

        let of_madrid = [
            ("is_madrid", "1"),
            ("date", "340000000"),
            ("madrid_flags", "45061"),
            ("madrid_error", "3"),
            ("madrid_date_read", "340000020"),
            ("madrid_date_delivered", "340000010"),
        ];
        let (imessage, handle) = read(&of_madrid);
        assert_eq!(imessage.date, 340_000_000);
        assert_eq!((imessage.date_delivered, imessage.date_read), (340_000_010, 340_000_020));
        assert_eq!(imessage.error, 3);
        assert!(imessage.is_from_me);
        assert_eq!(imessage.guid.as_deref(), Some("madrid_guid"));
        assert_eq!(imessage.attributed_body.as_deref(), Some(&b"madrid_attributedbody"[..]));
        assert_eq!(imessage.service.as_deref(), Some("madrid_service"));
        assert_eq!(handle.as_deref(), Some("madrid_handle"));
    }

    /// `messages-format.md` 2.8: (flags, by the owner, error, deleted).
    #[test]
    fn flags_of_texts() {
        for (flags, from_me, error, deleted) in [
            ("NULL", false, 0, false),
            ("0", false, 0, false),
            ("2", false, 0, false),
            ("3", true, 0, false),
            ("33", true, 4, false),
            ("35", true, 4, false),
            ("129", true, 0, true),
            ("131", true, 21, false),
        ] {
            let (row, _) = read(&[("flags", flags), ("is_madrid", "NULL")]);
            assert_eq!(
                (row.is_from_me, row.error, row.deleted.is_some()),
                (from_me, error, deleted),
                "{flags}"
            );
        }
    }

    #[test]
    fn flags_of_imessages() {
        for (flags, from_me) in [
            ("4097", false),
            ("12289", false),
            ("77825", false),
            ("32773", true),
            ("36869", true),
            ("45061", true),
            ("102405", true),
        ] {
            let (row, _) = read(&[("madrid_flags", flags), ("is_madrid", "1"), ("flags", "0")]);
            assert_eq!(row.is_from_me, from_me, "{flags}");
        }
    }

    #[test]
    fn a_date_of_none_or_of_any_size() {
        assert_eq!([date(0, false), date(0, true)], [0, 0]);
        assert_eq!(date(i64::MIN, false), i64::MIN);
        assert_eq!(date(i64::MAX, true), i64::MAX);
    }
}
