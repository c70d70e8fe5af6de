use std::collections::BTreeSet;

use chrono_tz::Tz;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use msgarchive::pipeline::ExportError;
use msgarchive::pipeline::select::{Has, Selection, Without, parse_moment};
use msgarchive::writers::export;
use msgarchive::writers::phrase;

use super::reading_options::Opened;
use super::{Failure, moment, report};

/// Which conversations, which dates, which messages.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selecting (default: everything)")]
pub struct SelectionOptions {
    #[command(flatten)]
    scope: ScopeOptions,
    /// Messages that say this, or did before they were edited, in any case
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    text: Option<String>,
    /// Messages that carry one of these: image, video, audio, document, link
    #[arg(long, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true, value_parser = has())]
    has: Vec<Has>,
    /// Leave these out: junk, deleted, announcements
    #[arg(long, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true, value_parser = without())]
    without: Vec<Without>,
}

/// Which conversations, which dates, which services: what can be told without looking into a message.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selecting (default: everything)")]
pub struct ScopeOptions {
    /// Exactly this conversation, by id or title; repeatable
    #[arg(long, value_name = "ID|TITLE", value_parser = NonEmptyStringValueParser::new())]
    conversation: Vec<String>,
    /// The one-to-one conversation with this person (name, number or address), no groups
    #[arg(long, value_name = "PERSON", value_parser = NonEmptyStringValueParser::new())]
    only: Vec<String>,
    /// Every conversation this person takes part in
    #[arg(long, value_name = "PERSON", value_parser = NonEmptyStringValueParser::new())]
    with: Vec<String>,
    /// Leave out a conversation, or the one-to-one conversation with a person; repeatable
    #[arg(long, value_name = "ID|TITLE|PERSON", value_parser = NonEmptyStringValueParser::new())]
    exclude: Vec<String>,
    /// From this moment on: 2024-05-01, 2024-05-01T13:30, or an age such as 90d, 6m, 1y
    #[arg(long, value_name = "MOMENT")]
    since: Option<String>,
    /// Up to this moment, which is not part of it
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Messages sent over this service: iMessage, SMS or RCS
    #[arg(long, value_name = "SERVICE", value_delimiter = ',', ignore_case = true, hide_possible_values = true,
        value_parser = PossibleValuesParser::new(SERVICES))]
    service: Vec<String>,
}

/// Services as the rows store them.
const SERVICES: [&str; 4] = ["iMessage", "SMS", "RCS", "iMessageLite"];

pub fn has() -> impl TypedValueParser<Value = Has> {
    named(Has::NAMES)
}

fn without() -> impl TypedValueParser<Value = Without> {
    named(Without::NAMES)
}

/// Takes one of the words of a table.
pub fn named<T: Copy + Send + Sync + 'static>(
    names: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name)).try_map(|word| {
        names.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or("unknown")
    })
}

/// For a selection that took no message: the same failure, with what the selected conversations do hold.
pub fn explain(
    failure: ExportError,
    opened: &Opened,
    selection: &Selection,
    jobs: usize,
    zone: Tz,
) -> Failure {
    let ExportError::NothingSelected { lost } = failure else { return failure.into() };
    let conversations = Selection {
        conversations: selection.conversations.clone(),
        only: selection.only.clone(),
        with: selection.with.clone(),
        exclude: selection.exclude.clone(),
        ..Selection::default()
    };
    let there_is = export::list(opened.source.as_ref(), &opened.contacts, &conversations, jobs, &()).ok();
    let there_is = there_is.map(|held| {
        let services: BTreeSet<&str> =
            held.conversations.iter().flat_map(|c| &c.conversation.services).map(String::as_str).collect();
        format!(
            "without --since, --until, --service, --text, --has and --without there are {} in {}{}, over {}",
            phrase::count(held.rows.messages, "message", "messages"),
            phrase::count(held.conversations.len() as u64, "conversation", "conversations"),
            report::period(&held, zone),
            services.into_iter().collect::<Vec<_>>().join(", "),
        )
    });
    let lost = phrase::what_is_lost(&lost, opened.source.info().with.is_empty());
    Failure::NothingSelected { known: lost.into_iter().chain(there_is).collect() }
}

impl ScopeOptions {
    /// Dates are read in `zone`, ages count back from the moment of reading.
    pub fn selection(&self, zone: Tz) -> Result<Selection, Failure> {
        let now = moment::of_reading()?;
        let moment = |option: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => parse_moment(text, zone, now)
                .map(Some)
                .map_err(|why| Failure::Usage(format!("{option}: {why}"))),
        };
        let (since, until) = (moment("--since", &self.since)?, moment("--until", &self.until)?);
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(Failure::Usage("--since is not before --until: no message can be in between".into()));
        }
        Ok(Selection {
            conversations: self.conversation.clone(),
            only: self.only.clone(),
            with: self.with.clone(),
            exclude: self.exclude.clone(),
            since,
            until,
            services: self.service.clone(),
            ..Selection::default()
        })
    }
}

impl SelectionOptions {
    /// Dates are read in `zone`, ages count back from the moment of reading.
    pub fn selection(&self, zone: Tz) -> Result<Selection, Failure> {
        Ok(Selection {
            text: self.text.clone(),
            has: self.has.clone(),
            without: self.without.clone(),
            ..self.scope.selection(zone)?
        })
    }

    /// As given, for the manifest: name and value.
    pub fn as_given(&self) -> Vec<(String, String)> {
        let word = |names: &[(&'static str, Has)], value: &Has| {
            names.iter().find(|(_, v)| v == value).map_or("", |(name, _)| name).to_owned()
        };
        let left_out = |value: &Without| {
            Without::NAMES.iter().find(|(_, v)| v == value).map_or("", |(name, _)| name).to_owned()
        };
        let lists: [(&str, Vec<String>); 10] = [
            ("conversation", self.scope.conversation.clone()),
            ("only", self.scope.only.clone()),
            ("with", self.scope.with.clone()),
            ("exclude", self.scope.exclude.clone()),
            ("since", self.scope.since.iter().cloned().collect()),
            ("until", self.scope.until.iter().cloned().collect()),
            ("service", self.scope.service.clone()),
            ("text", self.text.iter().cloned().collect()),
            ("has", self.has.iter().map(|h| word(Has::NAMES, h)).collect()),
            ("without", self.without.iter().map(left_out).collect()),
        ];
        lists
            .into_iter()
            .flat_map(|(name, values)| values.into_iter().map(move |value| (name.to_owned(), value)))
            .collect()
    }
}
