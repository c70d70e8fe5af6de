//! An estimate as one JSON object.

use chrono_tz::Tz;

use crate::model::Conversation;
use crate::source::SourceInfo;
use crate::storage::{
    Amount, Category, ConversationAmount, Estimate, Freed, ICloud, Kept, Large, Places, Plan, Read, Setting,
    Who, Why,
};
use crate::writers::clock::Clock;
use crate::writers::json::Json;
use crate::writers::open_in_messages;

use super::words;

/// The object, and a line end.
pub fn object(estimate: &Estimate, zone: Tz) -> String {
    let mut clock = Clock::new(zone);
    let mut buffer = Vec::new();
    let mut json = Json { to: &mut buffer, clock: &mut clock };
    json.raw("{\"schema\":1,\"time_zone\":").text(zone.name());
    json.raw(",\"now\":").date(Some(estimate.now));
    json.raw(",\"source\":");
    source(&mut json, &estimate.source);
    json.raw(",\"total\":{");
    amount(&mut json, &estimate.total);
    json.raw("},\"categories\":").array(&estimate.categories, |json, (category, sum)| {
        json.raw("{\"name\":").text(category_name(*category)).raw(",");
        amount(json, sum);
        json.raw("}");
    });
    json.raw(",\"conversations\":").array(&estimate.conversations, conversation);
    json.raw(",\"years\":").array(&estimate.years, |json, (year, sum)| {
        json.raw("{\"year\":");
        maybe(json, *year).raw(",");
        amount(json, sum);
        json.raw("}");
    });
    json.raw(",\"senders\":").array(&estimate.senders, sender);
    json.raw(",\"largest\":").array(&estimate.largest, |json, item| large(json, item, estimate));
    json.raw(",\"where\":");
    places(&mut json, &estimate.places);
    json.raw(",\"recently_deleted\":");
    match &estimate.recently_deleted {
        Some(deleted) => {
            json.raw("{\"items\":").number(deleted.items).raw(",\"bytes\":").number(deleted.bytes).raw("}")
        }
        None => json.raw("null"),
    };
    json.raw(",\"plans\":").array(&estimate.plans, plan);
    json.raw(",\"keep\":{");
    for (at, ((name, _), kept)) in Setting::NAMES.iter().zip(&estimate.keep).enumerate() {
        json.raw(if at > 0 { "," } else { "" }).text(name).raw(":");
        keep(&mut json, kept);
    }
    json.raw("},\"what_if\":");
    what_if(&mut json, estimate.freed.as_ref());
    json.raw(",\"icloud\":");
    icloud(&mut json, estimate.icloud.as_ref());
    json.raw(",\"gate\":");
    gate(&mut json, estimate);
    json.raw(",\"exact\":");
    exact(&mut json, estimate.read.as_ref());
    json.raw(",\"assumptions\":").texts(&words::assumptions(estimate));
    json.raw("}\n");
    String::from_utf8_lossy(&buffer).into_owned()
}

/// A category by its name in the interface.
pub fn category_name(category: Category) -> &'static str {
    match category {
        Category::Photos => "photos",
        Category::Videos => "videos",
        Category::GifsAndStickers => "gifs_and_stickers",
        Category::Audio => "audio",
        Category::Documents => "documents",
        Category::LinkPreviews => "link_previews",
        Category::Other => "other",
        Category::Messages => "messages",
    }
}

fn maybe<'j, 'b>(json: &'j mut Json<'b>, number: Option<impl Into<i128>>) -> &'j mut Json<'b> {
    match number {
        Some(number) => json.number(number),
        None => json.raw("null"),
    }
}

fn amount(json: &mut Json<'_>, sum: &Amount) {
    json.raw("\"items\":").number(sum.items);
    json.raw(",\"low\":").number(sum.low);
    json.raw(",\"high\":").number(sum.high);
}

fn source(json: &mut Json<'_>, info: &SourceInfo) {
    json.raw("{\"kind\":")
        .text(info.kind.name())
        .raw(",\"path\":")
        .text(&info.path.to_string_lossy())
        .raw("}");
}

fn conversation(json: &mut Json<'_>, of: &ConversationAmount) {
    let conversation: Option<&Conversation> = of.conversation.as_ref();
    json.raw("{\"id\":").maybe(conversation.map(|conversation| conversation.id.as_str()));
    json.raw(",\"title\":").maybe(conversation.map(|conversation| conversation.title.as_str())).raw(",");
    amount(json, &of.amount);
    json.raw("}");
}

fn sender(json: &mut Json<'_>, (who, sum): &(Who, Amount)) {
    let (name, handles) = match who {
        Who::Person(person) => (person.name.as_deref(), person.handles.as_slice()),
        Who::Me | Who::Unknown => (None, [].as_slice()),
    };
    json.raw("{\"from_me\":").boolean(*who == Who::Me);
    json.raw(",\"name\":").maybe(name).raw(",\"handles\":").texts(handles).raw(",");
    amount(json, sum);
    json.raw("}");
}

