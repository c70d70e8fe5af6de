//! Bread Without Borders: one oven, nine scripts.

use super::{Talk, pictures};
use crate::support::{Library, Tapback, UrlPreview};

pub(super) fn tell(lib: &mut Library) {
    let mut member = |address: &str| lib.handle(address, "iMessage");
    let (haruka, yousef, noa) =
        (member("haruka@example.com"), member("yousef@example.com"), member("noa@example.com"));
    let (priya, somchai, mei) =
        (member("+12025550151"), member("somchai@example.com"), member("mei@example.com"));
    let (jiwoo, eleni) = (member("jiwoo@example.com"), member("eleni@example.com"));
    let everybody = [haruka, yousef, noa, priya, somchai, mei, jiwoo, eleni];
    let chat = lib.group(&everybody, "Bread Without Borders 🍞🌍");
    let mut t = Talk::new(lib, chat);

    t.on("2021-05-02 13:00");
    t.from_me().renamed("Bread Without Borders 🍞🌍");
    t.me("Welcome! The rule of the club: say it in your own kitchen's language, and bring a picture or an opinion.");
    t.they(haruka, "はじめまして、京都の春香です。灯台でパンを焼くなんて、物語みたいですね。");
    t.they(yousef, "أهلاً بالجميع! أنا يوسف، وخبز الطابون جاهز دائماً في بيتنا.");
    t.they(noa, "שלום לכולם! כאן נועה. החלה שלי יצאה היום עקומה, אבל טעימה.");
    t.they(priya, "नमस्ते! मैं प्रिया हूँ। रोटी गोल हो या नक्शे जैसी, प्यार बराबर है।");
    t.they(somchai, "สวัสดีครับ ผมสมชาย ขนมปังที่นี่หอมกะทิ");
    t.they(mei, "大家好，我是梅。今天蒸了二十个馒头，只剩下三个了。");
    t.they(jiwoo, "안녕하세요, 지우예요. 찐빵도 빵이죠? 빵 맞죠?");
    t.they(eleni, "Γεια σας! Η Ελένη εδώ. Το ψωμί θέλει χρόνο και τραγούδι.");
    let yes = t.me("찐빵도 빵입니다. The committee (me and a cat) has decided.");
    t.from(jiwoo).tapback(yes, Tapback::Emoji("🥹"));
    t.from(jiwoo).tapback(yes, Tapback::Loved);
    t.from(mei).tapback(yes, Tapback::Laughed);
    t.from(haruka).tapback(yes, Tapback::Liked);
    let cat = t.lib.attachment("IMG_0711.jpg").bytes(pictures::cat()).id();
    let committee = t.from_me().attachment(cat).text("The committee").read_after(30).id();
    t.from(noa).tapback_on(committee, 0, Tapback::Loved);
    t.from(priya).tapback_on(committee, 1, Tapback::Emphasized);
    t.from(yousef).reply_to_part(committee, 0).text("😂😂 القط هو الرئيس الحقيقي");
    t.from(haruka).reply_to_part(committee, 0).text("委員長、よろしくお願いします 🐈");

    t.on("2022-03-20 09:30");
    t.from(yousef).text("Happy spring to every kitchen: كل ربيع وأنتم بخير and good morning, شكرا").id();
    t.they(noa, "מי יודע איך אומרים \"לחם\" בכל השפות פה?");
    t.they(eleni, "Ψωμί!");
    t.they(haruka, "パン");
    t.they(mei, "面包，也可以说馒头");
    t.they(jiwoo, "빵!!!");
    t.they(priya, "रोटी, ब्रेड, पाव, नान… कितना समय है आपके पास?");
    t.they(somchai, "ขนมปัง");
    t.they(yousef, "خبز، وفي مصر: عيش، يعني حياة");
    let life = t.me("عيش means life? I'm putting that on the wall.");
    for who in everybody {
        t.from(who).tapback(life, Tapback::Loved);
    }
    t.from(noa).text("ובעברית: לחם 🍞 (3 אותיות, 1000 סוגים)");
    t.from(eleni)
        .text("Robin, see https://example.com/psomi for the song")
        .link(11..36, "https://example.com/psomi")
        .detected(11..36, "HttpURL");

    t.on("2023-01-14 02:10");
    t.from_me().text("The mains are out and the lamp is dark. I have a gas oven, eight meters of foil, and a bad idea.").effect("CKEchoEffect");
    t.they(haruka, "え、こんな時間に？大丈夫ですか？");
    t.me("Oven door open, foil behind it, facing the sea. It's not much of a light. It's a light, though.");
    t.they(jiwoo, "오븐이 등대가 됐어요…");
    t.they(somchai, "สู้ๆ นะครับ");
    t.from(mei).text("用面包点灯的人！").bold(0..4).underline(4..7);
    t.they(priya, "कप्तान ने देखा क्या?");
    let captain = t.me("Captain Iversen just came in on it. He said: “Smells like home.” That is four words more than usual.");
    for (who, emoji) in [(haruka, "🗼"), (yousef, "🥲"), (noa, "🔥"), (eleni, "🎶")] {
        t.from(who).tapback(captain, Tapback::Emoji(emoji));
    }
    t.from(eleni).reply_to(captain).text("Το φως και το ψωμί είναι το ίδιο πράγμα. 👩🏽‍🍳👨‍👩‍👧‍👦🏳️‍🌈🇬🇷");
    let heart = t
        .lib
        .attachment("croissant.png")
        .bytes(pictures::croissant())
        .sticker("com.example.stickers", 0.2, 0.8)
        .id();
    t.from(mei).tapback(captain, Tapback::Placed(heart));
    t.from(yousef).take_back(captain, Tapback::Emoji("🥲"));

    t.on("2024-06-01 16:00");
    t.from(priya).url_preview(
        &UrlPreview::new("https://example.com/naan")
            .title("नान: तंदूर के बिना")
            .summary("लोहे के डिब्बे में भी बनता है")
            .site("रसोई"),
    );
    t.from(noa)
        .text("שבת שלום, סוף סוף חלה ישרה")
        .edit_after(40, "שבת שלום, סוף סוף חלה כמעט ישרה")
        .effect("CKConfettiEffect");
    t.from(haruka).text("きょうは灯台パンを焼きました").translated(
        "Today I baked lighthouse bread",
        "en_US",
        "ja_JP",
    );
    t.from(somchai).left();
    t.from_me().added(somchai);
    t.they(somchai, "ขอโทษครับ กดปุ่มแดง");
    t.me("Everybody presses the red thing once. My grandmother did. You're in good company.");

    t.on("2026-06-20 19:40");
    let loaf = t.lib.attachment("IMG_2231.jpg").bytes(pictures::loaf()).id();
    t.from_me()
        .attachment(loaf)
        .text("First evening, last loaf. It has all your names in the crust, if you squint.")
        .read_after(9);
    t.they(yousef, "مبروك! ألف مبروك يا روبن");
    t.they(noa, "מזל טוב!!!");
    t.they(haruka, "おめでとうございます！");
    t.they(mei, "恭喜恭喜！");
    t.they(jiwoo, "축하해요 🎉🎉🎉");
    t.they(priya, "बधाई हो! 🪔");
    t.they(somchai, "ยินดีด้วยนะครับ");
    t.they(eleni, "Συγχαρητήρια! Και τώρα: το τραγούδι.");
    t.me("Sing. I'll open the window. The light goes round, everybody gets a turn.");
}
