//! One window of a conversation on its way: its messages, the attachments that wait for their names, its share of the
//! account.
//!
//! **Must never**: give an attachment its name out of turn, or lose a message for bytes that cannot be read.

use std::path::Path;
use std::sync::Arc;

use super::facts::learn;
use super::live;
use super::normalize::Normalized;
use super::tally::Tally;
use super::writer::{AssetSink, ConvertedAsset, PlacedAsset, TakenAsset, WriteError};
use crate::disk::FileRecord;
use crate::disk::archive_folder::is_named_after;
use crate::model::{Attachment, Availability, Bytes, Conversation, Message, TapbackKind};
use crate::source::{Content, StoredBundle};

/// One window's messages, with what waits for names.
pub(super) struct Window {
    pub messages: Vec<Message>,
    waiting: Vec<Waiting>,
    pub tally: Tally,
}

/// Bytes that were taken in and wait for their name.
struct Waiting {
    /// An index into [`Window::messages`].
    message: usize,
    slot: Slot,
    /// `None`: a film whose picture is not here.
    taken: Option<TakenAsset>,
    /// The film of a Live Photo, which is named after its picture.
    film: Option<TakenAsset>,
    /// Picture and film are in one bundle.
    is_live_bundle: bool,
}

/// Whose bytes they are.
#[derive(Clone, Copy)]
enum Slot {
    /// An index into the message's attachments.
    Attachment(usize),
    /// The sticker of a tapback: an index into the message's tapbacks.
    Tapback(usize),
    /// The picture of what was drawn; it is nobody's attachment.
    Drawing,
}

impl Slot {
    fn of(self, message: &mut Message) -> Option<&mut Attachment> {
        match self {
            Slot::Attachment(i) => message.attachments.get_mut(i),
            Slot::Tapback(i) => match &mut message.tapbacks.get_mut(i)?.kind {
                TapbackKind::Sticker(Some(picture)) => Some(picture),
                _ => None,
            },
            Slot::Drawing => None,
        }
    }
}

impl Window {
    /// For so many rows that were read.
    pub fn of(rows: usize) -> Window {
        let mut tally = Tally::default();
        tally.rows.read = rows as u64;
        Window { messages: Vec::with_capacity(rows), waiting: Vec::new(), tally }
    }

    /// Takes in a message with the bytes of its attachments and stickers, and what they say of themselves where
    /// `with_facts`. Bytes that cannot be read make its attachment a missing one, with a defect.
    ///
    /// # Errors
    /// [`WriteError`] when they cannot be written.
    pub fn take_in(
        &mut self,
        normalized: Normalized,
        assets: Option<&dyn AssetSink>,
        with_facts: bool,
    ) -> Result<(), WriteError> {
        let Normalized { mut message, contents, motions, tapback_contents } = normalized;
        let films = motions.into_iter().chain(std::iter::repeat(None));
        let attachments = contents.into_iter().zip(films).enumerate();
        let attachments = attachments.map(|(i, (content, film))| (Slot::Attachment(i), content, film));
        let stickers = tapback_contents.into_iter().enumerate();
        let stickers = stickers.map(|(i, content)| (Slot::Tapback(i), content, None));
        let (mut message_defects, mut damaged) = (Vec::new(), Vec::new());
        for (slot, content, film) in attachments.chain(stickers) {
            if content.is_none() && film.is_none() {
                continue;
            }
            let Some(attachment) = slot.of(&mut message) else {
                continue;
            };
            attachment.content = content.as_ref().and_then(shown);
            if with_facts && let Some(content) = &content {
                learn(attachment, content);
            }
            let Some(assets) = assets else {
                continue;
            };
            let is_live_bundle = content.as_ref().is_some_and(is_live_bundle);
            let name = attachment.name.as_deref().unwrap_or("without a name").to_owned();
            let mut take = |content: Option<Content>| -> Result<Option<TakenAsset>, WriteError> {
                let Some(content) = content else { return Ok(None) };
                match assets.take(&content) {
                    Err(WriteError::Unreadable { path, source }) => {
                        message_defects
                            .push(format!("cannot read the attachment {}: {source}", path.display()));
                        self.tally.unreadable += 1;
                        Ok(None)
                    }
                    Ok(taken) => {
                        damaged.extend(is_another(&content, &taken).then(|| {
                            format!(
                                "The attachment {name} is damaged in the archive. These are not the bytes that were \
                                 archived"
                            )
                        }));
                        Ok(Some(taken))
                    }
                    Err(error) => Err(error),
                }
            };
            let should_be_here = content.is_some();
            let (taken, film) = (take(content)?, take(film)?);
            if let Some(Err(why)) = taken.as_ref().and_then(|taken| taken.converted.as_ref()) {
                message_defects.push(format!("the attachment {name} was not converted: {why}"));
            }
            if should_be_here && taken.is_none() {
                attachment.availability = Availability::Missing;
                attachment.content = None;
                attachment.media = None;
            }
            if taken.is_none() && film.is_none() {
                continue;
            }
            let message = self.messages.len();
            self.waiting.push(Waiting { message, slot, taken, film, is_live_bundle });
        }
        message.defects.extend(message_defects);
        message.damaged.extend(damaged);
        if let (Some(assets), Some(balloon)) = (assets, &message.balloon)
            && let Some(drawing) = &balloon.drawing
        {
            let title = balloon.title.as_deref().unwrap_or(DRAWING);
            let taken = Some(assets.draw(drawing, title, &balloon.lines.join("\n"))?);
            let message = self.messages.len();
            self.waiting.push(Waiting {
                message,
                slot: Slot::Drawing,
                taken,
                film: None,
                is_live_bundle: false,
            });
        }
        self.messages.push(message);
        Ok(())
    }

