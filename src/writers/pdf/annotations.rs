//! What can be clicked on a page.

use std::io::{self, Write};

use pdf_writer::types::{ActionType, AnnotationFlags, AnnotationType};
use pdf_writer::writers::Annotation;
use pdf_writer::{Finish as _, Name, Null, Rect, Ref, Str, TextStr};

use super::encode::tenth;
use super::file::{PdfFile, compact};
use super::page::Item;
use super::places::Place;
use super::shape::{Form, Rectangle, Shape};
use super::tags::LinkTag;

/// Where a link leads.
#[derive(Debug)]
pub enum Destination {
    Uri(String),
    Place(Place),
}

/// A link on a page.
#[derive(Debug)]
pub struct Link {
    pub at: Rectangle,
    pub to: Destination,
    pub tag: LinkTag,
}

impl Link {
    /// Whether an item stands for the link: whether it is where one clicks.
    pub fn holds(&self, item: &Item) -> bool {
        let (x, y) = match item {
            Item::Text(run) => (run.x, run.y),
            Item::Image { at, .. } | Item::Shape(Shape { at, form: Form::Drawing(_) }) => (at.x, at.y),
            _ => return false,
        };
        let inside = |at: f32, from: f32, length: f32| (from - 0.01..from + length - 0.01).contains(&at);
        inside(x, self.at.x, self.at.width) && inside(y, self.at.y, self.at.height)
    }

    /// Writes the annotation. `pages` are those up to this one, which are `page_height` high.
    pub fn write<W: Write>(&self, pages: &[Ref], page_height: f32, file: &mut PdfFile<W>) -> io::Result<()> {
        let id = self.tag.annotation;
        let mut chunk = compact();
        let mut annotation = chunk.indirect(id).start::<Annotation<'_>>();
        annotation.subtype(AnnotationType::Link).border(0.0, 0.0, 0.0, None).flags(AnnotationFlags::PRINT);
        let (left, right) = (tenth(self.at.x), tenth(self.at.x + self.at.width));
        let (low, high) = (tenth(page_height - self.at.bottom()), tenth(page_height - self.at.y));
        annotation.rect(Rect::new(left, low, right, high));
        annotation.pair(Name(b"StructParent"), self.tag.key);
        match &self.to {
            Destination::Uri(uri) => {
                // What lies beside the document has a path that says nothing aloud.
                let words = if uri.contains(':') { uri } else { "The file itself" };
                annotation.contents(TextStr(words));
                annotation.action().action_type(ActionType::Uri).uri(Str(uri.as_bytes()));
            }
            Destination::Place(place) => {
                annotation.contents(TextStr("The message that is meant"));
                if let Some(page) = pages.get(place.page as usize) {
                    let y = tenth(page_height - f32::from(place.y) + 4.0);
                    let mut dest = annotation.insert(Name(b"Dest")).array();
                    dest.item(*page).item(Name(b"XYZ")).item(0).item(y).item(Null);
                }
            }
        }
        annotation.finish();
        file.object(id, &chunk)
    }
}
