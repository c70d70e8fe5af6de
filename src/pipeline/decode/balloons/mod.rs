//! An app's payload → a card (`messages-format.md` 10).
//!
//! Each kind has a file that turns its payload into the one shape; all but link previews begin with the template that
//! apps share. What people should see is in the card's texts, what only programs want in its `data`.
//!
//! **Must never**: drop a message whose payload is not understood, or hand on a URL that was changed.

mod business;
mod chatbot;
mod check_in;
mod collaboration;
mod digital_touch;
mod find_my;
mod fitness;
mod game;
mod handwriting;
mod music;
mod pay;
mod photos;
mod place;
pub mod poll;
mod store;
mod template;
mod url;

pub use fitness::{put_names, wants_names};

use super::keyed::{Archive, Node};
use crate::model::{Balloon, BalloonKind, Value};

/// Decodes an app's payload into the one card shape. `bundle_id` is the raw `balloon_bundle_id`, `payload` the
/// `payload_data`, `text` the body's text (the fallback). The balloon's `attachments` are numbers of the message's plug-in
/// payload attachments, as far as the payload names them, the largest picture first: the pipeline makes them indices.
/// Troubles come in words.
///
/// | | link preview | app message |
/// |---|---|---|
/// | `title` | the page's | caption |
/// | `subtitle` | the site's name; a song's artist | subcaption |
/// | `summary` | the page's | the sentence that stands for the message (`ldtext`), else the body's text where the card says nothing else |
/// | `url` | as it was sent, else the final one | as stored; often `data:` or only a query |
/// | `lines` | words that were written around the link; the final URL where it differs; album, address, … | title and subtitle of the image, trailing caption, trailing subcaption |
///
/// `data` has, where they are known:
///
/// | kind | keys |
/// |---|---|
/// | any | `raw`: the payload as it is, of an app that is not known, of one that was not understood and of a damaged drawing |
/// | any app message | `session` (UUID), `app_store_id`, `accessibility` (spoken text), `image` (bytes) |
/// | link previews | `placeholder`, `final_url`, `site`, `item_type`, `creator_facebook`, `creator_twitter`, `activity_pub`, `selected_text`, `related_url`, `image_urls`, `icon_urls`, `video_urls`, `video_url`, `audio_url`, `pictures` (`role`, `mime`, `bytes` of each), `special` (what it is of, where this has no kind of its own) |
/// | `music` | `media` (`song`, `album`, `playlist`, …), `name`, `artist`, `album`, `lyrics`, `preview_url`, `store_id`, `storefront`, `offers`, `curator`, `genre` |
/// | `app_store` | `name`, `platform`, `genre`, `store_id`, `storefront`, `messages_only`, `preview_video` |
/// | `place` | `name`, `address`, `components` (`street`, `city`, …), `distance` and `category` as stored, `latitude`, `longitude` (degrees) |
/// | `collaboration` | `created` (date), `app_bundle_id`, `app_bundle_ids`, `collaboration_id`, `content_type`, `initiator`, `share_options` |
/// | `pay` | `amount` (decimal digits as text), `currency` (ISO 4217), `direction` (`sent`, `requested`, `received`), `recurring` (`weekly`, `biweekly`, `monthly`, `daily`), `starting` (as the sentence says it), `payment` (what the URL holds, as stored) |
/// | `check_in` | `state` (`running`, `late`, `reported`), `expected_end`, `missed`, `sent` (dates), `message_type`, `interface_version` |
/// | `find_my` | `version`, `payload` (unpacked) |
/// | `slideshow` | `count` |
/// | `game` | `state` (the names and values in the URL) |
/// | `poll` | `creator` (an address), `choices` (`id`, `creator`, `editable` of each option) |
/// | `business` | `interaction` (`quick_reply`, `quick_reply_response`, `list_picker`, `list_picker_reply`, `form`, `form_response`, `legacy`), `request`, `items` (`title`, `subtitle`, `id`), `selected` (an index), `answers` (`question`, `answers`), `form`, `query`, `content` (JSON that has no kind) |
/// | `handwriting` | `id`, `created` (date), `frame` (`x`, `y`, `width`, `height`), `strokes` and `points` (how many) |
/// | `digital_touch` | `kind` (`tap`, `heartbeat`, `sketch`, `media`, `kiss`, `fireball`, `unknown`), `id`, `created` (date), `color` (#rrggbbaa), `strokes` and `points` (how many), `delays` (milliseconds), `rotations` (thousandths of a radian), `bpm`, `duration` and `broken_at` (seconds), `start` (`x`, `y` from the center), `media` (`video`, `picture`), `overlays` (what was drawn on it: these values of each), `kind_number`, `raw` (the message, where its kind is not known) |
///
/// The pipeline adds what takes more than one row: `updates` (how many), `updated` (date), `updated_by`, `earlier` (the states
/// before); of a poll `removed_options` and `damaged_votes` (`by`, `date`, `raw` of each), of a lone vote `votes` or `taken_back_by`.
pub fn balloon(bundle_id: &str, payload: Option<&[u8]>, text: Option<&str>) -> (Balloon, Vec<String>) {
    let id = effective_id(bundle_id);
    let (kind, app, fill) = known(id);
    let mut card = Balloon {
        kind,
        bundle_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        app: app.map(str::to_owned),
        ..Balloon::default()
    };
    let text = text.map(|text| text.replace('\u{FFFC}', "")).filter(|text| !text.trim().is_empty());
    let mut defects = Vec::new();
    let payload = payload.filter(|payload| !payload.is_empty());
    // Two have payloads of another sort.
    let drawing: Option<Draw> = match kind {
        BalloonKind::Handwriting => Some(handwriting::fill),
        BalloonKind::DigitalTouch => Some(digital_touch::fill),
        _ => None,
    };
    if let Some((draw, payload)) = drawing.zip(payload) {
        defects.extend(draw(payload, &mut card));
        // Of a damaged drawing there is less to see than there was.
        if !defects.is_empty() && card.data.iter().all(|(name, _)| *name != "raw") {
            card.data.push(("raw", Value::Bytes(payload.to_vec())));
        }
    } else if let Some(payload) = payload {
        let understood = Archive::read(payload).map_err(|damage| damage.to_string()).and_then(|archive| {
            let known = fill(archive.root(), &mut card);
            known.then_some(()).ok_or_else(|| "nothing known in it".into())
        });
        let understood = understood.or_else(|why| chatbot::fill(payload, &mut card).then_some(()).ok_or(why));
        game::recognize(&mut card);
        if understood.is_err() || (card.kind == BalloonKind::App && app.is_none()) {
            card.data.push(("raw", Value::Bytes(payload.to_vec())));
        }
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
    } else if kind == BalloonKind::Url {
        // Words that somebody wrote around the link are in no preview.
        let words = text.as_deref().map(str::trim);
        // A link as it was typed (`example.com`) is one word.
        let words = words.filter(|text| text.contains(char::is_whitespace) && !says(&card, text));
        let words = words.map(str::to_owned);
        card.lines.splice(0..0, words);
    }
    (card, defects)
}

