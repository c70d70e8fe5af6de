use std::sync::Arc;

use super::*;
use crate::model::{
    Attachment, Availability, Balloon, BalloonKind, Call, ContactCard, Deleted, DeletionReason, Edit, Effect,
    Media, PollOption, Scheduled, Sticker, StickerEffect, StickerKind, Translation, Unsent, Value, Voter,
};
use crate::writers::clock::Clock;

fn ana() -> Option<Arc<Sender>> {
    Some(Arc::new(Sender { handle: Some("+12025550143".into()), name: Some("Ana Abbott".into()) }))
}

fn announced(from_me: bool, announcement: Announcement) -> Message {
    Message {
        kind: MessageKind::Announcement,
        from_me,
        sender: if from_me { None } else { ana() },
        announcement: Some(Box::new(announcement)),
        ..Message::default()
    }
}

fn event(kind: AnnouncementKind) -> Announcement {
    Announcement { kind, handle: None, name: None, about_me: false, title: None, call: None }
}

#[test]
fn announcements_are_sentences() {
    use AnnouncementKind::*;
    let you = Phrases::new("Me");
    let say = |from_me, announcement| you.event(&announced(from_me, announcement)).unwrap();
    let ben = |kind| Announcement { name: Some("Ben Okafor".into()), ..event(kind) };
    assert_eq!(say(false, ben(ParticipantAdded)), "Ana Abbott added Ben Okafor to the conversation.");
    let me = Announcement { about_me: true, ..event(ParticipantRemoved) };
    assert_eq!(say(false, me), "Ana Abbott removed you from the conversation.");
    let title = Announcement { title: Some("Lake\nhouse".into()), ..event(Renamed) };
    assert_eq!(say(true, title.clone()), "You named the conversation “Lake house”.");
    assert_eq!(say(true, event(LocationStarted)), "You started sharing location.");
    assert_eq!(say(true, ben(LocationStopped)), "You stopped sharing location with Ben Okafor.");
    let moved = Announcement {
        handle: Some("+12025550187".into()),
        name: Some("Ana Abbott".into()),
        ..event(NumberChanged)
    };
    assert_eq!(say(false, moved), "Ana Abbott changed to a new number: +12025550187.");
    let kim = Phrases::new("Kim");
    assert_eq!(kim.event(&announced(true, title)).unwrap(), "Kim named the conversation “Lake house”.");
    // Every kind has its own words.
    let all = [
        ParticipantAdded,
        ParticipantRemoved,
        ParticipantLeft,
        Renamed,
        NameRemoved,
        PhotoChanged,
        PhotoRemoved,
        BackgroundChanged,
        BackgroundRemoved,
        NumberChanged,
        LocationStarted,
        LocationStopped,
        AudioKept,
        SharePlay,
        Unknown,
    ];
    let mut said: Vec<_> = all.iter().map(|kind| say(false, event(*kind))).collect();
    said.sort();
    said.dedup();
    assert_eq!(said.len(), all.len());
    assert_eq!(you.event(&Message::default()), None);
}

fn tapback(kind: TapbackKind, from_me: bool, removed: bool) -> Tapback {
    let sender = if from_me { None } else { ana() };
    Tapback { guid: None, part: 0, kind, from_me, sender, date: None, removed }
}

#[test]
fn tapbacks_of_one_sort_share_a_line() {
    use TapbackKind::*;
    let list = [
        tapback(Loved, false, false),
        tapback(Loved, true, false),
        tapback(Loved, false, true),
        tapback(Emoji("🎉".into()), true, false),
        tapback(Sticker(None), false, false),
        tapback(Sticker(None), false, false),
        Tapback { part: 1, ..tapback(Liked, false, false) },
    ];
    let phrases = Phrases::new("Me");
    let expect = [
        "❤️ Loved by Ana Abbott, you",
        "❤️ Loved by Ana Abbott (taken back)",
        "🎉 by you",
        "Sticker by Ana Abbott",
        "Sticker by Ana Abbott",
    ];
    assert_eq!(phrases.tapbacks(&list, Some(0)), expect);
    assert_eq!(phrases.tapbacks(&list, Some(1)), ["👍 Liked by Ana Abbott"]);
    assert_eq!(phrases.tapbacks(&list, None).len(), 6);
    let alone = Message {
        kind: MessageKind::Tapback,
        tapbacks: vec![tapback(Laughed, false, true)],
        ..Message::default()
    };
    assert_eq!(
        phrases.event(&alone).unwrap(),
        "Ana Abbott laughed at 😂 a message that is not here, and took it back."
    );
}

