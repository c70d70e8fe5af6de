//! What both sides say of a message that differs, read again: records hold no words.
//!
//! **Must never**: hold more than was asked for, or the whole of a long text.

use super::CompareError;
use super::findings::{Finding, Findings};
use super::hashing::size;
use super::record::Record;
use super::survey::Survey;
use crate::model::TapbackKind;
use crate::pipeline::{RowKind, fingerprint, is_hidden, is_local, name_of, row_kind, tapback_sort};
use crate::source::{RawMessage, Session};

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
    let quotes = wanted.map(|(finding, [of_left, of_right])| {
        let words =
            [again(left, &of_left, left_session.as_mut())?, again(right, &of_right, right_session.as_mut())?];
        Ok(Quote { finding, words })
    });
    quotes.collect()
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
        read: match super::survey::read_state(row) {
            super::record::Read::Unknown => None,
            super::record::Read::No => Some(false),
            super::record::Read::Yes => Some(true),
        },
        files: shown
            .take(MOST_FILES)
            .map(|attachment| File {
                name: name_of(attachment).map(beginning),
                bytes: size(attachment),
                is_here: is_local(attachment) || attachment.left_out,
            })
            .collect(),
    }
}