fn large(json: &mut Json<'_>, item: &Large, estimate: &Estimate) {
    let of = item.conversation.and_then(|at| estimate.conversations.get(at)?.conversation.as_ref());
    json.raw("{\"guid\":").maybe(item.guid.as_deref());
    json.raw(",\"name\":").maybe(item.name.as_deref());
    json.raw(",\"category\":").text(category_name(item.category));
    json.raw(",\"bytes\":").number(item.bytes);
    json.raw(",\"date\":").date(item.date);
    json.raw(",\"conversation\":").maybe(of.map(|conversation| conversation.id.as_str()));
    json.raw(",\"message\":").maybe(item.message.as_deref());
    json.raw(",\"url\":").maybe(item.message.as_deref().map(open_in_messages::link).as_deref());
    json.raw(",\"availability\":").text(item.availability.name()).raw("}");
}

fn places(json: &mut Json<'_>, places: &Places) {
    let states = places.states;
    json.raw("{\"here_and_icloud\":");
    maybe(json, states.map(|states| states.here_and_icloud)).raw(",\"icloud_only\":");
    maybe(json, states.map(|states| states.icloud_only)).raw(",\"here_only\":");
    maybe(json, states.map(|states| states.here_only)).raw(",\"lost\":");
    maybe(json, states.map(|states| states.lost)).raw(",\"here\":").number(places.here);
    json.raw(",\"not_here\":").number(places.not_here).raw("}");
}

fn plan(json: &mut Json<'_>, plan: &Plan) {
    // Six digits are more than a share of an estimate has.
    let share = |bytes: u64| format!("{:.6}", bytes as f64 / plan.bytes.max(1) as f64);
    json.raw("{\"bytes\":").number(plan.bytes);
    json.raw(",\"share_low\":").raw(&share(plan.low)).raw(",\"share_high\":").raw(&share(plan.high)).raw("}");
}

fn keep(json: &mut Json<'_>, kept: &Kept) {
    json.raw("{\"before\":").date(kept.before);
    json.raw(",\"messages\":").number(kept.messages);
    json.raw(",\"tapbacks\":").number(kept.tapbacks);
    json.raw(",\"conversations\":").number(kept.conversations);
    json.raw(",\"emptied\":").number(kept.emptied);
    json.raw(",\"attachments\":").number(kept.attachments);
    json.raw(",\"bytes\":").number(kept.bytes());
    json.raw(",\"message_bytes\":").number(kept.message_bytes);
    json.raw(",\"attachment_bytes\":").number(kept.attachment_bytes);
    json.raw(",\"oldest_kept\":").date(kept.oldest_kept);
    let missing = kept.not_in_archive;
    json.raw(",\"not_in_archive\":");
    maybe(json, missing.map(|missing| missing.messages + missing.attachments));
    json.raw(",\"messages_not_in_archive\":");
    maybe(json, missing.map(|missing| missing.messages));
    json.raw(",\"attachments_not_in_archive\":");
    maybe(json, missing.map(|missing| missing.attachments)).raw("}");
}

fn what_if(json: &mut Json<'_>, freed: Option<&Freed>) {
    let Some(freed) = freed else {
        json.raw("null");
        return;
    };
    json.raw("{\"messages\":").number(freed.messages);
    json.raw(",\"attachments\":").number(freed.attachments);
    json.raw(",\"low\":").number(freed.low).raw(",\"high\":").number(freed.high).raw("}");
}

fn icloud(json: &mut Json<'_>, icloud: Option<&ICloud>) {
    let Some(icloud) = icloud else {
        json.raw("null");
        return;
    };
    json.raw("{\"total\":").number(icloud.total);
    json.raw(",\"unexplained_low\":").number(icloud.unexplained_low);
    json.raw(",\"unexplained_high\":").number(icloud.unexplained_high).raw("}");
}

fn gate(json: &mut Json<'_>, estimate: &Estimate) {
    let Some(passage) = &estimate.gate else {
        json.raw("null");
        return;
    };
    json.raw("{\"setting\":").text(setting_name(passage.setting));
    json.raw(",\"passed\":").boolean(passage.is_open());
    json.raw(",\"messages\":").number(passage.messages);
    json.raw(",\"attachments\":").number(passage.attachments);
    json.raw(",\"problems\":").array(&passage.blocked, |json, blocked| {
        let of = blocked.conversation.and_then(|at| estimate.conversations.get(at)?.conversation.as_ref());
        json.raw("{\"kind\":").text(why_name(&blocked.why));
        json.raw(",\"guid\":").maybe(blocked.guid.as_deref());
        json.raw(",\"name\":").maybe(blocked.name.as_deref());
        json.raw(",\"date\":").date(blocked.date);
        json.raw(",\"conversation\":").maybe(of.map(|conversation| conversation.id.as_str()));
        json.raw(",\"what\":").text(&words::why(&blocked.why)).raw("}");
    });
    json.raw("}");
}

/// A setting by its name in the interface.
pub fn setting_name(setting: Setting) -> &'static str {
    Setting::NAMES.iter().find(|(_, of)| *of == setting).map_or("", |(name, _)| name)
}

/// Why something does not pass, in a word.
pub fn why_name(why: &Why) -> &'static str {
    match why {
        Why::NeverArchived => "never_archived",
        Why::Message => "message",
        Why::Attachment(_) => "attachment",
        Why::Differs => "differs",
        Why::Unreadable(_) => "unreadable",
        Why::Damaged(_) => "damaged",
    }
}

fn exact(json: &mut Json<'_>, read: Option<&Read>) {
    let Some(read) = read else {
        json.raw("null");
        return;
    };
    json.raw("{\"read\":").number(read.files).raw(",\"bytes\":").number(read.bytes);
    json.raw(",\"unreadable\":").number(read.unreadable).raw("}");
}
