use std::path::PathBuf;

use crate::model::{Conversation, Drawing, Instant};
use crate::pipeline::writer::{AssetSink, PlacedAsset, TakenAsset, WriteError};
use crate::source::Content;

/// Attachments as they would lie beside an export, with nothing copied: so that a message says which are there, and what
/// belongs to them.
pub struct StandIns;

impl AssetSink for StandIns {
    fn take(&self, content: &Content) -> Result<TakenAsset, WriteError> {
        // A bundle has no hash; what is no bundle has one that nobody needs to know.
        let bytes = content.bytes();
        Ok(taken(content.path().to_owned(), bytes.unwrap_or(0), bytes.map(|_| String::new())))
    }

    fn draw(&self, _: &Drawing, _: &str, _: &str) -> Result<TakenAsset, WriteError> {
        Ok(taken(PathBuf::new(), 0, Some(String::new())))
    }

    fn place(
        &self,
        _: &Conversation,
        taken: TakenAsset,
        name: &str,
        _: Option<Instant>,
    ) -> Result<PlacedAsset, WriteError> {
        Ok(placed(taken, name.to_owned()))
    }

    fn place_beside(
        &self,
        _: &Conversation,
        taken: TakenAsset,
        other: &PlacedAsset,
        extension: &str,
        _: Option<Instant>,
    ) -> Result<PlacedAsset, WriteError> {
        // Whose film it is, and which.
        let path = format!("{} {extension} {}", other.path, taken.waiting.display());
        Ok(placed(taken, path))
    }
}

fn taken(waiting: PathBuf, bytes: u64, sha256: Option<String>) -> TakenAsset {
    TakenAsset { waiting, bytes, sha256, converted: None }
}

fn placed(taken: TakenAsset, path: String) -> PlacedAsset {
    PlacedAsset { path, file: taken.waiting, bytes: taken.bytes, sha256: taken.sha256 }
}
