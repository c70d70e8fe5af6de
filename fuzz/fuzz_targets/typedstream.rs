//! Bodies of any bytes, with and without the header of a typedstream before them.
//!
//!     cargo install cargo-fuzz
//!     cargo +nightly fuzz run typedstream -- -max_total_time=300
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::pipeline::decode::body::{Body, PieceContent, body};

fuzz_target!(|data: &[u8]| {
    check(&body(Some(data), None));
    check(&body(Some(&[b"\x04\x0bstreamtyped\x81\xe8\x03", data].concat()), Some("text")));
});

/// What holds of every body: its pieces are its text in order, and styles lie inside their piece.
fn check(body: &Body) {
    let mut rest = body.text().unwrap_or("");
    for piece in &body.pieces {
        match &piece.content {
            PieceContent::Text { text, styles } => {
                rest = rest.strip_prefix(text.as_str()).expect("the text of a piece is that of the body");
                let length = text.chars().count() as u32;
                assert!(styles.iter().all(|span| span.start < span.end && span.end <= length));
                assert!(styles.is_sorted_by_key(|span| span.start));
            }
            // One object character, or the text that a file transfer covers: what comes before the next piece's text.
            PieceContent::Object { attachment, .. } => match rest.strip_prefix('\u{FFFC}') {
                Some(after) => rest = after,
                None if attachment.is_some() => return,
                None => panic!("an object that is not in the text"),
            },
        }
    }
    assert!(rest.is_empty(), "text without a piece");
}
