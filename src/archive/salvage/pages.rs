//! A database file as it lies there (SQLite's file format, 1.5, 1.6 and 2): its pages, and the rows in those that hold rows.
//! Each page is taken for what it says itself, whatever points to it.
//!
//! **Must never**: trust a number or a length that it read.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::archive::row::Owned;
use crate::disk::open_file;

/// What every database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// How long that beginning is.
const HEAD: usize = 100;

/// The pages of a file, from 1 on.
pub struct Pages {
    file: File,
    size: usize,
    count: u32,
    /// What the file begins with.
    head: Vec<u8>,
    /// How often each page was read for the rest of a row.
    followed: HashMap<u32, u8>,
}

/// No page is read more often for that. It is of one row, which is read some times; of one more where a page that leads there
/// is damaged, or lies there twice. In a file that was made to be slow all rows may lead through all pages.
const FOLLOWED: u8 = 32;

/// What a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Leads to rows that have row ids.
    RowsBelow,
    /// Has such rows.
    Rows,
    /// Leads to rows without row ids, of a table or an index, and has some itself.
    KeysBelow,
    /// Has such rows.
    Keys,
}

/// A page as it lies there.
pub struct Page {
    bytes: Vec<u8>,
    /// Where it begins to say what it is.
    begin: usize,
}

/// A row, as far as it could be read: what lay in a page that is lost is missing from its end.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// Of a row that has one.
    pub rowid: Option<i64>,
    pub values: Vec<Owned>,
}

impl Pages {
    /// `size`: of a page, where that is known. `None`: it is known by nothing.
    pub fn open(path: &Path, size: Option<usize>) -> io::Result<Option<Pages>> {
        let mut file = open_file(path)?;
        let length = file.metadata()?.len();
        let mut head = Vec::new();
        (&mut file).take(HEAD as u64).read_to_end(&mut head)?;
        let said = match two(&head, 16) {
            Some(1) => Some(65536),
            said => said,
        };
        let said = said.filter(|_| head.starts_with(MAGIC));
        let is_one = |size: &usize| size.is_power_of_two() && (512..=65536).contains(size);
        let Some(size) = size.or(said).filter(is_one) else { return Ok(None) };
        // What is cut off of the last one is zeros.
        let count = u32::try_from(length.div_ceil(size as u64)).unwrap_or(u32::MAX - 1);
        Ok(Some(Pages { file, size, count, head, followed: HashMap::new() }))
    }

    /// The numbers of all pages.
    pub fn numbers(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.count
    }

    /// Reads a page. `None`: there is none of this number.
    pub fn read(&mut self, number: u32) -> io::Result<Option<Page>> {
        if !self.numbers().contains(&number) {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(self.size);
        self.file.seek(SeekFrom::Start(u64::from(number - 1) * self.size as u64))?;
        (&mut self.file).take(self.size as u64).read_to_end(&mut bytes)?;
        bytes.resize(self.size, 0);
        Ok(Some(Page { bytes, begin: if number == 1 { HEAD } else { 0 } }))
    }

    /// The pages that were given up: what is in them is there no more.
    pub fn free(&mut self) -> io::Result<HashSet<u32>> {
        let mut free = HashSet::new();
        let mut list = four(&self.head, 32).unwrap_or(0);
        while free.insert(list)
            && let Some(page) = self.read(list)?
        {
            let many = four(&page.bytes, 4).unwrap_or(0).min(self.size as u32 / 4) as usize;
            free.extend((0..many).filter_map(|at| four(&page.bytes, 8 + at * 4)));
            list = four(&page.bytes, 0).unwrap_or(0);
        }
        Ok(free)
    }

    /// The rows of a page that are rows.
    pub fn records(&mut self, page: &Page) -> io::Result<Vec<Record>> {
        let Some(sort) = page.sort().filter(|sort| *sort != Sort::RowsBelow) else { return Ok(Vec::new()) };
        let mut records = Vec::new();
        for at in page.cells(sort) {
            records.extend(self.record(page, sort, at)?);
        }
        Ok(records)
    }

    fn record(&mut self, page: &Page, sort: Sort, mut at: usize) -> io::Result<Option<Record>> {
        if sort == Sort::KeysBelow {
            at += 4;
        }
        let Some(length) = varint(&page.bytes, &mut at).and_then(|length| usize::try_from(length).ok())
        else {
            return Ok(None);
        };
        if length as u64 > u64::from(self.count) * self.size as u64 {
            return Ok(None);
        }
        let rowid = match sort {
            Sort::Rows => match varint(&page.bytes, &mut at) {
                Some(rowid) => Some(rowid as i64),
                None => return Ok(None),
            },
            _ => None,
        };
        let here = self.length_here(sort, length);
        let Some(begin) = page.bytes.get(at..at + here) else { return Ok(None) };
        let mut payload = begin.to_vec();
        if here < length
            && let Some(next) = four(&page.bytes, at + here)
        {
            self.follow(next, length, &mut payload)?;
        }
        Ok(values(&payload, length).map(|values| Record { rowid, values }))
    }

    /// How much of a row of this length is in its own page. Nothing is kept free at the end of a page: archives are made so.
    fn length_here(&self, sort: Sort, length: usize) -> usize {
        let most = match sort {
            Sort::Rows | Sort::RowsBelow => self.size - 35,
            Sort::Keys | Sort::KeysBelow => (self.size - 12) * 64 / 255 - 23,
        };
        if length <= most {
            return length;
        }
        let least = (self.size - 12) * 32 / 255 - 23;
        let here = least + (length - least) % (self.size - 4);
        if here <= most { here } else { least }
    }

    fn may_follow(&mut self, page: u32) -> bool {
        let times = self.followed.entry(page).or_default();
        *times = times.saturating_add(1);
        *times <= FOLLOWED
    }

    /// Reads the rest of a row, as far as pages lead there.
    fn follow(&mut self, mut next: u32, length: usize, payload: &mut Vec<u8>) -> io::Result<()> {
        while payload.len() < length
            && self.may_follow(next)
            && let Some(page) = self.read(next)?
            // The number of the next page begins with 0, as long as the file is smaller than 64 GB.
            && page.sort().is_none()
        {
            let rest = (length - payload.len()).min(self.size - 4);
            payload.extend_from_slice(page.bytes.get(4..4 + rest).unwrap_or_default());
            next = four(&page.bytes, 0).unwrap_or(0);
        }
        Ok(())
    }
}

impl Page {
    /// What it says that it is for; `None`: for the rest of a long row, or for nothing.
    pub fn sort(&self) -> Option<Sort> {
        match self.bytes.get(self.begin)? {
            2 => Some(Sort::KeysBelow),
            5 => Some(Sort::RowsBelow),
            10 => Some(Sort::Keys),
            13 => Some(Sort::Rows),
            _ => None,
        }
    }

