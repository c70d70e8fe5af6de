//! Something to say, in several scripts.

use super::crowd::Rng;

const ENGLISH: &[&str] = &[
    "the",
    "a",
    "I",
    "you",
    "we",
    "it",
    "is",
    "was",
    "and",
    "but",
    "so",
    "then",
    "when",
    "if",
    "to",
    "of",
    "in",
    "on",
    "at",
    "for",
    "with",
    "about",
    "tomorrow",
    "today",
    "tonight",
    "later",
    "never",
    "always",
    "maybe",
    "please",
    "thanks",
    "sorry",
    "bread",
    "butter",
    "flour",
    "oven",
    "cake",
    "rye",
    "tea",
    "coffee",
    "lighthouse",
    "ferry",
    "harbor",
    "fog",
    "rain",
    "wind",
    "gull",
    "cat",
    "dog",
    "bicycle",
    "garden",
    "kitchen",
    "train",
    "ticket",
    "meeting",
    "call",
    "photo",
    "recipe",
    "birthday",
    "weekend",
    "Monday",
    "Friday",
    "morning",
    "evening",
    "home",
    "work",
    "school",
    "dinner",
    "lunch",
    "bring",
    "send",
    "see",
    "know",
    "think",
    "make",
    "bake",
    "find",
    "forget",
    "remember",
    "want",
    "need",
    "love",
    "wait",
    "leave",
    "arrive",
    "good",
    "great",
    "funny",
    "strange",
    "late",
    "early",
    "warm",
    "cold",
    "delicious",
    "absolutely",
    "honestly",
    "really",
    "just",
    "still",
    "again",
    "already",
];
const GERMAN: &[&str] = &[
    "wir",
    "treffen",
    "uns",
    "morgen",
    "früh",
    "am",
    "Hafen",
    "und",
    "fahren",
    "über",
    "die",
    "Brücke",
    "zum",
    "Bäcker",
    "schöne",
    "Grüße",
    "natürlich",
    "gemütlich",
    "Straße",
];
const GREEK: &[&str] = &["καλημέρα", "το", "ψωμί", "είναι", "έτοιμο", "πάμε", "στη", "θάλασσα"];
const RUSSIAN: &[&str] = &["привет", "хлеб", "уже", "готов", "увидимся", "завтра", "у", "маяка"];
const ARABIC: &[&str] = &["مرحبا", "الخبز", "جاهز", "غدا", "عند", "المنارة", "شكرا"];
const HEBREW: &[&str] = &["שלום", "הלחם", "מוכן", "מחר", "ליד", "המגדלור", "תודה"];
const HINDI: &[&str] = &["नमस्ते", "रोटी", "तैयार", "है", "कल", "मिलेंगे", "धन्यवाद"];
const THAI: &[&str] = &["สวัสดี", "ขนมปัง", "พร้อมแล้ว", "เจอกัน", "พรุ่งนี้"];
const JAPANESE: &[&str] = &["パンが", "焼けました", "明日", "灯台で", "会いましょう", "ありがとう"];
const CHINESE: &[&str] = &["面包", "烤好了", "明天", "在灯塔", "见面", "谢谢你"];
const KOREAN: &[&str] = &["빵이", "다", "됐어요", "내일", "등대에서", "만나요"];
const EMOJI: &[&str] = &["😂", "❤️", "🥐", "👍🏽", "🎉", "👩‍🍳", "🇩🇰", "🙈", "☔️", "🥖🧈"];
const SHORT: &[&str] =
    &["ok", "yes", "no", "On my way", "👍", "lol", "Thanks!", "😂😂", "Where are you?", "Good night"];

/// A message: often two words, mostly a sentence or two, now and then a long story; about 80 bytes on average.
pub(super) fn sentence(rng: &mut Rng) -> String {
    let (words, separator) = match rng.below(100) {
        0..12 => return rng.pick(SHORT).to_owned(),
        12..84 => (ENGLISH, " "),
        84..89 => (GERMAN, " "),
        89..91 => (GREEK, " "),
        91..93 => (RUSSIAN, " "),
        93 => (ARABIC, " "),
        94 => (HEBREW, " "),
        95 => (HINDI, " "),
        96 => (THAI, ""),
        97 => (JAPANESE, ""),
        98 => (CHINESE, ""),
        _ => (KOREAN, " "),
    };
    let count = match rng.below(100) {
        0..40 => 3 + rng.below(7),
        40..85 => 8 + rng.below(15),
        85..99 => 20 + rng.below(30),
        _ => 80 + rng.below(120),
    };
    let mut text = String::with_capacity(count as usize * 7);
    for index in 0..count {
        if index > 0 {
            text.push_str(match rng.below(12) {
                0 if index % 3 == 0 => ", ",
                _ => separator,
            });
        }
        text.push_str(rng.pick(words));
    }
    match rng.below(10) {
        0 | 1 => {
            text.push(' ');
            text.push_str(rng.pick(EMOJI));
        }
        2 => text.push('?'),
        3 => text.push('!'),
        4..8 => text.push('.'),
        _ => {}
    }
    text
}
