//! One document in the making: blocks go onto pages, full pages go to the encoders, encoded pages to the file.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use pdf_writer::types::TabOrder;
use pdf_writer::{Chunk, Finish as _, Name, Rect, Ref};

use super::annotations::{Destination, Link};
use super::encode::{Mark, PageEncoder};
use super::file::{PdfFile, compact, deflate};
use super::glyphs::DocumentFonts;
use super::icc::Profiles;
use super::image::Picture;
use super::metadata::About;
use super::outline::Outline;
use super::page::{Block, Frame, Item, Row, Setting, Target, TextRun};
use super::places::{Place, Places};
use super::shape::{Form, Rectangle, Shape};
use super::structure::{FANOUT, Parts, write_catalog, write_page_tree};
use super::style::Style;
use super::tags::{PageTags, Tag, Tags};

/// The resource name of the form that shows the number of pages.
const COUNT_FORM: &str = "N";

/// Pages and pictures that workers may be busy with: enough for eight of them, little enough for their memory.
const MOST_PENDING: usize = 12;

/// Blocks that may wait for one to stand on their page with.
const MOST_HELD: usize = 16;

/// Does work beside this thread, or at once.
pub type Spawn = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

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

#[derive(Default)]
struct Page {
    marks: Vec<(Tag, Mark)>,
    /// Drawn after all else, so that one text object holds many runs.
    texts: Vec<(Tag, Mark)>,
    links: Vec<Link>,
    pictures: Vec<(String, Ref)>,
    /// Drawn over everything, the texts too.
    stickers: Vec<(Tag, Mark)>,
}

/// What waits for a worker, in the order in which it goes to the file.
enum Pending {
    Page { tags: PageTags, parent: Ref, page: Box<Page>, content: Receiver<io::Result<Vec<u8>>> },
    Picture { id: Ref, picture: Arc<Picture> },
}

