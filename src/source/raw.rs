//! Rows as Apple wrote them, with neutral values for what an old schema lacks.
//!
//! **Must never**: interpret. Dates are raw numbers in Apple's two units, bodies and payloads are bytes.

use super::Content;
use crate::model::{DeletionReason, Message};

/// `chat.ROWID`; [`ChatId::ORPHANS`] stands for the rows that belong to no chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatId(pub i64);

impl ChatId {
    /// The chat of rows that are in no chat (and not in Recently Deleted of one either).
    pub const ORPHANS: ChatId = ChatId(i64::MIN);
}

/// A row of `chat`, with its members. A chat that only a join speaks of has its row id, members and rows, and nothing
/// else.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawChat {
    /// `chat.ROWID`.
    pub rowid: i64,
    /// True only for the chat that gathers rows of no chat; everything else is empty then.
    pub orphans: bool,
    pub guid: String,
    /// 45 one-to-one, 43 group.
    pub style: Option<i64>,
    pub chat_identifier: Option<String>,
    pub service_name: Option<String>,
    pub room_name: Option<String>,
    /// The owner's account: `E:` and an address, or `P:` and a number; either may be empty.
    pub account_login: Option<String>,
    pub display_name: Option<String>,
    /// Of an archive: what it was called before, the latest first.
    pub former_names: Vec<String>,
    pub group_id: Option<String>,
    pub original_group_id: Option<String>,
    pub is_filtered: i64,
    pub is_blackholed: i64,
    /// Binary plist.
    pub properties: Option<Vec<u8>>,
    /// `chat_handle_join`, in row order.
    pub handle_ids: Vec<i64>,
    /// `chat_lookup` (macOS 26): (domain, identifier) that lead to this chat.
    pub lookups: Vec<(String, String)>,
    /// `handle_id`s of the chat's messages that are not in `handle_ids`: former members.
    pub senders: Vec<i64>,
    /// Services that are known without reading the messages (`chat.service_name`, `chat_service`, the handles'),
    /// each once, sorted. Single messages may have others.
    pub services: Vec<String>,
    /// The latest `chat_message_join.message_date`, raw; 0 where the schema has none.
    pub last: i64,
    /// Rows in `chat_message_join` and `chat_recoverable_message_join` for this chat (for orphans: rows in neither).
    pub rows: u64,
    /// Of an archive: messages that were in this chat, and that nothing has any more; by row id.
    pub lost: Vec<LostRow>,
}

/// A message of an archive that damage took altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostRow {
    /// `message.ROWID`, as long as it was there.
    pub rowid: i64,
    /// When it was sent, raw, as its place in a chat says; 0 where that does not.
    pub date: i64,
}

impl RawChat {
    /// The chat's id for [`Session`](super::Session) calls.
    pub fn id(&self) -> ChatId {
        if self.orphans { ChatId::ORPHANS } else { ChatId(self.rowid) }
    }
}

/// A row of `handle`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawHandle {
    pub rowid: i64,
    pub id: String,
    pub service: Option<String>,
    pub country: Option<String>,
    pub uncanonicalized_id: Option<String>,
    pub person_centric_id: Option<String>,
}

