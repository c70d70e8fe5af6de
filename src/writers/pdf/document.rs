//! One document in the making: blocks go onto pages, full pages go to the encoders, encoded pages to the file.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use pdf_writer::{Chunk, Finish as _, Name, Ref};

use super::annotations::{Destination, Link};
use super::delivery::{COUNT_FORM, Delivery, Page, Resources, Spawn};
use super::encode::{Mark, PageEncoder};
use super::glyphs::DocumentFonts;
use super::icc::Profiles;
use super::image::Picture;
use super::labels::page_labels;
use super::metadata::About;
use super::options::Bates;
use super::outline::Outline;
use super::page::{Block, Frame, Item, Row, Setting, Target, TextRun};
use super::pages::{Free, Pages};
use super::places::{Place, Places};
use super::properties::write_properties;
use super::shape::{Form, Rectangle, Shape};
use super::structure::{Parts, write_catalog, write_page_tree};
use super::style::Style;
use super::tags::{Depth, Reading, Tag, Tags};

/// Blocks that may wait for one to stand on their page with.
const MOST_HELD: usize = 16;

/// So many runs back is what was said last: initials, which are only looked at, may stand between.
const NEAR: usize = 3;

/// Completes a page: says what is on it beside its blocks.
pub type Furnish<'f> = &'f mut dyn FnMut(PageEnd) -> Furniture;

/// What is drawn on every page beside its blocks; asked when a page is complete.
#[derive(Default)]
pub struct Furniture {
    pub items: Vec<Item>,
    /// Where the number of pages goes: `x`, and `y` of the baseline from the top.
    pub count_at: (f32, f32),
}

/// A page that is complete.
#[derive(Debug, Clone, Copy)]
pub struct PageEnd {
    /// From 0.
    pub number: u32,
    /// The block that is being placed is partly on it.
    pub divides: bool,
}

/// A document that is complete.
pub struct Complete<W> {
    pub out: W,
    pub pages: u32,
    /// It has more objects than PDF/A allows, and does not say that it is PDF/A.
    pub is_too_large: bool,
}

/// A document being written.
pub struct Document<W: Write> {
    delivery: Delivery<W>,
    pub about: About,
    style: Style,
    fonts: DocumentFonts,
    page: Page,
    y: f32,
    /// Blocks that must be followed by another on their page.
    held: Vec<Block>,
    pages: Pages,
    pictures: HashMap<[u8; 32], (String, Ref)>,
    tags: Tags,
    /// What was said last ended in white space.
    spaced: bool,
    pub places: Places,
    pub outline: Outline,
}

impl<W: Write> Document<W> {
    pub fn new(
        out: W,
        about: About,
        style: Style,
        encoder: Arc<dyn PageEncoder>,
        spawn: Spawn,
    ) -> io::Result<Document<W>> {
        let mut delivery = Delivery::new(out, style, encoder, spawn)?;
        let tags = Tags::new(&mut delivery.file);
        let outline = Outline::new(&mut delivery.file);
        Ok(Document {
            delivery,
            about,
            style,
            fonts: DocumentFonts::default(),
            page: Page::default(),
            y: style.body_top,
            held: Vec::new(),
            pages: Pages::default(),
            pictures: HashMap::new(),
            tags,
            spaced: false,
            places: Places::default(),
            outline,
        })
    }

    /// The page that is being filled, from 0.
    pub fn page_number(&self) -> u32 {
        self.pages.number()
    }

    /// So many pages there are, without the one that is being filled.
    pub fn pages(&self) -> u32 {
        self.pages.count()
    }

    /// What is placed next begins something that is read by itself: a conversation, the index, the cover of all. With
    /// headings of this depth.
    pub fn begin_section(&mut self, depth: Depth, reading: Reading) -> io::Result<()> {
        self.tags.begin_section(depth, reading, &mut self.delivery.file)
    }

    /// Leaves pages free, for what is known later. To be called where a page begins.
    pub fn leave_free(&mut self, pages: u32) -> Free {
        self.pages.leave_free(pages, &mut self.delivery.file)
    }

    /// What is placed next begins on a new page.
    pub fn turn_page(&mut self, furnish: Furnish<'_>) -> io::Result<()> {
        if self.y > self.style.body_top { self.end_page(furnish, false) } else { Ok(()) }
    }

