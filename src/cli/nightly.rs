//! Has the schedule that reads a source try whether it can.

use std::path::Path;

use msgarchive::doctor::{Nightly, Trial};
use msgarchive::schedule::{self, Job, System};
use msgarchive::source::SourceInfo;

use super::account::account;
use super::hints;
use super::progress::{When, working};
use super::source_options::default_source;

/// The schedule of this user, where it reads this source.
pub fn nightly(source: &SourceInfo, progress: When) -> Option<Nightly> {
    let account = account().ok()?;
    let job = match schedule::installed(&account) {
        Ok(job) => job.filter(|job| reads(job, source))?,
        Err(error) => {
            let trial = Trial::Untried { why: error.to_string() };
            return Some(Nightly { scheduler: System::of_this_machine().name(), trial });
        }
    };
    let trial =
        match working(progress, "Having the schedule try to read it…", || schedule::try_out(&account)) {
            Ok(tried) if tried.is_good() => Trial::Read,
            Ok(tried) => {
                let remedy = hints::for_scheduled(&tried.message).into_iter().next();
                Trial::Failed { said: tried.message, remedy: remedy.map(hints::sentence) }
            }
            Err(error) => Trial::Untried { why: error.to_string() },
        };
    Some(Nightly { scheduler: job.system.name(), trial })
}

fn reads(job: &Job, source: &SourceInfo) -> bool {
    let is_in = |named: &Path| match (named.canonicalize(), source.path.canonicalize()) {
        (Ok(named), Ok(path)) => path.starts_with(named),
        _ => false,
    };
    match job.sources.is_empty() {
        true => default_source().is_ok_and(|named| is_in(&named)),
        false => job.sources.iter().any(|named| is_in(named)),
    }
}
