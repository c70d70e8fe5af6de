//! The Larks: a group that changes its name, its picture and its members.

use super::{Talk, by_hand, pictures};
use crate::support::keyed::{AppTemplate, UrlPreview, data_url};
use crate::support::{HandleId, Library, Tapback};

struct Larks {
    june: HandleId,
    otto: HandleId,
    wren: HandleId,
    nell: HandleId,
}

pub(super) fn tell(lib: &mut Library) {
    let larks = Larks {
        june: lib.handle("+12025550110", "iMessage"),
        otto: lib.handle("+12025550111", "iMessage"),
        wren: lib.handle("wren@example.com", "iMessage"),
        nell: lib.handle("+12025550112", "iMessage"),
    };
    let chat = lib.group(&[larks.june, larks.otto, larks.wren, larks.nell], "Larks & Toast");
    let mut t = Talk::new(lib, chat);
    robin_moves_out(&mut t, &larks);
    grandma_joins(&mut t, &larks);
    birthday(&mut t, &larks);
    the_secret(&mut t, &larks);
    opening(&mut t, &larks);
}

fn robin_moves_out(t: &mut Talk, Larks { june, otto, wren, .. }: &Larks) {
    let (june, otto, wren) = (*june, *otto, *wren);
    t.on("2019-03-22 18:00");
    t.from(june).renamed("Larks");
    t.they(june, "Did you arrive? Is there a bed? Is there heating?");
    let light = t.me("There's a bed, a stove and the brightest reading lamp in the state");
    t.from(otto).tapback(light, Tapback::Laughed);
    t.they(otto, "So you could say it's… light housekeeping");
    t.they(wren, "DAD.");
    t.me("He's been saving that one since I applied");
    t.they(otto, "Since you were four");
    let home = t.lib.attachment("IMG_0002.jpg").bytes(pictures::lighthouse()).id();
    let home = t.from_me().attachment(home).read_after(30).id();
    for who in [june, otto, wren] {
        t.from(who).tapback(home, Tapback::Loved);
    }
    t.from(otto).photo_changed_to(home);
    t.from(june).location(june, true);
    t.they(june, "I'm sharing where I am so that you can worry about ME for once");
    t.from(june).location(june, false);
    t.they(june, "That was the wrong button. Both times.");
}

fn grandma_joins(t: &mut Talk, Larks { june, otto, wren, nell }: &Larks) {
    let (june, otto, wren, nell) = (*june, *otto, *wren, *nell);
    t.on("2021-02-07 10:00");
    t.from(wren).added(nell);
    t.they(wren, "Everybody, Grandma has a phone");
    t.they(nell, "Hello this is Nell Lark speaking");
    t.they(nell, "How do I sign a message");
    t.they(wren, "You don't, Grandma, we see it's you");
    let nell_says = t.they(nell, "Remarkable. Yours sincerely, Nell");
    for (who, what) in [(june, Tapback::Loved), (otto, Tapback::Laughed), (wren, Tapback::Emoji("💌"))] {
        t.from(who).tapback(nell_says, what);
    }
    t.from_me().tapback(nell_says, Tapback::Loved);
    t.from(nell).left();
    t.they(june, "Mother?");
    t.from(wren).added(nell);
    t.they(nell, "I pressed the red thing. Yours sincerely, Nell");
    t.from(otto).text("@Nell the red thing is for leaving").mention(0..5, "+12025550112");
    t.they(nell, "I know that NOW Otto");
    t.from(wren).renamed("Larks & Toast");
    let emblem = t.lib.attachment("GroupPhotoImage").bytes(pictures::emblem()).raw("uti", "public.png").id();
    t.from(wren).photo_changed(emblem);
    t.from(otto).photo_removed();
    t.they(otto, "I pressed the red thing");
    let emblem = t.lib.attachment("GroupPhotoImage").bytes(pictures::emblem()).raw("uti", "public.png").id();
    t.from(wren).photo_changed(emblem);
    let who = t.from_me().text("Who wants bread by post?").read_after(10).id();
    t.from(june).reply_to(who).text("Me");
    t.from(otto).reply_to(who).text("Me, but the corner piece");
    t.from(wren).reply_to(who).text("Bread has no corner piece, Dad");
    t.from(otto).reply_to(who).text("Then I'll have the round piece");
    t.from(nell).reply_to(who).text("Two loaves. One is for the doctor. He knows why. Yours sincerely, Nell");
}

