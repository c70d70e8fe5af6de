//! Vote rows → who chose what in a poll: `messages-format.md` 10.9.
//!
//! **Must never**: forget a vote for an option that is not in the poll any more.

use std::sync::Arc;

use super::cards::person;
use super::decode::balloons::poll::{self, Poll, Vote};
use super::decode::date::instant;
use super::normalize::{RowKind, row_kind, sender};
use super::roster::Roster;
use crate::model::{Balloon, Instant, Sender, Value, Voter};
use crate::source::RawMessage;

/// Somebody's choice that stands so far.
struct Standing {
    option: String,
    voter: Voter,
}

/// Puts the voters to the options of a poll's card, from all rows that point at the poll or at an update of it. Each vote
/// row says all that the people it names choose; one that names nobody takes its sender's back.
pub fn count(raw: &RawMessage, roster: &Roster, card: &mut Balloon, defects: &mut Vec<String>) {
    let rows = || std::iter::once(raw).chain(&raw.associated);
    let states = || rows().filter(|row| row_kind(row) != RowKind::Vote);
    let polls: Vec<Poll> = states().filter_map(|row| poll::poll(row.payload_data.as_deref()?)).collect();
    let Some(newest) = polls.last() else { return };

    let ballots: Vec<(&RawMessage, Vec<Vote>)> = raw
        .associated
        .iter()
        .filter(|row| row_kind(row) == RowKind::Vote)
        .filter_map(|row| match row.payload_data.as_deref().and_then(poll::votes) {
            Some(votes) => Some((row, votes)),
            None => {
                defects.push("a vote in this poll was not understood".into());
                None
            }
        })
        .collect();
    let mine = own_addresses(raw, roster, &ballots);

    let mut standing: Vec<Standing> = Vec::new();
    for (row, votes) in &ballots {
        let cast: Vec<(Voter, &str)> = votes
            .iter()
            .map(|vote| (voter(&vote.voter, row, votes, &mine, roster), vote.option.as_str()))
            .collect();
        let named: Vec<Voter> = match cast.is_empty() {
            true => vec![of_sender(row, roster)],
            false => cast.iter().map(|(voter, _)| voter.clone()).collect(),
        };
        // A choice that is made again stays the choice that it was.
        standing.retain(|old| {
            let is_named = named.iter().any(|voter| same(voter, &old.voter, roster));
            let again = || {
                cast.iter().any(|(voter, option)| {
                    same(voter, &old.voter, roster) && option.eq_ignore_ascii_case(&old.option)
                })
            };
            !is_named || again()
        });
        for (voter, option) in cast {
            let is_new = !standing
                .iter()
                .any(|old| same(&voter, &old.voter, roster) && option.eq_ignore_ascii_case(&old.option));
            if is_new {
                standing.push(Standing { option: option.to_owned(), voter });
            }
        }
    }
    let mut others: Vec<(String, Vec<Value>)> = Vec::new();
    for Standing { option, voter } in standing {
        let place = newest.options.iter().position(|choice| choice.id.eq_ignore_ascii_case(&option));
        match place.and_then(|place| card.options.get_mut(place)) {
            Some(option) => option.voters.push(voter),
            None => match others.iter_mut().find(|(id, _)| id.eq_ignore_ascii_case(&option)) {
                Some((_, voters)) => voters.push(described(&voter)),
                None => others.push((option, vec![described(&voter)])),
            },
        }
    }
    // Options that were taken out of the poll, and those of which only votes are known.
    let before = polls.iter().flat_map(|poll| &poll.options);
    let mut removed: Vec<(String, Option<String>)> = Vec::new();
    let gone = before.map(|choice| (choice.id.clone(), Some(choice.text.clone())));
    for (id, text) in gone.chain(others.iter().map(|(id, _)| (id.clone(), None))) {
        let is = |other: &str| other.eq_ignore_ascii_case(&id);
        if !newest.options.iter().any(|choice| is(&choice.id)) && !removed.iter().any(|(other, _)| is(other))
        {
            removed.push((id, text));
        }
    }
    if !removed.is_empty() {
        let entry = |(id, text): (String, Option<String>)| {
            let voters = others.iter().find(|(other, _)| other.eq_ignore_ascii_case(&id));
            let voters = voters.map(|(_, voters)| voters.clone()).unwrap_or_default();
            let mut entry = vec![("id".to_owned(), Value::Text(id))];
            entry.extend(text.map(|text| ("text".to_owned(), Value::Text(text))));
            entry.push(("voters".to_owned(), Value::List(voters)));
            Value::Map(entry)
        };
        card.data.push(("removed_options", Value::List(removed.into_iter().map(entry).collect())));
    }
}

