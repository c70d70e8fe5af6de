/// A system's own way of starting things at their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum System {
    /// macOS: an agent of the user.
    Launchd,
    /// Linux: a service and a timer of the user.
    Systemd,
    /// Windows.
    TaskScheduler,
    /// Everything else: a line of the user's crontab.
    Cron,
}

impl System {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, System)] = &[
        ("launchd", System::Launchd),
        ("systemd", System::Systemd),
        ("task-scheduler", System::TaskScheduler),
        ("cron", System::Cron),
    ];

    /// Its word on the command line.
    pub fn name(self) -> &'static str {
        System::NAMES.iter().find(|(_, system)| *system == self).map_or("", |(name, _)| name)
    }

    /// What this machine has.
    pub fn of_this_machine() -> System {
        // As sd_booted(3) has it.
        let is_systemd = || std::path::Path::new("/run/systemd/system").is_dir();
        if cfg!(target_os = "macos") {
            System::Launchd
        } else if cfg!(windows) {
            System::TaskScheduler
        } else if is_systemd() {
            System::Systemd
        } else {
            System::Cron
        }
    }
}
