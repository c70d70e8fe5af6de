//! The payloads that Apple's software wrote: `../shared/data/payloads`.

use super::{card, extension, show};
use crate::decode_samples::samples;

const LINK: &str = "com.apple.messages.URLBalloonProvider";

/// (file, the app's id, the card).
const EXPECTED: [(&str, &str, &str); 13] = [
    (
        "URL.plist",
        LINK,
        r#"Url
bundle: com.apple.messages.URLBalloonProvider
title: Christopher Sardegna
url: https://chrissardegna.com
pictures: [0]
icon_urls = ["https://chrissardegna.com/favicon.ico"]
"#,
    ),
    (
        "MetadataURL.plist",
        LINK,
        r#"Url
bundle: com.apple.messages.URLBalloonProvider
title: Christopher Sardegna
subtitle: Christopher Sardegna
summary: Sample page description
url: https://chrissardegna.com
site = "Christopher Sardegna"
item_type = "article"
creator_facebook = "https://www.facebook.com/fakepage"
image_urls = ["https://chrissardegna.com/ddc-facebook-icon.png"]
icon_urls = ["https://chrissardegna.com/apple-touch-icon-180x180.png", "https://chrissardegna.com/ddc-icon-32x32.png", "https://chrissardegna.com/ddc-icon-16x16.png"]
pictures = [{role: "image", mime: "image/png", bytes: 48 bytes 9499}, {role: "icon", mime: "image/png", bytes: 48 bytes c0c3}]
"#,
    ),
    (
        "AppleMusic.plist",
        LINK,
        r#"Music
bundle: com.apple.messages.URLBalloonProvider
title: Песнь 1
subtitle: БАТЮШКА
url: https://music.apple.com/us/album/%D0%BF%D0%B5%D1%81%D0%BD%D1%8C-1/1539641998?i=1539641999
line: Панихида
pictures: [0]
media = "song"
name = "Песнь 1"
artist = "БАТЮШКА"
album = "Панихида"
preview_url = 155 characters a8e8
store_id = "1539641999"
offers = ["buy", "subscription"]
"#,
    ),
    (
        "Freeform.plist",
        LINK,
        r#"Collaboration
bundle: com.apple.messages.URLBalloonProvider
app: Freeform
title: Untitled
url: https://www.icloud.com/freeform/REDACTED#Untitled
pictures: [0]
created = 2023-01-12T01:20:43.070922970+00:00
app_bundle_id = "com.apple.freeform"
app_bundle_ids = ["com.apple.carmel", "com.apple.freeform"]
collaboration_id = "https://www.icloud.com/freeform/REDACTED"
share_options = "Share Options"
"#,
    ),
    (
        "ApplePayRecurring.plist",
        "com.apple.PassbookUIService.PeerPaymentMessagesExtension",
        r#"Pay
bundle: com.apple.PassbookUIService.PeerPaymentMessagesExtension
app: Apple~Cash
title: $1
summary: Sending you $1 weekly starting Nov 18, 2023
url: data:application/vnd.apple.pkppm;base64,FAKEDATA
session = "00000000"
amount = "1"
currency = "USD"
direction = "sent"
recurring = "weekly"
starting = "Nov 18, 2023"
"#,
    ),
    (
        "CheckinTimer.plist",
        "com.apple.SafetyMonitorApp.SafetyMonitorMessages",
        r#"CheckIn
bundle: com.apple.SafetyMonitorApp.SafetyMonitorMessages
app: Check~In
title: Check~In: Timer Started
summary: Check~In: Timer Started
url: ?messageType=1&interfaceVersion=1&sendDate=1697316869.688709
session = "000F"
state = "reported"
sent = 2023-10-14T20:54:29.688709+00:00
message_type = 1
interface_version = 1
"#,
    ),
    (
        "CheckinEnded.plist",
        "com.apple.SafetyMonitorApp.SafetyMonitorMessages",
        r#"CheckIn
bundle: com.apple.SafetyMonitorApp.SafetyMonitorMessages
app: Check~In
title: Check~In: Ended
summary: Check~In: Ended
url: ?messageType=1&interfaceVersion=1&sendDate=1697316869.688709
session = "000F"
state = "reported"
sent = 2023-10-14T20:54:29.688709+00:00
message_type = 1
interface_version = 1
"#,
    ),
    (
        "Game.plist",
        "org.example.app",
        r#"Game
bundle: org.example.app
app: GamePigeon
title: Your move.
summary: Dots & Boxes
url: data:?ver=48&data=pr3t3ndth3r3154b10b0fd4t4h3re=3
session = "009612E4-00BB-A808-45F1-E8B7D5A6CF66"
app_store_id = 1124197642
state = {ver: "48", data: "pr3t3ndth3r3154b10b0fd4t4h3re=3"}
"#,
    ),
    (
        "OpenTableInvited.plist",
        "org.example.app",
        r#"App
bundle: org.example.app
app: OpenTable
title: Table for 4 people\nSunday, October 17 at 7:45 PM
subtitle: You're invited! Tap to accept.
url: https://www.opentable.com/book/view?rid=0000000&confnumber=00000&invitationId=1234567890-abcd-def-ghij-4u5t1sv3ryc00l
line: Rusty Grill - Boise
line: Reservation Confirmed
app_store_id = 296581815
accessibility = "Rusty Grill - Boise"
raw = 4685 bytes ce10
"#,
    ),
    (
        "PollCreate.plist",
        "com.apple.messages.Polls",
        r#"Poll
bundle: com.apple.messages.Polls
app: Polls
title: Sent a poll
summary: Sent a poll
url: data:,eyJpdG
option: Option 1
option: Option 2
option: Option 3
option: Option 4
session = "5E5A5125-D530-42E1-8F7F-1943614E0016"
creator = "+12223334444"
choices = [{id: "630CD0F8-9502-40D4-B2E1-C53E02FD435E", creator: "steven@applenet.com", editable: false}, {id: "58B59D74-EF73-4BA7-AA8E-5A30FBAF3F44", creator: "steven@applenet.com", editable: false}, {id: "D493DDC8-6EE2-408F-888C-3986838A1FBB", creator: "steven@applenet.com", editable: false}, {id: "541DCA6D-686A-4FEB-9092-00BA4A45E2A4", creator: "+12223334444", editable: false}]
"#,
    ),
    (
        "PollVote.plist",
        "com.apple.messages.Polls",
        r#"Poll
bundle: com.apple.messages.Polls
app: Polls
url: data:,eyJpdG
session = "5E5A5125-D530-42E1-8F7F-1943614E0016"
"#,
    ),
    (
        "BusinessFormRequest.plist",
        "com.apple.icloud.apps.messages.business.extension",
        r#"Business
bundle: com.apple.icloud.apps.messages.business.extension
title: Report an Issue
subtitle: Tap to get started
summary: Report an Issue
url: ?
session = "00000000-0000-0000-0000-000000000000"
accessibility = "Report an Issue Tap to get started"
request = "example-request"
interaction = "form"
form = {pages: [], startPageIdentifier: "page_1"}
"#,
    ),
    (
        "BusinessQuickReply.plist",
        "com.apple.icloud.apps.messages.business.extension",
        r#"Business
bundle: com.apple.icloud.apps.messages.business.extension
title: Choose an option
summary: Choose an option
url: ?
line: Yes
line: No
session = "00000000-0000-0000-0000-000000000000"
accessibility = "Choose an option"
request = "00000000-0000-0000-0000-000000000000"
interaction = "quick_reply"
items = [{title: "Yes", id: 380 characters 1b4a}, {title: "No", id: 379 characters c423}]
"#,
    ),
];

