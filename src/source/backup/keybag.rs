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

/// The kind of a backup's bag, in the low bits of `TYPE`; the others are of devices and of what is sent to them.
const OF_A_BACKUP: u32 = 1;
const KIND: u32 = 0xFF;
/// The newest known `VERS`, and the only known `DPWT`: how the two derivations hang together.
const NEWEST: u32 = 5;
const ONE_AFTER_THE_OTHER: u32 = 1;

/// What is wrong with a bag, in words: whatever the password is, it gives no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is not as it was written; another copy of it may be.
    Damaged(&'static str),
    /// It may be whole, but is of a kind that this program does not know.
    Unsupported(&'static str),
}

use Unusable::{Damaged, Unsupported};

/// A bag that a password could unlock.
#[derive(Debug)]
pub(super) struct KeyBag {
    /// Its version and its way to derive are those that are known.
    known: bool,
    /// From iOS 10.2 on: a slow derivation before the other.
    first: Option<Derivation>,
    last: Derivation,
    /// By number, those that the password protects.
    classes: Vec<(u32, Vec<u8>)>,
}

/// How a key is made of a secret.
#[derive(Debug)]
struct Derivation {
    salt: Vec<u8>,
    rounds: u32,
}

/// The keys of a bag that was unlocked.
#[derive(Clone)]
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

/// The tags of a bag. Unknown ones are passed over, of repeated ones the first counts.
#[derive(Default)]
struct Tags<'b> {
    version: Option<u32>,
    kind: Option<u32>,
    double: Option<u32>,
    salt: Option<&'b [u8]>,
    rounds: Option<u32>,
    first_salt: Option<&'b [u8]>,
    first_rounds: Option<u32>,
    classes: Vec<Class<'b>>,
}

#[derive(Default)]
struct Class<'b> {
    number: Option<u32>,
    wrap: Option<u32>,
    wrapped: Option<&'b [u8]>,
}

impl<'b> Tags<'b> {
    /// Reads the list of tags, lengths and values. `None` where it is cut off.
    fn read(mut rest: &'b [u8]) -> Option<Tags<'b>> {
        let mut tags = Tags::default();
        let mut bags = 0;
        while !rest.is_empty() {
            let (tag, value, after) = item(rest)?;
            rest = after;
            let number = || <[u8; 4]>::try_from(value).ok().map(u32::from_be_bytes);
            if tag == *b"UUID" {
                bags += 1;
                // The first is the bag's own.
                if bags > 1 {
                    tags.classes.push(Class::default());
                }
                continue;
            }
            match (tags.classes.last_mut(), &tag) {
                (Some(class), b"CLAS") => class.number = class.number.or_else(number),
                (Some(class), b"WRAP") => class.wrap = class.wrap.or_else(number),
                (Some(class), b"WPKY") => class.wrapped = class.wrapped.or(Some(value)),
                (None, b"VERS") => tags.version = tags.version.or_else(number),
                (None, b"DPWT") => tags.double = tags.double.or_else(number),
                (None, b"TYPE") => tags.kind = tags.kind.or_else(number),
                (None, b"SALT") => tags.salt = tags.salt.or(Some(value)),
                (None, b"ITER") => tags.rounds = tags.rounds.or_else(number),
                (None, b"DPSL") => tags.first_salt = tags.first_salt.or(Some(value)),
                (None, b"DPIC") => tags.first_rounds = tags.first_rounds.or_else(number),
                _ => {}
            }
        }
        Some(tags)
    }
}

impl KeyBag {
    /// Reads a bag, so that nobody is asked for a password that is of no use.
    pub fn read(bytes: &[u8]) -> Result<KeyBag, Unusable> {
        if bytes.len() > LARGEST {
            return Err(Damaged("its key bag is far too large"));
        }
        let tags = Tags::read(bytes).ok_or(Damaged("its key bag is cut off"))?;
        if tags.kind.is_some_and(|kind| kind & KIND != OF_A_BACKUP) {
            return Err(Unsupported("its key bag is not one of a backup"));
        }
        // Whether there is a first derivation is said by its tags, not by the system's version.
        let first = match (tags.first_salt, tags.first_rounds) {
            (Some(salt), Some(rounds)) => Some(Derivation::new(salt, rounds, MOST_FIRST_ROUNDS)?),
            (None, None) => None,
            _ => return Err(Damaged("its key bag names half of a derivation")),
        };
        let (Some(salt), Some(rounds)) = (tags.salt, tags.rounds) else {
            return Err(Damaged("its key bag has no salt or no number of rounds"));
        };
        let last = Derivation::new(salt, rounds, MOST_ROUNDS)?;
        let by_password = |class: &Class| class.wrap.is_none_or(|wrap| wrap & BY_PASSWORD != 0);
        let classes = tags.classes.into_iter().filter(by_password);
        let classes: Vec<_> =
            classes.filter_map(|class| Some((class.number?, class.wrapped?.to_vec()))).collect();
        if classes.is_empty() {
            return Err(Unsupported("its key bag holds no keys that a password protects"));
        }
        let known = tags.version.is_none_or(|version| version <= NEWEST)
            && tags.double.is_none_or(|double| double == ONE_AFTER_THE_OTHER);
        Ok(KeyBag { known, first, last, classes })
    }

