//! The outline: in a document of all conversations each of them, then years, in them months, and in them days, in the
//! order in which they come; before and after them what else there is to turn to.
//!
//! **Must never**: hold a conversation's days when it is complete.

use std::io::{self, Write};

use pdf_writer::{Chunk, Finish as _, Ref, TextStr};

use super::file::{PdfFile, compact};
use super::places::Place;
use crate::writers::clock::Local;
use crate::writers::phrase;

/// Of a title, in characters.
const LONGEST_TITLE: usize = 200;

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

/// An item that is not written yet; what is in it is.
#[derive(Debug)]
struct Item {
    id: Ref,
    title: String,
    place: Place,
    children: Option<Children>,
}

/// The items in another one.
#[derive(Debug, Clone, Copy)]
struct Children {
    first: Ref,
    last: Ref,
    count: i32,
}

impl Children {
    fn of(items: &[Item]) -> Option<Children> {
        let (first, last) = (items.first()?.id, items.last()?.id);
        Some(Children { first, last, count: items.len() as i32 })
    }
}

/// An item in the making: the document itself, or a conversation in it.
#[derive(Debug)]
struct Branch {
    id: Ref,
    title: String,
    place: Place,
    items: Vec<Item>,
    days: Vec<Day>,
}

impl Branch {
    fn new(id: Ref, title: String, place: Place) -> Branch {
        Branch { id, title, place, items: Vec::new(), days: Vec::new() }
    }

    /// Writes all that is in it.
    fn write<W: Write>(self, target: Pages<'_>, file: &mut PdfFile<W>) -> io::Result<Item> {
        let Branch { id, title, place, mut items, days } = self;
        items.extend(spans(&days, Span::Year, target, file)?);
        items.sort_by_key(|item| (item.place.page, item.place.y));
        let children = Children::of(&items);
        write_beside(&items, id, target, file)?;
        Ok(Item { id, title, place, children })
    }
}

/// What items lead to.
#[derive(Clone, Copy)]
struct Pages<'a> {
    ids: &'a [Ref],
    height: f32,
}

/// The outline of a document.
#[derive(Debug)]
pub struct Outline {
    document: Branch,
    chapter: Option<Branch>,
}

impl Outline {
    pub fn new<W: Write>(file: &mut PdfFile<W>) -> Outline {
        Outline { document: Branch::new(file.reserve(), String::new(), Place::FIRST), chapter: None }
    }

    fn current(&mut self) -> &mut Branch {
        self.chapter.as_mut().unwrap_or(&mut self.document)
    }

    /// Notes a message's day; only the first message of a day counts.
    pub fn visit(&mut self, at: &Local, place: Place) {
        let Local { year, month, day, .. } = *at;
        let days = &mut self.current().days;
        if days.last().is_none_or(|last| (last.year, last.month, last.day) != (year, month, day)) {
            days.push(Day { year, month, day, place });
        }
    }

    /// Notes where something else is.
    pub fn mark<W: Write>(&mut self, title: &str, place: Place, file: &mut PdfFile<W>) {
        let item = Item { id: file.reserve(), title: title.into(), place, children: None };
        self.current().items.push(item);
    }

    /// What comes next is in a conversation that is one of many.
    pub fn begin_chapter<W: Write>(&mut self, title: &str, place: Place, file: &mut PdfFile<W>) {
        let title = phrase::shortened(title, LONGEST_TITLE).into_owned();
        self.chapter = Some(Branch::new(file.reserve(), title, place));
    }

    /// Writes what is in the conversation that is open.
    pub fn end_chapter<W: Write>(
        &mut self,
        file: &mut PdfFile<W>,
        ids: &[Ref],
        height: f32,
    ) -> io::Result<()> {
        if let Some(chapter) = self.chapter.take() {
            let item = chapter.write(Pages { ids, height }, file)?;
            self.document.items.push(item);
        }
        Ok(())
    }

    /// Writes it; `None` when it is empty.
    pub fn write<W: Write>(self, file: &mut PdfFile<W>, ids: &[Ref], height: f32) -> io::Result<Option<Ref>> {
        let Item { id, children, .. } = self.document.write(Pages { ids, height }, file)?;
        let mut chunk = Chunk::new();
        let mut outline = chunk.outline(id);
        if let Some(Children { first, last, count }) = children {
            outline.first(first).last(last).count(count);
        }
        outline.finish();
        file.object(id, &chunk)?;
        Ok(children.map(|_| id))
    }
}

/// The items for these days; all that is in them is written.
fn spans<W: Write>(
    days: &[Day],
    span: Span,
    target: Pages<'_>,
    file: &mut PdfFile<W>,
) -> io::Result<Vec<Item>> {
    let groups: Vec<&[Day]> = days.chunk_by(|a, b| span.holds_both(a, b)).collect();
    let ids: Vec<Ref> = groups.iter().map(|_| file.reserve()).collect();
    let mut items = Vec::with_capacity(groups.len());
    for (group, id) in groups.into_iter().zip(ids) {
        let Some(first) = group.first() else { continue };
        let children = match span.inner() {
            Some(span) => {
                let inside = spans(group, span, target, file)?;
                write_beside(&inside, id, target, file)?;
                Children::of(&inside)
            }
            None => None,
        };
        items.push(Item { id, title: span.title(first), place: first.place, children });
    }
    Ok(items)
}

/// Writes items that stand beside each other.
fn write_beside<W: Write>(
    items: &[Item],
    parent: Ref,
    target: Pages<'_>,
    file: &mut PdfFile<W>,
) -> io::Result<()> {
    for (number, Item { id, title, place, children }) in items.iter().enumerate() {
        let mut chunk = compact();
        let mut item = chunk.outline_item(*id);
        item.title(TextStr(title)).parent(parent);
        if let Some(previous) = number.checked_sub(1).and_then(|number| items.get(number)) {
            item.prev(previous.id);
        }
        if let Some(next) = items.get(number + 1) {
            item.next(next.id);
        }
        if let Some(Children { first, last, count }) = children {
            // Negative: closed.
            item.first(*first).last(*last).count(-count);
        }
        if let Some(page) = target.ids.get(place.page as usize) {
            item.dest().page(*page).xyz(0.0, target.height - f32::from(place.y), None);
        }
        item.finish();
        file.object(*id, &chunk)?;
    }
    Ok(())
}
