//! Totals, and every way of dividing them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use chrono::{DateTime, Datelike};
use msgarchive::storage::{Amount, Category, Estimate, Who};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{MessageRow, Pair, Plain, estimated, rich, rich_of};

/// Something that is counted, with what it adds.
struct Counted<'p> {
    message: Option<&'p MessageRow>,
    category: Category,
    low: u64,
    high: u64,
}

fn category(pair: &Pair) -> Category {
    let extension = pair.name.rsplit('.').next().unwrap();
    match extension {
        "pluginPayloadAttachment" => Category::LinkPreviews,
        _ if pair.sticker => Category::GifsAndStickers,
        "gif" => Category::GifsAndStickers,
        "heic" => Category::Photos,
        "mov" => Category::Videos,
        "caf" => Category::Audio,
        // A type is stated for everything else.
        _ => Category::Documents,
    }
}

/// What the figures are made of, by the letter of what the program promises.
fn everything<'p>(plain: &'p Plain, alone: &[Pair]) -> Vec<Counted<'p>> {
    let mut all: Vec<Counted> = plain
        .messages
        .iter()
        .map(|row| Counted { message: Some(row), category: Category::Messages, low: row.low, high: row.high })
        .collect();
    let mut pairs: Vec<&Pair> = plain.pairs.iter().collect();
    pairs.sort_by_key(|pair| (pair.message.date, pair.message.rowid, pair.attachment));
    let mut sizes = HashSet::new();
    for pair in pairs {
        let visible = !pair.hidden && !pair.name.ends_with("pluginPayloadAttachment");
        let counted = visible && pair.synced && !pair.message.deleted && sizes.insert(pair.bytes);
        let low = if counted { pair.bytes } else { 0 };
        all.push(Counted { message: Some(&pair.message), category: category(pair), low, high: pair.bytes });
    }
    all.extend(alone.iter().map(|pair| Counted {
        message: None,
        category: category(pair),
        low: 0,
        high: pair.bytes,
    }));
    all
}

