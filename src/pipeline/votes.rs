//! Vote rows → who chose what in a poll: `messages-format.md` 10.9.
//!
//! **Must never**: forget a vote for an option that is not in the poll any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::cards::person;
use super::decode::balloons::poll::{self, Poll, Vote};
use super::decode::date::instant;
use super::normalize::{RowKind, row_kind, sender};
use super::roster::Roster;
use crate::model::{Balloon, Sender, Value, Voter};
use crate::source::RawMessage;

/// Somebody's choice, as far as it was not taken back.
struct Choice {
    /// In upper case.
    option: String,
    voter: Voter,
    stands: bool,
}

/// The choices so far, in the order in which they were made.
#[derive(Default)]
struct Choices {
    all: Vec<Choice>,
    /// By who made them: those that stand, by option.
    of: HashMap<String, HashMap<String, usize>>,
}

impl Choices {
    /// From now on somebody chooses these options and no others. A choice that is made again stays the choice that it was.
    fn replace(&mut self, who: String, cast: &[(&Voter, &str)]) {
        let before = self.of.remove(&who).unwrap_or_default();
        let mut now: HashMap<String, usize> = HashMap::new();
        for (voter, option) in cast {
            let option = option.to_ascii_uppercase();
            if now.contains_key(&option) {
                continue;
            }
            let at = before.get(&option).copied().unwrap_or(self.all.len());
            if at == self.all.len() {
                self.all.push(Choice { option: option.clone(), voter: (*voter).clone(), stands: true });
            }
            now.insert(option, at);
        }
        for (_, at) in before.iter().filter(|(option, _)| !now.contains_key(*option)) {
            if let Some(choice) = self.all.get_mut(*at) {
                choice.stands = false;
            }
        }
        self.of.insert(who, now);
    }
}

