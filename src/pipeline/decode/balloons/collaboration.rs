//! Documents shared to be worked on together (`messages-format.md` 10.5).

use super::url::{Page, copy, text};
use crate::model::{Balloon, BalloonKind, Value};
use crate::pipeline::decode::date;
use crate::pipeline::decode::keyed::Node;

/// Fills the card where the page is of a shared document.
pub fn fill(page: &Page<'_>, card: &mut Balloon) -> bool {
    let shared = page.special(&["LPSharedObjectMetadata"], "isCollaboration");
    let collaboration = page.get("collaborationMetadata");
    let is_shared = shared.and_then(|shared| shared.get("isCollaboration")?.bool()) == Some(true);
    if collaboration.is_none() && !is_shared {
        return false;
    }
    card.kind = BalloonKind::Collaboration;
    let cloud = shared.and_then(|shared| shared.get("specialization"));
    card.app = cloud.and_then(|cloud| text(cloud, "application"));
    let title = collaboration.and_then(|c| text(c, "title"));
    let title = title.or_else(|| cloud.and_then(|cloud| text(cloud, "title")));
    card.title = card.title.take().or(title);
    let Some(collaboration) = collaboration else {
        return true;
    };
    let identifier = collaboration.get("collaborationIdentifier").and_then(Node::url);
    card.url = card.url.take().or_else(|| identifier.clone());
    let created = collaboration.get("creationDate").and_then(Node::real).and_then(date::from_seconds);
    card.data.extend(created.map(|date| ("created", Value::Date(date))));
    let container = collaboration.path(&["containerSetupInfo", "containerID", "ContainerIdentifier"]);
    let bundle =
        container.and_then(Node::text).map(|id| id.strip_prefix("iCloud.").unwrap_or(&id).to_owned());
    card.data.extend(bundle.map(|id| ("app_bundle_id", Value::Text(id))));
    let names = [
        ("ckAppBundleIDs", "app_bundle_ids"),
        ("collaborationIdentifier", "collaboration_id"),
        ("contentType", "content_type"),
        ("initiatorHandle", "initiator"),
    ];
    copy(collaboration, &names, card);
    let options = ["userSelectedShareOptions", "defaultShareOptions"];
    let options = options.iter().find_map(|key| collaboration.get(key)?.get("summary")?.text());
    card.data.extend(options.map(|options| ("share_options", Value::Text(options))));
    true
}
