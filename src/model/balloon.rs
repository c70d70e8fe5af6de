/// An app's payload, turned into the one shape that every writer can show: a card.
#[derive(Debug, Clone, PartialEq)]
pub struct Balloon {
    pub kind: BalloonKind,
    /// The effective bundle id (`messages-format.md` 10.1: the only, or the third part).
    pub bundle_id: Option<String>,
    /// The app's name.
    pub app: Option<String>,
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub summary: Option<String>,
    /// As sent; hostile text. A writer links only to `http`, `https`, `mailto`, `tel` and `sms`.
    pub url: Option<String>,
    /// Further lines of the card, top to bottom.
    pub lines: Vec<String>,
    /// Indices into [`Message::attachments`](crate::model::Message::attachments): the card's pictures.
    pub attachments: Vec<usize>,
}

/// Which app made a balloon; `App` for every app without a kind of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BalloonKind {
    Url,
    Music,
    AppStore,
    Place,
    Collaboration,
    Pay,
    CheckIn,
    FindMy,
    Poll,
    Business,
    Handwriting,
    DigitalTouch,
    Slideshow,
    Fitness,
    Game,
    App,
}
