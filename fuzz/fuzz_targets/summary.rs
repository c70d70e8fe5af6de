//! `message_summary_info` of any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::pipeline::decode::summary::summary;

fuzz_target!(|data: &[u8]| {
    let summary = summary(data);
    assert!(summary.unsent.is_sorted());
    assert!(summary.edits.values().all(|versions| !versions.is_empty()));
});
