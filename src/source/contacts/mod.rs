//! Names for handles: macOS AddressBook (with all its Sources), iOS AddressBook, vCard (`messages-format.md` 15).
//!
//! **Must never**: fail an export. A book that cannot be read is an error for the caller to report; handles then
//! stay handles. Nor touch the books: one with a write-ahead log is copied before it is opened.

mod archived;
mod database;
mod ios;
mod macos;
mod vcard;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use archived::{CARDS, cards};
use database::Database;
pub use vcard::{SentCard, sent_cards};

use rusqlite::Connection;

use super::database::Log;
use super::{SourceError, SourceInfo, SourceKind};

/// The rank of books that hold a family member's contacts: their names count only where no other book knows
/// anybody.
pub const FAMILY_RANK: u32 = 100;

/// One card of an address book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The same for all cards of one person (linked cards), unique across all books read.
    pub person: String,
    /// The name to show; never empty.
    pub name: String,
    /// It has both a first and a last name.
    pub full_name: bool,
    /// Smaller is better: the book's rank (iCloud and local before others; family and Screen Time last).
    pub rank: u32,
    /// The owner's own card.
    pub is_me: bool,
    /// As typed.
    pub phones: Vec<String>,
    /// As typed.
    pub emails: Vec<String>,
}

/// Why an address book cannot be read. Every variant names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContactsError {
    #[error("there are no contacts in {}", path.display())]
    NoBook { path: PathBuf },
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Reads the cards at `path`: an AddressBook folder with its Sources, an `.abcddb`, an `AddressBook.sqlitedb`, a
/// `.vcf`, or a folder that holds some of these.
///
/// # Errors
/// The first trouble, when no book could be read. [`load_all`] tells of every one.
pub fn load(path: &Path) -> Result<Vec<Contact>, ContactsError> {
    match load_all(path) {
        (contacts, mut errors) if contacts.is_empty() && !errors.is_empty() => Err(errors.swap_remove(0)),
        (contacts, _) => Ok(contacts),
    }
}

/// As [`load`]: what could be read, and what could not.
pub fn load_all(path: &Path) -> (Vec<Contact>, Vec<ContactsError>) {
    let (books, mut errors) = books(path);
    let mut cards = Vec::new();
    for (number, book) in books.iter().enumerate() {
        if let Err(error) = book.read(number, &mut cards) {
            errors.push(error);
        }
    }
    (name_people(cards), errors)
}

/// The cards of a device's address book that lies at `path`, perhaps encrypted, and whose bytes `plain` gives, with what
/// its log has.
pub(super) fn of_device(
    path: &Path,
    plain: &mut dyn Read,
    log: Option<Log<'_>>,
) -> Result<Vec<Contact>, ContactsError> {
    let database = Database::hidden(path, plain, log)?;
    let mut cards = Vec::new();
    ios::read(&database, 0, &mut cards)?;
    Ok(name_people(cards))
}

/// The cards that an archive keeps; `None` of anything else, and where it keeps none.
pub(super) fn of_archive(
    connection: &Connection,
    info: &SourceInfo,
) -> Option<Result<Vec<Contact>, ContactsError>> {
    if info.kind != SourceKind::Archive {
        return None;
    }
    let cards = cards(connection).map_err(|error| SourceError::database(&info.path)(error).into());
    Some(cards).filter(|cards| cards.as_ref().map_or(true, |cards| !cards.is_empty()))
}

/// Where the contacts of the person lie whose messages are in `database`: in the same home (which may be a copy of
/// one), on the same device; else in `home`, the home of whoever runs this, where one is given.
pub fn beside(database: &Path, home: Option<&Path>) -> Option<PathBuf> {
    const OF_A_MAC: &str = "Library/Application Support/AddressBook";
    const OF_A_DEVICE: &str = "Library/AddressBook";
    let resolved = fs::canonicalize(database).ok();
    let places = [Some(database), resolved.as_deref()].into_iter().flatten();
    let nearby = places.flat_map(|place| {
        // `database` may be the file or its folder.
        let folders = [place.parent(), Some(place)].into_iter().flatten();
        folders.flat_map(|folder| {
            let library = folder.parent().filter(|parent| parent.ends_with("Library"));
            let owner = library.and_then(Path::parent);
            [
                owner.filter(|_| folder.ends_with("Messages")).map(|home| home.join(OF_A_MAC)),
                owner.filter(|_| folder.ends_with("SMS")).map(|device| device.join(OF_A_DEVICE)),
                Some(folder.join("AddressBook")),
                folder.ends_with("SMS").then(|| folder.with_file_name("AddressBook")),
            ]
        })
    });
    let own = home.map(|home| home.join(OF_A_MAC));
    // A place that may not be looked into is where they are: opening it will say so.
    nearby.flatten().chain(own).filter(|place| place.exists()).find(|place| {
        let (books, errors) = books(place);
        !books.is_empty() || errors.iter().any(|error| !matches!(error, ContactsError::NoBook { .. }))
    })
}

