//! Polls (`messages-format.md` 10.9): the state of a poll, and votes. Who voted for what in the end takes all the rows
//! of a poll: [`crate::pipeline`] puts them together.

use serde_json::Value as Json;

use super::business::words;
use super::template;
use crate::model::{Balloon, PollOption, Value};
use crate::pipeline::decode::keyed::{Archive, Node};
use crate::pipeline::decode::url;

/// What there is to choose in a poll, at some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Poll {
    pub title: Option<String>,
    /// An address in any spelling.
    pub creator: Option<String>,
    pub options: Vec<Choice>,
}

/// One thing to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// A UUID.
    pub id: String,
    pub text: String,
    /// An address in any spelling.
    pub creator: Option<String>,
    pub editable: Option<bool>,
}

/// One person's choice of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// An address in any spelling.
    pub voter: String,
    /// [`Choice::id`].
    pub option: String,
}

/// Fills the card with a poll as one row has it; nobody has voted yet. `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let known = template::fill(root, card);
    if let Some(poll) = card.url.as_deref().and_then(state) {
        show(&poll, card);
    }
    known
}

/// Puts a poll's title and options on its card, and what else is known of them into the data.
fn show(poll: &Poll, card: &mut Balloon) {
    card.title = poll.title.clone().or(card.title.take());
    card.options =
        poll.options.iter().map(|o| PollOption { text: o.text.clone(), voters: Vec::new() }).collect();
    card.data.extend(poll.creator.clone().map(|creator| ("creator", Value::Text(creator))));
    let choice = |choice: &Choice| {
        let creator = choice.creator.clone().map(Value::Text);
        let entries = [
            ("id", Some(Value::Text(choice.id.clone()))),
            ("creator", creator),
            ("editable", choice.editable.map(Value::Boolean)),
        ];
        Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    };
    card.data.push(("choices", Value::List(poll.options.iter().map(choice).collect())));
}

/// The state in a payload.
pub fn poll(payload: &[u8]) -> Option<Poll> {
    state(&Archive::read(payload).ok()?.root().get("URL")?.url()?)
}

/// The votes in a payload, each once; no votes where its sender takes all back. `None` when it is not understood.
pub fn votes(payload: &[u8]) -> Option<Vec<Vote>> {
    let item = item(&Archive::read(payload).ok()?.root().get("URL")?.url()?)?;
    let mut votes = Vec::new();
    for vote in item.get("votes")?.as_array()? {
        let (voter, option) = (words(vote.get("participantHandle")), words(vote.get("voteOptionIdentifier")));
        if let Some((voter, option)) = voter.zip(option) {
            votes.push(Vote { voter, option });
        }
    }
    Some(votes)
}

fn item(url: &str) -> Option<Json> {
    let mut json: Json = serde_json::from_slice(&url::data(url)?).ok()?;
    Some(json.get_mut("item")?.take())
}

fn state(url: &str) -> Option<Poll> {
    let item = item(url)?;
    let options = item.get("orderedPollOptions")?.as_array()?;
    let choice = |json: &Json| Choice {
        id: words(json.get("optionIdentifier")).unwrap_or_default(),
        text: words(json.get("text")).or_else(|| words(json.get("attributedText"))).unwrap_or_default(),
        creator: words(json.get("creatorHandle")),
        editable: json.get("canBeEdited").and_then(Json::as_bool),
    };
    Some(Poll {
        title: words(item.get("title")),
        creator: words(item.get("creatorHandle")),
        options: options.iter().map(choice).collect(),
    })
}
