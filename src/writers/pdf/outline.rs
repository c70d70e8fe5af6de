//! The outline: years, and in them months, in the order in which they come.

use std::io::{self, Write};

use pdf_writer::{Chunk, Finish as _, Ref, TextStr};

use super::file::PdfFile;
use super::places::Place;
use crate::writers::phrase;

/// A month's beginning.
#[derive(Debug, Clone, Copy)]
struct Month {
    year: i64,
    month: u8,
    place: Place,
}

/// The months of a document.
#[derive(Debug, Default)]
pub struct Outline {
    months: Vec<Month>,
}

impl Outline {
    /// Notes a message's month; only the first of a month counts.
    pub fn visit(&mut self, year: i64, month: u8, place: Place) {
        if self.months.last().is_none_or(|last| (last.year, last.month) != (year, month)) {
            self.months.push(Month { year, month, place });
        }
    }

    /// Writes it; `None` when it is empty.
    pub fn write<W: Write>(
        &self,
        file: &mut PdfFile<W>,
        pages: &[Ref],
        page_height: f32,
    ) -> io::Result<Option<Ref>> {
        if self.months.is_empty() {
            return Ok(None);
        }
        let root = file.reserve();
        let years: Vec<&[Month]> = self.months.chunk_by(|a, b| a.year == b.year).collect();
        let ids: Vec<Ref> = years.iter().map(|_| file.reserve()).collect();
        for (number, (year, id)) in years.iter().zip(&ids).enumerate() {
            let month_ids: Vec<Ref> = year.iter().map(|_| file.reserve()).collect();
            for (at, (month, month_id)) in year.iter().zip(&month_ids).enumerate() {
                let title = format!("{} {}", phrase::month_name(month.month), month.year);
                let links = Links { page_height, parent: *id, beside: &month_ids, at, children: None };
                write_item(file, *month_id, &title, month.place, pages, links)?;
            }
            let Some(first) = year.first() else { continue };
            let children = month_ids.first().zip(month_ids.last()).map(|(f, l)| (*f, *l, year.len()));
            let links = Links { page_height, parent: root, beside: &ids, at: number, children };
            write_item(file, *id, &first.year.to_string(), first.place, pages, links)?;
        }
        let mut chunk = Chunk::new();
        let mut outline = chunk.outline(root);
        if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
            outline.first(*first).last(*last).count(ids.len() as i32);
        }
        outline.finish();
        file.object(root, &chunk)?;
        Ok(Some(root))
    }
}

struct Links<'a> {
    page_height: f32,
    parent: Ref,
    beside: &'a [Ref],
    at: usize,
    children: Option<(Ref, Ref, usize)>,
}

fn write_item<W: Write>(
    file: &mut PdfFile<W>,
    id: Ref,
    title: &str,
    place: Place,
    pages: &[Ref],
    links: Links<'_>,
) -> io::Result<()> {
    let mut chunk = Chunk::new();
    let mut item = chunk.outline_item(id);
    item.title(TextStr(title)).parent(links.parent);
    if let Some(prev) = links.at.checked_sub(1).and_then(|at| links.beside.get(at)) {
        item.prev(*prev);
    }
    if let Some(next) = links.beside.get(links.at + 1) {
        item.next(*next);
    }
    if let Some((first, last, count)) = links.children {
        // Negative: closed.
        item.first(first).last(last).count(-(count as i32));
    }
    if let Some(page) = pages.get(place.page as usize) {
        item.dest().page(*page).xyz(0.0, links.page_height - f32::from(place.y), None);
    }
    item.finish();
    file.object(id, &chunk)
}
