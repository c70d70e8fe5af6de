//! Check In (`messages-format.md` 10.7): when somebody is expected, or was, in the query of the URL.

use super::template;
use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::Node;
use crate::pipeline::decode::{date, url};

/// (parameter, state, key of `data` for its date), the first that is there counting. Which of started and ended a
/// `reported` one is, only its title says, in the sender's language.
const STATES: [(&str, &str, &str); 3] = [
    ("estimatedEndTime", "running", "expected_end"),
    ("triggerTime", "late", "missed"),
    ("sendDate", "reported", "sent"),
];

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let known = template::fill(root, card);
    let query = card.url.as_deref().map(url::query).unwrap_or_default();
    let value = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    if let Some((_, state, _)) = STATES.iter().find(|(parameter, ..)| value(parameter).is_some()) {
        card.data.push(("state", Value::Text((*state).to_owned())));
    }
    for (parameter, _, key) in STATES {
        let date = value(parameter).and_then(date::from_unix_text);
        card.data.extend(date.map(|date| (key, Value::Date(date))));
    }
    for (parameter, key) in [("messageType", "message_type"), ("interfaceVersion", "interface_version")] {
        let number = value(parameter).and_then(|number| number.parse().ok());
        card.data.extend(number.map(|number| (key, Value::Integer(number))));
    }
    known
}
