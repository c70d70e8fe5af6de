use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use msgarchive::pipeline::ExportError;
use msgarchive::source::SourceError;
use msgarchive::source::contacts::ContactsError;

/// Why a command failed. What can be done about it is in [`super::hints`].
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Says what is there instead, where that is known.
    #[error("no message matches the selection")]
    NothingSelected { there_is: Option<String> },
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
            Failure::Usage(_) => 2,
            Failure::Export(ExportError::Interrupted) => 130,
            _ => 1,
        })
    }
}
