//! One element of a document's structure (ISO 32000-1, 14.7.2).

use std::io::{self, Write};

use pdf_writer::{Finish as _, Name, Ref, TextStr};

use super::file::{PdfFile, compact};
use super::page::Cell;
use super::tags::LinkTag;

/// What is in an element.
pub enum Kid {
    Content { page: Ref, number: i32 },
    Element(Ref),
    Annotation(Ref),
}

/// An element in the making.
pub struct Element {
    pub id: Ref,
    pub role: &'static [u8],
    pub parent: Ref,
    /// What stands for it where it cannot be seen.
    pub alt: Option<String>,
    /// Where it begins.
    pub page: Option<Ref>,
    pub kids: Vec<Kid>,
    /// Of a link.
    pub link: Option<LinkTag>,
    /// Of a cell in a line of a table.
    pub cell: Option<Cell>,
    /// Kids from here on are read before the others.
    pub front_from: usize,
}

impl Element {
    pub fn new(id: Ref, role: &'static [u8], parent: Ref) -> Element {
        Element {
            id,
            role,
            parent,
            alt: None,
            page: None,
            kids: Vec::new(),
            link: None,
            cell: None,
            front_from: 0,
        }
    }

    /// Writes it: it is complete.
    pub fn write<W: Write>(mut self, file: &mut PdfFile<W>) -> io::Result<()> {
        let front_from = self.front_from.min(self.kids.len());
        self.kids.rotate_left(front_from);
        let mut chunk = compact();
        let mut dict = chunk.indirect(self.id).dict();
        // In this order the dictionaries of a page's messages differ at their ends only, and compress well.
        dict.pair(Name(b"S"), Name(self.role)).pair(Name(b"P"), self.parent);
        if let Some(page) = self.page {
            dict.pair(Name(b"Pg"), page);
        }
        if let Some(alt) = &self.alt {
            dict.pair(Name(b"Alt"), TextStr(alt));
        }
        if let Some(scope) = self.cell.and_then(|cell| cell.heads) {
            let mut attributes = dict.insert(Name(b"A")).dict();
            attributes.pair(Name(b"O"), Name(b"Table")).pair(Name(b"Scope"), Name(scope.name()));
        }
        match self.kids.as_slice() {
            [Kid::Content { number, .. }] => {
                dict.pair(Name(b"K"), *number);
            }
            kids => {
                let mut array = dict.insert(Name(b"K")).array();
                for kid in kids {
                    match kid {
                        Kid::Element(id) => {
                            array.item(*id);
                        }
                        Kid::Content { page, number } if Some(*page) == self.page => {
                            array.item(*number);
                        }
                        Kid::Content { page, number } => {
                            let mut there = array.push().dict();
                            there.pair(Name(b"Type"), Name(b"MCR"));
                            there.pair(Name(b"Pg"), *page).pair(Name(b"MCID"), *number);
                        }
                        Kid::Annotation(id) => {
                            let mut object = array.push().dict();
                            object.pair(Name(b"Type"), Name(b"OBJR")).pair(Name(b"Obj"), *id);
                        }
                    }
                }
                array.finish();
            }
        }
        dict.finish();
        file.object(self.id, &chunk)
    }
}
