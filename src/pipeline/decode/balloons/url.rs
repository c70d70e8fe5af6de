//! Link previews (`messages-format.md` 10.4). What a link can be of has files of its own, beside this.

use super::{collaboration, music, place, store};
use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::Node;

/// What a page can be of, and what its card shows then.
type Special = fn(&Page<'_>, &mut Balloon) -> bool;

/// In the order of `messages-format.md` 10.5: the first that fits.
const SPECIAL: [Special; 4] = [collaboration::fill, music::fill, store::fill, place::fill];

/// Pictures of a page and of what it is of, the large ones first: where there are several, the first is shown largest.
const PICTURES: [&str; 10] = [
    "image",
    "artwork",
    "screenshots",
    "alternateImages",
    "icon",
    "categoryIcon",
    "darkIcon",
    "darkImage",
    "artistArtwork",
    "messagesAppIcon",
];

/// Pictures, and addresses of pictures, that are looked at: what is in a list may be one object many times over.
const MOST_PICTURES: usize = 64;
/// Bytes of the pictures in a payload that are kept, in all.
const MOST_BYTES: usize = 16 << 20;

/// `LPLinkMetadata`: what was found out about a link.
pub struct Page<'p> {
    metadata: Node<'p>,
    /// `specialization` and `specialization2`, as far as they are there.
    pub special: Vec<Node<'p>>,
}

impl<'p> Page<'p> {
    /// A text of the page itself.
    pub fn get(&self, key: &str) -> Option<Node<'p>> {
        self.metadata.get(key)
    }

    /// The first specialization of one of these classes, or that has this key.
    pub fn special(&self, classes: &[&str], key: &str) -> Option<Node<'p>> {
        let is = |node: &&Node<'_>| {
            node.get(key).is_some() || node.class().is_some_and(|class| classes.contains(&class.as_str()))
        };
        self.special.iter().find(is).copied()
    }
}

/// A text of an object.
pub fn text(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(Node::text)
}

/// Adds what an object has under Apple's names to the card's data, under ours.
pub fn copy(node: Node<'_>, names: &[(&str, &'static str)], card: &mut Balloon) {
    for (key, name) in names {
        // A URL may be wrapped several times over.
        let value = node.get(key).and_then(|node| node.url().map(Value::Text).or_else(|| node.value()));
        let is_new = card.data.iter().all(|(known, _)| known != name);
        card.data
            .extend(value.filter(|value| is_new && *value != Value::Text(String::new())).map(|v| (*name, v)));
    }
}

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let wrapped = root.get("richLinkMetadata").or_else(|| root.get("metadata"));
    let metadata = wrapped.unwrap_or(root);
    let special = ["specialization", "specialization2"].into_iter().filter_map(|key| metadata.get(key));
    let page = Page { metadata, special: special.collect() };
    let last = page.get("URL").and_then(Node::url);
    let sent = page.get("originalURL").and_then(Node::url);
    card.url = sent.or_else(|| last.clone());
    if root.get("richLinkIsPlaceholder").and_then(Node::bool) == Some(true) {
        // Never fetched: there is nothing but the URL.
        card.data.push(("placeholder", Value::Boolean(true)));
        return true;
    }
    card.title = text(metadata, "title");
    card.subtitle = text(metadata, "siteName");
    card.summary = text(metadata, "summary");
    let is_known = SPECIAL.iter().any(|fill| fill(&page, card));
    let redirected = |last: &String| {
        let url = card.url.as_deref().unwrap_or("");
        last.trim_end_matches('/') != url.trim_end_matches('/')
    };
    if let Some(last) = last.filter(redirected) {
        card.data.push(("final_url", Value::Text(last.clone())));
        card.lines.push(last);
    }
    facts(&page, card);
    let others = page.special.iter().filter(|_| !is_known).filter_map(|node| node.value());
    let others: Vec<Value> = others.filter(|value| *value != Value::Map(Vec::new())).collect();
    if !others.is_empty() {
        // A podcast, a post, a file, …: as it is.
        card.data.push(("special", Value::List(others)));
    }
    pictures(&page, card);
    wrapped.is_some() || card.url.is_some() || card.title.is_some()
}

/// What the page says of itself, for programs.
fn facts(page: &Page<'_>, card: &mut Balloon) {
    let names = [
        ("siteName", "site"),
        ("itemType", "item_type"),
        ("creatorFacebookProfile", "creator_facebook"),
        ("creatorTwitterUsername", "creator_twitter"),
        ("usesActivityPub", "activity_pub"),
        ("selectedText", "selected_text"),
        ("relatedURL", "related_url"),
    ];
    copy(page.metadata, &names, card);
    // Where the originals lay when the link was sent.
    for (key, list, name) in [
        ("imageMetadata", "images", "image_urls"),
        ("iconMetadata", "icons", "icon_urls"),
        ("videoMetadata", "videos", "video_urls"),
    ] {
        let one = page.get(key).into_iter();
        let many = page.get(list).into_iter().flat_map(Node::items);
        let mut urls: Vec<Value> = Vec::new();
        let nodes = one.chain(many).take(MOST_PICTURES);
        for url in nodes.filter_map(|node| node.get("URL")?.url()) {
            let url = Value::Text(url);
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        if !urls.is_empty() {
            card.data.push((name, Value::List(urls)));
        }
    }
    for (key, name) in [("video", "video_url"), ("audio", "audio_url")] {
        let node = page.get(key);
        let url = node
            .and_then(|node| ["streamingURL", "youTubeURL", "URL"].iter().find_map(|k| node.get(k)?.url()));
        card.data.extend(url.map(|url| (name, Value::Text(url))));
    }
}

/// The pictures in the message's files, by number; those in the payload itself into the card's data.
fn pictures(page: &Page<'_>, card: &mut Balloon) {
    let nested = page.special.iter().filter_map(|node| node.get("specialization"));
    let nodes: Vec<Node<'_>> =
        [page.metadata].into_iter().chain(page.special.iter().copied()).chain(nested).collect();
    let mut inline = Vec::new();
    let mut room = MOST_BYTES;
    for key in PICTURES {
        for found in nodes.iter().filter_map(|node| node.get(key)) {
            let list = found.is_list().then(|| found.items()).into_iter().flatten();
            let one = (!found.is_list()).then_some(found);
            for picture in one.into_iter().chain(list).take(MOST_PICTURES) {
                let number = picture.get("richLinkImageAttachmentSubstituteIndex").and_then(Node::integer);
                if let Some(number) = number.and_then(|number| usize::try_from(number).ok()) {
                    if !card.attachments.contains(&number) {
                        card.attachments.push(number);
                    }
                } else if let Some(bytes) =
                    picture.get("data").and_then(Node::data).filter(|data| !data.is_empty())
                {
                    let Some(left) = room.checked_sub(bytes.len()).filter(|_| inline.len() < MOST_PICTURES)
                    else {
                        continue;
                    };
                    room = left;
                    let mime = text(picture, "MIMEType").map(|mime| ("mime".to_owned(), Value::Text(mime)));
                    let bytes = ("bytes".to_owned(), Value::Bytes(bytes.to_vec()));
                    let role = ("role".to_owned(), Value::Text(key.to_owned()));
                    inline.push(Value::Map([Some(role), mime, Some(bytes)].into_iter().flatten().collect()));
                }
            }
        }
    }
    if !inline.is_empty() {
        card.data.push(("pictures", Value::List(inline)));
    }
}
