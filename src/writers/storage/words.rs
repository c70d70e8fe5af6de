//! What an estimate says, in words.

use crate::model::Availability;
use crate::storage::{
    Amount, Assumption, Blocked, Category, Deleted, Estimate, Freed, ICloud, Kept, Passage, Places, Read,
    Setting, Who, Why,
};
use crate::writers::phrase::{count, grouped, size};

/// Where an attachment is, in a column.
pub fn whereabouts(availability: Availability) -> &'static str {
    match availability {
        Availability::Local => "here",
        Availability::InICloud => "in iCloud",
        Availability::Missing => "missing",
        Availability::Expired => "expired",
    }
}

/// A category, as Apple's screen names it.
pub fn category(category: Category) -> &'static str {
    match category {
        Category::Photos => "Photos",
        Category::Videos => "Videos",
        Category::GifsAndStickers => "GIFs and Stickers",
        Category::Audio => "Audio",
        Category::Documents => "Documents",
        Category::LinkPreviews => "Link previews",
        Category::Other => "Other",
        Category::Messages => "Messages",
    }
}

/// `12.1 GB to 14.0 GB`; one size where both are the same.
pub fn range(low: u64, high: u64) -> String {
    match (size(low), size(high)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low} to {high}"),
    }
}

/// The answer in a sentence.
pub fn verdict(total: &Amount) -> String {
    format!("By what is stored here, Messages takes {} of iCloud.", range(total.low, total.high))
}

/// A setting, as Apple names it.
pub fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Days30 => "30 Days",
        Setting::OneYear => "1 Year",
        Setting::Forever => "Forever",
    }
}

/// What a setting would purge, in a sentence.
pub fn kept(kept: &Kept) -> String {
    if kept.messages == 0 {
        return "Nothing would go.".into();
    }
    let tapbacks = match kept.tapbacks {
        0 => String::new(),
        1 => " (1 of them a tapback)".into(),
        tapbacks => format!(" ({} of them tapbacks)", grouped(tapbacks)),
    };
    format!(
        "{}{tapbacks} in {} would go, with {}: {}.",
        count(kept.messages, "message", "messages"),
        count(kept.conversations, "conversation", "conversations"),
        count(kept.attachments, "attachment", "attachments"),
        size(kept.bytes()),
    )
}

/// What of that is in no archive, in a sentence; `None` where no archive was named.
pub fn not_in_archive(kept: &Kept) -> Option<String> {
    let missing = kept.not_in_archive?;
    Some(match (missing.messages, missing.attachments) {
        _ if kept.messages == 0 => "Nothing would go.".into(),
        (0, 0) => "All of it is in the archive.".into(),
        (messages, attachments) => format!(
            "Not in the archive: {} and {}.",
            count(messages, "message", "messages"),
            count(attachments, "attachment", "attachments")
        ),
    })
}

/// Whether it is safe to switch, in a sentence.
pub fn passage(passage: &Passage) -> String {
    let setting = setting(passage.setting);
    let going = format!(
        "{} and {}",
        count(passage.messages, "message", "messages"),
        count(passage.attachments, "attachment", "attachments")
    );
    if passage.is_open() {
        return format!(
            "Safe to switch to Keep Messages: {setting}. The {going} that would go are in the archive, which was verified \
             to the last byte."
        );
    }
    let blocked = count(passage.blocked.len() as u64, "thing speaks", "things speak");
    format!("Not safe to switch to Keep Messages: {setting}. Of {going} that would go, {blocked} against it:")
}