    /// What is placed next goes to pages that were left free in the section that is open, and is read before all that is
    /// in it. To be called where a page begins.
    pub fn turn_to(&mut self, free: Free) -> io::Result<()> {
        self.pages.turn_to(free);
        self.tags.turn_to_front(&mut self.delivery.file)
    }

    /// Completes the free page that is being filled, which must be the last one; what is placed next goes to the end again.
    pub fn turn_back(&mut self, furnish: Furnish<'_>) -> io::Result<()> {
        self.turn_page(furnish)?;
        self.pages.turn_back()
    }

    /// The object of the page that is being filled.
    fn page(&mut self) -> Ref {
        self.pages.current(&mut self.delivery.file)
    }

    /// Puts a block on this page or the next ones, and says where it begins: `None` as long as it waits for the next
    /// block. `furnish` completes a page that is full.
    pub fn place(&mut self, mut block: Block, furnish: Furnish<'_>) -> io::Result<Option<Place>> {
        let tallest = self.style.tallest_row();
        if block.rows.iter().any(|row| row.height > tallest) {
            block.rows = block.rows.into_iter().flat_map(|row| row.divided(tallest)).collect();
        }
        if block.keep_with_next && self.held.len() < MOST_HELD {
            self.held.push(block);
            return Ok(None);
        }
        let held: f32 = self.held.iter().map(|held| held.before + held.height()).sum();
        let room = self.style.body_bottom - self.y - held - block.before;
        let whole = block.height() + block.room_below;
        let empty = self.y == self.style.body_top;
        let divide = block.may_be_divided(&self.style);
        // No page gets less than two lines of what is divided.
        let start: f32 = block.rows.iter().take(2).map(|row| row.height).sum::<f32>() + 2.0 * block.padding();
        if whole > room && !empty && (!divide || start > room) {
            self.end_page(furnish, false)?;
        }
        let mut first = None;
        for held in std::mem::take(&mut self.held) {
            let place = self.put(held, furnish)?;
            first.get_or_insert(place);
        }
        let place = self.put(block, furnish)?;
        Ok(Some(*first.get_or_insert(place)))
    }

    fn put(&mut self, block: Block, furnish: Furnish<'_>) -> io::Result<Place> {
        if self.y > self.style.body_top {
            self.y += block.before;
        }
        if let Some(role) = block.begins {
            self.tags.begin(role);
        }
        let (padding, continued) = (block.padding(), block.continued);
        let mut begin = None;
        let mut divides = false;
        let mut rows = block.rows.into_iter().peekable();
        loop {
            let top = self.y;
            let place = Place { page: self.page_number(), y: top.max(0.0) as u16 };
            begin.get_or_insert(place);
            let mut here = Vec::new();
            let mut height = 2.0 * padding;
            while let Some(row) = rows.next_if(|row| {
                // A page that is empty takes any row.
                top + height + row.height <= self.style.body_bottom
                    || (here.is_empty() && top == self.style.body_top)
            }) {
                height += row.height;
                here.push(row);
                // No single last line on the next page.
                if rows.len() == 2 && here.len() > 2 {
                    let rest: f32 = rows.clone().map(|row| row.height).sum();
                    if top + height + rest > self.style.body_bottom {
                        break;
                    }
                }
            }
            divides |= !here.is_empty();
            if !here.is_empty() {
                if let Some(frame) = block.frame {
                    let Frame { x, width, radius, fill, stroke, .. } = frame;
                    let at = Rectangle { x, y: top, width, height };
                    let panel = Shape { at, form: Form::Panel { radius, fill, stroke } };
                    self.page.marks.push((Tag::Decoration, Mark::Shape(panel)));
                }
                self.y += padding;
                for row in here {
                    self.row(row)?;
                }
                self.y += padding;
            }
            if rows.peek().is_none() {
                return Ok(begin.unwrap_or(place));
            }
            self.end_page(furnish, divides)?;
            if let Some(continued) = continued.as_ref().filter(|_| divides) {
                self.repeat(continued.clone())?;
            }
        }
    }

    /// Puts a row at the top of a page that says what is known from the page before.
    fn repeat(&mut self, mut row: Row) -> io::Result<()> {
        row.items.iter_mut().for_each(|item| item.shift(0.0, self.y));
        for item in row.items {
            self.item(Tag::Pagination, item)?;
        }
        self.y += row.height;
        Ok(())
    }