/// A row of `message`, complete: with what hangs on it, so that nothing needs to be asked later.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawMessage {
    pub rowid: i64,
    /// The chat it was read for.
    pub chat: Option<ChatId>,
    /// The database file is damaged where this row lies: only `rowid`, `chat`, `date` and `deleted` are known.
    pub unreadable: bool,
    /// Of an archive: the row is not what was archived.
    pub damaged: bool,
    /// Of an archive as it was: what the row was then is lost, and this is what it was later, or before.
    pub otherwise_then: bool,
    /// Of an archive: what the row was last is lost, and this is what it was before that.
    pub last_is_lost: bool,
    pub guid: Option<String>,
    pub text: Option<String>,
    pub attributed_body: Option<Vec<u8>>,
    pub subject: Option<String>,
    pub service: Option<String>,
    /// 0 = the owner, or nobody.
    pub handle_id: i64,
    pub other_handle: i64,
    /// Raw: nanoseconds or seconds since 2001 (`messages-format.md` 3.1); 0 = not set.
    pub date: i64,
    pub date_read: i64,
    /// The owner has read it. Only read by [`survey`](super::Session::survey); `None`: not known.
    pub is_read: Option<bool>,
    /// It went out (`messages-format.md` 13.7). Only read by [`survey`](super::Session::survey); `None`: not known.
    pub is_sent: Option<bool>,
    /// Where it stands in synchronization. Only read by [`survey`](super::Session::survey); `None`: not known.
    pub sync: Option<SyncState>,
    pub date_delivered: i64,
    pub date_edited: i64,
    pub date_retracted: i64,
    pub is_from_me: bool,
    pub is_spam: bool,
    pub is_audio_message: bool,
    pub is_expirable: bool,
    pub expire_state: i64,
    pub error: i64,
    pub item_type: i64,
    pub group_title: Option<String>,
    pub group_action_type: i64,
    /// `None` in old rows.
    pub share_status: Option<i64>,
    pub share_direction: Option<i64>,
    pub associated_message_guid: Option<String>,
    pub associated_message_type: i64,
    pub associated_message_emoji: Option<String>,
    pub balloon_bundle_id: Option<String>,
    pub payload_data: Option<Vec<u8>>,
    pub message_summary_info: Option<Vec<u8>>,
    pub expressive_send_style_id: Option<String>,
    pub thread_originator_guid: Option<String>,
    pub thread_originator_part: Option<String>,
    pub schedule_type: i64,
    pub schedule_state: i64,
    /// macOS 27, of the row or of its join with the chat: 2 junk, 3 promotion, 4 transaction (`messages-format.md` 12.7).
    pub filter_action: i64,
    /// The owner's addresses as the row has them (`destination_caller_id`, `account`). Only read of polls and votes,
    /// and by [`survey`](super::Session::survey).
    pub own_addresses: Vec<String>,
    /// What sort of promotion or transaction.
    pub filter_sub_action: i64,
    /// Of an export: what it says already, where everything else here repeats what others need to see of it.
    pub exported: Option<Box<Message>>,
    /// In Recently Deleted: `delete_date` of `chat_recoverable_message_join`, raw.
    pub deleted: Option<i64>,
    /// Of an archive, and deleted: why.
    pub deletion_reason: DeletionReason,
    /// Of an archive, and deleted: why is a guess.
    pub deletion_guessed: bool,
    /// Of an archive, and deleted: when it was still there, raw, where `deleted` is when its absence was noticed.
    pub last_seen: Option<i64>,
    /// Of an archive, and no more in Recently Deleted: since when, raw.
    pub deletion_gone: Option<i64>,
    /// `recoverable_message_part`, by part.
    pub deleted_parts: Vec<DeletedPart>,
    /// Of an archive, where the sender changed the message: what it said before, the latest first.
    pub earlier: Vec<EarlierBody>,
    /// In the order of `message_attachment_join`.
    pub attachments: Vec<RawAttachment>,
    /// Rows whose `associated_message_guid` points here or (app updates) at one of those, by date, then row id:
    /// tapbacks, stickers, votes, app updates. They carry their own attachments, and no rows of their own.
    /// Empty where `target` is `Some`: a row is among the rows of exactly one other, or of none.
    pub associated: Vec<RawMessage>,
    /// Rows of other sources that say what one of `associated` says: to be counted with them, and not shown.
    pub again: Vec<RawMessage>,
    /// Which of several sources have it, by number; empty where there is only one.
    pub sources: Vec<u16>,
    /// It was united with a row of another source: to be counted, and not shown. Little else of it is here.
    pub repeats: bool,
    /// The row of `thread_originator_guid`, where it is in the source; bare: no attachments, nothing associated.
    pub originator: Option<Box<RawMessage>>,
    /// For a row with an `associated_message_guid` other than its own and a type other than 0 and 3 (a poll: of any
    /// type): the row in whose `associated` it is (for an update of an update, the first of them all). `None`: not in
    /// the source, or going round in circles.
    pub target: Option<Target>,
}

/// Where a row stands in Messages in iCloud (`messages-format.md` 14.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncState {
    /// `ck_sync_state`: 0 to be uploaded, 1, 8 and 9 synced, 2 failed.
    pub state: i64,
    /// `ck_record_id`; empty after a reset of synchronization.
    pub record: Option<String>,
    /// It never goes up, whatever its state: `was_detonated`, or not `is_finished`.
    pub stays_here: bool,
    /// `syndication_ranges` are not yet what iCloud was told (`synced_syndication_ranges`).
    pub ranges_pending: bool,
}

