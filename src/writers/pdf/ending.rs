//! How a document ends: with an index of its attachments, and with the number of its pages.

use std::io::{self, Write};

use crate::writers::WriterOptions;
use crate::writers::contents::Contents;
use crate::writers::phrase;

use super::document::{Complete, Document};
use super::furniture::{self, Running};
use super::index::{self, Listed};
use super::layout::Engine;
use super::options::Bates;
use super::places::Place;
use super::style::Style;
use super::tags::{Depth, Reading};

/// What the last pages of a document say.
pub struct Ending<'a> {
    options: &'a WriterOptions,
    style: Style,
    running: Running,
    bates: Option<Bates>,
}

impl<'a> Ending<'a> {
    /// `bates` is the number of the first page.
    pub fn new(title: &str, bates: Option<Bates>, options: &'a WriterOptions) -> Ending<'a> {
        let running = Running::new(title.to_owned(), options, bates.clone());
        Ending { options, style: Style::new(options.pdf), running, bates }
    }

    /// Writes the index, where it is wanted and there is something in it. A page begins.
    pub fn index<W: Write>(
        &self,
        document: &mut Document<W>,
        listed: &[Listed],
        engine: &mut Engine,
    ) -> io::Result<()> {
        let count = listed.iter().map(|listed| listed.entries.len()).sum();
        if !self.options.document.index || count == 0 {
            return Ok(());
        }
        document.begin_section(Depth::Document, Reading::InOrder)?;
        document.mark(phrase::INDEX, Place { page: document.page_number(), y: self.style.body_top as u16 });
        let mut put = |block, engine: &mut Engine| {
            document.place(block, &mut |end| self.running.on(end.number, phrase::INDEX, engine))
        };
        let heading = index::heading(count, &self.style, engine);
        put(heading, engine)?;
        for Listed { heading, entries } in listed.iter().filter(|listed| !listed.entries.is_empty()) {
            if let Some(heading) = heading {
                let heading = index::subheading(heading, &self.style, engine);
                put(heading, engine)?;
            }
            for (entry, place) in entries {
                let block = index::block(entry, *place, &self.style, engine);
                put(block, engine)?;
            }
        }
        document.turn_page(&mut |end| self.running.on(end.number, phrase::INDEX, engine))
    }

    /// Completes the document, which holds this.
    pub fn finish<W: Write>(
        &self,
        mut document: Document<W>,
        contents: &Contents,
        engine: &mut Engine,
    ) -> io::Result<Complete<W>> {
        document.about.period = contents.first.zip(contents.last);
        let count = furniture::count_of(document.pages(), &self.style, engine);
        document.finish(count, self.bates.as_ref())
    }
}
