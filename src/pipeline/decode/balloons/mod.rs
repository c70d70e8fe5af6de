//! An app's payload → a card (`messages-format.md` 10).
//!
//! Every app message is shown as a card of its template's texts; link previews by what the preview says. What
//! only one kind of app message has is decoded beside these.
//!
//! **Must never**: drop a message whose payload is not understood, or hand on a URL that was changed.

mod app;
mod url;

use super::keyed::Archive;
use crate::model::{Balloon, BalloonKind};

/// Decodes an app's payload into the one card shape. `bundle_id` is the raw `balloon_bundle_id`, `payload` the
/// `payload_data`, `text` the body's text (the fallback). The balloon's `attachments` stay empty: the pipeline pairs them.
/// Troubles come in words.
///
/// | | link preview | app message |
/// |---|---|---|
/// | `title` | the page's | caption |
/// | `subtitle` | the site's name; a song's artist | subcaption |
/// | `summary` | the page's | the sentence that stands for the message (`ldtext`), else the body's text where the card says nothing else |
/// | `url` | as it was sent, else the final one | as stored; often `data:` or only a query |
/// | `lines` | the final URL where it differs; album, address, … | title and subtitle of the image, trailing caption, trailing subcaption |
pub fn balloon(bundle_id: &str, payload: Option<&[u8]>, text: Option<&str>) -> (Balloon, Vec<String>) {
    let id = effective_id(bundle_id);
    let (kind, app) = known(id);
    let mut card = Balloon {
        kind,
        bundle_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        app: app.map(str::to_owned),
        ..Balloon::default()
    };
    let text = text.map(|text| text.replace('\u{FFFC}', "")).filter(|text| !text.trim().is_empty());
    let mut defects = Vec::new();
    // Handwriting and Digital Touch have payloads of another sort.
    let is_archive = !matches!(kind, BalloonKind::Handwriting | BalloonKind::DigitalTouch);
    if let Some(payload) = payload.filter(|payload| is_archive && !payload.is_empty()) {
        let understood = Archive::read(payload).map_err(|damage| damage.to_string()).and_then(|archive| {
            let fill = if kind == BalloonKind::Url { url::fill } else { app::fill };
            let known = fill(archive.root(), &mut card);
            known.then_some(()).ok_or_else(|| "nothing known in it".into())
        });
        if let Err(why) = understood {
            defects.push(format!("balloon payload not understood: {why}"));
        }
    }
    if card.kind == BalloonKind::Url && card.url.is_none() {
        card.url = text.as_deref().map(str::trim).filter(|text| is_link(text)).map(str::to_owned);
    }
    if card.title.is_none()
        && card.subtitle.is_none()
        && card.summary.is_none()
        && card.lines.is_empty()
        && card.url != text
    {
        card.summary = text;
    }
    (card, defects)
}

/// The provider's id, or the third part of `plug-in:team:extension` (`messages-format.md` 10.1).
pub fn effective_id(bundle_id: &str) -> &str {
    bundle_id.splitn(3, ':').nth(2).unwrap_or(bundle_id)
}

/// The kind of an effective id, and the name of the app where its payload may not tell.
fn known(id: &str) -> (BalloonKind, Option<&'static str>) {
    match id {
        "com.apple.messages.URLBalloonProvider" => (BalloonKind::Url, None),
        "com.apple.Handwriting.HandwritingProvider" => (BalloonKind::Handwriting, Some("Handwriting")),
        "com.apple.DigitalTouchBalloonProvider" => (BalloonKind::DigitalTouch, Some("Digital Touch")),
        "com.apple.PassbookUIService.PeerPaymentMessagesExtension" => (BalloonKind::Pay, Some("Apple Cash")),
        "com.apple.ActivityMessagesApp.MessagesExtension" => (BalloonKind::Fitness, Some("Fitness")),
        "com.apple.mobileslideshow.PhotosMessagesApp" => (BalloonKind::Slideshow, Some("Photos")),
        "com.apple.SafetyMonitorApp.SafetyMonitorMessages" => (BalloonKind::CheckIn, Some("Check In")),
        "com.apple.findmy.FindMyMessagesApp" => (BalloonKind::FindMy, Some("Find My")),
        "com.apple.icloud.apps.messages.business.extension" => (BalloonKind::Business, None),
        "com.apple.messages.Polls" => (BalloonKind::Poll, Some("Polls")),
        "com.apple.PaperKit.MessagesDrawingBoard" => (BalloonKind::App, Some("Drawing")),
        id if id.contains("gamepigeon") => (BalloonKind::Game, Some("GamePigeon")),
        _ => (BalloonKind::App, None),
    }
}

/// One URL and nothing else.
fn is_link(text: &str) -> bool {
    super::url::has_scheme(text) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests;
