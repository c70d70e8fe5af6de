//! What stands over all pages: the page tree, the catalog, the metadata.

use std::io::{self, Write};

use pdf_writer::{Chunk, Finish as _, Ref, TextStr};

use super::file::PdfFile;

/// Children of a node of the page tree.
pub const FANOUT: usize = 64;

/// What a document says of itself.
#[derive(Debug, Clone)]
pub struct About {
    pub title: String,
    pub tool: String,
}

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

/// Writes the catalog with the metadata, and completes the file.
pub fn write_catalog<W: Write>(
    mut file: PdfFile<W>,
    about: &About,
    pages: Ref,
    outline: Option<Ref>,
) -> io::Result<W> {
    let [catalog, info, metadata] = [(); 3].map(|()| file.reserve());
    let xmp = xmp(about);
    file.stream(metadata, "/Type /Metadata /Subtype /XML", xmp.as_bytes())?;

    let mut chunk = Chunk::new();
    chunk
        .indirect(info)
        .start::<pdf_writer::writers::DocumentInfo<'_>>()
        .title(TextStr(&about.title))
        .creator(TextStr(&about.tool))
        .producer(TextStr(&about.tool));
    file.object(info, &chunk)?;

    let mut chunk = Chunk::new();
    let mut dict = chunk.indirect(catalog).start::<pdf_writer::writers::Catalog<'_>>();
    dict.pages(pages).metadata(metadata).lang(TextStr("en"));
    dict.viewer_preferences().display_doc_title(true);
    if let Some(outline) = outline {
        dict.outlines(outline).page_mode(pdf_writer::types::PageMode::UseOutlines);
    }
    dict.finish();
    file.object(catalog, &chunk)?;
    file.finish(catalog, info)
}
/// Metadata as XML (ISO 16684-1). Without dates: a run writes the same bytes whenever it happens.
fn xmp(about: &About) -> String {
    let escape = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '&' => "&amp;".into(),
                '<' => "&lt;".into(),
                '>' => "&gt;".into(),
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => "\u{fffd}".into(),
                c => c.to_string(),
            })
            .collect()
    };
    let (title, tool) = (escape(&about.title), escape(&about.tool));
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\
         <dc:format>application/pdf</dc:format>\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\
         <xmp:CreatorTool>{tool}</xmp:CreatorTool><pdf:Producer>{tool}</pdf:Producer>\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}
