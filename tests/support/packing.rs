//! Packs files the way `msgarchive::sample` unpacks them.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A zlib stream of (length of the path, path, length, content).
pub fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::best());
    let mut write = |bytes: &[u8]| stream.write_all(bytes).expect("memory");
    for (path, content) in files {
        write(&u16::try_from(path.len()).expect("a short path").to_le_bytes());
        write(path.as_bytes());
        write(&u32::try_from(content.len()).expect("a small file").to_le_bytes());
        write(content);
    }
    stream.finish().expect("memory")
}
