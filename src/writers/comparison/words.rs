//! What a comparison says, in words.

use crate::compare::{Comparison, Counts, Difference, Gaps, Month, Reason, Side};
use crate::writers::phrase::{count, grouped};

/// Stretches of months that are named; the rest is counted.
const STRETCHES: usize = 4;

/// Why, in a few words. "There" is the side that lacks it.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::RecentlyDeleted => "moved to Recently Deleted there",
        Reason::Deleted => "deleted",
        Reason::ConversationDeleted => "deleted with their conversation",
        Reason::AgedOut => "older than what is kept there",
        Reason::Newer => "newer than everything there",
        Reason::OtherAccount => "of an address not in use there",
        Reason::NotForwarded => "SMS or RCS, not forwarded there",
        Reason::NeverSynced => "never synced with iCloud",
        Reason::Unexplained => "unexplained",
    }
}

/// What the evidence is, and what it means.
pub fn evidence(reason: Reason) -> &'static str {
    match reason {
        Reason::RecentlyDeleted => {
            "The other side has the message in Recently Deleted only: Messages can still bring it back there. Or it has \
             it no more, and the archive that has it knows that it was moved there."
        }
        Reason::Deleted => {
            "The other side lists the message, or its conversation, as deleted; or the message is in Recently \
             Deleted on the side that has it, and the other side has it no more; or the archive that has it says so."
        }
        Reason::ConversationDeleted => {
            "The archive that has the message knows that it was deleted with its whole conversation."
        }
        Reason::AgedOut => {
            "Older than every message of the other side: Keep Messages removed what was older there, or its \
             history begins later; or the archive that has it says so."
        }
        Reason::Newer => {
            "Newer than every message of the other side, which has not been written to since: an older backup or \
             copy."
        }
        Reason::OtherAccount => {
            "It came to, or was sent from, a number or an address of yours that no message of the other side has."
        }
        Reason::NotForwarded => {
            "SMS and RCS come to the phone, which forwards them to other devices if it is told to. The other side \
             has none from that time on."
        }
        Reason::NeverSynced => {
            "The side that has the message never brought it to iCloud, so that Messages in iCloud could not pass it \
             on."
        }
        Reason::Unexplained => "Nothing in either source says why.",
    }
}

/// What differs, in a word or two.
pub fn difference(difference: Difference) -> &'static str {
    match difference {
        Difference::Edited => "edited",
        Difference::Unsent => "unsent",
        Difference::Attachment => "with attachments on one side only",
        Difference::Read => "read on one side only",
        Difference::Sender => "from somebody else",
        Difference::Date => "of another time",
        Difference::Subject => "with another subject",
        Difference::Service => "over another service",
        Difference::Text => "saying something else without an edit",
        Difference::Bytes => "with other bytes of attachments",
        Difference::Target => "on another message",
        Difference::Reply => "answering another message, or none",
        Difference::Effect => "with another effect",
        Difference::Error => "not delivered on one side only",
    }
}

/// `12 deleted, 3 unexplained`; empty where only one side has nothing.
pub fn reasons(gaps: &Gaps, side: Side) -> String {
    let each = gaps.reasons(side).into_iter();
    let each: Vec<String> = each.map(|(why, count)| format!("{} {}", grouped(count), reason(why))).collect();
    each.join(", ")
}

/// `2 edited, 1 unsent`; empty where nothing differs.
pub fn differences(gaps: &Gaps) -> String {
    let each = gaps.differences().into_iter();
    let each: Vec<String> =
        each.map(|(what, count)| format!("{} {}", grouped(count), difference(what))).collect();
    each.join(", ")
}

/// The months in which something is `counted`, in stretches that end where a month has messages and none of them is:
/// `2019-03 to 2019-05, 2021-01 and 3 more stretches`.
pub fn months(gaps: &Gaps, counted: impl Fn(&Counts) -> u64) -> String {
    let mut stretches: Vec<(Month, Month)> = Vec::new();
    let mut goes_on = false;
    let dated = gaps.months.iter().filter_map(|(month, counts)| Some(((*month)?, counts)));
    for (month, counts) in dated {
        let is_in = counted(counts) > 0;
        match stretches.last_mut() {
            Some((_, last)) if is_in && goes_on => *last = month,
            _ if is_in => stretches.push((month, month)),
            _ => {}
        }
        goes_on = is_in;
    }
    let shown = stretches.iter().take(STRETCHES).map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    });
    let mut words: Vec<String> = shown.collect();
    if gaps.months.get(&None).is_some_and(|counts| counted(counts) > 0) {
        words.push("without a date".into());
    }
    let mut words = words.join(", ");
    match stretches.len().saturating_sub(STRETCHES) {
        0 => {}
        1 => words.push_str(" and 1 more stretch"),
        more => words.push_str(&format!(" and {} more stretches", grouped(more as u64))),
    }
    words
}

