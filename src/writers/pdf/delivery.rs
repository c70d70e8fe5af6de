//! What is complete, on its way to the file: pages that workers encode, and pictures, in the order in which they came.
//!
//! **Must never**: hold more than a few, or let the workers' speed decide which object gets which number.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use pdf_writer::types::TabOrder;
use pdf_writer::{Finish as _, Name, Rect, Ref};
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

use super::annotations::Link;
use super::encode::{Mark, PageEncoder};
use super::file::{PdfFile, compact, deflate};
use super::icc::Profiles;
use super::image::Picture;
use super::style::Style;
use super::tags::{PageTags, Tag};

/// The resource name of the form that shows the number of pages.
pub const COUNT_FORM: &str = "N";

/// Pages and pictures that workers may be busy with: enough for eight of them, little enough for their memory.
const MOST_PENDING: usize = 12;

/// Does work beside this thread, or at once.
pub type Spawn = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

/// So many workers, as threads of their own: who waits for them may itself be on any thread. One is whoever asks.
///
/// # Errors
/// There are no threads to be had.
pub fn workers(count: usize) -> Result<Spawn, ThreadPoolBuildError> {
    if count <= 1 {
        return Ok(Arc::new(|work| work()));
    }
    let pool = ThreadPoolBuilder::new().num_threads(count).build()?;
    Ok(Arc::new(move |work| pool.spawn(work)))
}

/// What is on a page.
#[derive(Default)]
pub struct Page {
    pub marks: Vec<(Tag, Mark)>,
    /// Drawn after all else, so that one text object holds many runs.
    pub texts: Vec<(Tag, Mark)>,
    pub links: Vec<Link>,
    pub pictures: Vec<(String, Ref)>,
    /// Drawn over everything, the texts too.
    pub stickers: Vec<(Tag, Mark)>,
}

impl Page {
    /// All that is drawn, in the order of drawing.
    fn take_marks(&mut self) -> Vec<(Tag, Mark)> {
        let mut marks = std::mem::take(&mut self.marks);
        marks.append(&mut self.texts);
        marks.append(&mut self.stickers);
        marks
    }
}

/// What waits for a worker, in the order in which it goes to the file.
enum Pending {
    Page { tags: PageTags, parent: Ref, page: Box<Page>, content: Receiver<io::Result<Vec<u8>>> },
    Picture { id: Ref, picture: Arc<Picture> },
}

/// Objects that all pages name, and that are written last.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    pub all: Ref,
    pub fonts: Ref,
    pub count_form: Ref,
    pub properties: Ref,
}

/// The way to the file.
pub struct Delivery<W: Write> {
    pub file: PdfFile<W>,
    pub encoder: Arc<dyn PageEncoder>,
    pub resources: Resources,
    style: Style,
    spawn: Spawn,
    pending: VecDeque<Pending>,
    profiles: Profiles,
}

impl<W: Write> Delivery<W> {
    pub fn new(out: W, style: Style, encoder: Arc<dyn PageEncoder>, spawn: Spawn) -> io::Result<Delivery<W>> {
        let mut file = PdfFile::new(out)?;
        let [all, fonts, count_form, properties] = [(); 4].map(|()| file.reserve());
        Ok(Delivery {
            file,
            encoder,
            resources: Resources { all, fonts, count_form, properties },
            style,
            spawn,
            pending: VecDeque::new(),
            profiles: Profiles::default(),
        })
    }

    /// A page is complete, below this node of the page tree. `count_at` is where the number of pages goes; `pages` are all pages up to it.
    pub fn page(
        &mut self,
        parent: Ref,
        tags: PageTags,
        mut page: Page,
        count_at: (f32, f32),
        pages: &[Ref],
    ) -> io::Result<()> {
        let mut marks = page.take_marks();
        let (x, y) = count_at;
        marks.push((Tag::Pagination, Mark::Form { name: COUNT_FORM.into(), x, y }));
        let (done, content) = channel();
        let encoder = self.encoder.clone();
        (self.spawn)(Box::new(move || {
            let _ = done.send(deflate(&encoder.encode(&marks)));
        }));
        let page = Box::new(page);
        self.pending.push_back(Pending::Page { tags, parent, page, content });
        self.write(MOST_PENDING, pages)
    }

    /// A picture is on a page that is not complete yet.
    pub fn picture(&mut self, id: Ref, picture: Arc<Picture>, pages: &[Ref]) -> io::Result<()> {
        self.pending.push_back(Pending::Picture { id, picture });
        self.write(MOST_PENDING, pages)
    }

    /// Writes all that is left.
    pub fn flush(&mut self, pages: &[Ref]) -> io::Result<()> {
        self.write(0, pages)
    }

    /// Writes the oldest, waiting for them, until `most` are left. Never more than that, even where they are ready:
    /// when an object gets its number must not depend on how fast the workers are.
    fn write(&mut self, most: usize, pages: &[Ref]) -> io::Result<()> {
        while self.pending.len() > most
            && let Some(oldest) = self.pending.pop_front()
        {
            match oldest {
                Pending::Page { tags, parent, page, content } => {
                    let lost = |_| io::Error::other("a page could not be encoded");
                    self.write_page(&tags, parent, &page, &content.recv().map_err(lost)??, pages)?;
                }
                Pending::Picture { id, picture } => picture.write(id, &mut self.profiles, &mut self.file)?,
            }
        }
        Ok(())
    }

    fn write_page(
        &mut self,
        tags: &PageTags,
        parent: Ref,
        page: &Page,
        content: &[u8],
        pages: &[Ref],
    ) -> io::Result<()> {
        let id = tags.page;
        tags.write(&mut self.file)?;
        for link in &page.links {
            link.write(pages, self.style.page_height, &mut self.file)?;
        }
        let content_id = self.file.reserve();
        self.file.stream(content_id, "/Filter /FlateDecode", content)?;
        let mut chunk = compact();
        let mut dict = chunk.page(id);
        dict.parent(parent)
            .media_box(Rect::new(0.0, 0.0, self.style.page_width, self.style.page_height))
            .contents(content_id);
        if page.pictures.is_empty() {
            dict.pair(Name(b"Resources"), self.resources.all);
        } else {
            let mut resources = dict.resources();
            resources.pair(Name(b"Font"), self.resources.fonts);
            resources.pair(Name(b"Properties"), self.resources.properties);
            let mut objects = resources.x_objects();
            objects.pair(Name(COUNT_FORM.as_bytes()), self.resources.count_form);
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
}
