use std::env;
use std::time::SystemTime;

use msgarchive::model::Instant;

use super::Failure;

/// Takes the place of the time of day in what is written, as in all tools that make the same bytes again.
const FIXED: &str = "SOURCE_DATE_EPOCH";

/// Takes the place of the time of day in an archive: for tests of nights that have not come yet.
const OF_TESTS: &str = "MSGARCHIVE_TEST_NOW";

/// When a run of an archive begins: now. An archive keeps what was when; what is set for exports that come out the same
/// again, as systems that build programs set it for everything they start, is no such date.
pub fn of_run() -> Instant {
    let fixed = env::var(OF_TESTS).ok().and_then(|fixed| fixed.parse().ok());
    let fixed = fixed.and_then(|seconds| Instant::from_timestamp(seconds, 0));
    fixed.unwrap_or_else(|| SystemTime::now().into())
}

/// When the source is read: now, unless `SOURCE_DATE_EPOCH` says otherwise, in seconds since 1970.
pub fn of_reading() -> Result<Instant, Failure> {
    let Some(fixed) = env::var_os(FIXED) else {
        return Ok(SystemTime::now().into());
    };
    let fixed = fixed.to_string_lossy();
    fixed.parse().ok().and_then(|seconds| Instant::from_timestamp(seconds, 0)).ok_or_else(|| {
        Failure::Usage(format!("the environment's {FIXED}={fixed:?} is no number of seconds since 1970"))
    })
}