/// A document being written.
pub struct Document<W: Write> {
    file: PdfFile<W>,
    pub about: About,
    style: Style,
    fonts: DocumentFonts,
    encoder: Arc<dyn PageEncoder>,
    spawn: Spawn,
    pending: VecDeque<Pending>,
    page: Page,
    y: f32,
    /// Blocks that must be followed by another on their page.
    held: Vec<Block>,
    pages: Vec<Ref>,
    /// The page after these, once something is on it.
    next_page: Option<Ref>,
    /// So many pages are left free, at the beginning.
    front: u32,
    /// The free page that is being filled.
    turned: Option<u32>,
    parents: Vec<Ref>,
    resources: Ref,
    fonts_id: Ref,
    count_form: Ref,
    pictures: HashMap<[u8; 32], (String, Ref)>,
    profiles: Profiles,
    tags: Tags,
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
        let mut file = PdfFile::new(out)?;
        let [resources, fonts_id, count_form] = [(); 3].map(|()| file.reserve());
        let tags = Tags::new(&mut file);
        Ok(Document {
            file,
            about,
            style,
            fonts: DocumentFonts::default(),
            encoder,
            spawn,
            pending: VecDeque::new(),
            page: Page::default(),
            y: style.body_top,
            held: Vec::new(),
            pages: Vec::new(),
            next_page: None,
            front: 0,
            turned: None,
            parents: Vec::new(),
            resources,
            fonts_id,
            count_form,
            pictures: HashMap::new(),
            profiles: Profiles::default(),
            tags,
            places: Places::default(),
            outline: Outline::default(),
        })
    }

    /// The page that is being filled, from 0.
    pub fn page_number(&self) -> u32 {
        self.turned.unwrap_or(self.pages.len() as u32)
    }

    /// So many pages there are, without the one that is being filled.
    pub fn pages(&self) -> u32 {
        self.pages.len() as u32
    }

    /// Leaves the first pages free, for what is known at the end only. To be called before anything is placed.
    pub fn leave_free(&mut self, pages: u32) {
        self.front = pages;
        for _ in 0..pages {
            self.new_page();
        }
    }

    /// What is placed next begins on a new page.
    pub fn turn_page(&mut self, furnish: &mut dyn FnMut(PageEnd) -> Furniture) -> io::Result<()> {
        if self.y > self.style.body_top { self.end_page(furnish, false) } else { Ok(()) }
    }

    /// Completes the page that is being filled. If pages were left free, what is placed next goes there.
    pub fn turn_to_front(&mut self, furnish: &mut dyn FnMut(PageEnd) -> Furniture) -> io::Result<()> {
        if self.y > self.style.body_top || self.pages.is_empty() {
            self.end_page(furnish, false)?;
        }
        self.turned = Some(0);
        self.tags.turn_to_front(&mut self.file)
    }

    /// The object of the page that is being filled.
    fn page(&mut self) -> Ref {
        let turned = self.turned.and_then(|number| self.pages.get(number as usize));
        turned.copied().unwrap_or_else(|| *self.next_page.get_or_insert_with(|| self.file.reserve()))
    }

    fn new_page(&mut self) {
        let id = self.next_page.take().unwrap_or_else(|| self.file.reserve());
        if self.pages.len().is_multiple_of(FANOUT) {
            let parent = self.file.reserve();
            self.parents.push(parent);
        }
        self.pages.push(id);
    }

    /// Puts a block on this page or the next ones, and says where it begins: `None` as long as it waits for the next
    /// block. `furnish` completes a page that is full.
    pub fn place(
        &mut self,
        mut block: Block,
        furnish: &mut dyn FnMut(PageEnd) -> Furniture,
    ) -> io::Result<Option<Place>> {
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
        let whole = block.height();
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

    fn put(&mut self, block: Block, furnish: &mut dyn FnMut(PageEnd) -> Furniture) -> io::Result<Place> {
        if self.y > self.style.body_top {
            self.y += block.before;
        }
        if let Some(role) = block.begins {
            self.tags.begin(role);
        }
        let padding = block.padding();
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
        }
    }

    fn row(&mut self, mut row: Row) -> io::Result<()> {
        row.items.iter_mut().for_each(|item| item.shift(0.0, self.y));
        let page = self.page();
        let links: Vec<Link> = row.items.iter().filter_map(|item| self.link(item, page)).collect();
        for item in row.items {
            let link = links.iter().find(|link| link.holds(&item)).map(|link| link.tag);
            let tag = match &item {
                Item::Text(_) => self.tags.text(page, link, &mut self.file)?,
                Item::Image { alt, .. } => self.tags.figure(page, alt, link, &mut self.file)?,
                Item::Shape(Shape { form: Form::Drawing(picture), .. }) => {
                    self.tags.figure(page, &picture.title, link, &mut self.file)?
                }
                _ => Tag::Decoration,
            };
            self.item(tag, item)?;
        }
        self.tags.end_row(page, links.iter().map(|link| link.tag), &mut self.file)?;
        self.page.links.extend(links);
        self.y += row.height;
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
        Some(Link { at: *at, to, tag: self.tags.link(page, &mut self.file) })
    }

    fn item(&mut self, tag: Tag, item: Item) -> io::Result<()> {
        let (layer, mark) = match item {
            Item::Text(mut run) => {
                let font = self.fonts.take_in(&mut run)?;
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
            Item::Link { .. } => return Ok(()),
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
        let id = self.file.reserve();
        let known = (format!("I{}", self.pictures.len()), id);
        self.pictures.insert(picture.hash, known.clone());
        self.queue(Pending::Picture { id, picture })?;
        Ok(known)
    }

    fn end_page(&mut self, furnish: &mut dyn FnMut(PageEnd) -> Furniture, divides: bool) -> io::Result<()> {
        let furniture = furnish(PageEnd { number: self.page_number(), divides });
        for item in furniture.items {
            self.item(Tag::Pagination, item)?;
        }
        let (x, y) = furniture.count_at;
        let id = self.page();
        let tags = self.tags.end_page(id, &mut self.file);
        let mut page = Box::new(std::mem::take(&mut self.page));
        self.y = self.style.body_top;

        let number = match &mut self.turned {
            Some(next) => {
                *next += 1;
                *next as usize - 1
            }
            None => {
                self.new_page();
                self.pages.len() - 1
            }
        };
        let Some(&parent) = self.parents.get(number / FANOUT).filter(|_| self.pages.get(number) == Some(&id))
        else {
            return Err(io::Error::other("the front matter is longer than its pages"));
        };
        let mut marks = std::mem::take(&mut page.marks);
        marks.append(&mut page.texts);
        marks.append(&mut page.stickers);
        marks.push((Tag::Pagination, Mark::Form { name: COUNT_FORM.into(), x, y }));
        let (done, content) = channel();
        let encoder = self.encoder.clone();
        (self.spawn)(Box::new(move || {
            let _ = done.send(deflate(&encoder.encode(&marks)));
        }));
        self.queue(Pending::Page { tags, parent, page, content })
    }

    fn queue(&mut self, pending: Pending) -> io::Result<()> {
        self.pending.push_back(pending);
        self.write_pending(MOST_PENDING)
    }

    /// Writes the oldest, waiting for them, until `most` are left. Never more than that, even where they are ready:
    /// when an object gets its number must not depend on how fast the workers are.
    fn write_pending(&mut self, most: usize) -> io::Result<()> {
        while self.pending.len() > most
            && let Some(oldest) = self.pending.pop_front()
        {
            match oldest {
                Pending::Page { tags, parent, page, content } => {
                    let lost = |_| io::Error::other("a page could not be encoded");
                    self.write_page(&tags, parent, &page, &content.recv().map_err(lost)??)?;
                }
                Pending::Picture { id, picture } => picture.write(id, &mut self.profiles, &mut self.file)?,
            }
        }
        Ok(())
    }

    fn write_page(&mut self, tags: &PageTags, parent: Ref, page: &Page, content: &[u8]) -> io::Result<()> {
        let id = tags.page;
        tags.write(&mut self.file)?;
        for link in &page.links {
            link.write(&self.pages, self.style.page_height, &mut self.file)?;
        }
        let content_id = self.file.reserve();
        self.file.stream(content_id, "/Filter /FlateDecode", content)?;
        let mut chunk = compact();
        let mut dict = chunk.page(id);
        dict.parent(parent)
            .media_box(Rect::new(0.0, 0.0, self.style.page_width, self.style.page_height))
            .contents(content_id);
        if page.pictures.is_empty() {
            dict.pair(Name(b"Resources"), self.resources);
        } else {
            let mut resources = dict.resources();
            resources.pair(Name(b"Font"), self.fonts_id);
            let mut objects = resources.x_objects();
            objects.pair(Name(COUNT_FORM.as_bytes()), self.count_form);
            for (name, id) in &page.pictures {
                objects.pair(Name(name.as_bytes()), *id);
            }
            objects.finish();
            resources.finish();
        }
        dict.struct_parents(tags.key);
        if !page.links.is_empty() {
            let annotations = page.links.iter().map(|link| link.tag.annotation);
            // In the order of reading.
            dict.annotations(annotations).tab_order(TabOrder::StructureOrder);
        }
        dict.finish();
        self.file.object(id, &chunk)
    }

    /// Completes the document. `count` is the number of pages as text, on a baseline at the
    /// page's very bottom left.
    pub fn finish(
        mut self,
        furnish: &mut dyn FnMut(PageEnd) -> Furniture,
        count: Vec<TextRun>,
    ) -> io::Result<W> {
        if self.y > self.style.body_top || self.pages.is_empty() {
            self.end_page(furnish, false)?;
        }
        if self.turned.unwrap_or(0) != self.front {
            return Err(io::Error::other("the front matter is shorter than its pages"));
        }
        self.write_pending(0)?;

        let mut marks = Vec::new();
        for mut run in count {
            let font = self.fonts.take_in(&mut run)?;
            marks.push((Tag::Pagination, Mark::Text { font, run }));
        }
        let content = self.encoder.encode(&marks);
        let dict = format!(
            "/Type /XObject /Subtype /Form /BBox [-2 -10 80 20] /Resources <</Font {} 0 R>>",
            self.fonts_id.get()
        );
        self.file.compressed(self.count_form, &dict, &content)?;

        self.about.archival = self.fonts.may_be_embedded();
        let fonts = self.fonts.write(&mut self.file)?;
        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(self.fonts_id).dict();
        for (name, id) in &fonts {
            dict.pair(Name(name.as_bytes()), *id);
        }
        dict.finish();
        self.file.object(self.fonts_id, &chunk)?;

        let mut chunk = Chunk::new();
        let mut dict = chunk.indirect(self.resources).dict();
        dict.pair(Name(b"Font"), self.fonts_id);
        dict.insert(Name(b"XObject")).dict().pair(Name(COUNT_FORM.as_bytes()), self.count_form);
        dict.finish();
        self.file.object(self.resources, &chunk)?;

        let outline = self.outline.write(&mut self.file, &self.pages, self.style.page_height)?;
        let pages = write_page_tree(&mut self.file, &self.parents, &self.pages)?;
        let colors = Profiles::standard(&mut self.file)?;
        let structure = self.tags.finish(&mut self.file)?;
        write_catalog(self.file, &self.about, Parts { pages, outline, structure, colors })
    }
}
