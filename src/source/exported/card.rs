//! The card of an app's message, read back.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value as Json;

use super::line;
use crate::model::{Attachment, Balloon, BalloonKind, PollOption, Sender, Value, Voter};
use crate::source::dates::instant;

/// A card; `attachments`: of its message.
pub fn card(line: line::Balloon, attachments: &[Attachment], defects: &mut Vec<String>) -> Balloon {
    let kind = BalloonKind::named(&line.r#type).unwrap_or_else(|| {
        defects.push(super::message::unknown("kind of app", &line.r#type));
        BalloonKind::default()
    });
    let place = |guid: &String| attachments.iter().position(|a| a.guid.as_ref() == Some(guid));
    let mut pictures_of_it: Vec<usize> = line.attachments.iter().filter_map(place).collect();
    // The picture of what was drawn comes last, and has no GUID.
    pictures_of_it.extend(drawing(&line).and(attachments.len().checked_sub(1)));
    let mut card = Balloon {
        kind,
        attachments: pictures_of_it,
        bundle_id: line.bundle_id,
        app: line.app,
        title: line.title,
        subtitle: line.subtitle,
        summary: line.summary,
        url: line.url,
        lines: line.lines,
        ..Balloon::default()
    };
    for (name, value) in line.data {
        match name.as_str() {
            "options" => match serde_json::from_value::<Vec<line::Choice>>(value) {
                Ok(options) => card.options = options.into_iter().map(option).collect(),
                Err(error) => defects.push(format!("the options of a poll cannot be read: {error}")),
            },
            // Its strokes are in no export; of its picture see `drawing`.
            "drawing" => {}
            "pictures" => card.told.extend(plain(value).map(|value| (name, pictures(value)))),
            _ => card.told.extend(plain(value).map(|value| (name, value))),
        }
    }
    card
}

/// Where the picture lies of what somebody drew.
pub fn drawing(line: &line::Balloon) -> Option<&str> {
    line.data.get("drawing")?.get("path")?.as_str()
}

fn option(line: line::Choice) -> PollOption {
    let voter = |line: line::Voter| Voter {
        from_me: line.from_me,
        sender: (!line.from_me).then(|| Arc::new(Sender { handle: line.handle, name: line.name })),
        date: line.date.as_deref().and_then(instant),
    };
    PollOption { text: line.text, voters: line.voters.into_iter().map(voter).collect() }
}

/// `2024-05-01T13:30:00.123456789+02:00`, all of it.
fn is_date(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00.000000000+00:00";
    let alike = |(shape, byte): (u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'+' => matches!(byte, b'+' | b'-'),
        other => byte == other,
    };
    text.len() == shape.len() && shape.bytes().zip(text.bytes()).all(alike)
}

/// The bytes of the pictures that came inside a payload, which are text in JSON.
fn pictures(value: Value) -> Value {
    let decoded = |(name, value): (String, Value)| match &value {
        Value::Text(text) if name == "bytes" => match BASE64.decode(text) {
            Ok(bytes) => (name, Value::Bytes(bytes)),
            Err(_) => (name, value),
        },
        _ => (name, value),
    };
    match value {
        Value::List(pictures) => Value::List(
            pictures
                .into_iter()
                .map(|picture| match picture {
                    Value::Map(entries) => Value::Map(entries.into_iter().map(decoded).collect()),
                    other => other,
                })
                .collect(),
        ),
        other => other,
    }
}

/// What stands there, as it stands there; `None` of `null`, which nothing that was written is.
fn plain(value: Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Real(number.as_f64().filter(|real| real.is_finite())?),
        },
        // A date is told from a text by how it is written, in the one way that schema 1 has.
        Json::String(text) => match instant(&text).filter(|_| is_date(&text)) {
            Some(date) => Value::Date(date),
            None => Value::Text(text),
        },
        Json::Array(values) => Value::List(values.into_iter().filter_map(plain).collect()),
        Json::Object(entries) => {
            let entries = entries.into_iter().filter_map(|(name, value)| Some((name, plain(value)?)));
            Value::Map(entries.collect())
        }
    })
}
