//! The archive's tables: Apple's, with every column that any source had, and ours beside them.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::deletions;
use super::joins::make_books;
use super::kind::{JOINS, Kind};
use crate::source::tables::{Column, Table, Tables, quoted};

/// What is there from the beginning; Apple's columns come with the first source that has them.
const TABLES: &str = include_str!("schema.sql");

/// Of few rows: kept while a first source is taken in, so that nobody has to look for those rows.
const SPARSE: [(&str, &str, &str); 2] = [
    (
        "message",
        "associated_message_guid",
        "INDEX IF NOT EXISTS message_idx_associated_message2 ON message (associated_message_guid) \
         WHERE associated_message_guid IS NOT NULL",
    ),
    (
        "message",
        "thread_originator_guid",
        "INDEX IF NOT EXISTS message_idx_thread_originator_guid ON message (thread_originator_guid) \
         WHERE thread_originator_guid IS NOT NULL",
    ),
];

/// Made once a first source is in, so that they cost little; and each when there is a column for it.
const INDEXES: [(&str, &str, &str); 10] = [
    ("message", "guid", "UNIQUE INDEX IF NOT EXISTS msgarchive_idx_message_guid ON message (guid)"),
    ("message", "date", "INDEX IF NOT EXISTS message_idx_date ON message (date)"),
    (
        "chat_message_join",
        "message_date",
        "INDEX IF NOT EXISTS chat_message_join_idx_message_date_id_chat_id \
         ON chat_message_join (chat_id, message_date, message_id)",
    ),
    (
        "chat_message_join",
        "message_id",
        "INDEX IF NOT EXISTS chat_message_join_idx_message_id_only ON chat_message_join (message_id)",
    ),
    (
        "message_attachment_join",
        "message_id",
        "INDEX IF NOT EXISTS message_attachment_join_idx_message_id ON message_attachment_join (message_id)",
    ),
    (
        "message_attachment_join",
        "attachment_id",
        "INDEX IF NOT EXISTS message_attachment_join_idx_attachment_id ON message_attachment_join (attachment_id)",
    ),
    ("chat_lookup", "chat", "INDEX IF NOT EXISTS msgarchive_idx_chat_lookup ON chat_lookup (chat)"),
    ("message", "guid", "INDEX IF NOT EXISTS msgarchive_idx_sighting ON msgarchive_sighting (kind, id)"),
    // What a run brought is asked after each.
    ("message", "guid", "INDEX IF NOT EXISTS msgarchive_idx_message_since ON msgarchive_message (since)"),
    (
        "message",
        "guid",
        "INDEX IF NOT EXISTS msgarchive_idx_message_version_since ON msgarchive_message_version (msgarchive_since)",
    ),
];

