//! The pages of a document, by number: which are complete, which one is being filled, which are left free for what is
//! known later.
//!
//! **Must never**: let two pages have one number, or a free page stay without content.

use std::io::{self, Write};
use std::ops::Range;

use pdf_writer::Ref;

use super::file::PdfFile;
use super::structure::FANOUT;

/// Pages that were left free, to be filled once.
#[derive(Debug)]
pub struct Free(Range<u32>);

/// The pages so far.
#[derive(Debug, Default)]
pub struct Pages {
    pub ids: Vec<Ref>,
    /// The nodes of the page tree over them.
    pub parents: Vec<Ref>,
    /// The page after these, once something is on it.
    next: Option<Ref>,
    /// Those that were left free and are being filled now: the next one, and all after it.
    turned: Option<Range<u32>>,
}

impl Pages {
    /// How many there are, without the one that is being filled.
    pub fn count(&self) -> u32 {
        self.ids.len() as u32
    }

    /// The page that is being filled, from 0.
    pub fn number(&self) -> u32 {
        self.turned.as_ref().map_or(self.count(), |turned| turned.start)
    }

    /// The object of the page that is being filled.
    pub fn current<W: Write>(&mut self, file: &mut PdfFile<W>) -> Ref {
        let turned = self.turned.as_ref().and_then(|turned| self.ids.get(turned.start as usize));
        turned.copied().unwrap_or_else(|| *self.next.get_or_insert_with(|| file.reserve()))
    }

    /// Leaves so many pages free. Nothing may be on the one that is being filled.
    pub fn leave_free<W: Write>(&mut self, count: u32, file: &mut PdfFile<W>) -> Free {
        let first = self.count();
        for _ in 0..count {
            self.add(file);
        }
        Free(first..self.count())
    }

    /// Pages that were left free are filled from now on.
    pub fn turn_to(&mut self, free: Free) {
        self.turned = Some(free.0);
    }

    /// The last page is filled from now on.
    ///
    /// # Errors
    /// Where free pages are left.
    pub fn turn_back(&mut self) -> io::Result<()> {
        match self.turned.take() {
            Some(left) if !left.is_empty() => {
                Err(io::Error::other("the front matter is shorter than its pages"))
            }
            _ => Ok(()),
        }
    }

    /// Completes the page that is being filled; the next one is. Returns its node of the page tree.
    ///
    /// # Errors
    /// Where all free pages were filled already.
    pub fn complete<W: Write>(&mut self, file: &mut PdfFile<W>) -> io::Result<Ref> {
        let number = match &mut self.turned {
            Some(turned) => turned.next(),
            None => {
                self.add(file);
                self.count().checked_sub(1)
            }
        };
        let parent = number.and_then(|number| self.parents.get(number as usize / FANOUT));
        parent.copied().ok_or_else(|| io::Error::other("the front matter is longer than its pages"))
    }

    fn add<W: Write>(&mut self, file: &mut PdfFile<W>) {
        let id = self.next.take().unwrap_or_else(|| file.reserve());
        if self.ids.len().is_multiple_of(FANOUT) {
            self.parents.push(file.reserve());
        }
        self.ids.push(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_pages_are_filled_once_and_whole() {
        let mut file = PdfFile::new(Vec::new()).unwrap();
        let mut pages = Pages::default();
        let cover = pages.leave_free(1, &mut file);
        let first = pages.current(&mut file);
        pages.complete(&mut file).unwrap();
        assert_eq!(pages.ids.last(), Some(&first));
        let chapter = pages.leave_free(2, &mut file);
        assert_eq!((pages.count(), pages.number()), (4, 4));
        pages.turn_to(chapter);
        assert_eq!(pages.number(), 2);
        pages.complete(&mut file).unwrap();
        assert!(pages.turn_back().is_err());
        pages.turn_to(cover);
        pages.complete(&mut file).unwrap();
        assert!(pages.complete(&mut file).is_err());
        pages.turn_back().unwrap();
        assert_eq!(pages.number(), 4);
    }
}
