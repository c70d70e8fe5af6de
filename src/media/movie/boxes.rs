//! Boxes: a size, four letters, and what is in it.

use std::io::{Read, Seek};
use std::ops::Range;

use crate::media::file_bytes::{BigEndian, FileBytes};

/// Boxes in one other that are looked at. A film in fragments has thousands at its top; they come behind its `moov`.
const MOST_BOXES: usize = 4096;

/// A box: its letters, and where its inside lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Atom {
    pub kind: [u8; 4],
    pub body: Range<u64>,
}

impl Atom {
    /// Bytes of its inside.
    pub fn len(&self) -> u64 {
        self.body.end.saturating_sub(self.body.start)
    }
}

/// The boxes in a box, in their order; up to the first that makes no sense.
pub(super) fn children(file: &mut FileBytes<impl Read + Seek>, parent: &Atom) -> Vec<Atom> {
    children_from(file, parent, 0)
}

/// As [`children`], behind so many bytes of other things.
pub(super) fn children_from(file: &mut FileBytes<impl Read + Seek>, parent: &Atom, skip: u64) -> Vec<Atom> {
    let mut found = Vec::new();
    let mut at = parent.body.start.saturating_add(skip);
    let end = parent.body.end.min(file.len());
    while found.len() < MOST_BOXES && at.saturating_add(8) <= end {
        let Some((atom, next)) = read(file, at, end) else { break };
        found.push(atom);
        at = next;
    }
    found
}

/// The first box of a kind in a box.
pub(super) fn child(file: &mut FileBytes<impl Read + Seek>, parent: &Atom, kind: &[u8; 4]) -> Option<Atom> {
    children(file, parent).into_iter().find(|atom| atom.kind == *kind)
}

fn read(file: &mut FileBytes<impl Read + Seek>, at: u64, end: u64) -> Option<(Atom, u64)> {
    let head = file.array::<8>(at)?;
    let (header, size) = match head.u32_at(0)? {
        // To the end.
        0 => (8, end - at),
        1 => (16, file.array::<16>(at)?.u64_at(8)?),
        size => (8, u64::from(size)),
    };
    let next = at.checked_add(size)?;
    // A file that is cut off has its last box cut off.
    let body = at + header..next.min(end);
    (size >= header && body.start <= body.end).then_some((Atom { kind: *head.last_chunk()?, body }, next))
}
