use std::path::{Path, PathBuf};

use super::System;

/// Whose schedule it is: where this user's files belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub home: PathBuf,
    /// `XDG_CONFIG_HOME`, where it is not `~/.config`.
    pub config_home: Option<PathBuf>,
    /// `XDG_STATE_HOME`, where it is not `~/.local/state`.
    pub state_home: Option<PathBuf>,
    /// `LOCALAPPDATA`, where it is not `~\AppData\Local`.
    pub local_app_data: Option<PathBuf>,
    /// The number of the user, by which launchd knows their session.
    pub uid: u32,
}

impl Account {
    /// The private folder of the schedule: the job, the records of its runs, the logs.
    pub fn folder(&self, system: System) -> PathBuf {
        let under = match system {
            System::Launchd => self.home.join("Library/Application Support"),
            System::TaskScheduler => {
                self.local_app_data.clone().unwrap_or_else(|| self.home.join("AppData").join("Local"))
            }
            System::Systemd | System::Cron => {
                self.state_home.clone().unwrap_or_else(|| self.home.join(".local/state"))
            }
        };
        under.join("msgarchive").join("schedule")
    }

    /// Where systemd looks for the user's units.
    pub fn units(&self) -> PathBuf {
        let config = self.config_home.clone().unwrap_or_else(|| self.home.join(".config"));
        config.join("systemd/user")
    }

    /// The agent's description.
    pub fn agent(&self) -> PathBuf {
        self.home.join("Library/LaunchAgents").join(format!("{}.plist", super::NAME))
    }

    /// The number of the user that a folder belongs to; 0 where files belong to nobody.
    pub fn owner(folder: &Path) -> u32 {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            std::fs::metadata(folder).map_or(0, |metadata| metadata.uid())
        }
        #[cfg(not(unix))]
        {
            let _ = folder;
            0
        }
    }
}

/// The files of [`Account::folder`].
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub fn new(path: PathBuf) -> Folder {
        Folder(path)
    }

    /// The folder that a job lies in.
    pub fn of_job(job: &Path) -> Folder {
        Folder(job.parent().map(Path::to_owned).unwrap_or_default())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is to be done.
    pub fn job(&self) -> PathBuf {
        self.0.join("schedule.json")
    }

    /// The records of the last runs.
    pub fn attempts(&self) -> PathBuf {
        self.0.join("attempts.json")
    }

    /// What the runs said.
    pub fn log(&self) -> PathBuf {
        self.0.join("schedule.log")
    }

    /// What was said before that, once the log was full.
    pub fn old_log(&self) -> PathBuf {
        self.0.join("schedule.log.old")
    }

    /// What reached the scheduler itself: nothing, unless the program could not even be started.
    pub fn outer_log(&self) -> PathBuf {
        self.0.join("scheduler.log")
    }

    /// Held by the run that is going on.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// There while somebody wants a run or a trial through the scheduler, due or not.
    pub fn asked(&self) -> PathBuf {
        self.0.join("asked")
    }

    /// How the trial ended that somebody waits for.
    pub fn tried(&self) -> PathBuf {
        self.0.join("tried.json")
    }

    /// What Task Scheduler was told.
    pub fn task(&self) -> PathBuf {
        self.0.join("task.xml")
    }

    /// Everything that may lie here.
    pub fn files(&self) -> [PathBuf; 9] {
        [
            self.job(),
            self.attempts(),
            self.log(),
            self.old_log(),
            self.outer_log(),
            self.lock(),
            self.asked(),
            self.tried(),
            self.task(),
        ]
    }
}
