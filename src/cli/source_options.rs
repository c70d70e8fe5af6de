use std::num::NonZeroUsize;
use std::path::PathBuf;

use chrono_tz::Tz;
use msgarchive::pipeline::select::parse_moment;
use msgarchive::sample;
use msgarchive::source::contacts::{self, Contact};
use msgarchive::source::discover::{FoundKind, discover};
use msgarchive::source::{OpenOptions, Place, Source};

use super::{Failure, moment, password, report, sources, zone};

/// Where messages are read from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
pub struct SourceOptions {
    /// A Messages folder, a chat.db or sms.db, an iPhone or iPad backup, a copy of a device's
    /// Library/SMS, or an archive [default: this Mac's library, else the newest complete backup]
    #[arg(short, long, value_name = "PATH")]
    source: Option<PathBuf>,
    /// Read the sample library built into the program
    #[arg(long, conflicts_with_all = ["source", "contacts", "attachments_root"])]
    sample: bool,
    /// An AddressBook folder, .abcddb, .sqlitedb or .vcf, or none [default: found beside the
    /// source, else this user's]
    #[arg(long, value_name = "PATH|none")]
    contacts: Option<PathBuf>,
    /// Where attachment files lie, when not at their usual place
    #[arg(long, value_name = "PATH")]
    attachments_root: Option<PathBuf>,
    /// Of an archive: show it as it was then, such as 2024-05-01 or 90d [default: as it is]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// A file whose first line is the password of an encrypted backup [default:
    /// MSGARCHIVE_PASSWORD, else you are asked]
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
    /// How you are named
    #[arg(long, value_name = "NAME", default_value = "Me",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub me: String,
    /// Time zone for all dates, as an IANA name [default: the system's]
    #[arg(long, value_name = "ZONE", value_parser = zone::parse)]
    time_zone: Option<Tz>,
    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

/// A source that was opened, with the names that belong to it.
pub struct Opened {
    pub source: Box<dyn Source>,
    pub contacts: Vec<Contact>,
    /// Where the sample was unpacked; gone when this is dropped.
    _unpacked: Option<tempfile::TempDir>,
}

impl SourceOptions {
    pub fn zone(&self) -> Result<Tz, Failure> {
        self.time_zone.map_or_else(zone::of_the_system, Ok)
    }

    pub fn jobs(&self) -> usize {
        jobs_of(self.jobs)
    }

    fn as_of(&self) -> Result<Option<String>, Failure> {
        let Some(text) = &self.as_of else { return Ok(None) };
        let moment = parse_moment(text, self.zone()?, moment::of_reading()?);
        let moment = moment.map_err(|why| Failure::Usage(format!("--as-of {text:?}: {why}")))?;
        Ok(Some(moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()))
    }

    pub fn open(&self) -> Result<Opened, Failure> {
        let unpacked = if self.sample { Some(unpack_sample()?) } else { None };
        let path = match (&self.source, &unpacked) {
            (Some(path), _) => path.clone(),
            (None, Some(folder)) => folder.path().to_owned(),
            (None, None) => default_source()?,
        };
        let mut place = Place::find(&path)?;
        password::unlock(&mut place, self.password_file.as_deref())?;
        let source = place.open(&OpenOptions {
            attachments_root: self.attachments_root.clone(),
            shown_as: self.sample.then(|| "(sample)".into()),
            as_of: self.as_of()?,
            password: None,
            sessions: self.jobs(),
        })?;
        source.info().warnings.iter().for_each(|words| report::warn(words));
        let contacts = match &unpacked {
            Some(folder) => contacts::load(&folder.path().join(sample::CONTACTS))?,
            None => self.contacts(source.as_ref())?,
        };
        Ok(Opened { source, contacts, _unpacked: unpacked })
    }

    /// An address book that was named has to be readable; one that was found is worth a warning at most.
    fn contacts(&self, source: &dyn Source) -> Result<Vec<Contact>, Failure> {
        let beside = || contacts::beside(&source.info().path, sources::home().ok().as_deref());
        match &self.contacts {
            Some(none) if none.as_os_str() == "none" => Ok(Vec::new()),
            Some(path) => Ok(contacts::load(path)?),
            None if let Some(own) = source.contacts() => Ok(own.unwrap_or_else(|error| {
                report::warning(&error);
                Vec::new()
            })),
            None => {
                let (contacts, errors) = beside().map(|path| contacts::load_all(&path)).unwrap_or_default();
                errors.iter().for_each(|error| report::warning(error));
                Ok(contacts)
            }
        }
    }
}

/// As many as were asked for, else as many as there are cores.
pub fn jobs_of(asked: Option<u16>) -> usize {
    match asked {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    }
}

/// This Mac's library, or the library of a home folder that was carried elsewhere; else the newest complete backup.
pub fn default_source() -> Result<PathBuf, Failure> {
    let home = sources::home()?;
    let found = discover(&home);
    let library = found.iter().find(|f| f.kind == FoundKind::Library);
    // The newest comes first.
    match library.or_else(|| found.iter().find(|f| f.complete)) {
        Some(source) => Ok(source.path.clone()),
        None => Err(Failure::NoLibrary {
            looked_at: home.join("Library").join("Messages"),
            backups: found.into_iter().map(|f| f.path).collect(),
        }),
    }
}

pub fn unpack_sample() -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("msgarchive-sample-").tempdir().map_err(Failure::Sample)?;
    msgarchive::sample::unpack(folder.path()).map_err(Failure::Sample)?;
    Ok(folder)
}
