//! One picture of HEVC.

use rusty_h265::nal::{NalHeader, NalType, unescape};
use rusty_h265::ps::{Sps, parse_sps};
use rusty_h265::{Decoder, Plane};

use super::picture::{Planes, Samples};
use super::{Decoding, Size, nal};
use crate::media::Undecodable;
use crate::media::movie::{Color, Track};

pub(super) fn decode(track: &Track, sample: &[u8]) -> Decoding {
    let (sets, width) = nal::of_hvcc(&track.configuration).ok_or(Undecodable::Damaged)?;
    let units = nal::of_sample(sample, width).ok_or(Undecodable::Damaged)?;
    let (mut color, mut size) = (track.color, Size::default());
    for sps in sets.iter().chain(&units).filter_map(|unit| sequence(unit)) {
        size.see(sps.width.into(), sps.height.into())?;
        color = color.or(colors(&sps));
    }
    let claim = size.claim();
    let mut decoder = Decoder::new();
    for unit in sets.into_iter().chain(units) {
        let is_picture = NalHeader::parse(unit).is_some_and(|head| head.nal_type.is_vcl());
        match decoder.push_nal(unit, None) {
            Err(rusty_h265::Error::Unsupported(_)) => return Err(Undecodable::OtherKind),
            Err(_) if is_picture => return Err(Undecodable::Damaged),
            _ => {}
        }
    }
    decoder.flush();
    let frame = decoder.next_frame().map_err(|_| Undecodable::Damaged)?;
    let picture = &frame.picture;
    let (left, top, width, height) = picture.crop;
    if picture.chroma_format_idc != 1 {
        return Err(Undecodable::OtherKind);
    }
    let [luma, blue, red] = &picture.planes;
    let chroma = |plane| cut(plane, left / 2, top / 2, width.div_ceil(2), height.div_ceil(2));
    let planes = Planes {
        luma: cut(luma, left, top, width, height).ok_or(Undecodable::Damaged)?,
        blue: chroma(blue).ok_or(Undecodable::Damaged)?,
        red: chroma(red).ok_or(Undecodable::Damaged)?,
        // The chroma of all real films has the depth of their luma.
        depth: picture.bit_depth_luma,
        color,
    };
    Ok((planes, claim))
}

/// A sequence parameter set.
fn sequence(unit: &[u8]) -> Option<Sps> {
    let head = NalHeader::parse(unit)?;
    (head.nal_type == NalType::Sps).then_some(())?;
    parse_sps(&unescape(unit.get(2..)?).data).ok()
}

/// What the film's own parameters say of its colors; 2 stands for nothing.
fn colors(sps: &Sps) -> Option<Color> {
    let vui = sps.vui.as_ref()?;
    Some(Color {
        primaries: vui.colour_primaries.into(),
        transfer: vui.transfer_characteristics.into(),
        matrix: vui.matrix_coeffs.into(),
        full_range: vui.video_full_range_flag,
    })
}

fn cut(plane: &Plane, left: usize, top: usize, width: usize, height: usize) -> Option<Samples> {
    if left.checked_add(width)? > plane.width || top.checked_add(height)? > plane.height {
        return None;
    }
    let mut values = Vec::with_capacity(width * height);
    for y in top..top + height {
        values.extend_from_slice(plane.row(y).get(left..left + width)?);
    }
    Some(Samples { width, height, values })
}
