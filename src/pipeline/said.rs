//! What a message says, in words: the one place that decides by which words it can be found.
//!
//! Words of ours are none of it: neither what sort of thing an announcement or a file is, nor who is named by whom in a
//! book of addresses.
//!
//! **Must never**: leave out what an export has as the message's own words.

use crate::model::{Balloon, Message, MessageKind, PartContent, Value, Was};

/// Every text that a message says now: its own and its subject; what its card, its poll, its files and their
/// transcriptions say; a translation; the name that a conversation is given. Some may be there twice.
pub fn now(message: &Message) -> Vec<&str> {
    let mut said = Vec::new();
    // What is said of a message that is elsewhere is found there.
    if message.kind == MessageKind::Tapback {
        return said;
    }
    of_parts(message, &mut said);
    said.extend(message.subject.as_deref());
    if let Some(balloon) = &message.balloon {
        of_card(balloon, &mut said);
    }
    for attachment in message.attachments.iter().filter(|attachment| !attachment.hidden) {
        said.extend(
            [&attachment.name, &attachment.transcription, &attachment.description]
                .into_iter()
                .flatten()
                .map(String::as_str),
        );
    }
    said.extend(message.translation.as_ref().map(|translation| translation.text.as_str()));
    said.extend(message.announcement.as_ref().and_then(|announcement| announcement.title.as_deref()));
    said
}

/// What it said before it was edited, unsent or changed without an edit, and its card before it was changed, oldest first; what is said still may be among
/// it.
pub fn before(message: &Message) -> Vec<&str> {
    let mut said: Vec<&str> = message.edits.iter().map(|edit| edit.text.as_str()).collect();
    said.extend(message.altered.iter().flatten().rev().map(String::as_str));
    said.extend(message.was.iter().rev().filter_map(|otherwise| match &otherwise.was {
        Was::Said(text) | Was::Answered(text) => Some(text.as_str()),
        _ => None,
    }));
    let states = message.balloon.iter().flat_map(|balloon| balloon.facts());
    for (_, states) in states.filter(|(name, _)| *name == "earlier") {
        of_states(states, &mut said);
    }
    said
}

/// Each part by itself: nothing stands between them in the text of the whole, and the last word of one is not the first of
/// the next.
fn of_parts<'b>(message: &'b Message, said: &mut Vec<&'b str>) {
    let parts = message.parts.iter().filter_map(|part| match &part.content {
        PartContent::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let before = said.len();
    said.extend(parts);
    if said.len() == before {
        said.extend(message.text());
    }
}

fn of_card<'b>(balloon: &'b Balloon, said: &mut Vec<&'b str>) {
    let texts = [&balloon.title, &balloon.subtitle, &balloon.summary, &balloon.url];
    said.extend(texts.into_iter().flatten().chain(&balloon.lines).map(String::as_str));
    said.extend(balloon.options.iter().map(|option| option.text.as_str()));
}

/// The states that a card had: a list of maps, of which only these are words.
fn of_states<'b>(states: &'b Value, said: &mut Vec<&'b str>) {
    let Value::List(states) = states else { return };
    let entries = states.iter().filter_map(|state| match state {
        Value::Map(entries) => Some(entries),
        _ => None,
    });
    for (name, value) in entries.flatten() {
        match (name.as_str(), value) {
            ("title" | "subtitle" | "summary" | "url", Value::Text(text)) => said.push(text),
            ("lines", Value::List(lines)) => said.extend(lines.iter().filter_map(|line| match line {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            })),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Announcement, AnnouncementKind, Attachment, Edit, PollOption, Translation};

    #[test]
    fn everything_that_is_said_is_said() {
        let text = |text: &str| Some(text.to_owned());
        let file = |name: &str, hidden| Attachment { name: text(name), hidden, ..Attachment::default() };
        let spoken =
            Attachment { transcription: text("spoken"), description: text("shown"), ..file("file", false) };
        let earlier = vec![
            ("by".to_owned(), Value::Text("nobody".into())),
            ("title".to_owned(), Value::Text("before".into())),
            ("lines".to_owned(), Value::List(vec![Value::Text("line before".into())])),
        ];
        let balloon = Balloon {
            title: text("title"),
            subtitle: text("subtitle"),
            summary: text("summary"),
            url: text("url"),
            lines: vec!["line".into()],
            options: vec![PollOption { text: "option".into(), ..PollOption::default() }],
            data: vec![("earlier", Value::List(vec![Value::Map(earlier)]))],
            ..Balloon::default()
        };
        let message = Message {
            joined_text: text("text"),
            subject: text("subject"),
            attachments: vec![spoken, file("helper", true)],
            edits: vec![Edit { part: 0, date: None, text: "edited".into() }],
            balloon: Some(Box::new(balloon)),
            translation: Some(Box::new(Translation {
                text: "translated".into(),
                language: None,
                source_language: None,
            })),
            announcement: Some(Box::new(Announcement {
                kind: AnnouncementKind::Renamed,
                handle: None,
                name: None,
                about_me: false,
                title: text("new name"),
                call: None,
            })),
            ..Message::default()
        };
        assert_eq!(
            now(&message),
            [
                "text",
                "subject",
                "title",
                "subtitle",
                "summary",
                "url",
                "line",
                "option",
                "file",
                "spoken",
                "shown",
                "translated",
                "new name"
            ]
        );
        assert_eq!(before(&message), ["edited", "before", "line before"]);
        assert_eq!(now(&Message { kind: MessageKind::Tapback, ..message }), [""; 0]);
    }
}
