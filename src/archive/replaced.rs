//! Tapbacks that another one took the place of. Messages keeps only the last tapback of a person to a part of a message: a
//! changed one, or the one that takes it back, replaces the row before it, which is then gone without having been deleted
//! by anybody (`messages-format.md` 6.3).
//!
//! **Must never**: guess. Without the later tapback there is nothing that says so.

use rusqlite::{Connection, OptionalExtension, params};

use super::kind::Kind;
use super::row::text_at;
use super::schema::has_column;

/// What is compared; of a library from before there were tapbacks there may be none of it.
const ASSOCIATED: [&str; 2] = ["associated_message_guid", "associated_message_type"];

/// The GUID of the tapback that took the place of this one: the next of the same person to the same part. `seen_in`: only one
/// that this source has.
pub fn by(connection: &Connection, message: i64, seen_in: Option<i64>) -> rusqlite::Result<Option<String>> {
    for column in ASSOCIATED {
        if !has_column(connection, Kind::Message.table(), column)? {
            return Ok(None);
        }
    }
    connection
        .prepare_cached(
            "SELECT r.guid FROM message m JOIN message r ON r.associated_message_guid = m.associated_message_guid \
             WHERE m.ROWID = ?1 AND r.ROWID <> m.ROWID AND r.date >= m.date \
             AND m.associated_message_type BETWEEN 2000 AND 3999 AND r.associated_message_type BETWEEN 2000 AND 3999 \
             AND ifnull(r.is_from_me, 0) = ifnull(m.is_from_me, 0) \
             AND (m.is_from_me = 1 OR r.handle_id = m.handle_id OR EXISTS (SELECT 1 FROM handle a JOIN handle b ON a.id = b.id \
               WHERE a.ROWID = m.handle_id AND b.ROWID = r.handle_id)) \
             AND (?2 IS NULL OR EXISTS (SELECT 1 FROM msgarchive_sighting s \
               WHERE s.kind = ?3 AND s.id = r.ROWID AND s.source = ?2)) \
             ORDER BY r.date, r.ROWID LIMIT 1",
        )?
        .query_row(params![message, seen_in, Kind::Message.number()], |row| text_at(row, 0))
        .optional()
        .map(Option::flatten)
}
