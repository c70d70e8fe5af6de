//! The columns that are read, and rows made of them. A list and its function keep one order.

use rusqlite::Row;

use crate::source::as_of::DELETED_PARTS;
use crate::source::database::{Columns, Schema};
use crate::source::{
    DeletedPart, RawAttachment, RawHandle, RawMessage, SyncState, WeighedAttachment, WeighedMessage,
};

pub(super) const MESSAGE: &[&str] = &[
    "rowid",
    "guid",
    "text",
    "handle_id",
    "subject",
    "attributedbody",
    "service",
    "error",
    "date",
    "date_read",
    "date_delivered",
    "is_from_me",
    "is_audio_message",
    "is_expirable",
    "expire_state",
    "associated_message_guid",
    "associated_message_type",
    "balloon_bundle_id",
    "payload_data",
    "expressive_send_style_id",
    "message_summary_info",
    "is_spam",
    "thread_originator_guid",
    "thread_originator_part",
    "date_retracted",
    "date_edited",
    "associated_message_emoji",
    "schedule_type",
    "schedule_state",
    "filter_action",
    "filter_sub_action",
    // From here on only of announcements: most rows are none, and each column costs.
    "item_type",
    "other_handle",
    "group_title",
    "group_action_type",
    "share_status",
    "share_direction",
];

/// The columns of [`deleted_part`], of a part `p`.
pub(super) fn of_deleted_part(schema: &Schema) -> String {
    let [index, date, body] = ["part_index", "delete_date", "part_text"]
        .map(|name| schema.column("recoverable_message_part", "p", name));
    // Only archives tell, and not those that were made earlier.
    let gone = match schema.has_table(DELETED_PARTS) {
        true => {
            format!(
                "(SELECT g.gone FROM msgarchive_gone_part g WHERE g.message = p.message_id AND g.part = {index})"
            )
        }
        false => "NULL".into(),
    };
    format!("{index}, {date}, {body}, {gone}")
}

/// A row of [`of_deleted_part`].
pub(super) fn deleted_part(row: &Row<'_>) -> DeletedPart {
    let mut c = Columns::from(row, 0);
    DeletedPart {
        index: c.number(),
        date: c.number(),
        body: c.bytes().unwrap_or_default(),
        gone: c.maybe_number(),
    }
}

/// A row of [`MESSAGE`], with nothing that hangs on it.
pub(super) fn message(row: &Row<'_>) -> RawMessage {
    let mut c = Columns::from(row, 0);
    let mut message = RawMessage {
        rowid: c.number(),
        guid: c.text(),
        text: c.text(),
        handle_id: c.number(),
        subject: c.text(),
        attributed_body: c.bytes(),
        service: c.text(),
        error: c.number(),
        date: c.number(),
        date_read: c.number(),
        date_delivered: c.number(),
        is_from_me: c.flag(),
        is_audio_message: c.flag(),
        is_expirable: c.flag(),
        ..RawMessage::default()
    };
    message.expire_state = c.when(message.is_expirable, Columns::number);
    message.associated_message_guid = c.text();
    message.associated_message_type = c.number();
    message.balloon_bundle_id = c.text();
    message.payload_data = c.bytes();
    message.expressive_send_style_id = c.text();
    message.message_summary_info = c.bytes();
    message.is_spam = c.flag();
    message.thread_originator_guid = c.text();
    message.thread_originator_part = c.when(message.thread_originator_guid.is_some(), Columns::text);
    message.date_retracted = c.number();
    message.date_edited = c.number();
    message.associated_message_emoji = c.when(message.associated_message_type != 0, Columns::text);
    message.schedule_type = c.number();
    message.schedule_state = c.when(message.schedule_type != 0, Columns::number);
    message.filter_action = c.number();
    message.filter_sub_action = c.number();
    message.item_type = c.number();
    if message.item_type != 0 {
        message.other_handle = c.number();
        message.group_title = c.text();
        message.group_action_type = c.number();
        message.share_status = c.maybe_number();
        message.share_direction = c.maybe_number();
    }
    message
}

