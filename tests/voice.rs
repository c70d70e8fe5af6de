//! Voice messages in Ogg: read by the reference decoder, from packets that the reference encoder made.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use msgarchive::media::ogg_opus::{NoOggOpus, is_remuxable, remux};

use crate::support::sound::{self, Caf};

fn ogg(caf: &[u8]) -> Result<Vec<u8>, NoOggOpus> {
    let mut to = Vec::new();
    remux(Cursor::new(caf), &mut to).map(|()| to)
}

/// Runs one of opus-tools; `None`, and a line that says so, where it is not installed.
fn tool(name: &str, arguments: &[&Path]) -> Option<String> {
    match Command::new(name).args(arguments).output() {
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{name}: {said}");
            Some(said.into_owned())
        }
        Err(error) => {
            println!("not checked by the reference decoder: {name} (of opus-tools) cannot be run: {error}");
            None
        }
    }
}

/// The packets of an Ogg file, by hand: pages of segments.
fn packets(ogg: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = vec![Vec::new()];
    let mut rest = ogg;
    while let Some(page) = rest.strip_prefix(b"OggS") {
        let segments = usize::from(page[22]);
        let (table, mut body) = page[23..].split_at(segments);
        for size in table {
            let (segment, after) = body.split_at(usize::from(*size));
            packets.last_mut().unwrap().extend(segment);
            if *size < 255 {
                packets.push(Vec::new());
            }
            body = after;
        }
        rest = body;
    }
    packets.pop();
    packets
}

/// Three seconds of a tone that rises, 48 kHz, 16 bits, mono.
fn tone() -> Vec<u8> {
    let samples = (0..144_321u32).map(|n| {
        let phase = f64::from(n) * (220.0 + f64::from(n) / 800.0) * std::f64::consts::TAU / 48_000.0;
        (phase.sin() * 9000.0) as i16
    });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(48_000u32.to_le_bytes());
    file.extend(96_000u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn the_reference_decoder_hears_the_same_sound() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("tone.wav"), tone()).unwrap();
    let quiet = Path::new("--quiet");
    let encoded = [quiet, Path::new("--bitrate"), Path::new("24"), &at("tone.wav"), &at("reference.opus")];
    if tool("opusenc", &encoded).is_none() {
        return;
    }
    let reference = fs::read(at("reference.opus")).unwrap();
    let mut sound = packets(&reference);
    let head = sound.remove(0);
    sound.remove(0);
    // As Apple would have written it: the encoder's delay is a whole number of frames at 24 kHz too.
    let pre_skip = u32::from(u16::from_le_bytes([head[10], head[11]]));
    assert_eq!(pre_skip % 2, 0);
    let caf = Caf::opus(sound, pre_skip / 2, 144_321 / 2);
    let ours = ogg(&caf.bytes()).unwrap();
    assert_eq!(packets(&ours)[2..], caf.packets, "the packets are the same");
    fs::write(at("ours.opus"), &ours).unwrap();

    let about = tool("opusinfo", &[&at("ours.opus")]).unwrap();
    assert!(!about.contains("WARNING") && !about.contains("ERROR"), "{about}");
    assert!(about.contains("Playback length: 0m:03.006s"), "{about}");
    for name in ["reference", "ours"] {
        let (from, to) = (at(&format!("{name}.opus")), at(&format!("{name}.wav")));
        tool("opusdec", &[quiet, Path::new("--rate"), Path::new("48000"), &from, &to]).unwrap();
    }
    let samples = |name: &str| {
        let wave = fs::read(at(name)).unwrap();
        let data = wave.windows(4).position(|window| window == b"data").unwrap() + 8;
        wave[data..].to_vec()
    };
    let (reference, ours) = (samples("reference.wav"), samples("ours.wav"));
    // One sample less: 144321 is odd.
    assert_eq!((reference.len(), ours.len()), (2 * 144_321, 2 * 144_320));
    assert!(reference.starts_with(&ours), "the sound is the same, sample by sample");
}

/// Twenty milliseconds of SILK each; what is in them does not matter here.
fn silk(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| [vec![1 << 3], vec![n as u8; 10 + n % 300]].concat()).collect()
}

#[test]
fn every_packet_comes_through_and_the_end_is_where_it_was() {
    for count in [1, 49, 50, 51, 617] {
        let frames = count as u64 * 480 - 100 - 60;
        let caf = Caf::opus(silk(count), 100, frames).bytes();
        let ours = ogg(&caf).unwrap();
        assert_eq!(packets(&ours)[2..], silk(count));
        // The last page's time, before its crc and table: 48 kHz, with what is skipped.
        let last = ours.windows(4).rposition(|window| window == b"OggS").unwrap();
        let time = u64::from_le_bytes(ours[last + 6..last + 14].try_into().unwrap());
        assert_eq!((ours[last + 5] & 4, time), (4, 2 * (frames + 100)), "{count} packets");
        assert_eq!(ogg(&caf).unwrap(), ours, "the same bytes again");
    }
}

#[test]
fn what_is_no_opus_is_not_touched() {
    assert!(matches!(ogg(b""), Err(NoOggOpus::OtherKind)));
    assert!(matches!(ogg(&sound::caf_pcm(1)), Err(NoOggOpus::OtherKind)));
    assert!(matches!(ogg(&sound::amr(false, &[7], 10)), Err(NoOggOpus::OtherKind)));
    assert!(is_remuxable(Cursor::new(Caf::opus(silk(3), 0, 1000).bytes())));
    assert!(!is_remuxable(Cursor::new(sound::caf_pcm(1))) && !is_remuxable(Cursor::new(b"caff")));
    let six = Caf { channels: 6, ..Caf::opus(silk(3), 0, 1000) };
    assert!(matches!(ogg(&six.bytes()), Err(NoOggOpus::OtherKind)));
    let empty_packet = Caf::opus(vec![vec![8; 9], vec![]], 0, 900);
    assert!(matches!(ogg(&empty_packet.bytes()), Err(NoOggOpus::Damaged)));
}

#[test]
fn damaged_voice_messages_are_survived() {
    let caf = Caf::opus(silk(20), 100, 9000).bytes();
    for length in 0..caf.len() {
        assert!(ogg(&caf[..length]).is_err(), "cut at {length}");
    }
    for at in 0..caf.len() {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = caf.clone();
            damaged[at] = value;
            let _ = ogg(&damaged);
        }
    }
}
