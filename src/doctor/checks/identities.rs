//! Is it the same account: another Apple Account, or a number that one of two devices does not use, splits a history.

use std::collections::BTreeMap;

use crate::compare::Reason;
use crate::doctor::{Fact, Patient, Verdict};
use crate::writers::phrase::{self, one_line};

/// Addresses that evidence names.
const NAMED: usize = 20;

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let mut addresses: Vec<(String, u64)> =
        patient.facts.addresses.iter().map(|(address, rows)| (address.clone(), *rows)).collect();
    addresses.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    addresses.truncate(NAMED);
    let accounts: Vec<(String, u64)> =
        patient.facts.accounts.iter().map(|(account, chats)| (account.clone(), *chats)).take(NAMED).collect();
    let lacking = patient.other.map(|other| other.lacking_for(Reason::OtherAccount));
    let evidence = vec![
        ("addresses", Fact::Counts(addresses)),
        ("accounts_of_chats", Fact::Counts(accounts)),
        ("of_another_account", lacking.into()),
    ];
    let verdict = match (patient.other, lacking) {
        (Some(other), Some(lacking @ 1..)) => {
            let finding = format!(
                "{} that {} has went to or from an address of yours that no message here has: it is another Apple \
                 Account, or a number that this device does not use.",
                phrase::count(lacking, "message", "messages"),
                other.name()
            );
            Verdict::problem(finding, same_account(patient))
        }
        (Some(other), _) if of_two_accounts(&patient.facts.accounts, &other.facts.accounts) => {
            let finding = format!(
                "No iMessage chat here is of an Apple Account that chats of {} are of: here {}, there {}.",
                other.name(),
                named(&patient.facts.accounts),
                named(&other.facts.accounts)
            );
            Verdict::warning(finding, same_account(patient))
        }
        (Some(_), _) => Verdict::ok("Both have the same addresses of yours, as far as what one lacks says."),
        (None, _) => Verdict::unknown(super::ONE_SOURCE),
    };
    verdict.because(evidence)
}

fn same_account(patient: &Patient<'_>) -> &'static str {
    match patient.is_phone() {
        true => {
            "Settings > Apps > Messages > Send & Receive: the same Apple Account and addresses as on the other one."
        }
        false => {
            "Messages > Settings > iMessage: the same Apple Account, and a tick at every address that the other one has."
        }
    }
}

/// Both say whose their chats are, and have none in common.
fn of_two_accounts(here: &BTreeMap<String, u64>, there: &BTreeMap<String, u64>) -> bool {
    !here.is_empty() && !there.is_empty() && !here.keys().any(|account| there.contains_key(account))
}

/// Those with most chats.
fn named(accounts: &BTreeMap<String, u64>) -> String {
    const MOST: usize = 3;
    let mut accounts: Vec<(&String, &u64)> = accounts.iter().collect();
    accounts.sort_by_key(|(_, chats)| std::cmp::Reverse(**chats));
    let names = accounts.iter().take(MOST).map(|(account, _)| one_line(account));
    names.collect::<Vec<_>>().join(", ")
}
