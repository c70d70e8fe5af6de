//! The structure of a document: what is read aloud, in the order of reading (ISO 32000-1, 14.7 and 14.8).
//!
//! A conversation is a section. A day is a heading; every message is a paragraph, of who, when, what was said and what
//! is remarked; in it are pictures, as figures with words in their place, and links. Facts are tables. An element is written when it is complete: what is held
//! is a word for each page and link.
//!
//! **Must never**: hold an element that is complete.

use std::io::{self, Write};

use pdf_writer::{Finish as _, Name, Ref};

use super::element::{Element, Kid};
use super::file::{PdfFile, compact};
use super::page::{Cell, Role, TablePart};

/// Entries of a leaf of the tree of parents.
const LEAF: usize = 256;
/// So many elements are in a division, which means nothing: so no element is large, or waits for long to be complete.
const DIVISION: usize = 1_000;
/// How many elements are open where a section may begin, where a division, where a paragraph or a table, and where a
/// line of one, and a cell.
const DOCUMENT: usize = 1;
const SECTION: usize = 2;
const OUTSIDE: usize = 3;
const TABLE: usize = 4;
const LINE: usize = 5;

/// The headings of a section: those of a document, or of one of the conversations in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Document,
    Chapter,
}

impl Depth {
    /// An element's type (ISO 32000-1, 14.8.4.3).
    fn role(self, role: Role) -> &'static [u8] {
        match (self, role) {
            (_, Role::Paragraph) => b"P",
            (Depth::Document, Role::Title) => b"H1",
            (Depth::Document, Role::Heading) | (Depth::Chapter, Role::Title) => b"H2",
            (Depth::Document, Role::Subheading) | (Depth::Chapter, Role::Heading) => b"H3",
            (Depth::Chapter, Role::Subheading) => b"H4",
        }
    }
}

/// When a section is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    InOrder,
    /// Before all others; it must be the last one that begins.
    First,
}

/// What a mark on a page is to who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Nothing: a line, a background.
    Decoration,
    /// What every page repeats.
    Pagination,
    /// Content, by its number on the page.
    Content(i32),
}

/// A link's annotation, and the key by which it finds its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkTag {
    pub annotation: Ref,
    pub key: i32,
}

/// A page's part in the structure.
pub struct PageTags {
    pub page: Ref,
    /// By which the page finds `parents`.
    pub key: i32,
    /// The object that lists the elements of the page's content.
    parents: Ref,
    /// By the content's number.
    elements: Vec<Ref>,
}

impl PageTags {
    fn begin<W: Write>(page: Ref, keys: &mut Vec<Ref>, file: &mut PdfFile<W>) -> PageTags {
        let parents = file.reserve();
        keys.push(parents);
        PageTags { page, key: keys.len() as i32 - 1, parents, elements: Vec::new() }
    }

    /// Writes which element each content belongs to.
    pub fn write<W: Write>(&self, file: &mut PdfFile<W>) -> io::Result<()> {
        let mut chunk = compact();
        chunk.indirect(self.parents).array().items(&self.elements);
        file.object(self.parents, &chunk)
    }
}

/// The structure in the making.
pub struct Tags {
    root: Ref,
    /// The elements that are open, outermost first: document, section, division, paragraph, link.
    open: Vec<Element>,
    /// The cells so far of the line that is open.
    cells: Vec<Element>,
    /// What the next content begins.
    next: Option<Role>,
    /// Something was said in what is open.
    spoken: bool,
    depth: Depth,
    page: Option<PageTags>,
    /// By key: the object that lists a page's elements, or a link's element.
    keys: Vec<Ref>,
}

impl Tags {
    pub fn new<W: Write>(file: &mut PdfFile<W>) -> Tags {
        let root = file.reserve();
        let mut tags = Tags {
            root,
            open: Vec::new(),
            cells: Vec::new(),
            next: Some(Role::Paragraph),
            spoken: false,
            depth: Depth::Document,
            page: None,
            keys: Vec::new(),
        };
        tags.push(b"Document", file);
        tags
    }

    /// What comes next is a section of its own.
    pub fn begin_section<W: Write>(
        &mut self,
        depth: Depth,
        reading: Reading,
        file: &mut PdfFile<W>,
    ) -> io::Result<()> {
        self.pop_to(DOCUMENT, file)?;
        if let (Some(document), Reading::First) = (self.open.first_mut(), reading) {
            document.front_from = document.kids.len();
        }
        self.push(b"Sect", file);
        (self.depth, self.next) = (depth, Some(Role::Paragraph));
        Ok(())
    }

    /// The next content is the first of something new.
    pub fn begin(&mut self, role: Role) {
        self.next = Some(role);
    }

