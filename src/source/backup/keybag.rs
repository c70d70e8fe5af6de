//! The key bag of an encrypted backup: from the password to the keys of files (`ios-backup-format.md` 6, 7).
//!
//! **Must never**: keep a password, or leave a key in memory that is given back.

use std::collections::BTreeMap;
use std::fmt;

use aes_kw::KwAes256;
use aes_kw::cipher::KeyInit as _;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// A key of AES-256.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// Bags have about 2 KB.
const LARGEST: usize = 1 << 16;
/// A folder made to keep this program busy for hours is refused.
const MOST_FIRST_ROUNDS: u32 = 20_000_000;
const MOST_ROUNDS: u32 = 1_000_000;
/// A number of a class, then a key wrapped by the class's key.
const WRAPPED_WITH_CLASS: usize = 44;
const WRAPPED: usize = 40;
/// How many times as many bytes a text may have in another Unicode form.
const LONGEST_FORM: usize = 4;
/// Bit of `WRAP`: by the key that the password gives.
const BY_PASSWORD: u32 = 2;

/// Why a bag gives no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locked {
    /// No key of the bag fits: the one fault that people can mend.
    WrongPassword,
    /// In words.
    Unusable(&'static str),
}

/// A bag, as it is stored.
#[derive(Debug, Default)]
pub(super) struct KeyBag {
    salt: Option<Vec<u8>>,
    rounds: Option<u32>,
    /// From iOS 10.2 on: the salt and the rounds of a slow derivation before the other.
    first_salt: Option<Vec<u8>>,
    first_rounds: Option<u32>,
    classes: Vec<Class>,
}

#[derive(Debug, Default)]
struct Class {
    number: Option<u32>,
    wrap: Option<u32>,
    wrapped: Option<Vec<u8>>,
}

/// The keys of a bag that was unlocked.
pub(super) struct ClassKeys {
    keys: BTreeMap<u32, Key>,
    /// Classes of a damaged bag whose keys are lost, though the password is right.
    pub lost: Vec<u32>,
}

impl fmt::Debug for ClassKeys {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes: Vec<&u32> = self.keys.keys().collect();
        f.debug_struct("ClassKeys").field("classes", &classes).field("lost", &self.lost).finish()
    }
}

impl KeyBag {
    /// Reads the list of tags, lengths and values. Unknown tags are passed over, of repeated ones the first counts.
    pub fn read(bytes: &[u8]) -> Result<KeyBag, Locked> {
        if bytes.len() > LARGEST {
            return Err(Locked::Unusable("its key bag is far too large"));
        }
        let mut bag = KeyBag::default();
        let mut rest = bytes;
        let mut bags = 0;
        while !rest.is_empty() {
            let (tag, value, after) = item(rest).ok_or(Locked::Unusable("its key bag is cut off"))?;
            rest = after;
            let number = || <[u8; 4]>::try_from(value).ok().map(u32::from_be_bytes);
            if tag == *b"UUID" {
                bags += 1;
                // The first is the bag's own.
                if bags > 1 {
                    bag.classes.push(Class::default());
                }
                continue;
            }
            match (bag.classes.last_mut(), &tag) {
                (Some(class), b"CLAS") => class.number = class.number.or_else(number),
                (Some(class), b"WRAP") => class.wrap = class.wrap.or_else(number),
                (Some(class), b"WPKY") => {
                    class.wrapped.get_or_insert_with(|| value.to_vec());
                }
                (None, b"SALT") => {
                    bag.salt.get_or_insert_with(|| value.to_vec());
                }
                (None, b"ITER") => bag.rounds = bag.rounds.or_else(number),
                (None, b"DPSL") => {
                    bag.first_salt.get_or_insert_with(|| value.to_vec());
                }
                (None, b"DPIC") => bag.first_rounds = bag.first_rounds.or_else(number),
                _ => {}
            }
        }
        Ok(bag)
    }

    /// Derives the keys; takes about a second for ten million rounds. Apple says nowhere in which form it takes the
    /// accents of a password: the one that was typed is tried first, then the others.
    pub fn unlock(&self, password: &str) -> Result<ClassKeys, Locked> {
        let mut forms = vec![Zeroizing::new(password.to_owned())];
        let of = |characters: &mut dyn Iterator<Item = char>| {
            // With room for the longest: what grows leaves a copy behind.
            let mut form = Zeroizing::new(String::with_capacity(password.len() * LONGEST_FORM));
            form.extend(characters);
            form
        };
        for form in [of(&mut password.nfc()), of(&mut password.nfd())] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        for form in &forms {
            match self.unlock_with(form.as_bytes()) {
                Err(Locked::WrongPassword) => {}
                unlocked => return unlocked,
            }
        }
        Err(Locked::WrongPassword)
    }

