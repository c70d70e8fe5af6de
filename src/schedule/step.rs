use std::fmt;
use std::path::PathBuf;

/// One thing that installing or removing a schedule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes a private folder where there is none.
    Folder(PathBuf),
    /// Writes a file, 0600, unless it is there with the same bytes.
    Write { path: PathBuf, bytes: Vec<u8> },
    /// Makes an empty file, 0600, where there is none.
    Begin(PathBuf),
    /// Deletes a file that may be there.
    Delete(PathBuf),
    /// Deletes a folder that may be there, if it is empty.
    DeleteFolder(PathBuf),
    /// Tells the scheduler.
    Tell(Invocation),
    /// Puts this, our line between its marks, into the user's crontab; `None` takes it out.
    Crontab(Option<String>),
}

/// A program of the system, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Looked for as the system does it.
    pub program: &'static str,
    pub arguments: Vec<String>,
    /// It says no where there is nothing to be done.
    pub may_fail: bool,
    /// How often it is told before a no is believed, where the scheduler may still be busy with what it was told before.
    pub tries: u32,
}

impl Invocation {
    pub(super) fn new<'a>(program: &'static str, arguments: impl IntoIterator<Item = &'a str>) -> Invocation {
        Invocation {
            program,
            arguments: arguments.into_iter().map(str::to_owned).collect(),
            may_fail: false,
            tries: 1,
        }
    }

    pub(super) fn or_not(self) -> Invocation {
        Invocation { may_fail: true, ..self }
    }

    pub(super) fn tries(self, tries: u32) -> Invocation {
        Invocation { tries, ..self }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program)?;
        for argument in &self.arguments {
            match argument.contains([' ', '"', '\'', '$', '\\', '&']) {
                true => write!(f, " {argument:?}")?,
                false => write!(f, " {argument}")?,
            }
        }
        Ok(())
    }
}