fn birthday(t: &mut Talk, Larks { june, otto, wren, nell }: &Larks) {
    let (june, otto, wren, nell) = (*june, *otto, *wren, *nell);
    t.on("2022-10-15 07:00");
    t.from(june).text("Happy birthday Robin! 🎂").effect("CKHappyBirthdayEffect");
    t.from(otto).text("Happy birthday! You're on a roll. A bread roll.").effect("CKLasersEffect");
    t.from(wren)
        .text("hapy birthday, keper of lite")
        .edit_after(30, "Happy birthday, keeper of light")
        .read_after(9);
    let cake = t.lib.attachment("IMG_1501.jpg").bytes(pictures::cake()).id();
    let cake = t
        .from_me()
        .attachment(cake)
        .text("Baked my own. Three tiers. No witnesses to the fourth.")
        .read_after(20)
        .id();
    t.from(wren).tapback_on(cake, 0, Tapback::Emoji("🤯"));
    t.from(otto).tapback_on(cake, 1, Tapback::Questioned);
    let croissant = t
        .lib
        .attachment("croissant.png")
        .bytes(pictures::croissant())
        .sticker("com.example.stickers", 0.5, 0.5)
        .id();
    t.from(june).tapback_on(cake, 0, Tapback::Sticker(croissant));
    t.they(nell, "The icing is straight. I taught you that. Yours sincerely, Nell");
    t.from(wren).drawn("com.apple.DigitalTouchBalloonProvider", by_hand::lighthouse()).read_after(12);
    let genmoji = t
        .lib
        .attachment("emoji.png")
        .bytes(pictures::croissant())
        .raw("emoji_image_content_identifier", "croissant-1")
        .raw("emoji_image_short_description", "a smiling croissant")
        .id();
    t.from(wren).text("I made you a ").inline(genmoji).more_text(" because I can't bake one").read_after(5);
    let song = t.lib.attachment("Audio Message.caf").bytes(pictures::foghorn()).id();
    t.from(otto).audio(song, "Happy birthday to you, happy birthday to you").read_after(40);
    t.from_me().audio_kept();
    t.me("I'm keeping this one. It sounds exactly like the foghorn.");
    t.they(otto, "Thank you. I practiced.");
    t.from(june).share_play();
    t.they(june, "How do I make the film start for everyone");
    t.from(june)
        .text("I think I sent everybody my shopping list")
        .text("eggs\nmilk\nNOT the good butter, Otto hides it")
        .unsend_part_after(1, 70);
    t.they(otto, "Too late. I know that you know.");
}

