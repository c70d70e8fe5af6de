//! QuickTime and MP4 files, written by their specification, around pictures that are given or made up.

/// A film of one picture track.
#[derive(Clone)]
pub struct Film {
    /// Before it is turned.
    pub width: u16,
    pub height: u16,
    /// The quarter turns clockwise that make it upright.
    pub turns: u8,
    /// In ticks of 1/600 second.
    pub ticks: u32,
    pub codec: [u8; 4],
    /// The inside of `hvcC` or `avcC`.
    pub configuration: Vec<u8>,
    /// Primaries, transfer, matrix of `colr`.
    pub color: Option<[u16; 3]>,
    pub samples: Vec<Vec<u8>>,
    /// The first sample that needs no other, from 1.
    pub first_key: u32,
    pub file_type: bool,
    pub moov_first: bool,
    /// Sizes, times and places of 64 bits.
    pub wide: bool,
}

impl Default for Film {
    fn default() -> Film {
        Film {
            width: 1920,
            height: 1080,
            turns: 0,
            ticks: 20_400,
            codec: *b"hvc1",
            configuration: Vec::new(),
            color: None,
            samples: vec![vec![1; 50], vec![2; 60], vec![3; 70]],
            first_key: 1,
            file_type: true,
            moov_first: false,
            wide: false,
        }
    }
}

/// A box.
pub fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(body);
    bytes
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

impl Film {
    pub fn bytes(&self) -> Vec<u8> {
        let mut file = if self.file_type { atom(b"ftyp", b"qt  \0\0\0\0qt  ") } else { atom(b"wide", b"") };
        let data: Vec<u8> = self.samples.concat();
        let data = if self.wide {
            let mut whole = numbers(&[1]);
            whole.extend(b"mdat");
            whole.extend((data.len() as u64 + 16).to_be_bytes());
            whole.extend(data);
            whole
        } else {
            atom(b"mdat", &data)
        };
        let header = if self.wide { 16 } else { 8 };
        if self.moov_first {
            let before = file.len() + self.moov(0).len() + header;
            file.extend(self.moov(before as u32));
            file.extend(data);
        } else {
            let before = file.len() + header;
            file.extend(data);
            file.extend(self.moov(before as u32));
        }
        file
    }

    /// Two samples in each chunk but the last; `at`: where the first sample lies.
    fn moov(&self, at: u32) -> Vec<u8> {
        let mut tkhd = self.times(&[1, 0]);
        tkhd.extend(numbers(&[0, 0, 0, 0]));
        let (one, minus) = (0x10000u32, 0xffff0000u32);
        let [a, b, c, d] = match self.turns % 4 {
            0 => [one, 0, 0, one],
            1 => [0, one, minus, 0],
            2 => [minus, 0, 0, minus],
            _ => [0, minus, one, 0],
        };
        tkhd.extend(numbers(&[a, b, 0, c, d, 0, 0, 0, 0x4000_0000]));
        tkhd.extend(numbers(&[u32::from(self.width) << 16, u32::from(self.height) << 16]));
        tkhd[3] = 1;
        let mut entry = vec![0; 24];
        entry.extend(self.width.to_be_bytes());
        entry.extend(self.height.to_be_bytes());
        entry.extend([0; 50]);
        let configuration = if self.codec == *b"avc1" { b"avcC" } else { b"hvcC" };
        entry.extend(atom(configuration, &self.configuration));
        if let Some(color) = self.color {
            let mut colr = b"nclc".to_vec();
            colr.extend(color.iter().flat_map(|number| number.to_be_bytes()));
            entry.extend(atom(b"colr", &colr));
        }
        let mut stsd = numbers(&[0, 1]);
        stsd.extend(atom(&self.codec, &entry));
        let count = self.samples.len() as u32;
        let mut stsz = numbers(&[0, 0, count]);
        stsz.extend(self.samples.iter().flat_map(|sample| (sample.len() as u32).to_be_bytes()));
        let mut places = Vec::new();
        let mut place = at;
        for chunk in self.samples.chunks(2) {
            places.push(place);
            place += chunk.iter().map(|sample| sample.len() as u32).sum::<u32>();
        }
        let mut offsets = numbers(&[0, places.len() as u32]);
        for place in places {
            if self.wide {
                offsets.extend([0; 4]);
            }
            offsets.extend(place.to_be_bytes());
        }
        let stbl = [
            atom(b"stsd", &stsd),
            atom(b"stss", &numbers(&[0, 1, self.first_key])),
            atom(b"stsc", &numbers(&[0, 1, 1, 2, 1])),
            atom(b"stsz", &stsz),
            atom(if self.wide { b"co64" } else { b"stco" }, &offsets),
        ]
        .concat();
        let mdia = [
            atom(b"mdhd", &self.times(&[600])),
            atom(b"hdlr", b"\0\0\0\0mhlrvide\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            atom(b"minf", &atom(b"stbl", &stbl)),
        ]
        .concat();
        let trak = [atom(b"tkhd", &tkhd), atom(b"mdia", &mdia)].concat();
        let mvhd = self.times(&[600]);
        atom(b"moov", &[atom(b"mvhd", &mvhd), atom(b"trak", &trak)].concat())
    }

    /// Version and flags, two dates, these numbers, the ticks.
    fn times(&self, between: &[u32]) -> Vec<u8> {
        let mut body = vec![u8::from(self.wide), 0, 0, 0];
        body.extend(vec![0; if self.wide { 16 } else { 8 }]);
        body.extend(numbers(between));
        if self.wide {
            body.extend([0; 4]);
        }
        body.extend(self.ticks.to_be_bytes());
        body
    }
}
