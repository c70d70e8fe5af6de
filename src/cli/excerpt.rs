//! What is shown of a long text: its beginning, or what is around the words that it was found by.
//!
//! **Must never**: cut through what people see as one character.

use std::borrow::Cow;
use std::ops::Range;

use msgarchive::archive::search::Word;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};
use unicode_width::UnicodeWidthStr as _;

/// Stands for what is left out.
pub const LEFT_OUT: &str = "[…]";
/// Longer clusters take as much room as they have characters. People write none: Unicode's stream-safe texts have at most 30
/// marks on a letter.
const LONGEST_CLUSTER: usize = 32;
/// So many places are shown of words that are far from each other.
const STRETCHES: usize = 3;
/// Of a word that would be cut, so many columns are left out rather.
const RAGGED: usize = 20;

/// How much room there is, in columns.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// For a text that is shown whole.
    pub whole: usize,
    /// For what is shown of a longer one.
    pub cut: usize,
}

impl Room {
    /// So many lines.
    pub fn lines(columns: usize, whole: usize, cut: usize) -> Room {
        Room { whole: columns * whole, cut: columns * cut }
    }
}

/// A word that is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In bytes.
    pub start: usize,
    pub end: usize,
    /// Which of the words.
    pub word: usize,
}

/// Where words begin in a text; scripts without blanks between words have no such places, so that they may be anywhere.
pub fn places<'t>(text: &'t str, words: &'t [Word]) -> impl Iterator<Item = Place> + 't {
    let mut in_word = false;
    let starts = text.char_indices().filter(move |(_, c)| {
        let is_start = !in_word || !c.is_ascii();
        in_word = c.is_alphanumeric();
        is_start
    });
    starts.flat_map(move |(start, _)| {
        let rest = text.get(start..).unwrap_or_default();
        words.iter().enumerate().filter_map(move |(word, wanted)| {
            let length = wanted.begins(rest)?;
            Some(Place { start, end: start + length, word })
        })
    })
}

/// A text, or what is around these words in a long one; its beginning, where they are not in it.
pub fn around<'t>(text: &'t str, words: &[Word], room: Room) -> Cow<'t, str> {
    if is_within(text, room.whole) {
        return text.into();
    }
    let places: Vec<Place> = places(text, words).collect();
    let stretches: Vec<Range<usize>> = match closest(&places) {
        None => vec![Range::default()],
        Some(all) if is_within(text.get(all.clone()).unwrap_or_default(), room.cut) => vec![all],
        Some(_) => {
            let mut shown: Vec<Place> = Vec::new();
            for place in places {
                if shown.len() < STRETCHES && shown.iter().all(|other| other.word != place.word) {
                    shown.push(place);
                }
            }
            shown.into_iter().map(|place| place.start..place.end).collect()
        }
    };
    let room = room.cut / stretches.len().max(1);
    let mut shown: Vec<Range<usize>> = Vec::new();
    for stretch in stretches.into_iter().map(|core| widened(text, core, room)) {
        match shown.last_mut() {
            Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
            _ => shown.push(stretch),
        }
    }
    pieces(text, &shown).into()
}

/// A text, or the beginning of a long one.
pub fn beginning(text: &str, room: Room) -> Cow<'_, str> {
    around(text, &[], room)
}

/// The pieces, and what stands for all between them; and how long the whole is.
fn pieces(text: &str, shown: &[Range<usize>]) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut end = 0;
    for piece in shown {
        words.extend((piece.start > end || (end == 0 && piece.start > 0)).then_some(LEFT_OUT));
        words.push(text.get(piece.clone()).unwrap_or_default().trim());
        end = piece.end;
    }
    words.extend((end < text.len()).then_some(LEFT_OUT));
    let all = msgarchive::writers::phrase::grouped(text.graphemes(true).count() as u64);
    let all = format!("[{all} characters in all]");
    words.push(&all);
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The shortest stretch with a place of each word that is anywhere; `None`: none is.
fn closest(places: &[Place]) -> Option<Range<usize>> {
    let words = places.iter().map(|place| place.word).max()? + 1;
    let mut within = vec![0_usize; words];
    let mut everywhere = vec![false; words];
    places.iter().for_each(|place| {
        if let Some(is) = everywhere.get_mut(place.word) {
            *is = true;
        }
    });
    let wanted = everywhere.iter().filter(|is| **is).count();
    let (mut found, mut best, mut first) = (0, None::<Range<usize>>, places.iter().peekable());
    for last in places {
        if let Some(count) = within.get_mut(last.word) {
            found += usize::from(*count == 0);
            *count += 1;
        }
        while let Some(start) = first.next_if(|_| found == wanted) {
            let stretch = start.start..last.end.max(start.end);
            if best.as_ref().is_none_or(|best| stretch.len() < best.len()) {
                best = Some(stretch);
            }
            if let Some(count) = within.get_mut(start.word) {
                *count -= 1;
                found -= usize::from(*count == 0);
            }
        }
    }
    best
}

/// A stretch with as much on both sides of it as there is room for; what one side does not need the other one has.
fn widened(text: &str, core: Range<usize>, room: usize) -> Range<usize> {
    let (start, end) = (boundary(text, core.start, false), boundary(text, core.end, true));
    let (before, within, after) = (
        text.get(..start).unwrap_or_default(),
        text.get(start..end).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    );
    let (length, used) = fitting(within.graphemes(true), room);
    if length < within.len() {
        return start..start + length;
    }
    let left = room - used;
    let (_, behind) = fitting(after.graphemes(true), left / 2);
    let (mut back, used) = fitting(before.graphemes(true).rev(), left - behind);
    let (mut forth, _) = fitting(after.graphemes(true), left - used);
    if back < before.len() {
        back -= ragged(before.get(before.len() - back..).unwrap_or_default().graphemes(true));
    }
    if forth < after.len() {
        forth -= ragged(after.get(..forth).unwrap_or_default().graphemes(true).rev());
    }
    start - back..end + forth
}