fn the_secret(t: &mut Talk, Larks { june, otto, wren, nell }: &Larks) {
    let (june, otto, wren, nell) = (*june, *otto, *wren, *nell);
    t.on("2023-11-26 14:30");
    t.me("Grandma, what's in the Sunday buns? Mine taste of Tuesday.");
    t.they(nell, "Flour, milk, butter, sugar, and a secret. Yours sincerely, Nell");
    let options = |votes: &str| data_url(votes);
    let poll = AppTemplate::new("Polls").text("Sent a poll").session(3).url(&options(
        r#"{"version":1,"item":{"title":"Grandma's secret","orderedPollOptions":[{"optionIdentifier":"00000000-0000-4000-8000-000000000001","text":"Cinnamon","creatorHandle":"wren@example.com"},{"optionIdentifier":"00000000-0000-4000-8000-000000000002","text":"Cardamom","creatorHandle":"wren@example.com"},{"optionIdentifier":"00000000-0000-4000-8000-000000000003","text":"Spite","creatorHandle":"wren@example.com"}]}}"#,
    ));
    let poll = t.from(wren).app("com.apple.messages.Polls", &poll).id();
    for (who, handle, option) in
        [(june, "+12025550110", 1), (otto, "+12025550111", 3), (wren, "wren@example.com", 2)]
    {
        let vote = AppTemplate::new("Polls").session(3).url(&options(&format!(
            r#"{{"version":1,"item":{{"votes":[{{"voteOptionIdentifier":"00000000-0000-4000-8000-00000000000{option}","participantHandle":"{handle}"}}]}}}}"#
        )));
        t.from(who).app("com.apple.messages.Polls", &vote).associated(poll, 4000);
    }
    t.they(nell, "I am not voting on my own buns. Yours sincerely, Nell");
    let letter = t
        .from(nell)
        .subject("Re: buns")
        .text("It is cardamom. It was always cardamom. Do not tell the Abbotts.")
        .italic(0..15)
        .effect("gentle")
        .read_after(3)
        .id();
    t.from_me().tapback(letter, Tapback::Emphasized);
    t.from(wren).tapback(letter, Tapback::Loved);
    t.from(june).text("CARDAMOM").effect("CKFireworksEffect");
    t.from(otto).text("Forty years I thought it was love").effect("CKEchoEffect");
    t.they(nell, "That was the butter Otto");
    t.from(june).background_changed();
    t.they(wren, "Mom did you just make the wallpaper buns");
    t.from(june).background_removed();
    t.they(june, "No");
    t.from(nell).url_preview(&UrlPreview {
        placeholder: true,
        ..UrlPreview::new("https://example.com/cardamom?buy=2kg")
    });
    t.they(nell, "I found the internet. Yours sincerely, Nell");
}

fn opening(t: &mut Talk, Larks { june, otto, wren, nell }: &Larks) {
    let (june, otto, wren, nell) = (*june, *otto, *wren, *nell);
    t.on("2025-04-30 12:00");
    t.me(
        "The council said yes. The Skerry Light Bakery opens 20 June next year, if I pass the hygiene exam.",
    );
    t.from(june).text("My child the baker").effect("CKSparklesEffect");
    t.they(otto, "You'll need dough. I mean money. I mean both.");
    let old = t.lib.attachment("IMG_1975.heic").size(3_120_400).in_icloud().id();
    t.from(nell)
        .attachment(old)
        .text("Your great-grandfather, with the oven. Yours sincerely, Nell")
        .read_after(40);
    let lost = t.lib.attachment("voucher.png").size(88_201).id();
    t.from(otto).attachment(lost).text("A voucher for one (1) free joke");
    let card = t.lib.attachment("Health Inspector.vcf").bytes("BEGIN:VCARD\r\nVERSION:3.0\r\nN:Crumb;Inspector;;;\r\nFN:Inspector Crumb\r\nTEL:+12025550160\r\nEND:VCARD\r\n").id();
    t.from(wren).text("I asked around, this is who checks kitchens:").attachment(card).read_after(4);
    t.me("Inspector CRUMB?");
    let crumb = t.they(wren, "I don't make the names");
    t.from_me().tapback(crumb, Tapback::Laughed);
    t.from(otto).removed(wren);
    t.they(otto, "Sorry, red thing");
    t.from(otto).added(wren);
    t.on("2026-06-20 05:10");
    t.from_me().text("Doors at eight. It's still dark. The oven's lit and so is the lamp.").read_after(900);
    t.they(nell, "We are on the first boat. All forty of us. Yours sincerely, Nell");
    t.me("FORTY?");
    t.they(june, "Your grandmother called people");
    let bike = t.lib.attachment("IMG_2210.jpg").bytes(pictures::bicycle()).id();
    t.from(wren).attachment(bike).text("Delivery service reporting").read_after(4);
    let proud = t
        .from(otto)
        .text("I have no joke. I'm just proud.")
        .translated("Keine Pointe. Ich bin einfach stolz.", "de_DE", "en_US")
        .read_after(3)
        .id();
    for who in [june, wren, nell] {
        t.from(who).tapback(proud, Tapback::Loved);
    }
    t.from_me().tapback(proud, Tapback::Loved);
    t.they(otto, "…a proud father, and a prouder *flour*-ther. There it is.");
    t.from(wren).renamed("");
    t.from(wren).text("I pressed the red thing").read_after(3);
    t.from(wren).renamed("Larks & Toast");
}
