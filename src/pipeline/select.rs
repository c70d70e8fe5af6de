//! Which conversations, which dates, which messages.
//!
//! **Must never**: read anything. A conversation is chosen from the roster, a message from its normalized form.

use chrono::{Days, Months, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use super::roster::Roster;
use super::said;
use crate::model::{Attachment, Instant, Message, MessageKind, PartContent, Style};

/// What to take; everything by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Exactly these conversations, by id or title.
    pub conversations: Vec<String>,
    /// The one-to-one conversations with these people.
    pub only: Vec<String>,
    /// Every conversation these people take part in.
    pub with: Vec<String>,
    /// Leave out these conversations (id or title) and every one of these people's one-to-one conversations.
    pub exclude: Vec<String>,
    /// Messages at or after this instant.
    pub since: Option<Instant>,
    /// Messages before this instant.
    pub until: Option<Instant>,
    /// Services, compared without case.
    pub services: Vec<String>,
    /// Messages that [say](said) it, or did before they were edited or unsent, compared without case.
    pub text: Option<String>,
    /// Messages that carry one of these.
    pub has: Vec<Has>,
    /// Messages to leave out.
    pub without: Vec<Without>,
}

/// Something a message can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Has {
    Image,
    Video,
    Audio,
    Document,
    Link,
}

impl Has {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Has)] = &[
        ("image", Has::Image),
        ("video", Has::Video),
        ("audio", Has::Audio),
        ("document", Has::Document),
        ("link", Has::Link),
    ];

    /// What sort of file an attachment is; never `Link`. `None` for one of which nothing is known.
    pub fn of(attachment: &Attachment) -> Option<Has> {
        Has::of_file(attachment.mime.as_deref(), attachment.name.as_deref(), attachment.uti.as_deref())
    }

    /// The same, of what its row says: MIME type, name, Apple's type.
    pub fn of_file(mime: Option<&str>, name: Option<&str>, uti: Option<&str>) -> Option<Has> {
        kind_of(mime, name, uti)
    }

    fn is_in(self, message: &Message) -> bool {
        match self {
            Has::Link => {
                message.balloon.as_ref().is_some_and(|b| b.url.is_some())
                    || message.parts.iter().any(|p| match &p.content {
                        PartContent::Text { text, styles } => {
                            styles.iter().any(|s| matches!(s.style, Style::Link { .. }))
                                || spells_a_link(text)
                        }
                        _ => false,
                    })
            }
            other => message.attachments.iter().any(|a| !a.hidden && Has::of(a) == Some(other)),
        }
    }
}

/// A row that is a plain text has nothing that says where a link is.
fn spells_a_link(text: &str) -> bool {
    text.contains("https://") || text.contains("http://")
}

fn kind_of(mime: Option<&str>, name: Option<&str>, uti: Option<&str>) -> Option<Has> {
    if let Some(mime) = mime {
        match mime.split('/').next() {
            Some("image") => return Some(Has::Image),
            Some("video") => return Some(Has::Video),
            Some("audio") => return Some(Has::Audio),
            _ => {}
        }
    }
    let extension = name.and_then(|n| n.rsplit_once('.')).map(|(_, e)| e.to_ascii_lowercase());
    let of_extension = match extension.as_deref() {
        Some(
            "jpg" | "jpeg" | "png" | "gif" | "heic" | "heics" | "heif" | "webp" | "tif" | "tiff" | "bmp",
        ) => Some(Has::Image),
        Some("mov" | "mp4" | "m4v" | "3gp" | "avi" | "mkv") => Some(Has::Video),
        Some("caf" | "m4a" | "amr" | "mp3" | "wav" | "aac" | "opus" | "ogg") => Some(Has::Audio),
        _ => None,
    };
    let of_uti = match uti {
        Some(
            "public.jpeg"
            | "public.heic"
            | "public.heics"
            | "public.heif"
            | "public.png"
            | "public.tiff"
            | "com.compuserve.gif"
            | "org.webmproject.webp",
        ) => Some(Has::Image),
        Some("com.apple.quicktime-movie" | "public.mpeg-4" | "public.3gpp" | "com.apple.m4v-video") => {
            Some(Has::Video)
        }
        Some(
            "com.apple.coreaudio-format"
            | "com.apple.m4a-audio"
            | "public.mp3"
            | "org.3gpp.adaptive-multi-rate-audio",
        ) => Some(Has::Audio),
        _ => None,
    };
    let unknown = mime.is_none() && extension.is_none() && uti.is_none();
    of_uti.or(of_extension).or((!unknown).then_some(Has::Document))
}

