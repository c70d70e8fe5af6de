//! Is it the same account: another Apple Account, or a number that one of two devices does not use, splits a history.

use crate::compare::Reason;
use crate::doctor::{Fact, Patient, Verdict};
use crate::writers::phrase;

/// Addresses that evidence names.
const NAMED: usize = 20;

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let mut addresses: Vec<(String, u64)> =
        patient.facts.addresses.iter().map(|(address, rows)| (address.clone(), *rows)).collect();
    addresses.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    addresses.truncate(NAMED);
    let lacking = patient.other.map(|other| other.lacking_for(Reason::OtherAccount));
    let evidence = vec![("addresses", Fact::Counts(addresses)), ("of_another_account", lacking.into())];
    let verdict = match (patient.other, lacking) {
        (Some(other), Some(lacking @ 1..)) => {
            let finding = format!(
                "{} that {} has went to or from an address of yours that no message here has: it is another Apple \
                 Account, or a number that this device does not use.",
                phrase::count(lacking, "message", "messages"),
                other.name()
            );
            let remedy = match patient.is_phone() {
                true => {
                    "Settings > Apps > Messages > Send & Receive: the same Apple Account and addresses as on the other one."
                }
                false => {
                    "Messages > Settings > iMessage: the same Apple Account, and a tick at every address that the other one has."
                }
            };
            Verdict::problem(finding, remedy)
        }
        (Some(_), _) => Verdict::ok("Both have the same addresses of yours, as far as what one lacks says."),
        (None, _) => Verdict::unknown(super::ONE_SOURCE),
    };
    verdict.because(evidence)
}
