//! A part's text with its styles → spans of one ink each, and the words for what paper cannot show.

use std::ops::Range;

use crate::model::{Style, StyleSpan};
use crate::writers::phrase;

use super::layout::Ink;
use super::link;
use super::page::{Color, Target};

/// A text ready for layout.
#[derive(Debug, Default)]
pub struct Styled {
    pub text: String,
    /// In order, without gaps.
    pub spans: Vec<(Range<usize>, Ink)>,
    pub links: Vec<Target>,
    /// Text effects, in words.
    pub effects: Vec<String>,
}

/// How many of each are open at a position.
#[derive(Default)]
struct Open {
    bold: i32,
    italic: i32,
    underline: i32,
    strike: i32,
    links: Vec<u16>,
}

/// Brings a part's text into shape; `subject` stands above it, in bold.
pub fn styled(text: &str, styles: &[StyleSpan], subject: Option<&str>) -> Styled {
    let mut styled = Styled::default();
    if let Some(subject) = subject {
        styled.push(&phrase::one_line(subject), Ink { bold: true, ..Ink::default() });
        if text.is_empty() {
            return styled;
        }
        styled.push("\n", Ink::default());
    }
    // What Messages found itself is marked in a message's body; rows without one have the text alone.
    let found;
    let is_link = |span: &StyleSpan| matches!(span.style, Style::Link { .. });
    let styles = if text.contains("://") && !styles.iter().any(is_link) {
        found = with_addresses(text, styles);
        &found
    } else {
        styles
    };
    if styles.is_empty() {
        styled.push(text, Ink::default());
        return styled;
    }
    // Where something begins (+1) or ends (-1), by character.
    let mut edges: Vec<(u32, i32, &Style, u16)> = Vec::with_capacity(styles.len() * 2);
    for span in styles.iter().filter(|span| span.start < span.end) {
        let mut number = 0;
        if let Style::Link { target } = &span.style
            && let Some(uri) = link::allowed(target)
            && let Ok(next) = u16::try_from(styled.links.len() + 1)
        {
            styled.links.push(Target::Uri(uri));
            number = next;
        }
        edges.push((span.start, 1, &span.style, number));
        edges.push((span.end, -1, &span.style, number));
        if let Some(effect) = effect_word(&span.style) {
            let words: String = text
                .chars()
                .skip(span.start as usize)
                .take((span.end - span.start) as usize)
                .take(80)
                .collect();
            styled.effects.push(format!("Text effect {effect}: “{}”", phrase::one_line(&words)));
        }
    }
    edges.sort_by_key(|edge| (edge.0, edge.1));
    let mut edges = edges.into_iter().peekable();
    let mut open = Open::default();
    let mut from = 0;
    for (number, (at, _)) in text.char_indices().enumerate() {
        let mut changed = false;
        while let Some((_, step, style, link)) = edges.next_if(|edge| edge.0 as usize <= number) {
            if !changed {
                styled.push(text.get(from..at).unwrap_or_default(), open.ink());
                from = at;
                changed = true;
            }
            open.turn(style, step, link);
        }
    }
    styled.push(text.get(from..).unwrap_or_default(), open.ink());
    styled
}

/// Styles, with the addresses that stand in the text as links.
fn with_addresses(text: &str, styles: &[StyleSpan]) -> Vec<StyleSpan> {
    let (mut bytes, mut characters) = (0, 0);
    let mut count_to = |end: usize| {
        characters += text.get(bytes..end).map_or(0, |more| more.chars().count() as u32);
        bytes = end;
        characters
    };
    let links = link::addresses(text).into_iter().map(|at| {
        let target = text.get(at.clone()).unwrap_or_default().to_owned();
        StyleSpan { start: count_to(at.start), end: count_to(at.end), style: Style::Link { target } }
    });
    styles.iter().cloned().chain(links).collect()
}

impl Styled {
    fn push(&mut self, text: &str, ink: Ink) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        let visible = phrase::visible(text);
        if visible.contains('\t') {
            self.text.push_str(&visible.replace('\t', "\u{2003}"));
        } else {
            self.text.push_str(&visible);
        }
        self.spans.push((start..self.text.len(), ink));
    }
}

impl Open {
    fn turn(&mut self, style: &Style, step: i32, link: u16) {
        match style {
            Style::Bold | Style::Mention { .. } => self.bold += step,
            Style::Italic => self.italic += step,
            Style::Underline => self.underline += step,
            Style::Strikethrough => self.strike += step,
            Style::Link { .. } if link > 0 => match step {
                1 => self.links.push(link),
                _ => self.links.retain(|open| *open != link),
            },
            _ => {}
        }
    }

    fn ink(&self) -> Ink {
        let link = self.links.last().copied().unwrap_or(0);
        Ink {
            color: if link > 0 { Color::Link } else { Color::Text },
            bold: self.bold > 0,
            italic: self.italic > 0,
            underline: self.underline > 0 || link > 0,
            strike: self.strike > 0,
            link,
        }
    }
}

fn effect_word(style: &Style) -> Option<&'static str> {
    Some(match style {
        Style::Big => "Big",
        Style::Small => "Small",
        Style::Shake => "Shake",
        Style::Nod => "Nod",
        Style::Explode => "Explode",
        Style::Ripple => "Ripple",
        Style::Bloom => "Bloom",
        Style::Jitter => "Jitter",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u32, end: u32, style: Style) -> StyleSpan {
        StyleSpan { start, end, style }
    }

    #[test]
    fn overlapping_styles_become_spans_without_gaps() {
        let styles = [span(0, 5, Style::Bold), span(3, 8, Style::Italic)];
        let styled = styled("héllo wörld", &styles, None);
        assert_eq!(styled.text, "héllo wörld");
        let seen: Vec<_> =
            styled.spans.iter().map(|(r, ink)| (&styled.text[r.clone()], ink.bold, ink.italic)).collect();
        assert_eq!(
            seen,
            [("hél", true, false), ("lo", true, true), (" wö", false, true), ("rld", false, false)]
        );
    }

    #[test]
    fn an_address_without_a_style_is_a_link() {
        let plain = styled("é https://example.com/a, b", &[], None);
        let linked = plain.spans.iter().find(|(_, ink)| ink.link == 1).unwrap();
        assert_eq!(&plain.text[linked.0.clone()], "https://example.com/a");
        assert_eq!(plain.links.len(), 1);
        // What Messages says of links is all there is.
        let styles = [span(0, 1, Style::Link { target: "tel:1".into() })];
        assert_eq!(styled("1 https://example.com", &styles, None).links.len(), 1);
    }

    #[test]
    fn only_harmless_links_are_links() {
        for (target, links) in [("https://example.com/", 1), ("javascript:alert(1)", 0), ("file:///etc", 0)] {
            let styles = [span(0, 4, Style::Link { target: target.into() })];
            assert_eq!(styled("here", &styles, None).links.len(), links, "{target}");
        }
    }

    #[test]
    fn spans_past_the_end_and_inside_out_are_survived() {
        let styles =
            [span(2, 900, Style::Bold), span(7, 3, Style::Italic), span(u32::MAX, u32::MAX, Style::Shake)];
        assert_eq!(styled("abc", &styles, None).text, "abc");
    }
}
