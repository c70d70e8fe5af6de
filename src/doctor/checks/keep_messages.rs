//! The Keep Messages setting, and the oldest message: what is older than the setting was removed, on every device.

use chrono::TimeDelta;

use crate::doctor::{Patient, Verdict};
use crate::source::KeepMessages;

/// Apple removes what is over age some time later.
const SLACK: TimeDelta = TimeDelta::days(10);
/// Older than any setting but Forever lets a message become.
const OVER_AGE: TimeDelta = TimeDelta::days(365 + 35);

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let setting = match patient.info.keep_messages {
        Some(KeepMessages::Forever) => Some(0),
        Some(KeepMessages::Days(days)) => Some(u64::from(days)),
        None => None,
    };
    let moment = patient.moment();
    let evidence = vec![
        ("setting_days", setting.into()),
        ("oldest_message", patient.facts.first.into()),
        ("moment", moment.into()),
    ];
    verdict(patient).because(evidence)
}

fn verdict(patient: &Patient<'_>) -> Verdict {
    let age = patient.facts.first.zip(patient.moment()).map(|(first, moment)| moment - first);
    let oldest = patient.facts.first.map(|first| format!("the oldest message is of {}", patient.day(first)));
    let oldest = oldest.unwrap_or_else(|| "there is no message with a date".into());
    match patient.info.keep_messages {
        Some(KeepMessages::Forever) => {
            Verdict::ok(format!("They are kept forever; {oldest}.")).by_definition()
        }
        Some(KeepMessages::Days(days)) => {
            let period = match days {
                365 => "1 year".to_owned(),
                days => format!("{days} days"),
            };
            let still = age.is_some_and(|age| age > TimeDelta::days(days.into()) + SLACK);
            let what = match still {
                true => "what is older will be removed",
                false => "what was older has been removed",
            };
            let finding = format!(
                "Keep Messages is set to {period}: {what}, with Messages in iCloud on every device; {oldest}."
            );
            let remedy = match patient.is_phone() {
                true => {
                    "Archive first (`msgarchive archive`); then Settings > Apps > Messages > Keep Messages > Forever."
                }
                false => {
                    "Archive first (`msgarchive archive`); then Messages > Settings > General > Keep messages > Forever."
                }
            };
            Verdict::warning(finding, remedy).by_definition()
        }
        None if patient.is_archive() => {
            Verdict::ok(format!("An archive keeps everything; {oldest}.")).by_definition()
        }
        None if age.is_some_and(|age| age > OVER_AGE) => {
            Verdict::ok(format!("The setting is not here, but {oldest}: nothing removes them by age."))
        }
        None => Verdict::unknown(format!("The preference file that says so is not here; {oldest}.")),
    }
}
