//! Ana: one conversation over three services and two numbers.

use serde_json::json;

use super::{Talk, by_hand, pictures};
use crate::support::archive::archive;
use crate::support::keyed::{AppTemplate, UrlPreview};
use crate::support::{HandleId, Library, Tapback, TextEffect};

pub(super) fn tell(lib: &mut Library) {
    let ana = lib.handle("+12025550143", "iMessage");
    let chat = lib.direct(ana);
    first_loaves(&mut Talk::new(lib, chat), ana);
    let sms = lib.handle("+12025550143", "SMS");
    let chat = lib.direct(sms);
    out_of_reach(&mut Talk::new(lib, chat), sms);
    let rcs = lib.handle("+12025550143", "RCS");
    let chat = lib.direct(rcs);
    another_phone(&mut Talk::new(lib, chat), rcs);
    let new = lib.handle("+12025550187", "iMessage");
    let chat = lib.direct(new);
    the_bakery(&mut Talk::new(lib, chat), new);
}

fn first_loaves(t: &mut Talk, ana: HandleId) {
    t.on("2019-04-06 09:12");
    t.they(ana, "Is this Robin, the new keeper out at Skerry Light?");
    let keeper = t.me("It is! Two weeks in. The light works, I mostly don't.");
    t.from(ana).tapback(keeper, Tapback::Laughed);
    t.they(
        ana,
        "Ana, from the harbor bakery. Captain Iversen says you asked him for bread and he gave you advice.",
    );
    t.me("He said “learn”. Then he left.");
    t.they(ana, "That's a long speech for him. Do you have an oven out there?");
    let oven = t.me("There is a black iron box with a door. I was told it's an oven.");
    t.they(ana, "Flour, water, salt, patience. I'll send the first three with the boat.");
    t.from(ana).tapback(oven, Tapback::Emphasized);

    t.on("2019-04-14 18:40");
    let burnt = t.lib.attachment("IMG_0001.png").bytes(pictures::burnt_loaf()).id();
    let burnt = t.from_me().attachment(burnt).text("My first loaf. Thoughts?").read_after(60).id();
    t.from(ana).tapback_on(burnt, 0, Tapback::Questioned);
    t.from(ana).tapback_on(burnt, 1, Tapback::Emoji("🫡"));
    t.they(ana, "Is it… indoors?");
    t.me("It was. It's ballast now.");
    let rule = t
        .from(ana)
        .text("Rule one: the timer is not a suggestion")
        .bold(0..8)
        .underline(29..39)
        .read_after(20)
        .id();
    t.from_me().tapback(rule, Tapback::Disliked);
    t.from_me().take_back(rule, Tapback::Disliked);
    t.from_me().tapback(rule, Tapback::Liked);
    t.from_me().text("Nobody will ever speak of this loaf").effect("invisibleink").read_after(300);
    t.they(ana, "I have already told everyone");

    t.on("2019-04-21 07:55");
    let loaf = t.lib.attachment("IMG_0007.jpg").bytes(pictures::loaf()).id();
    let loaf = t
        .from_me()
        .attachment(loaf)
        .text("Number seven. It's round! On purpose!!")
        .effect("impact")
        .read_after(30)
        .id();
    t.from(ana).tapback_on(loaf, 0, Tapback::Loved);
    t.from(ana)
        .text("LOOK AT THAT CRUST")
        .animated(TextEffect::Big, 0..18)
        .effect("CKConfettiEffect")
        .read_after(10);
    t.from(ana).reply_to_part(loaf, 1).text("“On purpose” is exactly what I'd say too").italic(0..12);
    t.me("I'm naming it Theodora");
    let cat = t.lib.attachment("IMG_0009.jpg").bytes(pictures::cat()).id();
    let cat = t
        .from_me()
        .text("Also this gentleman came with the flour. On the flour. He is the flour now.")
        .attachment(cat)
        .read_after(20)
        .id();
    let croissant = t
        .lib
        .attachment("croissant.png")
        .bytes(pictures::croissant())
        .sticker("com.example.stickers", 0.7, 0.3)
        .id();
    t.from(ana).tapback_on(cat, 1, Tapback::Placed(croissant));
    t.they(ana, "That's Bosun. He was ours. He has resigned, apparently.");
    t.me("He may stay as long as he likes. He has informed me of this himself.");

    t.on("2019-05-03 20:15");
    let horn = t.lib.attachment("Audio Message.caf").bytes(pictures::foghorn()).id();
    t.from_me().audio(horn, "").read_after(70);
    t.me("That's the foghorn. I know what you are thinking, and yes, I am going to time the dough with it.");
    t.they(ana, "One blast to fold, two to shape?");
    let plan = t.me("And three means come at once, it's out of the oven");
    t.from(ana).tapback(plan, Tapback::Loved);
    t.from_me()
        .text("Let's start a blub")
        .edit_after(20, "Let's start a club")
        .edit_after(55, "Let's start a club. A real one, with a name.")
        .read_after(90);
    t.from(ana).text("The Skerry Light Baking Club").bold(0..28).effect("CKSpotlightEffect");
    t.from_me().text("Members: 2. Cats: 1.").strikethrough(9..11).read_after(30);
    let gone = t.lib.attachment("Audio Message 2.caf").raw("transfer_state", 0).id();
    t.from(ana).audio(gone, "Rye first, then the rest of the world.").expired().raw("date_played", 0);

    t.on("2019-08-11 12:00");
    t.from(ana).subject("Inventory").text("Rye 4 kg, wheat 10 kg, honey 2 jars, cat 1");
    t.from_me().text("Meet me at the pier tomorrow at 8?").detected(20..33, "Date").read_after(30);
    t.from(ana)
        .text("Harbor Bakery, 12 Pier Road, Skerry ME 04000, if I'm late call +12025550143")
        .detected(15..44, "FullAddress")
        .detected(63..75, "PhoneNumber");
}

