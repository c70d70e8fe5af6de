//! A message in one line, for lists of messages.
//!
//! **Must never**: leave out words that a message says.

use super::{CardLine, Phrases, balloon_label, one_line, translation, unsent};
use crate::model::{Attachment, Message, PartContent, Unsent};
use crate::writers::clock::Clock;

impl Phrases {
    /// `Look at this! [IMG_0042.heic]`, or what happened. Who says it is left out, save where that is a sentence.
    pub fn in_a_line(&self, message: &Message, clock: &mut Clock) -> String {
        let mut words: Vec<String> = self.event(message).into_iter().collect();
        words.extend(message.subject.as_deref().map(|subject| format!("{} —", one_line(subject))));
        let sent = message.date.map(|date| clock.local(date));
        for part in &message.parts {
            match &part.content {
                PartContent::Text { text, .. } => words.push(one_line(text).into_owned()),
                PartContent::Attachment(at) => words.extend(message.attachments.get(*at).map(file)),
                PartContent::Balloon => {}
                PartContent::Unsent { date } => {
                    let date = date.map(|date| clock.local(date));
                    let what = message.unsent.unwrap_or(Unsent::Part);
                    words.push(format!("[{}]", unsent(self, message, what, date.as_ref(), sent.as_ref())));
                }
            }
        }
        if message.parts.is_empty() {
            words.extend(message.text().map(|text| one_line(text).into_owned()));
        }
        if let Some(balloon) = &message.balloon {
            let label = balloon_label(balloon);
            let lines =
                self.balloon_lines(balloon, sent.as_ref(), clock).into_iter().map(|line| match line {
                    CardLine::Text(line) => line,
                    CardLine::Option(option) => self.option(option),
                });
            let lines: Vec<String> = lines.collect();
            words.push(match lines.is_empty() {
                true => format!("[{label}]"),
                false => format!("[{label}: {}]", lines.join(" · ")),
            });
        }
        words.extend(message.translation.as_deref().map(|said| format!("({})", translation(said))));
        let words: Vec<&str> = words.iter().flat_map(|words| words.split_whitespace()).collect();
        match words.is_empty() {
            true => "[Empty message]".into(),
            false => words.join(" "),
        }
    }
}

/// A file by its name, and what is said or shown in it.
fn file(attachment: &Attachment) -> String {
    let name = attachment.name.as_deref().map_or("attachment".into(), one_line);
    let said = [&attachment.transcription, &attachment.description].into_iter().flatten();
    let said: String = said.map(|words| format!(": “{}”", one_line(words))).collect();
    format!("[{name}{said}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Balloon, Part, PollOption, Translation};

    #[test]
    fn all_that_is_said_is_in_the_line() {
        let text = |text: &str| Some(text.to_owned());
        let part = |index, content| Part { index, content };
        let message = Message {
            subject: text("About\nit"),
            parts: vec![
                part(0, PartContent::Text { text: "look  here\u{1b}".into(), styles: Vec::new() }),
                part(1, PartContent::Attachment(0)),
                part(2, PartContent::Attachment(1)),
            ],
            attachments: vec![
                Attachment { name: text("a.caf"), transcription: text("call me"), ..Attachment::default() },
                Attachment::default(),
            ],
            translation: Some(Box::new(Translation {
                text: "sieh".into(),
                language: text("de"),
                source_language: None,
            })),
            ..Message::default()
        };
        let line = |message: &Message| Phrases::new("Me").in_a_line(message, &mut Clock::new(chrono_tz::UTC));
        assert_eq!(
            line(&message),
            "About it — look here\u{241b} [a.caf: “call me”] [attachment] (Translation (de): sieh)"
        );
        let options = vec![PollOption { text: "Rye".into(), ..PollOption::default() }];
        let poll = Balloon { app: text("Polls"), title: text("Which bread?"), options, ..Balloon::default() };
        let poll = Message {
            parts: vec![part(0, PartContent::Balloon)],
            balloon: Some(Box::new(poll)),
            ..Message::default()
        };
        assert_eq!(line(&poll), "[Polls: Which bread? · Rye: 0 votes]");
        assert_eq!(line(&Message::default()), "[Empty message]");
    }
}
