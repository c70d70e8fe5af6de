//! One picture of H.264.

use rusty_h264_decoder::{DecodeError, Decoder, Sps};

use super::picture::{Planes, Samples};
use super::{Decoding, Size, nal};
use crate::media::Undecodable;
use crate::media::movie::Track;

pub(super) fn decode(track: &Track, sample: &[u8]) -> Decoding {
    let (sets, width) = nal::of_avcc(&track.configuration).ok_or(Undecodable::Damaged)?;
    let units = nal::of_sample(sample, width).ok_or(Undecodable::Damaged)?;
    let (mut stream, mut size) = (Vec::new(), Size::default());
    for unit in sets.into_iter().chain(units) {
        if unit.first().is_some_and(|head| head & 31 == SEQUENCE) {
            let payload = unescaped(unit.get(1..).unwrap_or_default());
            let sps = Sps::parse(&payload).map_err(why)?;
            size.see(sps.coded_width() as u64, sps.coded_height() as u64)?;
        }
        stream.extend([0, 0, 0, 1]);
        stream.extend(unit);
    }
    let claim = size.claim();
    let frames = Decoder::new().decode_stream(&stream).map_err(why)?;
    let frame = frames.into_iter().next().ok_or(Undecodable::Damaged)?;
    let (width, height) = (frame.width, frame.height);
    let samples = |values: Vec<u8>, width, height| Samples {
        width,
        height,
        values: values.into_iter().map(u16::from).collect(),
    };
    let planes = Planes {
        luma: samples(frame.y, width, height),
        blue: samples(frame.u, width / 2, height / 2),
        red: samples(frame.v, width / 2, height / 2),
        depth: 8,
        color: track.color,
    };
    Ok((planes, claim))
}

/// `nal_unit_type` of a sequence parameter set.
const SEQUENCE: u8 = 7;

fn why(error: DecodeError) -> Undecodable {
    match error {
        DecodeError::Unsupported(_) => Undecodable::OtherKind,
        _ => Undecodable::Damaged,
    }
}

/// Without the threes that keep two zeros from looking like a unit's beginning (7.4.1.1).
fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}
