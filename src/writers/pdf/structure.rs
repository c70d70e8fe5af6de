//! What stands over all pages: the page tree and the catalog.

use std::io::{self, Write};

use pdf_writer::types::{NumberingStyle, OutputIntentSubtype, PageMode};
use pdf_writer::writers::PageLabel;
use pdf_writer::{Chunk, Finish as _, Name, Ref, TextStr};

use super::file::PdfFile;
use super::labels::Range;
use super::metadata::About;

/// Children of a node of the page tree.
pub const FANOUT: usize = 64;

/// Writes the tree over all pages, whose parents are known already; returns its root.
pub fn write_page_tree<W: Write>(file: &mut PdfFile<W>, parents: &[Ref], pages: &[Ref]) -> io::Result<Ref> {
    let mut nodes: Vec<(Ref, Vec<Ref>, usize)> = parents
        .iter()
        .zip(pages.chunks(FANOUT))
        .map(|(node, pages)| (*node, pages.to_vec(), pages.len()))
        .collect();
    loop {
        let single = nodes.len() == 1;
        let groups: Vec<(Ref, Vec<Ref>, usize)> = if single {
            Vec::new()
        } else {
            nodes
                .chunks(FANOUT)
                .map(|group| {
                    let count = group.iter().map(|node| node.2).sum();
                    (file.reserve(), group.iter().map(|node| node.0).collect(), count)
                })
                .collect()
        };
        for (number, (node, kids, count)) in nodes.iter().enumerate() {
            let mut chunk = Chunk::new();
            let mut pages = chunk.pages(*node);
            pages.kids(kids.iter().copied()).count(i32::try_from(*count).unwrap_or(i32::MAX));
            if let Some((parent, ..)) = groups.get(number / FANOUT) {
                pages.parent(*parent);
            }
            pages.finish();
            file.object(*node, &chunk)?;
        }
        match nodes.first() {
            Some((root, ..)) if single => return Ok(*root),
            None => return Err(io::Error::other("a document without pages")),
            _ => nodes = groups,
        }
    }
}

/// What the catalog leads to.
pub struct Parts {
    pub pages: Ref,
    /// What pages are called.
    pub labels: Vec<Range>,
    pub outline: Option<Ref>,
    /// The order of reading.
    pub structure: Ref,
    /// The profile of the pages' colors.
    pub colors: Ref,
}

/// Writes the catalog with the metadata, and completes the file.
pub fn write_catalog<W: Write>(mut file: PdfFile<W>, about: &About, parts: Parts) -> io::Result<W> {
    let [catalog, info, metadata] = [(); 3].map(|()| file.reserve());
    // Not compressed, so that a program which knows nothing of PDF finds it.
    file.stream(metadata, "/Type /Metadata /Subtype /XML", about.xmp().as_bytes())?;

    let mut chunk = Chunk::new();
    chunk
        .indirect(info)
        .start::<pdf_writer::writers::DocumentInfo<'_>>()
        .title(TextStr(&about.title()))
        .creator(TextStr(&about.tool))
        .producer(TextStr(&about.tool));
    file.object(info, &chunk)?;

    // Pages are called by the numbers that are printed on them.
    let mut labels = Vec::new();
    for Range { first, prefix, number } in &parts.labels {
        let id = file.reserve();
        let mut chunk = Chunk::new();
        let mut label = chunk.indirect(id).start::<PageLabel<'_>>();
        if !prefix.is_empty() {
            label.prefix(TextStr(prefix));
        }
        if *number > 0 {
            label.style(NumberingStyle::Arabic).offset(*number);
        }
        label.finish();
        file.object(id, &chunk)?;
        labels.push((i32::try_from(*first).unwrap_or(i32::MAX), id));
    }

    let mut chunk = Chunk::new();
    let mut dict = chunk.indirect(catalog).start::<pdf_writer::writers::Catalog<'_>>();
    dict.pages(parts.pages).metadata(metadata).lang(TextStr("en"));
    dict.viewer_preferences().display_doc_title(true);
    if let Some(outline) = parts.outline {
        dict.outlines(outline).page_mode(PageMode::UseOutlines);
    }
    let mut tree = dict.page_labels();
    let mut numbers = tree.nums();
    for (first, label) in labels {
        numbers.insert(first, label);
    }
    numbers.finish();
    tree.finish();
    dict.mark_info().marked(true);
    dict.pair(Name(b"StructTreeRoot"), parts.structure);
    let mut intents = dict.output_intents();
    let mut intent = intents.push();
    intent.subtype(OutputIntentSubtype::PDFA).dest_output_profile(parts.colors);
    intent.output_condition_identifier(TextStr("sRGB IEC61966-2.1")).info(TextStr("sRGB IEC61966-2.1"));
    intent.finish();
    intents.finish();
    dict.finish();
    file.object(catalog, &chunk)?;
    file.finish(catalog, info)
}
