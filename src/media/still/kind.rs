//! What a picture is, by its first bytes.

/// So many bytes from the start are enough.
pub const HEAD: usize = 64;

/// A kind of picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Jpeg,
    Png,
    Gif,
    WebP,
    /// HEIC, HEIF and their sequences.
    Heif,
    /// Recognized, not decoded.
    Avif,
    Tiff,
    Bmp,
    JpegXl,
    Jpeg2000,
}

impl Kind {
    /// What a person calls such pictures.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Jpeg => "JPEG images",
            Kind::Png => "PNG images",
            Kind::Gif => "GIF images",
            Kind::WebP => "WebP images",
            Kind::Heif => "HEIC images",
            Kind::Avif => "AVIF images",
            Kind::Tiff => "TIFF images",
            Kind::Bmp => "BMP images",
            Kind::JpegXl => "JPEG XL images",
            Kind::Jpeg2000 => "JPEG 2000 images",
        }
    }
}

/// Looks at the first [`HEAD`] bytes (or all, if there are fewer). `None` is no picture.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    match head {
        [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Kind::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Kind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::WebP),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some(Kind::Tiff),
        // The size of the header that follows tells it from a text that begins with these letters.
        [b'B', b'M', ..]
            if matches!(head.get(14..18), Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])) =>
        {
            Some(Kind::Bmp)
        }
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(Kind::JpegXl),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Some(Kind::Jpeg2000),
        [s3, s2, s1, s0, b'f', b't', b'y', b'p', ..] => {
            let size = u32::from_be_bytes([*s3, *s2, *s1, *s0]) as usize;
            by_brands(head.get(8..size.min(head.len()))?)
        }
        _ => None,
    }
}

/// ISO/IEC 23008-12, 10; the AV1 image format, 6. The second word is a version.
fn by_brands(brands: &[u8]) -> Option<Kind> {
    let (brands, _) = brands.as_chunks::<4>();
    let major = brands.first()?;
    let has = |wanted: &[&[u8; 4]]| brands.iter().any(|brand| wanted.contains(&brand));
    match major {
        b"avif" | b"avis" => Some(Kind::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => Some(Kind::Heif),
        b"mif1" | b"mif2" | b"msf1" | b"miaf" if has(&[b"avif", b"avis"]) => Some(Kind::Avif),
        b"mif1" | b"mif2" | b"mif3" | b"msf1" | b"miaf" => Some(Kind::Heif),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_first_bytes() {
        let cases: [(&[u8], Option<Kind>); 13] = [
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Kind::Png)),
            (b"GIF89a", Some(Kind::Gif)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Kind::WebP)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Some(Kind::Heif)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Some(Kind::Avif)),
            (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", Some(Kind::Avif)),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", None),
            (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", None),
            (b"BMX is a kind of bicycle", None),
            (b"", None),
            (b"\0\0\0\x04ftyp", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(kind(bytes), expected, "{bytes:?}");
        }
    }
}