/// Puts the voters to the options of a poll's card, from all rows that point at the poll or at an update of it. Each vote
/// row says all that the people it names choose; one that names nobody takes its sender's back.
pub fn count(raw: &RawMessage, roster: &Roster, card: &mut Balloon, defects: &mut Vec<String>) {
    let states = std::iter::once(raw).chain(&raw.associated).filter(|row| row_kind(row) != RowKind::Vote);
    let polls = states.filter_map(|row| poll::poll(row.payload_data.as_deref()?));
    let polls: Vec<Poll> = polls.filter(|poll| !poll.options.is_empty()).collect();
    let Some(newest) = polls.last() else { return };

    let mut damaged = Vec::new();
    let ballots: Vec<(&RawMessage, Vec<Vote>)> = raw
        .associated
        .iter()
        .filter(|row| row_kind(row) == RowKind::Vote)
        .filter_map(|row| match row.payload_data.as_deref().and_then(poll::votes) {
            Some(votes) => Some((row, votes)),
            None => {
                defects.push("a vote in this poll was not understood".into());
                damaged.push(as_it_is(row, roster));
                None
            }
        })
        .collect();
    if !damaged.is_empty() {
        card.data.push(("damaged_votes", Value::List(damaged)));
    }
    let owner = Owner::of(raw, roster, &ballots);
    let mut choices = Choices::default();
    for (row, votes) in &ballots {
        let cast = voters(row, votes, &owner, roster);
        if cast.is_empty() {
            choices.replace(key(&of_sender(row, roster), roster), &[]);
        }
        // In the order in which the row names them.
        let mut by_voter: Vec<(String, Vec<(&Voter, &str)>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (voter, option) in &cast {
            let who = key(voter, roster);
            let at = *places.entry(who.clone()).or_insert_with(|| {
                by_voter.push((who, Vec::new()));
                by_voter.len() - 1
            });
            if let Some((_, cast)) = by_voter.get_mut(at) {
                cast.push((voter, option));
            }
        }
        for (who, cast) in by_voter {
            choices.replace(who, &cast);
        }
    }

    let id = |choice: &poll::Choice| choice.id.to_ascii_uppercase();
    let places: HashMap<String, usize> =
        newest.options.iter().enumerate().map(|(at, choice)| (id(choice), at)).collect();
    // Options that were taken out of the poll, and those of which only votes are known.
    let mut removed: Vec<(String, Option<String>, Vec<Value>)> = Vec::new();
    let mut gone: HashMap<String, usize> = HashMap::new();
    for choice in polls.iter().flat_map(|poll| &poll.options).filter(|c| !places.contains_key(&id(c))) {
        gone.entry(id(choice)).or_insert_with(|| {
            removed.push((choice.id.clone(), Some(choice.text.clone()), Vec::new()));
            removed.len() - 1
        });
    }
    for Choice { option, voter, .. } in choices.all.into_iter().filter(|choice| choice.stands) {
        if let Some(option) = places.get(&option).and_then(|place| card.options.get_mut(*place)) {
            option.voters.push(voter);
            continue;
        }
        let at = *gone.entry(option.clone()).or_insert_with(|| {
            removed.push((option, None, Vec::new()));
            removed.len() - 1
        });
        if let Some((_, _, voters)) = removed.get_mut(at) {
            voters.push(described(&voter));
        }
    }
    if !removed.is_empty() {
        let entry = |(id, text, voters): (String, Option<String>, Vec<Value>)| {
            let text = text.map(|text| ("text".to_owned(), Value::Text(text)));
            let mut entry = vec![("id".to_owned(), Value::Text(id))];
            entry.extend(text);
            entry.push(("voters".to_owned(), Value::List(voters)));
            Value::Map(entry)
        };
        card.data.push(("removed_options", Value::List(removed.into_iter().map(entry).collect())));
    }
}

/// A vote row that is not understood.
fn as_it_is(row: &RawMessage, roster: &Roster) -> Value {
    let entries = [
        ("by", Some(person(row, roster))),
        ("date", instant(row.date).map(Value::Date)),
        ("raw", row.payload_data.clone().map(Value::Bytes)),
    ];
    Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
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
    let owner = Owner::of(raw, roster, &ballots);
    let [(_, votes)] = &ballots;
    let entry = |(voter, option): (Voter, &str)| {
        let entries = [("option", Value::Text(option.to_owned())), ("voter", described(&voter))];
        Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
    };
    let entries = voters(raw, votes, &owner, roster).into_iter().map(entry).collect();
    card.data.push(("votes", Value::List(entries)));
    // Nothing but the poll says what they are called.
    card.lines.extend(votes.iter().map(|vote| vote.option.clone()));
    if votes.is_empty() {
        card.data.push(("taken_back_by", person(raw, roster)));
    }
}

/// The owner's addresses, as far as the rows tell.
struct Owner(HashSet<String>);

impl Owner {
    fn of(raw: &RawMessage, roster: &Roster, ballots: &[(&RawMessage, Vec<Vote>)]) -> Owner {
        // An account is written `E:me@example.com` or `P:+12025550100`.
        let bare = |address: &String| {
            let address = address.strip_prefix("E:").or(address.strip_prefix("P:")).unwrap_or(address);
            roster.address_key(address)
        };
        let rows = std::iter::once(raw).chain(&raw.associated);
        let mut mine: HashSet<String> = rows.flat_map(|row| row.own_addresses.iter().map(bare)).collect();
        // Who made a poll that the owner sent is the owner, and so is the one voter of a vote that the owner sent.
        let poll = raw.payload_data.as_deref().filter(|_| raw.is_from_me && row_kind(raw) != RowKind::Vote);
        mine.extend(poll.and_then(|payload| Some(roster.address_key(&poll::poll(payload)?.creator?))));
        let cast = ballots.iter().filter(|(row, _)| row.is_from_me);
        mine.extend(cast.filter_map(|(_, votes)| only_voter(votes, roster)));
        Owner(mine)
    }
}

/// The key of the one address that a row names.
fn only_voter(votes: &[Vote], roster: &Roster) -> Option<String> {
    let first = roster.address_key(&votes.first()?.voter);
    votes.iter().all(|vote| roster.address_key(&vote.voter) == first).then_some(first)
}

/// Who chooses what in a vote row.
fn voters<'v>(row: &RawMessage, votes: &'v [Vote], owner: &Owner, roster: &Roster) -> Vec<(Voter, &'v str)> {
    let by_sender = row.is_from_me && only_voter(votes, roster).is_some();
    let sender = sender(row.is_from_me, row.handle_id, roster);
    let date = instant(row.date);
    let voter = |address: &str| {
        let me = Voter { from_me: true, sender: None, date };
        if by_sender {
            return me;
        }
        if let Some(sender) = sender.clone().filter(|sender| is(address, sender, roster)) {
            return Voter { from_me: false, sender: Some(sender), date };
        }
        let participant = roster.participant(address);
        // Of several in a row of the owner's, the one whom nobody knows is the owner.
        if owner.0.contains(&roster.address_key(address)) || (row.is_from_me && participant.is_none()) {
            return me;
        }
        let same = |handle: &&String| roster.address_key(handle) == roster.address_key(address);
        let handle = participant.and_then(|person| person.handles.iter().find(same));
        let handle = handle.cloned().unwrap_or_else(|| address.to_owned());
        let name = roster.name_of(address).map(str::to_owned);
        Voter { from_me: false, sender: Some(Arc::new(Sender { handle: Some(handle), name })), date }
    };
    votes.iter().map(|vote| (voter(&vote.voter), vote.option.as_str())).collect()
}

fn is(address: &str, sender: &Sender, roster: &Roster) -> bool {
    let other = Sender { handle: Some(address.to_owned()), name: None };
    sender.handle.as_deref().is_some_and(|handle| roster.address_key(handle) == roster.address_key(address))
        || roster.same_person(sender, &other)
}

/// The person who sent a row.
fn of_sender(row: &RawMessage, roster: &Roster) -> Voter {
    let sender = sender(row.is_from_me, row.handle_id, roster);
    Voter { from_me: row.is_from_me, sender, date: instant(row.date) }
}

/// The same for one person under all addresses.
fn key(voter: &Voter, roster: &Roster) -> String {
    let handle = voter.sender.as_ref().and_then(|sender| sender.handle.as_deref());
    match (voter.from_me, handle) {
        (true, _) => "me".into(),
        (false, None) => String::new(),
        (false, Some(handle)) => {
            let person = roster.participant(handle).and_then(|person| person.handles.first());
            format!("={}", roster.address_key(person.map_or(handle, String::as_str)))
        }
    }
}

fn described(voter: &Voter) -> Value {
    let sender = voter.sender.as_deref();
    let entries = [
        ("handle", sender.and_then(|s| s.handle.clone()).map(Value::Text)),
        ("name", sender.and_then(|s| s.name.clone()).map(Value::Text)),
        ("from_me", Some(Value::Boolean(voter.from_me))),
        ("date", voter.date.map(Value::Date)),
    ];
    Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
