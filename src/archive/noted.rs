//! What the tables of notes are of, for people.

use super::deleted_parts::DELETED_PARTS;
use super::deletions::STATES;
use super::guess::GUESSED;
use super::had::HAD;
use super::identifiers::{IDENTIFIERS, LOOKED_UP};
use super::kind::Kind;
use super::moves::{ELSEWHERE, FORMER_PLACES, MOVED};
use super::participants::{MEMBERS, PARTICIPANTS};
use super::recovered::FORMER_PARTS;
use super::sums::{ABSENCES, ALIASES, FILES, FORMERLY_PLACED, PLACED, SIGHTINGS};
use crate::source::contacts::CARDS;

/// What kind of row the rows of a table speak of, each of one.
pub fn kind_of(table: &str) -> Option<Kind> {
    match table {
        ABSENCES
        | MOVED
        | FORMER_PLACES
        | FORMER_PARTS
        | DELETED_PARTS
        | HAD
        | GUESSED
        | "msgarchive_message_version" => Some(Kind::Message),
        PLACED | FORMERLY_PLACED | "attachment" | "msgarchive_attachment_version" => Some(Kind::Attachment),
        PARTICIPANTS | IDENTIFIERS | "msgarchive_chat_version" => Some(Kind::Chat),
        _ => None,
    }
}

/// What the rows of a table say of that, for people.
pub fn what_is_noted(table: &str) -> &'static str {
    match table {
        ABSENCES => "of a message, when and why it is gone where it came from",
        MOVED => "of a message, since when it is in its conversation",
        FORMER_PLACES => "of a message, in which conversation it was before, and until when",
        ELSEWHERE => "of messages, in which conversations a source has them",
        FORMER_PARTS => "of a message, what of it was in Recently Deleted and came back",
        DELETED_PARTS => "of a message, since when and until when a part of it was in Recently Deleted",
        GUESSED => "of a message, whether it is a guess why it is gone",
        HAD => "of a message, since when and until when a source had it",
        "msgarchive_message_version" => "of a message, since when and until when it was what it was before",
        "msgarchive_chat_version" => "of a conversation, since when and until when it was what it was before",
        "msgarchive_attachment_version" => {
            "of an attachment, since when and until when it was what it was before"
        }
        PLACED => "of an attachment, where its bytes lie, and where and when they came from",
        FORMERLY_PLACED => "of an attachment, what other bytes it had",
        "attachment" => "of an attachment, where its file is",
        FILES => "of a file, its size, its hash, and when it was stored",
        ALIASES => "which message it is another GUID of",
        PARTICIPANTS => "of a conversation, who was in it, and when",
        MEMBERS => "of a conversation, whom a source had in it",
        IDENTIFIERS => "of a conversation, by what it was joined with others, and when",
        LOOKED_UP => "of a conversation, by what a source joins it with others",
        CARDS => "of a card of an address book, when it was there, and where",
        STATES => "until when a source is known to have been as it was read",
        SIGHTINGS => "since when a source has what it has",
        "msgarchive_lost" => "what an earlier run found lost of it",
        "msgarchive_handle" => "since when addresses are here, and where they came from",
        "msgarchive_chat" => "since when chats are here, and where they came from",
        "msgarchive_attachment" => "since when attachments are here, and where they came from",
        "msgarchive_message" => "since when messages are here, and where they came from",
        _ => "what was known of it",
    }
}
