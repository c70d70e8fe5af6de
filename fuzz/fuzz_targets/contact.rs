//! Contact cards of any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::source::contacts::sent_cards;

fuzz_target!(|data: &[u8]| {
    let cards = sent_cards(data).unwrap_or_default();
    let texts = cards.iter().flat_map(|card| card.name.iter().chain(&card.handles).chain(&card.urls));
    // UTF-16 is half again as long in UTF-8, and what is then taken for Latin three times as long.
    assert!(texts.map(String::len).sum::<usize>() <= 5 * data.len(), "more is said than was sent");
});
