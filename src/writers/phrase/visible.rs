//! Text of strangers, made harmless for whoever looks at it.

use std::borrow::Cow;

/// Control characters become visible pictures, direction overrides a replacement character, other direction controls
/// (which show nothing) nothing. Line breaks and tabs stay. What a terminal would obey is gone, what a reader reads stays.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text, |b| b == b'\n' || b == b'\t') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    lines(text, "\n", &mut shown);
    Cow::Owned(shown)
}

/// As [`visible`], on one line: line breaks and tabs become spaces.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if is_plain(text, |_| false) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    lines(text, " ", &mut shown);
    Cow::Owned(shown.replace('\t', " "))
}

/// Appends what [`visible`] shows, with `line_break` (a line feed and an indentation) between lines: so no text can
/// begin a line of its own.
pub fn visible_lines(text: &str, line_break: &str, to: &mut String) {
    if is_plain(text, |b| b == b'\t') {
        to.push_str(text);
    } else {
        lines(text, line_break, to);
    }
}

/// True when there is surely nothing to do. 0xC2 begins the C1 controls, 0xE2 the separators and direction controls.
fn is_plain(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(|b| (b >= 0x20 && b != 0x7f && b != 0xc2 && b != 0xe2) || allowed(b))
}

fn lines(text: &str, line_break: &str, to: &mut String) {
    let mut rest = text;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let mut picture = [0; 4];
        let instead: &str = match c {
            '\t' => continue,
            '\r' if text.get(end..).is_some_and(|t| t.starts_with('\n')) => "",
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => line_break,
            '\0'..='\u{1f}' => {
                char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}').encode_utf8(&mut picture)
            }
            '\u{7f}' => "\u{2421}",
            '\u{80}'..='\u{9f}' | '\u{202d}' | '\u{202e}' => "\u{fffd}",
            '\u{202a}'..='\u{202c}' | '\u{2066}'..='\u{2069}' => "",
            _ => continue,
        };
        // `rest` is what was not copied yet.
        let kept = rest.len() - (text.len() - at);
        to.push_str(rest.get(..kept).unwrap_or_default());
        to.push_str(instead);
        rest = text.get(end..).unwrap_or_default();
    }
    to.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        assert_eq!(visible("plain, “quoted”, 12 °C — £5"), "plain, “quoted”, 12 °C — £5");
        assert_eq!(visible("a\x1b[2Jb\0\x07\x7f"), "a␛[2Jb␀␇␡");
        assert_eq!(visible("a\u{9b}31m"), "a\u{fffd}31m");
        assert_eq!(visible("evil\u{202e}gpj.exe"), "evil\u{fffd}gpj.exe");
        assert_eq!(visible("\u{2068}Ana\u{2069}"), "Ana");
        assert_eq!(visible("one\ntwo\tthree"), "one\ntwo\tthree");
        assert_eq!(visible("ends in \x1b"), "ends in ␛");
    }

    #[test]
    fn every_sort_of_line_break_is_one() {
        let mut shown = String::new();
        visible_lines("a\nb\r\nc\rd\u{2028}e\u{2029}f\u{85}g\n", "\n  ", &mut shown);
        assert_eq!(shown, "a\n  b\n  c\n  d\n  e\n  f\n  g\n  ");
        assert_eq!(one_line("a\r\nb\tc\n"), "a b c ");
    }

    #[test]
    fn emoji_and_scripts_stay_whole() {
        for text in ["👩‍👩‍👧‍👦", "سلام \u{200f}(a)\u{200e}", "e\u{301}", "\u{fffc}", "می‌خواهم"]
        {
            assert_eq!(visible(text), text);
        }
    }
}
