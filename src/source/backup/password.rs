use std::fmt;

use zeroize::Zeroizing;

/// The password of a backup: wiped when it is given back, and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// As typed.
    pub fn new(password: impl Into<Zeroizing<String>>) -> Password {
        Password(password.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
