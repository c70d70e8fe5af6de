//! Handwriting and Digital Touch of any bytes, and the pictures of what comes out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::writers::svg::svg;

fuzz_target!(|data: &[u8]| {
    for id in ["com.apple.Handwriting.HandwritingProvider", "com.apple.DigitalTouchBalloonProvider"] {
        let (card, _) = balloon(id, Some(data), None);
        if let Some(drawing) = &card.drawing {
            assert!(drawing.width > 0.0 && drawing.height > 0.0);
            assert!(!svg(drawing, "", "").contains("NaN"));
        }
    }
});
