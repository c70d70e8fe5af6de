//! A film's heads: `mvhd`, `tkhd`, `mdhd`, `hdlr`, `stsd`.

use std::io::{Read, Seek};
use std::time::Duration;

use super::boxes::{Atom, child, children, children_from};
use crate::media::file_bytes::{self, BigEndian, FileBytes};

/// The largest description of a sample that is read: parameter sets of a codec and a little more.
const LARGEST_DESCRIPTION: u64 = 1 << 20;

/// One sound, or one picture.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::media) struct Track {
    /// `vide`, `soun`, …
    pub handler: [u8; 4],
    pub is_enabled: bool,
    pub duration: Option<Duration>,
    /// Width and height before it is turned.
    pub size: (u32, u32),
    pub orientation: Orientation,
    /// `hvc1`, `avc1`, …
    pub codec: [u8; 4],
    /// What the codec must know: the inside of `hvcC` or `avcC`.
    pub configuration: Vec<u8>,
    pub color: Option<Color>,
    /// The tables of its samples.
    pub(super) tables: Atom,
}

/// What the numbers of a picture stand for: code points of ISO/IEC 23091-2 (`colr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::media) struct Color {
    pub primaries: u16,
    pub transfer: u16,
    pub matrix: u16,
    pub full_range: bool,
}

/// How a picture is turned to be upright: where its axes go, by the signs of `tkhd`'s matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::media) struct Orientation {
    /// A step to the right in the stored picture is this step, right and down, in the upright one.
    pub right: (i8, i8),
    /// And a step down.
    pub down: (i8, i8),
}

impl Orientation {
    pub const UPRIGHT: Orientation = Orientation { right: (1, 0), down: (0, 1) };

    /// Width and height change places.
    pub fn is_sideways(self) -> bool {
        self.right.0 == 0
    }

    /// From the matrix' upper left numbers. Anything but quarter turns and mirrors counts as upright.
    fn of(matrix: [i32; 4]) -> Orientation {
        let [a, b, c, d] = matrix.map(|n| n.signum() as i8);
        match (a, b, c, d) {
            (_, 0, 0, _) if a != 0 && d != 0 => Orientation { right: (a, 0), down: (0, d) },
            (0, _, _, 0) if b != 0 && c != 0 => Orientation { right: (0, b), down: (c, 0) },
            _ => Orientation::UPRIGHT,
        }
    }
}

impl Track {
    pub(super) fn read(file: &mut FileBytes<impl Read + Seek>, trak: &Atom) -> Option<Track> {
        let atoms = children(file, trak);
        let find = |kind: &[u8; 4]| atoms.iter().find(|atom| atom.kind == *kind);
        let mdia = find(b"mdia")?;
        let inside = children(file, mdia);
        let find_inside = |kind: &[u8; 4]| inside.iter().find(|atom| atom.kind == *kind);
        let hdlr = find_inside(b"hdlr")?;
        let handler = *file.array::<12>(hdlr.body.start)?.last_chunk()?;
        let minf = find_inside(b"minf");
        let tables = minf.and_then(|minf| child(file, minf, b"stbl"));
        let mut track = Track {
            handler,
            is_enabled: true,
            duration: find_inside(b"mdhd").and_then(|mdhd| times(file, mdhd)),
            size: (0, 0),
            orientation: Orientation::UPRIGHT,
            codec: [0; 4],
            configuration: Vec::new(),
            color: None,
            tables: tables.unwrap_or(Atom { kind: *b"stbl", body: 0..0 }),
        };
        if let Some(tkhd) = find(b"tkhd") {
            track.take_header(file, tkhd);
        }
        if matches!(&handler, b"vide" | b"pict") {
            track.take_description(file);
        }
        Some(track)
    }

    /// Width and height of the upright picture. `None`: it has none.
    pub fn pixels(&self) -> Option<(u32, u32)> {
        let (width, height) = self.size;
        let upright = if self.orientation.is_sideways() { (height, width) } else { (width, height) };
        (width > 0 && height > 0).then_some(upright)
    }