    fn row(&mut self, mut row: Row) -> io::Result<()> {
        row.items.iter_mut().for_each(|item| item.shift(0.0, self.y));
        let page = self.page();
        let links: Vec<Link> = row.items.iter().filter_map(|item| self.link(item, page)).collect();
        let mut shapes = Tag::Decoration;
        for item in row.items {
            let link = links.iter().find(|link| link.holds(&item)).map(|link| link.tag);
            let mut item = item;
            let tag = match &mut item {
                Item::Text(run) => {
                    let goes_on = self.tags.goes_on();
                    let tag = self.tags.text(page, link, &mut self.delivery.file)?;
                    if goes_on {
                        self.part_words(tag, run)?;
                    }
                    self.spaced = run.ends_in_space();
                    tag
                }
                Item::Part(part) => {
                    self.tags.part(*part, &mut self.delivery.file)?;
                    continue;
                }
                Item::Figure(alt) => {
                    shapes = self.tags.figure(page, alt, None, &mut self.delivery.file)?;
                    continue;
                }
                Item::Image { alt, .. } => self.tags.figure(page, alt, link, &mut self.delivery.file)?,
                Item::Shape(Shape { form: Form::Drawing(picture), .. }) => {
                    self.tags.figure(page, &picture.title, link, &mut self.delivery.file)?
                }
                Item::Shape(_) => shapes,
                Item::Ornament(_) | Item::Link { .. } => Tag::Decoration,
            };
            self.item(tag, item)?;
        }
        self.tags.end_row(page, links.iter().map(|link| link.tag), &mut self.delivery.file)?;
        self.page.links.extend(links);
        self.y += row.height;
        Ok(())
    }

    /// Puts a space before text that does not follow what was said before it in the same breath: who has the document
    /// read aloud, or copies from it, would else hear them as one word. Where it can, at the end of what was said: the
    /// text then begins where it is seen to begin, in even steps, which make pages that compress well.
    fn part_words(&mut self, tag: Tag, run: &mut TextRun) -> io::Result<()> {
        let mut said =
            self.page.texts.iter_mut().rev().take(NEAR).filter_map(|(tag, mark)| match (tag, mark) {
                (Tag::Content(_), Mark::Text { font, run }) => Some((*font, run)),
                _ => None,
            });
        let before = said.next();
        if self.spaced || before.as_ref().is_some_and(|(_, before)| run.follows(before)) {
            return Ok(());
        }
        let mut borrowed = None;
        if let Some((font, before)) = before {
            if self.fonts.end_with_space(font, before) {
                return Ok(());
            }
            borrowed = Some(before.face.clone());
        }
        if !run.begin_with_space()
            && let Some(face) = borrowed
            && let Some(space) = run.space_before(face)
        {
            self.item(tag, Item::Text(space))?;
        }
        Ok(())
    }

    /// The link that an item is. What leads to a message that is not here is none.
    fn link(&mut self, item: &Item, page: Ref) -> Option<Link> {
        let Item::Link { at, target } = item else { return None };
        let to = match target {
            Target::Uri(uri) => Destination::Uri(uri.clone()),
            Target::Place(place) => Destination::Place(*place),
            Target::Message { guid } => Destination::Place(self.places.get(guid)?),
        };
        Some(Link { at: *at, to, tag: self.tags.link(page, &mut self.delivery.file) })
    }

    fn item(&mut self, tag: Tag, item: Item) -> io::Result<()> {
        let (layer, mark) = match item {
            Item::Text(mut run) | Item::Ornament(mut run) => {
                let font = self.fonts.take_in(&mut run);
                (&mut self.page.texts, Mark::Text { font, run })
            }
            Item::Shape(shape) => (&mut self.page.marks, Mark::Shape(shape)),
            Item::Image { picture, at, setting, .. } => {
                let orientation = picture.orientation;
                let name = self.page_picture(picture)?;
                let layer = match setting {
                    Setting::Stuck { .. } => &mut self.page.stickers,
                    _ => &mut self.page.marks,
                };
                (layer, Mark::Image { name, orientation, at, setting })
            }
            Item::Link { .. } | Item::Part(_) | Item::Figure(_) => return Ok(()),
        };
        layer.push((tag, mark));
        Ok(())
    }