/// What a survey reads of a row besides [`MESSAGE`], and behind it.
pub(super) const SURVEY: &[&str] = &[
    "is_read",
    "is_sent",
    "destination_caller_id",
    "account",
    "ck_sync_state",
    "ck_record_id",
    "was_detonated",
    "is_finished",
    "syndication_ranges",
    "synced_syndication_ranges",
];

/// What it leaves out of [`MESSAGE`]: large, and only shown.
pub(super) const UNSURVEYED: &[&str] = &["payload_data"];

/// A row of [`MESSAGE`] and [`SURVEY`].
pub(super) fn surveyed(row: &Row<'_>) -> RawMessage {
    let mut message = message(row);
    let mut c = Columns::from(row, MESSAGE.len());
    message.is_read = c.maybe_number().map(|read| read != 0);
    message.is_sent = c.maybe_number().map(|sent| sent != 0);
    let addresses = [c.text(), c.text()].into_iter().flatten();
    message.own_addresses = addresses.filter(|address| !address.is_empty()).collect();
    message.sync = c.maybe_number().map(|state| SyncState {
        state,
        record: c.text(),
        stays_here: c.flag() | (c.maybe_number() == Some(0)),
        ranges_pending: {
            let (ranges, told) = (c.text(), c.text());
            ranges.is_some() && ranges != told
        },
    });
    message
}

/// What a weighing reads of a row, between its row id and its sizes.
pub(super) const WEIGHED: [&str; 11] = [
    "guid",
    "date",
    "date_edited",
    "date_retracted",
    "handle_id",
    "is_from_me",
    "service",
    "associated_message_type",
    "is_expirable",
    "expire_state",
    "ck_sync_state",
];

/// Hands on a row of [`WEIGHED`] and its sizes, with nothing of what joins say.
pub(super) fn weighed<T>(row: &Row<'_>, hand_on: impl FnOnce(WeighedMessage<'_>) -> T) -> T {
    let mut c = Columns::from(row, 0);
    let rowid = c.number();
    let guid = c.text_ref();
    let date = c.number();
    let changed = c.number().max(c.number());
    let (handle_id, is_from_me) = (c.number(), c.flag());
    let service = c.text_ref();
    let associated_message_type = c.number();
    let expirable = c.flag();
    let expired = expirable & c.flag();
    let sync = c.maybe_number();
    let mut bytes = || u64::try_from(c.number()).unwrap_or(0);
    let (text, body, payload, summary) = (bytes(), bytes(), bytes(), bytes());
    hand_on(WeighedMessage {
        rowid,
        guid: guid.as_deref(),
        date,
        changed,
        handle_id,
        is_from_me,
        service: service.as_deref(),
        associated_message_type,
        expired,
        sync,
        text,
        body,
        payload,
        summary,
        ..WeighedMessage::default()
    })
}

pub(super) const ATTACHMENT: &[&str] = &[
    "rowid",
    "guid",
    "filename",
    "uti",
    "mime_type",
    "transfer_state",
    "transfer_name",
    "total_bytes",
    "is_sticker",
    "hide_attachment",
    "ck_sync_state",
    "original_guid",
    "emoji_image_short_description",
    "attribution_info",
    // Only of stickers.
    "sticker_user_info",
];

/// A row of [`ATTACHMENT`], its content not looked for yet.
pub(super) fn attachment(row: &Row<'_>) -> RawAttachment {
    let mut c = Columns::from(row, 0);
    let mut attachment = RawAttachment {
        rowid: c.number(),
        guid: c.text(),
        filename: c.text(),
        uti: c.text(),
        mime_type: c.text(),
        transfer_state: c.number(),
        transfer_name: c.text(),
        total_bytes: c.number(),
        is_sticker: c.flag(),
        hide_attachment: c.flag(),
        ck_sync_state: c.number(),
        original_guid: c.text(),
        emoji_image_short_description: c.text(),
        attribution_info: c.bytes(),
        ..RawAttachment::default()
    };
    if attachment.is_sticker {
        attachment.sticker_user_info = c.bytes();
    }
    attachment
}

