//! Windows: every row once, in order, whatever the dates.

use msgarchive::source::ChatId;

use super::{altered, opened, read, rowids, try_read};
use crate::support::{Library, Schema};

/// Not random, but without a pattern that windows could follow.
fn scattered(n: i64) -> i64 {
    (n * 7919) % 101
}

#[test]
fn every_size_of_window_shows_the_same_rows_in_the_same_order() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let (ben, cleo) = (library.handle("ben@example.com", "SMS"), library.handle("cleo@example.com", "RCS"));
    let chats = [ana, ben, cleo].map(|handle| library.direct(handle));
    for n in 0..300 {
        // Many rows share an instant, and not all chats are alike.
        let date = 700_000_000_000_000_000 + scattered(n) * 1_000_000_000;
        let chat = chats[if n % 10 == 0 { 2 } else { (n % 2) as usize }];
        let message = library.message(chat).text("x").date_raw(date);
        if n % 50 == 7 {
            message.deleted("2024-05-01T00:00:00Z").id()
        } else {
            message.id()
        };
    }
    for n in 0..20 {
        library.orphan().text("lost").date_raw(700_000_000_000_000_000 + scattered(n) * 1_000_000_000).id();
    }
    // Once by ranges of the join's dates, once by a list of the rows, since one of those dates is wrong.
    let (_folder, source) = opened(&library);
    let wrong = "UPDATE chat_message_join SET message_date = message_date + 1 WHERE message_id = 7";
    let (_other_folder, listing) = altered(&library, wrong);
    let session = &mut *source.session().unwrap();
    let listing = &mut *listing.session().unwrap();
    for ids in [
        &[ChatId(1)][..],
        &[ChatId(1), ChatId(2)],
        &[ChatId(1), ChatId(2), ChatId(3), ChatId::ORPHANS],
        &[ChatId::ORPHANS],
    ] {
        let expected = try_read(session, ids, 1_000_000).unwrap();
        assert!(expected.is_sorted_by_key(|row| (row.date, row.guid.clone())));
        for size in [0, 1, 2, 3, 10, 64, 299] {
            let rows = try_read(session, ids, size).unwrap();
            assert_eq!(rowids(&rows), rowids(&expected), "{ids:?} by {size}");
            let rows = try_read(listing, ids, size).unwrap();
            assert_eq!(rowids(&rows), rowids(&expected), "{ids:?} by {size}, from a list");
        }
        // Windows are about as big as asked.
        let timeline = session.timeline(ids, 32).unwrap();
        for window in 0..timeline.len() {
            let rows = session.page(&timeline, window).unwrap();
            assert!(rows.len() <= 32 * 2 + 8, "{ids:?}: {}", rows.len());
            let instants = rows.first().zip(rows.last()).map(|(a, b)| (a.date, b.date));
            assert!(instants.is_some() || window + 1 == timeline.len(), "only the last may be empty");
        }
    }
    let timeline = session.timeline(&[ChatId(1)], 10).unwrap();
    assert!(session.page(&timeline, 1_000).unwrap().is_empty());
    assert!(session.timeline(&[ChatId(4711)], 10).unwrap().is_empty());
    assert!(session.timeline(&[], 10).unwrap().is_empty());
}

#[test]
fn one_instant_is_one_window() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for _ in 0..100 {
        library.message(chat).text("x").date_raw(700_000_000_000_000_000).id();
    }
    let (_folder, source) = opened(&library);
    let session = &mut *source.session().unwrap();
    let timeline = session.timeline(&[ChatId(1)], 8).unwrap();
    let sizes: Vec<usize> = (0..timeline.len()).map(|w| session.page(&timeline, w).unwrap().len()).collect();
    assert_eq!(sizes.iter().filter(|size| **size > 0).collect::<Vec<_>>(), [&100]);
}

