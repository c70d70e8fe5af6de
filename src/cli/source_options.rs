use std::path::PathBuf;

use msgarchive::pipeline::select::parse_moment;
use msgarchive::source::OpenOptions;
use msgarchive::source::discover::{FoundKind, discover};

use super::progress::When;
use super::reading_options::{Before, Opened, ReadingOptions, Wanted, for_each};
use super::{Failure, account, moment};

/// Where messages are read from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
pub struct SourceOptions {
    /// A Messages folder, a chat.db or sms.db, an iPhone or iPad backup, a copy of a device's
    /// Library/SMS, an archive, or an export with JSON Lines; several are read as one history, each message once, and put side by side by
    /// `doctor` [default: this Mac's library, else the newest complete backup]
    #[arg(short, long, value_name = "PATH")]
    source: Vec<PathBuf>,
    /// Read the sample library built into the program
    #[arg(long, conflicts_with_all = ["source", "contacts", "attachments_root"])]
    sample: bool,
    /// Where attachment files lie, when not at their usual place
    #[arg(long, value_name = "PATH")]
    attachments_root: Vec<PathBuf>,
    /// Of an archive: show it as it was then: at the beginning of 2024-05-01, at 2024-05-01T18:00, or 90d ago [default: as it is]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    #[command(flatten)]
    pub reading: ReadingOptions,
}

/// A source that was to be opened, and what came of it.
pub struct Tried {
    pub wanted: Wanted,
    pub opened: Result<Opened, Failure>,
}

impl SourceOptions {
    pub fn open(&self, progress: When) -> Result<Opened, Failure> {
        self.open_once(progress, &mut |_, _| Ok(()))
    }

    /// As [`Self::open`]; `before`: what is done with the path of each, and with the options to open it with.
    pub fn open_once(&self, progress: When, before: &mut Before<'_>) -> Result<Opened, Failure> {
        let as_of = self.as_of()?;
        let wanted = match self.source.as_slice() {
            _ if self.sample => Wanted::Sample,
            [] => Wanted::At(default_source()?),
            [path] => Wanted::At(path.clone()),
            paths => {
                return self.reading.open_several(paths, &self.attachments_root, as_of, progress, before);
            }
        };
        if self.attachments_root.len() > 1 {
            return Err(Failure::Usage("there is one source, and several --attachments-root".into()));
        }
        let attachments_root = self.attachments_root.first().cloned();
        let mut options = OpenOptions { attachments_root, as_of, ..OpenOptions::default() };
        if let Wanted::At(path) = &wanted {
            before(path, &mut options)?;
        }
        self.reading.open(&wanted, 0, options, progress)
    }

    /// Opens each source for itself.
    pub fn open_each(&self, progress: When) -> Result<Vec<Tried>, Failure> {
        let wanted = match self.source.as_slice() {
            _ if self.sample => vec![Wanted::Sample],
            [] => vec![Wanted::At(default_source()?)],
            paths => paths.iter().cloned().map(Wanted::At).collect(),
        };
        let roots = for_each(&self.attachments_root, wanted.len())?;
        let as_of = self.as_of()?;
        let mut tried = Vec::new();
        for (number, (wanted, attachments_root)) in wanted.into_iter().zip(roots).enumerate() {
            let options = OpenOptions { attachments_root, as_of: as_of.clone(), ..OpenOptions::default() };
            let opened = self.reading.open(&wanted, number, options, progress);
            tried.push(Tried { wanted, opened });
        }
        Ok(tried)
    }

    pub fn is_sample(&self) -> bool {
        self.sample
    }

    /// As of when an archive is to be shown, as it was given, for the manifest.
    pub fn as_given(&self) -> Option<(String, String)> {
        self.as_of.clone().map(|given| ("as_of".into(), given))
    }

    /// An archive is to be shown as it was once.
    pub fn is_of_the_past(&self) -> bool {
        self.as_of.is_some()
    }

    fn as_of(&self) -> Result<Option<String>, Failure> {
        let Some(text) = &self.as_of else { return Ok(None) };
        let moment = parse_moment(text, self.reading.zone()?, moment::of_reading()?);
        let moment = moment.map_err(|why| Failure::Usage(format!("--as-of {text:?}: {why}")))?;
        Ok(Some(moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()))
    }
}

/// This Mac's library, or the library of a home folder that was carried elsewhere; else the newest complete backup.
pub fn default_source() -> Result<PathBuf, Failure> {
    let home = account::home()?;
    let found = discover(&home, account::app_data().as_deref());
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
