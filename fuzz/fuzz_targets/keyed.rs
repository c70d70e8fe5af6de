//! Keyed archives and bare property lists of any bytes, as the payloads of a link preview and of an app.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::pipeline::decode::body::body;
use msgarchive::pipeline::decode::keyed::{Archive, Node};

fuzz_target!(|data: &[u8]| {
    balloon("com.apple.messages.URLBalloonProvider", Some(data), Some("https://example.com"));
    balloon("org.example.app", Some(data), None);
    balloon("com.apple.messages.Polls", Some(data), None);
    balloon("com.apple.icloud.apps.messages.business.extension", Some(data), None);
    body(Some(data), None);
    if let Ok(archive) = Archive::read(data) {
        let mut steps = 500;
        walk(archive.root(), 8, &mut steps);
    }
});

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