#[test]
fn a_window_of_large_rows_is_read_in_parts() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let large = "words and words ".repeat(20_000);
    for n in 0..60 {
        let text = if n % 3 == 0 { large.as_str() } else { "x" };
        let date = 700_000_000_000_000_000 + n * 1_000_000_000;
        library.message(chat).text(text).date_raw(date).id();
    }
    let (_folder, source) = opened(&library);
    let wrong = "UPDATE chat_message_join SET message_date = message_date + 1 WHERE message_id = 7";
    let (_other_folder, listing) = altered(&library, wrong);
    for source in [source, listing] {
        let session = &mut *source.session().unwrap();
        let timeline = session.timeline(&[ChatId(1)], 512).unwrap();
        assert_eq!(timeline.len(), 1);
        let parts = session.parts(&timeline, 0).unwrap();
        assert!((3..=10).contains(&parts.len()), "{}", parts.len());
        let mut rows = Vec::new();
        for part in &parts {
            let part = session.read(&timeline, part).unwrap();
            let bytes: usize = part.iter().filter_map(|row| row.text.as_deref()).map(str::len).sum();
            assert!(bytes <= 5_000_000, "{bytes}");
            rows.extend(part);
        }
        let whole = session.page(&timeline, 0).unwrap();
        assert_eq!(rowids(&rows), rowids(&whole));
        assert_eq!(whole.len(), 60);
    }

    // Small ones are read at once.
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for n in 0..60 {
        library.message(chat).text("x").date_raw(700_000_000_000_000_000 + n).id();
    }
    let (_folder, source) = opened(&library);
    let session = &mut *source.session().unwrap();
    let timeline = session.timeline(&[ChatId(1)], 512).unwrap();
    assert_eq!(session.parts(&timeline, 0).unwrap().len(), 1);
    assert!(session.parts(&timeline, 9).unwrap().is_empty());
}

#[test]
fn seconds_and_nanoseconds_are_one_time() {
    // An upgraded database: old rows in seconds, new ones in nanoseconds.
    let upgraded = [400_000_000, 450_000_000, 500_000_000_000_000_000, 600_000_000_000_000_000];
    // A mixture that no index puts in order.
    let mixed = [650_000_000, 400_000_000, 500_000_000_000_000_000, 600_000_000_000_000_000, 1, 0];
    for (dates, expected) in [(&upgraded[..], &[1, 2, 3, 4][..]), (&mixed, &[6, 5, 2, 3, 4, 1])] {
        let mut library = Library::new(Schema::MACOS_15);
        let ana = library.handle("ana@example.com", "iMessage");
        let chat = library.direct(ana);
        for date in dates {
            library.message(chat).text("x").date_raw(*date).id();
        }
        let (_folder, source) = opened(&library);
        let session = &mut *source.session().unwrap();
        for size in [1, 2, 100] {
            assert_eq!(rowids(&try_read(session, &[ChatId(1)], size).unwrap()), expected);
        }
    }
}

#[test]
fn chats_in_different_units_are_one_time() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let (old, new) = (library.direct(ana), library.direct(ben));
    for n in 0..10 {
        library.message(old).text("x").date_raw(600_000_000 + 2 * n).id();
        library.message(new).text("x").date_raw((600_000_001 + 2 * n) * 1_000_000_000).id();
    }
    let (_folder, source) = opened(&library);
    let rows = read(&*source, &[ChatId(1), ChatId(2)]);
    assert_eq!(rowids(&rows), (1..=20).collect::<Vec<_>>());
}

#[test]
fn dates_in_the_join_are_not_believed_blindly() {
    // Never filled in: known before a row is read.
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for date in ["2024-01-03T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"] {
        library.message(chat).text("x").at(date).id();
    }
    for join in ["0", "NULL", "-1", "'soon'", "x'00'"] {
        library.sql(&format!("UPDATE chat_message_join SET message_date = {join} WHERE message_id = 2"));
        let (_folder, source) = opened(&library);
        let session = &mut *source.session().unwrap();
        assert_eq!(rowids(&try_read(session, &[ChatId(1)], 2).unwrap()), [2, 3, 1], "{join}");
    }
    // Stale, of one row or of two that have each other's.
    library.sql("UPDATE chat_message_join SET message_date = 5000000000000 WHERE message_id = 3");
    library.sql("UPDATE chat_message_join SET message_date = 6000000000000 WHERE message_id = 2");
    let (_folder, source) = opened(&library);
    let session = &mut *source.session().unwrap();
    assert_eq!(rowids(&try_read(session, &[ChatId(1)], 1).unwrap()), [2, 3, 1]);
    let swap = |own: i64, other: i64| {
        format!(
            "UPDATE chat_message_join SET message_date = (SELECT date FROM message WHERE ROWID = {other}) \
             WHERE message_id = {own}"
        )
    };
    library.sql(&swap(1, 1));
    library.sql(&swap(2, 3));
    library.sql(&swap(3, 2));
    let (_folder, source) = opened(&library);
    let session = &mut *source.session().unwrap();
    assert_eq!(rowids(&try_read(session, &[ChatId(1)], 1).unwrap()), [2, 3, 1]);
}

#[test]
fn rows_far_off_in_time_are_there() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for date in [i64::MAX, i64::MAX - 1, i64::MIN, -1, 999_999_999_999, 1_000_000_000_000] {
        library.message(chat).text("x").date_raw(date).id();
    }
    let (_folder, source) = opened(&library);
    assert_eq!(rowids(&read(&*source, &[ChatId(1)])), [3, 4, 6, 2, 1, 5]);
}
