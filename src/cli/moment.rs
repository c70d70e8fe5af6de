use std::env;
use std::time::SystemTime;

use msgarchive::model::Instant;

use super::Failure;

/// Takes the place of the time of day in what is written, as in all tools that make the same bytes again.
const FIXED: &str = "SOURCE_DATE_EPOCH";

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
