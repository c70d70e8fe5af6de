//! A write-ahead log, written into its database as SQLite's own checkpoint does it (`sqlite.org/fileformat2.html`, 4):
//! for databases without a name, beside which SQLite finds none.
//!
//! **Must never**: write a page of what was not committed, or grow a database by a number it read.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::hidden::say_unlogged;

/// A log that lies apart from its database.
#[derive(Clone, Copy)]
pub(in crate::source) struct Log<'a> {
    /// Where it lies, perhaps encrypted.
    pub path: &'a Path,
    /// Gives its plain bytes, from the start.
    pub open: &'a dyn Fn() -> io::Result<Box<dyn Read>>,
}

impl Log<'_> {
    /// Writes what was committed into the database `to`.
    pub fn apply(&self, to: &mut (impl Write + Seek)) -> io::Result<()> {
        let mut committed = 0_u64;
        let mut read = 0;
        let mut frames = Frames::of((self.open)()?)?;
        while let Some(frame) = frames.next()? {
            read += 1;
            if frame.pages_after > 0 {
                committed = read;
            }
        }
        if committed == 0 {
            return Ok(());
        }
        let mut frames = Frames::of((self.open)()?)?;
        let size = frames.page.len() as u64;
        // Each frame makes it longer by a page at most; one page is never written, which holds the locks.
        let most = to.seek(SeekFrom::End(0))? / size + committed + 1;
        for _ in 0..committed {
            let Some(Frame { number, .. }) = frames.next()? else { break };
            if number > most {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the log has pages far beyond the database",
                ));
            }
            if number == 1 {
                say_unlogged(&mut frames.page);
            }
            to.seek(SeekFrom::Start((number - 1) * size))?;
            to.write_all(&frames.page)?;
        }
        Ok(())
    }
}

const HEADER: usize = 32;
const FRAME: usize = 24;
/// The start of a log whose sums are over little-endian words, and of one with big-endian ones.
const LITTLE: u32 = 0x377f_0682;
const BIG: u32 = 0x377f_0683;

/// The valid frames of a log: those of its last use, up to the first that is none.
pub(super) struct Frames<R> {
    log: R,
    /// The page of the frame that was read last; empty where this is no log.
    pub page: Vec<u8>,
    big: bool,
    salts: [u8; 8],
    sums: [u32; 2],
}

/// A page in a log.
pub(super) struct Frame {
    /// From 1 on.
    pub number: u64,
    /// Of the last one of a transaction: how many pages the database has after it; else 0.
    pub pages_after: u64,
}

impl<R: Read> Frames<R> {
    pub fn of(log: R) -> io::Result<Frames<R>> {
        let mut frames = Frames { log, page: Vec::new(), big: false, salts: [0; 8], sums: [0; 2] };
        let mut header = [0; HEADER];
        if !filled(&mut frames.log, &mut header)? {
            return Ok(frames);
        }
        let [magic, _, size, _, _, _, first, second] = words(&header);
        frames.big = magic == BIG;
        frames.add(header.get(..24).unwrap_or_default());
        let known = matches!(magic, LITTLE | BIG) && frames.sums == [first, second];
        if known && size.is_power_of_two() && (512..=65_536).contains(&size) {
            frames.page = vec![0; size as usize];
            frames.salts.copy_from_slice(header.get(16..24).unwrap_or(&[0; 8]));
        }
        Ok(frames)
    }

