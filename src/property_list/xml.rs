//! XML lists.
//!
//! **Must never**: build a tree that is too deep to be taken down.

use quick_xml::events::Event;

/// Elements inside each other.
const MAX_DEPTH: usize = 64;

/// An XML list as a binary one, so that there is one way to look at both.
pub(super) fn to_binary(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace())?;
    let marked = [&b"<?xml"[..], b"<!DOCTYPE", b"<plist", b"\xEF\xBB\xBF<"]
        .iter()
        .any(|mark| bytes.get(start..).is_some_and(|b| b.starts_with(mark)));
    // The parser builds a tree that is taken down recursively.
    if !marked || !is_shallow(bytes) {
        return None;
    }
    let mut binary = Vec::new();
    plist::Value::from_reader_xml(bytes).ok()?.to_writer_binary(&mut binary).ok()?;
    Some(binary)
}

/// Whether elements lie within each other no deeper than [`MAX_DEPTH`]. Asked of the very parser that reads the list:
/// what looks like a tag may be a comment, and what does not (`<p:dict>`) may be one.
fn is_shallow(bytes: &[u8]) -> bool {
    let mut parser = quick_xml::Reader::from_reader(bytes);
    let mut depth = 0_usize;
    loop {
        match parser.read_event() {
            Ok(Event::Start(_)) if depth == MAX_DEPTH => return false,
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
