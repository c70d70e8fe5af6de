use super::decode::keyed::Archive;
use crate::model::{Announcement, AnnouncementKind, Call};
use crate::pipeline::roster::Roster;
use crate::source::RawMessage;

/// What an announcement row says (`messages-format.md` 8), and whether the owner did it.
pub fn announcement(raw: &RawMessage, roster: &Roster) -> (Announcement, bool) {
    use AnnouncementKind::*;
    let title = raw.group_title.clone().filter(|t| !t.is_empty());
    let mut from_me = raw.is_from_me;
    let kind = match (raw.item_type, raw.group_action_type) {
        (1, 0) if raw.other_handle != 0 && raw.other_handle == raw.handle_id && !raw.is_from_me => {
            NumberChanged
        }
        (1, 0) => ParticipantAdded,
        (1, 1) => ParticipantRemoved,
        (2, _) if title.is_some() => Renamed,
        (2, _) => NameRemoved,
        (3, 0) => ParticipantLeft,
        (3, 1) => PhotoChanged,
        (3, 2) => PhotoRemoved,
        (3, 4) => BackgroundChanged,
        (3, 6) => BackgroundRemoved,
        (4, _) => {
            // The row's own flag can mislead: the direction counts (8.2).
            from_me = raw.is_from_me || (raw.other_handle > 0 && raw.share_direction == Some(0));
            match raw.share_status {
                Some(1) => LocationStopped,
                _ => LocationStarted,
            }
        }
        (5, _) => AudioKept,
        (6, _) => SharePlay,
        _ => Unknown,
    };
    let has_second_person = matches!(
        kind,
        ParticipantAdded | ParticipantRemoved | NumberChanged | LocationStarted | LocationStopped | AudioKept
    );
    let second = has_second_person.then(|| roster.sender(raw.other_handle)).flatten();
    let about_me =
        matches!(kind, ParticipantAdded | ParticipantRemoved) && raw.other_handle <= 0 && !raw.is_from_me;
    let announcement = Announcement {
        kind,
        handle: second.and_then(|s| s.handle.clone()),
        name: second.and_then(|s| s.name.clone()),
        about_me,
        title: title.filter(|_| kind == Renamed),
        call: (kind == SharePlay).then(|| call(raw)).flatten(),
    };
    (announcement, from_me)
}

/// `conversationAVMode` (`messages-format.md` 5.1). The numbers are those of TelephonyUtilities: 1 audio, 2 video.
fn call(raw: &RawMessage) -> Option<Call> {
    let summary = Archive::read(raw.message_summary_info.as_deref()?).ok()?;
    match summary.root().get("conversationAVMode")?.integer()? {
        1 => Some(Call::Audio),
        2 => Some(Call::Video),
        other => Some(Call::Other(other)),
    }
}
