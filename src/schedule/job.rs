use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::json;

use super::{ScheduleError, System};
use crate::disk::DiskError;

/// What is done whenever it is time, and when that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub system: System,
    /// This program, by a path that stays what it is when the program is replaced by a newer one.
    pub program: PathBuf,
    pub archive: PathBuf,
    /// None: whatever `archive` finds by itself.
    pub sources: Vec<PathBuf>,
    /// Where the password of encrypted backups is.
    pub password_file: Option<PathBuf>,
    /// The address book; or `none`.
    pub contacts: Option<PathBuf>,
    pub export: Option<ExportJob>,
    pub when: Periodicity,
    /// For the system's shell, when a run fails.
    pub on_failure: Option<String>,
}

/// How much of a job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// The archive is fed, and its export brought up to date.
    All,
    /// The archive is fed.
    Feeding,
    /// Everything is read that would be fed, and nothing is changed.
    Trial,
}

/// An export of the archive that is kept up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportJob {
    /// As `archive --export` takes them: `pdf,csv`.
    pub formats: String,
    pub out: PathBuf,
    /// As `archive` takes them, each one word: `--theme=plain`.
    pub options: Vec<String>,
}

/// How often, and at which time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periodicity {
    pub every: Every,
    pub at: WallTime,
}

/// How often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Every {
    #[default]
    Day,
    /// On Sundays.
    Week,
}

impl Every {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Every)] = &[("day", Every::Day), ("week", Every::Week)];

    /// Its word on the command line.
    pub fn name(self) -> &'static str {
        Every::NAMES.iter().find(|(_, every)| *every == self).map_or("", |(name, _)| name)
    }

    /// Days from one run to the next.
    pub fn days(self) -> u32 {
        match self {
            Every::Day => 1,
            Every::Week => 7,
        }
    }
}

/// A time of day, in the machine's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallTime {
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
}

impl FromStr for WallTime {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<WallTime, ScheduleError> {
        let digits =
            |part: &str| part.len() <= 2 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        text.split_once(':')
            .filter(|(hour, minute)| digits(hour) && digits(minute) && minute.len() == 2)
            .and_then(|(hour, minute)| {
                Some(WallTime { hour: hour.parse().ok()?, minute: minute.parse().ok()? })
            })
            .filter(|time| time.hour < 24 && time.minute < 60)
            .ok_or_else(|| ScheduleError::Time(text.to_owned()))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// As it lies in the file.
#[derive(Deserialize)]
struct Stored {
    schema: u64,
    system: String,
    program: PathBuf,
    archive: PathBuf,
    sources: Vec<PathBuf>,
    password_file: Option<PathBuf>,
    contacts: Option<PathBuf>,
    export: Option<StoredExport>,
    every: String,
    at: String,
    on_failure: Option<String>,
}

#[derive(Deserialize)]
struct StoredExport {
    formats: String,
    out: PathBuf,
    #[serde(default)]
    options: Vec<String>,
}

impl Job {
    /// Refuses paths that not every part of a schedule can carry.
    ///
    /// # Errors
    /// [`ScheduleError::Path`].
    pub fn check(&self) -> Result<(), ScheduleError> {
        let paths =
            [&self.program, &self.archive].into_iter().chain(&self.sources).chain(&self.password_file);
        let paths = paths.chain(&self.contacts);
        let paths = paths.chain(self.export.as_ref().map(|export| &export.out));
        paths.into_iter().try_for_each(|path| words(path).map(drop))
    }

