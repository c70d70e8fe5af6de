//! Writes the sample library that is embedded in the program, from its recipe in `tests/support/story`:
//! `cargo run --example make-sample`

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::{fs, io};

use support::{packing, story, tree};

fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    story::write(folder.path());
    let files = tree::files(folder.path());
    let packed = packing::pack(&files);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sample/library");
    fs::write(&target, &packed)?;
    println!("{}: {} files, {} bytes", target.display(), files.len(), packed.len());
    Ok(())
}
