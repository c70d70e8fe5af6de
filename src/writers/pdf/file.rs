//! The file layer: objects are written as they come, front to back; only their places are remembered.
//!
//! Small objects go into compressed object streams, and a cross-reference stream ends the file (PDF 1.7, 7.5.7 and
//! 7.5.8). The file's id is the hash of its own bytes.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use flate2::{Compress, Compression, FlushCompress, Status};
use pdf_writer::{Chunk, Ref, Settings};
use sha2::{Digest as _, Sha256};

/// So many objects go into one object stream.
const STREAM_OBJECTS: usize = 512;

/// As many objects PDF/A allows (ISO 19005-2, 6.1.13); so many pages that few programs would open them.
const MOST_OBJECTS: usize = 8_388_607;
/// So many objects may be written between the question and the end.
const LAST_OBJECTS: usize = 64;

/// Where an object is: one word each, for there may be a million.
#[derive(Clone, Copy)]
struct Place(u64);

impl Place {
    const FREE: Place = Place(0);

    fn at(offset: u64) -> Place {
        Place(offset << 1)
    }

    fn inside(stream: Ref, index: usize) -> Place {
        Place((stream.get() as u64) << 17 | (index as u64 & 0xffff) << 1 | 1)
    }

    /// What a cross-reference stream says of it: three columns of one, five and two bytes.
    fn row(self) -> [u8; 8] {
        let (kind, second, third) = match self.0 {
            0 => (0, 0, 0),
            word if word & 1 == 1 => (2, word >> 17, (word >> 1) as u16),
            word => (1, word >> 1, 0),
        };
        let [_, _, _, a, b, c, d, e] = second.to_be_bytes();
        let [f, g] = third.to_be_bytes();
        [kind, a, b, c, d, e, f, g]
    }
}

/// A PDF file in the making.
pub struct PdfFile<W: Write> {
    out: W,
    position: u64,
    hash: Sha256,
    /// By object number; the first belongs to number 1.
    places: Vec<Place>,
    pending: Vec<(Ref, usize)>,
    pending_bytes: Vec<u8>,
}