fn out_of_reach(t: &mut Talk, ana: HandleId) {
    t.on("2020-01-18 16:20");
    let sms = |t: &mut Talk, text: &str| {
        t.pause(text);
        t.from(ana).text(text).text_only().id()
    };
    t.from_me().text("Storm took the mast. Only texts now.").raw("was_downgraded", 1);
    sms(t, "Are you all right out there?");
    t.from_me().text("Dry, warm, and very full of rye.");
    sms(t, "Good. The boat won't go before Thursday.");
    let fog = t.from_me().text("I've got flour for a week and jokes for about a day.").id();
    sms(t, "Liked “I've got flour for a week and jokes for about a day.”");
    sms(t, "Tell me one");
    t.from_me().text("What do you call a keeper who burns the bread?");
    sms(t, "Robin");
    t.from_me().text("…I was going to say “a dark loaf”, but fine.");
    t.on("2020-01-23 08:02");
    t.from_me().text("First boat! Captain Iversen brought oranges and said “hm”.");
    sms(t, "He likes you!");
    sms(
        t,
        "Seven minutes of writing this on a keypad btw: Ich vermisse die Straße, ça va être l'été, mañana será otro día 🌊",
    );
    t.from_me().text("You typed that on KEYS?");
    t.from_me().text("I'm framing it.").failed(4);
    t.from_me().text("I'm framing it.").reply_to(fog).service("SMS");
    t.on("2020-12-24 17:45");
    sms(t, "Merry Christmas from the shore. I can see your light from the bakery window.");
    t.from_me().text("I made it blink. Twice. Don't tell the coast guard.");
    sms(t, "Two blasts: shape. I'm shaping.");
}

