//! What lies in the place of a file may be none: whoever opens a pipe that nobody writes to waits for ever.
//!
//! **Must never**: open what is no file.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Opens a file for reading, if only behind a link.
///
/// # Errors
/// The disk's; [`ErrorKind::InvalidInput`]: it is no file.
pub fn open_file(path: &Path) -> io::Result<File> {
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "not a file")),
    }
}

/// Where SQLite keeps files of its own beside a database (<https://sqlite.org/tempfiles.html>). It opens whatever lies there.
pub fn beside_database(database: &Path) -> [PathBuf; 3] {
    ["-journal", "-wal", "-shm"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let [pipe, link, file] = ["pipe", "link", "file"].map(|name| folder.path().join(name));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::write(&file, "bytes").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for no_file in [&pipe, folder.path()] {
            assert_eq!(open_file(no_file).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(io::read_to_string(open_file(&link).unwrap()).unwrap(), "bytes");
    }
}