/// A file with contacts.
#[derive(Debug)]
struct Book {
    path: PathBuf,
    rank: u32,
}

/// A card, before it is known which card of its person gives the name.
#[derive(Debug, Default)]
struct Card {
    contact: Contact,
    /// The owner chose this card's name among linked ones.
    preferred: bool,
}

/// The parts of a name.
#[derive(Debug, Default)]
struct Name {
    first: Option<String>,
    middle: Option<String>,
    last: Option<String>,
    nickname: Option<String>,
    organization: Option<String>,
    /// The card is shown as its organization.
    company: bool,
}

impl Name {
    /// The name to show, and whether it has both a first and a last name; `None` when there is none.
    fn shown(&self) -> Option<(String, bool)> {
        let full = match (&self.first, &self.last) {
            (Some(first), Some(last)) if written_together(first) && written_together(last) => {
                Some(format!("{last}{first}"))
            }
            (Some(first), Some(last)) => Some(format!("{first} {last}")),
            _ => None,
        };
        let company = self.organization.as_ref().filter(|_| self.company);
        if let (None, Some(full)) = (company, full) {
            return Some((full, true));
        }
        let parts = [&self.first, &self.last, &self.middle, &self.nickname, &self.organization];
        let name = company.or_else(|| parts.into_iter().flatten().next())?;
        Some((name.clone(), false))
    }
}

/// Chinese, Japanese and Korean names: family name first, without a space.
fn written_together(name: &str) -> bool {
    name.chars().all(|c| {
        matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}')
    })
}

/// Gives every card of a person the person's name.
fn name_people(cards: Vec<Card>) -> Vec<Contact> {
    let worth = |card: &Card| (!card.preferred, !card.contact.full_name, card.contact.rank);
    let mut best: HashMap<String, usize> = HashMap::new();
    for (i, card) in cards.iter().enumerate() {
        let at = best.entry(card.contact.person.clone()).or_insert(i);
        if worth(card) < worth(&cards[*at]) {
            *at = i;
        }
    }
    let names: HashMap<String, (String, bool)> = best
        .into_iter()
        .map(|(person, i)| (person, (cards[i].contact.name.clone(), cards[i].contact.full_name)))
        .collect();
    let mut contacts: Vec<Contact> = cards.into_iter().map(|card| card.contact).collect();
    for contact in &mut contacts {
        if let Some((name, full)) = names.get(&contact.person) {
            contact.name.clone_from(name);
            contact.full_name = *full;
        }
    }
    contacts
}

impl Book {
    fn read(&self, number: usize, cards: &mut Vec<Card>) -> Result<(), ContactsError> {
        let known = cards.len();
        let read = self.read_cards(number, cards);
        cards.iter_mut().skip(known).for_each(|card| card.contact.rank = self.rank);
        read
    }

    /// What was read before an error stays.
    fn read_cards(&self, number: usize, cards: &mut Vec<Card>) -> Result<(), ContactsError> {
        let nothing = || Err(ContactsError::NoBook { path: self.path.clone() });
        if is_database(&self.path).map_err(SourceError::io(&self.path))? {
            let database = Database::open(&self.path)?;
            if database.has("ZABCDRECORD")? {
                macos::read(&database, number, cards)?;
            } else if database.has("ABPerson")? {
                ios::read(&database, number, cards)?;
            } else {
                return nothing();
            }
            return Ok(database.unchanged()?);
        }
        let bytes = fs::read(&self.path).map_err(SourceError::io(&self.path))?;
        if vcard::read(&bytes, number, cards) { Ok(()) } else { nothing() }
    }
}

