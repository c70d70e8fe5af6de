use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use msgarchive::pipeline::merging;
use msgarchive::sample;
use msgarchive::source::contacts::{self, Contact};
use msgarchive::source::tables::Tables;
use msgarchive::source::{OpenOptions, Place, Source, contacts_of_several};

use super::access_options::AccessOptions;
use super::progress::When;
use super::{Failure, report, zone};

/// How whatever source is read.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
pub struct ReadingOptions {
    #[command(flatten)]
    access: AccessOptions,
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

/// What to open.
#[derive(Debug)]
pub enum Wanted {
    At(PathBuf),
    /// The sample library built into the program.
    Sample,
}

/// A source that was opened, with the names that belong to it.
pub struct Opened {
    pub source: Box<dyn Source>,
    pub contacts: Vec<Contact>,
    /// Where it lies, unlocked; of several, each.
    places: Vec<(Place, OpenOptions)>,
    /// Where the sample was unpacked; gone when this is dropped.
    _unpacked: Option<tempfile::TempDir>,
}

impl Opened {
    /// The same once more, row by row; nobody is asked for a password again.
    pub fn tables(&self) -> Result<Vec<Tables>, Failure> {
        self.places.iter().map(|(place, options)| Ok(place.tables(options)?)).collect()
    }
}

impl ReadingOptions {
    pub fn zone(&self) -> Result<Tz, Failure> {
        self.time_zone.map_or_else(zone::of_the_system, Ok)
    }

    pub fn jobs(&self) -> usize {
        jobs_of(self.jobs)
    }

    /// Opens a source; `number`: which one it is, from 0 on, where there are several. `options`: where its
    /// attachments lie, and as of when it is shown.
    pub fn open(
        &self,
        wanted: &Wanted,
        number: usize,
        options: OpenOptions,
        progress: When,
    ) -> Result<Opened, Failure> {
        let (path, unpacked) = match wanted {
            Wanted::At(path) => (path.clone(), None),
            Wanted::Sample => {
                let folder = unpack_sample()?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let options = OpenOptions {
            shown_as: unpacked.is_some().then(|| "(sample)".into()),
            sessions: self.jobs(),
            ..options
        };
        let place = self.access.place(&path, number, progress)?;
        let source = place.open(&options)?;
        source.info().warnings.iter().for_each(|words| report::warn(words));
        let contacts = match &unpacked {
            Some(folder) => contacts::load(&folder.path().join(sample::CONTACTS))?,
            None => self.access.contacts(source.contacts(), &source.info().path)?,
        };
        Ok(Opened { source, contacts, places: vec![(place, options)], _unpacked: unpacked })
    }

    /// Opens several sources as one; `attachments_roots`: none, or one for each.
    pub fn open_several(
        &self,
        paths: &[PathBuf],
        attachments_roots: &[PathBuf],
        as_of: Option<String>,
        progress: When,
        before: &mut Before<'_>,
    ) -> Result<Opened, Failure> {
        let mut attachments_roots = for_each(attachments_roots, paths.len())?.into_iter();
        let mut sources = Vec::new();
        let (mut books, mut places) = (Vec::new(), Vec::new());
        for (number, path) in paths.iter().enumerate() {
            let attachments_root = attachments_roots.next().flatten();
            let mut options =
                OpenOptions { attachments_root, as_of: as_of.clone(), ..OpenOptions::default() };
            before(path, &mut options)?;
            let opened = self.open(&Wanted::At(path.clone()), number, options, progress)?;
            sources.push(opened.source);
            books.push(opened.contacts);
            places.extend(opened.places);
        }
        let source = Box::new(merging::merge(sources)?);
        Ok(Opened { source, contacts: contacts_of_several(books), places, _unpacked: None })
    }
}

/// What is done before a source is opened.
pub type Before<'b> = dyn FnMut(&Path, &mut OpenOptions) -> Result<(), Failure> + 'b;

/// Where the attachments of each of several sources lie: none was given, or one for each.
pub fn for_each(attachments_roots: &[PathBuf], sources: usize) -> Result<Vec<Option<PathBuf>>, Failure> {
    match attachments_roots.len() {
        0 => Ok(vec![None; sources]),
        given if given == sources => Ok(attachments_roots.iter().cloned().map(Some).collect()),
        _ => Err(Failure::Usage(
            "with several sources --attachments-root is given once for each, in their order".into(),
        )),
    }
}

/// As many as were asked for, else as many as there are cores.
pub fn jobs_of(asked: Option<u16>) -> usize {
    match asked {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    }
}

pub fn unpack_sample() -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("msgarchive-sample-").tempdir().map_err(Failure::Sample)?;
    msgarchive::sample::unpack(folder.path()).map_err(Failure::Sample)?;
    Ok(folder)
}
