//! What tells why the program did not even begin.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::account::Folder;
use super::{System, log, perform, systemd};

/// Why the scheduler, when it was time or was asked to, did not start the program, or could not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotBegun {
    /// It waits for the mains.
    OnBattery,
    /// In its words.
    Failed(String),
}

impl NotBegun {
    /// Of a start after `since`, where something tells.
    pub fn why(system: System, folder: &Folder, since: DateTime<Utc>) -> Option<NotBegun> {
        match system {
            System::Systemd => NotBegun::by_systemd(&perform::tell(&systemd::ending()).ok()?, since),
            System::Launchd | System::Cron => log::outer_words(folder, since).map(NotBegun::Failed),
            System::TaskScheduler => None,
        }
    }

    /// By how it says that the last start of the service ended. Its own codes are those of systemd.exec(5), "Process exit codes".
    fn by_systemd(ending: &str, since: DateTime<Utc>) -> Option<NotBegun> {
        let value = |name: &str| {
            let mut lines = ending.lines().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
        };
        // When it last looked whether it may; of one that was never started there is none.
        let looked = value("ConditionTimestamp")
            .and_then(|date| NaiveDateTime::parse_from_str(date, "%a %Y-%m-%d %H:%M:%S UTC").ok());
        // It has seconds only.
        if value("ConditionResult") == Some("no")
            && looked.is_some_and(|looked| looked.and_utc().timestamp() >= since.timestamp())
        {
            return Some(NotBegun::OnBattery);
        }
        let code = value("ExecMainStatus")?.parse::<u8>().ok().filter(|code| (200..=245).contains(code))?;
        let service = systemd::SERVICE;
        Some(NotBegun::Failed(format!(
            "systemd could not start it ({code}); `systemctl --user status {service}` says more"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_says_of_a_start() {
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let why = |condition: &str, looked: &str, code: &str| {
            let ending =
                format!("ExecMainStatus={code}\nConditionResult={condition}\nConditionTimestamp={looked}\n");
            NotBegun::by_systemd(&ending, since)
        };
        assert_eq!(why("no", "", "0"), None, "it was never started");
        assert_eq!(why("yes", "Tue 2023-11-14 22:13:20 UTC", "0"), None);
        assert_eq!(why("no", "Tue 2023-11-14 22:13:20 UTC", "0"), Some(NotBegun::OnBattery));
        assert_eq!(why("no", "Tue 2023-11-14 22:13:19 UTC", "0"), None, "that was another time");
        assert_eq!(why("yes", "Tue 2023-11-14 22:13:20 UTC", "1"), None, "the program says why itself");
        let Some(NotBegun::Failed(said)) = why("yes", "Tue 2023-11-14 22:13:20 UTC", "203") else { panic!() };
        assert!(said.starts_with("systemd could not start it (203)"), "{said}");
    }
}
