//! Apple's Core Audio Format, in which Messages keeps voice messages: Opus, AAC, PCM (Apple's “Core Audio Format
//! Specification 1.0”).

use std::io::{Read, Seek};
use std::ops::Range;
use std::time::Duration;

use super::file_bytes::{BigEndian, FileBytes};

/// Chunks that are looked at. Real files have fewer than ten.
const MOST_CHUNKS: usize = 1000;

/// What the chunks `desc`, `pakt` and `data` say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caf {
    pub sample_rate: f64,
    /// `opus`, `aac `, `lpcm`, …
    pub format: [u8; 4],
    /// 0: each packet says its own size.
    pub bytes_per_packet: u32,
    /// 0: each packet says its own number.
    pub frames_per_packet: u32,
    pub channels: u32,
    pub packets: Option<PacketTable>,
    /// Where the sound lies.
    pub data: Range<u64>,
}

/// The head of `pakt`, and where its entries lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PacketTable {
    pub packets: u64,
    /// Frames that are heard.
    pub valid_frames: u64,
    /// Frames at the beginning that are not.
    pub priming_frames: u32,
    pub entries: Range<u64>,
}

/// Reads the chunks of a file that begins with `caff`.
pub(super) fn read(file: &mut FileBytes<impl Read + Seek>) -> Option<Caf> {
    let mut at = 8;
    let (mut desc, mut packets, mut data) = (None, None, None);
    for _ in 0..MOST_CHUNKS {
        let Some(head) = file.array::<12>(at) else { break };
        let start = at + 12;
        let size = head.u64_at(4)?;
        // Of the sound alone the size may be unknown: it goes to the end.
        let end = match size {
            u64::MAX => file.len(),
            size => start.saturating_add(size).min(file.len()),
        };
        match head.first_chunk::<4>() {
            Some(b"desc") => desc = Some(file.array::<32>(start)?),
            Some(b"pakt") => {
                let head = file.array::<24>(start)?;
                packets = Some(PacketTable {
                    packets: head.u64_at(0)?,
                    valid_frames: head.u64_at(8)?,
                    priming_frames: head.u32_at(16)?,
                    entries: start + 24..end.max(start + 24),
                });
            }
            // Behind a count of edits.
            Some(b"data") => data = Some(start.saturating_add(4).min(end)..end),
            _ => {}
        }
        at = end;
    }
    let desc = desc?;
    Some(Caf {
        sample_rate: f64::from_bits(desc.u64_at(0)?),
        format: *desc.get(8..)?.first_chunk()?,
        bytes_per_packet: desc.u32_at(16)?,
        frames_per_packet: desc.u32_at(20)?,
        channels: desc.u32_at(24)?,
        packets,
        data: data.unwrap_or_default(),
    })
}

/// How long it sounds.
pub(super) fn duration(file: &mut FileBytes<impl Read + Seek>) -> Option<Duration> {
    let caf = read(file)?;
    let frames = match &caf.packets {
        Some(table) if table.valid_frames > 0 => table.valid_frames,
        // A recording that was broken off has no table; packets of one size need none.
        _ if caf.bytes_per_packet > 0 => {
            let bytes = caf.data.end.saturating_sub(caf.data.start);
            (bytes / u64::from(caf.bytes_per_packet)).checked_mul(u64::from(caf.frames_per_packet))?
        }
        _ => return None,
    };
    super::file_bytes::duration(frames, caf.sample_rate)
}
