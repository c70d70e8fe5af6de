//! What is noted in an archive, and neither its sums nor a source tell: it is named as lost, and never taken without a word.

use rusqlite::Connection;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::Schema;
use msgarchive::archive::check;

const START: i64 = 700_000_000;

/// A Mac that had A, with a picture that was another one before, and has B still; and an archive of it.
struct Kept {
    program: Program,
    mac: Device,
}

impl Kept {
    fn new() -> Kept {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        mac.receive("A", 0, START, "look");
        mac.receive("B", 0, START + 1, "and so on");
        mac.attach("A", "a.png");
        mac.download("A", "a.png", b"a picture");
        let mut kept = Kept { program, mac };
        kept.night(1);
        kept.mac.download("A", "a.png", b"another picture");
        kept.night(2);
        kept.mac.remove("A", true, "deleted");
        let library = Connection::open(kept.mac.folder.join("chat.db")).unwrap();
        library.execute_batch("DELETE FROM message_attachment_join; DELETE FROM attachment").unwrap();
        kept.night(3);
        kept
    }

    fn night(&self, day: i64) -> Vec<String> {
        add(&self.program.path().join("archive"), &[&self.mac.folder], START + day * DAY).unwrap().lost
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.program.path().join("archive/chat.db")).unwrap();
        db.execute_batch(sql).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        let db = Connection::open(self.program.path().join("archive/chat.db")).unwrap();
        db.query_row(&format!("SELECT count(*) FROM {sql}"), [], |row| row.get(0)).unwrap()
    }

    /// What a run that follows says is lost, and what `verify` says of that ever after.
    #[track_caller]
    fn lost(&self, sql: &str) -> Vec<String> {
        self.sql(sql);
        self.program.run(&["verify", "archive"]).with_code(3);
        let lost = self.night(4);
        assert_eq!(self.night(5), [""; 0]);
        let found = check(&self.program.path().join("archive"), true, 1, &()).unwrap();
        assert_eq!(found.problems, []);
        assert_eq!(found.lost.iter().map(|lost| lost.thing.what.clone()).collect::<Vec<_>>(), lost);
        lost
    }
}

/// The first who is in a chat, once more, or somebody else.
const FORGED: &str = "INSERT INTO msgarchive_participant SELECT chat, handle + 1, 1, 2 FROM msgarchive_participant WHERE chat = 1";

#[test]
fn a_member_that_nobody_wrote() {
    let kept = Kept::new();
    assert_eq!(kept.lost(FORGED), [""; 0]);
    // Its sum says so.
    assert_eq!(kept.count("msgarchive_participant WHERE chat = 1"), 1);
}

#[test]
fn members_of_whom_nothing_tells() {
    let kept = Kept::new();
    let lost = kept.lost(&format!(
        "{FORGED}; UPDATE msgarchive_participant SET since = 3, until = 2 WHERE chat = 1 AND until IS NULL"
    ));
    assert!(lost.len() == 1 && lost[0].contains("who was in it, and when (+12025550"), "{lost:?}");
    // Nor may a sum be forged with them.
    let kept = Kept::new();
    let lost = kept.lost(&format!(
        "{FORGED}; UPDATE msgarchive_sum SET sum = sum + 1 WHERE tbl = 'msgarchive_participant' AND about = '1'"
    ));
    assert!(lost.len() == 1 && lost[0].contains("who was in it, and when (+12025550"), "{lost:?}");
}

#[test]
fn where_an_attachment_came_from() {
    let kept = Kept::new();
    let lost = kept.lost("UPDATE msgarchive_content SET original = 'elsewhere', run = 3");
    assert!(lost.len() == 1 && lost[0].contains("where and when they came from"), "{lost:?}");
    // A number alone is told by its sum.
    let kept = Kept::new();
    assert_eq!(kept.lost("UPDATE msgarchive_content SET run = 3"), [""; 0]);
    assert_eq!(kept.count("msgarchive_content WHERE run = 2"), 1);
}

#[test]
fn bytes_that_an_attachment_had() {
    let kept = Kept::new();
    assert_eq!(kept.count("msgarchive_former_content"), 1);
    let lost = kept.lost("DELETE FROM msgarchive_former_content");
    assert!(lost.len() == 1 && lost[0].contains("what other bytes it had"), "{lost:?}");
}

/// What a source has still it tells again, and the sum since when it is here.
#[test]
fn where_an_attachment_came_from_that_a_source_has() {
    let kept = Kept::new();
    kept.mac.attach("B", "b.png");
    kept.mac.download("B", "b.png", b"a picture of B");
    kept.night(4);
    kept.sql("UPDATE msgarchive_content SET original = 'elsewhere', run = 3 WHERE original LIKE '%b.png'");
    kept.program.run(&["verify", "archive"]).with_code(3);
    assert_eq!(kept.night(5), [""; 0]);
    assert_eq!(kept.count("msgarchive_content WHERE original LIKE '%b.png' AND run = 4"), 1);
}

/// Where very much is wrong a part of it is named, and all of it put right.
#[test]
fn more_than_anybody_reads() {
    let kept = Kept::new();
    let strange = "WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 150) \
         INSERT INTO msgarchive_alias (guid, message, run) SELECT 'STRANGE ' || at, 1, 1 FROM n";
    kept.sql(strange);
    let found = kept.program.run(&["verify", "archive", "--json"]).with_code(3).out;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let problems = found["problems"].as_array().unwrap();
    let notes = problems.iter().filter(|problem| problem["kind"] == "note").count();
    assert_eq!(notes, 101, "{found:#}");
    assert!(found.to_string().contains("(50 more, in msgarchive_alias)"), "{found:#}");
    kept.night(5);
    kept.program.run(&["verify", "archive"]).with_code(0);
    assert_eq!(kept.count("msgarchive_alias WHERE guid LIKE 'STRANGE%'"), 0);
}
