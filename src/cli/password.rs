//! The password of an encrypted backup: from a file, the environment, or whoever sits at the terminal. Never from an
//! argument, which every user of the machine could see.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use msgarchive::source::backup::Password;
use zeroize::Zeroizing;

use super::Failure;
use super::terminal::plain;

const VARIABLE: &str = "MSGARCHIVE_PASSWORD";
/// No password is longer.
const LONGEST: u64 = 4096;

/// The password; `None` where there is none to be had.
pub fn get(file: Option<&Path>, backup: &Path) -> Result<Option<Password>, Failure> {
    if let Some(file) = file {
        return first_line(file).map(Some);
    }
    if let Some(password) = std::env::var_os(VARIABLE) {
        let password =
            password.into_string().map_err(|_| Failure::Usage(format!("{VARIABLE} is not UTF-8")))?;
        return Ok(Some(Password::new(password)));
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let name = backup.file_name().unwrap_or(backup.as_os_str()).to_string_lossy();
    let password = rpassword::prompt_password(format!("Password of the backup {}: ", plain(&name)));
    Ok(password.ok().map(Password::new))
}

/// A file's first line, without its end and the mark that Windows begins texts with; spaces belong to a password.
fn first_line(file: &Path) -> Result<Password, Failure> {
    let failed = |source| Failure::PasswordFile { path: file.to_owned(), source };
    // With room for all of it: what grows leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
    File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text)).map_err(failed)?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Password::new(line.strip_prefix('\u{feff}').unwrap_or(line).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_first_line_with_its_spaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, " pass word \r\nsecond\n").unwrap();
        let password = first_line(&path).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert!(matches!(first_line(folder.path()), Err(Failure::PasswordFile { .. })));
    }
}
