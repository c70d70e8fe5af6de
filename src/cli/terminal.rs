//! What a terminal needs: its width, safe text, columns.

use std::io::{self, IsTerminal, Write};

use terminal_size::{Width, terminal_size, terminal_size_of};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Failure;

/// Columns to fill: the terminal's, within reason; 80 where standard output is none.
pub fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 80;
    }
    terminal_size().map_or(80, |(Width(columns), _)| usize::from(columns).clamp(40, 120))
}

/// The same for a sentence: where that is no terminal, it is one line, for whoever looks for it.
pub fn width_of_sentences() -> usize {
    if io::stdout().is_terminal() { width() } else { usize::MAX }
}

/// Columns for what goes to standard error: the terminal's, within reason; 100 where that is none.
pub fn width_of_messages() -> usize {
    const MOST: usize = 100;
    if !io::stderr().is_terminal() {
        return MOST;
    }
    terminal_size_of(io::stderr()).map_or(MOST, |(Width(columns), _)| usize::from(columns).clamp(40, MOST))
}

/// The same for errors and warnings: where that is no terminal, each is one line, for whoever looks for it.
pub fn width_of_errors() -> usize {
    if io::stderr().is_terminal() { width_of_messages() } else { usize::MAX }
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    write_all(&mut io::stdout().lock(), text)
}

/// The same, with styles where standard output shows them.
pub fn print_styled(text: &str) -> Result<(), Failure> {
    write_all(&mut anstream::stdout().lock(), text)
}

fn write_all(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(e)),
        _ => Ok(()),
    }
}

/// Text from a database, made harmless for a terminal: one line, no escape sequences, no switching of the
/// writing direction.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

/// What a message says, in one line: where an attachment or a balloon stands, it says so.
pub fn said(text: Option<&str>) -> String {
    let text = plain(text.unwrap_or("(no text)")).replace('\u{FFFC}', " [attachment] ");
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Exactly `columns` wide: cut with an ellipsis, or filled with blanks. A wide glyph takes two columns.
pub fn fit(text: &str, columns: usize) -> String {
    let mut fitted = String::with_capacity(columns);
    if text.width() <= columns {
        fitted.push_str(text);
    } else {
        let mut used = 0;
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide + 1 > columns {
                break;
            }
            used += wide;
            fitted.push(c);
        }
        fitted.push('…');
    }
    let used = fitted.width();
    fitted.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    fitted
}

/// Breaks a paragraph at blanks into lines of at most `columns`; a longer word stands alone. The first line begins
/// with `first`, the others with as many blanks. What fits is left as it is: a path may have several blanks in a row.
pub fn wrap(first: &str, text: &str, columns: usize) -> String {
    if first.width() + text.width() <= columns && !text.contains('\n') {
        return format!("{first}{text}");
    }
    let indent = " ".repeat(first.width());
    let mut wrapped = first.to_owned();
    let mut used = first.width();
    let mut at_start = true;
    for word in text.split_whitespace() {
        if !at_start && used + 1 + word.width() > columns {
            wrapped.push('\n');
            wrapped.push_str(&indent);
            used = indent.len();
        } else if !at_start {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += word.width();
        at_start = false;
    }
    wrapped
}

/// The same for what people wrote, where no line is to be longer: also a word that has no room in one is broken, between
/// characters. Addresses of pages stand alone, so that a terminal can open them.
pub fn fill(first: &str, text: &str, columns: usize) -> String {
    let room = columns.saturating_sub(first.width()).max(2);
    let mut broken = String::with_capacity(text.len());
    for (at, word) in text.split(' ').enumerate() {
        broken.push_str(if at == 0 { "" } else { " " });
        if word.width() <= room || word.contains("://") {
            broken.push_str(word);
            continue;
        }
        let mut used = 0;
        for cluster in word.graphemes(true) {
            if used > 0 && used + cluster.width() > room {
                broken.push(' ');
                used = 0;
            }
            broken.push_str(cluster);
            used += cluster.width();
        }
    }
    wrap(first, &broken, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\u{9b}31mc\nd\u{202e}e"), "a\u{FFFD}[2Jb\u{FFFD}31mc d\u{FFFD}e");
    }

    #[test]
    fn what_stands_for_an_attachment_is_named() {
        assert_eq!(
            said(Some("\u{FFFC}\u{FFFC}look\nhere \u{FFFC}")),
            "[attachment] [attachment] look here [attachment]"
        );
        assert_eq!(said(None), "(no text)");
    }

    #[test]
    fn columns_are_counted_in_glyphs() {
        assert_eq!(fit("Ana", 5), "Ana  ");
        assert_eq!(fit("Ana Abbott", 5), "Ana …");
        assert_eq!(fit("家族グループ", 7), "家族グ…");
        assert_eq!(fit("家族グループ", 6).width(), 6);
    }

    #[test]
    fn paragraphs_break_at_blanks() {
        assert_eq!(wrap("hint: ", "one two three", 14), "hint: one two\n      three");
        assert_eq!(wrap("", "averyverylongword b", 5), "averyverylongword\nb");
        assert_eq!(fill("> ", "averylongword b", 7), "> avery\n  longw\n  ord b");
        assert_eq!(fill("", "明日東京 e\u{301}e\u{301}", 5), "明日\n東京\ne\u{301}e\u{301}");
        assert_eq!(fill("", "x http://example.com/", 5), "x\nhttp://example.com/");
    }
}