/// How many bytes of these have room, and how much they take of it.
fn fitting<'t>(clusters: impl Iterator<Item = &'t str>, room: usize) -> (usize, usize) {
    let (mut length, mut used) = (0, 0);
    for cluster in clusters {
        let columns = columns_of(cluster);
        if used + columns > room {
            break;
        }
        used += columns;
        length += cluster.len();
    }
    (length, used)
}

/// How many bytes of a word are at this end, which was cut somewhere; none where that is no short word.
fn ragged<'t>(clusters: impl Iterator<Item = &'t str>) -> usize {
    let mut length = 0;
    for cluster in clusters.take(RAGGED) {
        if cluster == " " {
            return length;
        }
        length += cluster.len();
    }
    0
}

fn is_within(text: &str, room: usize) -> bool {
    // No cluster takes more columns than it has bytes.
    text.len() <= room || fitting(text.graphemes(true), room).0 == text.len()
}

fn columns_of(cluster: &str) -> usize {
    match cluster.chars().count() {
        count if count > LONGEST_CLUSTER => count,
        _ => cluster.width().max(1),
    }
}

/// The nearest place at which a text may be cut, there or before; with `up`, there or after.
fn boundary(text: &str, at: usize, up: bool) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if cursor.is_boundary(text, 0).unwrap_or(true) {
        return at;
    }
    let found = if up { cursor.next_boundary(text, 0) } else { cursor.prev_boundary(text, 0) };
    found.ok().flatten().unwrap_or(if up { text.len() } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { whole: 80, cut: 40 };

    fn words(sought: &[&str]) -> Vec<Word> {
        sought.iter().filter_map(|word| Word::new(word)).collect()
    }

    fn bare(excerpt: &str) -> &str {
        excerpt.rsplit_once(" [").map_or(excerpt, |(shown, _)| shown)
    }

    #[test]
    fn what_has_room_is_whole() {
        let text = "x".repeat(80);
        assert_eq!(around(&text, &words(&["x"]), ROOM), text);
        // Wide characters have room for half as many; marks take none.
        let wide = "家".repeat(40);
        assert_eq!(beginning(&wide, ROOM), wide);
        let marked = "e\u{301}".repeat(80);
        assert_eq!(beginning(&marked, ROOM), marked);
    }

    #[test]
    fn a_long_text_is_cut_around_the_words() {
        let text = format!("{}a needle here {}", "lorem ipsum ".repeat(500), "dolor sit ".repeat(500));
        let shown = around(&text, &words(&["needle"]), ROOM);
        assert_eq!(shown, "[…] lorem ipsum a needle here dolor sit […] [11,014 characters in all]");
        let shown = beginning(&text, ROOM);
        assert_eq!(shown, "lorem ipsum lorem ipsum lorem ipsum […] [11,014 characters in all]");
        assert_eq!(around(&text, &words(&["nowhere"]), ROOM), shown);
        let text = format!("needle {}", "lorem ipsum ".repeat(500));
        assert!(around(&text, &words(&["needle"]), ROOM).starts_with("needle lorem"));
        let text = format!("{}needle", "lorem ipsum ".repeat(500));
        assert!(around(&text, &words(&["needle"]), ROOM).contains("ipsum needle [6,006 characters"));
    }

    /// Where they are closest, as in a phrase; else each of them once.
    #[test]
    fn several_words_are_shown() {
        let far = "lorem ipsum ".repeat(500);
        let text = format!("{far}the lake {far}a lake house {far}the house");
        let shown = around(&text, &words(&["lake", "house"]), ROOM);
        assert!(shown.contains("a lake house") && shown.matches(LEFT_OUT).count() == 2, "{shown}");
        let text = format!("the house {far}the lake");
        let shown = around(&text, &words(&["lake", "house"]), ROOM);
        assert_eq!(bare(&shown), "the house lorem […] ipsum the lake");
    }

    #[test]
    fn no_character_is_cut_and_none_floods() {
        let family = "👨‍👩‍👧‍👦";
        let text = format!("{}京{}", family.repeat(300), family.repeat(300));
        let shown = around(&text, &words(&["京"]), ROOM);
        let inner = bare(&shown).trim_matches(['[', '…', ']', ' ']);
        assert!(inner.graphemes(true).all(|cluster| cluster == family || cluster == "京"), "{shown}");
        assert!(inner.width() <= 40 && inner.contains('京'), "{shown}");
        // A part of one is found: it is shown whole.
        let shown = around(&text, &words(&["👧"]), ROOM);
        assert!(bare(&shown).contains(family), "{shown}");
        // One letter with very many marks on it, or many characters that take no column.
        for flood in [format!("a{}", "\u{301}".repeat(100_000)), "\u{200b}".repeat(100_000)] {
            for sought in [&["a"][..], &["needle"], &[]] {
                assert!(around(&flood, &words(sought), ROOM).len() < 400);
            }
            let shown = around(&format!("{flood} needle"), &words(&["needle"]), ROOM).into_owned();
            assert!(shown.len() < 400 && shown.contains("needle"), "{shown}");
        }
    }
}
