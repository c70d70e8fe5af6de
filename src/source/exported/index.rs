//! Where each line of an export lies, and which rows it has.
//!
//! Row ids are numbered through: a line's message first, then its tapbacks. A line costs 16 bytes, a row 8.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::line::Glance;
use super::list::Listed;
use super::people::People;
use crate::source::dates::raw_of;
use crate::source::{ChatId, SourceError};

/// A longer line is not read: no message is.
pub const LONGEST: u64 = 32 << 20;

/// Lines that are named in warnings; more are counted.
const NAMED: usize = 3;

/// All files with messages.
#[derive(Debug)]
pub struct Index {
    pub folder: PathBuf,
    pub files: Vec<FileIndex>,
    /// Lines that cannot be read: the first of them, and how many there are.
    broken: Vec<String>,
    broken_count: u64,
}

/// One file.
#[derive(Debug)]
pub struct FileIndex {
    pub path: PathBuf,
    pub chat: ChatId,
    /// The row id of its first row.
    first: i64,
    lines: Vec<Line>,
    /// Of each row, raw.
    dates: Vec<i64>,
    stamp: Stamp,
}

/// Where a line lies.
#[derive(Debug, Clone, Copy)]
struct Line {
    offset: u64,
    /// Without its end; 0 of one that cannot be read.
    bytes: u32,
    /// The place of its first row among the file's.
    row: u32,
}

/// By what it shows that a file was written to.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// A row's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub file: usize,
    /// Which line, from 0 on.
    pub line: usize,
    /// 0: the message itself; else which of its tapbacks, from 1 on.
    pub nth: usize,
}

impl Stamp {
    fn of(file: &File) -> io::Result<Stamp> {
        let about = file.metadata()?;
        Ok(Stamp { bytes: about.len(), modified: about.modified().ok() })
    }
}

impl Index {
    /// Counts the lines of all files that are listed. Senders who are no participants become people.
    ///
    /// # Errors
    /// What the file system says; [`SourceError::Export`] of a file with too many rows.
    pub fn of(folder: &Path, listed: &[Listed], people: &mut People) -> Result<Index, SourceError> {
        let mut index =
            Index { folder: folder.to_owned(), files: Vec::new(), broken: Vec::new(), broken_count: 0 };
        let mut first = 1;
        let root = folder.canonicalize().map_err(SourceError::io(folder))?;
        for (number, conversation) in listed.iter().enumerate() {
            let path = folder.join(&conversation.file);
            let outside = || SourceError::Export {
                path: path.clone(),
                line: 1,
                what: "a link leads out of the folder".into(),
            };
            if !path.canonicalize().map_err(SourceError::io(&path))?.starts_with(&root) {
                return Err(outside());
            }
            let mut file = FileIndex::new(&path, first)?;
            let mut senders = Vec::new();
            index.count(&mut file, people, &mut senders)?;
            first += file.dates.len() as i64;
            if let Some(chat) = people.home(number) {
                file.chat = chat.id();
                chat.rows = file.dates.len() as u64;
                chat.last = file.dates.iter().copied().max().unwrap_or(0);
                senders.retain(|sender| !chat.orphans && !chat.handle_ids.contains(sender));
                chat.senders.extend(senders);
            }
            index.files.push(file);
        }
        Ok(index)
    }

    fn count(
        &mut self,
        file: &mut FileIndex,
        people: &mut People,
        senders: &mut Vec<i64>,
    ) -> Result<(), SourceError> {
        let failed = || SourceError::io(&file.path);
        let mut lines = Lines::of(File::open(&file.path).map_err(failed())?);
        while let Some(Found { at, text }) = lines.next().map_err(failed())? {
            let row = u32::try_from(file.dates.len()).map_err(|_| SourceError::Export {
                path: file.path.clone(),
                line: at.number,
                what: "it holds more rows than are read of one file".into(),
            })?;
            let glance = match text {
                Some(text) => Glance::of(text),
                None => Err(format!("it is longer than {} MiB", LONGEST >> 20)),
            };
            match glance {
                Ok(glance) => {
                    file.lines.push(Line { offset: at.offset, bytes: at.bytes, row });
                    file.dates.push(raw_of(glance.date.as_deref()));
                    file.dates.extend(glance.hanging().map(raw_of));
                    for address in glance.senders() {
                        let sender = people.handle(address);
                        if !senders.contains(&sender) {
                            senders.push(sender);
                        }
                    }
                }
                Err(what) => {
                    file.lines.push(Line { offset: at.offset, bytes: 0, row });
                    file.dates.push(0);
                    self.broken_count += 1;
                    if self.broken.len() < NAMED {
                        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
                        self.broken.push(format!("line {} of {name} cannot be read: {what}", at.number));
                    }
                }
            }
        }
        Ok(())
    }

