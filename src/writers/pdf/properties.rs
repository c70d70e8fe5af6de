//! What marked content says of itself in the same words on every page: property lists that stand in the document once,
//! and that pages name (ISO 32000-1, 14.6.2). Spelled out in each place they were a fortieth of a document.
//!
//! **Must never**: hold what is of one page.

use std::io::{self, Write};

use pdf_writer::{Chunk, Name, Ref, Str};

use super::file::PdfFile;
use super::language::marks;

/// The name of: what every page repeats.
pub const PAGINATION: &str = "Pagination";

/// Writes the resource that pages name. What is in a language has that as its name.
pub fn write_properties<W: Write>(id: Ref, file: &mut PdfFile<W>) -> io::Result<()> {
    let mut chunk = Chunk::new();
    let mut lists = chunk.indirect(id).dict();
    lists.insert(Name(PAGINATION.as_bytes())).dict().pair(Name(b"Type"), Name(b"Pagination"));
    for language in marks() {
        lists.insert(Name(language.as_bytes())).dict().pair(Name(b"Lang"), Str(language.as_bytes()));
    }
    drop(lists);
    file.object(id, &chunk)
}
