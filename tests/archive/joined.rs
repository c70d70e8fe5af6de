//! What joins rows — who is in a chat, which chat a message is in, what it carries — is vouched for like the rows: damage
//! is named by the message or the chat, and a run with the source at hand mends it.

use std::fs;

use rusqlite::Connection;

use super::add;
use super::damage::{Kept, mended};
use super::device::Device;
use crate::support::Schema;

#[test]
fn a_message_that_is_in_no_chat_any_more() {
    mended(
        |kept| kept.sql("DELETE FROM chat_message_join WHERE message_id = 3"),
        &[
            "join: of a message, its place in the chat any;-;+12025550143 (in chat_message_join) is gone (F3B8488C-",
            "count: chat_message_join has 30 rows instead of 31",
        ],
    );
}

#[test]
fn a_message_that_is_in_another_chat() {
    mended(
        |kept| kept.sql("UPDATE chat_message_join SET chat_id = 9 WHERE message_id = 3"),
        &[
            "its place in the chat any;-;+12025550143 (in chat_message_join) is gone",
            "row 9 of chat (in chat_message_join) was written by no run",
        ],
    );
    mended(
        |kept| kept.sql("UPDATE chat_message_join SET message_id = 40 WHERE message_id = 3"),
        &["(in chat_message_join) is gone (F3B8488C-"],
    );
    mended(
        |kept| kept.sql("UPDATE chat_message_join SET message_date = 12 WHERE message_id = 4"),
        &["(in chat_message_join) is damaged (C2D326E0-"],
    );
    mended(
        |kept| kept.sql("INSERT INTO chat_message_join SELECT * FROM chat_message_join WHERE message_id = 4"),
        &["(in chat_message_join) is there twice (C2D326E0-"],
    );
}

#[test]
fn what_a_message_carries() {
    for damage in
        ["DELETE FROM message_attachment_join", "UPDATE message_attachment_join SET attachment_id = 5"]
    {
        mended(|kept| kept.sql(damage), &["of a message, its attachment at_1_53CB9F0C-"]);
    }
}

#[test]
fn who_is_in_a_chat() {
    for damage in ["DELETE FROM chat_handle_join", "UPDATE chat_handle_join SET chat_id = 5"] {
        mended(
            |kept| kept.sql(damage),
            &["of a chat, its participant +12025550143 (in chat_handle_join) is gone (any;-;+12025550143)"],
        );
    }
}

/// The hashes themselves, and what they are kept by.
#[test]
fn the_book_of_joins() {
    mended(
        |kept| kept.sql("UPDATE msgarchive_chat_message_join SET hash = zeroblob(16) WHERE message_id = 3"),
        &["(in chat_message_join) is damaged (F3B8488C-"],
    );
    for damage in [
        "UPDATE msgarchive_chat_message_join SET chat_id = 9 WHERE message_id = 3",
        "UPDATE msgarchive_chat_message_join SET message_id = 40 WHERE message_id = 3",
        "DELETE FROM msgarchive_chat_message_join WHERE message_id = 3",
    ] {
        mended(|kept| kept.sql(damage), &["(in chat_message_join) was written by no run (F3B8488C-"]);
    }
    let kept = Kept::new();
    let db = Connection::open(kept.path().join("chat.db")).unwrap();
    db.execute_batch("DROP TABLE msgarchive_chat_message_join").unwrap();
    assert_eq!(
        kept.found(),
        [
            "database: msgarchive_chat_message_join, of which the database is made, is not as it was made (chat.db)",
            "join: msgarchive_chat_message_join is gone; the next `archive` run makes it of what there is then ()"
        ]
    );
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
}

/// Wherever in the file a bit of it flips: in the row, in an index, in the message.
#[test]
fn a_flipped_bit_in_a_join() {
    const DATE: i64 = 0x0a1b_2c3d_4e5f_6071;
    let mut flipped = 0;
    for at in 0.. {
        let kept = Kept::new();
        let library = Connection::open(kept.library().join("chat.db")).unwrap();
        for sql in [
            "UPDATE message SET date = ?1 WHERE ROWID = 9",
            "UPDATE chat_message_join SET message_date = ?1 WHERE message_id = 9",
        ] {
            library.execute(sql, [DATE]).unwrap();
        }
        drop(library);
        kept.run(4);
        let path = kept.path().join("chat.db");
        let mut bytes = fs::read(&path).unwrap();
        let places: Vec<usize> =
            (0..bytes.len() - 8).filter(|at| bytes[*at..*at + 8] == DATE.to_be_bytes()).collect();
        let Some(place) = places.get(at) else { break };
        bytes[place + 3] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        let found = kept.found();
        assert!(!found.is_empty(), "{at} of {places:?}");
        kept.run(5);
        assert_eq!(kept.found(), [""; 0], "{at}: {found:#?}");
        let joined =
            "FROM message m JOIN chat_message_join j ON j.message_id = m.ROWID AND j.message_date = m.date";
        let states = "(SELECT date FROM message UNION ALL SELECT date FROM msgarchive_message_version)";
        let ninth = format!("SELECT count(*) FROM {states} WHERE date = {DATE}");
        assert_eq!(kept.count(&ninth), 1, "{at}: {found:#?}");
        assert_eq!(kept.count(&format!("SELECT count(*) {joined}")), 31, "{at}: {found:#?}");
        assert_eq!(kept.count("SELECT count(*) FROM msgarchive_message_version"), 1, "{at}: {found:#?}");
        flipped += 1;
    }
    // In the message, its index by date, the join, and its index by date.
    assert!(flipped >= 4, "{flipped}");
}

/// What a source may have stays missing until it is at hand, and is told until then. What none can have is lost, and the
/// run says so.
#[test]
fn what_is_not_at_hand_is_told_again() {
    for at_hand in [false, true] {
        let kept = Kept::new();
        let chat = "INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (8, 3, 0)";
        kept.sql(chat);
        kept.sql(
            "INSERT INTO msgarchive_chat_message_join (chat_id, message_id, hash) VALUES (7, 3, zeroblob(16))",
        );
        assert_eq!(kept.found().len(), 3);
        if at_hand {
            kept.run(4);
        } else {
            let other = tempfile::tempdir().unwrap();
            Device::new(other.path(), Schema::MACOS_15.on_device()).receive("P", 0, 700_000_000, "another");
            add(&kept.path(), &[&other.path().join("sms.db")], 4 * 86_400).unwrap();
        }
        let found = kept.found();
        let tells = |what: &str| found.iter().any(|line| line.contains(what));
        let told = (tells("row 8 of chat"), tells("row 7 of chat (in chat_message_join) is gone"));
        let lost = kept.check(true).lost;
        let is_lost = lost.iter().any(|lost| lost.thing.what.contains("its place in the chat"));
        assert_eq!((told, is_lost), ((!at_hand, !at_hand), at_hand), "{found:#?} {lost:#?}");
    }
}
