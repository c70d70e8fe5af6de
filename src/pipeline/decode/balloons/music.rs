//! Links to Apple Music (`messages-format.md` 10.5).

use super::url::{Page, copy, text};
use crate::model::{Balloon, BalloonKind, Value};
use crate::pipeline::decode::keyed::Node;

/// (class, what it is of).
const MEDIA: [(&str, &str); 7] = [
    ("LPiTunesMediaSongMetadata", "song"),
    ("LPiTunesMediaAlbumMetadata", "album"),
    ("LPiTunesMediaPlaylistMetadata", "playlist"),
    ("LPiTunesMediaArtistMetadata", "artist"),
    ("LPiTunesMediaMusicVideoMetadata", "music_video"),
    ("LPiTunesMediaRadioMetadata", "radio"),
    ("LPiTunesUserProfileMetadata", "profile"),
];

/// Fills the card where the page is of music.
pub fn fill(page: &Page<'_>, card: &mut Balloon) -> bool {
    let classes = MEDIA.map(|(class, _)| class);
    let Some(song) = page.special(&classes, "album") else {
        return false;
    };
    card.kind = BalloonKind::Music;
    card.title = text(song, "name").or(card.title.take());
    card.subtitle = text(song, "artist").or(card.subtitle.take());
    card.lines.extend(text(song, "album"));
    let lyrics = song.path(&["lyricExcerpt", "lyrics"]).and_then(Node::text);
    card.lines.extend(lyrics.clone());
    let class = song.class().unwrap_or_default();
    let media = MEDIA.iter().find(|(known, _)| *known == class).map(|(_, media)| (*media).to_owned());
    card.data.extend(media.map(|media| ("media", Value::Text(media))));
    let names = [
        ("name", "name"),
        ("artist", "artist"),
        ("album", "album"),
        ("previewURL", "preview_url"),
        ("storeIdentifier", "store_id"),
        ("storeFrontIdentifier", "storefront"),
        ("offers", "offers"),
        ("curator", "curator"),
        ("genre", "genre"),
    ];
    copy(song, &names, card);
    card.data.extend(lyrics.map(|lyrics| ("lyrics", Value::Text(lyrics))));
    true
}