/// The columns of each of Apple's tables that the archive has: by lower-case name, as they are spelled.
#[derive(Debug, Default, Clone)]
pub struct Columns(BTreeMap<&'static str, BTreeMap<String, String>>);

/// What archives that were made earlier may lack.
const LATER: &str = "
    -- The cards of the sources' address books. `until`: the run that no longer saw it so. Addresses one a line.
    CREATE TABLE IF NOT EXISTS msgarchive_contact (
      source INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER, hash BLOB NOT NULL, person TEXT NOT NULL,
      name TEXT NOT NULL, full_name INTEGER NOT NULL, rank INTEGER NOT NULL, is_me INTEGER NOT NULL,
      phones TEXT NOT NULL, emails TEXT NOT NULL);

    -- Whom a source has in a chat; and who is in it, and was until that run, as the archive shows it.
    CREATE TABLE IF NOT EXISTS msgarchive_member (
      source INTEGER NOT NULL, chat INTEGER NOT NULL, handle INTEGER NOT NULL,
      PRIMARY KEY (source, chat, handle)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS msgarchive_participant (
      chat INTEGER NOT NULL, handle INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER);
    -- Which identifiers lead to a chat in a source; and which do, and did until that run, as the archive shows it. `priority`: of
    -- one that does no more.
    CREATE TABLE IF NOT EXISTS msgarchive_looked_up (
      source INTEGER NOT NULL, chat INTEGER NOT NULL, domain TEXT NOT NULL, identifier TEXT NOT NULL,
      PRIMARY KEY (chat, domain, identifier, source)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS msgarchive_identifier (
      chat INTEGER NOT NULL, domain TEXT NOT NULL, identifier TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
      priority INTEGER);
    CREATE INDEX IF NOT EXISTS msgarchive_idx_identifier ON msgarchive_identifier (chat);
    -- Of another archive, the last former state of a chat or an attachment that was taken over; of a message:
    -- msgarchive_source.
    CREATE TABLE IF NOT EXISTS msgarchive_inherited (
      source INTEGER NOT NULL, kind INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (source, kind)) WITHOUT ROWID;
    -- Bytes that an attachment had until a run, or has in another source: as in msgarchive_content.
    CREATE TABLE IF NOT EXISTS msgarchive_former_content (
      attachment INTEGER NOT NULL, original TEXT, path TEXT NOT NULL, film TEXT, source INTEGER NOT NULL,
      run INTEGER NOT NULL, until INTEGER NOT NULL);
    -- Places of messages that came to be in a chat after they were there already.
    CREATE TABLE IF NOT EXISTS msgarchive_moved (
      message INTEGER NOT NULL, chat INTEGER NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (message, chat)) WITHOUT ROWID;
    -- The chats in which a source has a message that is shown in others; and in which it was shown until a run.
    CREATE TABLE IF NOT EXISTS msgarchive_elsewhere (
      message INTEGER NOT NULL, source INTEGER NOT NULL, chat INTEGER NOT NULL,
      PRIMARY KEY (message, source, chat)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS msgarchive_former_place (
      message INTEGER NOT NULL, chat INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS msgarchive_idx_former_place ON msgarchive_former_place (message);
    -- Until when each source is known to have been as a run read it: Apple's date. Only where that is another one.
    CREATE TABLE IF NOT EXISTS msgarchive_state (
      source INTEGER NOT NULL, run INTEGER NOT NULL, date INTEGER NOT NULL, PRIMARY KEY (source, run)) WITHOUT ROWID;
    -- Parts of messages that were in Recently Deleted until a run, and came back; 0: in another archive, before this one knew.
    CREATE TABLE IF NOT EXISTS msgarchive_former_part (
      message INTEGER NOT NULL, chat INTEGER NOT NULL, part INTEGER NOT NULL, delete_date INTEGER, part_text BLOB,
      source INTEGER NOT NULL, until INTEGER NOT NULL);
    -- Which source has which part of a message in Recently Deleted, since which run; `gone`: the run that found it there no more.
    CREATE TABLE IF NOT EXISTS msgarchive_deleted_part (
      message INTEGER NOT NULL, part INTEGER NOT NULL, source INTEGER NOT NULL, since INTEGER NOT NULL, gone INTEGER,
      PRIMARY KEY (message, part, source, since)) WITHOUT ROWID;
    -- Since which run a source had a message that it had no more by another one; only where that is not its first.
    CREATE TABLE IF NOT EXISTS msgarchive_had (
      message INTEGER NOT NULL, source INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
      PRIMARY KEY (message, source, until)) WITHOUT ROWID;
    -- Absences of which the reason is a guess.
    CREATE TABLE IF NOT EXISTS msgarchive_guessed (
      message INTEGER NOT NULL, source INTEGER NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (message, source, run)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS msgarchive_idx_former_content ON msgarchive_former_content (attachment);
    CREATE INDEX IF NOT EXISTS msgarchive_idx_participant ON msgarchive_participant (chat, handle);
";

/// Makes the tables that a database has not.
pub fn complete(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(LATER)?;
    if !has_column(connection, "msgarchive_run", RECORD_HASH)? {
        connection.execute_batch(&add_column("msgarchive_run", RECORD_HASH, "TEXT", false))?;
    }
    keep_former(connection)?;
    make_books(connection)
}

/// Former states have all the columns that rows have: another program may have added one.
fn keep_former(connection: &Connection) -> rusqlite::Result<()> {
    for kind in Kind::ALL.into_iter().filter(|kind| has_versions(*kind)) {
        let versions = version_table(kind);
        if !has_table(connection, &versions)? {
            continue;
        }
        let known: Vec<String> =
            columns_of(connection, &versions)?.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let of_rows = columns_of(connection, kind.table())?.into_iter();
        for (name, declared) in of_rows.filter(|(name, _)| !known.contains(&name.to_ascii_lowercase())) {
            connection.execute_batch(&add_column(&versions, &name, &declared, false))?;
        }
    }
    Ok(())
}

/// Makes the tables of an empty database, or those that one has not that was damaged.
pub fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    deletions::show(connection)?;
    for kind in Kind::ALL {
        let name = kind.table();
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS msgarchive_{name} (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, added INTEGER NOT NULL,
                 since INTEGER NOT NULL, source INTEGER NOT NULL);"
        ))?;
        if has_versions(kind) {
            let columns = columns_of(connection, name)?;
            let columns: String = columns
                .iter()
                .map(|(name, declared)| format!(", {}", column_definition(name, declared, false)))
                .collect();
            connection.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS msgarchive_{name}_version (msgarchive_version INTEGER PRIMARY KEY,
                     msgarchive_id INTEGER NOT NULL, msgarchive_since INTEGER NOT NULL,
                     msgarchive_until INTEGER NOT NULL, msgarchive_source INTEGER NOT NULL,
                     msgarchive_hash BLOB NOT NULL{columns});
                 CREATE INDEX IF NOT EXISTS msgarchive_idx_{name}_version ON msgarchive_{name}_version (msgarchive_id);"
            ))?;
        }
    }
    for join in &JOINS {
        connection
            .execute_batch(&format!("CREATE TABLE IF NOT EXISTS {} ({});", join.table, join.columns))?;
    }
    Ok(())
}

/// The columns of a table with their types, without the row id.
pub fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement =
        connection.prepare("SELECT name, type FROM pragma_table_info(?1) WHERE name <> 'ROWID'")?;
    let columns = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    columns.collect()
}

