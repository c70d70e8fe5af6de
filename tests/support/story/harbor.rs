//! The ferry's text messages, the captain, an admirer of croissants, and rows that lost their chat.

use super::{Talk, pictures};
use crate::support::keyed::chat_properties;
use crate::support::{Library, Tapback};

pub(super) fn tell(lib: &mut Library) {
    ferry(lib);
    captain(lib);
    admirer(lib);
    lost(lib);
}

/// A sender with a name instead of a number: codes, times, a link.
fn ferry(lib: &mut Library) {
    let ferry = lib.handle("FERRY", "SMS");
    let chat = lib.direct(ferry);
    let mut t = Talk::new(lib, chat);
    t.on("2020-03-01 08:00");
    t.from(ferry)
        .text("Harbor Ferry: your code is 481516. It expires in 10 minutes.")
        .one_time_code(27..33, "481516")
        .detected(27..33, "AuthCode");
    t.from(ferry)
        .text("Harbor Ferry: welcome aboard, ROBIN. Text TIMES for times, STOP to stop.")
        .text_only();
    t.from_me().text("TIMES").text_in_both();
    t.from(ferry)
        .text("Skerry Light: 7:10, 12:40, 18:15. No boat in fog. https://example.com/ferry/times")
        .link(50..81, "https://example.com/ferry/times")
        .detected(50..81, "HttpURL");
    t.from_me().text("What about Sundays").text_in_both();
    t.from(ferry)
        .text("Sorry, we did not understand “What about Sundays”. Text TIMES for times.")
        .text_only();
    t.from_me().text("TIMES ON SUNDAYS PLEASE").text_in_both();
    t.from(ferry).text("Skerry Light: 7:10, 12:40, 18:15. No boat in fog.").text_only();
    t.on("2022-12-05 06:30");
    t.from(ferry)
        .text("Harbor Ferry: 7:10 to Skerry Light CANCELED (fog). Next: 12:40. Fare $4.50 is valid all day.")
        .detected(69..74, "Money");
    t.from_me().text("I can't see the fog from here, there's fog").text_in_both();
    t.from(ferry)
        .text("Sorry, we did not understand “I can't see the fog from here, there's fog”.")
        .text_only();
    t.on("2024-08-09 19:00");
    t.from(ferry).text("Harbor Ferry: your code is 234200. Nobody from Harbor Ferry will ask for it, not even the captain.").one_time_code(27..33, "234200").detected(27..33, "AuthCode");
    t.from(ferry)
        .text("Harbor Ferry: 1 parcel for you on the 12:40: FLOUR 25 KG. Tracking 1Z999AA10123456784.")
        .detected(67..85, "TrackingNumber");
    t.on("2026-06-19 15:00");
    t.from(ferry)
        .text("Harbor Ferry: due to demand, 4 extra boats to Skerry Light on 20 June. Bring an appetite.")
        .detected(62..69, "Date");
    t.from_me().text("STOP being so kind").text_in_both();
    t.from(ferry).text("You have been unsubscribed.").text_only();
    t.from_me().text("NO").text_in_both();
}

/// Few words, some of them deleted since.
fn captain(lib: &mut Library) {
    let iversen = lib.handle("iversen@example.com", "iMessage");
    let chat = lib.direct(iversen);
    let read_receipts =
        chat_properties(&[("EnableReadReceiptForChat", true.into()), ("shouldForceToSMS", false.into())]);
    lib.chat_raw(chat, "properties", read_receipts);
    let mut t = Talk::new(lib, chat);
    t.on("2019-03-25 05:40");
    t.they(iversen, "Hm.");
    t.me("Good morning, Captain! Is there bread on the boat?");
    t.they(iversen, "Learn.");
    t.on("2019-12-01 06:00");
    t.me("I learned. There's a rye for you on the pier, under the blue cloth.");
    let hm = t.they(iversen, "Hm!");
    t.from_me().tapback(hm, Tapback::Loved);
    t.me("Was that an exclamation mark?");
    t.they(iversen, "Thumb slipped.");
    t.on("2020-05-17 21:00");
    for line in [
        "There once was a keeper whose dough",
        "Would rise up when foghorns would blow,",
        "It rose past the lamp,",
        "All golden and damp,",
        "And guided the boats from below.",
    ] {
        t.pause(line);
        t.from(iversen).text(line).deleted("2026-06-10T07:00:00Z");
    }
    t.me("Captain. Was that a limerick?");
    t.they(iversen, "No.");
    t.me("I'm deleting it from my phone, as you wish. I'll remember it, though.");
    let gone = t.from_me().text("Was it about me?").deleted("2026-06-10T07:00:30Z").id();
    t.from(iversen).tapback(gone, Tapback::Disliked);
    t.on("2023-01-14 03:30");
    t.they(iversen, "Saw your light. Odd color.");
    t.me("It's two hundred and thirty degrees.");
    t.they(iversen, "Smells like home.");
    t.from(iversen)
        .text("Repeat nothing of this.")
        .text("Bring two loaves.")
        .deleted_part(0, "2026-06-12T09:00:00Z");
    t.on("2025-05-05 05:55");
    t.from_me().text("Would you take forty people out on the first morning?").read_after(1);
    t.they(iversen, "Forty-one.");
    t.me("Who's the forty-first?");
    t.they(iversen, "Me.");
    t.from_me().text("🥹").effect("impact").failed(22);
    t.from_me().text("🥹").effect("impact").read_after(3);
    t.on("2026-06-20 22:00");
    let night = t.lib.attachment("IMG_2240.jpg").bytes(pictures::lighthouse_at_night()).id();
    t.from(iversen).attachment(night).text("From the boat.").read_after(30);
    t.me("It's the best picture anyone ever took of it");
    t.they(iversen, "Hm.");
    t.from_me()
        .text("Merry Christmas, Captain. There's a rye under the blue cloth. (Yes, I wrote this in June.)")
        .at("2026-12-24T06:00:00Z")
        .scheduled(2);
}

/// An unknown number, and what Messages thinks of it.
fn admirer(lib: &mut Library) {
    let admirer = lib.handle("+12025550199", "SMS");
    let chat = lib.direct(admirer);
    lib.chat_raw(chat, "is_filtered", 2);
    let mut t = Talk::new(lib, chat);
    t.on("2025-10-10 03:03");
    t.from(admirer)
        .text("CONGRATULATIONS!!! You have WON 500 FREE CROISSANTS. Reply BUTTER to claim")
        .junk()
        .text_only();
    t.from(admirer)
        .text("Final notice: your croissants are at the customs https://example.com/claim?id=500")
        .junk()
        .text_only();
    t.from(admirer).text("Dear Sir/Madam the croissants are getting cold").junk().text_only();
    t.from(admirer).text("ok. we ate them").junk().text_only();
}

/// Rows of a chat that is gone, and a tapback whose message is.
fn lost(lib: &mut Library) {
    let stranger = lib.handle("+12025550177", "iMessage");
    lib.clock("2019-07-01 12:00");
    lib.orphan().from(stranger).text("Is this the lighthouse? I think I left my umbrella there in 1998.");
    lib.orphan().from_me().text("It's still here. It's a good umbrella. Bosun sleeps in it.");
    let ghost = lib.guid();
    lib.orphan()
        .from(stranger)
        .text("Loved “It's still here.”")
        .raw("associated_message_type", 2000)
        .raw("associated_message_guid", format!("p:0/{ghost}"));
}