/// Why something does not pass.
pub fn why(why: &Why) -> String {
    match why {
        Why::NeverArchived => "the archive has never read this source: run `msgarchive archive` with it first".into(),
        Why::Message => "is not in the archive as it is now".into(),
        Why::Attachment(Availability::Local) => "is not in the archive, though its bytes are here".into(),
        Why::Attachment(Availability::InICloud) => {
            "is not in the archive, and only in iCloud: open it in Messages so that it is downloaded, then archive".into()
        }
        Why::Attachment(_) => {
            "is not in the archive, and its bytes are not here: a backup or another device may have them; archive that, too"
                .into()
        }
        Why::Differs => "has other bytes here than in the archive".into(),
        Why::Unreadable(error) => format!("cannot be read here, to be compared with the archive: {error}"),
        Why::Damaged(problem) => format!("the archive is damaged: {}", problem.what),
    }
}

/// What does not pass, named: `IMG_0042.heic of Ana Abbott, 2024-05-01, is not in the archive …`.
pub fn blocked(blocked: &Blocked, title: Option<&str>, day: Option<&str>) -> String {
    let mut named = match (&blocked.name, &blocked.guid) {
        (Some(name), _) => name.clone(),
        (None, Some(guid)) => format!("The message {guid}"),
        (None, None) => String::new(),
    };
    for (before, part) in [(" in ", title), (", ", day)] {
        if let (Some(part), false) = (part, named.is_empty()) {
            named.push_str(before);
            named.push_str(part);
        }
    }
    match named.is_empty() {
        true => why(&blocked.why),
        false => format!("{named}: {}", why(&blocked.why)),
    }
}

/// What was read, in a sentence.
pub fn read(read: &Read) -> String {
    let unreadable = match read.unreadable {
        0 => String::new(),
        files => format!(" {} could not be read.", count(files, "file", "files")),
    };
    format!(
        "{} of {} that share their size with another were compared by their contents.{unreadable}",
        count(read.files, "file", "files"),
        size(read.bytes)
    )
}

/// `5 GB`, `2 TB`.
pub fn plan(bytes: u64) -> String {
    let gigabytes = bytes / 1_000_000_000;
    if gigabytes < 1000 { format!("{gigabytes} GB") } else { format!("{} TB", gigabytes / 1000) }
}

/// `12%`; below one percent with a digit more; beyond all of it, how many times.
pub fn share(bytes: u64, of: u64) -> String {
    let share = bytes as f64 / of.max(1) as f64;
    match share {
        0.0 => "0%".into(),
        share if share >= 10.0 => format!("{share:.0} times"),
        share if share > 1.0 => format!("{share:.1} times"),
        share if share < 0.0005 => "under 0.1%".into(),
        share if share < 0.0995 => format!("{:.1}%", share * 100.0),
        share => format!("{:.0}%", share * 100.0),
    }
}

/// Who sent something.
pub fn who<'a>(who: &'a Who, me: &'a str) -> &'a str {
    match who {
        Who::Me => me,
        Who::Person(person) => person.label(),
        Who::Unknown => "No known sender",
    }
}

/// A year, or its absence.
pub fn year(year: Option<i32>) -> String {
    year.map_or("No date".into(), |year| year.to_string())
}

/// The name of what belongs to no conversation.
pub const NO_CONVERSATION: &str = "Attachments of no message";

/// What is said of links that open what is large.
pub const OPENING: &str = "--json has a link for each that opens its message in Messages.";

/// Where the bytes are, in words; what is in iCloud only where that is known.
pub fn places(places: &Places) -> Vec<(&'static str, u64)> {
    match places.states {
        Some(states) => vec![
            ("Here and in iCloud", states.here_and_icloud),
            ("Only in iCloud", states.icloud_only),
            ("Only here, not synced", states.here_only),
            ("Lost: missing here", states.lost),
        ],
        None => vec![("Here", places.here), ("Not here", places.not_here)],
    }
}

/// What is in Recently Deleted, in a sentence.
pub fn recently_deleted(deleted: &Deleted) -> String {
    match deleted.items {
        0 => "Nothing is in Recently Deleted.".into(),
        items => format!(
            "Recently Deleted holds {} with {}: they count until Messages purges them, in 30 to 40 days.",
            count(items, "message or attachment", "messages and attachments"),
            size(deleted.bytes)
        ),
    }
}

