//! The template that all app messages share (`messages-format.md` 10.3): what an app without a kind of its own says.

use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::Node;

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let text = |key| root.get(key).and_then(Node::text);
    let texts = root.get("userInfo");
    // All of these are there as a rule, and empty as a rule.
    let template = |key| texts.and_then(|texts| texts.get(key)).and_then(Node::text);
    card.app = text("an").or_else(|| card.app.take());
    card.title = template("caption");
    card.subtitle = template("subcaption");
    card.summary = text("ldtext");
    card.url = root.get("URL").and_then(Node::url);
    let lines = ["image-title", "image-subtitle", "secondary-subcaption", "tertiary-subcaption"];
    card.lines = lines.into_iter().filter_map(template).collect();
    let data = [
        ("session", root.get("sessionIdentifier").and_then(Node::uuid).map(Value::Text)),
        ("app_store_id", root.get("appid").and_then(Node::integer).map(Value::Integer)),
        ("accessibility", text("AccessibilityLabel").map(Value::Text)),
        ("image", root.get("image").and_then(Node::data).map(|bytes| Value::Bytes(bytes.to_vec()))),
    ];
    card.data.extend(data.into_iter().filter_map(|(name, value)| Some((name, value?))));
    texts.is_some() || card.summary.is_some() || card.url.is_some() || root.get("an").is_some()
}
