//! Names that every system takes.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The longest name an export makes, in bytes. (File systems take 255; Windows counts UTF-16 and whole paths.)
pub const MAX_NAME: usize = 200;

/// No title is longer than this many characters for naming a file.
const LONGEST_TITLE: usize = 1000;

/// A file name that is legal on macOS, Linux and Windows: `title` made safe and cut at a character so that
/// `title + ending` is at most [`MAX_NAME`] bytes. `ending` is trusted (` [c-1f3a9b2c].pdf`).
///
/// What a terminal would obey or hide (control characters, direction overrides) goes; what a file system forbids
/// becomes its nearest look-alike. The result is in NFC, and the same title always gives the same name.
pub fn portable_name(title: &str, ending: &str) -> String {
    let mut name = String::with_capacity(title.len().min(MAX_NAME));
    let safe = title.chars().take(LONGEST_TITLE).filter_map(safe_char);
    for c in safe.nfc() {
        if c != ' ' || !name.ends_with(' ') {
            name.push(c);
        }
    }
    let name = name.trim_start_matches(['.', ' ']);
    let whole = |mark: &str| {
        let room = MAX_NAME.saturating_sub(mark.len() + ending.len());
        let title = cut(name, room).trim_end_matches(['.', ' ']);
        [mark, if title.is_empty() { "Untitled" } else { title }, ending].concat()
    };
    let name = whole("");
    if is_reserved(&name) { whole("_") } else { name }
}

/// What two names must not have in common where the file system minds neither case nor normalization.
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    // By way of capitals, so that ß meets SS and ς meets Σ.
    name.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

fn safe_char(c: char) -> Option<char> {
    Some(match c {
        '/' | '\\' | ':' | '|' => '-',
        '"' => '\'',
        '<' => '(',
        '>' => ')',
        '*' | '?' => return None,
        c if c.is_whitespace() => ' ',
        c if c.is_control() => return None,
        // Directions, invisible marks, object replacement, noncharacters. The joiners stay: emoji and Persian need them.
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => return None,
        c if u32::from(c) & 0xfffe == 0xfffe => return None,
        '\u{fdd0}'..='\u{fdef}' => return None,
        c => c,
    })
}

/// At most `limit` bytes, cut between characters as people see them where one fits at all.
fn cut(name: &str, limit: usize) -> &str {
    if name.len() <= limit {
        return name;
    }
    let end = name
        .grapheme_indices(true)
        .map(|(at, g)| at + g.len())
        .take_while(|end| *end <= limit)
        .last()
        .or_else(|| (0..=limit).rev().find(|end| name.is_char_boundary(*end)))
        .unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

/// Windows takes these for devices, whatever the extension.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$" => true,
        stem => stem.strip_prefix("COM").or(stem.strip_prefix("LPT")).is_some_and(|n| {
            n.chars().count() == 1 && n.chars().all(|c| c.is_ascii_digit() || "¹²³".contains(c))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(title: &str, ending: &str, expect: &str) {
        assert_eq!(portable_name(title, ending), expect);
    }

    #[test]
    fn what_a_file_system_forbids_becomes_its_look_alike() {
        check("Ana Abbott", " [c-1].txt", "Ana Abbott [c-1].txt");
        check("AC/DC: a\\b|c \"x\" <y> *z*?", "", "AC-DC- a-b-c 'x' (y) z");
        check("../../etc/passwd", "", "-..-etc-passwd");
        check("..", ".txt", "Untitled.txt");
        check("", "", "Untitled");
        check(" . hidden. . ", "", "hidden");
        check("a\0b\x1b[31mred\u{9b}31m\nnext\tcell", "", "ab[31mred31m next cell");
        check("evil\u{202e}gpj.exe", "", "evilgpj.exe");
    }

    #[test]
    fn devices_of_windows_are_no_names() {
        let long = portable_name(&"aux.x".repeat(100), ".txt");
        assert!(long.starts_with("_aux.x") && long.len() == MAX_NAME, "{long}");
        for name in ["CON", "nul", "Com1", "LPT9", "COM¹", "aux "] {
            let made = portable_name(name, ".txt");
            assert!(made.starts_with('_'), "{made}");
        }
        check("nul.tar.gz", "", "_nul.tar.gz");
        check("CON", " [c-1].txt", "CON [c-1].txt");
        check("Console", "", "Console");
        check("COM10", "", "COM10");
    }

    #[test]
    fn a_name_is_composed() {
        check("Zoe\u{301}", "", "Zo\u{e9}");
        assert_eq!(folded("Zoe\u{301}"), folded("ZO\u{c9}"));
        assert_eq!(folded("STRASSE"), folded("straße"));
        assert_ne!(folded("a"), folded("b"));
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let family = "👨‍👩‍👧‍👦";
        let made = portable_name(&family.repeat(40), " [c-1].pdf");
        assert!(made.len() <= MAX_NAME);
        let kept = made.strip_suffix(" [c-1].pdf").unwrap();
        assert_eq!(kept.len() % family.len(), 0, "{made}");
        assert!(kept.len() > MAX_NAME - 50);

        let zalgo = format!("e{}", "\u{332}".repeat(500));
        let made = portable_name(&zalgo, ".pdf");
        assert!(made.len() <= MAX_NAME && made.starts_with('e'), "{made}");
        assert_eq!(portable_name(&"x".repeat(1 << 20), "").len(), MAX_NAME);
    }
}