/// The provider's id, or the third part of `plug-in:team:extension` (`messages-format.md` 10.1).
pub fn effective_id(bundle_id: &str) -> &str {
    bundle_id.splitn(3, ':').nth(2).unwrap_or(bundle_id)
}

/// Fills a card from the bytes of a drawing; returns its defects.
type Draw = fn(&[u8], &mut Balloon) -> Vec<String>;

/// Fills a card from the root of an archive; `false` when nothing known is in it.
type Fill = fn(Node<'_>, &mut Balloon) -> bool;

/// The provider of link previews (`messages-format.md` 10.1).
pub const LINK_PREVIEW: &str = "com.apple.messages.URLBalloonProvider";

/// The kind of an effective id, the name of the app where its payload may not tell, and what fills its card.
fn known(id: &str) -> (BalloonKind, Option<&'static str>, Fill) {
    use BalloonKind::*;
    match id {
        LINK_PREVIEW => (Url, None, url::fill),
        "com.apple.Handwriting.HandwritingProvider" => (Handwriting, Some("Handwriting"), template::fill),
        "com.apple.DigitalTouchBalloonProvider" => (DigitalTouch, Some("Digital Touch"), template::fill),
        "com.apple.PassbookUIService.PeerPaymentMessagesExtension" => (Pay, Some("Apple Cash"), pay::fill),
        "com.apple.ActivityMessagesApp.MessagesExtension" => (Fitness, Some("Fitness"), template::fill),
        "com.apple.mobileslideshow.PhotosMessagesApp" => (Slideshow, Some("Photos"), photos::fill),
        "com.apple.SafetyMonitorApp.SafetyMonitorMessages" => (CheckIn, Some("Check In"), check_in::fill),
        "com.apple.findmy.FindMyMessagesApp" => (FindMy, Some("Find My"), find_my::fill),
        "com.apple.icloud.apps.messages.business.extension" => (Business, None, business::fill),
        "com.apple.messages.chatbot" => (Business, None, business::fill),
        "com.apple.messages.Polls" => (Poll, Some("Polls"), poll::fill),
        "com.apple.PaperKit.MessagesDrawingBoard" => (App, Some("Drawing"), template::fill),
        id if id.contains("gamepigeon") => (Game, Some("GamePigeon"), template::fill),
        _ => (App, None, template::fill),
    }
}

/// Whether this is one of the card's texts.
fn says(card: &Balloon, text: &str) -> bool {
    let texts = [&card.title, &card.subtitle, &card.summary, &card.url].into_iter().flatten();
    texts.chain(&card.lines).any(|said| said == text)
}

/// One URL and nothing else.
fn is_link(text: &str) -> bool {
    super::url::has_scheme(text) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests;