/// Makes the indexes that are missing.
pub fn index(connection: &Connection, columns: &Columns) -> rusqlite::Result<()> {
    sparse_index(connection, columns)?;
    make(connection, columns, &INDEXES)
}

/// Makes those that are missing of the ones that are not in the way of a first source.
pub fn sparse_index(connection: &Connection, columns: &Columns) -> rusqlite::Result<()> {
    make(connection, columns, &SPARSE)
}

fn make(connection: &Connection, columns: &Columns, all: &[(&str, &str, &str)]) -> rusqlite::Result<()> {
    for (table, column, index) in all {
        if columns.0.get(table).is_some_and(|columns| columns.contains_key(*column)) {
            connection.execute_batch(&format!("CREATE {index};"))?;
        }
    }
    Ok(())
}

/// Handles are what they are: nothing that matters can change in them.
pub fn has_versions(kind: Kind) -> bool {
    kind != Kind::Handle
}

/// Whether the database has a table of this name.
pub fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
    connection.query_row(sql, [name], |row| row.get(0))
}

/// Of `msgarchive_run`: the hash of a record. Archives that were made earlier lack it.
pub const RECORD_HASH: &str = "sha256";

/// Whether a table has a column of this name.
pub fn has_column(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)";
    connection.query_row(sql, [table, column], |row| row.get(0))
}

/// A column or a table that Apple has not.
pub fn is_ours(name: &str) -> bool {
    name.get(..11).is_some_and(|begin| begin.eq_ignore_ascii_case("msgarchive_"))
}

/// Where former states of rows are.
pub fn version_table(kind: Kind) -> String {
    format!("msgarchive_{}_version", kind.table())
}

impl Columns {
    /// Reads what there is.
    pub fn read(connection: &Connection) -> rusqlite::Result<Columns> {
        let mut all = BTreeMap::new();
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let tables = Kind::ALL.iter().map(|kind| kind.table()).chain(JOINS.iter().map(|join| join.table));
        for table in tables {
            let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
            let names = names.map(|name| name.map(|name| (name.to_ascii_lowercase(), name)));
            all.insert(table, names.collect::<rusqlite::Result<BTreeMap<_, _>>>()?);
        }
        Ok(Columns(all))
    }