#[test]
fn attachments_say_what_and_where_they_are() {
    let file = Attachment {
        name: Some("IMG_0042.heic".into()),
        mime: Some("image/heic".into()),
        bytes: Some(1_843_221),
        availability: Availability::InICloud,
        ..Attachment::default()
    };
    assert_eq!(attachment(&file), "IMG_0042.heic (HEIC image, 1.8 MB, in iCloud, not on this disk)");
    let nothing = Attachment::default();
    assert_eq!(attachment(&nothing), "Attachment (file, missing)");
    let kind = |name: &str, mime: Option<&str>, uti: Option<&str>| {
        file_kind(&Attachment {
            name: Some(name.into()),
            mime: mime.map(Into::into),
            uti: uti.map(Into::into),
            ..Attachment::default()
        })
    };
    assert_eq!(kind("x.jpg", Some("image/heic"), None), "HEIC image");
    assert_eq!(kind("x", None, Some("com.adobe.pdf")), "PDF document");
    assert_eq!(kind("x.JPG", None, None), "JPEG image");
    assert_eq!(kind("x", Some("image/x-new"), None), "image");
    assert_eq!(kind("x.pages", None, None), "Pages document");
    assert_eq!(
        kind("x.numbers", Some("application/octet-stream"), Some("public.data")),
        "Numbers spreadsheet"
    );
    assert_eq!(kind("x.sketch", None, None), "SKETCH file");
    assert_eq!(kind("CL.loc.vcf", Some("text/x-vlocation"), Some("public.vlocation")), "location");
    assert_eq!(kind("x.\x1b[2J", None, None), "file");
}

#[test]
fn files_say_what_their_bytes_say() {
    let file = |name: &str, mime: &str, media: Media| Attachment {
        name: Some(name.into()),
        mime: Some(mime.into()),
        bytes: Some(12_345),
        availability: Availability::Local,
        media: Some(Box::new(media)),
        ..Attachment::default()
    };
    let seconds = |s: f64| Some(std::time::Duration::from_secs_f64(s));
    let sound =
        file("Audio Message.caf", "audio/x-caf", Media { duration: seconds(12.34), ..Media::default() });
    assert_eq!(attachment(&sound), "Audio Message.caf (CAF audio, 12 KB, 0:12)");
    let film = Media { duration: seconds(34.5), pixels: Some((1920, 1080)), contact: None };
    let film = file("x.mov", "video/quicktime", film);
    assert_eq!(attachment(&film), "x.mov (QuickTime video, 12 KB, 1920 × 1080, 0:35)");
    let handles = (1..=6).map(|n| format!("+1202555010{n}")).collect();
    let card = ContactCard { name: Some("Ana\nAbbott".into()), handles, more: 2 };
    let card = file("x.vcf", "text/vcard", Media { contact: Some(card), ..Media::default() });
    assert_eq!(
        attachment(&card),
        "x.vcf (contact card, 12 KB, Ana Abbott, +12025550101, +12025550102, +12025550103, +12025550104, \
         and 2 more, and 2 other contacts)"
    );
    let live = Attachment {
        motion: Some("attachments/x.mov".into()),
        ..file("x.heic", "image/heic", Media::default())
    };
    assert_eq!(attachment(&live), "x.heic (HEIC image, Live Photo, 12 KB)");
    for (time, words) in [(0.0, "0:00"), (0.02, "0:01"), (59.6, "1:00"), (3723.0, "1:02:03")] {
        assert_eq!(length(seconds(time).unwrap()), words);
    }
}

