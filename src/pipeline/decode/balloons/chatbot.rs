//! Cards that a company's chatbot sends over RCS (`messages-format.md` 10.1), as far as they are the general purpose
//! cards of GSMA RCC.71, section 3.6.10: JSON.

use serde_json::Value as Json;

use super::business::words;
use crate::model::Balloon;
use crate::pipeline::decode::keyed::from_json;

/// Fills the card of a payload that is JSON and no property list.
pub fn fill(payload: &[u8], card: &mut Balloon) -> bool {
    let json = serde_json::from_slice(payload);
    json.is_ok_and(|json| self::card(&json, card))
}

/// Fills the card where the JSON is one card or a row of them.
pub(super) fn card(json: &Json, card: &mut Balloon) -> bool {
    let message = json.get("message").unwrap_or(json);
    let one = message.get("generalPurposeCard").and_then(|card| card.get("content"));
    let row = message.get("generalPurposeCardCarousel").and_then(|row| row.get("content")?.as_array());
    let cards: Vec<&Json> = one.into_iter().chain(row.into_iter().flatten()).collect();
    let Some((first, others)) = cards.split_first() else { return false };
    card.title = words(first.get("title")).or(card.title.take());
    card.summary = words(first.get("description")).or(card.summary.take());
    suggestions(first, card);
    for other in others {
        card.lines.extend(["title", "description"].iter().filter_map(|key| words(other.get(key))));
        suggestions(other, card);
    }
    suggestions(message, card);
    card.data.extend(from_json(message).map(|content| ("content", content)));
    true
}

/// What there is to tap.
fn suggestions(json: &Json, card: &mut Balloon) {
    let list = json.get("suggestions").and_then(Json::as_array).into_iter().flatten();
    let text = |suggestion: &Json| {
        let kind = suggestion.get("reply").or_else(|| suggestion.get("action"))?;
        words(kind.get("displayText"))
    };
    card.lines.extend(list.filter_map(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_cards() {
        let json = br#"{"message":{"generalPurposeCardCarousel":{"layout":{},"content":[
            {"title":"Rye","description":"Dark","suggestions":[{"reply":{"displayText":"Order"}}]},
            {"title":"Wheat","media":{"mediaUrl":"https://example.com/w.jpg"}}]}},
            "suggestions":[]}"#;
        let mut card = Balloon::default();
        assert!(fill(json, &mut card));
        assert_eq!((card.title.as_deref(), card.summary.as_deref()), (Some("Rye"), Some("Dark")));
        assert_eq!(card.lines, ["Order", "Wheat"]);
        assert!(format!("{:?}", card.data).contains("https://example.com/w.jpg"));
        assert!(!fill(b"{\"x\":1}", &mut Balloon::default()));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(!fill(deep.as_bytes(), &mut Balloon::default()));
    }
}
