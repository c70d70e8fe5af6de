//! Copies that are hashed.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::pipes::open_file;
use super::{DiskError, create_file};

const BUFFER: usize = 256 * 1024;

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashedCopy {
    pub bytes: u64,
    pub sha256: [u8; 32],
}

/// Copies the file `from` to `to`, which must not exist and is not there after an error. File systems that can share the
/// blocks of the two do.
///
/// # Errors
/// [`DiskError::Read`] when `from` is no file or cannot be read, [`DiskError::Write`] when `to` cannot be written.
pub fn copy_hashed(from: &Path, to: &Path) -> Result<HashedCopy, DiskError> {
    let mut reader = open_file(from).map_err(DiskError::reading(from))?;
    reserve(to)?;
    let copied = || {
        fs::copy(from, to).map_err(DiskError::writing(to))?;
        make_private(to)?;
        // A copy that cannot be read was not written.
        hash_all(&mut File::open(to).map_err(DiskError::writing(to))?).map_err(DiskError::writing(to))
    };
    copied().or_else(|_| {
        let _ = fs::remove_file(to);
        // Nothing says which of the two failed: piece by piece that is seen.
        write_hashed(&mut reader, from, to)
    })
}

/// Sees to it that nothing is at `to` yet. macOS shares blocks only with a file that it makes itself: there it is not made.
fn reserve(to: &Path) -> Result<(), DiskError> {
    if !cfg!(target_os = "macos") {
        return create_file(to).map(drop);
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(DiskError::writing(to)(io::ErrorKind::AlreadyExists.into())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(DiskError::writing(to)(e)),
    }
}

/// Makes `to` another name of the file `from`, and says true; where that cannot be, copies it and says false.
///
/// # Errors
/// As [`copy_hashed`].
pub fn link_hashed(from: &Path, to: &Path) -> Result<(HashedCopy, bool), DiskError> {
    // A link to a symbolic link would be one more symbolic link.
    let is_file = fs::symlink_metadata(from).is_ok_and(|metadata| metadata.is_file());
    if !is_file || fs::hard_link(from, to).is_err() {
        return Ok((copy_hashed(from, to)?, false));
    }
    // By the name that means something to people: it is the same file.
    match hash_file(from) {
        Ok(copy) => Ok((copy, true)),
        Err(error) => {
            let _ = fs::remove_file(to);
            Err(error)
        }
    }
}

/// Writes all of `from` to a new file `to`. `name` is what an error calls the source.
///
/// # Errors
/// As [`copy_hashed`].
pub fn write_hashed(from: &mut dyn Read, name: &Path, to: &Path) -> Result<HashedCopy, DiskError> {
    let mut file = create_file(to)?;
    let copied = each_block(from, |block| file.write_all(block).map_err(DiskError::writing(to)));
    match copied {
        Ok(Ok(copy)) => Ok(copy),
        failed => {
            drop(file);
            let _ = fs::remove_file(to);
            failed.map_err(DiskError::reading(name))?
        }
    }
}

/// The hash and size of a file.
///
/// # Errors
/// [`DiskError::Read`], also when it is no file.
pub fn hash_file(path: &Path) -> Result<HashedCopy, DiskError> {
    let mut file = open_file(path).map_err(DiskError::reading(path))?;
    hash_all(&mut file).map_err(DiskError::reading(path))
}

/// The hash and size of all that is read from here.
///
/// # Errors
/// The reader's.
pub fn hash_all(from: &mut dyn Read) -> io::Result<HashedCopy> {
    let Ok(copy) = each_block(from, |_| Ok::<(), Infallible>(()))?;
    Ok(copy)
}

/// Sets a file's modification time. Times that the file system cannot hold are left as they are.
pub fn set_modified(path: &Path, time: SystemTime) {
    // Windows wants the file open for writing, and nothing else minds.
    if let Ok(file) = File::options().write(true).open(path) {
        let _ = file.set_modified(time);
    }
}

/// The outer error is the reader's, the inner one `take`'s.
fn each_block<E>(
    from: &mut dyn Read,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> io::Result<Result<HashedCopy, E>> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        let block = buffer.get(..read).unwrap_or_default();
        if let Err(e) = take(block) {
            return Ok(Err(e));
        }
        hash.update(block);
        bytes += read as u64;
    }
    Ok(Ok(HashedCopy { bytes, sha256: hash.finalize().into() }))
}

/// A copy takes over its original's permissions; ours are 0600.
fn make_private(path: &Path) -> Result<(), DiskError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(DiskError::writing(path))?;
    }
    #[cfg(windows)]
    {
        let mut permissions = fs::metadata(path).map_err(DiskError::writing(path))?.permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(false);
        fs::set_permissions(path, permissions).map_err(DiskError::writing(path))?;
    }
    Ok(())
}