    /// What no key fitting says of the bag itself. One of an unknown version is tried, since it may be as those before
    /// it; but that nothing fits is no proof then that the password is wrong.
    pub fn doubt(&self) -> Option<Unusable> {
        let words = "no key of its key bag, which is of an unknown version, fits this password; the password may be right";
        (!self.known).then_some(Unsupported(words))
    }

    /// Derives the keys; takes about a second for ten million rounds. `None`: no key of the bag fits the password.
    /// Apple says nowhere in which form it takes the accents of one: as it was typed is tried first, then the others.
    pub fn unlock(&self, password: &str) -> Option<ClassKeys> {
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
        forms.iter().find_map(|form| self.unlock_with(form.as_bytes()))
    }

    fn unlock_with(&self, password: &[u8]) -> Option<ClassKeys> {
        let key = KwAes256::new((&*self.derive(password)).into());
        let mut keys = BTreeMap::new();
        let mut lost = Vec::new();
        for (number, wrapped) in &self.classes {
            match unwrap(&key, wrapped) {
                Some(unwrapped) => {
                    keys.entry(*number).or_insert(unwrapped);
                }
                None => lost.push(*number),
            }
        }
        (!keys.is_empty()).then_some(ClassKeys { keys, lost })
    }

    /// `ios-backup-format.md` 7.1.
    fn derive(&self, password: &[u8]) -> Key {
        let mut key = Key::default();
        let mut between = Key::default();
        let secret = match &self.first {
            Some(Derivation { salt, rounds }) => {
                pbkdf2_hmac::<Sha256>(password, salt, *rounds, &mut *between);
                &between[..]
            }
            None => password,
        };
        pbkdf2_hmac::<Sha1>(secret, &self.last.salt, self.last.rounds, &mut *key);
        key
    }
}

impl Derivation {
    fn new(salt: &[u8], rounds: u32, most: u32) -> Result<Derivation, Unusable> {
        match rounds {
            0 => Err(Damaged("its key bag asks for no rounds of derivation")),
            rounds if rounds > most => {
                Err(Damaged("its key bag asks for an absurd number of rounds of derivation"))
            }
            rounds => Ok(Derivation { salt: salt.to_vec(), rounds }),
        }
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
    use crate::source::backup::random::Random;

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
        let key = bag.derive(b"correct horse");
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
        let last = Derivation { salt: vec![0; 20], rounds: 10_000 };
        let key = KeyBag { known: true, first: None, last, classes: Vec::new() }.derive(b"0000");
        assert_eq!(*key, *bytes("a1f9ad8aab0647485a344fda6dcc4eaad54819a775676b70ad61044beefdede4"));
    }

    /// Vector A: as many rounds as a device asks for.
    #[test]
    fn a_known_answer_at_full_cost() {
        let derivation = |rounds| Derivation { salt: vec![0; 20], rounds };
        let bag = KeyBag {
            known: true,
            first: Some(derivation(10_000_000)),
            last: derivation(10_000),
            classes: Vec::new(),
        };
        let key = bag.derive(b"0000");
        assert_eq!(*key, *bytes("ec8edc160b5745ccae000bfb4787630f322821191fba7eea38feab2c6307cd9b"));
    }

