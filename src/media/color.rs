//! Colors of any space → sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

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
    fn a_profile_that_is_none_changes_nothing() {
        for icc in [vec![], vec![7; 200], ColorProfile::new_gray_with_gamma(2.2).encode().unwrap()] {
            let mut pixels = [1, 2, 3, 4];
            to_srgb(&mut pixels, &Space::Icc(icc));
            assert_eq!(pixels, [1, 2, 3, 4]);
        }
    }
}