fn another_phone(t: &mut Talk, ana: HandleId) {
    t.on("2024-09-20 10:30");
    t.they(ana, "New phone! It's… a different kind. Can you still see me?");
    let typed = t.me("I can even see you typing. Welcome to the future, it comes with receipts.");
    t.from(ana).tapback(typed, Tapback::Laughed);
    let sunset = t.lib.attachment("PXL_20240919_192040.jpg").bytes(pictures::sunset()).id();
    let sunset = t.from(ana).attachment(sunset).text("From the ferry last night").read_after(15).id();
    t.from_me().tapback_on(sunset, 0, Tapback::Loved);
    t.me("The sky did that on purpose");
    let clip = t.lib.attachment("PXL_20240919_192101.mp4").size(48_210_944).in_icloud().id();
    t.from(ana).attachment(clip).text("And a film of it, forty seconds of me saying “wow”");
    t.from_me().text("I counted eleven wows").read_after(60);
    t.they(ana, "Thirteen. Two were the captain's.");
    t.on("2024-11-02 19:05");
    t.they(ana, "Have you read the letter from the harbor office?");
    t.me("Automated by spring, it says. “The keeper's services will no longer be required.”");
    t.they(ana, "And the oven's?");
    let no = t.me("They forgot about the oven.");
    t.from(ana).tapback(no, Tapback::Emphasized);
    t.from(ana)
        .text("Robin. A bakery. In a lighthouse.")
        .animated(TextEffect::Bloom, 7..16)
        .animated(TextEffect::Shake, 17..33)
        .read_after(5);
    t.me("Say that again");
    t.from(ana)
        .text("A bakery! In a lighthouse!")
        .animated(TextEffect::Explode, 0..9)
        .animated(TextEffect::Ripple, 10..26)
        .read_after(3);
    t.me("We'd need a hundred people who want bread badly enough to take a boat for it");
    let old = t.lib.attachment("scan_0001.jpg").size(2_204_118).id();
    t.from(ana).attachment(old).text("My grandmother's ledger, 1961. Forty boats on Sundays.");
}

fn the_bakery(t: &mut Talk, ana: HandleId) {
    t.on("2025-02-01 11:11");
    t.from(ana).number_changed(ana);
    t.they(ana, "Me again. New number, old dough.");
    t.me("Saved. I keep all your numbers. They're like rings in a tree.");
    t.from(ana).url_preview(
        &UrlPreview::new("https://example.com/skerry-light-petition")
            .title("Keep the light. Feed the harbor.")
            .summary("A petition with butter on it.")
            .site("Skerry Gazette"),
    );
    t.from_me().text("Signed. Bosun too. He has a very small signature.").read_after(20);
    let recipe = t.lib.attachment("Skerry Light Rye.pdf").bytes(pictures::recipe_pdf()).id();
    t.from_me().text("For the wall, by the door:").attachment(recipe).read_after(100);
    t.from(ana)
        .text("“Keep the cat off the flour” 😂 it's in the OFFICIAL recipe")
        .animated(TextEffect::Nod, 0..28)
        .animated(TextEffect::Jitter, 43..51);
    t.on("2025-03-14 15:09");
    let card =
        t.lib.attachment("preview.pluginPayloadAttachment").bytes(pictures::recipe_card()).hidden().id();
    t.from(ana)
        .url_preview(
            &UrlPreview::new("https://example.com/rye/1961")
                .title("Rye, as on Sundays in 1961")
                .site("example.com")
                .image(0),
        )
        .joined(card);
    t.from_me().text("3.14, how suitable. Pie on the menu?").read_after(8);
    let table = AppTemplate::new("Table for Two")
        .text("Opening night, table for two")
        .info("caption", "Skerry Light")
        .info("subcaption", "20 June, 19:00, by the lamp")
        .session(7)
        .url("https://example.com/table/7");
    t.from(ana).app("com.example.tables.MessagesExtension", &table);
    t.from_me().text("Are you booking a table in our own bakery?").read_after(12);
    let yes = t.they(ana, "Somebody has to be the first guest");
    t.from_me().tapback(yes, Tapback::Loved);
    t.they(ana, "So is that a yes? In your own hand, please, for the guest book");
    t.from_me().drawn("com.apple.Handwriting.HandwritingProvider", by_hand::yes()).read_after(30);
    let game = AppTemplate::new("Dots").caption("Your move.").session(9).url("data:?ver=1&move=1");
    let game =
        t.from(ana).app("com.example.dots.MessagesExtension", &game).raw("associated_message_type", 3).id();
    let second = AppTemplate::new("Dots").caption("Ana won. Again.").session(9).url("data:?ver=1&move=2");
    t.from_me().app("com.example.dots.MessagesExtension", &second).associated(game, 2);
    errands(t, ana);
    t.on("2026-06-18 21:30");
    t.from_me().text("Two days. I've polished the lens, the counter and the cat.").read_after(15);
    t.they(ana, "Is the sign up?");
    let night = t.lib.attachment("IMG_2206.jpg").bytes(pictures::lighthouse_at_night()).id();
    t.from_me()
        .attachment(night)
        .text("Sign's up. You can read it from the shore: it's the big one that turns.")
        .read_after(20);
    t.from(ana).text("I can see it from my window").effect("CKShootingStarEffect");
    t.from_me().text("Three blasts").bold(0..5).effect("loud").read_after(4);
    t.from(ana).text("Out of the oven. On my way.").effect("CKHeartEffect");
    t.from_me().text("You know I'd never have").unsend_part_after(0, 30);
    t.from_me().text("Thank you for the first three. I found the patience.").effect("gentle").read_after(9);
    t.from(ana).text("goodnight keeper").animated(TextEffect::Small, 0..16).read_after(5);
}