/// Attachments that no message has, as pairs with any message.
fn alone(database: &Path, plain: &Plain) -> Vec<Pair> {
    let db = Connection::open(database).unwrap();
    let mut statement = db
        .prepare(
            "SELECT a.ROWID, a.total_bytes, a.transfer_name, a.is_sticker FROM attachment a
             WHERE a.ROWID NOT IN (SELECT attachment_id FROM message_attachment_join)",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Pair {
            attachment: row.get(0)?,
            bytes: row.get::<_, i64>(1)? as u64,
            name: row.get(2)?,
            sticker: row.get(3)?,
            ..plain.pairs[0].clone()
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn sums<K: Ord>(all: &[Counted], key: impl Fn(&Counted) -> K) -> BTreeMap<K, Amount> {
    let mut sums: BTreeMap<K, Amount> = BTreeMap::new();
    for counted in all {
        *sums.entry(key(counted)).or_default() += Amount { items: 1, low: counted.low, high: counted.high };
    }
    sums
}

fn year(message: &MessageRow) -> i32 {
    DateTime::from_timestamp(978_307_200 + message.date / 1_000_000_000, 0).unwrap().year()
}

#[test]
fn every_figure_is_the_truth_in_every_grouping() {
    for seed in 0..8 {
        let folder = TempDir::new().unwrap();
        every_figure_is_the_truth(&rich_of(folder.path(), seed));
    }
}

fn every_figure_is_the_truth(database: &Path) {
    let plain = Plain::read(database);
    let alone = alone(database, &plain);
    assert!(alone.len() >= 10, "some attachments are of no message");
    let all = everything(&plain, &alone);
    let found = estimated(database, |_| {});

    let total = sums(&all, |_| ());
    assert_eq!(found.total, total[&()]);
    assert!(found.total.low > 0 && found.total.low < found.total.high);

    let categories = sums(&all, |counted| counted.category);
    for (category, sum) in &found.categories {
        assert_eq!(*sum, categories.get(category).copied().unwrap_or_default(), "{category:?}");
    }
    let years: Vec<(Option<i32>, Amount)> =
        sums(&all, |counted| counted.message.map(year).map_or(2024, |year| year))
            .into_iter()
            .map(|(year, sum)| (Some(year), sum))
            .collect();
    assert_eq!(found.years, years, "attachments of no message were made in 2024");

    let senders = sums(&all, |counted| match counted.message {
        Some(row) if row.from_me => "me".to_owned(),
        Some(row) => row.sender.clone().unwrap(),
        None => "nobody".to_owned(),
    });
    let named: BTreeMap<String, Amount> = found
        .senders
        .iter()
        .map(|(who, sum)| {
            let name = match who {
                Who::Me => "me".into(),
                Who::Person(person) => person.handles[0].clone(),
                Who::Unknown => "nobody".into(),
            };
            (name, *sum)
        })
        .collect();
    assert_eq!(named, senders);

    // The two chats with Ana are one conversation.
    let conversations = sums(&all, |counted| match counted.message.map(|row| row.chat) {
        Some(Some(1 | 2)) => "+12025550143",
        Some(Some(3)) => "ben@example.com",
        Some(Some(4)) => "Plans",
        Some(_) => "Messages in no conversation",
        None => "",
    });
    let titled: BTreeMap<&str, Amount> = found
        .conversations
        .iter()
        .map(|of| (of.conversation.as_ref().map_or("", |c| c.title.as_str()), of.amount))
        .collect();
    assert_eq!(titled, conversations);
    assert!(found.conversations.is_sorted_by_key(|of| std::cmp::Reverse(of.amount.high)));
}

/// Sums of the groups, and what has to hold of any estimate.
fn check(found: &Estimate) {
    let add = |sums: Vec<Amount>| {
        sums.into_iter().fold(Amount::default(), |mut all, sum| {
            all += sum;
            all
        })
    };
    for sums in [
        found.categories.iter().map(|(_, sum)| *sum).collect::<Vec<_>>(),
        found.conversations.iter().map(|of| of.amount).collect(),
        found.years.iter().map(|(_, sum)| *sum).collect(),
        found.senders.iter().map(|(_, sum)| *sum).collect(),
    ] {
        assert!(sums.iter().all(|sum| sum.low <= sum.high));
        assert_eq!(add(sums), found.total);
    }
    let places = found.places;
    assert_eq!(places.here + places.not_here, found.total.high);
    if let Some(states) = places.states {
        let all = states.here_and_icloud + states.icloud_only + states.here_only + states.lost;
        assert_eq!(all, found.total.high);
    }
    assert!(found.largest.is_sorted_by_key(|item| std::cmp::Reverse(item.bytes)));
}

#[test]
fn groups_sum_to_the_total_whatever_the_library() {
    let folder = TempDir::new().unwrap();
    check(&estimated(&rich(folder.path()), |_| {}));
    let sample = TempDir::new().unwrap();
    msgarchive::sample::unpack(sample.path()).unwrap();
    check(&estimated(sample.path(), |_| {}));
}

#[test]
fn where_the_bytes_are() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let plain = Plain::read(&database);
    let alone = alone(&database, &plain);
    let states = estimated(&database, |_| {}).places.states.unwrap();
    let db = Connection::open(&database).unwrap();
    let ask = |what: &str| -> u64 {
        let sql = format!("SELECT coalesce(sum(total_bytes), 0) FROM attachment a WHERE {what}");
        let once: i64 = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        once as u64
    };
    // The builder gives a file to what has transfer state 5 and no flag of hiding.
    let files: BTreeSet<i64> = {
        let mut statement = db.prepare("SELECT ROWID, filename FROM attachment").unwrap();
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
        rows.map(Result::unwrap)
            .filter(|(_, name)| folder.path().join(name.trim_start_matches("~/Library/Messages/")).is_file())
            .map(|(rowid, _)| rowid)
            .collect()
    };
    assert!(ask("1") > 0 && !files.is_empty());
    let (mut both, mut icloud, mut here, mut lost) = (0, 0, 0, 0);
    for pair in plain.pairs.iter().chain(&alone) {
        let state = |sql: &str| -> bool {
            let sql = format!("SELECT {sql} FROM attachment WHERE ROWID = {}", pair.attachment);
            db.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let synced = state("ck_sync_state IN (1, 4)");
        *match (files.contains(&pair.attachment), synced) {
            (true, true) => &mut both,
            (true, false) => &mut here,
            (false, true) if state("transfer_state IN (0, 5)") => &mut icloud,
            (false, _) => &mut lost,
        } += pair.bytes;
    }
    for row in &plain.messages {
        *if row.synced { &mut both } else { &mut here } += row.high;
    }
    assert_eq!(
        [states.here_and_icloud, states.icloud_only, states.here_only, states.lost],
        [both, icloud, here, lost]
    );
    assert!([both, icloud, here, lost].iter().all(|bytes| *bytes > 0));
}

#[test]
fn recently_deleted_is_in_the_upper_figure_only() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let plain = Plain::read(&database);
    let deleted = estimated(&database, |_| {}).recently_deleted.unwrap();
    let messages = plain.messages.iter().filter(|row| row.deleted);
    let pairs = plain.pairs.iter().filter(|pair| pair.message.deleted);
    assert_eq!(deleted.items, (messages.clone().count() + pairs.clone().count()) as u64);
    let bytes: u64 = messages.map(|row| row.high).chain(pairs.map(|pair| pair.bytes)).sum();
    assert_eq!(deleted.bytes, bytes);
    assert!(deleted.items > 5);
}

#[test]
fn the_largest_are_named_with_their_oldest_message() {
    let folder = TempDir::new().unwrap();
    let database = rich(folder.path());
    let plain = Plain::read(&database);
    let found = estimated(&database, |_| {});
    assert_eq!(found.largest.len(), 25);
    let mut sizes: BTreeMap<i64, u64> = plain.pairs.iter().map(|p| (p.attachment, p.bytes)).collect();
    sizes.extend(alone(&database, &plain).iter().map(|pair| (pair.attachment, pair.bytes)));
    let mut sizes: Vec<u64> = sizes.into_values().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let bytes: Vec<u64> = found.largest.iter().map(|item| item.bytes).collect();
    assert_eq!(bytes, sizes[..25]);
    for item in &found.largest {
        let of = plain.pairs.iter().filter(|pair| {
            let db = Connection::open(&database).unwrap();
            let guid: String = db
                .query_row("SELECT guid FROM attachment WHERE ROWID = ?1", [pair.attachment], |row| {
                    row.get(0)
                })
                .unwrap();
            Some(guid) == item.guid
        });
        let oldest = of.min_by_key(|pair| (pair.message.date, pair.message.rowid));
        assert_eq!(item.message, oldest.map(|pair| pair.message.guid.clone()));
    }
}