/// The books at a path, the best first, and what kept from looking for more.
fn books(path: &Path) -> (Vec<Book>, Vec<ContactsError>) {
    let folder = match fs::metadata(path) {
        Ok(about) if about.is_dir() => path,
        Ok(about) if about.is_file() => {
            return (vec![Book { path: path.to_owned(), rank: rank(path.parent()) }], Vec::new());
        }
        // A pipe or a device would be waited for, perhaps for ever.
        Ok(_) => return (Vec::new(), vec![ContactsError::NoBook { path: path.to_owned() }]),
        Err(error) => return (Vec::new(), vec![SourceError::io(path)(error).into()]),
    };
    let mut books = Vec::new();
    let mut errors = Vec::new();
    // The address book itself, or a copy of a home, a Library folder or a device.
    for inside in ["", "AddressBook", "Library/AddressBook", "Library/Application Support/AddressBook"] {
        let folder = folder.join(inside);
        let sources = listed(&folder.join("Sources"), &mut errors);
        for folder in std::iter::once(folder).chain(sources) {
            let rank = rank(Some(&folder));
            let files = listed(&folder, &mut errors).into_iter().filter(|path| is_book(path));
            books.extend(files.map(|path| Book { path, rank }));
        }
        if !books.is_empty() {
            break;
        }
    }
    if books.is_empty() && errors.is_empty() {
        errors.push(ContactsError::NoBook { path: path.to_owned() });
    }
    books.sort_by_key(|book| book.rank);
    (books, errors)
}

fn is_book(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_ascii_lowercase());
    let known = extension.is_some_and(|e| ["abcddb", "sqlitedb", "vcf", "vcard"].iter().any(|k| e == *k));
    let pictures = path.file_name().is_some_and(|name| name == "AddressBookImages.sqlitedb");
    known && !pictures && path.is_file()
}

/// What is in a folder, sorted; nothing where there is no such folder.
fn listed(folder: &Path, errors: &mut Vec<ContactsError>) -> Vec<PathBuf> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = match read() {
        Ok(paths) => paths,
        Err(error) => {
            // A file of that name holds no more books than no folder at all.
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                errors.push(SourceError::io(folder)(error).into());
            }
            Vec::new()
        }
    };
    paths.sort();
    paths
}

/// A book outside `Sources` is local. The account of one inside is told by the property lists beside it: iCloud
/// counts as local, Screen Time's copies of the family's contacts come last (15.4.8).
fn rank(folder: Option<&Path>) -> u32 {
    const LARGEST_LIST: u64 = 1 << 20;
    let Some(folder) = folder.filter(|folder| folder.parent().is_some_and(|p| p.ends_with("Sources"))) else {
        return 0;
    };
    let mut account = String::new();
    for path in listed(folder, &mut Vec::new()) {
        let is_list = path.extension().is_some_and(|e| e == "plist");
        if is_list && fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= LARGEST_LIST) {
            account += &String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).to_lowercase();
        }
    }
    let says = |words: &[&str]| words.iter().any(|word| account.contains(word));
    match () {
        () if says(&["screentime", "screen time", "downtime"]) => FAMILY_RANK,
        () if says(&["icloud"]) => 0,
        () => 1,
    }
}

fn is_database(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    fs::File::open(path)?.take(16).read_to_end(&mut start)?;
    Ok(start == b"SQLite format 3\0")
}

/// The addresses in a field: `Ana <ana@example.com>`, or several.
fn addresses(text: &str) -> impl Iterator<Item = String> {
    let pieces = text.split([',', ';', '<', '>', '"']).flat_map(str::split_whitespace);
    pieces.filter(|piece| piece.contains('@')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_first_and_last_else_what_there_is() {
        let shown = |first: &str, last: &str, nickname: &str, organization: &str, company: bool| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let (first, last) = (some(first), some(last));
            let (nickname, organization) = (some(nickname), some(organization));
            Name { first, last, nickname, organization, company, middle: None }.shown()
        };
        let check = |name: Option<(String, bool)>, text: &str, full: bool| {
            assert_eq!(name, Some((text.to_owned(), full)));
        };
        check(shown("Ana", "Abbott", "Annie", "Acme", false), "Ana Abbott", true);
        check(shown("Ana", "", "Annie", "Acme", false), "Ana", false);
        check(shown("", "Abbott", "", "", false), "Abbott", false);
        check(shown("", "", "Annie", "Acme", false), "Annie", false);
        check(shown("", "", "", "Acme", false), "Acme", false);
        check(shown("Ana", "Abbott", "", "Acme", true), "Acme", false);
        check(shown("Ana", "Abbott", "", "", true), "Ana Abbott", true);
        check(shown("小明", "王", "", "", false), "王小明", true);
        assert_eq!(shown("", "", "", "", false), None);
    }

    #[test]
    fn addresses_come_out_of_their_wrapping() {
        let found = |text: &str| addresses(text).collect::<Vec<_>>();
        assert_eq!(found("<ana@example.com>"), ["ana@example.com"]);
        assert_eq!(
            found("\"Ana\" <ana@example.com>, ben@example.com"),
            ["ana@example.com", "ben@example.com"]
        );
        assert_eq!(found("nobody"), [""; 0]);
    }
}
