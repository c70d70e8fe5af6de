//! `conversations.jsonl`: who talks with whom, and in which file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::CONVERSATIONS;
use crate::disk::is_inside;
use crate::model::ConversationKind;
use crate::source::SourceError;

/// No line of the list is longer.
const LONGEST: u64 = 16 << 20;

/// A line of the list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    pub id: String,
    pub title: String,
    kind: String,
    #[serde(default)]
    pub chat_guids: Vec<String>,
    #[serde(default)]
    pub participants: Vec<Participant>,
    #[serde(default)]
    pub services: Vec<String>,
    pub file: String,
    /// When what was lost of it was sent.
    #[serde(default)]
    pub lost: Vec<Option<String>>,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Participant {
    pub name: Option<String>,
    #[serde(default)]
    pub handles: Vec<String>,
}

impl Listed {
    pub fn kind(&self) -> ConversationKind {
        // Looked at when the list was read.
        ConversationKind::named(&self.kind).unwrap_or(ConversationKind::Group)
    }
}

/// Reads the list of a folder.
///
/// # Errors
/// [`SourceError::Export`]: without it, nothing says whose the messages are.
pub fn read(folder: &Path) -> Result<Vec<Listed>, SourceError> {
    let path = folder.join(CONVERSATIONS);
    let mut file = BufReader::new(File::open(&path).map_err(SourceError::io(&path))?);
    let mut listed: Vec<Listed> = Vec::new();
    let mut named: HashSet<PathBuf> = HashSet::new();
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let wrong = |what: String| SourceError::Export { path: path.clone(), line: number, what };
        let read = (&mut file).take(LONGEST).read_until(b'\n', &mut text).map_err(SourceError::io(&path))?;
        if read == 0 {
            break;
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line: Listed = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if ConversationKind::named(&line.kind).is_none() {
            return Err(wrong(format!("there is no kind of conversation {:?} in schema 1", line.kind)));
        }
        if !is_inside(&line.file) {
            return Err(wrong(format!("{:?} is no file of this folder", line.file)));
        }
        if !named.insert(PathBuf::from(&line.file)) {
            return Err(wrong(format!("{:?} is named for the second time", line.file)));
        }
        listed.push(line);
    }
    Ok(listed)
}