/// What deleting what was asked for would free, in a sentence.
pub fn freed(freed: &Freed) -> String {
    let attachments = count(freed.attachments, "attachment", "attachments");
    let what = match freed.messages {
        0 => attachments,
        messages => format!("{} and {attachments}", count(messages, "message", "messages")),
    };
    format!("Deleting the {what} that you select would free {}.", range(freed.low, freed.high))
}

/// Apple's figure beside this one, in a sentence.
pub fn icloud(icloud: &ICloud) -> String {
    let total = size(icloud.total);
    let (low, high) = (icloud.unexplained_low, icloud.unexplained_high);
    let bytes = |bytes: i128| size(u64::try_from(bytes).unwrap_or(0));
    if high <= 0 {
        return format!(
            "iCloud says {total}: {} less than what is marked as synchronized here. It may store equal contents \
             once, or not count all of it yet.",
            bytes(-high)
        );
    }
    if low <= 0 {
        return format!("iCloud says {total}: within the range, so that nothing is left unexplained.");
    }
    format!(
        "iCloud says {total}: {} more than anything stored here explains. Other devices may have synchronized \
         what this one never saw.",
        range(u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0))
    )
}

/// All that an estimate rests on, in sentences.
pub fn assumptions(estimate: &Estimate) -> Vec<String> {
    estimate.assumptions.iter().map(assumption).collect()
}

fn assumption(assumption: &Assumption) -> String {
    match assumption {
        Assumption::Duplicates { read: false } => "Whether iCloud stores equal files once is not known: the lower \
             figure counts each content once, the upper one each time a message has it. Files of the same size are taken as \
             equal in the lower figure; --exact compares what is in them."
            .into(),
        Assumption::Duplicates { read: true } => "Whether iCloud stores equal files once is not known: the lower \
             figure counts each content once, by its hash, the upper one each time a message has it."
            .into(),
        Assumption::HiddenAndDeleted => "Link previews, hidden attachments and what is in Recently Deleted are in the \
             upper figure only."
            .into(),
        Assumption::SyncUnknown => "This database is older than Messages in iCloud and does not say what is \
             synchronized: the lower figure takes everything as synchronized."
            .into(),
        Assumption::NeverSynced => "Nothing here is marked as synchronized: Messages in iCloud is off on this device, \
             was reset, or never ran. The lower figure is therefore 0; the upper one is what it would take."
            .into(),
        Assumption::NotSynced { messages, attachments } => format!(
            "{} and {} are not marked as synchronized: they are in the upper figure only.",
            count(*messages, "message", "messages"),
            count(*attachments, "attachment", "attachments")
        ),
        Assumption::SizeUnknown { attachments } => format!(
            "Of {} nothing says the size: counted, with 0 bytes.",
            count(*attachments, "attachment", "attachments")
        ),
        Assumption::RecentlyDeletedUnknown => {
            "This database does not know Recently Deleted: what is in it elsewhere is not counted.".into()
        }
        Assumption::Texts => "Texts are counted as they are stored here, once in the lower figure and with all that \
             Messages stores beside them in the upper one; iCloud may store them otherwise."
            .into(),
        Assumption::OtherDevices => "Other devices may have synchronized what this one never saw, and films of Live \
             Photos have no rows of their own: the figures lean low."
            .into(),
        Assumption::Undated { messages } => format!(
            "{} no date: for Keep Messages they count as old.",
            count(*messages, "message has", "messages have")
        ),
        Assumption::Unreadable { messages } => format!(
            "{} could not be read, because the file is damaged: counted, with 0 bytes.",
            count(*messages, "row", "rows")
        ),
        Assumption::Archive => "In an archive, messages that were deleted where they came from count as deleted; \
             whether something is synchronized is what it was when it was archived."
            .into(),
        Assumption::Purge => "Keep Messages is taken to go by each message's own date, and to remove an attachment with \
             the last message that has it; tapbacks on what went stay until they are old enough themselves."
            .into(),
    }
}
