//! Link previews and what they can be of (`messages-format.md` 10.4, 10.5).

use crate::model::{Balloon, BalloonKind};
use crate::pipeline::decode::keyed::Node;

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let wrapped = root.get("richLinkMetadata").or_else(|| root.get("metadata"));
    let page = wrapped.unwrap_or(root);
    let text = |key| page.get(key).and_then(Node::text);
    let last = page.get("URL").and_then(Node::url);
    let sent = page.get("originalURL").and_then(Node::url);
    card.url = sent.or_else(|| last.clone());
    if root.get("richLinkIsPlaceholder").and_then(Node::bool) == Some(true) {
        return true; // never fetched: there is nothing but the URL
    }
    card.title = text("title");
    card.subtitle = text("siteName");
    card.summary = text("summary");
    specialize(page, card);
    let redirected = |last: &String| {
        let url = card.url.as_deref().unwrap_or("");
        last.trim_end_matches('/') != url.trim_end_matches('/')
    };
    card.lines.extend(last.filter(redirected));
    wrapped.is_some() || card.url.is_some() || card.title.is_some()
}

/// In the order of `messages-format.md` 10.5: the first that fits.
fn specialize(page: Node<'_>, card: &mut Balloon) {
    let special = || ["specialization", "specialization2"].into_iter().filter_map(|key| page.get(key));
    let text = |node: Node<'_>, key| node.get(key).and_then(Node::text);
    let shared = special().find(|node| class_is(*node, &["LPSharedObjectMetadata"]));
    let collaboration = page.get("collaborationMetadata");
    if collaboration.is_some() || shared.and_then(|s| s.get("isCollaboration")?.bool()) == Some(true) {
        card.kind = BalloonKind::Collaboration;
        let cloud = shared.and_then(|shared| shared.get("specialization"));
        card.app = cloud.and_then(|cloud| text(cloud, "application"));
        let title = collaboration.and_then(|c| text(c, "title"));
        let title = title.or_else(|| cloud.and_then(|cloud| text(cloud, "title")));
        card.title = card.title.take().or(title);
        if card.url.is_none() {
            card.url = collaboration.and_then(|c| c.get("collaborationIdentifier")?.url());
        }
    } else if let Some(song) = special().find(|node| node.get("album").is_some() || class_is(*node, MUSIC)) {
        card.kind = BalloonKind::Music;
        card.title = text(song, "name").or(card.title.take());
        card.subtitle = text(song, "artist").or(card.subtitle.take());
        card.lines.extend(text(song, "album"));
        card.lines.extend(song.path(&["lyricExcerpt", "lyrics"]).and_then(Node::text));
    } else if let Some(app) = special().find(|node| class_is(*node, &["LPiTunesMediaSoftwareMetadata"])) {
        card.kind = BalloonKind::AppStore;
        card.title = text(app, "name").or(card.title.take());
        card.subtitle = text(app, "subtitle").or(card.subtitle.take());
        card.lines.extend(["platform", "genre"].into_iter().filter_map(|key| text(app, key)));
    } else if let Some(place) =
        special().find(|node| node.get("address").is_some() || class_is(*node, &["LPMapMetadata"]))
    {
        card.kind = BalloonKind::Place;
        card.title = card.title.take().or_else(|| text(place, "name"));
        card.lines.extend(text(place, "address"));
    }
}

const MUSIC: &[&str] = &[
    "LPiTunesMediaSongMetadata",
    "LPiTunesMediaAlbumMetadata",
    "LPiTunesMediaPlaylistMetadata",
    "LPiTunesMediaArtistMetadata",
    "LPiTunesMediaMusicVideoMetadata",
    "LPiTunesMediaRadioMetadata",
    "LPiTunesUserProfileMetadata",
];

fn class_is(node: Node<'_>, classes: &[&str]) -> bool {
    node.class().is_some_and(|class| classes.contains(&class.as_str()))
}