impl<W: Write> PdfFile<W> {
    pub fn new(out: W) -> io::Result<PdfFile<W>> {
        let mut file = PdfFile {
            out,
            position: 0,
            hash: Sha256::new(),
            places: Vec::new(),
            pending: Vec::new(),
            pending_bytes: Vec::new(),
        };
        file.put(b"%PDF-1.7\n%\x80\x80\x80\x80\n\n")?;
        Ok(file)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// A number for an object that is written later. Every one must be written.
    pub fn reserve(&mut self) -> Ref {
        self.places.push(Place::FREE);
        // An `i32` of objects is 300 million pages.
        Ref::new(i32::try_from(self.places.len()).unwrap_or(i32::MAX))
    }

    /// Whether there are more objects than PDF/A allows; to be asked when all but the last are written.
    pub fn is_too_large(&self) -> bool {
        self.places.len() + LAST_OBJECTS > MOST_OBJECTS
    }

    fn place(&mut self, id: Ref, place: Place) {
        if let Some(slot) = usize::try_from(id.get() - 1).ok().and_then(|index| self.places.get_mut(index)) {
            *slot = place;
        }
    }

    /// Writes a chunk that holds exactly this one object, not a stream, into an object stream.
    pub fn object(&mut self, id: Ref, chunk: &Chunk) -> io::Result<()> {
        let bytes = chunk.as_bytes();
        let head = format!("{} 0 obj\n", id.get());
        let body = bytes.strip_prefix(head.as_bytes()).unwrap_or(bytes);
        let end = body.windows(7).rposition(|window| window == b"\nendobj").unwrap_or(body.len());
        self.pending.push((id, self.pending_bytes.len()));
        self.pending_bytes.extend_from_slice(body.get(..end).unwrap_or(body));
        self.pending_bytes.push(b'\n');
        if self.pending.len() == STREAM_OBJECTS { self.flush_objects() } else { Ok(()) }
    }

    fn flush_objects(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let bodies = std::mem::take(&mut self.pending_bytes);
        let stream = self.reserve();
        let mut index = String::new();
        for (number, (id, offset)) in pending.iter().enumerate() {
            self.place(*id, Place::inside(stream, number));
            index.push_str(&format!("{} {offset} ", id.get()));
        }
        let mut content = index.clone().into_bytes();
        content.extend_from_slice(&bodies);
        let dict = format!("/Type /ObjStm /N {} /First {}", pending.len(), index.len());
        self.compressed(stream, &dict, &content)
    }

    /// Writes a stream, compressing it.
    pub fn compressed(&mut self, id: Ref, dict: &str, content: &[u8]) -> io::Result<()> {
        self.stream(id, &format!("{dict} /Filter /FlateDecode"), &deflate(content)?)
    }

    /// Writes a stream of bytes that are already what `dict` says of them (without its `/Length`).
    pub fn stream(&mut self, id: Ref, dict: &str, content: &[u8]) -> io::Result<()> {
        self.place(id, Place::at(self.position));
        let dict = dict.trim_start();
        self.put(format!("{} 0 obj\n<<{dict} /Length {}>>\nstream\n", id.get(), content.len()).as_bytes())?;
        self.put(content)?;
        self.put(b"\nendstream\nendobj\n\n")
    }

    /// Like [`PdfFile::stream`], with bytes that are not held in memory. Should fewer than `length` come, the rest is
    /// filled with zeros: the file stays whole, the picture is damaged.
    pub fn stream_from(
        &mut self,
        id: Ref,
        dict: &str,
        length: u64,
        mut content: impl Read,
    ) -> io::Result<()> {
        self.place(id, Place::at(self.position));
        self.put(format!("{} 0 obj\n<<{dict} /Length {length}>>\nstream\n", id.get()).as_bytes())?;
        let mut buffer = vec![0; 64 * 1024];
        let mut left = length;
        while left > 0 {
            let room = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let Some(space) = buffer.get_mut(..room) else { break };
            let read = match content.read(space) {
                Ok(0) | Err(_) => {
                    space.fill(0);
                    room
                }
                Ok(read) => read,
            };
            self.put(buffer.get(..read).unwrap_or_default())?;
            left -= read as u64;
        }
        self.put(b"\nendstream\nendobj\n\n")
    }

    /// Writes the cross-reference and gives the output back.
    pub fn finish(mut self, root: Ref, info: Ref) -> io::Result<W> {
        self.flush_objects()?;
        let id = self.reserve();
        let start = self.position;
        self.place(id, Place::at(start));
        // Rows as differences to the row above (PNG's filter 2): most objects follow the one before them.
        let mut above = [0, 0, 0, 0, 0, 0, 0xff, 0xff];
        let mut table = vec![0];
        table.extend_from_slice(&above);
        for place in &self.places {
            let row = place.row();
            table.push(2);
            table.extend(row.iter().zip(above).map(|(byte, above)| byte.wrapping_sub(above)));
            above = row;
        }
        let digest = self.hash.clone().finalize();
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let dict = format!(
            "/Type /XRef /Size {} /W [1 5 2] /DecodeParms <</Predictor 12 /Columns 8>> /Root {} 0 R /Info {} 0 R \
             /ID [<{name}> <{name}>]",
            self.places.len() + 1,
            root.get(),
            info.get(),
        );
        self.compressed(id, &dict, &table)?;
        self.put(format!("startxref\n{start}\n%%EOF\n").as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// For objects of which there are many: without white space for people.
pub fn compact() -> Chunk {
    Chunk::with_settings(Settings { pretty: false })
}

thread_local! {
    /// A third of a megabyte: to make it anew costs as much time as to compress a page.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), true));
}

/// zlib, as `/FlateDecode` wants it.
pub fn deflate(content: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        let mut packed = Vec::with_capacity(content.len() / 3 + 64);
        loop {
            let rest = content.get(compressor.total_in() as usize..).unwrap_or_default();
            match compressor.compress_vec(rest, &mut packed, FlushCompress::Finish)? {
                Status::StreamEnd => return Ok(packed),
                Status::Ok | Status::BufError => packed.reserve(content.len() / 8 + 256),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_where_everything_is() {
        let mut file = PdfFile::new(Vec::new()).unwrap();
        let (root, info) = (file.reserve(), file.reserve());
        let mut chunk = Chunk::new();
        chunk.indirect(root).dict().pair(pdf_writer::Name(b"Type"), pdf_writer::Name(b"Catalog"));
        file.object(root, &chunk).unwrap();
        let mut chunk = Chunk::new();
        chunk.indirect(info).dict();
        file.object(info, &chunk).unwrap();
        let bytes = file.finish(root, info).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-1.7"));
        let start: usize =
            text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(bytes[start..].starts_with(b"4 0 obj"));
    }

    #[test]
    fn a_file_knows_when_it_is_too_large() {
        let mut file = PdfFile::new(Vec::new()).unwrap();
        file.reserve();
        assert!(!file.is_too_large());
        while file.places.len() < MOST_OBJECTS {
            file.reserve();
        }
        assert!(file.is_too_large());
    }

    #[test]
    fn places_keep_both_kinds_apart() {
        assert_eq!(Place::at(0x1_2345_6789).row(), [1, 1, 0x23, 0x45, 0x67, 0x89, 0, 0]);
        assert_eq!(Place::inside(Ref::new(0x777), 0x199).row(), [2, 0, 0, 0, 7, 0x77, 1, 0x99]);
        assert_eq!(Place::FREE.row(), [0; 8]);
    }
}
