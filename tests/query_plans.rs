//! How SQLite runs the reader's statements: by index, and without sorting.

use msgarchive::source::OpenOptions;
use msgarchive::source::chatdb::{ChatDb, Lookup};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::program::Program;
use crate::support::{Library, Schema};

/// What runs once an opening: scans of an index are what it is for, scans of the messages are not.
const ONCE: [&str; 23] = [
    "handles",
    "chats",
    "members",
    "lookups",
    "services",
    "joined",
    "recoverable",
    "recoverable_parts",
    "attached",
    "messages",
    "dates",
    "deleted_messages",
    "sync_deleted_messages",
    "scheduled_messages_pending_cloudkit_delete",
    "unsynced_removed_recoverable_messages",
    "deleted_chats",
    "unsent_messages",
    "unsent_scheduled",
    "unsent_chats",
    "unsent_attachments",
    "unsent_recoverable",
    "weighed",
    "weighed_attachments",
];

/// How long a text is no index says: this one goes through the messages, in the order in which they lie in the file.
const IN_FILE_ORDER: &str = "weighed";

#[test]
fn no_statement_scans_the_messages_or_sorts() {
    let mut seen = 0;
    for schema in [Schema::MACOS_13, Schema::MACOS_15, Schema::MACOS_26, Schema::MACOS_27] {
        let folder = TempDir::new().unwrap();
        let path = Library::new(schema).write(folder.path());
        let source = ChatDb::open(&path, &OpenOptions::default()).unwrap();
        let db = Connection::open(&path).unwrap();
        for (name, sql) in source.statements() {
            let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters = vec![1i64; explain.parameter_count()];
            let steps = explain
                .query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3))
                .unwrap();
            for step in steps {
                let step = step.unwrap();
                let plan = format!("{} {name}: {step}\n{sql}", schema.name);
                assert!(!step.contains("TEMP B-TREE"), "{plan}");
                let scan = step.starts_with("SCAN ") && !step.starts_with("SCAN CONSTANT ROW");
                let by_index = step.contains("USING COVERING INDEX");
                let of_messages = step == "SCAN m" || step.starts_with("SCAN m ");
                assert!(!scan || ONCE.contains(&name), "{plan}");
                assert!(!of_messages || by_index || name == IN_FILE_ORDER, "{plan}");
                seen += 1;
            }
        }
    }
    assert!(seen > 80, "{seen} steps");
}

/// Whoever looks at single messages of an archive looks at no others.
#[test]
fn a_single_message_of_an_archive_is_found_by_indexes() {
    let program = Program::new();
    msgarchive::sample::unpack(&program.path().join("library")).unwrap();
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    let folder = program.path().join("archive");
    let db = Connection::open(folder.join("chat.db")).unwrap();
    let lookup = Lookup::of(&db, &folder).unwrap();
    let statements = lookup.statements();
    assert_eq!(statements.len(), 5);
    for (name, sql) in statements {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = vec![1i64; explain.parameter_count()];
        let steps: Vec<String> = explain
            .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let by_index = |step: &String| step.starts_with("SEARCH ") || step.starts_with("SCAN CONSTANT ROW");
        // That table is small: what is in Recently Deleted.
        let is_small = name == "lookup_deleted_parts";
        assert!(steps.iter().all(|step| by_index(step) || is_small), "{name}: {steps:?}\n{sql}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{name}: {steps:?}\n{sql}");
    }
}

/// The one that matters most, in full.
#[test]
fn a_page_is_a_range_of_the_index_by_date() {
    let folder = TempDir::new().unwrap();
    let path = Library::new(Schema::MACOS_15).write(folder.path());
    let source = ChatDb::open(&path, &OpenOptions::default()).unwrap();
    let statements = source.statements();
    let (_, sql) = statements.iter().find(|(name, _)| *name == "page").unwrap();
    let db = Connection::open(&path).unwrap();
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps: Vec<String> =
        explain.query_map([1, 2, 3], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(
        steps,
        [
            "SEARCH j USING COVERING INDEX chat_message_join_idx_message_date_id_chat_id \
             (chat_id=? AND message_date>? AND message_date<?)",
            "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)",
        ]
    );
}
