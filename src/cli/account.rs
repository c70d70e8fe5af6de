//! Whose machine it is: the folders that belong to this user.

use std::path::PathBuf;

use msgarchive::schedule::Account;

use super::Failure;

/// The user's home folder.
pub fn home() -> Result<PathBuf, Failure> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).ok_or(Failure::NoHome)
}

/// Where Windows has programs keep what goes with the user, unless that is in the home folder.
pub fn app_data() -> Option<PathBuf> {
    std::env::var_os("APPDATA").map(Into::into)
}

/// Where their schedule lies.
pub fn account() -> Result<Account, Failure> {
    let home = home()?;
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    Ok(Account {
        config_home: folder("XDG_CONFIG_HOME"),
        state_home: folder("XDG_STATE_HOME"),
        local_app_data: folder("LOCALAPPDATA"),
        uid: Account::owner(&home),
        home,
    })
}