    #[test]
    fn a_wrong_password_and_a_damaged_or_unsupported_bag_are_told_apart() {
        let damaged = WRAPPED_CLASS_KEY.replace("94c0", "94c1");
        let bag = KeyBag::read(&cheap(&[(3, 2, WRAPPED_CLASS_KEY), (4, 2, &damaged)])).unwrap();
        assert!(bag.unlock("correct house").is_none());
        assert_eq!(bag.unlock("correct horse").unwrap().lost, [4]);
        // Keys of the device alone say nothing of the password.
        let no_keys = Err(Unsupported("its key bag holds no keys that a password protects"));
        assert_eq!(KeyBag::read(&cheap(&[(9, 1, &damaged)])).map(|_| ()), no_keys);
        assert_eq!(KeyBag::read(&cheap(&[])).map(|_| ()), no_keys);
        let unusable = |bag: &[u8]| match KeyBag::read(bag).unwrap_err() {
            Damaged(what) => what,
            Unsupported(what) => panic!("{what}"),
        };
        let whole = cheap(&[(3, 2, WRAPPED_CLASS_KEY)]);
        assert!(unusable(&whole[..whole.len() - 1]).contains("cut off"));
        assert!(unusable(&[]).contains("no salt"));
        assert!(unusable(&vec![0; LARGEST + 1]).contains("too large"));
        let of_a_device = [number(b"TYPE", 2), whole].concat();
        let other = Err(Unsupported("its key bag is not one of a backup"));
        assert_eq!(KeyBag::read(&of_a_device).map(|_| ()), other);
    }

    #[test]
    fn a_bag_of_an_unknown_version_is_tried_and_blames_no_password() {
        let whole = cheap(&[(3, 2, WRAPPED_CLASS_KEY)]);
        assert_eq!(KeyBag::read(&whole).unwrap().doubt(), None);
        for unknown in [number(b"VERS", 6), number(b"DPWT", 2)] {
            let bag = KeyBag::read(&[unknown, whole.clone()].concat()).unwrap();
            assert!(bag.unlock("correct horse").is_some());
            assert!(matches!(bag.doubt(), Some(Unsupported(_))));
        }
    }

    #[test]
    fn no_bag_keeps_the_program_busy() {
        let whole = cheap(&[(3, 2, WRAPPED_CLASS_KEY)]);
        for (name, rounds) in [(b"ITER", 0), (b"DPIC", 0), (b"ITER", u32::MAX), (b"DPIC", u32::MAX)] {
            let unusable = KeyBag::read(&[number(name, rounds), whole.clone()].concat()).unwrap_err();
            let told = matches!(unusable, Damaged(what) if what.contains("rounds of derivation"));
            assert!(told, "{name:?} {rounds}: {unusable:?}");
        }
        let half = [number(b"DPIC", 1), tag(b"SALT", b"salt"), number(b"ITER", 1)].concat();
        assert!(matches!(KeyBag::read(&half), Err(Damaged(what)) if what.contains("half")));
    }

    /// Bags with bytes changed, cut out and put in: each is an error or a bag, and soon.
    #[test]
    fn bags_made_to_hurt_are_bags_or_errors() {
        let whole = cheap(&[(3, 2, WRAPPED_CLASS_KEY), (4, 3, WRAPPED_CLASS_KEY)]);
        let mut random = Random::of(1);
        let mut next = |below| random.below(below);
        let mut bags = 0;
        for _ in 0..20_000 {
            let mut bag = whole.clone();
            for _ in 0..=next(3) {
                let at = next(bag.len());
                match next(4) {
                    0 => bag[at] = next(256) as u8,
                    1 => bag.truncate(at.max(1)),
                    2 => drop(bag.drain(at..(at + next(40)).min(bag.len()))),
                    _ => bag.insert(at, [0, 0xff, b'U', 0x7f][next(4)]),
                }
                if bag.is_empty() {
                    bag.push(0);
                }
            }
            bags += usize::from(KeyBag::read(&bag).is_ok());
        }
        assert!(bags > 1000, "{bags}");
    }

    #[test]
    fn accents_count_in_either_form() {
        let composed = KeyBag::read(&cheap(&[(3, 2, WRAPPED_CLASS_KEY)])).unwrap();
        let key = composed.derive("pässword".as_bytes());
        let mut wrapped = [0; WRAPPED];
        KwAes256::new((&*key).into()).wrap_key(&[7; 32], &mut wrapped).unwrap();
        let hex: String = wrapped.iter().map(|byte| format!("{byte:02x}")).collect();
        let bag = KeyBag::read(&cheap(&[(3, 2, &hex)])).unwrap();
        assert!(bag.unlock("pa\u{308}ssword").is_some());
    }
}
