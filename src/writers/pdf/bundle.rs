//! The table of bundled faces: `fonts/README.md` says where they are from and how they were made.

/// A face that comes with the program.
pub struct Bundled {
    /// zlib.
    pub packed: &'static [u8],
    /// One of the four that every text may use.
    pub latin: bool,
    /// The characters it is for, where the Latin faces do not have them.
    pub ranges: &'static [(u32, u32)],
}

/// Some of [`BUNDLE`], a bit each.
pub type Faces = u128;

macro_rules! bundle {
    ($($name:literal $latin:literal $ranges:expr,)*) => {
        /// In order of preference. At most 128: [`Faces`] has a bit for each.
        pub const BUNDLE: &[Bundled] = &[$(Bundled {
            packed: include_bytes!(concat!("../../../fonts/", $name, ".ttf.zz")),
            latin: $latin,
            ranges: &$ranges,
        },)*];
    };
}

/// The regular Latin, Greek and Cyrillic face, in [`BUNDLE`].
pub const LATIN: usize = 0;
/// The color emoji, in [`BUNDLE`].
pub const EMOJI: usize = 4;
/// The face that has the box for what no face has, in [`BUNDLE`].
pub const BOX: usize = BUNDLE.len() - 3;

#[rustfmt::skip]
mod table {
    use super::Bundled;
    bundle! {
        "NotoSans-Regular" true [],
        "NotoSans-Bold" true [],
        "NotoSans-Italic" true [],
        "NotoSans-BoldItalic" true [],
        "TwemojiMozilla" false [],
        "NotoSansArabic" false [(0x600, 0x6ff), (0x750, 0x77f), (0x8a0, 0x8ff), (0xfb50, 0xfdff), (0xfe70, 0xfeff)],
        "NotoSansHebrew" false [(0x590, 0x5ff), (0xfb1d, 0xfb4f)],
        "DroidSansFallback" false [(0x2e80, 0x2fdf), (0x3000, 0x312f), (0x3190, 0x4dbf), (0x4e00, 0x9fff), (0xf900, 0xfaff), (0xfe30, 0xfe4f), (0xff00, 0xffef), (0x20000, 0x3ffff)],
        "NotoSansKR" false [(0x1100, 0x11ff), (0x3130, 0x318f), (0xa960, 0xa97f), (0xac00, 0xd7ff)],
        "NotoSansDevanagari" false [(0x900, 0x97f), (0x1cd0, 0x1cff), (0xa830, 0xa83f), (0xa8e0, 0xa8ff)],
        "NotoSansBengali" false [(0x980, 0x9ff)],
        "NotoSansGurmukhi" false [(0xa00, 0xa7f)],
        "NotoSansGujarati" false [(0xa80, 0xaff)],
        "NotoSansOriya" false [(0xb00, 0xb7f)],
        "NotoSansTamil" false [(0xb80, 0xbff)],
        "NotoSansTelugu" false [(0xc00, 0xc7f)],
        "NotoSansKannada" false [(0xc80, 0xcff)],
        "NotoSansMalayalam" false [(0xd00, 0xd7f)],
        "NotoSansSinhala" false [(0xd80, 0xdff), (0x111e0, 0x111ff)],
        "NotoSansThai" false [(0xe00, 0xe7f)],
        "NotoSansLao" false [(0xe80, 0xeff)],
        "NotoSerifTibetan" false [(0xf00, 0xfff)],
        "NotoSansMyanmar" false [(0x1000, 0x109f), (0xa9e0, 0xa9ff), (0xaa60, 0xaa7f)],
        "NotoSansGeorgian" false [(0x10a0, 0x10ff), (0x1c90, 0x1cbf), (0x2d00, 0x2d2f)],
        "NotoSansArmenian" false [(0x530, 0x58f), (0xfb13, 0xfb17)],
        "NotoSansEthiopic" false [(0x1200, 0x139f), (0x2d80, 0x2ddf), (0xab00, 0xab2f)],
        "NotoSansCherokee" false [(0x13a0, 0x13ff), (0xab70, 0xabbf)],
        "NotoSansCanadianAboriginal" false [(0x1400, 0x167f), (0x18b0, 0x18ff)],
        "NotoSansRunic" false [(0x16a0, 0x16ff)],
        "NotoSansKhmer" false [(0x1780, 0x17ff), (0x19e0, 0x19ff)],
        "NotoSansMongolian" false [(0x1800, 0x18af), (0x11660, 0x1167f)],
        "NotoSansTaiLe" false [(0x1950, 0x197f)],
        "NotoSansBalinese" false [(0x1b00, 0x1b7f)],
        "NotoSansSundanese" false [(0x1b80, 0x1bbf), (0x1cc0, 0x1ccf)],
        "NotoSansOlChiki" false [(0x1c50, 0x1c7f)],
        "NotoSansCoptic" false [(0x3e2, 0x3ef), (0x2c80, 0x2cff), (0x102e0, 0x102ff)],
        "NotoSansTifinagh" false [(0x2d30, 0x2d7f)],
        "NotoSansYi" false [(0xa000, 0xa4cf)],
        "NotoSansVai" false [(0xa500, 0xa63f)],
        "NotoSansBamum" false [(0xa6a0, 0xa6ff), (0x16800, 0x16a3f)],
        "NotoSansJavanese" false [(0xa980, 0xa9df)],
        "NotoSansGothic" false [(0x10330, 0x1034f)],
        "NotoSansOldItalic" false [(0x10300, 0x1032f)],
        "NotoSansAdlam" false [(0x1e900, 0x1e95f)],
        "NotoSansNKo" false [(0x7c0, 0x7ff)],
        "NotoSansSyriac" false [(0x700, 0x74f)],
        "NotoSansThaana" false [(0x780, 0x7bf)],
        "NotoSansTagalog" false [(0x1700, 0x171f)],
        "NotoSansLimbu" false [(0x1900, 0x194f)],
        "NotoSansNewTaiLue" false [(0x1980, 0x19df)],
        "NotoSansBuginese" false [(0x1a00, 0x1a1f)],
        "NotoSansTaiTham" false [(0x1a20, 0x1aaf)],
        "NotoSansBatak" false [(0x1bc0, 0x1bff)],
        "NotoSansLepcha" false [(0x1c00, 0x1c4f)],
        "NotoSansLisu" false [(0xa4d0, 0xa4ff)],
        "NotoSansSylotiNagri" false [(0xa800, 0xa82f)],
        "NotoSansPhagsPa" false [(0xa840, 0xa87f)],
        "NotoSansSaurashtra" false [(0xa880, 0xa8df)],
        "NotoSansKayahLi" false [(0xa900, 0xa92f)],
        "NotoSansCham" false [(0xaa00, 0xaa5f)],
        "NotoSansTaiViet" false [(0xaa80, 0xaadf)],
        "NotoSansMeeteiMayek" false [(0xaae0, 0xaaff), (0xabc0, 0xabff)],
        "NotoSansOsage" false [(0x104b0, 0x104ff)],
        "NotoSansHanifiRohingya" false [(0x10d00, 0x10d3f)],
        "NotoSansChakma" false [(0x11100, 0x1114f)],
        "NotoSansEgyptianHieroglyphs" false [(0x13000, 0x1343f)],
        "NotoSansMiao" false [(0x16f00, 0x16f9f)],
        "NotoSansWancho" false [(0x1e2c0, 0x1e2ff)],
        "NotoSansMono" false [(0x2500, 0x259f)],
        "NotoMusic" false [(0x2669, 0x266f), (0x1d000, 0x1d24f)],
        "NotoSansMath" false [(0x2190, 0x23ff), (0x25a0, 0x25ff), (0x27c0, 0x27ff), (0x2900, 0x2bff), (0x20d0, 0x20ef), (0x1d400, 0x1d7ff), (0x1ee00, 0x1eeff)],
        "NotoSansSymbols" false [(0x20d0, 0x20ef), (0x2100, 0x27bf), (0x2900, 0x2bff), (0x1f100, 0x1f1ff), (0x1f540, 0x1f64f), (0x1f700, 0x1f77f)],
        "NotoSansSymbols2" false [(0x80, 0x9f), (0x20d0, 0x20ef), (0x2100, 0x2bff), (0x4dc0, 0x4dff), (0xfff0, 0xffff), (0x10140, 0x101ff), (0x1f000, 0x1fbff)],
    }
}
pub use table::BUNDLE;
