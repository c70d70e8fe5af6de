//! Files that only Apple's programs open well → the same in a form that all do.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::still::{self, Kind};
use super::{Undecodable, Whole, exif, ogg_opus, read_whole};

/// Of the pictures that are converted.
const QUALITY: u8 = 90;
/// Larger files are not converted.
const LARGEST_FILE: u64 = 256 << 20;

/// A file that can be had in a form that more programs open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// Of the form that it gets, without the dot, such as `jpg`.
    pub extension: &'static str,
    from: PathBuf,
    to: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A HEIC photo.
    Jpeg,
    /// A HEIC with transparency, such as a sticker.
    Png,
    /// A voice message in CAF with Opus.
    Ogg,
}

/// Why a file was not converted.
#[derive(Debug, thiserror::Error)]
pub enum Unconverted {
    #[error("{0}")]
    Undecodable(Undecodable),
    /// The place it should go to does not take it.
    #[error("the converted copy cannot be written")]
    Write(#[source] io::Error),
}

/// How the file at `path` can be converted, by its first bytes. `None` for what is fine as it is, and for what cannot be.
pub fn conversion(path: &Path) -> Option<Conversion> {
    let mut head = Vec::with_capacity(still::HEAD);
    File::open(path).ok()?.take(still::HEAD as u64).read_to_end(&mut head).ok()?;
    if head.starts_with(b"caff") {
        let from = path.to_owned();
        let sound = ogg_opus::is_remuxable(File::open(path).ok()?);
        return sound.then_some(Conversion { extension: "ogg", from, to: Form::Ogg });
    }
    let (extension, to) = match still::kind(&head)? {
        Kind::Heif if still::heif_has_alpha(&read(path).ok()?) => ("png", Form::Png),
        Kind::Heif => ("jpg", Form::Jpeg),
        _ => return None,
    };
    Some(Conversion { extension, from: path.to_owned(), to })
}

impl Conversion {
    /// Converts. The same file gives the same bytes.
    ///
    /// # Errors
    /// [`Unconverted`]; something may have been written by then.
    pub fn write_to(&self, to: &mut dyn Write) -> Result<(), Unconverted> {
        if matches!(self.to, Form::Ogg) {
            let file =
                File::open(&self.from).map_err(|_| Unconverted::Undecodable(Undecodable::Unreadable))?;
            return ogg_opus::remux(file, to).map_err(|error| match error {
                ogg_opus::NoOggOpus::Write(error) => Unconverted::Write(error),
                _ => Unconverted::Undecodable(Undecodable::Damaged),
            });
        }
        let converted = self.picture().map_err(Unconverted::Undecodable)?;
        to.write_all(&converted).map_err(Unconverted::Write)
    }

    /// Full size, upright, in sRGB.
    fn picture(&self) -> Result<Vec<u8>, Undecodable> {
        let bytes = read(&self.from)?;
        let pixels = still::decode(&bytes, None)?;
        match self.to {
            // No picture; written above.
            Form::Ogg => Err(Undecodable::OtherKind),
            Form::Png => still::to_png(&pixels),
            Form::Jpeg => {
                let mut exif = still::heif_exif(&bytes);
                if let Some(exif) = &mut exif {
                    exif::make_upright(exif);
                }
                still::to_jpeg(&pixels, QUALITY, exif.as_deref())
            }
        }
    }
}

fn read(path: &Path) -> Result<Whole, Undecodable> {
    read_whole(File::open(path).map_err(|_| Undecodable::Unreadable)?, LARGEST_FILE)
}
