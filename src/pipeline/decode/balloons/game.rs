//! Games whose state is a `data:` URL (`messages-format.md` 10.11). What the state means only the game knows.

use crate::model::{Balloon, BalloonKind, Value};
use crate::pipeline::decode::url;

/// Makes an app's card a game's where its URL says so, or it is one.
pub fn recognize(card: &mut Balloon) {
    if !matches!(card.kind, BalloonKind::App | BalloonKind::Game) {
        return;
    }
    let query = card.url.as_deref().filter(|url| url.starts_with("data:?")).map(url::query);
    let query = query.unwrap_or_default();
    let has = |name| query.iter().any(|(n, _)| n == name);
    if card.kind == BalloonKind::Game || (has("ver") && has("data")) {
        card.kind = BalloonKind::Game;
        let state: Vec<_> = query.into_iter().map(|(name, value)| (name, Value::Text(value))).collect();
        if !state.is_empty() {
            card.data.push(("state", Value::Map(state)));
        }
    }
}
