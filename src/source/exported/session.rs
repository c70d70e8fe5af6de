//! Reading lines of an export again, in the order of their dates.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::Exported;
use super::index::{FileIndex, Place};
use super::line::Line;
use super::message::Around;
use crate::model::Message;
use crate::source::timeline::{Listed, Sample, order};
use crate::source::{ChatId, RawMessage, Session, SourceError, Target, Timeline, Window};

/// Bytes of lines that are read at once, but for one line that is longer.
const PART: usize = 4 << 20;

/// A worker's reader.
pub struct Reader<'e> {
    export: &'e Exported,
    open: Option<Open>,
}

/// The file that was read last, and where reading stopped.
struct Open {
    file: usize,
    reader: BufReader<File>,
    at: u64,
}

impl<'e> Reader<'e> {
    pub fn new(export: &'e Exported) -> Reader<'e> {
        Reader { export, open: None }
    }

    fn file(&self, place: Place) -> Option<&'e FileIndex> {
        self.export.index.files.get(place.file)
    }

    /// A line's message with what hangs on it; one that cannot be read says why.
    fn line(&mut self, place: Place) -> Result<RawMessage, SourceError> {
        let Some(file) = self.file(place) else { return Ok(RawMessage::default()) };
        let around = Around { people: &self.export.people, files: &self.export.files };
        let read = match file.line(place.line) {
            Some(range) => {
                let text = self.text(place.file, file, range).map_err(SourceError::io(&file.path))?;
                serde_json::from_slice::<Line>(&text).map_err(|error| error.to_string())
            }
            None => Err("it was passed over when lines were counted".into()),
        };
        let mut row = read.map_or_else(|what| unreadable(file, place, &what), |line| around.row(line));
        row.rowid = file.rowid(place.line);
        row.chat = Some(file.chat);
        for (row, rowid) in row.associated.iter_mut().zip(row.rowid + 1..) {
            row.rowid = rowid;
            row.chat = Some(file.chat);
        }
        Ok(row)
    }

    fn text(&mut self, number: usize, file: &FileIndex, range: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
        let open = match self.open.take().filter(|open| open.file == number) {
            Some(open) => self.open.insert(open),
            None => {
                let reader = BufReader::with_capacity(1 << 16, File::open(&file.path)?);
                self.open.insert(Open { file: number, reader, at: 0 })
            }
        };
        match i64::try_from(range.start).ok().zip(i64::try_from(open.at).ok()) {
            Some((to, at)) => open.reader.seek_relative(to - at)?,
            None => drop(open.reader.seek(SeekFrom::Start(range.start))?),
        }
        // No longer than what was read when lines were counted.
        let mut text = vec![0; (range.end - range.start) as usize];
        let read = open.reader.read_exact(&mut text);
        open.at = range.end;
        if read.is_err() {
            self.open = None;
        }
        read.map(|()| text)
    }

    fn read_listed(&mut self, listed: &[Listed]) -> Result<Vec<RawMessage>, SourceError> {
        let mut lines: HashMap<(usize, usize), RawMessage> = HashMap::new();
        let mut page = Vec::with_capacity(listed.len());
        let places = || listed.iter().filter_map(|row| self.export.index.place(row.rowid));
        let (messages, tapbacks): (Vec<Place>, Vec<Place>) = places().partition(|place| place.nth == 0);
        for place in messages {
            let row = self.line(place)?;
            lines.insert((place.file, place.line), row);
        }
        let mut elsewhere: Option<(Place, RawMessage)> = None;
        for place in tapbacks {
            let is_same = |other: &Place| (other.file, other.line) == (place.file, place.line);
            if !lines.contains_key(&(place.file, place.line))
                && !elsewhere.as_ref().is_some_and(|(other, _)| is_same(other))
            {
                elsewhere = Some((place, self.line(place)?));
            }
            let read = elsewhere.as_ref().filter(|(other, _)| is_same(other)).map(|(_, row)| row);
            let Some(message) = lines.get(&(place.file, place.line)).or(read) else { continue };
            let nth = place.nth.checked_sub(1).and_then(|nth| message.associated.get(nth));
            let target = Target { rowid: message.rowid, chat: message.chat.unwrap_or(ChatId::ORPHANS) };
            // A lone tapback is its line's message, and no row beside it.
            page.extend(nth.map(|row| RawMessage { target: Some(target), ..row.clone() }));
        }
        page.extend(lines.into_values());
        page.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(page)
    }

    /// How many bytes of lines these rows take.
    fn weight(&self, listed: &Listed) -> usize {
        let place = self.export.index.place(listed.rowid).filter(|place| place.nth == 0);
        let line = place.and_then(|place| self.file(place)?.line(place.line));
        line.map_or(0, |line| (line.end - line.start) as usize)
    }

    fn divided(&self, timeline: &Timeline, window: &Window) -> Vec<Window> {
        let listed = timeline.listed.get(window.listed.clone()).unwrap_or_default();
        let sample = |row: &Listed| Sample { moment: row.moment(), date: row.date, amount: self.weight(row) };
        window.clone().cut(listed.iter().map(sample).collect(), PART, timeline)
    }
}

/// What is left of a line that cannot be read.
fn unreadable(file: &FileIndex, place: Place, what: &str) -> RawMessage {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let defect = format!("line {} of {name} cannot be read: {what}", place.line + 1);
    let message = Message { defects: vec![defect], ..Message::default() };
    RawMessage { unreadable: true, exported: Some(Box::new(message)), ..RawMessage::default() }
}

impl Session for Reader<'_> {
    fn timeline(&mut self, chats: &[ChatId], size: usize) -> Result<Timeline, SourceError> {
        let size = size.max(1);
        let mut timeline = Timeline { chats: chats.to_vec(), ..Timeline::default() };
        for (chat, id) in (0..).zip(chats) {
            for file in self.export.index.files.iter().filter(|file| file.chat == *id) {
                let rows = file.rows();
                timeline.listed.extend(rows.map(|(date, rowid)| Listed {
                    date,
                    rowid,
                    chat,
                    deleted: false,
                }));
            }
        }
        timeline.rows = timeline.listed.len() as u64;
        timeline.listed.sort_unstable_by_key(|row| (row.moment(), row.rowid, row.chat));
        let samples = timeline.listed_samples(size);
        timeline.cut(samples, size);
        Ok(timeline)
    }

    fn page_if_small(
        &mut self,
        timeline: &Timeline,
        window: usize,
    ) -> Result<Option<Vec<RawMessage>>, SourceError> {
        let Some(window) = timeline.window(window) else { return Ok(Some(Vec::new())) };
        match self.divided(timeline, window).as_slice() {
            [] | [_] => self.read(timeline, window).map(Some),
            _ => Ok(None),
        }
    }

    fn parts(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<Window>, SourceError> {
        Ok(timeline.window(window).map_or(Vec::new(), |window| self.divided(timeline, window)))
    }

    fn read(&mut self, timeline: &Timeline, window: &Window) -> Result<Vec<RawMessage>, SourceError> {
        let listed = timeline.listed.get(window.listed.clone()).unwrap_or_default();
        self.read_listed(listed)
    }

    fn survey(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<RawMessage>, SourceError> {
        let mut rows = Vec::new();
        for part in self.parts(timeline, window)? {
            let mut read = self.read(timeline, &part)?;
            // Cards can be large, and say nothing that is compared.
            read.iter_mut().filter_map(|row| row.exported.as_mut()).for_each(|told| told.balloon = None);
            rows.append(&mut read);
        }
        Ok(rows)
    }
}
