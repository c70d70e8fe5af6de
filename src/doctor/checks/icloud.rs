//! Is Messages in iCloud on: the device's own setting says so; without it, what rows have a record in iCloud.

use crate::doctor::{Patient, Verdict};
use crate::writers::phrase;

const SWITCH_ON: &str = "To have the same messages everywhere, switch it on, on each device with the same Apple Account: \
                         Mac: Messages > Settings > iMessage > Enable Messages in iCloud; iPhone: Settings > your name > \
                         iCloud > Messages. If one device is enough, nothing is wrong.";

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let sync = &patient.facts.sync;
    let settings = patient.info.icloud.clone().unwrap_or_default();
    let known = sync.known > 0;
    let evidence = vec![
        ("CloudKitSyncingEnabled", settings.enabled.into()),
        ("CloudKitSyncDate", settings.last_sync.into()),
        ("CloudKitLastDownloadProgress_percent", settings.downloaded_percent.map(u64::from).into()),
        ("CloudKitHasAvailableRecordsToDownload", settings.has_more.into()),
        ("rows_with_sync_columns", known.then_some(sync.known).into()),
        ("rows_with_record", known.then_some(sync.with_record).into()),
        ("rows_with_emptied_record", known.then_some(sync.emptied).into()),
    ];
    verdict(patient, settings.enabled).because(evidence)
}

fn verdict(patient: &Patient<'_>, enabled: Option<bool>) -> Verdict {
    let sync = &patient.facts.sync;
    let synced = |state: i64| sync.attachments_by_state.get(&state).copied().unwrap_or(0);
    let attachments = if sync.emptied > 0 { 0 } else { synced(1) + synced(4) };
    let with_record = phrase::count(sync.with_record, "row has", "rows have");
    if patient.is_archive() {
        return Verdict::unknown(
            "An archive is no device: it keeps rows, and takes no part in Messages in iCloud.",
        );
    }
    match enabled {
        Some(true) if sync.known > 0 => {
            Verdict::ok(format!("It is on; {with_record} a record in iCloud.")).by_definition()
        }
        Some(true) => Verdict::ok("It is on, by this device's own setting.").by_definition(),
        Some(false) => Verdict::warning("It is off on this device: what other devices have does not come here.", SWITCH_ON)
            .by_definition(),
        None if sync.known == 0 => Verdict::unknown(
            "The preference file that says so is not here, and no row has the columns for it.",
        ),
        None if sync.with_record > 0 => Verdict::ok(format!(
            "The preference file that says so is not here; {with_record} a record in iCloud, so it was on."
        )),
        None if attachments > 0 => Verdict::unknown(format!(
            "No row has a record in iCloud, but {} marked as synchronized: it may have been on once.",
            phrase::count(attachments, "attachment is", "attachments are")
        )),
        None if sync.emptied > 0 => Verdict::warning(
            "Synchronization was reset, and has not run again since: no row has its record in iCloud any more.",
            "Wait until it has run; then look again. Messages > Settings > iMessage > Sync Now begins it.",
        )
        .by_definition(),
        None => Verdict::warning(
            "No row was ever synced: Messages in iCloud has never been on here, as far as the database says.",
            SWITCH_ON,
        ),
    }
}