    /// What the program is told.
    pub fn arguments(&self, doing: Doing) -> Vec<PathBuf> {
        let mut arguments: Vec<PathBuf> =
            ["archive", "--json", "--progress", "never"].into_iter().map(PathBuf::from).collect();
        if doing == Doing::Trial {
            arguments.push("--dry-run".into());
        }
        for source in &self.sources {
            arguments.extend(["--source".into(), source.clone()]);
        }
        if let Some(file) = &self.password_file {
            arguments.extend(["--password-file".into(), file.clone()]);
        }
        if let Some(contacts) = &self.contacts {
            arguments.extend(["--contacts".into(), contacts.clone()]);
        }
        if let Some(ExportJob { formats, out, options }) =
            self.export.as_ref().filter(|_| doing == Doing::All)
        {
            arguments.extend(["--export".into(), formats.into(), "--out".into(), out.clone()]);
            arguments.extend(options.iter().map(PathBuf::from));
        }
        arguments.extend(["--".into(), self.archive.clone()]);
        arguments
    }

    /// As it lies in a file.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let object = json!({
            "schema": 1,
            "system": self.system.name(),
            "program": self.program,
            "archive": self.archive,
            "sources": self.sources,
            "password_file": self.password_file,
            "contacts": self.contacts,
            "export": self.export.as_ref().map(|export| {
                json!({"formats": export.formats, "out": export.out, "options": export.options})
            }),
            "every": self.when.every.name(),
            "at": self.when.at.to_string(),
            "on_failure": self.on_failure,
        });
        format!("{object:#}\n").into_bytes()
    }

    /// Reads what [`Step`](super::Step)s of an earlier plan wrote.
    ///
    /// # Errors
    /// [`ScheduleError::Disk`] where it cannot be read, [`ScheduleError::Job`] where it is something else.
    pub fn read(path: &Path) -> Result<Job, ScheduleError> {
        let text = fs::read(path).map_err(DiskError::reading(path))?;
        let other = |what: String| ScheduleError::Job { path: path.to_owned(), what };
        let stored: Stored = serde_json::from_slice(&text).map_err(|error| other(error.to_string()))?;
        if stored.schema != 1 {
            return Err(other(format!("its schema is {}, this program knows 1", stored.schema)));
        }
        let system = System::NAMES.iter().find(|(name, _)| *name == stored.system);
        let every = Every::NAMES.iter().find(|(name, _)| *name == stored.every);
        Ok(Job {
            system: system.ok_or_else(|| other(format!("it names the system {:?}", stored.system)))?.1,
            program: stored.program,
            archive: stored.archive,
            sources: stored.sources,
            password_file: stored.password_file,
            export: stored.export.map(|StoredExport { formats, out, options }| ExportJob {
                formats,
                out,
                options,
            }),
            contacts: stored.contacts,
            when: Periodicity {
                every: every.ok_or_else(|| other(format!("it runs every {:?}", stored.every)))?.1,
                at: stored.at.parse()?,
            },
            on_failure: stored.on_failure,
        })
    }
}

/// A path as every scheduler's file can hold it.
pub(super) fn words(path: &Path) -> Result<&str, ScheduleError> {
    let refused = |why| ScheduleError::Path { path: path.to_string_lossy().into_owned(), why };
    let text = path.to_str().ok_or_else(|| refused("its name is not UTF-8"))?;
    // The last two are no characters of XML.
    if text.contains(|c: char| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')) {
        return Err(refused("a line break or another control character is in it"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        assert_eq!("02:30".parse::<WallTime>().unwrap().to_string(), "02:30");
        assert_eq!("2:05".parse::<WallTime>().unwrap(), WallTime { hour: 2, minute: 5 });
        for wrong in ["", "2", "24:00", "12:60", "1:2", "+1:30", "12:30:00", "noon", "１２:30"] {
            assert!(wrong.parse::<WallTime>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        for wrong in ["/a\nb", "/a\tb", "/a\u{7f}", "/a\u{85}", "/\u{FFFE}"] {
            assert!(matches!(words(Path::new(wrong)), Err(ScheduleError::Path { .. })), "{wrong:?}");
        }
        assert_eq!(words(Path::new("/Zoë's %d & <$HOME>")).unwrap(), "/Zoë's %d & <$HOME>");
    }
}
