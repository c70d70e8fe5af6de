//! Pictures and films of any bytes → pixels; EXIF and color profiles.
//!
//! The decoders are other people's, and fenced: a panic in them is an error like others. A panic of this program's own
//! is none, and neither are memory without bounds, a full stack or a loop, which no fence holds.
#![no_main]

use std::io::Cursor;
use std::panic::{set_hook, take_hook};

use libfuzzer_sys::fuzz_target;
use msgarchive::media::still::decode;
use msgarchive::media::{Decoded, Undecodable, exif, poster, profile};

/// Small, so that what follows decoding is seen too.
const EDGE: u32 = 16;

fuzz_target!(init: leave_decoders_to_the_fence(), |data: &[u8]| {
    check(decode(data, Some(EDGE)));
    check(poster(Cursor::new(data)));
    exif::orientation(data);
    profile(data, 1);
    profile(data, 3);
});

/// One after the other: nobody holds two.
fn check(decoded: Result<Decoded, Undecodable>) {
    if let Ok(pixels) = decoded {
        assert!(pixels.width > 0 && pixels.height > 0);
        assert_eq!(pixels.rgba.len(), pixels.width as usize * pixels.height as usize * 4);
    }
}

/// The fuzzer takes every panic for a finding, fenced or not.
fn leave_decoders_to_the_fence() {
    let finding = take_hook();
    set_hook(Box::new(move |panic| {
        let elsewhere = panic.location().is_some_and(|place| place.file().contains("/registry/src/"));
        if !elsewhere {
            finding(panic);
        }
    }));
}