#[test]
fn stickers_say_what_they_are() {
    let facts =
        Sticker { kind: StickerKind::Genmoji, effect: Some(StickerEffect::Outline), ..Sticker::default() };
    let picture = Attachment {
        name: Some("s.heic".into()),
        mime: Some("image/heic".into()),
        sticker: true,
        sticker_facts: Some(Box::new(facts)),
        description: Some("a crab in a hat".into()),
        availability: Availability::Local,
        ..Attachment::default()
    };
    assert_eq!(attachment(&picture), "s.heic (HEIC image, Genmoji, Outline)");
    let placed = [tapback(TapbackKind::Sticker(Some(Box::new(picture))), true, false)];
    assert_eq!(
        Phrases::new("Me").tapbacks(&placed, None),
        ["Sticker by you (Genmoji: “a crab in a hat”, Outline): s.heic (HEIC image)"]
    );
}

#[test]
fn sizes_are_short() {
    let expect = [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (1_843_221, "1.8 MB"),
        (123_456_789, "123 MB"),
        (2_000_000_000, "2.0 GB"),
        (u64::MAX, "18447 PB"),
    ];
    for (bytes, words) in expect {
        assert_eq!(size(bytes), words);
    }
}

#[test]
fn numbers_are_grouped() {
    assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!(count(1, "message", "messages"), "1 message");
    assert_eq!(count(1200, "message", "messages"), "1,200 messages");
}

/// What Recently Deleted has no more is not said to be there.
#[test]
fn what_is_gone_from_recently_deleted() {
    let at = |text: &str| text.parse().ok();
    let mut clock = Clock::new(chrono_tz::UTC);
    let there = Deleted {
        date: at("2024-05-03T10:00:00Z"),
        reason: DeletionReason::RecentlyDeleted,
        guessed: false,
        last_seen: None,
        gone: None,
        part: false,
    };
    assert_eq!(deleted(there, &mut clock), "Moved to Recently Deleted on 3 May 2024, 10:00:00");
    let gone = Deleted { gone: at("2024-06-02T03:00:00Z"), ..there };
    assert_eq!(
        deleted(gone, &mut clock),
        "Moved to Recently Deleted on 3 May 2024, 10:00:00; gone from there since 2 June 2024, 03:00:00"
    );
}

#[test]
fn what_became_of_a_message() {
    let at = |text: &str| text.parse().unwrap();
    let mut clock = Clock::new(chrono_tz::UTC);
    let message = Message {
        date: Some(at("2024-05-01T13:30:00Z")),
        effect: Some(Effect::Other("com.example.effect.Rain".into())),
        error: Some(22),
        junk: true,
        scheduled: Some(Scheduled { state: 2 }),
        deleted: Some(Deleted {
            date: Some(at("2024-05-03T10:00:00Z")),
            reason: DeletionReason::RecentlyDeleted,
            guessed: false,
            last_seen: None,
            gone: None,
            part: false,
        }),
        translation: Some(Box::new(Translation {
            text: "Hello".into(),
            language: Some("en_US".into()),
            source_language: Some("fr_FR".into()),
        })),
        edits: vec![
            Edit { part: 0, date: Some(at("2024-05-01T13:30:00Z")), text: "lok".into() },
            Edit { part: 0, date: Some(at("2024-05-01T13:32:10Z")), text: "look".into() },
            Edit { part: 0, date: Some(at("2024-05-02T08:00:00Z")), text: "look!".into() },
        ],
        ..Message::default()
    };
    assert_eq!(
        statuses(&message, &mut clock),
        [
            "Sent with Rain",
            "Translation (fr_FR to en_US): Hello",
            "Scheduled, not sent yet",
            "Not delivered: recipient not registered with iMessage (error 22)",
            "Marked as junk",
            "Moved to Recently Deleted on 3 May 2024, 10:00:00",
        ]
    );
    let sent = clock.local(message.date.unwrap());
    assert_eq!(
        edits(&message, Some(&sent), &mut clock),
        ["Edited 13:32:10, before: “lok”", "Edited 2 May 2024, 08:00:00, before: “look”"]
    );
    let phrases = Phrases::new("Me");
    let message = Message { from_me: true, ..message };
    assert_eq!(unsent(&phrases, &message, Unsent::Part, None, None), "You unsent part of this message");
    assert_eq!(
        unsent(&phrases, &message, Unsent::All, Some(&sent), Some(&sent)),
        "You unsent this message (13:30:00)"
    );
    assert_eq!(day_heading(&sent), "Wednesday, 1 May 2024");
}

