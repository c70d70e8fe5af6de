//! Files that are read whole, of a length that has a bound for each and for all together.
//!
//! **Must never**: believe the length that a file is said to have.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Deref;

use super::Undecodable;
use super::budget::{Claim, FILES};

/// A file's bytes, with the right to hold them. Nobody should hold two.
#[derive(Debug)]
pub struct Whole {
    bytes: Vec<u8>,
    _claim: Claim,
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a file of at most `longest` bytes, from its beginning; waits while others hold much.
///
/// # Errors
/// [`Undecodable::Unreadable`], or [`Undecodable::TooLarge`].
pub fn read_whole(mut file: impl Read + Seek, longest: u64) -> Result<Whole, Undecodable> {
    let unreadable = |_| Undecodable::Unreadable;
    let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    if length > longest {
        return Err(Undecodable::TooLarge);
    }
    file.rewind().map_err(unreadable)?;
    let claim = FILES.claim(length);
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|_| Undecodable::TooLarge)?);
    // What has become longer meanwhile is cut, and what is shorter ends.
    file.take(length).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Whole { bytes, _claim: claim })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let mut file = Cursor::new(vec![7; 100]);
        file.set_position(40);
        assert_eq!(&*read_whole(&mut file, 100).unwrap(), [7; 100]);
        assert_eq!(read_whole(&mut file, 99).unwrap_err(), Undecodable::TooLarge);
        assert!(read_whole(Cursor::new(vec![]), 99).unwrap().is_empty());
    }
}
