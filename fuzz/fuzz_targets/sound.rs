//! The facts of sounds and films of any bytes (AIFF, AMR, CAF, MP3, MPEG-4, WAV), and CAF rewritten as Ogg.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use msgarchive::media::facts_of;
use msgarchive::media::ogg_opus::{is_remuxable, remux};

fuzz_target!(|data: &[u8]| {
    facts_of(Cursor::new(data));
    let mut ogg = Vec::new();
    if remux(Cursor::new(data), &mut ogg).is_ok() {
        assert!(is_remuxable(Cursor::new(data)));
        assert!(ogg.starts_with(b"OggS"));
    }
    assert!(ogg.len() < 4 * data.len() + 4096, "{} bytes of {}", ogg.len(), data.len());
});
