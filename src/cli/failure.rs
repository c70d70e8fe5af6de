use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use msgarchive::archive::ArchiveError;
use msgarchive::compare::CompareError;
use msgarchive::doctor::work_list::WorkListError;
use msgarchive::pipeline::ExportError;
use msgarchive::schedule::ScheduleError;
use msgarchive::source::SourceError;
use msgarchive::source::contacts::ContactsError;
use msgarchive::storage::StorageError;
use msgarchive::verify::VerifyError;

/// Why a command failed. What can be done about it is in [`super::hints`].
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// What the schedule started failed.
    #[error("the run failed: {reason}")]
    Scheduled { reason: String },
    #[error("cannot tell where this program lies")]
    Program(#[source] io::Error),
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    WorkList(#[from] WorkListError),
    /// `verify` could not read everything.
    #[error("cannot read {}: {what}", path.display())]
    Unread { path: PathBuf, what: String },
    #[error("both sides are the same source, {}", path.display())]
    SameSource { path: PathBuf },
    #[error("cannot write the page {}", path.display())]
    Page { path: PathBuf, source: io::Error },
    /// Says what is there instead, and what is lost, where that is known.
    #[error("no message matches the selection")]
    NothingSelected { known: Vec<String> },
    /// The command line is well-formed and makes no sense.
    #[error("{0}")]
    Usage(String),
    #[error("no Messages library was found on this machine")]
    NoLibrary { looked_at: PathBuf, backups: Vec<PathBuf> },
    #[error("the environment names no home folder")]
    NoHome,
    #[error("cannot unpack the sample library")]
    Sample(#[source] io::Error),
    #[error(transparent)]
    Contacts(#[from] ContactsError),
    #[error("cannot read the password file {}", path.display())]
    PasswordFile { path: PathBuf, source: io::Error },
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
}

impl Failure {
    /// As the README promises them.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Usage(_)
            | Failure::SameSource { .. }
            | Failure::Archive(ArchiveError::NoWord { .. }) => 2,
            Failure::Export(ExportError::Interrupted)
            | Failure::Compare(CompareError::Interrupted)
            | Failure::Storage(StorageError::Interrupted)
            | Failure::Archive(ArchiveError::Interrupted)
            | Failure::Verify(VerifyError::Interrupted | VerifyError::Archive(ArchiveError::Interrupted)) => {
                130
            }
            _ => 1,
        })
    }
}
