//! Whether every content is there, of its size and (deep) with its bytes; and whether rows name the contents that they have.

use std::fs;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rusqlite::Connection;

use super::holders::Holders;
use super::{Check, Problem};
use crate::archive::carriers::carriers;
use crate::archive::contents::KeptFile;
use crate::archive::folder::filename_at;
use crate::archive::kind::Kind;
use crate::archive::lost_content::{Left, LostContents};
use crate::archive::row::text_at;
use crate::disk::{hash_all, hexadecimal, is_gone, open_file};
use crate::pipeline::crew::lock;

/// What is wrong with a content.
struct Wrong {
    left: Left,
    what: String,
}

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

    /// Every content: there, of its size, and (deep) of its hash. What is `lost` was said before, and is no problem any more;
    /// the next run asks for it again.
    pub(super) fn contents(
        &self,
        connection: &Connection,
        (files, lost): (&[KeptFile], &LostContents<'_>),
        deep: bool,
        jobs: usize,
    ) -> rusqlite::Result<(u64, u64)> {
        self.progress.begin(files.len() as u64);
        let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        let damaged: Mutex<Vec<(&KeptFile, Wrong)>> = Mutex::default();
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.progress.interrupted() {
                    return;
                }
                bytes.fetch_add(file.bytes, Ordering::Relaxed);
                let is_lost = !lost.said_of(&file.path).is_empty();
                match self.content(file, deep || is_lost) {
                    Ok(None) if !is_lost => {}
                    Ok(Some(wrong)) if !lost.have(&file.path, wrong.left) => {
                        lock(&damaged).push((file, wrong))
                    }
                    // Or it is here again, and the next run says so.
                    Ok(_) => lock(&self.damaged).contents.push(file.path.clone()),
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
    fn content(&self, file: &KeptFile, deep: bool) -> io::Result<Option<Wrong>> {
        let path = self.folder.path().join(&file.path);
        let wrong = |left, what: String| Ok(Some(Wrong { left, what }));
        match fs::symlink_metadata(&path) {
            Err(error) if is_gone(&error) => return wrong(Left::Nothing, "is gone".into()),
            Err(error) => return Err(error),
            Ok(about) if !about.is_file() => return wrong(Left::Nothing, "is no file any more".into()),
            Ok(about) if about.len() != file.bytes => {
                let what = format!("has {} bytes instead of {}", about.len(), file.bytes);
                return wrong(Left::Damaged, what);
            }
            Ok(_) => {}
        }
        let deep = deep || self.doubtful.contains(&file.path);
        match deep && hexadecimal(&hash_all(&mut open_file(&path)?)?.sha256) != file.sha256 {
            true => wrong(Left::Damaged, "has other bytes than were written".into()),
            false => Ok(None),
        }
    }

    /// Names what is wrong with contents, and who has them still.
    fn contents_are_damaged(
        &self,
        connection: &Connection,
        damaged: Vec<(&KeptFile, Wrong)>,
    ) -> rusqlite::Result<()> {
        let carriers = carriers(connection, &damaged.iter().map(|(file, _)| &*file.path).collect())?;
        let mut holders = Holders::of(connection, &self.gone);
        for (file, Wrong { what, .. }) in damaged {
            let carriers = carriers.get(&*file.path).map_or(&[][..], Vec::as_slice);
            let holder = holders.of_content(&file.path, carriers)?;
            let guid = carriers.iter().find_map(|carrier| carrier.guid.clone());
            self.found(Problem { guid, ..Problem::of("content", what).at(&file.path) }.held_by(holder));
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
