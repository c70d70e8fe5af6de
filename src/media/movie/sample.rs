//! A film's samples: where the first picture that needs no other lies. `stss`, `stsz`, `stsc`, `stco`, `co64`.

use std::io::{Read, Seek};
use std::ops::Range;

use super::boxes::{Atom, child};
use super::track::Track;
use crate::media::file_bytes::{BigEndian, FileBytes};

/// The largest picture that is read: a key frame of a 4K film has one to two megabytes.
const LARGEST: u64 = 16 << 20;
/// Samples before the first key frame, and entries of a table that are gone through. The first is nearly always one.
const FAR: u64 = 1 << 16;

/// A picture that can be decoded without another: a codec's NAL units, each behind its length.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::media) struct Keyframe {
    pub bytes: Vec<u8>,
}

impl Track {
    /// Its first key frame. `None`: none is there, or none that is read.
    pub fn keyframe(&self, file: &mut FileBytes<impl Read + Seek>) -> Option<Keyframe> {
        let number = match child(file, &self.tables, b"stss") {
            Some(stss) if stss.len() >= 12 => u64::from(u32::from_be_bytes(file.array(stss.body.start + 8)?)),
            // Every sample is one.
            _ => 1,
        };
        let range = self.place(file, number.checked_sub(1).filter(|before| *before < FAR)?)?;
        Some(Keyframe { bytes: file.at(range.start, range.end - range.start)? })
    }

    /// Where the sample with so many before it lies.
    fn place(&self, file: &mut FileBytes<impl Read + Seek>, before: u64) -> Option<Range<u64>> {
        let (chunk, first) = self.chunk_of(file, before)?;
        let stsz = child(file, &self.tables, b"stsz")?;
        let sizes = Sizes::read(file, &stsz)?;
        let offsets = |atom: Atom, width: u64| (atom.body.start + 8, atom, width);
        let (at, atom, width) = match child(file, &self.tables, b"stco") {
            Some(stco) => offsets(stco, 4),
            None => offsets(child(file, &self.tables, b"co64")?, 8),
        };
        let at = at.checked_add(chunk.checked_mul(width)?)?;
        if at.checked_add(width)? > atom.body.end {
            return None;
        }
        let mut offset = match width {
            4 => u64::from(u32::from_be_bytes(file.array(at)?)),
            _ => u64::from_be_bytes(file.array(at)?),
        };
        for sample in first..before {
            offset = offset.checked_add(sizes.of(file, sample)?)?;
        }
        let size = sizes.of(file, before)?;
        (size > 0 && size <= LARGEST).then_some(offset..offset.checked_add(size)?)
    }

    /// The chunk that a sample lies in, and how many samples lie before that chunk.
    fn chunk_of(&self, file: &mut FileBytes<impl Read + Seek>, sample: u64) -> Option<(u64, u64)> {
        let stsc = child(file, &self.tables, b"stsc")?;
        let entries = u64::from(u32::from_be_bytes(file.array(stsc.body.start + 4)?));
        let table = file.at(stsc.body.start + 8, entries.min(FAR).checked_mul(12)?)?;
        let mut before = 0u64;
        let mut runs = table.chunks_exact(12).peekable();
        while let Some(run) = runs.next() {
            let first = u64::from(run.u32_at(0)?.checked_sub(1)?);
            let in_each = u64::from(run.u32_at(4)?).max(1);
            let chunks = match runs.peek() {
                Some(next) => u64::from(next.u32_at(0)?.checked_sub(1)?).checked_sub(first)?,
                None => u64::MAX,
            };
            let samples = chunks.saturating_mul(in_each);
            let within = sample.checked_sub(before)?;
            if within < samples {
                let chunk = within / in_each;
                return Some((first.checked_add(chunk)?, before + chunk * in_each));
            }
            before = before.checked_add(samples)?;
        }
        None
    }
}

/// `stsz`: one size for all, or a table.
struct Sizes {
    all: u32,
    table: Range<u64>,
}

impl Sizes {
    fn read(file: &mut FileBytes<impl Read + Seek>, stsz: &Atom) -> Option<Sizes> {
        let all = u32::from_be_bytes(file.array(stsz.body.start + 4)?);
        Some(Sizes { all, table: stsz.body.start + 12..stsz.body.end })
    }

    fn of(&self, file: &mut FileBytes<impl Read + Seek>, sample: u64) -> Option<u64> {
        if self.all != 0 {
            return Some(self.all.into());
        }
        let at = self.table.start.checked_add(sample.checked_mul(4)?)?;
        (at.checked_add(4)? <= self.table.end).then_some(())?;
        Some(u32::from_be_bytes(file.array(at)?).into())
    }
}
