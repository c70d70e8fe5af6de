//! The template that all app messages share (`messages-format.md` 10.3).

use crate::model::{Balloon, BalloonKind};
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
    if card.kind == BalloonKind::App && card.url.as_deref().is_some_and(is_game) {
        card.kind = BalloonKind::Game;
    }
    texts.is_some() || card.summary.is_some() || card.url.is_some() || root.get("an").is_some()
}

/// Games keep the state of play in a URL of this form (`messages-format.md` 10.11).
fn is_game(url: &str) -> bool {
    url.strip_prefix("data:?").is_some_and(|query| {
        let has = |name| query.split('&').any(|part| part.starts_with(name));
        has("ver=") && has("data=")
    })
}
