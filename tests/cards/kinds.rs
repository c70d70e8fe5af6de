//! One payload of each kind, made here.

use serde_json::json;

use super::{card, extension, show};
use crate::support::AppTemplate;
use crate::support::archive::archive;
use crate::support::keyed::data_url;

const LINK: &str = "com.apple.messages.URLBalloonProvider";

fn check_link(payload: &serde_json::Value, expected: &[&str]) {
    check(LINK, &archive(payload), expected);
}

fn check_app(id: &str, template: &AppTemplate, expected: &[&str]) {
    check(&extension(id), &template.encode(), expected);
}

/// All lines of the card but that of its bundle id.
fn check(id: &str, payload: &[u8], expected: &[&str]) {
    let shown = show(&card(id, payload));
    let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with("bundle: ")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_link_with_everything() {
    let picture = |n| json!({"$class": "RichLinkImageAttachmentSubstitute", "richLinkImageAttachmentSubstituteIndex": n});
    let original = |url| json!({"$class": "LPImageMetadata", "URL": {"$url": url}});
    let page = json!({
        "$class": "LPLinkMetadata",
        "originalURL": {"$url": "https://example.com/short"},
        "URL": {"$url": "https://example.com/long"},
        "title": "Rye", "summary": "Dark bread", "siteName": "Bread", "itemType": "article",
        "creatorTwitterUsername": "@bread", "usesActivityPub": true,
        "icon": picture(0), "image": picture(2), "alternateImages": [picture(1), picture(2)],
        "imageMetadata": original("https://example.com/i.png"),
        "images": [original("https://example.com/i.png"), original("https://example.com/j.png")],
        "video": {"$class": "LPVideo", "streamingURL": {"$url": "https://example.com/v.mp4"}},
    });
    let link = json!({"$class": "RichLink", "richLinkIsPlaceholder": false, "richLinkMetadata": page});
    let expected = [
        "Url",
        "title: Rye",
        "subtitle: Bread",
        "summary: Dark bread",
        "url: https://example.com/short",
        "line: https://example.com/long",
        "pictures: [2, 1, 0]",
        r#"final_url = "https://example.com/long""#,
        r#"site = "Bread""#,
        r#"item_type = "article""#,
        r#"creator_twitter = "@bread""#,
        "activity_pub = true",
        r#"image_urls = ["https://example.com/i.png", "https://example.com/j.png"]"#,
        r#"video_url = "https://example.com/v.mp4""#,
    ];
    check_link(&link, &expected);
    // The same in the wrapping of shared content, and in none.
    check_link(&json!({"$class": "LPSharingMetadataWrapper", "metadata": page}), &expected);
    check_link(&page, &expected);
}

#[test]
fn a_link_whose_picture_lies_in_the_payload() {
    check_link(
        &json!({"$class": "LPLinkMetadata", "URL": {"$url": "https://example.com"},
            "image": {"$class": "LPImage", "MIMEType": "image/png", "data": {"$data": "png"}}}),
        &[
            "Url",
            "url: https://example.com",
            r#"pictures = [{role: "image", mime: "image/png", bytes: 3 bytes 8f8c}]"#,
        ],
    );
}

#[test]
fn a_placeholder_says_so() {
    check_link(
        &json!({"$class": "RichLink", "richLinkIsPlaceholder": true,
            "richLinkMetadata": {"$class": "LPLinkMetadata", "URL": {"$url": "https://example.com"}, "title": "no"}}),
        &["Url", "url: https://example.com", "placeholder = true"],
    );
}

fn special(key: &str, special: serde_json::Value) -> serde_json::Value {
    json!({"$class": "LPLinkMetadata", "URL": {"$url": "https://example.com"}, "title": "Page", (key): special})
}

#[test]
fn music() {
    check_link(
        &special(
            "specialization",
            json!({"$class": "LPiTunesMediaAlbumMetadata", "name": "Crumbs", "artist": "The Lamps",
                "storeIdentifier": "7", "storeFrontIdentifier": "143441", "offers": ["buy"],
                "lyricExcerpt": {"$class": "LPLyricExcerpt", "lyrics": "la la"}}),
        ),
        &[
            "Music",
            "title: Crumbs",
            "subtitle: The Lamps",
            "url: https://example.com",
            "line: la la",
            r#"media = "album""#,
            r#"name = "Crumbs""#,
            r#"artist = "The Lamps""#,
            r#"store_id = "7""#,
            r#"storefront = "143441""#,
            r#"offers = ["buy"]"#,
            r#"lyrics = "la la""#,
        ],
    );
}

#[test]
fn an_app_in_the_store() {
    check_link(
        &special(
            "specialization",
            json!({"$class": "LPiTunesMediaSoftwareMetadata", "name": "Loaf", "subtitle": "Bake", "platform": "ios",
                "genre": "Food", "storeIdentifier": "8", "isMessagesOnlyApp": false,
                "icon": {"$class": "X", "richLinkImageAttachmentSubstituteIndex": 0}}),
        ),
        &[
            "AppStore",
            "title: Loaf",
            "subtitle: Bake",
            "url: https://example.com",
            "line: ios",
            "line: Food",
            "pictures: [0]",
            r#"name = "Loaf""#,
            r#"platform = "ios""#,
            r#"genre = "Food""#,
            r#"store_id = "8""#,
            "messages_only = false",
        ],
    );
}

#[test]
fn an_app_in_the_store_whose_class_is_not_stored() {
    check_link(
        &special("specialization", json!({"name": "Loaf", "platform": "ios", "storeIdentifier": "8"})),
        &[
            "AppStore",
            "title: Loaf",
            "url: https://example.com",
            "line: ios",
            r#"name = "Loaf""#,
            r#"platform = "ios""#,
            r#"store_id = "8""#,
        ],
    );
}

#[test]
fn a_place() {
    let place = json!({"$class": "LPMapMetadata", "address": "1 Lamp Rd, Skerry", "distance": 2.5,
        "addressComponents": {"$class": "CNPostalAddress", "_street": "1 Lamp Rd", "_city": "Skerry",
            "_state": "", "_ISOCountryCode": "US"}});
    let mut page = special("specialization2", place);
    page["originalURL"] = json!({"$url": "https://maps.apple.com/?ll=37.5,-122.25"});
    check_link(
        &page,
        &[
            "Place",
            "title: Page",
            "url: https://maps.apple.com/?ll=37.5,-122.25",
            "line: 1 Lamp Rd, Skerry",
            "line: https://example.com",
            r#"address = "1 Lamp Rd, Skerry""#,
            "distance = 2.5",
            r#"components = {street: "1 Lamp Rd", city: "Skerry", country_code: "US"}"#,
            "latitude = 37.5",
            "longitude = -122.25",
            r#"final_url = "https://example.com""#,
        ],
    );
}

#[test]
fn a_collaboration() {
    check_link(
        &json!({"$class": "LPLinkMetadata",
            "collaborationMetadata": {"$class": "_SWCollaborationMetadata", "title": "Recipes",
                "collaborationIdentifier": "https://example.com/doc", "creationDate": {"$date": 0.5},
                "containerSetupInfo": {"$class": "C", "containerID": {"$class": "D", "ContainerIdentifier": "iCloud.com.example.notes"}}},
            "specialization2": {"$class": "LPSharedObjectMetadata", "isCollaboration": true,
                "specialization": {"$class": "LPiCloudSharingMetadata", "application": "Notes", "title": "Recipes",
                    "icon": {"$class": "X", "richLinkImageAttachmentSubstituteIndex": 0}}}}),
        &[
            "Collaboration",
            "app: Notes",
            "title: Recipes",
            "url: https://example.com/doc",
            "pictures: [0]",
            "created = 2001-01-01T00:00:00.500+00:00",
            r#"app_bundle_id = "com.example.notes""#,
            r#"collaboration_id = "https://example.com/doc""#,
        ],
    );
}

#[test]
fn a_link_to_something_else_keeps_what_it_is() {
    check_link(
        &special("specialization", json!({"$class": "LPiTunesMediaPodcastMetadata", "name": "Foghorn"})),
        &["Url", "title: Page", "url: https://example.com", r#"special = [{name: "Foghorn"}]"#],
    );
}

const PAY: &str = "com.apple.PassbookUIService.PeerPaymentMessagesExtension";

#[test]
fn payments() {
    check_app(
        PAY,
        &AppTemplate::new("Apple Cash").text("Sent $265 with Apple Pay."),
        &[
            "Pay",
            "app: Apple Cash",
            "title: $265",
            "summary: Sent $265 with Apple Pay.",
            r#"amount = "265""#,
            r#"currency = "USD""#,
            r#"direction = "sent""#,
        ],
    );
    let payment = archive(&json!({"amount": "12.50", "currency": "USD", "memo": "buns", "state": 2}));
    let url = format!("data:application/vnd.apple.pkppm;base64,{}", base64(&payment));
    check_app(
        PAY,
        &AppTemplate::new("Apple Cash").text("Requesting $12.50").caption("$12.50").url(&url),
        &[
            "Pay",
            "app: Apple Cash",
            "title: $12.50",
            "summary: Requesting $12.50",
            &format!("url: {url}"),
            "line: buns",
            r#"amount = "12.50""#,
            r#"currency = "USD""#,
            r#"direction = "requested""#,
            r#"payment = {amount: "12.50", currency: "USD", memo: "buns", state: 2}"#,
        ],
    );
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn check_in_in_each_state() {
    let id = "com.apple.SafetyMonitorApp.SafetyMonitorMessages";
    let of = |query: &str| {
        AppTemplate::new("Check\u{A0}In").caption("Check In").url(&format!("?messageType=1&{query}"))
    };
    for (query, state, date) in [
        ("sendDate=1697316869.688709", "reported", "sent = 2023-10-14T20:54:29.688709+00:00"),
        ("triggerTime=1697316869", "late", "missed = 2023-10-14T20:54:29+00:00"),
        ("estimatedEndTime=1697316869.5", "running", "expected_end = 2023-10-14T20:54:29.500+00:00"),
    ] {
        check_app(
            id,
            &of(query),
            &[
                "CheckIn",
                "app: Check~In",
                "title: Check In",
                &format!("url: ?messageType=1&{query}"),
                &format!("state = {state:?}"),
                date,
                "message_type = 1",
            ],
        );
    }
    // What says more comes before what says less.
    let all = show(&card(&extension(id), &of("sendDate=1&triggerTime=2&estimatedEndTime=3").encode()));
    assert!(all.contains("state = \"running\"\nexpected_end = 1970-01-01T00:00:03+00:00\nmissed"), "{all}");
    let nonsense =
        show(&card(&extension(id), &of("sendDate=soon&triggerTime=99999999999999999999").encode()));
    assert!(nonsense.contains("state = \"late\"\nmessage_type"), "{nonsense}");
}

#[test]
fn find_my_and_its_payload() {
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zipped, br#"{"kind":"start","days":1}"#).unwrap();
    let zipped = base64(&zipped.finish().unwrap()).replace('+', "%2B");
    let url = format!("?FindMyMessagePayloadVersionKey=v0&FindMyMessagePayloadZippedDataKey={zipped}");
    let shown = show(&card(
        &extension("com.apple.findmy.FindMyMessagesApp"),
        &AppTemplate::new("Find My").text("Started Sharing Location").url(&url).encode(),
    ));
    assert!(shown.starts_with("FindMy\n"), "{shown}");
    assert!(shown.contains("summary: Started Sharing Location\n"), "{shown}");
    assert!(shown.ends_with("version = \"v0\"\npayload = {kind: \"start\", days: 1}\n"), "{shown}");
    let opaque = AppTemplate::new("Find My").url("?FindMyMessagePayloadZippedDataKey=AQID");
    let shown = show(&card(&extension("com.apple.findmy.FindMyMessagesApp"), &opaque.encode()));
    assert!(shown.contains("payload = 3 bytes 0390"), "{shown}");
}

#[test]
fn photos_say_how_many() {
    check_app(
        "com.apple.mobileslideshow.PhotosMessagesApp",
        &AppTemplate::new("Photos")
            .caption("Skerry")
            .info("subcaption", "12 Photos")
            .url("https://share.icloud.com/photos/x"),
        &[
            "Slideshow",
            "app: Photos",
            "title: Skerry",
            "subtitle: 12 Photos",
            "url: https://share.icloud.com/photos/x",
            "count = 12",
        ],
    );
}

#[test]
fn a_game_is_known_by_its_url() {
    check_app(
        "org.example.dice",
        &AppTemplate::new("Dice").caption("Your move.").text("Dice").url("data:?ver=1&data=abc").session(1),
        &[
            "Game",
            "app: Dice",
            "title: Your move.",
            "summary: Dice",
            "url: data:?ver=1&data=abc",
            r#"session = "01010101-0101-0101-0101-010101010101""#,
            r#"state = {ver: "1", data: "abc"}"#,
        ],
    );
}

#[test]
fn an_app_that_nobody_knows_keeps_its_payload() {
    let payload = AppTemplate::new("Tables").caption("Table for 2").url("https://example.com/t").encode();
    let shown = show(&card(
        "com.apple.messages.MSMessageExtensionBalloonPlugin:ABCDE12345:org.example.tables",
        &payload,
    ));
    assert!(
        shown.starts_with("App\nbundle: org.example.tables\napp: Tables\ntitle: Table for 2\nurl: https"),
        "{shown}"
    );
    assert!(shown.contains(&format!("raw = {} bytes ", payload.len())), "{shown}");
    let drawing = AppTemplate::new("Drawing").encode();
    assert!(
        !show(&card(&extension("com.apple.PaperKit.MessagesDrawingBoard"), &drawing)).contains("\nraw = ")
    );
}

#[test]
fn what_is_not_understood_keeps_its_payload() {
    use msgarchive::pipeline::decode::balloons::balloon;
    let (card, defects) = balloon(&extension(PAY), Some(b"junk"), Some("$5"));
    assert_eq!(defects.len(), 1);
    assert!(show(&card).contains("summary: $5\nraw = 4 bytes "), "{}", show(&card));
}

const BUSINESS: &str = "com.apple.icloud.apps.messages.business.extension";

fn business(data: &serde_json::Value) -> Vec<u8> {
    archive(
        &json!({"ldtext": "Fallback", "URL": {"$url": "?"}, "userInfo": {"caption": "Caption", "subcaption": ""},
        "data": {"$data": data.to_string()}}),
    )
}

fn check_business(data: &serde_json::Value, expected: &[&str]) {
    let shown = show(&card(&extension(BUSINESS), &business(data)));
    let lines: Vec<&str> = shown
        .lines()
        .filter(|line| !line.starts_with("bundle: ") && *line != "url: ?" && *line != "summary: Fallback")
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn business_asks_and_is_answered() {
    let items = json!([{"title": "Rye", "identifier": "r"}, {"title": "Wheat", "subtitle": "white"}]);
    check_business(
        &json!({"quick-reply": {"items": items, "summaryText": "Which bread?"}}),
        &[
            "Business",
            "title: Which bread?",
            "line: Rye",
            "line: Wheat: white",
            r#"interaction = "quick_reply""#,
            r#"items = [{title: "Rye", id: "r"}, {title: "Wheat", subtitle: "white"}]"#,
        ],
    );
    let answered = json!({"quick-reply": {"items": items, "selectedIndex": 1}});
    check_business(
        &answered,
        &[
            "Business",
            "title: Fallback",
            "subtitle: Wheat",
            "line: Rye",
            "line: Wheat: white",
            r#"interaction = "quick_reply_response""#,
            "selected = 1",
            r#"items = [{title: "Rye", id: "r"}, {title: "Wheat", subtitle: "white"}]"#,
        ],
    );
    let picker = |reply: serde_json::Value| {
        json!({"listPicker": {"sections": [{"title": "Breads", "items": items}, {"items": [{"title": "Bun"}]}]},
            "receivedMessage": {"title": "Choose"}, "replyMessage": reply})
    };
    check_business(
        &picker(json!(null)),
        &[
            "Business",
            "title: Choose",
            "line: Breads",
            "line: Rye",
            "line: Wheat: white",
            "line: Bun",
            r#"interaction = "list_picker""#,
            r#"items = [{title: "Rye", id: "r"}, {title: "Wheat", subtitle: "white"}, {title: "Bun"}]"#,
        ],
    );
    check_business(
        &picker(json!({"title": "Chosen"})),
        &[
            "Business",
            "title: Choose",
            "subtitle: Chosen",
            "line: Breads",
            "line: Rye",
            "line: Wheat: white",
            r#"interaction = "list_picker_reply""#,
            r#"items = [{title: "Rye", id: "r"}, {title: "Wheat", subtitle: "white"}]"#,
        ],
    );
    check_business(
        &json!({"dynamic": {"selections": [{"subtitle": "When?", "items": [{"title": "Monday"}, {"title": "Friday"}]}]}}),
        &[
            "Business",
            "title: Caption",
            "line: When?: Monday, Friday",
            r#"interaction = "form_response""#,
            r#"answers = [{question: "When?", answers: ["Monday", "Friday"]}]"#,
        ],
    );
    check_business(
        &json!({"authenticate": {"oauth2": {"scope": ["email"]}}}),
        &["Business", "title: Caption", r#"content = {authenticate: {oauth2: {scope: ["email"]}}}"#],
    );
}

#[test]
fn business_of_old() {
    let payload = archive(&json!({"userInfo": {"caption": "Shop"},
        "URL": {"$url": "?receivedMessage=%7B%22title%22%3A%22Pick%22%7D&replyMessage=Thanks"}}));
    check(
        &extension(BUSINESS),
        &payload,
        &[
            "Business",
            "title: Shop",
            "url: ?receivedMessage=%7B%22title%22%3A%22Pick%22%7D&replyMessage=Thanks",
            "line: Pick",
            "line: Thanks",
            r#"interaction = "legacy""#,
            r#"query = {receivedMessage: {title: "Pick"}, replyMessage: "Thanks"}"#,
        ],
    );
}

#[test]
fn a_chatbot_over_rcs() {
    let json = json!({"message": {"generalPurposeCard": {"content": {"title": "Ferry", "description": "No boat in fog",
        "suggestions": [{"action": {"displayText": "Times"}}]}}}});
    check(
        "com.apple.messages.chatbot",
        json.to_string().as_bytes(),
        &[
            "Business",
            "title: Ferry",
            "summary: No boat in fog",
            "line: Times",
            r#"content = {generalPurposeCard: {content: {title: "Ferry", description: "No boat in fog", suggestions: [{action: {displayText: "Times"}}]}}}"#,
        ],
    );
}

#[test]
fn a_poll_nobody_voted_in() {
    let state = json!({"item": {"title": "Bread?", "creatorHandle": "ana@example.com", "orderedPollOptions": [
        {"optionIdentifier": "A", "text": "Rye", "canBeEdited": true}, {"optionIdentifier": "B", "text": ""}]}});
    let whole = data_url(&state.to_string());
    // With and without padding, with something after it.
    for url in [whole.clone(), whole.trim_end_matches('=').to_owned(), format!("{whole}?src=p&c=2")] {
        check_app(
            "com.apple.messages.Polls",
            &AppTemplate::new("Polls").text("Sent a poll").caption("Sent a poll").url(&url),
            &[
                "Poll",
                "app: Polls",
                "title: Bread?",
                "summary: Sent a poll",
                "url: data:,eyJpdG",
                "option: Rye",
                "option: ",
                r#"creator = "ana@example.com""#,
                r#"choices = [{id: "A", editable: true}, {id: "B"}]"#,
            ],
        );
    }
}

/// Whatever becomes of a payload's bytes, there is a card.
#[test]
fn damaged_payloads_are_cards_still() {
    use msgarchive::pipeline::decode::balloons::balloon;
    let template =
        |url: &str| AppTemplate::new("App").text("Sent $5 weekly").caption("12 Photos").url(url).encode();
    let poll = r#"{"item":{"orderedPollOptions":[{"optionIdentifier":"A","text":"Rye"}]}}"#;
    let payment = archive(&json!({"amount": "5", "x": [1, {"y": {"$date": 1}}]}));
    let payloads = [
        (PAY, template(&format!("data:application/vnd.apple.pkppm;base64,{}", base64(&payment)))),
        ("com.apple.SafetyMonitorApp.SafetyMonitorMessages", template("?sendDate=1.5&triggerTime=2")),
        ("com.apple.findmy.FindMyMessagesApp", template("?FindMyMessagePayloadZippedDataKey=H4sIAAAA")),
        ("com.apple.mobileslideshow.PhotosMessagesApp", template("https://example.com")),
        ("com.apple.messages.Polls", template(&data_url(poll))),
        (
            BUSINESS,
            business(&json!({"dynamic": {"selections": [{"subtitle": "?", "items": [{"title": "x"}]}]}})),
        ),
        (
            LINK,
            archive(&special(
                "specialization2",
                json!({"$class": "LPMapMetadata", "address": "x", "addressComponents": {"$class": "C", "_city": "y"}}),
            )),
        ),
    ];
    for (id, payload) in payloads {
        let id = if id == LINK { id.to_owned() } else { extension(id) };
        for at in 0..payload.len() {
            balloon(&id, Some(&payload[..at]), None);
            for flip in [0x01, 0x80, 0xFF] {
                let mut changed = payload.clone();
                changed[at] ^= flip;
                balloon(&id, Some(&changed), None);
            }
        }
    }
}
