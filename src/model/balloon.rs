use std::sync::Arc;

use super::{Drawing, Instant, Sender};

/// An app's payload, turned into the one shape that every writer can show: a card.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// A poll's options, in the order of the poll.
    pub options: Vec<PollOption>,
    /// What was drawn, for a message that is a drawing.
    pub drawing: Option<Box<Drawing>>,
    /// What only this kind of app message says, for programs: names and values. What people should see of it is in the
    /// fields above as well.
    pub data: Vec<(&'static str, Value)>,
    /// The same where it was read back from an export, under whatever names stand there.
    pub told: Vec<(String, Value)>,
}

impl Balloon {
    /// What only this kind of app message says, wherever it was read.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &Value)> {
        let told = self.told.iter().map(|(name, value)| (name.as_str(), value));
        self.data.iter().map(|(name, value)| (*name, value)).chain(told)
    }

    /// The files of pictures that came inside the payload, the most telling first: the card's, as its
    /// [`attachments`](Balloon::attachments) are. Their bytes are a stranger's.
    pub fn pictures(&self) -> impl Iterator<Item = &[u8]> {
        let lists = self.facts().filter_map(|(name, value)| match value {
            Value::List(pictures) if name == "pictures" => Some(pictures),
            _ => None,
        });
        lists.flatten().filter_map(|picture| match picture {
            Value::Map(pairs) => pairs.iter().find_map(|(name, value)| match value {
                Value::Bytes(bytes) if name == "bytes" => Some(bytes.as_slice()),
                _ => None,
            }),
            _ => None,
        })
    }
}

/// Something to choose in a poll.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PollOption {
    pub text: String,
    /// Who chose it, in the order of their votes. A vote that was changed or taken back is not among them.
    pub voters: Vec<Voter>,
}

/// Somebody's vote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Voter {
    pub from_me: bool,
    /// `None` when `from_me`.
    pub sender: Option<Arc<Sender>>,
    pub date: Option<Instant>,
}

/// A value of [`Balloon::data`]: what JSON can say, and dates and bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    /// Finite.
    Real(f64),
    Text(String),
    Date(Instant),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Which app made a balloon; `App` for every app without a kind of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
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
    #[default]
    App,
}
