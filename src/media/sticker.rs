//! How a sticker that somebody made is finished: Apple's Stickers app writes it into the picture's XMP
//! (`messages-format.md` 11.5).

use std::io::Read;

use crate::model::StickerEffect;

/// Bytes that are searched. The XMP of a real one begins within three kilobytes; a sticker has some hundred.
const SEARCHED: u64 = 1 << 20;

/// The effect of a sticker's picture. `None`: it has none, or is no HEIC file.
pub fn sticker_effect(mut file: impl Read) -> Option<StickerEffect> {
    let mut bytes = Vec::new();
    file.by_ref().take(12).read_to_end(&mut bytes).ok()?;
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    file.take(SEARCHED).read_to_end(&mut bytes).ok()?;
    effect(&bytes)
}

/// `stickerEffect:type="…"`, in either quotation marks.
fn effect(bytes: &[u8]) -> Option<StickerEffect> {
    const ATTRIBUTE: &[u8] = b"stickerEffect:type=";
    let at = bytes.windows(ATTRIBUTE.len()).position(|window| window == ATTRIBUTE)?;
    let (quote, value) = bytes.get(at + ATTRIBUTE.len()..)?.split_first()?;
    let end = value.iter().take(32).position(|byte| byte == quote)?;
    match value.get(..end)? {
        b"stroke" => Some(StickerEffect::Outline),
        b"comic" => Some(StickerEffect::Comic),
        b"puffy" => Some(StickerEffect::Puffy),
        b"iridescent" => Some(StickerEffect::Shiny),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_has_its_word() {
        let of = |word: &str| effect(format!("<rdf stickerEffect:type=\"{word}\"/>").as_bytes());
        let words = ["stroke", "comic", "puffy", "iridescent", "new", ""];
        let effects = words.map(of);
        use StickerEffect::*;
        assert_eq!(effects, [Some(Outline), Some(Comic), Some(Puffy), Some(Shiny), None, None]);
        assert_eq!(effect(b"stickerEffect:type='comic'"), Some(Comic));
        assert_eq!(effect(b"stickerEffect:type="), None);
        assert_eq!(effect(b"stickerEffect:type=\"comic"), None);
    }

    #[test]
    fn only_pictures_are_searched() {
        let mut bytes = b"\0\0\0\x0cftypheic".to_vec();
        bytes.extend(vec![0; 5000]);
        bytes.extend(b"stickerEffect:type=\"puffy\"");
        assert_eq!(sticker_effect(&*bytes), Some(StickerEffect::Puffy));
        assert_eq!(sticker_effect(&bytes[4..]), None);
        assert_eq!(sticker_effect(std::io::empty()), None);
    }

    #[test]
    fn real_stickers() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/stickers");
        if !folder.exists() {
            println!("not checked against real samples: {} is not here", folder.display());
            return;
        }
        let effect = |name| sticker_effect(std::fs::File::open(folder.join(name)).unwrap());
        assert_eq!(effect("comic.heic"), Some(StickerEffect::Comic));
        assert_eq!(effect("outline.heic"), Some(StickerEffect::Outline));
    }
}