    /// Reads the next frame, and its page.
    pub fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut header = [0; FRAME];
        if self.page.is_empty() || !filled(&mut self.log, &mut header)? {
            return Ok(None);
        }
        let mut page = std::mem::take(&mut self.page);
        let whole = filled(&mut self.log, &mut page)?;
        self.add(header.get(..8).unwrap_or_default());
        self.add(&page);
        self.page = page;
        let [number, pages_after, _, _, first, second] = words(&header);
        let of_this_use = header.get(8..16) == Some(&self.salts[..]);
        let valid = whole && of_this_use && self.sums == [first, second] && number > 0;
        Ok(valid.then_some(Frame { number: number.into(), pages_after: pages_after.into() }))
    }

    /// Goes on with the sums, over bytes that come after those before.
    fn add(&mut self, bytes: &[u8]) {
        let [mut first, mut second] = self.sums;
        let (pairs, _) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in pairs {
            let of = |word| if self.big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) };
            first = first.wrapping_add(of([a, b, c, d])).wrapping_add(second);
            second = second.wrapping_add(of([e, f, g, h])).wrapping_add(first);
        }
        self.sums = [first, second];
    }
}

/// The big-endian words of a header.
fn words<const COUNT: usize>(header: &[u8]) -> [u32; COUNT] {
    let (words, _) = header.as_chunks::<4>();
    std::array::from_fn(|at| words.get(at).map_or(0, |word| u32::from_be_bytes(*word)))
}

/// Whether there was as much as that; a log may end anywhere.
fn filled(log: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        filled => filled.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;

    use rusqlite::Connection;

    use super::*;

    /// A database of 10 rows, its log with 300 more, and 700 that were not committed.
    fn logged(page_size: u32) -> (Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let db = Connection::open(&path).unwrap();
        let insert = |count: u32| {
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
                 INSERT INTO t SELECT printf('%0500d', i) FROM n;"
            )
        };
        db.execute_batch(&format!(
            "PRAGMA page_size = {page_size}; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA cache_size = 10; CREATE TABLE t (x); {} PRAGMA wal_checkpoint(TRUNCATE);
             {} {} BEGIN; {}",
            insert(10),
            insert(100),
            insert(200),
            insert(700)
        ))
        .unwrap();
        (fs::read(&path).unwrap(), fs::read(folder.path().join("x.db-wal")).unwrap())
    }

    fn applied(database: &[u8], log: &[u8]) -> io::Result<Vec<u8>> {
        let mut whole = Cursor::new(database.to_vec());
        let open = || -> io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(log.to_vec()))) };
        Log { path: Path::new("log"), open: &open }.apply(&mut whole)?;
        Ok(whole.into_inner())
    }

    fn rows(bytes: &[u8]) -> i64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        fs::write(&path, bytes).unwrap();
        let db = Connection::open(&path).unwrap();
        let found: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok");
        db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn what_was_committed_is_in_it_and_nothing_else() {
        for page_size in [512, 4096, 65_536] {
            let (database, log) = logged(page_size);
            assert_eq!(rows(&database), 10);
            assert_eq!(rows(&applied(&database, &log).unwrap()), 310, "{page_size}");
            // Cut off, or damaged: up to the last transaction that is whole.
            let mut found = Vec::new();
            for cut in (0..log.len()).step_by(log.len() / 40) {
                found.push(rows(&applied(&database, &log[..cut]).unwrap()));
                let mut damaged = log.clone();
                damaged[cut] ^= 1;
                let rows = rows(&applied(&database, &damaged).unwrap());
                assert!([10, 110, 310].contains(&rows), "{rows}");
            }
            assert!(found.is_sorted() && found.iter().all(|rows| [10, 110, 310].contains(rows)), "{found:?}");
        }
    }

    #[test]
    fn no_number_makes_a_database_large() {
        let mut header = [LITTLE, 3_007_000, 512, 0, 1, 2].map(u32::to_be_bytes).concat();
        let mut sums = Frames { log: io::empty(), page: vec![], big: false, salts: [0; 8], sums: [0; 2] };
        sums.add(&header);
        header.extend(sums.sums.map(u32::to_be_bytes).concat());
        let mut frame = [u32::MAX, u32::MAX].map(u32::to_be_bytes).concat();
        sums.add(&frame);
        sums.add(&[7; 512]);
        frame.extend([1, 2, sums.sums[0], sums.sums[1]].map(u32::to_be_bytes).concat());
        let log = [header, frame, vec![7; 512]].concat();
        assert_eq!(applied(b"", &log).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
