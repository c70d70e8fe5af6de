//! Bytes of an encrypted file, decrypted as they are read (`ios-backup-format.md` 8.2, 8.3).
//!
//! **Must never**: hold more than a piece of a file, or believe a recorded size over the padding.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::{Array, BlockModeDecrypt as _, KeyIvInit as _};
use zeroize::Zeroizing;

use super::keybag::Key;

/// Bytes in a block.
pub(super) const BLOCK: usize = 16;
/// Bytes that are decrypted at a time.
const PIECE: usize = 1 << 16;

/// Reads what is in an encrypted file. A valid padding at its end is taken off; where there is none, the file is damaged
/// or was made by others, and every byte of it is given.
pub(super) struct Decrypting<R> {
    from: R,
    cipher: Decryptor<Aes256>,
    plain: Zeroizing<Vec<u8>>,
    /// Of `plain`: what was given already, and what may be given. The last block is held back until the end is seen.
    given: usize,
    ready: usize,
    /// Encrypted bytes that are not a whole block yet.
    partial: Vec<u8>,
    ended: bool,
}

impl<R: Read> Decrypting<R> {
    /// From the start of a file.
    pub fn new(from: R, key: &Key) -> Decrypting<R> {
        Decrypting::after(&[0; BLOCK], from, key)
    }

    /// From the block on that follows this one.
    pub fn after(before: &[u8; BLOCK], from: R, key: &Key) -> Decrypting<R> {
        Decrypting {
            from,
            cipher: Decryptor::new((&**key).into(), before.into()),
            plain: Zeroizing::new(Vec::with_capacity(PIECE + BLOCK)),
            given: 0,
            ready: 0,
            partial: Vec::with_capacity(PIECE),
            ended: false,
        }
    }

    /// Decrypts the next piece.
    fn refill(&mut self) -> io::Result<()> {
        // What was held back comes first.
        self.plain.drain(..self.given);
        self.given = 0;
        let held = self.partial.len();
        self.partial.resize(PIECE, 0);
        let mut filled = held;
        while let Some(rest) = self.partial.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.from.read(rest) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.partial.truncate(filled);
                    return Err(error);
                }
            }
        }
        // Less than a block at the end of a file that was cut off says nothing.
        let whole = filled - filled % BLOCK;
        let start = self.plain.len();
        self.plain.extend_from_slice(self.partial.get(..whole).unwrap_or_default());
        self.partial.truncate(filled);
        self.partial.drain(..whole);
        let cut_off = !self.partial.is_empty();
        let (blocks, _) = Array::slice_as_chunks_mut(self.plain.get_mut(start..).unwrap_or_default());
        self.cipher.decrypt_blocks(blocks);
        self.ready = match self.ended {
            true if cut_off => self.plain.len(),
            true => self.plain.len() - padding(&self.plain),
            false => self.plain.len().saturating_sub(BLOCK),
        };
        Ok(())
    }
}

impl<R: Read> Read for Decrypting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready && !self.ended {
            self.refill()?;
        }
        let ready = self.plain.get(self.given..self.ready).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) else { return Ok(0) };
        to.copy_from_slice(from);
        self.given += count;
        Ok(count)
    }
}

/// The length of the padding at the end of decrypted bytes; 0 where there is no valid one.
fn padding(plain: &[u8]) -> usize {
    let Some(&last) = plain.last() else { return 0 };
    let length = usize::from(last);
    let valid = (1..=BLOCK).contains(&length)
        && plain.len() >= length
        && plain.iter().rev().take(length).all(|byte| *byte == last);
    if valid { length } else { 0 }
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// How many bytes [`Decrypting`] gives of it.
    pub bytes: u64,
    /// With a valid padding. Without, it was cut off, or made by others than Apple.
    pub padded: bool,
}

/// Looks at the last two blocks of a file.
pub(super) fn end(path: &Path, key: &Key) -> io::Result<End> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let blocks = length / BLOCK as u64;
    if blocks == 0 || !length.is_multiple_of(BLOCK as u64) {
        return Ok(End { bytes: blocks * BLOCK as u64, padded: false });
    }
    // The block before the last one is what the last one was chained to.
    let mut before = [0; BLOCK];
    if blocks > 1 {
        file.seek(SeekFrom::End(-2 * BLOCK as i64))?;
        file.read_exact(&mut before)?;
    }
    let mut last = Zeroizing::new([0; BLOCK]);
    file.read_exact(&mut *last)?;
    let mut cipher = Decryptor::<Aes256>::new((&**key).into(), (&before).into());
    let (blocks_of_last, _) = Array::slice_as_chunks_mut(&mut *last);
    cipher.decrypt_blocks(blocks_of_last);
    let padding = padding(&*last);
    Ok(End { bytes: length - padding as u64, padded: padding > 0 })
}

#[cfg(test)]
mod tests {
    use cbc::Encryptor;
    use cbc::cipher::BlockModeEncrypt as _;

    use super::*;

    fn key() -> Key {
        let mut key = Key::default();
        key.iter_mut().zip(0x80..).for_each(|(byte, value)| *byte = value);
        key
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn encrypted(plain: &[u8]) -> Vec<u8> {
        let pad = BLOCK - plain.len() % BLOCK;
        let mut bytes = [plain, &vec![pad as u8; pad]].concat();
        let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
        Encryptor::<Aes256>::new((&*key()).into(), &Array::default()).encrypt_blocks(blocks);
        bytes
    }

    /// Gives bytes in odd portions.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn decrypted(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        Decrypting::new(Dribble(bytes, 7), &key()).read_to_end(&mut plain).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blob");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(end(&path, &key()).unwrap().bytes, plain.len() as u64);
        plain
    }

    #[test]
    fn known_answers() {
        let hello = encrypted(b"Hello, msgarchive\n");
        assert_eq!(hex(&hello), "f7f620965d8a8992f665f6af829e94df5d65df69c172e9928b3a9007e96540f9");
        assert_eq!(decrypted(&hello), b"Hello, msgarchive\n");
        let aligned: Vec<u8> = (0..16).collect();
        assert_eq!(
            hex(&encrypted(&aligned)),
            "4a7a745f955dd24cff416b81d1d54c5812f834ce6dd085a8448074417b2120e8"
        );
        assert_eq!(decrypted(&encrypted(&aligned)), aligned);
        assert_eq!(hex(&encrypted(b"")), "b4cf24ba1fb219e893c63ec46975bcd8");
        assert_eq!(decrypted(&encrypted(b"")), b"");
        assert_eq!(decrypted(b""), b"");
    }

    #[test]
    fn files_of_any_length() {
        for length in [1, 15, 17, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE - 16, 3 * PIECE + 5] {
            let plain: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
            assert_eq!(decrypted(&encrypted(&plain)), plain, "{length}");
        }
    }

    #[test]
    fn without_a_valid_padding_every_byte_is_given() {
        // Two blocks of a file that has none, and a file that was cut off in the middle of a block.
        let whole = encrypted(&[0x55; 32]);
        assert_eq!(decrypted(&whole[..32]), [0x55; 32]);
        assert_eq!(decrypted(&whole[..40]), [0x55; 32]);
    }
}
