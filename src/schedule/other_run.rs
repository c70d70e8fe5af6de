//! Runs that somebody started by hand: the schedule lets them finish.
//!
//! **Must never**: take what another run did for what this one has to do. It may have read other sources.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::Job;
use super::log::Log;
use crate::disk::archive_folder::holder;
use crate::disk::is_written_to;

/// Longer than any run takes but a first one. Whatever is going on then is told as a failure: it may have been stopped (by
/// Ctrl-Z), and nothing would be archived any more for as long as nobody looks.
pub const PATIENCE: Duration = Duration::from_secs(4 * 60 * 60);
const POLL: Duration = Duration::from_millis(500);

/// What another run is doing that this job has to wait for, in words; `None`: nothing.
pub fn in_the_way(job: &Job) -> Option<String> {
    if let Some(holder) = holder(&job.archive) {
        return Some(format!("another run ({holder}) is adding to the archive"));
    }
    let export = job.export.as_ref().filter(|export| is_written_to(&export.out))?;
    Some(format!("another run is writing to the export in {}", export.out.display()))
}

/// Waits until nothing is in the way, for no longer than `patience`; false where something still is.
pub fn let_finish(job: &Job, patience: Duration, now: &dyn Fn() -> DateTime<Utc>, log: &mut Log) -> bool {
    let Some(what) = in_the_way(job) else { return true };
    log.line(now(), &format!("{what}: this one waits until it is done"));
    let begun = Instant::now();
    while in_the_way(job).is_some() {
        if begun.elapsed() >= patience {
            log.line(now(), "it is not done, and is waited for no longer");
            return false;
        }
        std::thread::sleep(POLL);
    }
    log.line(now(), "it is done");
    true
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::archive_folder::LOCK;
    use crate::disk::{Others, Staging};
    use crate::schedule::account::Folder;
    use crate::schedule::{Every, ExportJob, Periodicity, System};

    #[test]
    fn who_adds_to_the_archive_or_writes_the_export_is_waited_for_but_not_for_ever() {
        let place = tempfile::tempdir().unwrap();
        let (archive, out) = (place.path().join("archive"), place.path().join("out"));
        fs::create_dir(&archive).unwrap();
        let export = ExportJob { formats: "txt".into(), out: out.clone(), options: Vec::new() };
        let job = Job {
            system: System::Cron,
            program: "/bin/false".into(),
            archive: archive.clone(),
            sources: Vec::new(),
            password_file: None,
            contacts: None,
            export: Some(export),
            when: Periodicity { every: Every::Day, at: "02:30".parse().unwrap() },
            on_failure: None,
        };
        let folder = Folder::new(place.path().to_owned());
        let is_free =
            |patience| let_finish(&job, patience, &|| DateTime::UNIX_EPOCH, &mut Log::open(&folder));
        assert!(is_free(Duration::ZERO));
        assert_eq!(fs::read_to_string(folder.log()).unwrap(), "", "nothing to tell");
        let lock = fs::File::create(archive.join(LOCK)).unwrap();
        assert!(is_free(Duration::ZERO), "left by a run that is over");
        lock.lock().unwrap();
        assert!(!is_free(Duration::ZERO));
        lock.unlock().unwrap();
        let staging = Staging::begin(&out, Others::Refused).unwrap();
        assert!(!is_free(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| is_free(PATIENCE));
            std::thread::sleep(POLL);
            drop(staging);
            assert!(waiting.join().unwrap());
        });
        let log = fs::read_to_string(folder.log()).unwrap();
        let last = format!("another run is writing to the export in {}: this one waits", out.display());
        assert!(log.contains(&last) && log.ends_with("it is done\n"), "{log}");
    }
}
