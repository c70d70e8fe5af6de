//! An app's card in words, the same for every kind of app.
//!
//! **Must never**: know what a kind of app message means. Dates of a card's data have words by their names.

use std::borrow::Cow;
use std::collections::HashSet;

use super::time::day_and_time;
use super::{Phrases, count, one_line};
use crate::model::{Balloon, BalloonKind, PollOption, Value, Voter};
use crate::writers::clock::{Clock, Local};

/// Dates in a card's data that people want to see, and what is said before them.
const DATES: [(&str, &str); 5] = [
    ("expected_end", "Expected by"),
    ("missed", "Was expected by"),
    ("sent", "Sent"),
    ("created", "Created"),
    ("updated", "Last changed"),
];

/// What sort of app made a balloon: its name, else what it is.
pub fn balloon_label(balloon: &Balloon) -> String {
    let kind = match balloon.kind {
        BalloonKind::Url => "Link",
        BalloonKind::Music => "Music",
        BalloonKind::AppStore => "App Store",
        BalloonKind::Place => "Place",
        BalloonKind::Collaboration => "Collaboration",
        BalloonKind::Pay => "Apple Cash",
        BalloonKind::CheckIn => "Check In",
        BalloonKind::FindMy => "Find My",
        BalloonKind::Poll => "Poll",
        BalloonKind::Business => "Business",
        BalloonKind::Handwriting => "Handwritten message",
        BalloonKind::DigitalTouch => "Digital Touch",
        BalloonKind::Slideshow => "Slideshow",
        BalloonKind::Fitness => "Fitness",
        BalloonKind::Game => "Game",
        BalloonKind::App => "App",
    };
    match balloon.app.as_deref().map(one_line) {
        Some(app) if !app.is_empty() => app.into_owned(),
        _ => kind.into(),
    }
}

/// A line of a card.
#[derive(Debug, Clone, PartialEq)]
pub enum CardLine<'b> {
    Text(String),
    /// Something to choose: [`Phrases::option`] has it in words.
    Option(&'b PollOption),
}

impl Phrases {
    /// The lines of a card, top to bottom, each once: title, subtitle, summary, the others, options, dates, the address.
    /// `sent` is when the message was.
    pub fn balloon_lines<'b>(
        &self,
        balloon: &'b Balloon,
        sent: Option<&Local>,
        clock: &mut Clock,
    ) -> Vec<CardLine<'b>> {
        let mut lines: Vec<CardLine<'b>> = Vec::new();
        let mut said: HashSet<String> = HashSet::new();
        let mut add = |line: Cow<'_, str>, lines: &mut Vec<CardLine<'b>>| {
            if !line.is_empty() && !said.contains(line.as_ref()) {
                said.insert(line.clone().into_owned());
                lines.push(CardLine::Text(line.into_owned()));
            }
        };
        let texts = [&balloon.title, &balloon.subtitle, &balloon.summary].into_iter().flatten();
        for text in texts.chain(&balloon.lines) {
            add(one_line(text), &mut lines);
        }
        lines.extend(balloon.options.iter().map(CardLine::Option));
        for (key, words) in DATES {
            for (_, value) in balloon.facts().filter(|(name, _)| *name == key) {
                if let Value::Date(date) = value {
                    let at = day_and_time(&clock.local(*date), sent);
                    let who = balloon.facts().find(|(name, _)| name.strip_suffix("_by") == Some(key));
                    let who = who.and_then(|(_, who)| self.person(who));
                    let who = who.map(|who| format!(" by {who}")).unwrap_or_default();
                    add(format!("{words} {at}{who}").into(), &mut lines);
                }
            }
        }
        // Apps keep their data in URLs too: those are for programs, unless there is nothing else.
        let nothing_else = lines.is_empty() && balloon.facts().all(|(name, _)| name == "raw");
        if let Some(url) = balloon.url.as_deref().filter(|url| nothing_else || is_for_people(url)) {
            add(one_line(url), &mut lines);
        }
        lines
    }

    /// Somebody in a card's data, as the object of a sentence.
    fn person(&self, who: &Value) -> Option<String> {
        let Value::Map(entries) = who else { return None };
        let value = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        match (value("from_me"), value("name").or(value("handle"))) {
            (Some(Value::Boolean(true)), _) => Some(self.to_me.clone()),
            (_, Some(Value::Text(name))) => Some(one_line(name).into_owned()),
            _ => None,
        }
    }

    /// `Rye: 2 votes (Ana Abbott, you)`.
    pub fn option(&self, option: &PollOption) -> String {
        let text = one_line(&option.text);
        let text = if text.trim().is_empty() { "Option without text".into() } else { text };
        let votes = count(option.voters.len() as u64, "vote", "votes");
        // Who chose it, in the order of their votes.
        let name = |voter: &Voter| match (voter.from_me, &voter.sender) {
            (true, _) => self.to_me.clone(),
            (false, Some(sender)) => one_line(sender.label()).into_owned(),
            (false, None) => "somebody".to_owned(),
        };
        let who = option.voters.iter().map(name).collect::<Vec<_>>().join(", ");
        if who.is_empty() { format!("{text}: {votes}") } else { format!("{text}: {votes} ({who})") }
    }
}

/// Whether somebody can do something with a URL.
fn is_for_people(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.eq_ignore_ascii_case("data")
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}
