//! A voice message in a container that more than Apple's programs play: the Opus packets of a CAF file, unchanged, in an
//! Ogg file (RFC 7845). Nothing is decoded, nothing is lost.

use std::borrow::Cow;
use std::io::{self, Read, Seek, Write};

use ogg::{PacketWriteEndInfo, PacketWriter};

use super::caf::{self, Caf, PacketTable};
use super::file_bytes::FileBytes;

/// Why there is no Ogg file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoOggOpus {
    /// No CAF file, or one with another codec or more than two channels.
    #[error("no Opus sound in a CAF file")]
    OtherKind,
    /// Its table and its packets do not fit together.
    #[error("the sound is damaged")]
    Damaged,
    /// It cannot be written.
    #[error("cannot write the sound")]
    Write(#[from] io::Error),
}

/// Opus counts its time in these, whatever the rate of the recording.
const PER_SECOND: u64 = 48_000;
/// The table's size at most: packets for a day.
const LARGEST_TABLE: u64 = 16 << 20;
/// The largest packet: 48 frames of 1275 bytes and their lengths (RFC 6716, 3.4), rounded up.
const LARGEST_PACKET: u64 = 1 << 16;
/// Packets in a page: a second of a voice message.
const IN_A_PAGE: usize = 50;
/// The number of the stream in its file. There is only one.
const STREAM: u32 = 1;

/// Is this a CAF file with Opus, which [`remux`] can write? Its head is looked at, not its sound.
pub fn is_remuxable(file: impl Read + Seek) -> bool {
    let Some(mut file) = FileBytes::new(file) else { return false };
    let caf = (file.array::<4>(0) == Some(*b"caff")).then(|| caf::read(&mut file)).flatten();
    caf.is_some_and(|caf| rate(&caf).is_some() && caf.packets.is_some())
}

/// Writes the sound of a CAF file with Opus as an Ogg file. The same sound gives the same bytes.
///
/// # Errors
/// [`NoOggOpus`]; then what was written is worth nothing.
pub fn remux(file: impl Read + Seek, to: impl Write) -> Result<(), NoOggOpus> {
    let mut file = FileBytes::new(file).ok_or(NoOggOpus::OtherKind)?;
    if file.array::<4>(0) != Some(*b"caff") {
        return Err(NoOggOpus::OtherKind);
    }
    let caf = caf::read(&mut file).ok_or(NoOggOpus::Damaged)?;
    let rate = rate(&caf).ok_or(NoOggOpus::OtherKind)?;
    let table = caf.packets.as_ref().ok_or(NoOggOpus::Damaged)?;
    let sizes = sizes(&mut file, table, caf.frames_per_packet == 0).ok_or(NoOggOpus::Damaged)?;
    let pre_skip = (u64::from(table.priming_frames) * PER_SECOND / rate).min(u16::MAX.into());
    let heard = table.valid_frames.saturating_mul(PER_SECOND) / rate;

    let mut pages = PacketWriter::new(to);
    pages.write_packet(head(&caf, pre_skip as u16, rate), STREAM, PacketWriteEndInfo::EndPage, 0)?;
    pages.write_packet(tags(), STREAM, PacketWriteEndInfo::EndPage, 0)?;
    let mut at = caf.data.start;
    let (mut time, mut page_before) = (0u64, 0u64);
    for (number, size) in sizes.iter().copied().enumerate() {
        let fits = size <= LARGEST_PACKET && at.saturating_add(size) <= caf.data.end;
        let packet = fits.then(|| file.at(at, size)).flatten().ok_or(NoOggOpus::Damaged)?;
        at += size;
        time += samples(&packet).ok_or(NoOggOpus::Damaged)?;
        let (end, granule) = if number + 1 == sizes.len() {
            // The recording ends within its last packet. A time before the page's own packets would be no end.
            let end = if heard == 0 { time } else { time.min(pre_skip + heard) };
            (PacketWriteEndInfo::EndStream, end.max(page_before))
        } else if (number + 1) % IN_A_PAGE == 0 {
            page_before = time;
            (PacketWriteEndInfo::EndPage, time)
        } else {
            (PacketWriteEndInfo::NormalPacket, time)
        };
        pages.write_packet(Cow::Owned(packet), STREAM, end, granule)?;
    }
    Ok(pages.into_inner().flush()?)
}

/// The rate of a recording that can be written.
fn rate(caf: &Caf) -> Option<u64> {
    let fits = caf.format == *b"opus" && matches!(caf.channels, 1 | 2) && caf.bytes_per_packet == 0;
    (fits && (8000.0..=192_000.0).contains(&caf.sample_rate)).then_some(caf.sample_rate as u64)
}

/// How large each packet is: numbers of seven bits a byte, the highest first; each followed by its frames, where their
/// number varies.
fn sizes(file: &mut FileBytes<impl Read + Seek>, table: &PacketTable, with_frames: bool) -> Option<Vec<u64>> {
    let length = table.entries.end.checked_sub(table.entries.start).filter(|l| *l <= LARGEST_TABLE)?;
    let bytes = file.at(table.entries.start, length)?;
    let mut numbers = bytes.split_inclusive(|byte| byte & 0x80 == 0).map(|digits| {
        let whole = digits.last().is_some_and(|byte| byte & 0x80 == 0);
        (digits.len() <= 5 && whole)
            .then(|| digits.iter().fold(0u64, |number, byte| number << 7 | u64::from(byte & 0x7f)))
    });
    let mut sizes = Vec::new();
    while (sizes.len() as u64) < table.packets {
        sizes.push(numbers.next()??);
        if with_frames {
            numbers.next()??;
        }
    }
    (!sizes.is_empty()).then_some(sizes)
}

/// The time of a packet, by its first byte (RFC 6716, 3.1). `None` for what is no packet.
fn samples(packet: &[u8]) -> Option<u64> {
    let toc = *packet.first()?;
    let of_a_frame = match toc >> 3 {
        silk @ 0..12 => [480, 960, 1920, 2880].get(usize::from(silk & 3)),
        hybrid @ 12..16 => [480, 960].get(usize::from(hybrid & 1)),
        celt => [120, 240, 480, 960].get(usize::from(celt & 3)),
    }?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    // 120 milliseconds at most.
    Some(of_a_frame * frames).filter(|samples| (1..=5760).contains(samples))
}

/// `OpusHead` (RFC 7845, 5.1).
fn head(caf: &Caf, pre_skip: u16, rate: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(caf.channels as u8);
    head.extend(pre_skip.to_le_bytes());
    head.extend((rate as u32).to_le_bytes());
    // No gain; one stream.
    head.extend([0, 0, 0]);
    head
}

/// `OpusTags` (RFC 7845, 5.2): who wrote it, and no comments.
fn tags() -> Vec<u8> {
    const WRITER: &[u8] = b"msgarchive";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((WRITER.len() as u32).to_le_bytes());
    tags.extend(WRITER);
    tags.extend(0u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_says_how_long_it_is() {
        let of = |toc: u8, second: u8| samples(&[toc, second]);
        // SILK 20 ms, mono, one frame; hybrid 10 ms; CELT 2.5 ms, two frames.
        assert_eq!((of(1 << 3, 0), of(12 << 3, 0), of(16 << 3 | 1, 0)), (Some(960), Some(480), Some(240)));
        // Three frames of 20 ms; nothing; more than may be.
        assert_eq!((of(31 << 3 | 3, 3), of(31 << 3 | 3, 0), of(3 << 3 | 3, 63)), (Some(2880), None, None));
        assert_eq!(samples(&[]), None);
    }
}