    /// The columns of a table, in lower case and sorted, without the row id.
    pub fn of(&self, table: &str) -> Vec<String> {
        let columns = self.0.get(table).into_iter().flat_map(BTreeMap::keys);
        columns.filter(|name| *name != "rowid").cloned().collect()
    }

    /// Those that the hash of a row of this kind closes over.
    pub fn hashed(&self, kind: Kind) -> Vec<String> {
        let mut names = self.of(kind.table());
        names.retain(|name| !kind.unhashed().contains(&name.as_str()));
        names
    }

    /// Adds the columns of a source that are new.
    pub fn unite(&mut self, connection: &Connection, source: &Tables) -> rusqlite::Result<()> {
        for kind in Kind::ALL {
            for column in new_columns(&self.0, kind.table(), source) {
                let secret = kind.secret().iter().any(|name| column.name.eq_ignore_ascii_case(name));
                if !secret {
                    self.add(
                        connection,
                        kind.table(),
                        &column,
                        has_versions(kind).then(|| version_table(kind)),
                    )?;
                }
            }
        }
        for join in &JOINS {
            for column in new_columns(&self.0, join.table, source) {
                self.add(connection, join.table, &column, None)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        connection: &Connection,
        table: &'static str,
        column: &Column,
        also: Option<String>,
    ) -> rusqlite::Result<()> {
        let declared = &column.declared;
        connection.execute_batch(&add_column(table, &column.name, declared, column.zero_by_default))?;
        if let Some(versions) = also {
            connection.execute_batch(&add_column(&versions, &column.name, declared, false))?;
        }
        self.0.entry(table).or_default().insert(column.name.to_ascii_lowercase(), column.name.clone());
        Ok(())
    }
}

/// What SQLite calls a row id, too: no column can be added under one of these names.
const ROW_IDS: [&str; 2] = ["oid", "_rowid_"];

/// The name that the archive has for a column of a source, in lower case. `None`: it takes none of it, as of a row id, which
/// every database has for itself, or of what is our own.
pub fn column_here(table: &Table, column: &Column) -> Option<String> {
    let mut name = column.name.to_ascii_lowercase();
    if name == "rowid" || is_ours(&name) {
        return None;
    }
    if ROW_IDS.contains(&name.as_str()) {
        if column.is_row_id {
            return None;
        }
        name.push_str("_as_column");
        while table.column(&name).is_some() {
            name.push('_');
        }
    }
    Some(name)
}

fn new_columns(
    known: &BTreeMap<&'static str, BTreeMap<String, String>>,
    table: &str,
    source: &Tables,
) -> Vec<Column> {
    let Some(of_source) = source.table(table) else { return Vec::new() };
    let new = |column: &Column| {
        let name = column_here(of_source, column)?;
        let is_known = known.get(table).is_some_and(|known| known.contains_key(&name));
        match name.eq_ignore_ascii_case(&column.name) {
            _ if is_known => None,
            true => Some(column.clone()),
            // Of any type: what it is declared as is asked by its own name.
            false => Some(Column { name, declared: String::new(), ..column.clone() }),
        }
    };
    of_source.columns.iter().filter_map(new).collect()
}

fn add_column(table: &str, name: &str, declared: &str, zero: bool) -> String {
    format!("ALTER TABLE {table} ADD COLUMN {};", column_definition(name, declared, zero))
}

fn column_definition(name: &str, declared: &str, zero: bool) -> String {
    // A declared type is hostile, too: what is no word of letters is none; nor is what stands for anything in a STRICT table, and
    // for numbers here.
    let is_kept = declared.chars().all(|c| c.is_ascii_alphabetic()) && !declared.eq_ignore_ascii_case("ANY");
    let declared = if is_kept { declared } else { "" };
    let default = if zero { " DEFAULT 0" } else { "" };
    format!("{} {declared}{default}", quoted(name))
}
