//! Colors of any space → sRGB.

use moxcms::{ColorDateTime, ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{Undecodable, fenced};

/// What the numbers of a picture mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Space {
    /// sRGB, or nothing is said, which is taken for the same.
    #[default]
    Standard,
    /// Display P3.
    DisplayP3,
    /// An ICC profile.
    Icc(Vec<u8>),
}

/// The profile that these bytes begin with, if it is one that says how so many channels (1 or 3) look: its header
/// (ICC.1:2022, 7.2) fits, and it can be read. A PDF may hold those up to version 4.
pub fn profile(icc: &[u8], channels: u8) -> Option<&[u8]> {
    let size = u32::from_be_bytes(*icc.first_chunk()?);
    let icc = icc.get(..usize::try_from(size).ok()?)?;
    let space: &[u8] = match channels {
        1 => b"GRAY",
        3 => b"RGB ",
        _ => return None,
    };
    let fits = matches!(icc.get(8), Some(1..=4))
        && matches!(icc.get(12..16), Some(b"scnr" | b"mntr" | b"prtr" | b"spac"))
        && icc.get(16..20) == Some(space)
        && icc.get(36..40) == Some(b"acsp");
    let readable = || fenced(|| ColorProfile::new_from_slice(icc).map_err(|_| Undecodable::Damaged)).is_ok();
    (fits && readable()).then_some(icc)
}

/// The profile of sRGB: the same bytes whenever it is asked for.
pub fn srgb_profile() -> Option<Vec<u8>> {
    let mut profile = ColorProfile::new_srgb();
    // When the standard was adopted (IEC 61966-2-1), not the time of day.
    profile.creation_date_time =
        ColorDateTime { year: 1999, month: 10, day_of_the_month: 18, hours: 0, minutes: 0, seconds: 0 };
    // A tag that came after version 4.2, the last that a PDF may hold.
    profile.cicp = None;
    profile.encode().ok()
}

/// Changes RGBA pixels to sRGB. Where the profile cannot be used they stay as they are: slightly wrong colors are
/// better than none.
pub(super) fn to_srgb(rgba: &mut [u8], space: &Space) {
    let profile = match space {
        Space::Standard => return,
        Space::DisplayP3 => ColorProfile::new_display_p3(),
        Space::Icc(icc) => match ColorProfile::new_from_slice(icc) {
            Ok(profile) => profile,
            Err(_) => return,
        },
    };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) =
        profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, TransformOptions::default())
    else {
        return;
    };
    // Piece by piece: a second copy of a large picture is much memory for nothing.
    let mut piece = vec![0; rgba.len().min(256 * 1024)];
    for pixels in rgba.chunks_mut(256 * 1024) {
        let Some(changed) = piece.get_mut(..pixels.len()) else { return };
        if transform.transform(pixels, changed).is_err() {
            return;
        }
        pixels.copy_from_slice(changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_p3_becomes_brighter_numbers_and_alpha_stays() {
        let mut pixels = [200, 100, 50, 77, 128, 128, 128, 255];
        to_srgb(&mut pixels, &Space::DisplayP3);
        // What the two matrices and the common curve make of it.
        for (got, expected) in pixels.iter().zip([215, 93, 31, 77, 128, 128, 128, 255]) {
            assert!(got.abs_diff(expected) <= 2, "{pixels:?}");
        }
        let icc = ColorProfile::new_display_p3().encode().unwrap();
        let mut by_icc = [200, 100, 50, 77, 128, 128, 128, 255];
        to_srgb(&mut by_icc, &Space::Icc(icc));
        assert_eq!(by_icc, pixels);
    }

    #[test]
    fn a_profile_is_one_of_its_channels_and_whole() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let gray = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        assert_eq!(profile(&[&p3[..], &[0; 3]].concat(), 3), Some(&p3[..]));
        assert_eq!((profile(&p3, 1), profile(&gray, 3), profile(&p3, 4)), (None, None, None));
        assert_eq!(profile(&gray, 1), Some(&gray[..]));
        for cut in 0..p3.len() {
            assert_eq!(profile(&p3[..cut], 3), None, "cut at {cut}");
        }
        for at in [8, 12, 16, 36] {
            let mut changed = p3.clone();
            changed[at] ^= 0x40;
            assert_eq!(profile(&changed, 3), None, "changed at {at}");
        }
    }

    #[test]
    fn the_profile_of_srgb_is_one() {
        let srgb = srgb_profile().unwrap();
        assert_eq!(profile(&srgb, 3), Some(&srgb[..]));
        assert!(srgb.len() < 1_000, "{}", srgb.len());
        let mut pixels = [200, 100, 50, 77];
        to_srgb(&mut pixels, &Space::Icc(srgb));
        assert_eq!(pixels, [200, 100, 50, 77]);
    }

    #[test]
    fn a_profile_that_is_none_changes_nothing() {
        for icc in [vec![], vec![7; 200], ColorProfile::new_gray_with_gamma(2.2).encode().unwrap()] {
            let mut pixels = [1, 2, 3, 4];
            to_srgb(&mut pixels, &Space::Icc(icc));
            assert_eq!(pixels, [1, 2, 3, 4]);
        }
    }
}