#[test]
fn names_of_strangers_stay_on_their_line() {
    let person = Participant { name: Some("Ana\n[13:30]\x1b".into()), handles: vec!["a@example.com".into()] };
    assert_eq!(participant(&person), "Ana [13:30]␛ (a@example.com)");
    let card = Balloon {
        kind: BalloonKind::Url,
        title: Some("A\npage".into()),
        summary: Some("A\npage".into()),
        url: Some("https://example.com".into()),
        lines: vec![String::new()],
        ..Balloon::default()
    };
    assert_eq!(balloon_label(&card), "Link");
    let mut clock = Clock::new(chrono_tz::UTC);
    assert_eq!(lines(&card, None, &mut clock), ["A page", "https://example.com"]);
}

#[test]
fn calls_say_how() {
    let say = |call| {
        let announcement = Announcement { call, ..event(AnnouncementKind::SharePlay) };
        Phrases::new("Me").event(&announced(false, announcement)).unwrap()
    };
    assert_eq!(say(None), "Ana Abbott used SharePlay.");
    assert_eq!(say(Some(Call::Audio)), "Ana Abbott used SharePlay or FaceTime (audio).");
    assert_eq!(say(Some(Call::Video)), "Ana Abbott used SharePlay or FaceTime (video).");
    assert_eq!(say(Some(Call::Other(7))), "Ana Abbott used SharePlay.");
}

#[test]
fn cards_say_options_and_dates_and_keep_data_to_themselves() {
    let at = |text: &str| text.parse().unwrap();
    let mut clock = Clock::new(chrono_tz::UTC);
    let voter = |sender: Option<Arc<Sender>>| Voter { from_me: sender.is_none(), sender, date: None };
    let mut card = Balloon {
        title: Some("Bread?".into()),
        url: Some("data:,e30".into()),
        options: vec![
            PollOption { text: "Rye".into(), voters: vec![voter(ana()), voter(None)] },
            PollOption { text: "Wheat\n[13:30]".into(), voters: vec![voter(ana())] },
            PollOption::default(),
        ],
        data: vec![
            ("updated", Value::Date(at("2024-05-02T08:00:00Z"))),
            ("updated_by", Value::Map(vec![("name".into(), Value::Text("Ben\tOkafor".into()))])),
            ("expected_end", Value::Date(at("2024-05-01T19:45:00Z"))),
            ("expected_end_by", Value::Map(vec![("from_me".into(), Value::Boolean(true))])),
            ("missed", Value::Text("no date".into())),
            ("other", Value::Date(at("2024-05-01T19:45:00Z"))),
        ],
        ..Balloon::default()
    };
    let sent = clock.local(at("2024-05-01T13:30:00Z"));
    assert_eq!(
        lines(&card, Some(&sent), &mut clock),
        [
            "Bread?",
            "Rye: 2 votes (Ana Abbott, you)",
            "Wheat [13:30]: 1 vote (Ana Abbott)",
            "Option without text: 0 votes",
            "Expected by 19:45:00 by you",
            "Last changed 2 May 2024, 08:00:00 by Ben Okafor",
        ]
    );
    card.options.clear();
    card.data.clear();
    card.url = Some("?messageType=1".into());
    assert_eq!(lines(&card, None, &mut clock), ["Bread?"]);
    card.title = None;
    assert_eq!(lines(&card, None, &mut clock), ["?messageType=1"]);
}

/// The lines of a card as text.
fn lines(card: &Balloon, sent: Option<&Local>, clock: &mut Clock) -> Vec<String> {
    let phrases = Phrases::new("Me");
    let text = |line| match line {
        CardLine::Text(text) => text,
        CardLine::Option(option) => phrases.option(option),
    };
    phrases.balloon_lines(card, sent, clock).into_iter().map(text).collect()
}