    /// `tkhd`: a switch, the size, the matrix.
    fn take_header(&mut self, file: &mut FileBytes<impl Read + Seek>, tkhd: &Atom) -> Option<()> {
        let flags = file.array::<4>(tkhd.body.start)?;
        self.is_enabled = flags.u32_at(0)? & 1 != 0;
        // Times have 64 bits in version 1.
        let before = if flags.first() == Some(&1) { 52 } else { 40 };
        let rest = file.array::<44>(tkhd.body.start + before)?;
        let number = |i: usize| rest.u32_at(4 * i).unwrap_or(0);
        self.orientation = Orientation::of([0, 1, 3, 4].map(|i| number(i) as i32));
        // Fixed-point numbers.
        self.size = (number(9) >> 16, number(10) >> 16);
        Some(())
    }

    /// The first entry of `stsd`.
    fn take_description(&mut self, file: &mut FileBytes<impl Read + Seek>) -> Option<()> {
        /// Bytes of a picture's entry before the boxes in it.
        const FIXED: u64 = 78;
        let stsd = child(file, &self.tables, b"stsd")?;
        let entry = children_from(file, &stsd, 8).into_iter().next()?;
        self.codec = entry.kind;
        let size = file.array::<4>(entry.body.start + 24)?;
        let coded = (u32::from(size.u16_at(0)?), u32::from(size.u16_at(2)?));
        if self.size.0 == 0 || self.size.1 == 0 {
            self.size = coded;
        }
        for atom in children_from(file, &entry, FIXED) {
            match &atom.kind {
                b"hvcC" | b"avcC" if atom.len() <= LARGEST_DESCRIPTION => {
                    self.configuration = file.at(atom.body.start, atom.len())?;
                }
                b"colr" => self.color = self.color.or(color(file, &atom)),
                _ => {}
            }
        }
        Some(())
    }
}

/// `colr` of the kinds `nclx` (MP4) and `nclc` (QuickTime, always of video range).
fn color(file: &mut FileBytes<impl Read + Seek>, colr: &Atom) -> Option<Color> {
    let bytes = file.at(colr.body.start, colr.len().min(11))?;
    let is_nclx = bytes.starts_with(b"nclx");
    (is_nclx || bytes.starts_with(b"nclc")).then_some(())?;
    Some(Color {
        primaries: bytes.u16_at(4)?,
        transfer: bytes.u16_at(6)?,
        matrix: bytes.u16_at(8)?,
        full_range: is_nclx && bytes.get(10).is_some_and(|b| b & 0x80 != 0),
    })
}

/// The film's length by its own clock.
pub(super) fn mvhd(file: &mut FileBytes<impl Read + Seek>, mvhd: &Atom) -> Option<Duration> {
    times(file, mvhd)
}

/// `mvhd` and `mdhd` begin alike: two dates, ticks a second, ticks.
fn times(file: &mut FileBytes<impl Read + Seek>, atom: &Atom) -> Option<Duration> {
    let (per_second, ticks) = match file.array::<1>(atom.body.start)? {
        [1] => {
            let b = file.array::<32>(atom.body.start)?;
            (b.u32_at(20)?, b.u64_at(24).filter(|ticks| *ticks != u64::MAX)?)
        }
        _ => {
            let b = file.array::<20>(atom.body.start)?;
            (b.u32_at(12)?, b.u32_at(16).filter(|ticks| *ticks != u32::MAX)?.into())
        }
    };
    if per_second == 0 {
        return None;
    }
    file_bytes::duration(ticks, f64::from(per_second))
}

/// The length of a film in fragments: `mehd` in `mvex`, in the ticks of `mvhd`.
pub(super) fn mehd(file: &mut FileBytes<impl Read + Seek>, mvex: &Atom, moov: &Atom) -> Option<Duration> {
    let mehd = child(file, mvex, b"mehd")?;
    let head = child(file, moov, b"mvhd")?;
    let ticks = match file.array::<1>(mehd.body.start)? {
        [1] => file.array::<12>(mehd.body.start)?.u64_at(4)?,
        _ => file.array::<8>(mehd.body.start)?.u32_at(4)?.into(),
    };
    let at = if file.array::<1>(head.body.start)? == [1] { 20 } else { 12 };
    let per_second = u32::from_be_bytes(file.array(head.body.start + at)?);
    if per_second == 0 {
        return None;
    }
    file_bytes::duration(ticks, f64::from(per_second))
}
