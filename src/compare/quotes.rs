//! What both sides say of a message that differs, read again: records hold no words.
//!
//! **Must never**: hold more than was asked for, or the whole of a long text.

use super::CompareError;
use super::facts::{effect_of, read_state, sending};
use super::findings::{Finding, Findings, InBoth};
use super::hashing::size;
use super::links::Link;
use super::record::{Read, Record, Sending};
use super::survey::Survey;
use crate::model::{Effect, TapbackKind};
use crate::pipeline::{RowKind, fingerprint, is_hidden, is_local, name_of, row_kind, tapback_sort};
use crate::source::{RawMessage, Session, target_of};

/// Characters of a text that are kept.
const MOST_CHARACTERS: usize = 2_000;

/// Attachments of a message that are named.
const MOST_FILES: usize = 20;

/// A message that both sides have, and that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    pub finding: Finding,
    /// Of the left and of the right side; `None` where its row could not be read again.
    pub words: [Option<Words>; 2],
}

/// What a side says in a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Words {
    /// As it is now; `None` where there is none. The beginning of a long one.
    pub text: Option<String>,
    /// As it was first sent, where the sender changed it.
    pub first: Option<String>,
    /// How often its sender changed it, as far as its versions are there.
    pub edits: usize,
    /// The sender changed it.
    pub edited: bool,
    pub subject: Option<String>,
    /// Of a tapback which one, and whether that is taken back.
    pub tapback: Option<(TapbackKind, bool)>,
    /// How many parts were taken back.
    pub unsent: usize,
    /// It was read; `None`: not known.
    pub read: Option<bool>,
    /// The first attachments that people see.
    pub files: Vec<File>,
    /// Of a tapback or a vote, what it hangs on; of a reply, what it answers.
    pub on: Option<On>,
    /// How it was sent to appear.
    pub effect: Option<Effect>,
    /// Of what the owner sent: that it did not go out, and why, as `message.error` has it.
    pub error: Option<i64>,
    /// Of what the owner sent: it went out.
    pub sent: bool,
}

/// A message that another one points at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct On {
    /// As the row that points at it spells it.
    pub guid: String,
    /// Which part of it, from 0 on; `None` where that is not said.
    pub part: Option<u32>,
    /// It is there. `None` as its text: it has none.
    pub is_there: bool,
    pub text: Option<String>,
}

/// An attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    pub name: Option<String>,
    /// Where that is known.
    pub bytes: Option<u64>,
    pub is_here: bool,
}

/// Of the first `most` messages that differ, and first of those in which both sides contradict each other.
pub(super) fn quotes(
    findings: &Findings,
    [left, right]: &[Survey<'_>; 2],
    most: usize,
) -> Result<Vec<Quote>, CompareError> {
    let mut wanted = findings.in_both().take(most).peekable();
    if wanted.peek().is_none() {
        return Ok(Vec::new());
    }
    let (mut left_session, mut right_session) = (left.source.session()?, right.source.session()?);
    let quotes = wanted.map(|InBoth { finding, records: [of_left, of_right], on: [left_on, right_on] }| {
        let words = [
            both(left, &of_left, left_on, left_session.as_mut())?,
            both(right, &of_right, right_on, right_session.as_mut())?,
        ];
        Ok(Quote { finding, words })
    });
    quotes.collect()
}

/// What a row says, and what the one says that it points at.
fn both(
    survey: &Survey<'_>,
    record: &Record,
    on: Option<Record>,
    session: &mut dyn Session,
) -> Result<Option<Words>, CompareError> {
    let Some(mut words) = again(survey, record, session)? else {
        return Ok(None);
    };
    if let (Some(said), Some(on)) = (&mut words.on, on) {
        said.is_there = true;
        said.text = again(survey, &on, session)?.and_then(|words| words.text);
    }
    Ok(Some(words))
}

fn again(
    survey: &Survey<'_>,
    record: &Record,
    session: &mut dyn Session,
) -> Result<Option<Words>, CompareError> {
    Ok(survey.again(record, session)?.map(|row| words(&row)))
}

fn words(row: &RawMessage) -> Words {
    let said = fingerprint::Words::of(row);
    let beginning = |text: &str| -> String { text.chars().take(MOST_CHARACTERS).collect() };
    let not_empty = |text: &&str| !text.is_empty();
    let title = row.group_title.as_deref().filter(|_| row.item_type != 0);
    let shown = row.attachments.iter().filter(|attachment| !is_hidden(attachment));
    Words {
        text: said.now.as_deref().filter(not_empty).or(title).map(beginning),
        first: said.first_of_edited().map(beginning),
        edits: said.versions.len().saturating_sub(1),
        edited: said.edited,
        subject: row.subject.as_deref().map(str::trim).filter(not_empty).map(beginning),
        tapback: (row_kind(row) == RowKind::Tapback)
            .then(|| (tapback_sort(row), row.associated_message_type >= 3000)),
        unsent: said.unsent.len(),
        read: match read_state(row) {
            Read::Unknown => None,
            Read::No => Some(false),
            Read::Yes => Some(true),
        },
        files: shown
            .take(MOST_FILES)
            .map(|attachment| File {
                name: name_of(attachment).map(beginning),
                bytes: size(attachment),
                is_here: is_local(attachment) || attachment.left_out,
            })
            .collect(),
        on: on(row),
        effect: effect_of(row),
        error: (sending(row) == Sending::Failed).then_some(row.error),
        sent: sending(row) == Sending::Sent,
    }
}

fn on(row: &RawMessage) -> Option<On> {
    let link = Link::of(row);
    let guid = match row_kind(row) {
        RowKind::Own => row.thread_originator_guid.as_deref(),
        _ => row.associated_message_guid.as_deref().map(target_of),
    };
    let guid = guid.filter(|_| !link.is_none())?.to_owned();
    Some(On { guid, part: link.part(), ..On::default() })
}