/// What a source says was deleted from it for good (`messages-format.md` 13.2, 14.4). Each list in row order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    /// GUIDs of messages: `deleted_messages`, `sync_deleted_messages`, `unsynced_removed_recoverable_messages`,
    /// `scheduled_messages_pending_cloudkit_delete`.
    pub messages: Vec<String>,
    /// GUIDs of chats: `sync_deleted_chats`.
    pub chats: Vec<String>,
    /// Deletions that iCloud was not told of yet; `None` where the database keeps no list of them.
    pub unsent: Option<UnsentDeletions>,
}

/// Deletions of things that are in iCloud, waiting to be sent there (`messages-format.md` 14.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnsentDeletions {
    /// Of `sync_deleted_messages` and `scheduled_messages_pending_cloudkit_delete` those with a record, and
    /// `unsynced_removed_recoverable_messages`.
    pub messages: u64,
    /// Of `sync_deleted_chats` those with a record.
    pub chats: u64,
    /// Of `sync_deleted_attachments` those with a record.
    pub attachments: u64,
}

/// A part of a message that its owner deleted by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeletedPart {
    pub index: i64,
    /// When it was moved to Recently Deleted, raw.
    pub date: i64,
    /// `part_text`, a body.
    pub body: Vec<u8>,
    /// Of an archive, and no more in Recently Deleted: since when, raw.
    pub gone: Option<i64>,
}

/// What a message said before it was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlierBody {
    pub text: Option<String>,
    pub attributed_body: Option<Vec<u8>>,
    /// When the sender had changed it last, by then (raw, nanoseconds); 0 for what was sent first.
    pub date_edited: i64,
    /// What else it was; `None` where only what it said is known.
    pub facts: Option<EarlierFacts>,
}

/// What the row of a message said of it before, beside its words: raw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlierFacts {
    /// The source that had it so is the one that has what is shown now, or one that took its place.
    pub is_of_same_source: bool,
    pub is_from_me: bool,
    pub handle_id: i64,
    pub date: i64,
    pub date_read: i64,
    pub date_delivered: i64,
    pub associated_message_type: i64,
    pub schedule_type: i64,
}

/// Where the row lies that an associated row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    pub rowid: i64,
    /// Its chat (the lowest row id, where it is in several), [`ChatId::ORPHANS`] where it is in none.
    pub chat: ChatId,
}

/// A row of `attachment`. Transfer secrets (`user_info`) are never read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawAttachment {
    /// Of its table; below 0 where a second table has attachments as well.
    pub rowid: i64,
    /// Of several sources, which rows it was made of: source and row id; empty where there is only one.
    pub rows: Vec<(u16, i64)>,
    pub guid: Option<String>,
    pub original_guid: Option<String>,
    /// The stored path, in one of the forms of `messages-format.md` 1.5.
    pub filename: Option<String>,
    pub transfer_name: Option<String>,
    pub uti: Option<String>,
    pub mime_type: Option<String>,
    /// 0, -1 and other negative values: unknown.
    pub total_bytes: i64,
    pub transfer_state: i64,
    pub ck_sync_state: i64,
    pub is_sticker: bool,
    pub hide_attachment: bool,
    pub emoji_image_short_description: Option<String>,
    /// Binary plist: where a sticker comes from and where it was placed. `None` of what is no sticker.
    pub sticker_user_info: Option<Vec<u8>>,
    /// Binary plist: the app it comes from, an accessibility label.
    pub attribution_info: Option<Vec<u8>>,
    /// The bytes, where they are here.
    pub content: Option<Content>,
    /// Of an export: they were there, and are not beside it.
    pub left_out: bool,
    /// They are not all of them: a copy was cut off, or a file of a bundle is missing.
    pub incomplete: bool,
    /// The film of a Live Photo, which has no row of its own: it lies beside its picture.
    pub companion: Option<Content>,
    /// Of an archive: other bytes that it has of it.
    pub former: Vec<FormerContent>,
}

/// Bytes of an attachment that an archive keeps beside those that are there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerContent {
    /// In the archive.
    pub path: String,
    /// Another source has them, or had.
    pub elsewhere: bool,
}

impl RawAttachment {
    /// Where its bytes are not here: iCloud has them (`messages-format.md` 11.6).
    pub fn is_in_icloud(&self) -> bool {
        is_attachment_synced(self.ck_sync_state) && matches!(self.transfer_state, 0 | 5)
    }
}

/// What an attachment's `ck_sync_state` says: whether iCloud has its record (`messages-format.md` 11.6).
pub fn is_attachment_synced(state: i64) -> bool {
    matches!(state, 1 | 4)
}
