//! NAL units: as `hvcC`, `avcC` and samples keep them, each behind its length.

use crate::media::file_bytes::BigEndian;

/// Parameter sets at most; real files have three.
const MOST_SETS: usize = 256;

/// The parameter sets of `hvcC`, and how many bytes a length has in a sample (ISO/IEC 14496-15, 8.3.3).
pub(super) fn of_hvcc(configuration: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let width = usize::from(configuration.get(21)? & 3) + 1;
    let mut sets = Vec::new();
    let mut rest = configuration.get(23..)?;
    for _ in 0..*configuration.get(22)? {
        let units = rest.u16_at(1)?;
        rest = rest.get(3..)?;
        for _ in 0..units {
            sets.push(take(&mut rest, 2)?);
            if sets.len() > MOST_SETS {
                return None;
            }
        }
    }
    Some((sets, width))
}

/// The same of `avcC` (5.3.3).
pub(super) fn of_avcc(configuration: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let width = usize::from(configuration.get(4)? & 3) + 1;
    let mut sets = Vec::new();
    let mut rest = configuration.get(5..)?;
    for mask in [0x1f, 0xff] {
        let (count, after) = rest.split_first()?;
        rest = after;
        for _ in 0..count & mask {
            sets.push(take(&mut rest, 2)?);
        }
    }
    Some((sets, width))
}

/// The units of a sample. `None` when their lengths do not fit.
pub(super) fn of_sample(mut sample: &[u8], width: usize) -> Option<Vec<&[u8]>> {
    let mut units = Vec::new();
    while !sample.is_empty() {
        let unit = take(&mut sample, width)?;
        if !unit.is_empty() {
            units.push(unit);
        }
    }
    (!units.is_empty()).then_some(units)
}

fn take<'a>(rest: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let (length, after) = rest.split_at_checked(width)?;
    let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    let (unit, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(unit)
}