/// A day of cards: flour is paid for, a song shared, a mill found, and Ana rows home in the dark.
fn errands(t: &mut Talk, ana: HandleId) {
    t.on("2026-06-17 17:40");
    t.they(ana, "The mill wants to be paid before they mill");
    let pay = AppTemplate::new("Apple\u{a0}Cash")
        .text("Sent $48.50 with Apple Cash.")
        .session(11)
        .url("data:application/vnd.apple.pkppm;base64,AAAA");
    t.from_me().app("com.apple.PassbookUIService.PeerPaymentMessagesExtension", &pay).read_after(20);
    t.from(ana)
        .text("https://maps.example.com/?ll=44.0521,-68.7342")
        .payload("com.apple.messages.URLBalloonProvider", archive(&mill()));
    t.from(ana)
        .text("https://music.example.com/song/1961")
        .payload("com.apple.messages.URLBalloonProvider", archive(&song()));
    t.me("Is this the song you knead to?");
    t.they(ana, "It is the song I have kneaded to since 1961. Rowing back now, the fog is soup.");
    let check_in = |caption: &str, query: &str| {
        AppTemplate::new("Check\u{a0}In")
            .text(caption)
            .caption(caption)
            .session(12)
            .url(&format!("?messageType=1&interfaceVersion=1&{query}"))
    };
    let id = "com.apple.SafetyMonitorApp.SafetyMonitorMessages";
    let start = check_in("Check\u{a0}In: Timer Started", "estimatedEndTime=1781729100");
    let start = t.from(ana).app(id, &start).raw("associated_message_type", 3).id();
    t.on("2026-06-17 20:31");
    let end = check_in("Check\u{a0}In: Ended", "sendDate=1781728260.25");
    t.from(ana).app(id, &end).associated(start, 2);
    t.me("I saw your lamp from mine");
}

fn mill() -> serde_json::Value {
    json!({"$class": "RichLink", "richLinkIsPlaceholder": false, "richLinkMetadata": {"$class": "LPLinkMetadata",
        "originalURL": {"$url": "https://maps.example.com/?ll=44.0521,-68.7342"},
        "URL": {"$url": "https://maps.example.com/?ll=44.0521,-68.7342"},
        "title": "The Tide Mill",
        "specialization2": {"$class": "LPMapMetadata", "name": "The Tide Mill", "address": "2 Causeway, Skerry",
            "addressComponents": {"$class": "CNPostalAddress", "_street": "2 Causeway", "_city": "Skerry"}},
        "version": 1}})
}

fn song() -> serde_json::Value {
    json!({"$class": "RichLink", "richLinkIsPlaceholder": false, "richLinkMetadata": {"$class": "LPLinkMetadata",
        "originalURL": {"$url": "https://music.example.com/song/1961"},
        "URL": {"$url": "https://music.example.com/song/1961"},
        "specialization": {"$class": "LPiTunesMediaSongMetadata", "name": "Rise", "artist": "The Rolling Pins",
            "album": "Sundays in 1961", "storeIdentifier": "1961", "offers": ["subscription"],
            "lyricExcerpt": {"$class": "LPLyricExcerpt", "lyrics": "Fold me over, leave me warm"}},
        "version": 1}})
}