/// A row of [`ATTACHMENT`], with its state in synchronization and the date it was made, its content not looked for yet.
pub(super) fn weighed_attachment(row: &Row<'_>) -> WeighedAttachment {
    let mut c = Columns::from(row, ATTACHMENT.len());
    WeighedAttachment { source: 0, row: attachment(row), sync: c.maybe_number(), created: c.number() }
}

pub(super) const HANDLE: &[&str] =
    &["rowid", "id", "country", "service", "uncanonicalized_id", "person_centric_id"];

/// A row of [`HANDLE`].
pub(super) fn handle(row: &Row<'_>) -> RawHandle {
    let mut c = Columns::from(row, 0);
    RawHandle {
        rowid: c.number(),
        id: c.text().unwrap_or_default(),
        country: c.text(),
        service: c.text(),
        uncanonicalized_id: c.text(),
        person_centric_id: c.text(),
    }
}

pub(super) const CHAT: &[&str] = &[
    "rowid",
    "guid",
    "style",
    "properties",
    "chat_identifier",
    "service_name",
    "room_name",
    "display_name",
    "group_id",
    "is_filtered",
    "original_group_id",
    "is_blackholed",
    "account_login",
];

/// A row of [`CHAT`], without members and rows.
pub(super) fn chat(row: &Row<'_>) -> crate::source::RawChat {
    let mut c = Columns::from(row, 0);
    crate::source::RawChat {
        rowid: c.number(),
        guid: c.text().unwrap_or_default(),
        style: c.maybe_number(),
        properties: c.bytes(),
        chat_identifier: c.text(),
        service_name: c.text(),
        room_name: c.text(),
        display_name: c.text(),
        group_id: c.text(),
        is_filtered: c.number(),
        original_group_id: c.text(),
        is_blackholed: c.number(),
        account_login: c.text(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Each column holds its own name (or its position, where a number is wanted).
    #[test]
    fn a_list_and_its_function_keep_one_order() {
        let db = Connection::open_in_memory().unwrap();
        let select = |columns: &[&str], numbers: bool| -> String {
            let values: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(at, name)| match *name {
                    // Of an announcement, so that its columns are read.
                    "item_type" if !numbers => "1".into(),
                    "is_sticker" => "1".into(),
                    // So that what depends on them is read.
                    "associated_message_type" if !numbers => "1".into(),
                    _ if numbers => at.to_string(),
                    name => format!("'{name}'"),
                })
                .collect();
            format!("SELECT {}", values.join(", "))
        };
        let at = |columns: &[&str], name: &str| columns.iter().position(|c| *c == name).unwrap() as i64;

        let m = db.query_row(&select(MESSAGE, false), [], |row| Ok(message(row))).unwrap();
        for (name, value) in [
            ("guid", &m.guid),
            ("text", &m.text),
            ("subject", &m.subject),
            ("service", &m.service),
            ("group_title", &m.group_title),
            ("associated_message_guid", &m.associated_message_guid),
            ("balloon_bundle_id", &m.balloon_bundle_id),
            ("expressive_send_style_id", &m.expressive_send_style_id),
            ("thread_originator_guid", &m.thread_originator_guid),
            ("thread_originator_part", &m.thread_originator_part),
            ("associated_message_emoji", &m.associated_message_emoji),
        ] {
            assert_eq!(value.as_deref(), Some(name));
        }
        assert_eq!(m.attributed_body.as_deref(), Some(&b"attributedbody"[..]));
        assert_eq!(m.payload_data.as_deref(), Some(&b"payload_data"[..]));
        assert_eq!(m.message_summary_info.as_deref(), Some(&b"message_summary_info"[..]));

        let m = db.query_row(&select(MESSAGE, true), [], |row| Ok(message(row))).unwrap();
        for (name, value) in [
            ("rowid", m.rowid),
            ("handle_id", m.handle_id),
            ("error", m.error),
            ("date", m.date),
            ("date_read", m.date_read),
            ("date_delivered", m.date_delivered),
            ("item_type", m.item_type),
            ("other_handle", m.other_handle),
            ("group_action_type", m.group_action_type),
            ("share_status", m.share_status.unwrap()),
            ("share_direction", m.share_direction.unwrap()),
            ("expire_state", m.expire_state),
            ("associated_message_type", m.associated_message_type),
            ("date_retracted", m.date_retracted),
            ("date_edited", m.date_edited),
            ("schedule_type", m.schedule_type),
            ("schedule_state", m.schedule_state),
            ("filter_action", m.filter_action),
            ("filter_sub_action", m.filter_sub_action),
        ] {
            assert_eq!(value, at(MESSAGE, name), "{name}");
        }

        let both: Vec<&str> = MESSAGE.iter().chain(SURVEY).copied().collect();
        let m = db.query_row(&select(&both, false), [], |row| Ok(surveyed(row))).unwrap();
        assert_eq!(m.own_addresses, ["destination_caller_id", "account"]);
        let m = db.query_row(&select(&both, true), [], |row| Ok(surveyed(row))).unwrap();
        let state = at(&both, "ck_sync_state");
        let record = Some((state + 1).to_string());
        assert_eq!(m.sync, Some(SyncState { state, record, stays_here: true, ranges_pending: true }));
        assert_eq!((m.is_read, m.is_sent), (Some(true), Some(true)));

        let a = db.query_row(&select(ATTACHMENT, false), [], |row| Ok(attachment(row))).unwrap();
        for (name, value) in [
            ("guid", &a.guid),
            ("filename", &a.filename),
            ("uti", &a.uti),
            ("mime_type", &a.mime_type),
            ("transfer_name", &a.transfer_name),
            ("original_guid", &a.original_guid),
            ("emoji_image_short_description", &a.emoji_image_short_description),
        ] {
            assert_eq!(value.as_deref(), Some(name));
        }
        assert_eq!(a.sticker_user_info.as_deref(), Some(&b"sticker_user_info"[..]));
        assert_eq!(a.attribution_info.as_deref(), Some(&b"attribution_info"[..]));
        let h = db.query_row(&select(HANDLE, false), [], |row| Ok(handle(row))).unwrap();
        assert_eq!(h.id, "id");
        assert_eq!(h.country.as_deref(), Some("country"));
        assert_eq!(h.service.as_deref(), Some("service"));
        assert_eq!(h.uncanonicalized_id.as_deref(), Some("uncanonicalized_id"));
        assert_eq!(h.person_centric_id.as_deref(), Some("person_centric_id"));
        let c = db.query_row(&select(CHAT, false), [], |row| Ok(chat(row))).unwrap();
        assert_eq!(c.guid, "guid");
        for (name, value) in [
            ("chat_identifier", &c.chat_identifier),
            ("service_name", &c.service_name),
            ("room_name", &c.room_name),
            ("display_name", &c.display_name),
            ("group_id", &c.group_id),
            ("original_group_id", &c.original_group_id),
            ("account_login", &c.account_login),
        ] {
            assert_eq!(value.as_deref(), Some(name));
        }
    }

    /// One flag set at a time: the right field shows it, and no other.
    #[test]
    fn flags_are_told_apart() {
        let db = Connection::open_in_memory().unwrap();
        type Flag = fn(&RawMessage) -> bool;
        let flags: [(&str, Flag); 4] = [
            ("is_from_me", |m| m.is_from_me),
            ("is_audio_message", |m| m.is_audio_message),
            ("is_expirable", |m| m.is_expirable),
            ("is_spam", |m| m.is_spam),
        ];
        for (set, _) in flags {
            let values: Vec<&str> =
                MESSAGE.iter().map(|name| if *name == set { "1" } else { "NULL" }).collect();
            let m =
                db.query_row(&format!("SELECT {}", values.join(", ")), [], |row| Ok(message(row))).unwrap();
            for (name, get) in flags {
                assert_eq!(get(&m), name == set, "{name} where {set} is set");
            }
        }
    }
}
