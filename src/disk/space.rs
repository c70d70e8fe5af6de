use std::path::Path;

/// How many bytes this user may still write where a path lies, or would lie; `None` where the system does not say.
pub fn free_space(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|above| above.exists());
    let there = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs4::available_space(there).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_yet_would_lie_on_some_disk() {
        let folder = tempfile::tempdir().unwrap();
        let there = free_space(folder.path());
        assert!(there.is_some_and(|bytes| bytes > 0), "{there:?}");
        assert!(free_space(&folder.path().join("not/yet")).is_some());
        assert!(free_space(Path::new("not-yet")).is_some());
    }
}
