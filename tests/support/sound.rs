//! Sound files, written by their specifications.

/// A CAF file: chunks in the order that Apple's recorder writes them.
pub struct Caf {
    pub format: [u8; 4],
    pub sample_rate: f64,
    pub frames_per_packet: u32,
    pub priming: u32,
    pub valid_frames: u64,
    pub channels: u32,
    pub packets: Vec<Vec<u8>>,
}

impl Caf {
    /// What iOS records: mono, 24 kHz, packets of 20 ms. The packets are those of a codec, or any bytes.
    pub fn opus(packets: Vec<Vec<u8>>, priming: u32, valid_frames: u64) -> Caf {
        Caf {
            format: *b"opus",
            sample_rate: 24_000.0,
            frames_per_packet: 480,
            priming,
            valid_frames,
            channels: 1,
            packets,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut desc = self.sample_rate.to_be_bytes().to_vec();
        desc.extend(self.format);
        for number in [0, 0, self.frames_per_packet, self.channels, 0] {
            desc.extend(number.to_be_bytes());
        }
        let mut pakt = (self.packets.len() as u64).to_be_bytes().to_vec();
        pakt.extend(self.valid_frames.to_be_bytes());
        pakt.extend(self.priming.to_be_bytes());
        let heard = self.packets.len() as u64 * u64::from(self.frames_per_packet);
        let remainder = heard.saturating_sub(self.valid_frames + u64::from(self.priming));
        pakt.extend((remainder as u32).to_be_bytes());
        self.packets.iter().for_each(|packet| pakt.extend(variable(packet.len())));
        let mut data = vec![0, 0, 0, 1];
        self.packets.iter().for_each(|packet| data.extend(packet));
        let mut file = b"caff\0\x01\0\0".to_vec();
        for (kind, body) in [(b"desc", desc), (b"free", vec![0; 100]), (b"data", data), (b"pakt", pakt)] {
            file.extend(kind);
            file.extend((body.len() as u64).to_be_bytes());
            file.extend(body);
        }
        file
    }
}

/// PCM, with the sound last and its size left open, as a recorder that was stopped leaves it.
pub fn caf_pcm(seconds: u32) -> Vec<u8> {
    let mut file = b"caff\0\x01\0\0desc".to_vec();
    file.extend(32u64.to_be_bytes());
    file.extend(8000f64.to_be_bytes());
    file.extend(b"lpcm");
    for number in [0u32, 2, 1, 1, 16] {
        file.extend(number.to_be_bytes());
    }
    file.extend(b"data");
    file.extend([0xff; 8]);
    file.extend([0; 4]);
    file.extend(vec![0; 16_000 * seconds as usize]);
    file
}

/// Seven bits a byte, the highest first; more to come where the eighth is set.
fn variable(number: usize) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7f) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

/// Silence in AMR: frames of these types, in turn.
pub fn amr(wide: bool, types: &[u8], frames: usize) -> Vec<u8> {
    let sizes: &[usize] =
        if wide { &[17, 23, 32, 36, 40, 46, 50, 58, 60, 5] } else { &[12, 13, 15, 17, 19, 20, 26, 31, 5] };
    let mut file = if wide { b"#!AMR-WB\n".to_vec() } else { b"#!AMR\n".to_vec() };
    for kind in types.iter().cycle().take(frames) {
        file.push(kind << 3 | 4);
        file.extend(vec![0; sizes.get(usize::from(*kind)).copied().unwrap_or(0)]);
    }
    file
}

/// 8 kHz, 16 bits, mono.
pub fn wave(seconds: u32) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(8000u32.to_le_bytes());
    file.extend(16_000u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((16_000 * seconds).to_le_bytes());
    file.extend(vec![0; 16_000 * seconds as usize]);
    file
}

/// 44.1 kHz.
pub fn aiff(frames: u32) -> Vec<u8> {
    let mut file = b"FORM\0\0\0\0AIFFCOMM\0\0\0\x12\0\x01".to_vec();
    file.extend(frames.to_be_bytes());
    file.extend([0, 16, 0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]);
    file
}

/// 128 kbit/s, 44.1 kHz, behind a tag; with the number of frames in the first, or without.
pub fn mp3(frames: u32, counted: bool) -> Vec<u8> {
    let mut file = b"ID3\x04\0\0\0\0\x01\0".to_vec();
    file.extend([0; 128]);
    for number in 0..frames {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
        if number == 0 && counted {
            frame[36..40].copy_from_slice(b"Xing");
            frame[43] = 1;
            frame[44..48].copy_from_slice(&frames.to_be_bytes());
        }
        file.extend(frame);
    }
    file
}