#[test]
fn every_payload_is_shown_with_all_it_says() {
    let Some(folder) = samples("payloads") else { return };
    for (name, id, expected) in EXPECTED {
        let id = if id == LINK { id.to_owned() } else { extension(id) };
        let payload = std::fs::read(folder.join(name)).unwrap();
        assert_eq!(show(&card(&id, &payload)), expected, "{name}");
    }
    // None without an expectation.
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), EXPECTED.len());
}

#[test]
fn the_properties_of_chats_are_read() {
    use msgarchive::pipeline::decode::keyed::{Archive, Node};
    let Some(folder) = samples("chat_properties") else { return };
    for (name, entries, path, value) in [
        (
            "ChatProp1.plist",
            5,
            &["CKChatPreviousAccountsDictionaryKey", "SMS"][..],
            "DC097A58-BADE-41DA-AE08-A502B5850A5B",
        ),
        ("ChatProp3.plist", 3, &["lastSeenMessageGuid"], "CEE419B6-17C7-42F7-8C2A-09A38CCA5730"),
        (
            "after_background_preset.plist",
            14,
            &["backgroundProperties", "trabar"],
            "https://p179-content.icloud.com/",
        ),
    ] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let archive = Archive::read(&bytes).unwrap();
        assert_eq!(archive.root().entries().count(), entries, "{name}");
        assert_eq!(archive.root().path(path).and_then(Node::text).as_deref(), Some(value), "{name}");
    }
}
