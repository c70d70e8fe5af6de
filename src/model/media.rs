use std::time::Duration;

/// What a file's own bytes say of it, whatever its name and its row say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// Of sound or video.
    pub duration: Option<Duration>,
    /// Width and height in pixels, upright: of a picture or a video.
    pub pixels: Option<(u32, u32)>,
    /// Who a contact card is about.
    pub contact: Option<ContactCard>,
}

/// What a vCard says of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactCard {
    pub name: Option<String>,
    /// Phone numbers and addresses, as written, in the card's order.
    pub handles: Vec<String>,
    /// Further cards in the same file.
    pub more: usize,
}

/// What is known of a sticker (`messages-format.md` 11.5).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sticker {
    pub kind: StickerKind,
    /// The bundle id of the app or pack it comes from.
    pub pack: Option<String>,
    pub effect: Option<StickerEffect>,
    pub placement: Option<Placement>,
}

/// Where a sticker comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StickerKind {
    /// Made from a description by Apple Intelligence.
    Genmoji,
    /// Memoji and Animoji.
    Memoji,
    /// Cut out of a photo by somebody.
    UserMade,
    /// Of a sticker app or pack.
    #[default]
    App,
}

/// How a sticker that somebody made is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StickerEffect {
    Outline,
    Comic,
    Puffy,
    Shiny,
}

/// Where a sticker lies on the bubble it was placed on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Its center, as fractions of the bubble's width and height, from the upper left corner. Often outside 0 to 1.
    pub x: f64,
    pub y: f64,
    /// Its size, relative to the bubble's width.
    pub scale: f64,
    /// Clockwise, in radians.
    pub rotation: f64,
    /// Width of the bubble on the sender's device, in points, where it is known.
    pub parent_width: Option<f64>,
}
