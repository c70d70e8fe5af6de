//! The outline: years, in them months, and in them days, in the order in which they come.

use std::io::{self, Write};

use pdf_writer::{Chunk, Finish as _, Ref, TextStr};

use super::file::{PdfFile, compact};
use super::places::Place;
use crate::writers::clock::Local;
use crate::writers::phrase;

/// Where a day begins.
#[derive(Debug, Clone, Copy)]
struct Day {
    year: i64,
    month: u8,
    day: u8,
    place: Place,
}

/// What an item of the outline is for.
#[derive(Debug, Clone, Copy)]
enum Span {
    Year,
    Month,
    Day,
}

impl Span {
    /// Whether two days are in the same one, where they are in the same larger one.
    fn holds_both(self, a: &Day, b: &Day) -> bool {
        match self {
            Span::Year => a.year == b.year,
            Span::Month => a.month == b.month,
            Span::Day => a.day == b.day,
        }
    }

    fn inner(self) -> Option<Span> {
        match self {
            Span::Year => Some(Span::Month),
            Span::Month => Some(Span::Day),
            Span::Day => None,
        }
    }

    fn title(self, first: &Day) -> String {
        let month = phrase::month_name(first.month);
        match self {
            Span::Year => first.year.to_string(),
            Span::Month => format!("{month} {}", first.year),
            Span::Day => format!("{} {month}", first.day),
        }
    }
}

/// The days of a document.
#[derive(Debug, Default)]
pub struct Outline {
    days: Vec<Day>,
}

impl Outline {
    /// Notes a message's day; only the first message of a day counts.
    pub fn visit(&mut self, at: &Local, place: Place) {
        let Local { year, month, day, .. } = *at;
        if self.days.last().is_none_or(|last| (last.year, last.month, last.day) != (year, month, day)) {
            self.days.push(Day { year, month, day, place });
        }
    }

    /// Writes it; `None` when it is empty.
    pub fn write<W: Write>(
        &self,
        file: &mut PdfFile<W>,
        pages: &[Ref],
        page_height: f32,
    ) -> io::Result<Option<Ref>> {
        let root = file.reserve();
        let years = Level { pages, page_height, span: Span::Year, parent: root }.write(&self.days, file)?;
        let mut chunk = Chunk::new();
        let mut outline = chunk.outline(root);
        if let (Some(first), Some(last)) = (years.first(), years.last()) {
            outline.first(*first).last(*last).count(years.len() as i32);
        }
        outline.finish();
        file.object(root, &chunk)?;
        Ok((!years.is_empty()).then_some(root))
    }
}

/// Items beside each other.
#[derive(Clone, Copy)]
struct Level<'a> {
    pages: &'a [Ref],
    page_height: f32,
    span: Span,
    parent: Ref,
}

impl Level<'_> {
    /// Writes the items for these days and all that is in them; returns them.
    fn write<W: Write>(self, days: &[Day], file: &mut PdfFile<W>) -> io::Result<Vec<Ref>> {
        let groups = || days.chunk_by(|a, b| self.span.holds_both(a, b));
        let ids: Vec<Ref> = groups().map(|_| file.reserve()).collect();
        for (number, (group, id)) in groups().zip(&ids).enumerate() {
            let children = match self.span.inner() {
                Some(span) => Level { span, parent: *id, ..self }.write(group, file)?,
                None => Vec::new(),
            };
            let Some(first) = group.first() else { continue };
            let mut chunk = compact();
            let mut item = chunk.outline_item(*id);
            item.title(TextStr(&self.span.title(first))).parent(self.parent);
            if let Some(previous) = number.checked_sub(1).and_then(|number| ids.get(number)) {
                item.prev(*previous);
            }
            if let Some(next) = ids.get(number + 1) {
                item.next(*next);
            }
            if let (Some(first), Some(last)) = (children.first(), children.last()) {
                // Negative: closed.
                item.first(*first).last(*last).count(-(children.len() as i32));
            }
            if let Some(page) = self.pages.get(first.place.page as usize) {
                item.dest().page(*page).xyz(0.0, self.page_height - f32::from(first.place.y), None);
            }
            item.finish();
            file.object(*id, &chunk)?;
        }
        Ok(ids)
    }
}