/// What a vote says whose poll is not in the source.
pub fn alone(raw: &RawMessage, roster: &Roster, card: &mut Balloon, defects: &mut Vec<String>) {
    let Some(votes) = raw.payload_data.as_deref().and_then(poll::votes) else {
        if raw.payload_data.is_some() {
            defects.push("this vote was not understood".into());
        }
        return;
    };
    let ballots = [(raw, votes)];
    let mine = own_addresses(raw, roster, &ballots);
    let [(_, votes)] = &ballots;
    let entry = |vote: &Vote| {
        let voter = voter(&vote.voter, raw, votes, &mine, roster);
        let entries = [("option", Value::Text(vote.option.clone())), ("voter", described(&voter))];
        Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
    };
    card.data.push(("votes", Value::List(votes.iter().map(entry).collect())));
    // Nothing but the poll says what they are called.
    card.lines.extend(votes.iter().map(|vote| vote.option.clone()));
    if votes.is_empty() {
        card.data.push(("taken_back_by", person(raw, roster)));
    }
}

/// The owner's addresses, as far as the rows tell.
fn own_addresses(raw: &RawMessage, roster: &Roster, ballots: &[(&RawMessage, Vec<Vote>)]) -> Vec<String> {
    let rows = std::iter::once(raw).chain(&raw.associated);
    // An account is written `E:me@example.com` or `P:+12025550100`.
    let bare = |address: &String| {
        address.strip_prefix("E:").or(address.strip_prefix("P:")).unwrap_or(address).to_owned()
    };
    let mut mine: Vec<String> = rows.flat_map(|row| row.own_addresses.iter().map(bare)).collect();
    // Who made a poll that the owner sent is the owner, and so is the one voter of a vote that the owner sent.
    let poll = raw.payload_data.as_deref().filter(|_| raw.is_from_me && row_kind(raw) != RowKind::Vote);
    mine.extend(poll.and_then(|payload| poll::poll(payload)?.creator));
    let cast = ballots.iter().filter(|(row, _)| row.is_from_me);
    mine.extend(cast.filter_map(|(_, votes)| only_voter(votes, roster).map(str::to_owned)));
    mine
}

/// The one person that a row names.
fn only_voter<'v>(votes: &'v [Vote], roster: &Roster) -> Option<&'v str> {
    let first = votes.first()?;
    votes.iter().all(|vote| roster.same_address(&vote.voter, &first.voter)).then_some(first.voter.as_str())
}

/// Who an address in a vote row is.
fn voter(address: &str, row: &RawMessage, votes: &[Vote], mine: &[String], roster: &Roster) -> Voter {
    let date = instant(row.date);
    let me = Voter { from_me: true, sender: None, date };
    if row.is_from_me && only_voter(votes, roster).is_some() {
        return me;
    }
    if let Some(sender) = sender(row.is_from_me, row.handle_id, roster)
        && is(address, &sender, roster)
    {
        return Voter { from_me: false, sender: Some(sender), date };
    }
    if mine.iter().any(|own| roster.same_address(own, address)) {
        return me;
    }
    let participant = roster.participant(address);
    // Of several in a row of the owner's, the one whom nobody knows is the owner.
    if row.is_from_me && participant.is_none() {
        return me;
    }
    let handle =
        participant.and_then(|p| p.handles.iter().find(|handle| roster.same_address(handle, address)));
    let handle = handle.cloned().unwrap_or_else(|| address.to_owned());
    let name = roster.name_of(address).map(str::to_owned);
    Voter { from_me: false, sender: Some(Arc::new(Sender { handle: Some(handle), name })), date }
}

fn is(address: &str, sender: &Sender, roster: &Roster) -> bool {
    let other = Sender { handle: Some(address.to_owned()), name: None };
    sender.handle.as_deref().is_some_and(|handle| roster.same_address(handle, address))
        || roster.same_person(sender, &other)
}

/// The person who sent a row.
fn of_sender(row: &RawMessage, roster: &Roster) -> Voter {
    let sender = sender(row.is_from_me, row.handle_id, roster);
    Voter { from_me: row.is_from_me, sender, date: instant(row.date) }
}

fn same(a: &Voter, b: &Voter, roster: &Roster) -> bool {
    match (&a.sender, &b.sender) {
        _ if a.from_me || b.from_me => a.from_me == b.from_me,
        (Some(a), Some(b)) => a == b || roster.same_person(a, b),
        _ => false,
    }
}

fn described(voter: &Voter) -> Value {
    let date: Option<Instant> = voter.date;
    let sender = voter.sender.as_deref();
    let entries = [
        ("handle", sender.and_then(|s| s.handle.clone()).map(Value::Text)),
        ("name", sender.and_then(|s| s.name.clone()).map(Value::Text)),
        ("from_me", Some(Value::Boolean(voter.from_me))),
        ("date", date.map(Value::Date)),
    ];
    Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
