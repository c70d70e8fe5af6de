//! How schema 1 spells what is one of several: one table for who writes it and who reads it back.
//!
//! **Must never**: change a spelling, or give two things one.

use super::{
    AnnouncementKind, Availability, BalloonKind, CategoryKind, ConversationKind, Effect, MessageKind,
    StickerEffect, StickerKind, Style, TapbackKind, Unsent,
};

/// Both ways from one list, and the compiler sees to it that nothing is missing.
macro_rules! spelled {
    ($($type:ident { $($variant:ident => $word:literal,)+ })+) => {$(
        impl $type {
            /// As JSON spells it.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $word,)+
                }
            }

            /// What JSON spells so; `None` for what is not in schema 1.
            pub fn named(name: &str) -> Option<$type> {
                Some(match name {
                    $($word => $type::$variant,)+
                    _ => return None,
                })
            }
        }
    )+};
}

spelled! {
    MessageKind {
        Message => "message",
        Announcement => "announcement",
        Tapback => "tapback",
        Vote => "vote",
    }
    ConversationKind {
        Direct => "direct",
        Group => "group",
        Orphaned => "orphaned",
    }
    Availability {
        Local => "local",
        InICloud => "in_icloud",
        Missing => "missing",
        Expired => "expired",
    }
    StickerKind {
        Genmoji => "genmoji",
        Memoji => "memoji",
        UserMade => "user_made",
        App => "app",
    }
    StickerEffect {
        Outline => "outline",
        Comic => "comic",
        Puffy => "puffy",
        Shiny => "shiny",
    }
    AnnouncementKind {
        ParticipantAdded => "participant_added",
        ParticipantRemoved => "participant_removed",
        ParticipantLeft => "participant_left",
        Renamed => "renamed",
        NameRemoved => "name_removed",
        PhotoChanged => "photo_changed",
        PhotoRemoved => "photo_removed",
        BackgroundChanged => "background_changed",
        BackgroundRemoved => "background_removed",
        NumberChanged => "number_changed",
        LocationStarted => "location_started",
        LocationStopped => "location_stopped",
        AudioKept => "audio_kept",
        SharePlay => "shareplay",
        Unknown => "unknown",
    }
    Unsent {
        Part => "part",
        All => "all",
    }
    CategoryKind {
        Promotion => "promotion",
        Transaction => "transaction",
    }
    BalloonKind {
        Url => "url",
        Music => "music",
        AppStore => "app_store",
        Place => "place",
        Collaboration => "collaboration",
        Pay => "pay",
        CheckIn => "check_in",
        FindMy => "find_my",
        Poll => "poll",
        Business => "business",
        Handwriting => "handwriting",
        DigitalTouch => "digital_touch",
        Slideshow => "slideshow",
        Fitness => "fitness",
        Game => "game",
        App => "app",
    }
}

/// The same for kinds that hold something: `named` gives them empty.
macro_rules! spelled_by_sort {
    ($($type:ident { $($pattern:pat => $word:literal => $empty:expr,)+ })+) => {$(
        impl $type {
            /// As JSON spells what sort it is.
            pub fn name(&self) -> &'static str {
                match self {
                    $($pattern => $word,)+
                }
            }

            /// What sort JSON spells so, without what it holds; `None` for what is not in schema 1.
            pub fn named(name: &str) -> Option<$type> {
                Some(match name {
                    $($word => $empty,)+
                    _ => return None,
                })
            }
        }
    )+};
}

spelled_by_sort! {
    TapbackKind {
        TapbackKind::Loved => "loved" => TapbackKind::Loved,
        TapbackKind::Liked => "liked" => TapbackKind::Liked,
        TapbackKind::Disliked => "disliked" => TapbackKind::Disliked,
        TapbackKind::Laughed => "laughed" => TapbackKind::Laughed,
        TapbackKind::Emphasized => "emphasized" => TapbackKind::Emphasized,
        TapbackKind::Questioned => "questioned" => TapbackKind::Questioned,
        TapbackKind::Emoji(_) => "emoji" => TapbackKind::Emoji(String::new()),
        TapbackKind::Sticker(_) => "sticker" => TapbackKind::Sticker(None),
    }
    Style {
        Style::Bold => "bold" => Style::Bold,
        Style::Italic => "italic" => Style::Italic,
        Style::Underline => "underline" => Style::Underline,
        Style::Strikethrough => "strikethrough" => Style::Strikethrough,
        Style::Big => "big" => Style::Big,
        Style::Small => "small" => Style::Small,
        Style::Shake => "shake" => Style::Shake,
        Style::Nod => "nod" => Style::Nod,
        Style::Explode => "explode" => Style::Explode,
        Style::Ripple => "ripple" => Style::Ripple,
        Style::Bloom => "bloom" => Style::Bloom,
        Style::Jitter => "jitter" => Style::Jitter,
        Style::Link { .. } => "link" => Style::Link { target: String::new() },
        Style::Mention { .. } => "mention" => Style::Mention { target: String::new() },
        Style::OneTimeCode { .. } => "one_time_code" => Style::OneTimeCode { code: None },
        Style::Data(_) => "data" => Style::Data(None),
    }
}

/// The effects that have a word; any other is its raw id.
const EFFECTS: [(Effect, &str); 13] = [
    (Effect::Slam, "slam"),
    (Effect::Loud, "loud"),
    (Effect::Gentle, "gentle"),
    (Effect::InvisibleInk, "invisible_ink"),
    (Effect::Echo, "echo"),
    (Effect::Spotlight, "spotlight"),
    (Effect::Balloons, "balloons"),
    (Effect::Confetti, "confetti"),
    (Effect::Love, "love"),
    (Effect::Lasers, "lasers"),
    (Effect::Fireworks, "fireworks"),
    (Effect::ShootingStar, "shooting_star"),
    (Effect::Celebration, "celebration"),
];

impl Effect {
    /// `slam`, …; the raw id of an effect that is not known.
    pub fn name(&self) -> &str {
        match self {
            Effect::Other(id) => id,
            known => EFFECTS.iter().find(|(effect, _)| effect == known).map_or("", |(_, name)| name),
        }
    }

    /// What JSON spells so: what has no word is a raw id.
    pub fn named(name: &str) -> Effect {
        let known = EFFECTS.iter().find(|(_, word)| *word == name);
        known.map_or_else(|| Effect::Other(name.to_owned()), |(effect, _)| effect.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_has_its_word_and_an_unknown_one_is_its_id() {
        for (effect, name) in &EFFECTS {
            assert_eq!(effect.name(), *name);
            assert_eq!(Effect::named(name), *effect);
        }
        assert_eq!(Effect::named("com.example.new").name(), "com.example.new");
    }

    #[test]
    fn what_holds_something_is_named_by_its_sort() {
        assert_eq!(TapbackKind::named("emoji").unwrap().name(), "emoji");
        assert_eq!(Style::named("link").unwrap().name(), "link");
        assert_eq!(BalloonKind::named("check_in").unwrap().name(), "check_in");
        assert!(Style::named("wobble").is_none());
    }
}