/// Something that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Without {
    Junk,
    Deleted,
    Announcements,
}

impl Without {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, Without)] =
        &[("junk", Without::Junk), ("deleted", Without::Deleted), ("announcements", Without::Announcements)];
}

impl Selection {
    /// The conversations to read, as indices into [`Roster::conversations`].
    ///
    /// # Errors
    /// A selector that matches nothing, with the nearest names.
    pub fn conversations(&self, roster: &Roster) -> Result<Vec<usize>, NoMatch> {
        let every = 0..roster.conversations.len();
        let by_name = |query: &str| -> Vec<usize> {
            let exact = |i: &usize| roster.conversations[*i].conversation.id == query;
            let is_it = |name: &str| name.to_lowercase() == query.to_lowercase();
            let titled = |i: &usize| is_it(&roster.conversations[*i].conversation.title);
            let was_titled = |i: &usize| roster.conversations[*i].former_names.iter().any(|name| is_it(name));
            if let Some(found) = every.clone().find(exact) {
                return vec![found];
            }
            match every.clone().filter(titled).collect::<Vec<usize>>() {
                none if none.is_empty() => every.clone().filter(was_titled).collect(),
                found => found,
            }
        };
        let person = |query: &str, direct_only: bool| roster.with_person(query, direct_only);
        let found = |option: &'static str, query: &str, matches: Vec<usize>| {
            if matches.is_empty() {
                let nearest = roster.suggest(query);
                let is_title = !by_name(query).is_empty();
                Err(NoMatch { option, query: query.to_owned(), nearest, is_title })
            } else {
                Ok(matches)
            }
        };

        let mut chosen: Vec<usize> = Vec::new();
        for query in &self.conversations {
            chosen.extend(found("--conversation", query, by_name(query))?);
        }
        for query in &self.only {
            chosen.extend(found("--only", query, person(query, true))?);
        }
        for query in &self.with {
            chosen.extend(found("--with", query, person(query, false))?);
        }
        if self.conversations.is_empty() && self.only.is_empty() && self.with.is_empty() {
            chosen.extend(every.clone());
        }
        for query in &self.exclude {
            let mut matches = by_name(query);
            if matches.is_empty() {
                matches = person(query, true);
            }
            let matches = found("--exclude", query, matches)?;
            chosen.retain(|i| !matches.contains(i));
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(chosen)
    }

    /// True when a message's date alone rules it out: it need not be decoded then. A message without a date is
    /// in no period.
    pub fn rules_out_date(&self, date: Option<Instant>) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return false;
        }
        let Some(date) = date else { return true };
        self.since.is_some_and(|since| date < since) || self.until.is_some_and(|until| date >= until)
    }

    /// True when a message is wanted.
    pub fn takes(&self, message: &Message) -> bool {
        if self.rules_out_date(message.date) {
            return false;
        }
        if !self.services.is_empty() {
            let service = message.service.as_deref().unwrap_or_default();
            if !self.services.iter().any(|s| s.eq_ignore_ascii_case(service)) {
                return false;
            }
        }
        if let Some(text) = &self.text {
            let wanted = text.to_lowercase();
            let mut said = said::now(message).into_iter().chain(said::before(message));
            if !said.any(|text| text.to_lowercase().contains(&wanted)) {
                return false;
            }
        }
        if !self.has.is_empty() && !self.has.iter().any(|h| h.is_in(message)) {
            return false;
        }
        !self.without.iter().any(|w| match w {
            Without::Junk => message.junk,
            Without::Deleted => message.deleted.is_some(),
            Without::Announcements => message.kind == MessageKind::Announcement,
        })
    }
}

/// A selector that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} {query:?} matches no conversation")]
pub struct NoMatch {
    /// The command-line option that said it.
    pub option: &'static str,
    pub query: String,
    /// The nearest names, best first; empty when nothing is near.
    pub nearest: Vec<String>,
    /// A conversation is called so, of more than one person.
    pub is_title: bool,
}