    /// Gives the waiting attachments their names, and closes the account of the window.
    ///
    /// # Errors
    /// [`WriteError`] when they cannot be put in their places.
    pub fn name(
        &mut self,
        conversation: &Conversation,
        assets: Option<&dyn AssetSink>,
    ) -> Result<(), WriteError> {
        let Window { messages, waiting, tally } = self;
        if let Some(assets) = assets {
            for Waiting { message, slot, taken, film, is_live_bundle } in waiting.drain(..) {
                let Some(message) = messages.get_mut(message) else {
                    continue;
                };
                if let Slot::Drawing = slot {
                    let placed = place_drawing(conversation, message, taken, assets)?;
                    tally.copies.extend(placed.as_ref().map(record));
                    continue;
                }
                let date = message.date;
                let Some(attachment) = slot.of(message) else {
                    continue;
                };
                let name = attachment.name.as_deref().or(attachment.guid.as_deref()).unwrap_or("attachment");
                let mut converted = None;
                let taken = taken.map(|mut taken| {
                    converted = taken.converted.take().and_then(Result::ok);
                    taken
                });
                let placed = taken.map(|taken| assets.place(conversation, taken, name, date)).transpose()?;
                if let Some(film) = film {
                    let film = match &placed {
                        Some(picture) => assets.place_beside(conversation, film, picture, FILM, date)?,
                        None => assets.place(conversation, film, &film_name(name), date)?,
                    };
                    tally.copies.push(record(&film));
                    attachment.motion = Some(film.path);
                }
                let Some(placed) = placed else { continue };
                tally.copies.push(record(&placed));
                if let Some(converted) = converted {
                    let ConvertedAsset { extension, taken } = *converted;
                    let converted = assets.place_beside(conversation, taken, &placed, extension, date)?;
                    tally.copies.push(record(&converted));
                    attachment.converted = Some(converted.path);
                }
                if is_live_bundle {
                    attachment.content = shown(&Content::Folder { path: placed.file.clone() });
                    let film = live::halves(&placed.file).1;
                    let film = film.as_deref().and_then(Path::file_name);
                    attachment.motion =
                        film.map(|film| format!("{}/{}", placed.path, film.to_string_lossy()));
                } else if placed.sha256.is_some() {
                    // A bundle is no file, and has no hash.
                    attachment.content = shown(&Content::File { path: placed.file, bytes: placed.bytes });
                }
                attachment.bytes = Some(placed.bytes);
                attachment.path = Some(placed.path);
                attachment.sha256 = placed.sha256;
            }
        }
        for message in messages {
            tally.observe(message);
        }
        Ok(())
    }
}

/// Whether an archive has other bytes there than the name says.
fn is_another(content: &Content, taken: &TakenAsset) -> bool {
    match (content, &taken.sha256) {
        // Of what was not copied nobody knows.
        (Content::File { path, .. }, Some(sha256)) if !sha256.is_empty() => {
            is_named_after(path, sha256) == Some(false)
        }
        _ => false,
    }
}

/// What a drawing is called that has no title.
const DRAWING: &str = "Drawing";

/// Names the picture of a message's drawing.
fn place_drawing(
    conversation: &Conversation,
    message: &mut Message,
    taken: Option<TakenAsset>,
    assets: &dyn AssetSink,
) -> Result<Option<PlacedAsset>, WriteError> {
    let (Some(balloon), Some(taken)) = (&mut message.balloon, taken) else { return Ok(None) };
    let name = format!("{}.svg", balloon.app.as_deref().unwrap_or(DRAWING));
    let placed = assets.place(conversation, taken, &name, message.date)?;
    if let Some(drawing) = &mut balloon.drawing {
        drawing.path = Some(placed.path.clone());
    }
    Ok(Some(placed))
}

/// The extension of a Live Photo's film beside the export.
const FILM: &str = "mov";

/// The name of a film whose picture is not here.
fn film_name(picture: &str) -> String {
    let stem = picture.rsplit_once('.').map_or(picture, |(stem, _)| stem);
    format!("{stem}.{FILM}")
}

fn record(placed: &PlacedAsset) -> FileRecord {
    FileRecord {
        path: placed.path.clone(),
        bytes: placed.bytes,
        sha256: placed.sha256.clone().unwrap_or_default(),
    }
}

fn is_live_bundle(content: &Content) -> bool {
    content.is_bundle() && live::is_bundle(content.path())
}

/// What writers may embed: of a Live Photo's bundle its picture, of other bundles nothing.
fn shown(content: &Content) -> Option<Arc<dyn Bytes>> {
    let content = match content {
        Content::Folder { path } | Content::Bundle(StoredBundle { path, .. }) if !live::is_bundle(path) => {
            None
        }
        Content::OutOfReach(_) => None,
        Content::Folder { .. } | Content::Bundle(_) => live::picture(content),
        Content::File { .. } | Content::Value(_) | Content::Sealed(_) => Some(content.clone()),
    };
    content.map(|content| Arc::new(content) as Arc<dyn Bytes>)
}
