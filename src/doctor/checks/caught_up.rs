//! Is it caught up with iCloud: by Apple's own states of rows, the deletions that wait to be sent, and the last sync.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::doctor::{Fact, Patient, Verdict};
use crate::model::Instant;
use crate::source::ICloudSettings;
use crate::writers::phrase;

/// What waits no longer than this is on its way.
const ON_ITS_WAY: TimeDelta = TimeDelta::hours(1);
/// A device that is on syncs every day.
const LAST_SYNC: TimeDelta = TimeDelta::days(7);

/// What mends synchronization, the least first.
const LADDER: &[&str] = &[
    "the same Apple Account on every device, with two-factor authentication",
    "the latest system on every device",
    "sign out of iMessage, and in again: Messages > Settings > iMessage",
    "date and time set automatically",
    "another network; a firewall must let TCP 443 and 5223 through to Apple",
    "only then, and only when `msgarchive verify` finds your archive whole: switch Messages in iCloud off and on again",
];

/// A library that Messages writes to is silent for so long only when something is wrong, or nobody writes.
const SILENCE: TimeDelta = TimeDelta::days(14);

fn counts(by_state: &BTreeMap<i64, u64>) -> Fact {
    Fact::Counts(by_state.iter().map(|(state, rows)| (state.to_string(), *rows)).collect())
}

/// What is not in iCloud, or not here.
struct Backlog {
    /// In state 0 for longer than what is on its way.
    stuck: u64,
    oldest: Option<Instant>,
    failed: u64,
    /// Content is there, something about it is to be told.
    metadata: u64,
    deletions: u64,
}

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let sync = &patient.facts.sync;
    let settings = patient.info.icloud.clone().unwrap_or_default();
    let unsent = patient.deletions.unsent;
    let state = |state: i64| sync.by_state.get(&state).copied().unwrap_or(0);
    let moment = patient.moment();
    let is_stuck = |date: &&Instant| moment.is_none_or(|moment| **date < moment - ON_ITS_WAY);
    let backlog = Backlog {
        stuck: sync.waiting.iter().filter(is_stuck).count() as u64,
        oldest: sync.waiting.first().copied(),
        failed: state(2),
        metadata: state(8) + state(9) + sync.ranges_pending,
        deletions: unsent.map_or(0, |unsent| unsent.messages + unsent.chats + unsent.attachments),
    };
    let known = sync.known > 0;
    let evidence = vec![
        ("ck_sync_state", if known { counts(&sync.by_state) } else { Fact::Unknown }),
        (
            "attachments_ck_sync_state",
            if sync.of_attachments { counts(&sync.attachments_by_state) } else { Fact::Unknown },
        ),
        ("waiting_over_an_hour", known.then_some(backlog.stuck).into()),
        ("oldest_waiting", backlog.oldest.into()),
        ("syndication_ranges_pending", known.then_some(sync.ranges_pending).into()),
        ("deletions_of_messages_pending", unsent.map(|unsent| unsent.messages).into()),
        ("deletions_of_chats_pending", unsent.map(|unsent| unsent.chats).into()),
        ("deletions_of_attachments_pending", unsent.map(|unsent| unsent.attachments).into()),
        ("last_sync", settings.last_sync.into()),
        ("last_message", patient.facts.last.into()),
        ("moment", moment.into()),
    ];
    verdict(patient, &settings, &backlog).because(evidence)
}

fn verdict(patient: &Patient<'_>, settings: &ICloudSettings, backlog: &Backlog) -> Verdict {
    let sync = &patient.facts.sync;
    if patient.is_archive() {
        return Verdict::unknown(
            "An archive is no device: what its rows once were in iCloud is of the past.",
        );
    }
    if sync.known == 0 {
        return Verdict::unknown("No row has the columns that say so.");
    }
    let was_ever_on = sync.with_record > 0 || settings.enabled == Some(true);
    if settings.enabled == Some(false) || !was_ever_on {
        return Verdict::unknown(
            "Messages in iCloud is not known to be on here, so that the states of rows say nothing.",
        );
    }
    let sync_now = match patient.is_phone() {
        true => {
            "Settings > your name > iCloud > Messages > Sync Now, on Wi-Fi and power; then make the backup again."
        }
        false => "Messages > Settings > iMessage > Sync Now, and leave the Mac awake and online.",
    };
    if let Some(finding) = not_uploaded(patient, backlog) {
        return Verdict::problem(finding, sync_now).by_definition().then(LADDER);
    }
    if backlog.deletions > 0 {
        let deletions = phrase::count(backlog.deletions, "deletion has", "deletions have");
        let finding = format!(
            "{deletions} not been sent to iCloud yet: other devices still show what was deleted here."
        );
        return Verdict::warning(finding, sync_now).by_definition().then(LADDER);
    }
    if let Some(finding) = not_downloaded(patient, settings) {
        return Verdict::warning(finding, sync_now).by_report().then(LADDER);
    }
    if let Some(finding) = silent(patient) {
        return Verdict::warning(finding, sync_now).then(LADDER);
    }
    let mut finding = String::from("Everything that goes to iCloud is there.");
    if backlog.metadata > 0 {
        let rows = phrase::count(backlog.metadata, "row", "rows");
        finding =
            format!("Every message that goes to iCloud is there; of {rows} some detail is still to be told.");
    }
    Verdict::ok(finding).by_definition()
}

/// Nothing comes any more, for much longer than ever before.
fn silent(patient: &Patient<'_>) -> Option<String> {
    let (last, moment) = (patient.facts.last?, patient.moment()?);
    let silence = moment - last;
    let usual = i64::try_from(patient.facts.all.longest_silence_days).unwrap_or(0).min(10_000);
    let unusual = silence > SILENCE && silence > TimeDelta::days(usual * 3);
    (patient.info.is_own && unusual).then(|| {
        format!("The last message is of {}, and there never was so long a silence before.", patient.day(last))
    })
}

fn not_uploaded(patient: &Patient<'_>, backlog: &Backlog) -> Option<String> {
    let is = |count| if count == 1 { "is" } else { "are" };
    let messages = |count| phrase::count(count, "message", "messages");
    let since =
        backlog.oldest.map(|date| format!("; the oldest is of {}", patient.day(date))).unwrap_or_default();
    let failed = match backlog.failed {
        0 => None,
        1 => Some("The upload of 1 message failed".to_owned()),
        failed => Some(format!("The upload of {} failed", messages(failed))),
    };
    match (backlog.stuck, failed) {
        (0, None) => None,
        (0, Some(failed)) => Some(format!("{failed}.")),
        (stuck, None) => {
            Some(format!("{} of this device {} not in iCloud yet{since}.", messages(stuck), is(stuck)))
        }
        (stuck, Some(failed)) => {
            Some(format!("{failed}, and {} more {} waiting{since}.", messages(stuck), is(stuck)))
        }
    }
}

fn not_downloaded(patient: &Patient<'_>, settings: &ICloudSettings) -> Option<String> {
    if let Some(percent) = settings.downloaded_percent.filter(|percent| *percent < 100) {
        return Some(format!(
            "The last download from iCloud stopped at {percent} %: older messages are not here yet."
        ));
    }
    if settings.has_more == Some(true) {
        return Some("iCloud has more to download: not all messages are here yet.".into());
    }
    let (last, moment) = (settings.last_sync?, patient.moment()?);
    (moment - last > LAST_SYNC).then(|| {
        format!("The last sync was on {}: what came later on other devices is not here.", patient.day(last))
    })
}