/// Reads `2024-05-01`, `2024-05-01T13:30`, `2024-05-01T13:30:05` (in `zone`) or an age such as `90d`, `2w`, `6m`,
/// `1y` (before `now`). An hour that the zone skipped means the first instant after the gap; one that came twice
/// means the first.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_moment(text: &str, zone: Tz, now: Instant) -> Result<Instant, String> {
    let unclear =
        || format!("{text:?} is no date: use 2024-05-01, 2024-05-01T13:30 or an age such as 90d, 2w, 6m, 1y");
    let local = |naive: NaiveDateTime| {
        // No zone has ever skipped more than a day.
        (0..=96)
            .filter_map(|quarters| naive.checked_add_signed(chrono::TimeDelta::minutes(15 * quarters)))
            .find_map(|n| zone.from_local_datetime(&n).earliest())
            .map(|t| t.to_utc())
            .ok_or_else(unclear)
    };
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return local(day.and_time(chrono::NaiveTime::MIN));
    }
    for format in ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"] {
        if let Ok(naive) = NaiveDateTime::parse_from_str(text, format) {
            return local(naive);
        }
    }
    let (unit_at, unit) = text.char_indices().next_back().ok_or_else(unclear)?;
    let count: u32 = text[..unit_at].parse().map_err(|_| unclear())?;
    let here = now.with_timezone(&zone);
    let then = match unit {
        'd' => here.checked_sub_days(Days::new(count.into())),
        'w' => here.checked_sub_days(Days::new(u64::from(count) * 7)),
        'm' => here.checked_sub_months(Months::new(count)),
        'y' => count.checked_mul(12).and_then(|months| here.checked_sub_months(Months::new(months))),
        _ => None,
    };
    then.map(|t| t.to_utc()).ok_or_else(unclear)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, zone: Tz, expected: &str) {
        let now = "2024-03-31T12:00:00Z".parse().unwrap();
        assert_eq!(parse_moment(text, zone, now).map(|t| t.to_rfc3339()).unwrap_or_else(|e| e), expected);
    }

    #[test]
    fn dates_are_in_the_zone() {
        check("2024-05-01", chrono_tz::Europe::Berlin, "2024-04-30T22:00:00+00:00");
        check("2024-05-01T13:30", chrono_tz::America::New_York, "2024-05-01T17:30:00+00:00");
    }

    #[test]
    fn a_skipped_hour_means_the_first_instant_after_it() {
        check("2024-03-31T02:30", chrono_tz::Europe::Berlin, "2024-03-31T01:00:00+00:00");
    }

    #[test]
    fn ages_count_back_from_now() {
        check("90d", chrono_tz::UTC, "2024-01-01T12:00:00+00:00");
        check("1m", chrono_tz::UTC, "2024-02-29T12:00:00+00:00");
        check("1y", chrono_tz::UTC, "2023-03-31T12:00:00+00:00");
    }

    #[test]
    fn nonsense_says_what_is_understood() {
        let now = "2024-03-31T12:00:00Z".parse().unwrap();
        for text in ["", "yesterday", "5", "é", "99999999999y", "4000000000y", "2024-13-01"] {
            assert!(parse_moment(text, chrono_tz::UTC, now).unwrap_err().contains("2024-05-01"), "{text}");
        }
    }

    #[test]
    fn a_link_is_one_with_or_without_a_mark() {
        let says = |text: &str| {
            let content = PartContent::Text { text: text.into(), styles: Vec::new() };
            let message =
                Message { parts: vec![crate::model::Part { index: 0, content }], ..Message::default() };
            Selection { has: vec![Has::Link], ..Selection::default() }.takes(&message)
        };
        assert!(says("look at https://example.com") && says("http://example.com"));
        assert!(!says("the https of example.com"));
    }

    #[test]
    fn a_message_without_a_date_is_in_no_period() {
        let selection = Selection { since: Some(Instant::UNIX_EPOCH), ..Selection::default() };
        assert!(!selection.takes(&Message::default()));
        assert!(Selection::default().takes(&Message::default()));
    }
}
