//! The sample library inside the program: about 300 invented messages that show everything Messages can do, so
//! that every command can be tried anywhere (`--sample`).
//!
//! **Must never**: hold anything of a real person. Its recipe is `tests/support/story`; `examples/make-sample.rs`
//! writes `fixtures/sample/library` from it, and a test holds the two together.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::read::ZlibDecoder;

/// A zlib stream of files: length of the path (2 bytes, little-endian), path with `/`, length (4 bytes), content.
const LIBRARY: &[u8] = include_bytes!("../fixtures/sample/library");

/// The database, within the folder that [`unpack`] returns.
pub const DATABASE: &str = "chat.db";
/// The address book of the sample, beside its database.
pub const CONTACTS: &str = "contacts.vcf";

/// Writes the sample library into `into`, a folder that is created where needed (0700) and holds none of its files
/// yet: `chat.db`, `Attachments` and `contacts.vcf`, all 0600. Returns the folder, ready to be opened as a source.
///
/// # Errors
/// What the disk says; a file that is there already is not replaced.
pub fn unpack(into: &Path) -> io::Result<PathBuf> {
    private_folder(into)?;
    let mut library = ZlibDecoder::new(LIBRARY);
    let mut length = [0; 2];
    while library.read(&mut length[..1])? == 1 {
        library.read_exact(&mut length[1..])?;
        let mut path = vec![0; usize::from(u16::from_le_bytes(length))];
        library.read_exact(&mut path)?;
        let mut size = [0; 4];
        library.read_exact(&mut size)?;
        let path = place(into, &path)?;
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let mut file = private_file(&path)?;
        let size = u64::from(u32::from_le_bytes(size));
        if io::copy(&mut library.by_ref().take(size), &mut file)? != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.flush()?;
    }
    Ok(into.to_owned())
}

/// Where a packed path lies below `into`; it leads nowhere else.
fn place(into: &Path, path: &[u8]) -> io::Result<PathBuf> {
    let path = str::from_utf8(path).map_err(io::Error::other)?;
    let inside = |part| matches!(part, Component::Normal(_));
    if path.is_empty() || !Path::new(path).components().all(inside) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(into.join(path))
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