/// The result in one sentence.
pub fn verdict(comparison: &Comparison) -> String {
    let counts = &comparison.total.messages;
    let hanging = &comparison.total.hanging;
    if comparison.is_equal() {
        return match counts.both {
            0 => "Both sides have no messages.".into(),
            _ => format!("Both sides have the same {}.", count(counts.both, "message", "messages")),
        };
    }
    if counts.is_equal() {
        let missing = hanging.missing();
        let is = if missing == 1 { "is" } else { "are" };
        let missing = match missing {
            0 => String::new(),
            some => format!("{} {is} on one side only", count(some, "tapback or vote", "tapbacks or votes")),
        };
        let differs = if hanging.different == 1 { "differs" } else { "differ" };
        let different = match hanging.different {
            0 => String::new(),
            some => {
                format!("{} that both have {differs}", count(some, "tapback or vote", "tapbacks or votes"))
            }
        };
        let both = [missing, different].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        return format!("Both sides have the same messages; {}.", both.join(", and "));
    }
    let mut parts = Vec::new();
    for side in Side::BOTH {
        if counts.only(side) > 0 {
            let is = if counts.only(side) == 1 { "is" } else { "are" };
            let messages = count(counts.only(side), "message", "messages");
            parts.push(format!("{messages} {is} only on the {}", side.name()));
        }
    }
    if counts.different > 0 {
        let differ = if counts.different == 1 { "differs" } else { "differ" };
        let messages = count(counts.different, "message", "messages");
        parts.push(format!("{messages} that both have {differ}"));
    }
    let last = parts.pop().unwrap_or_default();
    match parts.is_empty() {
        true => format!("{last}."),
        false => format!("{}, and {last}.", parts.join(", ")),
    }
}

/// `Tapbacks and votes: 3 only on the left`.
pub fn hanging(counts: &Counts) -> String {
    let only = Side::BOTH.into_iter().filter(|side| counts.only(*side) > 0);
    let mut parts: Vec<String> =
        only.map(|side| format!("{} only on the {}", grouped(counts.only(side)), side.name())).collect();
    if counts.different > 0 {
        let differ = if counts.different == 1 { "differs" } else { "differ" };
        parts.push(format!("{} that both have {differ}", grouped(counts.different)));
    }
    format!("Tapbacks and votes: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(only_left: &[(u8, u64)]) -> Gaps {
        let counts = |only_left| Counts { both: 1, only_left, ..Counts::default() };
        let month = |month| Some(Month { year: 2024, month });
        let mut gaps = Gaps::default();
        gaps.months = only_left.iter().map(|(of, only_left)| (month(*of), counts(*only_left))).collect();
        gaps
    }

    #[track_caller]
    fn check(only_left: &[(u8, u64)], expect: &str) {
        assert_eq!(months(&gaps(only_left), |counts| counts.only_left), expect);
    }

    #[test]
    fn a_stretch_goes_on_over_months_without_messages_and_ends_where_there_is_no_gap() {
        check(&[], "");
        check(&[(1, 0), (2, 3)], "2024-02");
        check(&[(1, 1), (2, 3), (5, 1)], "2024-01 to 2024-05");
        check(&[(1, 1), (2, 0), (3, 1)], "2024-01, 2024-03");
        let every_other: Vec<(u8, u64)> = (1..=12).map(|month| (month, u64::from(month % 2))).collect();
        check(&every_other, "2024-01, 2024-03, 2024-05, 2024-07 and 2 more stretches");
    }

    #[test]
    fn what_has_no_date_is_said_last() {
        let mut undated = gaps(&[(1, 1)]);
        undated.months.insert(None, Counts { only_left: 1, ..Counts::default() });
        assert_eq!(months(&undated, |counts| counts.only_left), "2024-01, without a date");
    }

    #[test]
    fn tapbacks_alone_are_said_by_side() {
        let counts = Counts { only_left: 2, only_right: 1, ..Counts::default() };
        assert_eq!(hanging(&counts), "Tapbacks and votes: 2 only on the left, 1 only on the right");
    }
}
