//! Which of two states of a row knows more of what happened to it: where both are there, that one is shown.
//!
//! A device never takes back what it knows of a message, so that most states of one are further than those before them, and
//! two devices can be told apart by that. Where it is no help, each says other things.
//!
//! **Must never**: make of what a source has no column for something that did not happen.

use rusqlite::types::ValueRef;

use super::kind::Kind;
use super::places::number;
use super::spelling::is_dangling;
use crate::pipeline::changes_noted;

/// A state of a row, beside the one that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// It was edited after that.
    Later,
    /// It is of before an edit.
    Earlier,
    /// It says all that the other one says, and more.
    More,
    /// It does not say all of that, and nothing more.
    Less,
    /// As much, or other things.
    Other {
        /// Whether it came further: of two that are first met, whichever is read first.
        further: bool,
    },
}

const EDITED: &str = "date_edited";

/// Lists every edit, one without a date, too.
const SUMMARY: &str = "message_summary_info";

/// Columns of messages that Messages fills in as things happen to what is there already, and does not empty again
/// (`messages-format.md` 2.3): of two states that one has of a time after the other's.
const FILLED_IN: [&str; 10] = [
    "date_delivered",
    "date_played",
    "date_read",
    "date_recovered",
    "date_retracted",
    "is_delivered",
    "is_finished",
    "is_played",
    "is_read",
    "is_sent",
];

/// Retracted, recovered, played, read, delivered; whether a scheduled one was sent, and when any was; whether it was by another service,
/// failed, expired; how long an attachment is: what is greater is further.
const REACHED: [&str; 11] = [
    "date_retracted",
    "date_recovered",
    "date_played",
    "date_read",
    "date_delivered",
    "schedule_state",
    "date",
    "was_downgraded",
    "error",
    "expire_state",
    "total_bytes",
];

/// What a row of these `columns` (lower case) and `values` says beside the one that is shown; `shown`: a column of that one, by its
/// name.
pub fn beside<'s>(
    kind: Kind,
    columns: &[String],
    values: &[ValueRef<'_>],
    shown: impl Fn(&str) -> ValueRef<'s>,
) -> Beside {
    let own = |name: &str| columns.iter().position(|own| own == name).and_then(|at| values.get(at)).copied();
    let reached = |value: Option<ValueRef<'_>>| match value {
        Some(ValueRef::Integer(number)) => number,
        _ => 0,
    };
    let of_both = |name: &str| (reached(own(name)), reached(Some(shown(name))));
    match of_both(EDITED) {
        (is, was) if is > was => return Beside::Later,
        (is, was) if is < was => return Beside::Earlier,
        _ => {}
    }
    let noted = |value: Option<ValueRef<'_>>| match value {
        Some(ValueRef::Blob(summary)) => changes_noted(summary),
        _ => 0,
    };
    match (noted(own(SUMMARY)), noted(Some(shown(SUMMARY)))) {
        (is, was) if is > was => return Beside::Later,
        (is, was) if is < was => return Beside::Earlier,
        _ => {}
    }
    let names_somebody = |name: &&str| {
        own(name).is_some_and(|value| !is_dangling(value) && number(value) > 0 && is_dangling(shown(name)))
    };
    if kind.refers_to_handles().iter().any(names_somebody) {
        return Beside::More;
    }
    let filled =
        FILLED_IN.iter().filter_map(|name| Some((number(own(name)?) != 0, number(shown(name)) != 0)));
    let (more, less) =
        filled.fold((false, false), |(more, less), (is, was)| (more || is && !was, less || was && !is));
    match (more, less) {
        (true, false) => Beside::More,
        (false, true) => Beside::Less,
        _ => {
            let is_further = REACHED.map(of_both).into_iter().find(|(is, was)| is != was);
            Beside::Other { further: is_further.is_some_and(|(is, was)| is > was) }
        }
    }
}