    /// The name of a picture on this page.
    fn page_picture(&mut self, picture: Arc<Picture>) -> io::Result<String> {
        let (name, id) = self.picture(picture)?;
        if !self.page.pictures.iter().any(|(known, _)| *known == name) {
            self.page.pictures.push((name.clone(), id));
        }
        Ok(name)
    }

    fn picture(&mut self, picture: Arc<Picture>) -> io::Result<(String, Ref)> {
        if let Some(known) = self.pictures.get(&picture.hash) {
            return Ok(known.clone());
        }
        let id = self.delivery.file.reserve();
        let known = (format!("I{}", self.pictures.len()), id);
        self.pictures.insert(picture.hash, known.clone());
        self.delivery.picture(id, picture, &self.pages.ids)?;
        Ok(known)
    }

    fn end_page(&mut self, furnish: Furnish<'_>, divides: bool) -> io::Result<()> {
        let furniture = furnish(PageEnd { number: self.page_number(), divides });
        for item in furniture.items {
            self.item(Tag::Pagination, item)?;
        }
        let id = self.page();
        let tags = self.tags.end_page(id, &mut self.delivery.file);
        let page = std::mem::take(&mut self.page);
        self.y = self.style.body_top;
        let parent = self.pages.complete(&mut self.delivery.file)?;
        self.delivery.page(parent, tags, page, furniture.count_at, &self.pages.ids)
    }

    /// In the outline, something to turn to.
    pub fn mark(&mut self, title: &str, place: Place) {
        self.outline.mark(title, place, &mut self.delivery.file);
    }

    /// In the outline, what comes next is in a conversation that is one of many.
    pub fn begin_chapter(&mut self, title: &str, place: Place) {
        self.outline.begin_chapter(title, place, &mut self.delivery.file);
    }

    /// The conversation that is open in the outline is complete: what it holds is written.
    pub fn end_chapter(&mut self) -> io::Result<()> {
        self.outline.end_chapter(&mut self.delivery.file, &self.pages.ids, self.style.page_height)
    }

    /// Completes the document, whose pages are all complete. `count` is the number of pages as text, on a baseline at the
    /// page's very bottom left; `bates` is stamped on the first page.
    pub fn finish(mut self, count: Vec<TextRun>, bates: Option<&Bates>) -> io::Result<Complete<W>> {
        self.delivery.flush(&self.pages.ids)?;

        let mut marks = Vec::new();
        for mut run in count {
            let font = self.fonts.take_in(&mut run);
            marks.push((Tag::Pagination, Mark::Text { font, run }));
        }
        let Delivery {
            mut file, encoder, resources: Resources { all, fonts, count_form, properties }, ..
        } = self.delivery;
        let content = encoder.encode(&marks);
        let dict = format!(
            "/Type /XObject /Subtype /Form /BBox [-2 -10 80 20] /Resources <</Font {} 0 R /Properties {} 0 R>>",
            fonts.get(),
            properties.get()
        );
        file.compressed(count_form, &dict, &content)?;

        self.about.archival = self.fonts.may_be_embedded();
        let faces = self.fonts.write(&mut file)?;
        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(fonts).dict();
        for (name, id) in &faces {
            dict.pair(Name(name.as_bytes()), *id);
        }
        dict.finish();
        file.object(fonts, &chunk)?;

        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(all).dict();
        dict.pair(Name(b"Font"), fonts).pair(Name(b"Properties"), properties);
        dict.insert(Name(b"XObject")).dict().pair(Name(COUNT_FORM.as_bytes()), count_form);
        dict.finish();
        file.object(all, &chunk)?;

        write_properties(properties, &mut file)?;
        let Pages { ids, parents, .. } = &self.pages;
        let outline = self.outline.write(&mut file, ids, self.style.page_height)?;
        let pages = write_page_tree(&mut file, parents, ids)?;
        let colors = Profiles::standard(&mut file)?;
        let structure = self.tags.finish(&mut file)?;
        let labels = page_labels(bates, self.pages.count());
        let is_too_large = file.is_too_large();
        self.about.archival &= !is_too_large;
        let out = write_catalog(file, &self.about, Parts { pages, labels, outline, structure, colors })?;
        Ok(Complete { out, pages: self.pages.count(), is_too_large })
    }
}
