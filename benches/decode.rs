//! How long one message's blobs take to decode: bodies as they mostly are, and the rarer, longer kinds.

#[path = "../tests/support/keyed.rs"]
#[allow(dead_code)]
mod keyed;
#[path = "../tests/support/typedstream.rs"]
#[allow(dead_code)]
mod typedstream;

use divan::{Bencher, black_box};
use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::pipeline::decode::body::body;
use msgarchive::pipeline::decode::summary::summary;

use keyed::UrlPreview;
use typedstream::{AttributedString, FILE_NAME, FILE_TRANSFER, LINK, PART, Value};

fn main() {
    divan::main();
}

const TEXT: &str = "Running late, ten minutes. Start without me, I will bring the dessert anyway";
const GUID: &str = "at_0_2E5F12C3-E649-48AA-954D-3EA67C016BCC";

/// The usual message: one run, one part.
#[divan::bench]
fn one_run(bencher: Bencher) {
    let blob = AttributedString::plain(TEXT).encode();
    bencher.bench(|| body(Some(black_box(&blob)), None));
}

#[divan::bench]
fn one_run_with_emoji(bencher: Bencher) {
    let blob = AttributedString::plain("Grüße aus Köln — bis später 😂😂, wir freuen uns sehr auf euch alle")
        .encode();
    bencher.bench(|| body(Some(black_box(&blob)), None));
}

/// 40 kB.
#[divan::bench]
fn a_long_text(bencher: Bencher) {
    let blob = AttributedString::plain(&TEXT.repeat(540)).encode();
    bencher.bench(|| body(Some(black_box(&blob)), None));
}

#[divan::bench]
fn a_picture_and_a_link(bencher: Bencher) {
    let part = |n| (PART, Value::Int(n));
    let blob = AttributedString::default()
        .with("\u{FFFC}", vec![part(0), (FILE_TRANSFER, GUID.into()), (FILE_NAME, "IMG_0042.heic".into())])
        .with("see ", vec![part(1)])
        .with("https://example.com/a", vec![part(1), (LINK, Value::Url("https://example.com/a".into()))])
        .encode();
    bencher.bench(|| body(Some(black_box(&blob)), None));
}

#[divan::bench]
fn text_only(bencher: Bencher) {
    bencher.bench(|| body(None, Some(black_box(TEXT))));
}

/// What many rows have: nothing of interest.
#[divan::bench]
fn a_summary_of_nothing(bencher: Bencher) {
    let entries = [("ust", plist::Value::from(true)), ("amc", plist::Value::from(0))];
    let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let blob = keyed::binary(&plist::Value::Dictionary(entries));
    bencher.bench(|| summary(black_box(&blob)));
}

#[divan::bench]
fn a_link_preview(bencher: Bencher) {
    let preview =
        UrlPreview::new("https://example.com/a").title("A page").summary("About it").site("Example");
    let blob = preview.encode();
    bencher.bench(|| balloon("com.apple.messages.URLBalloonProvider", Some(black_box(&blob)), None));
}