    /// What comes next is in this part of a table.
    pub fn part<W: Write>(&mut self, part: TablePart, file: &mut PdfFile<W>) -> io::Result<()> {
        self.spoken = false;
        match part {
            TablePart::Line => {
                self.next = None;
                let in_table = self.open.get(OUTSIDE).is_some_and(|element| {
                    // So no table is large.
                    element.role == b"Table" && element.kids.len() < DIVISION
                });
                if in_table {
                    self.pop_to(TABLE, file)?;
                } else {
                    self.outside(file)?;
                    self.push(b"Table", file);
                }
                self.push(b"TR", file);
            }
            TablePart::Cell(cell) => {
                self.pop_to(LINE, file)?;
                match self.cells.iter().position(|known| known.cell == Some(cell)) {
                    Some(known) => self.open.push(self.cells.remove(known)),
                    None => {
                        self.push(if cell.heads.is_some() { b"TH" } else { b"TD" }, file);
                        if let Some(element) = self.open.last_mut() {
                            element.cell = Some(cell);
                        }
                    }
                }
                self.spoken = self.open.last().is_some_and(|cell| !cell.kids.is_empty());
            }
        }
        Ok(())
    }

    /// Whether the next content goes on with what was said.
    pub fn goes_on(&self) -> bool {
        self.spoken && self.next.is_none()
    }

    /// For text that goes on the page now, in a link or not.
    pub fn text<W: Write>(
        &mut self,
        page: Ref,
        link: Option<LinkTag>,
        file: &mut PdfFile<W>,
    ) -> io::Result<Tag> {
        self.enter(page, link, file)?;
        self.spoken = true;
        Ok(self.content(page, file))
    }

    /// For a picture that goes on the page now; `alt` stands for it where it cannot be seen.
    pub fn figure<W: Write>(
        &mut self,
        page: Ref,
        alt: &str,
        link: Option<LinkTag>,
        file: &mut PdfFile<W>,
    ) -> io::Result<Tag> {
        self.enter(page, link, file)?;
        self.push(b"Figure", file);
        if let Some(figure) = self.open.last_mut() {
            figure.alt = Some(alt.to_owned());
        }
        let tag = self.content(page, file);
        self.pop(file)?;
        Ok(tag)
    }

    /// A link on the page, which becomes an element whether there is something in it or not.
    pub fn link<W: Write>(&mut self, page: Ref, file: &mut PdfFile<W>) -> LinkTag {
        // The page's own key comes before those of its links, so that they are written in order.
        self.page(page, file);
        self.keys.push(self.root);
        let annotation = file.reserve();
        LinkTag { annotation, key: self.keys.len() as i32 - 1 }
    }

    /// Ends the link that is open, and sees that each of these had its element.
    pub fn end_row<W: Write>(
        &mut self,
        page: Ref,
        links: impl Iterator<Item = LinkTag>,
        file: &mut PdfFile<W>,
    ) -> io::Result<()> {
        for link in links {
            let without = usize::try_from(link.key).is_ok_and(|key| self.keys.get(key) == Some(&self.root));
            if without {
                self.enter(page, Some(link), file)?;
            }
        }
        self.enter_none(file)
    }

    /// Completes a page.
    pub fn end_page<W: Write>(&mut self, page: Ref, file: &mut PdfFile<W>) -> PageTags {
        self.page.take().unwrap_or_else(|| PageTags::begin(page, &mut self.keys, file))
    }

    /// What comes next is read before everything else in its section.
    pub fn turn_to_front<W: Write>(&mut self, file: &mut PdfFile<W>) -> io::Result<()> {
        self.pop_to(SECTION, file)?;
        if let Some(section) = self.open.last_mut() {
            section.front_from = section.kids.len();
        }
        self.next = Some(Role::Paragraph);
        Ok(())
    }

    /// Writes what is open, and the root; returns it.
    pub fn finish<W: Write>(mut self, file: &mut PdfFile<W>) -> io::Result<Ref> {
        let document = self.open.first().map(|document| document.id);
        self.pop_to(DOCUMENT, file)?;
        self.pop(file)?;
        let parents = self.write_keys(file)?;
        let mut chunk = compact();
        let mut dict = chunk.indirect(self.root).dict();
        dict.pair(Name(b"Type"), Name(b"StructTreeRoot"));
        if let Some(document) = document {
            dict.pair(Name(b"K"), document);
        }
        dict.pair(Name(b"ParentTree"), parents).pair(Name(b"ParentTreeNextKey"), self.keys.len() as i32);
        dict.finish();
        file.object(self.root, &chunk)?;
        Ok(self.root)
    }

