//! What hangs on a row: the parts of an MMS (`msg_pieces`, files below `Parts`) and the attachments of an iMessage.
//!
//! **Must never**: lose a part: what cannot be shown as text is an attachment.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension, Row};

use super::query::Queries;
use super::rows;
use super::session::Reader;
use crate::source::database::{Columns, damaged, lock, scan};
use crate::source::{Content, RawAttachment, RawMessage, StoredValue, ValueStore};

/// What belongs to which message: (message, row id), sorted. 16 bytes each.
#[derive(Debug, Default)]
pub(super) struct Hanging {
    pieces: Vec<(i64, i64)>,
    attachments: Vec<(i64, i64)>,
}

impl Hanging {
    pub fn take(connection: &Connection, queries: &Queries) -> rusqlite::Result<Hanging> {
        let pairs = |sql: &Option<String>| -> rusqlite::Result<Vec<(i64, i64)>> {
            let mut pairs = Vec::new();
            scan(connection, sql.as_deref(), |c| pairs.push((c.number(), c.number())))?;
            pairs.sort_unstable();
            Ok(pairs)
        };
        Ok(Hanging { pieces: pairs(&queries.pieces)?, attachments: pairs(&queries.attachments)? })
    }
}

/// The row ids that belong to a message.
fn of(pairs: &[(i64, i64)], message: i64) -> impl Iterator<Item = i64> + '_ {
    let start = pairs.partition_point(|(owner, _)| *owner < message);
    let rest = pairs.get(start..).unwrap_or_default();
    rest.iter().take_while(move |(owner, _)| *owner == message).map(|(_, rowid)| *rowid)
}

/// `msg_pieces.data`, read when it is wanted.
#[derive(Debug)]
pub(super) struct PieceStore {
    path: PathBuf,
    sql: String,
    connection: Mutex<Connection>,
}

impl PieceStore {
    pub fn new(path: PathBuf, queries: &Queries, connection: Connection) -> PieceStore {
        PieceStore { path, sql: queries.data.clone().unwrap_or_default(), connection: Mutex::new(connection) }
    }
}

impl ValueStore for PieceStore {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self, rowid: i64) -> io::Result<Vec<u8>> {
        let connection = lock(&self.connection);
        let read = || -> rusqlite::Result<Vec<u8>> {
            let mut statement = connection.prepare_cached(&self.sql)?;
            statement.query_row([rowid], |row| Ok(Columns::from(row, 0).bytes().unwrap_or_default()))
        };
        read().map_err(io::Error::other)
    }
}

/// The folder of what old messages consist of.
pub(super) const PARTS: &str = "Parts";

/// The files below `Parts`, by message and part: their paths from the folder that holds `Parts`. Nothing in the database
/// says in which of its folders one lies.
#[derive(Debug, Default)]
pub(super) struct PartFiles(HashMap<(i64, i64), String>);

impl PartFiles {
    /// Of the paths of all files in `Parts`, sorted.
    pub fn of(paths: Vec<String>) -> PartFiles {
        let mut found = PartFiles::default();
        for path in paths {
            if let Some(key) = path.rsplit('/').next().and_then(numbers) {
                found.0.entry(key).or_insert(path);
            }
        }
        found
    }
}

/// `1166-0.JPG` → (1166, 0). Previews are named `1166-0-preview.JPG`.
fn numbers(name: &str) -> Option<(i64, i64)> {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let (message, part) = stem.split_once('-')?;
    Some((message.parse().ok()?, part.parse().ok()?))
}

/// A row of `msg_pieces`.
struct Piece {
    rowid: i64,
    part: i64,
    content_type: Option<String>,
    name: Option<String>,
    /// Size of what is in the row; `None` where there is nothing.
    bytes: Option<u64>,
    text: Option<String>,
}

impl Piece {
    fn read(row: &Row<'_>, rowid: i64) -> Piece {
        let mut c = Columns::from(row, 0);
        Piece {
            rowid,
            part: c.number(),
            content_type: c.text(),
            name: c.text().filter(|name| !name.trim().is_empty()),
            bytes: c.maybe_number().and_then(|bytes| u64::try_from(bytes).ok()),
            // Text in an encoding that it does not have is a file.
            text: c.bytes().and_then(|bytes| String::from_utf8(bytes).ok()),
        }
    }

