//! The rows of one app session: those that say so become one line, the others stay lines of their own.

use super::exported;
use crate::support::{AppTemplate, Library, Schema};

const DOTS: &str = "org.example.dots";

fn turn(caption: &str, state: u8) -> AppTemplate {
    AppTemplate::new("Dots").caption(caption).session(9).url(&format!("data:?ver=1&data={state}"))
}

#[test]
fn a_game_shows_its_last_turn_and_keeps_the_others() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let at = |second: u32| format!("2024-05-01T11:30:{second:02}Z");
    let first = library
        .message(chat)
        .from(ana)
        .at(&at(0))
        .app(DOTS, &turn("Your move.", 1))
        .raw("associated_message_type", 3);
    let first = first.id();
    let second =
        library.message(chat).from_me().at(&at(1)).app(DOTS, &turn("Theirs.", 2)).associated(first, 2).id();
    // It points at the turn before, not at the first.
    let board = library.attachment("board.png").bytes(b"png".to_vec()).id();
    library
        .message(chat)
        .from(ana)
        .at("2024-05-02T08:00:00Z")
        .app(DOTS, &turn("Ana won.", 3))
        .joined(board)
        .associated(second, 2);

    let (messages, text) = exported(&library);
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(message["from_me"], false);
    let card = &message["balloon"];
    assert_eq!((&card["type"], &card["title"]), (&"game".into(), &"Ana won.".into()));
    assert_eq!(card["attachments"].as_array().unwrap().len(), 1);
    let data = &card["data"];
    assert_eq!(data["updates"], 2);
    assert_eq!(data["state"]["data"], "3");
    assert_eq!(data["updated"], "2024-05-02T10:00:00.000000000+02:00");
    assert_eq!(data["updated_by"]["handle"], "+12025550143");
    let earlier = data["earlier"].as_array().unwrap();
    assert_eq!((&earlier[0]["title"], &earlier[1]["title"]), (&"Your move.".into(), &"Theirs.".into()));
    assert_eq!((&earlier[0]["by"]["from_me"], &earlier[1]["by"]["from_me"]), (&false.into(), &true.into()));
    assert_eq!(earlier[1]["url"], "data:?ver=1&data=2");
    assert_eq!(earlier[0]["data"]["state"]["data"], "1");
    assert!(
        text.contains(
            "□ Dots\n         │ Ana won.\n         │ Last changed 2 May 2024, 10:00:00 by +12025550143\n"
        ),
        "{text}"
    );
    assert!(!text.contains("data:?"), "{text}");
}

#[test]
fn an_update_that_is_not_understood_leaves_the_state_before_it() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let first = library.message(chat).from(ana).app(DOTS, &turn("Your move.", 1)).id();
    library.message(chat).from_me().payload(&super::extension(DOTS), b"junk".to_vec()).associated(first, 2);
    let (messages, text) = exported(&library);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["balloon"]["title"], "Your move.");
    assert_eq!(messages[0]["balloon"]["data"]["updates"], 1);
    assert!(text.contains("! balloon payload not understood"), "{text}");
}

/// Older systems say nothing of what belongs together but the session: each row is a message of its own.
#[test]
fn turns_that_point_at_nothing_stay_apart() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).from(ana).app(DOTS, &turn("Your move.", 1));
    library.message(chat).from_me().app(DOTS, &turn("Theirs.", 2));
    library.message(chat).from(ana).app(DOTS, &turn("Ana won.", 3)).raw("associated_message_type", 3);
    // An update of something that is not here.
    library
        .message(chat)
        .from(ana)
        .app(DOTS, &turn("Again?", 4))
        .raw("associated_message_type", 2)
        .raw("associated_message_guid", "00000000-0000-4000-8000-0000000000FF");
    let (messages, _) = exported(&library);
    let titles: Vec<_> = messages.iter().map(|m| m["balloon"]["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Your move.", "Theirs.", "Ana won.", "Again?"]);
    let session = "09090909-0909-0909-0909-090909090909";
    assert!(messages.iter().all(|m| m["balloon"]["data"]["session"] == session));
}

#[test]
fn a_link_begins_with_its_picture() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let icon = library.attachment("a.pluginPayloadAttachment").bytes(b"icon".to_vec()).id();
    let image = library.attachment("b.pluginPayloadAttachment").bytes(b"image".to_vec()).id();
    let preview = crate::support::UrlPreview::new("https://example.com").title("Rye").image(1);
    library.message(chat).from(ana).url_preview(&preview).joined(icon).joined(image);
    let guids = [image, icon].map(|file| library.attachment_guid(file));
    let (messages, _) = exported(&library);
    assert_eq!(messages[0]["balloon"]["attachments"], serde_json::json!(guids));
}

#[test]
fn names_go_where_messages_puts_them() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let said = |who: &str| {
        AppTemplate::new("Fitness")
            .text(&format!("$(kIMTranscriptPluginBreadcrumbText{who}Identifier) closed a ring"))
    };
    let id = "com.apple.ActivityMessagesApp.MessagesExtension";
    library.message(chat).from(ana).app(id, &said("Sender"));
    library.message(chat).from(ana).app(id, &said("Receiver"));
    library.message(chat).from_me().app(id, &said("Receiver"));
    let (messages, _) = exported(&library);
    let summaries: Vec<_> = messages.iter().map(|m| m["balloon"]["summary"].as_str().unwrap()).collect();
    assert_eq!(summaries, ["+12025550143 closed a ring", "You closed a ring", "+12025550143 closed a ring"]);
    assert!(messages.iter().all(|m| m["balloon"]["type"] == "fitness"));
}

#[test]
fn a_call_says_how() {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let summary = |mode: i64| {
        let entries = [("conversationAVMode".to_owned(), plist::Value::from(mode))];
        crate::support::keyed::binary(&plist::Value::Dictionary(entries.into_iter().collect()))
    };
    for mode in [1, 2, 0] {
        library.message(chat).from(ana).share_play().raw("message_summary_info", summary(mode));
    }
    library.message(chat).from(ana).share_play();
    let (messages, text) = exported(&library);
    let calls: Vec<_> = messages.iter().map(|m| m["announcement"]["call"].clone()).collect();
    assert_eq!(serde_json::json!(calls), serde_json::json!(["audio", "video", 0, null]));
    assert!(text.contains("used SharePlay or FaceTime (video)."), "{text}");
}
