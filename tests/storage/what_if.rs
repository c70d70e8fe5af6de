//! What deleting some of it would free.

use msgarchive::pipeline::select::{Has, Selection};
use msgarchive::storage::WhatIf;
use tempfile::TempDir;

use super::{Plain, estimated, rich, what_if};
use crate::support::{Library, Schema};

#[test]
fn everything_frees_what_messages_have() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let plain = Plain::read(&database);
    let freed = what_if(&database, WhatIf::default());
    assert_eq!(freed.messages as usize, plain.messages.len());
    assert_eq!(freed.attachments as usize, plain.pairs.len());
    let bytes = plain.messages.iter().map(|row| row.high).chain(plain.pairs.iter().map(|pair| pair.bytes));
    assert_eq!(freed.high, bytes.sum::<u64>());
    assert!(freed.low <= freed.high);
}

#[test]
fn kinds_sizes_dates_and_people_select() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let plain = Plain::read(&database);
    let until: chrono::DateTime<chrono::Utc> = "2023-12-01T00:00:00Z".parse().unwrap();
    let raw = (until.timestamp() - 978_307_200) * 1_000_000_000;
    let selection = Selection { until: Some(until), ..Selection::default() };
    let larger = 500_000;
    let freed = what_if(&database, WhatIf { selection, has: vec![Has::Video], larger: Some(larger) });
    let meant: Vec<_> = plain
        .pairs
        .iter()
        .filter(|pair| pair.name.ends_with(".mov") && !pair.sticker)
        .filter(|pair| pair.bytes > larger && pair.message.date < raw)
        .collect();
    assert!(!meant.is_empty());
    assert_eq!((freed.messages, freed.attachments), (0, meant.len() as u64));
    assert_eq!(freed.high, meant.iter().map(|pair| pair.bytes).sum::<u64>());

    let with = Selection { only: vec!["ben@example.com".into()], ..Selection::default() };
    let freed = what_if(&database, WhatIf { selection: with, ..WhatIf::default() });
    let messages = plain.messages.iter().filter(|row| row.chat == Some(3));
    let pairs = plain.pairs.iter().filter(|pair| pair.message.chat == Some(3));
    assert_eq!(
        (freed.messages, freed.attachments),
        (messages.clone().count() as u64, pairs.clone().count() as u64)
    );
    assert_eq!(freed.high, messages.map(|row| row.high).chain(pairs.map(|pair| pair.bytes)).sum::<u64>());
}

/// A content that stays elsewhere may not be freed.
#[test]
fn what_stays_elsewhere_is_in_the_upper_figure_only() {
    let folder = TempDir::new().unwrap();
    let mut library = Library::new(Schema::MACOS_26);
    let (ana, ben) = (library.handle("+12025550143", "iMessage"), library.handle("+12025550144", "iMessage"));
    let (first, second) = (library.direct(ana), library.direct(ben));
    let shared = library.attachment("a.mov").size(70_000).in_icloud().id();
    let twin = library.attachment("b.mov").size(9_000).in_icloud().id();
    let other = library.attachment("c.mov").size(9_000).in_icloud().id();
    let own = library.attachment("d.mov").size(500).in_icloud().id();
    for attachment in [shared, twin, own, own] {
        library.message(first).from(ana).at("2020-01-01T12:00:00Z").joined(attachment);
    }
    for attachment in [shared, other] {
        library.message(second).from(ben).at("2020-01-01T12:00:00Z").joined(attachment);
    }
    let database = library.write(folder.path());
    let selection = Selection { only: vec!["+12025550143".into()], ..Selection::default() };
    let freed = what_if(&database, WhatIf { selection, has: vec![Has::Video], larger: None });
    assert_eq!((freed.attachments, freed.low, freed.high), (4, 500, 80_000));
}

#[test]
fn apples_figure_leaves_something_open() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let found = estimated(&database, |options| options.icloud_total = Some(1_000_000_000));
    let icloud = found.icloud.unwrap();
    assert_eq!(icloud.unexplained_low, 1_000_000_000 - i128::from(found.total.high));
    assert_eq!(icloud.unexplained_high, 1_000_000_000 - i128::from(found.total.low));
    let found = estimated(&database, |options| options.icloud_total = Some(1));
    assert!(found.icloud.unwrap().unexplained_high < 0);
}