    /// The tree in which keys are looked up.
    fn write_keys<W: Write>(&self, file: &mut PdfFile<W>) -> io::Result<Ref> {
        let root = file.reserve();
        let mut leaves = Vec::new();
        for (number, keys) in self.keys.chunks(LEAF).enumerate() {
            let (leaf, first) = (file.reserve(), (number * LEAF) as i32);
            let mut chunk = compact();
            let mut dict = chunk.indirect(leaf).dict();
            dict.insert(Name(b"Limits")).array().items([first, first + keys.len() as i32 - 1]);
            let mut numbers = dict.insert(Name(b"Nums")).array();
            for (key, object) in (first..).zip(keys) {
                numbers.item(key).item(*object);
            }
            numbers.finish();
            dict.finish();
            file.object(leaf, &chunk)?;
            leaves.push(leaf);
        }
        let mut chunk = compact();
        chunk.indirect(root).dict().insert(Name(b"Kids")).array().items(leaves);
        file.object(root, &chunk)?;
        Ok(root)
    }

    fn page<W: Write>(&mut self, id: Ref, file: &mut PdfFile<W>) -> &mut PageTags {
        let Tags { page, keys, .. } = self;
        page.get_or_insert_with(|| PageTags::begin(id, keys, file))
    }

    /// Opens an element in the innermost one.
    fn push<W: Write>(&mut self, role: &'static [u8], file: &mut PdfFile<W>) {
        let parent = self.open.last().map_or(self.root, |parent| parent.id);
        self.open.push(Element::new(file.reserve(), role, parent));
    }

    /// Completes the innermost element; a cell waits for its line.
    fn pop<W: Write>(&mut self, file: &mut PdfFile<W>) -> io::Result<()> {
        let Some(mut element) = self.open.pop() else { return Ok(()) };
        if element.cell.is_some() {
            self.cells.push(element);
            return Ok(());
        }
        if element.role == b"TR" {
            self.cells.sort_by_key(|cell| cell.cell.map(|Cell { column, .. }| column));
            for cell in self.cells.drain(..) {
                element.kids.push(Kid::Element(cell.id));
                cell.write(file)?;
            }
        }
        if let Some(parent) = self.open.last_mut() {
            parent.kids.push(Kid::Element(element.id));
        }
        element.write(file)
    }

    /// Completes the innermost elements until only so many are open.
    fn pop_to<W: Write>(&mut self, depth: usize, file: &mut PdfFile<W>) -> io::Result<()> {
        while self.open.len() > depth {
            self.pop(file)?;
        }
        Ok(())
    }

    fn enter_none<W: Write>(&mut self, file: &mut PdfFile<W>) -> io::Result<()> {
        if self.open.last().is_some_and(|innermost| innermost.link.is_some()) {
            self.pop(file)
        } else {
            Ok(())
        }
    }

    /// Sees that a division is open, and nothing in it.
    fn outside<W: Write>(&mut self, file: &mut PdfFile<W>) -> io::Result<()> {
        self.pop_to(OUTSIDE, file)?;
        if self.open.len() == OUTSIDE
            && self.open.last().is_some_and(|division| division.kids.len() >= DIVISION)
        {
            self.pop_to(SECTION, file)?;
        }
        if self.open.len() < SECTION {
            self.push(b"Sect", file);
        }
        if self.open.len() < OUTSIDE {
            self.push(b"Div", file);
        }
        Ok(())
    }

    /// Sees that the element for what comes now is open, and this link or none in it.
    fn enter<W: Write>(&mut self, page: Ref, link: Option<LinkTag>, file: &mut PdfFile<W>) -> io::Result<()> {
        if let Some(role) = self.next.take() {
            self.outside(file)?;
            self.push(self.depth.role(role), file);
            self.spoken = false;
        }
        if self.open.last().is_some_and(|innermost| innermost.link != link) {
            self.enter_none(file)?;
            if let Some(link) = link {
                self.push(b"Link", file);
                if let Some(element) = self.open.last_mut() {
                    element.link = Some(link);
                    element.page = Some(page);
                    element.kids.push(Kid::Annotation(link.annotation));
                    let slot = usize::try_from(link.key).ok().and_then(|key| self.keys.get_mut(key));
                    slot.into_iter().for_each(|slot| *slot = element.id);
                }
            }
        }
        Ok(())
    }

    /// The number of what comes now, in the innermost element: that of what came before it, where nothing came between.
    fn content<W: Write>(&mut self, page: Ref, file: &mut PdfFile<W>) -> Tag {
        let Some(element) = self.open.last_mut() else { return Tag::Decoration };
        if let Some(Kid::Content { page: known, number }) = element.kids.last()
            && *known == page
        {
            return Tag::Content(*number);
        }
        let id = element.id;
        element.page.get_or_insert(page);
        let elements = &mut self.page(page, file).elements;
        let number = elements.len() as i32;
        elements.push(id);
        if let Some(element) = self.open.last_mut() {
            element.kids.push(Kid::Content { page, number });
        }
        Tag::Content(number)
    }
}