    /// The pages that it leads to, each with the highest row id that it says is there: of the last one, and of rows without row
    /// ids, it says none.
    pub fn below(&self) -> Vec<(u32, Option<i64>)> {
        let Some(sort @ (Sort::RowsBelow | Sort::KeysBelow)) = self.sort() else { return Vec::new() };
        let last = four(&self.bytes, self.begin + 8).map(|page| (page, None));
        let below = |at| {
            let highest = varint(&self.bytes, &mut (at + 4)).filter(|_| sort == Sort::RowsBelow);
            Some((four(&self.bytes, at)?, highest.map(u64::cast_signed)))
        };
        self.cells(sort).filter_map(below).chain(last).collect()
    }

    /// Where its cells are.
    fn cells(&self, sort: Sort) -> impl Iterator<Item = usize> {
        let many = two(&self.bytes, self.begin + 3).unwrap_or(0);
        let head = if matches!(sort, Sort::RowsBelow | Sort::KeysBelow) { 12 } else { 8 };
        (0..many).map_while(move |at| two(&self.bytes, self.begin + head + at * 2))
    }
}

fn two(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn four(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Up to nine bytes, of which all but the ninth give seven bits.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some(number)
}

/// The values of a row. `length`: of all of it. `None`: that is no row.
fn values(payload: &[u8], length: usize) -> Option<Vec<Owned>> {
    let mut at = 0;
    let head = usize::try_from(varint(payload, &mut at)?).ok()?;
    let (types, mut body) = (payload.get(..head)?, payload.get(head..)?);
    let mut values = Vec::new();
    let mut left = length.checked_sub(head)?;
    while at < head {
        let (value, bytes) = value(varint(types, &mut at)?, body)?;
        left = left.checked_sub(bytes)?;
        body = body.get(bytes..).unwrap_or_default();
        values.push(value);
    }
    // They are as long as the row is.
    (left == 0 && at == head && !values.is_empty()).then_some(values)
}

/// The value of this type that these bytes begin with, as far as it is there, and how long all of it is.
fn value(of_type: u64, bytes: &[u8]) -> Option<(Owned, usize)> {
    let number = |length: usize| {
        let Some(bytes) = bytes.get(..length) else { return Owned::Null };
        let sign = bytes.first().map_or(0, |first| i64::from(*first as i8 >> 7));
        Owned::Integer(bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte)))
    };
    Some(match of_type {
        0 => (Owned::Null, 0),
        1..=4 => (number(of_type as usize), of_type as usize),
        5 => (number(6), 6),
        6 => (number(8), 8),
        7 => match number(8) {
            Owned::Integer(bits) => (Owned::Real(f64::from_bits(bits as u64)), 8),
            none => (none, 8),
        },
        8 => (Owned::Integer(0), 0),
        9 => (Owned::Integer(1), 0),
        10 | 11 => return None,
        _ => {
            let length = usize::try_from((of_type - 12) / 2).ok()?;
            let there = bytes.get(..length.min(bytes.len())).unwrap_or_default().to_vec();
            (if of_type.is_multiple_of(2) { Owned::Blob(there) } else { Owned::Text(there) }, length)
        }
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Every row of a database, of whatever length, as SQLite wrote it: for pages of every size.
    #[test]
    fn rows_are_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        for size in [512, 1024, 4096, 65536] {
            let path = folder.path().join(format!("{size}.db"));
            let db = Connection::open(&path).unwrap();
            db.execute_batch(&format!(
                "PRAGMA page_size = {size};
                 CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER, r REAL, t TEXT, b BLOB);
                 CREATE TABLE k (t TEXT PRIMARY KEY, b BLOB) WITHOUT ROWID;"
            ))
            .unwrap();
            let mut expected = Vec::new();
            for (at, number) in [0, 1, -1, 127, -128, 128, 40_000, -8_000_000, 1 << 40, i64::MIN, i64::MAX]
                .into_iter()
                .enumerate()
            {
                for more in [0, 400, 500, 600, 4_000, 5_000, 70_000] {
                    let id = at as i64 * 1_000_000 + more;
                    let (text, blob) = ("x".repeat(more as usize + 7 * at), vec![7u8; at * 300]);
                    let row = (id, number, number as f64 + 0.5, &text, &blob);
                    db.execute("INSERT INTO a VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
                    db.execute("INSERT INTO k VALUES (?1, ?2)", (format!("{id} {text}"), &blob)).unwrap();
                    let (text, key) = (text.clone().into_bytes(), format!("{id} {text}").into_bytes());
                    let values = vec![
                        Owned::Null,
                        Owned::Integer(number),
                        Owned::Real(number as f64 + 0.5),
                        Owned::Text(text),
                        Owned::Blob(blob.clone()),
                    ];
                    expected.push(Record { rowid: Some(id), values });
                    expected.push(Record { rowid: None, values: vec![Owned::Text(key), Owned::Blob(blob)] });
                }
            }
            drop(db);
            let mut pages = Pages::open(&path, None).unwrap().unwrap();
            let mut found = Vec::new();
            for number in pages.numbers().skip(1) {
                let page = pages.read(number).unwrap().unwrap();
                found.extend(pages.records(&page).unwrap());
            }
            let missing: Vec<_> = expected.iter().filter(|record| !found.contains(record)).collect();
            assert!(missing.is_empty(), "{size}: {} of {}", missing.len(), expected.len());
        }
    }

    /// Rows that all lead to the same chain of pages, which leads back to where it begins.
    #[test]
    fn a_chain_is_not_read_for_every_row() {
        let (size, chain, cells, at) = (4096, 60usize, 1500u16, 3100usize);
        let mut bytes = vec![0u8; size * (chain + 1)];
        bytes[0] = 13;
        bytes[3..5].copy_from_slice(&cells.to_be_bytes());
        bytes[8..8 + 2 * usize::from(cells)]
            .chunks_mut(2)
            .for_each(|cell| cell.copy_from_slice(&(at as u16).to_be_bytes()));
        // All are the same row: what is in its own page, and the rest of so many pages.
        let here = (size - 12) * 32 / 255 - 23;
        let length = here + (size - 4) * (chain - 1);
        let varint = [14, 7, 0].map(|bits| (length >> bits) as u8 & 0x7f | if bits > 0 { 0x80 } else { 0 });
        bytes[at..at + 3].copy_from_slice(&varint);
        bytes[at + 3] = 1;
        bytes[at + 4 + here + 3] = 2;
        for page in 2..=chain {
            let next = if page == chain { 2 } else { page as u32 + 1 };
            let begin = (page - 1) * size;
            bytes[begin..begin + 4].copy_from_slice(&next.to_be_bytes());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain");
        std::fs::write(&path, &bytes).unwrap();
        let mut pages = Pages::open(&path, Some(size)).unwrap().unwrap();
        let page = pages.read(1).unwrap().unwrap();
        let first = Page { bytes: page.bytes, begin: 0 };
        pages.records(&first).unwrap();
        assert_eq!(pages.followed.len(), chain - 1);
        let after_the_first = pages.followed.iter().filter(|(page, _)| **page > 2);
        assert!(
            after_the_first.map(|(_, times)| *times).all(|times| times == FOLLOWED),
            "{:?}",
            pages.followed
        );
    }

    /// Whatever a file holds, reading it comes to an end.
    #[test]
    fn any_bytes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any");
        let mut state = 1u64;
        for first in [2, 5, 10, 13] {
            let mut bytes = vec![0u8; 512 * 16];
            for byte in &mut bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
            bytes.chunks_mut(512).for_each(|page| page[0] = first);
            std::fs::write(&path, &bytes).unwrap();
            let mut pages = Pages::open(&path, Some(512)).unwrap().unwrap();
            pages.free().unwrap();
            for number in pages.numbers() {
                let page = pages.read(number).unwrap().unwrap();
                pages.records(&page).unwrap();
                page.below();
            }
            assert!(pages.read(0).unwrap().is_none() && pages.read(17).unwrap().is_none());
        }
        assert!(Pages::open(&path, None).unwrap().is_none());
    }
}
