//! Pictures, sound and video: what their own bytes say.
//!
//! Pure functions over files and bytes. What they give has no format's shape: pixels, durations, sizes.
//!
//! **Must never**: trust a name or a row, panic or hang on a damaged file, hold more than a file's declared pixels, or
//! reach for a codec that is not in the program.

mod amr;
mod budget;
mod caf;
mod color;
mod conversion;
pub mod exif;
mod facts;
mod file_bytes;
mod movie;
mod mp3;
pub mod ogg_opus;
mod poster;
mod riff;
mod sticker;
pub mod still;
mod whole;

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use budget::Claim;

pub use color::{profile, srgb_profile};
pub use conversion::{Conversion, Unconverted, conversion};
pub use facts::{facts, facts_of};
pub use movie::is_one as may_be_film;
pub use poster::poster;
pub use sticker::sticker_effect;
pub use whole::{Whole, read_whole};

/// A picture as pixels: 8 bits a channel, sRGB, upright, alpha not multiplied in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    /// `width × height × 4` bytes, row by row from the top: red, green, blue, alpha.
    pub rgba: Vec<u8>,
    /// Every alpha is 255.
    pub opaque: bool,
}

/// Decoded pixels, with the right to hold them: all that are held at one time have a bound. So nobody should hold two, or
/// one for long.
#[derive(Debug)]
pub struct Decoded {
    pixels: Pixels,
    _claim: Claim,
}

impl Decoded {
    /// So many bytes a pixel are held as long as something is made of it: a PNG takes the most.
    const MAKING: u64 = 16;

    /// `claim` was for more.
    fn new(pixels: Pixels, mut claim: Claim) -> Decoded {
        claim.shrink_to(u64::from(pixels.width) * u64::from(pixels.height) * Decoded::MAKING);
        Decoded { pixels, _claim: claim }
    }
}

impl Deref for Decoded {
    type Target = Pixels;

    fn deref(&self) -> &Pixels {
        &self.pixels
    }
}

/// As pixels are.
impl PartialEq for Decoded {
    fn eq(&self, other: &Decoded) -> bool {
        self.pixels == other.pixels
    }
}

/// Why there are no pixels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Nothing that this program decodes.
    #[error("no picture of a kind that is decoded")]
    OtherKind,
    /// More pixels than are decoded.
    #[error("the picture is too large to be shown here")]
    TooLarge,
    /// A picture of a kind, or with a feature, that no decoder here knows: what it is.
    #[error("{0} cannot be shown here")]
    Unknown(&'static str),
    /// It should be one.
    #[error("the picture is damaged")]
    Damaged,
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Unreadable,
}

/// A panic in a decoder means what an error means.
fn fenced<T>(work: impl FnOnce() -> Result<T, Undecodable>) -> Result<T, Undecodable> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Undecodable::Damaged))
}
