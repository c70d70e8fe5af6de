//! Everywhere else: one line of the user's crontab.

use super::account::Folder;
use super::{Every, Job, ScheduleError, Step};

/// The line stands after this one,
const BEGIN: &str = "# BEGIN msgarchive schedule: `msgarchive schedule remove` takes this away\n";
/// and before this one.
const END: &str = "# END msgarchive schedule\n";
/// Not every cron tells its jobs where programs are.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// Older crons take no longer command.
const LONGEST: usize = 990;

/// One line.
pub fn install(job: &Job, folder: &Folder) -> Result<Vec<Step>, ScheduleError> {
    let day_of_week = match job.when.every {
        Every::Day => "*",
        Every::Week => "0",
    };
    let words: Vec<String> = super::plan::command(job, folder)?.iter().map(|word| quoted(word)).collect();
    let log = folder.outer_log();
    let log_words = quoted(super::job::words(&log)?);
    // Not a line of its own: it would hold for all lines after it, and those are somebody's.
    let command = format!("PATH={PATH} {} >>{log_words} 2>&1", words.join(" "));
    if command.len() > LONGEST {
        let path = job.program.to_string_lossy().into_owned();
        return Err(ScheduleError::Path { path, why: "cron takes no command as long as that" });
    }
    let line = format!("{} {} * * {day_of_week} {command}\n", job.when.at.minute, job.when.at.hour);
    Ok(vec![Step::Begin(log), Step::Crontab(Some(format!("{BEGIN}{line}{END}")))])
}

/// One word for the shell. Neither a percent sign nor a backslash is left in it but before digits: what crons make of
/// both differs from one to the other.
fn quoted(word: &str) -> String {
    if super::plan::is_plain(word) {
        return word.to_owned();
    }
    let mut text = String::from("'");
    for c in word.chars() {
        match c {
            '\'' => text.push_str("'\"'\"'"),
            '%' => text.push_str("'\"$(printf '\\045')\"'"),
            '\\' => text.push_str("'\"$(printf '\\134')\"'"),
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

/// The crontab with `ours`, our line between its marks, in the place of those that are there or at the end; without them
/// where there is nothing of ours. Every other byte stays as it is.
///
/// # Errors
/// [`ScheduleError::Marks`] where one of the marks is missing.
pub fn edited(crontab: &[u8], ours: Option<&str>) -> Result<Vec<u8>, ScheduleError> {
    let ours = ours.unwrap_or_default();
    let (before, after) = match (find_line(crontab, BEGIN), find_line(crontab, END)) {
        (None, None) => (crontab, &[][..]),
        (Some(begin), Some(end)) if begin < end => {
            let after = (end + END.len()).min(crontab.len());
            (crontab.get(..begin).unwrap_or_default(), crontab.get(after..).unwrap_or_default())
        }
        _ => return Err(ScheduleError::Marks),
    };
    let mut edited = before.to_vec();
    // It stays when ours goes: crontab(1) refuses a file without it, and cron passes over such a line.
    if !ours.is_empty() && !edited.is_empty() && !edited.ends_with(b"\n") {
        edited.push(b'\n');
    }
    edited.extend_from_slice(ours.as_bytes());
    edited.extend_from_slice(after);
    Ok(edited)
}

/// True where our lines are there.
pub fn has_ours(crontab: &[u8]) -> bool {
    find_line(crontab, BEGIN).is_some() && find_line(crontab, END).is_some()
}

/// Where a line begins that is this one; the last line may lack its end.
fn find_line(text: &[u8], line: &str) -> Option<usize> {
    let mut at = 0;
    for each in text.split_inclusive(|byte| *byte == b'\n') {
        if each == line.as_bytes() || Some(each) == line.strip_suffix('\n').map(str::as_bytes) {
            return Some(at);
        }
        at += each.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(crontab: &[u8], line: Option<&str>) -> Result<Vec<u8>, ScheduleError> {
        super::edited(crontab, line.map(|line| format!("{BEGIN}{line}{END}")).as_deref())
    }

    #[test]
    fn other_lines_stay_byte_for_byte() {
        let others = b"MAILTO=ana\n\n*/5 * * * * /bin/true \xff\n";
        let with = edited(others, Some("0 1 * * * a\n")).unwrap();
        assert!(with.starts_with(others));
        let after: Vec<u8> = with.iter().copied().chain(*b"@daily b\n").collect();
        let changed = edited(&after, Some("0 2 * * * a\n")).unwrap();
        assert!(changed.starts_with(others) && changed.ends_with(b"@daily b\n"));
        assert_eq!(edited(&changed, Some("0 2 * * * a\n")).unwrap(), changed);
        assert_eq!(edited(&changed, None).unwrap(), [&others[..], b"@daily b\n"].concat());
        assert_eq!(edited(&with, None).unwrap(), others);
        assert_eq!(edited(b"", None).unwrap(), b"");
    }

    #[test]
    fn a_last_line_without_end_gets_one_before_ours() {
        let with = edited(b"@daily b", Some("x\n")).unwrap();
        assert!(with.starts_with(b"@daily b\n# BEGIN"));
        let cut = &with[..with.len() - 1];
        assert_eq!(edited(cut, None).unwrap(), b"@daily b\n");
    }

    #[test]
    fn a_lost_mark_is_not_guessed() {
        for lost in [BEGIN.to_owned(), END.to_owned(), format!("{END}{BEGIN}")] {
            assert!(matches!(edited(lost.as_bytes(), None), Err(ScheduleError::Marks)));
        }
    }
}