    fn unlock_with(&self, password: &[u8]) -> Result<ClassKeys, Locked> {
        let key = KwAes256::new((&*self.derive(password)?).into());
        let by_password = |class: &&Class| class.wrap.is_none_or(|wrap| wrap & BY_PASSWORD != 0);
        let mut keys = BTreeMap::new();
        let mut lost = Vec::new();
        for class in self.classes.iter().filter(by_password) {
            let (Some(number), Some(wrapped)) = (class.number, &class.wrapped) else { continue };
            match unwrap(&key, wrapped) {
                Some(unwrapped) => {
                    keys.entry(number).or_insert(unwrapped);
                }
                None => lost.push(number),
            }
        }
        if !keys.is_empty() {
            return Ok(ClassKeys { keys, lost });
        }
        Err(match lost.is_empty() {
            true => Locked::Unusable("its key bag holds no keys"),
            false => Locked::WrongPassword,
        })
    }

    /// `ios-backup-format.md` 7.1. Whether there is a first derivation is said by its tags, not by the system's version.
    fn derive(&self, password: &[u8]) -> Result<Key, Locked> {
        let (Some(salt), Some(rounds)) = (&self.salt, self.rounds) else {
            return Err(Locked::Unusable("its key bag has no salt or no number of rounds"));
        };
        let mut key = Key::default();
        let secret = match (&self.first_salt, self.first_rounds) {
            (Some(salt), Some(rounds)) => {
                let rounds = sensible(rounds, MOST_FIRST_ROUNDS)?;
                let mut first = Key::default();
                pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut *first);
                Zeroizing::new(first.to_vec())
            }
            (None, None) => Zeroizing::new(password.to_vec()),
            _ => return Err(Locked::Unusable("its key bag names half of a derivation")),
        };
        pbkdf2_hmac::<Sha1>(&secret, salt, sensible(rounds, MOST_ROUNDS)?, &mut *key);
        Ok(key)
    }
}

fn sensible(rounds: u32, most: u32) -> Result<u32, Locked> {
    match rounds {
        0 => Err(Locked::Unusable("its key bag asks for no rounds of derivation")),
        rounds if rounds > most => {
            Err(Locked::Unusable("its key bag asks for an absurd number of rounds of derivation"))
        }
        rounds => Ok(rounds),
    }
}

impl ClassKeys {
    /// The key in `EncryptionKey` or `ManifestKey`: the number of a class, little-endian, and a wrapped key. `None`:
    /// it is damaged, or its class's key is not here.
    pub fn unwrap(&self, with_class: &[u8]) -> Option<Key> {
        let (class, wrapped) = with_class.split_first_chunk::<4>()?;
        if with_class.len() != WRAPPED_WITH_CLASS {
            return None;
        }
        let key = self.keys.get(&u32::from_le_bytes(*class))?;
        unwrap(&KwAes256::new((&**key).into()), wrapped)
    }
}

/// RFC 3394. `None` where the check of its integrity fails.
fn unwrap(by: &KwAes256, wrapped: &[u8]) -> Option<Key> {
    let mut key = Key::default();
    let right_size = wrapped.len() == WRAPPED;
    (right_size && by.unwrap_key(wrapped, &mut *key).is_ok()).then_some(key)
}

