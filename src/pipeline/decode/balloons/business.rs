//! Messages for Business (`messages-format.md` 10.10): what a company asks, in JSON beside the template.

use serde_json::Value as Json;

use super::{chatbot, template};
use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::{Node, from_json};
use crate::pipeline::decode::url;

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let known = template::fill(root, card);
    let data = root
        .get("data")
        .and_then(|data| data.data().map(<[u8]>::to_vec).or(data.text().map(String::into_bytes)));
    let json: Option<Json> = data.and_then(|data| serde_json::from_slice(&data).ok());
    let Some(json) = json else {
        legacy(card);
        return known;
    };
    let request = words(json.get("requestIdentifier"));
    card.data.extend(request.map(|id| ("request", Value::Text(id))));
    if !(quick_reply(&json, card)
        || list_picker(&json, card)
        || form(&json, card)
        || chatbot::card(&json, card))
    {
        // Authentication, times, Apple Pay: nobody has described them.
        legacy(card);
        card.data.extend(from_json(&json).map(|json| ("content", json)));
    }
    true
}

/// A text that is not empty.
pub(super) fn words(json: Option<&Json>) -> Option<String> {
    json?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn interaction(card: &mut Balloon, name: &str) {
    card.data.push(("interaction", Value::Text(name.to_owned())));
}

/// Title and subtitle of things to choose, as lines and for programs.
fn items<'j>(items: impl IntoIterator<Item = &'j Json>, card: &mut Balloon) {
    let mut list = Vec::new();
    for item in items {
        let texts = [("title", words(item.get("title"))), ("subtitle", words(item.get("subtitle")))];
        let line: Vec<&str> = texts.iter().filter_map(|(_, text)| text.as_deref()).collect();
        if !line.is_empty() {
            card.lines.push(line.join(": "));
        }
        let id = ("id", words(item.get("identifier")));
        let entries = texts.into_iter().chain([id]);
        list.push(Value::Map(
            entries.filter_map(|(name, text)| Some((name.to_owned(), Value::Text(text?)))).collect(),
        ));
    }
    card.data.push(("items", Value::List(list)));
}

fn quick_reply(json: &Json, card: &mut Balloon) -> bool {
    let Some(reply) = json.get("quick-reply") else { return false };
    let Some(choices) = reply.get("items").and_then(Json::as_array) else { return false };
    let question = words(reply.get("summaryText")).or_else(|| card.summary.clone());
    card.title = question.or(card.title.take());
    match reply.get("selectedIndex").and_then(Json::as_u64) {
        Some(selected) => {
            interaction(card, "quick_reply_response");
            let chosen = usize::try_from(selected).ok().and_then(|i| choices.get(i));
            card.subtitle = chosen.and_then(|item| words(item.get("title"))).or(card.subtitle.take());
            card.data.extend(i64::try_from(selected).ok().map(|i| ("selected", Value::Integer(i))));
        }
        None => interaction(card, "quick_reply"),
    }
    items(choices, card);
    true
}

fn list_picker(json: &Json, card: &mut Balloon) -> bool {
    let Some(picker) = json.get("listPicker") else { return false };
    let Some(sections) = picker.get("sections").and_then(Json::as_array) else { return false };
    let message = |name: &str| picker.get(name).or_else(|| json.get(name)).filter(|m| !m.is_null());
    let reply = message("replyMessage");
    interaction(card, if reply.is_some() { "list_picker_reply" } else { "list_picker" });
    let heading =
        message("receivedMessage").and_then(|m| words(m.get("title"))).or_else(|| card.summary.clone());
    card.title = heading.or(card.title.take());
    let subtitle = reply.and_then(|m| words(m.get("title")));
    card.subtitle = subtitle.or(card.subtitle.take());
    // A reply lists what was selected, in its first section.
    let shown = if reply.is_some() { sections.get(..1).unwrap_or(sections) } else { sections };
    card.lines.extend(shown.iter().filter_map(|section| words(section.get("title"))));
    items(shown.iter().filter_map(|section| section.get("items")?.as_array()).flatten(), card);
    true
}

fn form(json: &Json, card: &mut Balloon) -> bool {
    let Some(form) = json.get("dynamic").filter(|form| form.is_object()) else { return false };
    let pages = form.get("selections").and_then(Json::as_array).filter(|pages| !pages.is_empty());
    let Some(pages) = pages else {
        interaction(card, "form");
        card.title = card.title.take().or_else(|| card.summary.clone());
        card.data.extend(form.get("data").and_then(from_json).map(|form| ("form", form)));
        return true;
    };
    interaction(card, "form_response");
    let mut answers = Vec::new();
    for page in pages {
        let question = words(page.get("subtitle")).or_else(|| words(page.get("title")));
        let chosen = page.get("items").and_then(Json::as_array).into_iter().flatten();
        let chosen: Vec<String> = chosen.filter_map(|item| words(item.get("title"))).collect();
        let line = [question.clone(), Some(chosen.join(", ")).filter(|line| !line.is_empty())];
        let line: Vec<String> = line.into_iter().flatten().collect();
        if !line.is_empty() {
            card.lines.push(line.join(": "));
        }
        let mut entry: Vec<(String, Value)> = Vec::new();
        entry.extend(question.map(|question| ("question".to_owned(), Value::Text(question))));
        entry.push(("answers".to_owned(), Value::List(chosen.into_iter().map(Value::Text).collect())));
        answers.push(Value::Map(entry));
    }
    card.data.push(("answers", Value::List(answers)));
    true
}

/// Older messages say what they have to in the query of their URL.
fn legacy(card: &mut Balloon) {
    let query = card.url.as_deref().map(url::query).unwrap_or_default();
    if query.is_empty() {
        return;
    }
    interaction(card, "legacy");
    let mut said = Vec::new();
    for (name, value) in query {
        let json: Option<Json> = serde_json::from_str(&value).ok().filter(|json: &Json| json.is_object());
        match json {
            Some(json) => {
                card.lines.extend(["title", "subtitle"].iter().filter_map(|key| words(json.get(key))));
                said.extend(from_json(&json).map(|json| (name, json)));
            }
            None => {
                if matches!(name.as_str(), "receivedMessage" | "replyMessage") && !value.is_empty() {
                    card.lines.push(value.clone());
                }
                said.push((name, Value::Text(value)));
            }
        }
    }
    card.data.push(("query", Value::Map(said)));
}
