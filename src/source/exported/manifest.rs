//! `manifest.json` of an export: whether a folder is one, and what of its source it holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::CONVERSATIONS;
use crate::disk::MANIFEST;
use crate::source::SourceError;

/// The schema that is read here.
const SCHEMA: u64 = 1;

/// Options by which an export holds less than its source.
const SELECTIONS: [&str; 12] = [
    "conversation",
    "only",
    "with",
    "exclude",
    "since",
    "until",
    "service",
    "text",
    "has",
    "without",
    "groups",
    "as-of",
];

/// What an export says of itself, as far as it matters for reading it back.
#[derive(Debug, Default)]
pub struct Manifest {
    schema: u64,
    pub schema_version: Option<String>,
    /// The options that left something out, as they were given.
    selected: Vec<String>,
}

/// The file, without its long lists.
#[derive(Deserialize)]
struct Written {
    schema: u64,
    tool: String,
    #[serde(default)]
    source: BTreeMap<String, Value>,
    #[serde(default)]
    options: BTreeMap<String, Value>,
}

impl Manifest {
    /// That of the folder at a path; `None` where it is no export of this program.
    ///
    /// # Errors
    /// [`SourceError::Forbidden`] and the like; [`SourceError::Export`] of one that is damaged.
    pub fn find(folder: &Path) -> Result<Option<Manifest>, SourceError> {
        if !folder.is_dir() || ["chat.db", "sms.db"].iter().any(|name| folder.join(name).exists()) {
            return Ok(None);
        }
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            // Without its manifest an export is still one, where its list of conversations is there.
            let bare = Manifest { schema: SCHEMA, ..Manifest::default() };
            return Ok(folder.join(CONVERSATIONS).is_file().then_some(bare));
        }
        let file = File::open(&path).map_err(SourceError::io(&path))?;
        let written: Written = match serde_json::from_reader(BufReader::new(file)) {
            Ok(written) => written,
            // Somebody else's file of this name says nothing of the folder.
            Err(_) if !folder.join(CONVERSATIONS).is_file() => return Ok(None),
            Err(error) => {
                let (line, what) = (error.line() as u64, error.to_string());
                return Err(SourceError::Export { path, line, what });
            }
        };
        if !written.tool.starts_with("msgarchive ") {
            return Ok(None);
        }
        let version = written.source.get("schema_version").and_then(Value::as_str).map(str::to_owned);
        let selected = written.options.iter().filter(|(name, _)| SELECTIONS.contains(&name.as_str()));
        Ok(Some(Manifest {
            schema: written.schema,
            schema_version: version,
            selected: selected.map(|(name, value)| option(name, value)).collect(),
        }))
    }

    /// # Errors
    /// What of an export is in the way of reading it back.
    pub fn readable(&self, folder: &Path) -> Result<(), SourceError> {
        if self.schema != SCHEMA {
            let what = format!("it is of schema {}, and this version reads schema {SCHEMA}", self.schema);
            return Err(SourceError::Export { path: folder.join(MANIFEST), line: 1, what });
        }
        match folder.join(CONVERSATIONS).is_file() {
            true => Ok(()),
            false => Err(SourceError::NoLines { path: folder.to_owned() }),
        }
    }

    /// What has to be known of it besides.
    pub fn warning(&self, folder: &Path) -> Option<String> {
        let options = self.selected.join(" ");
        let folder = folder.display();
        (!options.is_empty())
            .then(|| format!("{folder} was made with {options}: what that left out of it is not in it"))
    }
}

/// As it was given: `--since 2024-01-01`.
fn option(name: &str, value: &Value) -> String {
    let values: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    };
    let words = values.into_iter().map(|value| match value {
        Value::String(text) => format!("--{name} {text:?}"),
        other => format!("--{name} {other}"),
    });
    words.collect::<Vec<_>>().join(" ")
}
