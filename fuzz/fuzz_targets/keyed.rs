//! Keyed archives and bare property lists of any bytes: as what every app sends, as what data detectors found, and as
//! what is said of a sticker.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::pipeline::decode::attributes::Allowance;
use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::pipeline::decode::balloons::poll::{poll, votes};
use msgarchive::pipeline::decode::body::body;
use msgarchive::pipeline::decode::detected::{DEEPEST, detected};
use msgarchive::pipeline::decode::keyed::{Archive, Node};
use msgarchive::pipeline::decode::sticker::{label, sticker};

/// One of every kind whose payload is an archive, or JSON.
const APPS: [&str; 10] = [
    "com.apple.messages.URLBalloonProvider",
    "com.apple.PassbookUIService.PeerPaymentMessagesExtension",
    "com.apple.mobileslideshow.PhotosMessagesApp",
    "com.apple.SafetyMonitorApp.SafetyMonitorMessages",
    "com.apple.findmy.FindMyMessagesApp",
    "com.apple.icloud.apps.messages.business.extension",
    "com.apple.messages.chatbot",
    "com.apple.messages.Polls",
    "org.example.gamepigeon",
    "org.example.app",
];

fuzz_target!(|data: &[u8]| {
    for app in APPS {
        let (card, defects) = balloon(app, Some(data), Some("https://example.com"));
        let kept = card.data.iter().any(|(name, _)| *name == "raw");
        assert!(defects.is_empty() || kept || data.is_empty(), "a payload that is not understood is lost");
    }
    poll(data);
    votes(data);
    body(Some(data), None);
    if let Some(found) = detected(data, &mut Allowance::new(data.len())) {
        assert!(depth(&found.parts) < DEEPEST);
    }
    if let Some(place) = sticker(data).and_then(|sticker| sticker.placement) {
        assert!(
            place.scale > 0.0
                && [place.x, place.y, place.scale, place.rotation].iter().all(|n| n.is_finite())
        );
    }
    label(data);
    if let Ok(archive) = Archive::read(data) {
        let mut steps = 500;
        walk(archive.root(), 8, &mut steps);
    }
});

/// How many levels of results these are.
fn depth(found: &[msgarchive::model::Detected]) -> u32 {
    found.iter().map(|each| 1 + depth(&each.parts)).max().unwrap_or(0)
}

/// Looks at everything that can be reached, as far as the steps go.
fn walk(node: Node<'_>, depth: u32, steps: &mut u32) {
    if depth == 0 || *steps == 0 {
        return;
    }
    *steps -= 1;
    let _ = (node.string(), node.url(), node.class(), node.data(), node.integer(), node.real(), node.bool());
    for (key, value) in node.entries() {
        walk(key, depth - 1, steps);
        walk(value, depth - 1, steps);
    }
    for item in node.items() {
        walk(item, depth - 1, steps);
    }
}