/// A tag, its value, and what follows.
fn item(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((*tag, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn tag(name: &[u8; 4], value: &[u8]) -> Vec<u8> {
        [&name[..], &(value.len() as u32).to_be_bytes(), value].concat()
    }

    fn number(name: &[u8; 4], value: u32) -> Vec<u8> {
        tag(name, &value.to_be_bytes())
    }

    /// Vector B of `ios-backup-format.md` 14, with a class for each `wrap` and wrapped key.
    fn cheap(classes: &[(u32, u32, &str)]) -> Vec<u8> {
        let first: Vec<u8> = (0..20).collect();
        let salt: Vec<u8> = (20..40).collect();
        let mut bag = [
            number(b"VERS", 5),
            number(b"TYPE", 1),
            tag(b"UUID", &[1; 16]),
            tag(b"HMCK", &[2; 40]),
            number(b"WRAP", 1),
            tag(b"SALT", &salt),
            number(b"ITER", 100),
            number(b"DPWT", 1),
            number(b"DPIC", 1000),
            tag(b"DPSL", &first),
        ]
        .concat();
        for (class, wrap, wrapped) in classes {
            bag.extend(tag(b"UUID", &[3; 16]));
            bag.extend(number(b"CLAS", *class));
            bag.extend(number(b"WRAP", *wrap));
            bag.extend(tag(b"NEWS", b"?"));
            bag.extend(tag(b"WPKY", &bytes(wrapped)));
        }
        bag
    }

    const WRAPPED_CLASS_KEY: &str =
        "94c0f04069fb1873ed484ce80af32693a84c3f37dc54da76efb5ef8482d7c673207dbc2956f9d1ca";
    const FILE_KEY: &str =
        "03000000dae69b6f38b9b81892fe29a323dabe48205d1949a0c4a74ef937ef83e96f1b64eb8dda2208fba5a6";

    #[test]
    fn known_answers() {
        let bag = KeyBag::read(&cheap(&[(3, 2, WRAPPED_CLASS_KEY)])).unwrap();
        let key = bag.derive(b"correct horse").unwrap();
        assert_eq!(*key, *bytes("1d8f5250674397ef94f31f063825d3afe8c149473c8fc3cf418fa9d53f74459f"));
        let keys = bag.unlock("correct horse").unwrap();
        assert_eq!(format!("{keys:?}"), "ClassKeys { classes: [3], lost: [] }");
        let expected: Vec<u8> = (0x80..0xa0).collect();
        assert_eq!(*keys.unwrap(&bytes(FILE_KEY)).unwrap(), *expected);
        assert!(keys.unwrap(&bytes(FILE_KEY)[..43]).is_none());
        let mut other_class = bytes(FILE_KEY);
        other_class[0] = 4;
        assert!(keys.unwrap(&other_class).is_none());
        // Before iOS 10.2 there was one derivation only (vector A, with its rounds).
        let old = KeyBag { salt: Some(vec![0; 20]), rounds: Some(10_000), ..KeyBag::default() };
        let key = old.derive(b"0000").unwrap();
        assert_eq!(*key, *bytes("a1f9ad8aab0647485a344fda6dcc4eaad54819a775676b70ad61044beefdede4"));
    }

    #[test]
    fn a_wrong_password_and_a_damaged_bag_are_told_apart() {
        let damaged = WRAPPED_CLASS_KEY.replace("94c0", "94c1");
        let bag = KeyBag::read(&cheap(&[(3, 2, WRAPPED_CLASS_KEY), (4, 2, &damaged)])).unwrap();
        assert_eq!(bag.unlock("correct house").unwrap_err(), Locked::WrongPassword);
        assert_eq!(bag.unlock("correct horse").unwrap().lost, [4]);
        // Keys of the device alone say nothing of the password.
        let device = KeyBag::read(&cheap(&[(9, 1, &damaged)])).unwrap();
        assert!(matches!(device.unlock("correct horse").unwrap_err(), Locked::Unusable(_)));
        let whole = cheap(&[(3, 2, WRAPPED_CLASS_KEY)]);
        assert!(matches!(KeyBag::read(&whole[..whole.len() - 1]).unwrap_err(), Locked::Unusable(_)));
        assert!(matches!(KeyBag::read(&[]).unwrap().unlock("").unwrap_err(), Locked::Unusable(_)));
    }

    #[test]
    fn no_bag_keeps_the_program_busy() {
        for (rounds, first) in [(0, 1), (1, 0), (u32::MAX, 1), (1, u32::MAX)] {
            let bag = KeyBag {
                salt: Some(vec![0; 20]),
                rounds: Some(rounds),
                first_salt: Some(vec![0; 20]),
                first_rounds: Some(first),
                classes: Vec::new(),
            };
            assert!(matches!(bag.derive(b"x").unwrap_err(), Locked::Unusable(_)), "{rounds} {first}");
        }
        let half = KeyBag { first_salt: None, first_rounds: Some(1), ..KeyBag::default() };
        assert!(matches!(half.derive(b"x").unwrap_err(), Locked::Unusable(_)));
    }

    #[test]
    fn accents_count_in_either_form() {
        let composed = KeyBag::read(&cheap(&[(3, 2, WRAPPED_CLASS_KEY)])).unwrap();
        let key = composed.derive("pässword".as_bytes()).unwrap();
        let mut wrapped = [0; WRAPPED];
        KwAes256::new((&*key).into()).wrap_key(&[7; 32], &mut wrapped).unwrap();
        let hex: String = wrapped.iter().map(|byte| format!("{byte:02x}")).collect();
        let bag = KeyBag::read(&cheap(&[(3, 2, &hex)])).unwrap();
        assert!(bag.unlock("pa\u{308}ssword").is_ok());
    }
}
