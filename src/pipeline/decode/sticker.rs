//! `sticker_user_info` and `attribution_info`: where a sticker comes from and where it lies, and what a picture shows in
//! words (`messages-format.md` 11.4, 11.5).

use super::keyed::{Archive, Node};
use crate::model::{Placement, Sticker, StickerKind};

/// What `sticker_user_info` says. `None` when it is no property list.
pub fn sticker(info: &[u8]) -> Option<Sticker> {
    let archive = Archive::read(info).ok()?;
    let root = archive.root();
    let pack = root.get("pid").and_then(Node::text);
    Some(Sticker {
        kind: pack.as_deref().map_or(StickerKind::App, kind),
        pack,
        effect: None,
        placement: placement(root),
    })
}

/// The accessibility label in `attribution_info`: what the picture shows.
pub fn label(attribution: &[u8]) -> Option<String> {
    Archive::read(attribution).ok()?.root().get("accessl").and_then(Node::text)
}

/// By the id of the pack or app, which may be the last of three parts (`com.apple.messages.MSMessageExtension…:team:id`).
fn kind(pack: &str) -> StickerKind {
    match pack.rsplit(':').next().unwrap_or(pack) {
        "com.apple.messages.genmoji" => StickerKind::Genmoji,
        "com.apple.Animoji.StickersApp.MessagesExtension" | "com.apple.Jellyfish.Animoji" => {
            StickerKind::Memoji
        }
        "com.apple.Stickers.UserGenerated.MessagesExtension" => StickerKind::UserMade,
        _ => StickerKind::App,
    }
}

/// `None` where there is no place, and where one of its numbers is none that can be drawn.
fn placement(root: Node<'_>) -> Option<Placement> {
    let number = |key| root.get(key).and_then(real);
    let placement = Placement {
        x: number("sxs")?,
        y: number("sys")?,
        scale: number("ssa").filter(|scale| *scale > 0.0).unwrap_or(1.0),
        rotation: number("sro").unwrap_or(0.0),
        parent_width: number("spw").filter(|width| *width > 0.0),
    };
    Some(placement)
}

/// A number; some are written as text.
fn real(node: Node<'_>) -> Option<f64> {
    let number =
        node.real().or_else(|| node.stored_text().filter(|t| t.size() <= 64)?.decode().trim().parse().ok());
    number.filter(|n: &f64| n.is_finite())
}

#[cfg(test)]
mod tests {
    use plist::{Dictionary, Value};

    use super::*;

    fn blob(pairs: &[(&str, Value)]) -> Vec<u8> {
        let pairs: Dictionary = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let mut bytes = Vec::new();
        Value::Dictionary(pairs).to_writer_binary(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_sticker_says_where_it_comes_from_and_where_it_lies() {
        let info = blob(&[
            (
                "pid",
                "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.Jellyfish.Animoji"
                    .into(),
            ),
            ("sxs", 0.75.into()),
            ("sys", "-0.5".into()),
            ("ssa", 0.5.into()),
            ("sro", (-0.25).into()),
            ("spw", 240.into()),
        ]);
        let facts = sticker(&info).unwrap();
        assert_eq!(facts.kind, StickerKind::Memoji);
        let expected = Placement { x: 0.75, y: -0.5, scale: 0.5, rotation: -0.25, parent_width: Some(240.0) };
        assert_eq!(facts.placement, Some(expected));
    }

    #[test]
    fn what_is_not_said_is_not_made_up() {
        let facts = sticker(&blob(&[("pid", "com.example.pack".into()), ("sxs", 1.into())])).unwrap();
        assert_eq!((facts.kind, facts.placement), (StickerKind::App, None));
        assert_eq!(facts.pack.as_deref(), Some("com.example.pack"));
        let odd = blob(&[("sxs", f64::NAN.into()), ("sys", f64::INFINITY.into()), ("pid", 7.into())]);
        assert_eq!(sticker(&odd), Some(Sticker::default()));
        assert_eq!(sticker(b""), None);
        assert_eq!(sticker(b"bplist00"), None);
        for (pack, expected) in [
            ("com.apple.messages.genmoji", StickerKind::Genmoji),
            ("com.apple.Stickers.UserGenerated.MessagesExtension", StickerKind::UserMade),
            ("com.apple.Animoji.StickersApp.MessagesExtension", StickerKind::Memoji),
        ] {
            assert_eq!(sticker(&blob(&[("pid", pack.into())])).unwrap().kind, expected);
        }
    }

    #[test]
    fn an_accessibility_label_is_a_description() {
        let info = blob(&[("accessl", "A drawing".into()), ("pgensh", 100.into())]);
        assert_eq!(label(&info).as_deref(), Some("A drawing"));
        assert_eq!(label(&blob(&[("accessl", "".into())])), None);
        assert_eq!(label(b"junk"), None);
    }
}
