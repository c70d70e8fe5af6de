//! Whether every content is there, of its size and (deep) with its bytes; and whether rows name the contents that they have.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::ops::Bound::{Included, Unbounded};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rusqlite::Connection;

use super::{Check, Problem, source_of};
use crate::archive::contents::KeptFile;
use crate::archive::folder::filename_at;
use crate::archive::kind::Kind;
use crate::archive::row::text_at;
use crate::archive::schema::has_table;
use crate::archive::sums::{FORMERLY_PLACED, PLACED};
use crate::disk::{hash_all, hexadecimal, is_gone, open_file};
use crate::pipeline::crew::lock;

impl Check<'_> {
    /// What there is to be of every content; and that rows agree with it.
    pub(super) fn files(&self, connection: &Connection) -> rusqlite::Result<Vec<KeptFile>> {
        self.content_rows(connection)?;
        let mut statement =
            connection.prepare("SELECT path, bytes, sha256 FROM msgarchive_file ORDER BY path")?;
        let files = statement.query_map([], |row| {
            let bytes: i64 = row.get(1)?;
            Ok(KeptFile { path: row.get(0)?, bytes: u64::try_from(bytes).unwrap_or(0), sha256: row.get(2)? })
        })?;
        files.collect()
    }

    /// Every content: there, of its size, and (deep) of its hash.
    pub(super) fn contents(
        &self,
        connection: &Connection,
        files: &[KeptFile],
        deep: bool,
        jobs: usize,
    ) -> rusqlite::Result<(u64, u64)> {
        self.progress.begin(files.len() as u64);
        let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        let damaged: Mutex<Vec<(&KeptFile, String)>> = Mutex::default();
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.progress.interrupted() {
                    return;
                }
                bytes.fetch_add(file.bytes, Ordering::Relaxed);
                match self.content(file, deep) {
                    Ok(None) => {}
                    Ok(Some(what)) => lock(&damaged).push((file, what)),
                    Err(error) => self.unread(&file.path, &error),
                }
                self.progress.advance(1);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..jobs.max(1) {
                scope.spawn(work);
            }
            work();
        });
        self.contents_are_damaged(connection, damaged.into_inner().unwrap_or_default())?;
        Ok((files.len() as u64, bytes.into_inner()))
    }

    /// What is wrong with it, if anything is.
    fn content(&self, file: &KeptFile, deep: bool) -> io::Result<Option<String>> {
        let path = self.folder.path().join(&file.path);
        match fs::symlink_metadata(&path) {
            Err(error) if is_gone(&error) => return Ok(Some("is gone".into())),
            Err(error) => return Err(error),
            Ok(about) if !about.is_file() => return Ok(Some("is no file any more".into())),
            Ok(about) if about.len() != file.bytes => {
                return Ok(Some(format!("has {} bytes instead of {}", about.len(), file.bytes)));
            }
            Ok(_) => {}
        }
        let deep = deep || self.doubtful.contains(&file.path);
        let is_other = deep && hexadecimal(&hash_all(&mut open_file(&path)?)?.sha256) != file.sha256;
        Ok(is_other.then(|| "has other bytes than were written".into()))
    }

    /// Names what is wrong with contents, and who has them still.
    fn contents_are_damaged(
        &self,
        connection: &Connection,
        damaged: Vec<(&KeptFile, String)>,
    ) -> rusqlite::Result<()> {
        if damaged.is_empty() {
            return Ok(());
        }
        let paths: BTreeSet<&str> = damaged.iter().map(|(file, _)| &*file.path).collect();
        let owners = owners(connection, &paths)?;
        for (file, what) in damaged {
            let (guid, source) = owners.get(&*file.path).cloned().unwrap_or_default();
            self.found(Problem {
                guid,
                lost: source.is_none(),
                source,
                ..Problem::of("content", what).at(&file.path)
            });
            lock(&self.damaged).contents.push(file.path.clone());
        }
        Ok(())
    }

    /// What rows say of contents, and what is known of contents, agree. Of a row that is lost that was said.
    fn content_rows(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT a.guid, c.path FROM msgarchive_content c LEFT JOIN attachment a ON a.ROWID = c.attachment \
             WHERE a.filename IS NOT {} \
                 AND NOT (a.ROWID IS NULL AND EXISTS \
                   (SELECT 1 FROM msgarchive_lost l WHERE l.kind = {} AND l.id = c.attachment)) OR \
               NOT EXISTS (SELECT 1 FROM msgarchive_file f WHERE f.path = c.path) \
               AND NOT EXISTS (SELECT 1 FROM msgarchive_file f WHERE f.path > c.path || '/' AND f.path < c.path || '0')",
            filename_at("c.path"),
            Kind::Attachment.number()
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (guid, path) = (text_at(row, 0)?, text_at(row, 1)?.unwrap_or_default());
            self.found(Problem { guid, ..Problem::of("row", "names another content than it has").at(path) });
        }
        Ok(())
    }
}

/// An attachment's GUID, and the source that has it.
type Owner = (Option<String>, Option<String>);

/// Of these contents, an attachment each that has it or had it, of one that a source has where there is one. All
/// attachments are looked at once: all contents may be gone.
fn owners<'p>(
    connection: &Connection,
    contents: &BTreeSet<&'p str>,
) -> rusqlite::Result<HashMap<&'p str, Owner>> {
    let mut owners: HashMap<&'p str, Owner> = HashMap::new();
    // Bytes that an attachment had once can be had nowhere, but perhaps where it has them still.
    for placed in [PLACED, FORMERLY_PLACED] {
        if !has_table(connection, placed)? {
            continue;
        }
        let mut all = connection.prepare(&format!(
            "SELECT c.path, c.film, a.guid, a.ROWID FROM {placed} c JOIN attachment a ON a.ROWID = c.attachment"
        ))?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (path, film): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            let inside = format!("{path}/");
            let of_bundle = contents
                .range::<str, _>((Included(&*inside), Unbounded))
                .take_while(|file| file.starts_with(&inside));
            let files = [Some(&path), film.as_ref()].into_iter().flatten();
            for file in files.filter_map(|file| contents.get(file.as_str())).chain(of_bundle) {
                let owner = owners.entry(file).or_default();
                if owner.1.is_none() {
                    *owner = (row.get(2)?, source_of(connection, Kind::Attachment, row.get(3)?)?);
                }
            }
        }
    }
    Ok(owners)
}
