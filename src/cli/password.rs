//! The password of an encrypted backup: from a file, the environment, or whoever sits at the terminal. Never from an
//! argument, which every user of the machine could see.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use msgarchive::pipeline::ExportError;
use msgarchive::source::backup::Password;
use msgarchive::source::{Place, SourceError};
use zeroize::Zeroizing;

use super::Failure;
use super::progress::{When, working};
use super::report;
use super::terminal::plain;

/// Kept from every process that this one starts.
pub const VARIABLE: &str = "MSGARCHIVE_PASSWORD";
/// No password is longer.
const LONGEST: u64 = 4096;
/// How often somebody who mistypes it is asked.
const TRIES: u32 = 3;

/// Unlocks a backup that is encrypted, where there is a password to be had.
pub fn unlock(place: &mut Place, file: Option<&Path>, progress: When) -> Result<(), Failure> {
    let Some(backup) = place.locked()?.map(Path::to_owned) else { return Ok(()) };
    let mut try_with =
        |password: Password| working(progress, "Unlocking the backup…", || place.unlock(&password));
    if let Some(password) = given(file)? {
        return Ok(try_with(password)?);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(());
    }
    let name = backup.file_name().unwrap_or(backup.as_os_str()).to_string_lossy();
    let question = format!("Password of the backup {}: ", plain(&name));
    until_right(|| asked(&question), try_with)
}

/// Asks again after a wrong password; nobody at the terminal is no failure yet.
fn until_right(
    mut ask: impl FnMut() -> Result<Option<Password>, Failure>,
    mut try_with: impl FnMut(Password) -> Result<(), SourceError>,
) -> Result<(), Failure> {
    for left in (0..TRIES).rev() {
        let Some(password) = ask()? else { return Ok(()) };
        match try_with(password) {
            Err(SourceError::WrongPassword { .. }) if left > 0 => {
                report::warn("this is not the password; try again");
            }
            tried => return Ok(tried?),
        }
    }
    Ok(())
}

fn asked(question: &str) -> Result<Option<Password>, Failure> {
    match rpassword::prompt_password(question) {
        Ok(password) => Ok(Some(Password::new(password))),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            Err(Failure::Export(ExportError::Interrupted))
        }
        Err(_) => Ok(None),
    }
}

/// The password that nobody has to be asked for.
fn given(file: Option<&Path>) -> Result<Option<Password>, Failure> {
    if let Some(file) = file {
        return first_line(file).map(Some);
    }
    let Some(password) = std::env::var_os(VARIABLE) else { return Ok(None) };
    match password.into_string() {
        Ok(password) => Ok(Some(Password::new(password))),
        Err(_) => Err(Failure::Usage(format!("{VARIABLE} is not UTF-8"))),
    }
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

    #[test]
    fn who_mistypes_is_asked_three_times() {
        let wrong = || SourceError::WrongPassword { path: "backup".into() };
        let tried = |right_at: u32| {
            let mut tries = 0;
            let ask = || Ok(Some(Password::new("x".to_owned())));
            let result = until_right(ask, |_| {
                tries += 1;
                if tries == right_at { Ok(()) } else { Err(wrong()) }
            });
            (result.is_ok(), tries)
        };
        assert_eq!(tried(1), (true, 1));
        assert_eq!(tried(3), (true, 3));
        assert_eq!(tried(4), (false, 3));
        // Another failure, and nobody who answers, end it at once.
        let mut tries = 0;
        let damaged = SourceError::KeyBag { path: "backup".into(), what: "damaged" };
        let mut damaged = Some(damaged);
        let result = until_right(
            || Ok(Some(Password::new("x".to_owned()))),
            |_| {
                tries += 1;
                Err(damaged.take().unwrap_or_else(wrong))
            },
        );
        assert!(matches!(result, Err(Failure::Source(SourceError::KeyBag { .. }))) && tries == 1);
        assert!(until_right(|| Ok(None), |_| Err(wrong())).is_ok());
    }
}