    /// What cannot be read of it, in words.
    pub fn warnings(&self, folder: &Path) -> Vec<String> {
        let mut warnings = self.broken.clone();
        let more = self.broken_count.saturating_sub(NAMED as u64);
        if more > 0 {
            warnings.push(format!("{more} more lines of {} cannot be read", folder.display()));
        }
        warnings
    }

    /// Where a row lies.
    pub fn place(&self, rowid: i64) -> Option<Place> {
        let file = self.files.partition_point(|file| file.first <= rowid).checked_sub(1)?;
        let at = self.files.get(file)?;
        let row = usize::try_from(rowid.checked_sub(at.first)?).ok().filter(|row| *row < at.dates.len())?;
        let line = at.lines.partition_point(|line| line.row as usize <= row).checked_sub(1)?;
        Some(Place { file, line, nth: row - at.lines.get(line)?.row as usize })
    }

    /// # Errors
    /// [`SourceError::Changed`] where a file is not what it was when its lines were counted.
    pub fn unchanged(&self) -> Result<(), SourceError> {
        for FileIndex { path, stamp, .. } in &self.files {
            let now = File::open(path).and_then(|file| Stamp::of(&file)).map_err(SourceError::io(path))?;
            if now != *stamp {
                return Err(SourceError::Changed { path: path.clone() });
            }
        }
        Ok(())
    }
}

impl FileIndex {
    fn new(path: &Path, first: i64) -> Result<FileIndex, SourceError> {
        let stamp = File::open(path).and_then(|file| Stamp::of(&file)).map_err(SourceError::io(path))?;
        let (path, chat) = (path.to_owned(), ChatId::ORPHANS);
        Ok(FileIndex { path, chat, first, lines: Vec::new(), dates: Vec::new(), stamp })
    }

    /// Every row: its raw date and its row id.
    pub fn rows(&self) -> impl Iterator<Item = (i64, i64)> {
        self.dates.iter().copied().zip(self.first..)
    }

    /// The bytes of a line; `None` of one that cannot be read.
    pub fn line(&self, line: usize) -> Option<Range<u64>> {
        let Line { offset, bytes, .. } = *self.lines.get(line)?;
        (bytes > 0).then(|| offset..offset + u64::from(bytes))
    }

    /// The row id of a line's message.
    pub fn rowid(&self, line: usize) -> i64 {
        self.first + self.lines.get(line).map_or(0, |line| i64::from(line.row))
    }
}

/// The lines of a file, one after the other.
struct Lines {
    file: BufReader<File>,
    text: Vec<u8>,
    at: At,
}

/// Where a line lies, and which it is, from 1 on.
#[derive(Debug, Clone, Copy, Default)]
struct At {
    offset: u64,
    bytes: u32,
    number: u64,
}

/// A line that is not blank; without its text where it is too long.
struct Found<'t> {
    at: At,
    text: Option<&'t [u8]>,
}

impl Lines {
    fn of(file: File) -> Lines {
        Lines { file: BufReader::with_capacity(1 << 16, file), text: Vec::new(), at: At::default() }
    }

    /// The next line.
    fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        let mut offset = self.at.offset + u64::from(self.at.bytes);
        loop {
            self.text.clear();
            let read = (&mut self.file).take(LONGEST).read_until(b'\n', &mut self.text)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.at.number += 1;
            let whole = self.text.ends_with(b"\n") || read < LONGEST;
            if whole && self.text.iter().all(u8::is_ascii_whitespace) {
                offset += read;
                continue;
            }
            let rest = if whole { 0 } else { self.skip_rest()? };
            self.at = At { offset, bytes: read as u32, number: self.at.number };
            // What was skipped belongs to it, and is found again by nobody.
            self.at.offset += rest;
            let at = At { offset, ..self.at };
            return Ok(Some(Found { at, text: whole.then_some(&*self.text) }));
        }
    }

    /// Reads to the end of a line, and keeps nothing.
    fn skip_rest(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let buffer = self.file.fill_buf()?;
            if buffer.is_empty() {
                return Ok(skipped);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let read = end.map_or(buffer.len(), |end| end + 1);
            self.file.consume(read);
            skipped += read as u64;
            if end.is_some() {
                return Ok(skipped);
            }
        }
    }
}