    /// Its type without parameters, in lower case.
    fn kind(&self) -> String {
        let kind = self.content_type.as_deref().unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// As its file would be called.
    fn file_name(&self, message: i64) -> String {
        let extension = match self.kind().as_str() {
            "image/jpeg" | "image/jpg" => ".jpg",
            "image/gif" => ".gif",
            "image/png" => ".png",
            "audio/amr" => ".amr",
            "video/3gpp" => ".3gp",
            "video/quicktime" => ".mov",
            "video/mp4" => ".mp4",
            "text/x-vcard" | "text/vcard" => ".vcf",
            "text/plain" => ".txt",
            "application/smil" => ".smil",
            _ => "",
        };
        format!("{message}-{}{extension}", self.part)
    }
}

impl Reader<'_> {
    /// Adds to a bare row what hangs on it.
    pub(super) fn complete(&mut self, row: &mut RawMessage) -> rusqlite::Result<()> {
        let pieces = self.pieces(row.rowid)?;
        if !pieces.is_empty() {
            self.compose(row, pieces);
        }
        let Some(sql) = &self.db.queries.attachment else {
            return Ok(());
        };
        for id in of(&self.db.hanging.attachments, row.rowid) {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut attachment = match statement.query_row([id], |row| Ok(rows::attachment(row))).optional() {
                Err(error) if damaged(&error) => RawAttachment { rowid: id, ..RawAttachment::default() },
                Ok(None) => continue,
                found => found?.unwrap_or_default(),
            };
            let found = attachment.filename.as_deref().and_then(|name| self.locator.find(name));
            attachment.incomplete = found.as_ref().is_some_and(|found| found.incomplete);
            attachment.content = found.map(|found| found.content);
            row.attachments.push(attachment);
        }
        Ok(())
    }

    /// By part.
    fn pieces(&self, message: i64) -> rusqlite::Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        let Some(sql) = &self.db.queries.piece else {
            return Ok(pieces);
        };
        for rowid in of(&self.db.hanging.pieces, message) {
            let mut statement = self.connection.prepare_cached(sql)?;
            let piece = match statement.query_row([rowid], |row| Ok(Piece::read(row, rowid))).optional() {
                Err(error) if damaged(&error) => {
                    Piece { rowid, part: i64::MAX, content_type: None, name: None, bytes: None, text: None }
                }
                Ok(None) => continue,
                found => match found? {
                    Some(piece) => piece,
                    None => continue,
                },
            };
            pieces.push(piece);
        }
        pieces.sort_by_key(|piece| (piece.part, piece.rowid));
        Ok(pieces)
    }

    /// Puts the parts of an MMS together: one text with an object character for each part that is a file, and the files.
    /// The list of how to show them (SMIL) is kept, but not shown.
    fn compose(&mut self, row: &mut RawMessage, pieces: Vec<Piece>) {
        let mut text = row.text.take().unwrap_or_default();
        if pieces.iter().any(|piece| piece.text.as_deref() == Some(text.as_str())) {
            text.clear();
        }
        for piece in pieces {
            match &piece.text {
                Some(words) => {
                    if !words.is_empty() && !text.is_empty() && !text.ends_with('\u{fffc}') {
                        text.push('\n');
                    }
                    text.push_str(words);
                }
                None => {
                    let file = self.file(row.rowid, piece);
                    if !file.hide_attachment {
                        text.push('\u{fffc}');
                    }
                    row.attachments.push(file);
                }
            }
        }
        row.text = Some(text).filter(|text| !text.is_empty());
    }

    fn file(&mut self, message: i64, piece: Piece) -> RawAttachment {
        let stored = self.db.part_files().0.get(&(message, piece.part));
        let mut incomplete = false;
        let content = match (piece.bytes, stored) {
            (Some(bytes), _) if bytes > 0 => {
                let store: Arc<dyn ValueStore> = Arc::clone(&self.db.piece_store) as _;
                Some(Content::Value(StoredValue { store, rowid: piece.rowid, bytes }))
            }
            (_, Some(path)) => self.locator.find(path).map(|found| {
                incomplete = found.incomplete;
                found.content
            }),
            _ => None,
        };
        let name = piece.name.clone().or_else(|| stored?.rsplit('/').next().map(str::to_owned));
        RawAttachment {
            rowid: piece.rowid.wrapping_neg(),
            filename: stored.cloned(),
            transfer_name: Some(name.unwrap_or_else(|| piece.file_name(message))),
            hide_attachment: piece.kind() == "application/smil",
            total_bytes: content.as_ref().and_then(Content::bytes).map_or(0, |bytes| bytes as i64),
            mime_type: piece.content_type,
            content,
            incomplete,
            ..RawAttachment::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn names_of_part_files() {
        assert_eq!(numbers("1166-0.JPG"), Some((1166, 0)));
        assert_eq!(numbers("1166-12"), Some((1166, 12)));
        for other in ["1166-0-preview.JPG", "1166.JPG", "-.jpg", "x-1.jpg", ".DS_Store", ""] {
            assert_eq!(numbers(other), None, "{other}");
        }
    }
}
