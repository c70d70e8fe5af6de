//! Links to the App Store (`messages-format.md` 10.5).

use super::url::{Page, copy, text};
use crate::model::{Balloon, BalloonKind};

/// Fills the card where the page is of an app.
pub fn fill(page: &Page<'_>, card: &mut Balloon) -> bool {
    let known = page.special(&["LPiTunesMediaSoftwareMetadata"], "isMessagesOnlyApp");
    // Where the class is not stored, what only apps have tells.
    let Some(app) = known.or_else(|| page.special(&[], "platform")) else {
        return false;
    };
    card.kind = BalloonKind::AppStore;
    card.title = text(app, "name").or(card.title.take());
    card.subtitle = text(app, "subtitle").or(card.subtitle.take());
    card.lines.extend(["platform", "genre"].into_iter().filter_map(|key| text(app, key)));
    let names = [
        ("name", "name"),
        ("platform", "platform"),
        ("genre", "genre"),
        ("storeIdentifier", "store_id"),
        ("storeFrontIdentifier", "storefront"),
        ("isMessagesOnlyApp", "messages_only"),
        ("previewVideo", "preview_video"),
    ];
    copy(app, &names, card);
    true
}
