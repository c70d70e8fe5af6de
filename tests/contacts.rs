//! Address books of all sorts (`messages-format.md` 15.1 to 15.3).

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::source::contacts::{Contact, ContactsError, FAMILY_RANK, beside, load, load_all};
use rusqlite::Connection;
use tempfile::TempDir;

const ANA: &str = "+1 (202) 555-0101";
const MAC: &str = "AddressBook-v22.abcddb";

/// The entities are numbered as on no Mac: their names count.
const MAC_SCHEMA: &str = "
    CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR, Z_SUPER INTEGER, Z_MAX INTEGER);
    INSERT INTO Z_PRIMARYKEY VALUES (7, 'ABCDGroup', 0, 0), (8, 'ABCDContact', 0, 0),
        (9, 'ABCDSubscribedContact', 0, 0), (22, 'ABCDContainer', 0, 0);
    CREATE TABLE ZABCDRECORD (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, ZFIRSTNAME VARCHAR, ZLASTNAME VARCHAR,
        ZNICKNAME VARCHAR, ZORGANIZATION VARCHAR, ZDISPLAYFLAGS INTEGER, ZLINKID VARCHAR,
        ZCONTAINERWHERECONTACTISME INTEGER);
    CREATE TABLE ZABCDPHONENUMBER (Z_PK INTEGER PRIMARY KEY, ZOWNER INTEGER, ZFULLNUMBER VARCHAR);
    CREATE TABLE ZABCDEMAILADDRESS (Z_PK INTEGER PRIMARY KEY, ZOWNER INTEGER, ZADDRESS VARCHAR,
        ZADDRESSNORMALIZED VARCHAR);";

const IOS_SCHEMA: &str = "
    CREATE TABLE ABPerson (ROWID INTEGER PRIMARY KEY, First TEXT, Last TEXT, Nickname TEXT, Organization TEXT,
        Kind INTEGER, DisplayName TEXT, PersonLink INTEGER DEFAULT -1, IsPreferredName INTEGER DEFAULT 1,
        guid TEXT);
    CREATE TABLE ABMultiValue (UID INTEGER PRIMARY KEY, record_id INTEGER, property INTEGER, value TEXT);
    CREATE TABLE ABPersonLink (ROWID INTEGER PRIMARY KEY, PreferredNamePersonID INTEGER);
    CREATE TABLE ABStore (ROWID INTEGER PRIMARY KEY, Name TEXT, MeIdentifier INTEGER DEFAULT -1);";

/// Columns get their defaults from a function that only Apple's processes have.
const APPLES_DEFAULT: &str = "PRAGMA writable_schema = ON; UPDATE sqlite_schema
    SET sql = replace(sql, 'guid TEXT', 'guid TEXT DEFAULT (ab_generate_guid())');";

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

fn book(path: &Path, schema: &str, rows: &str) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(&format!("{schema}{rows}{APPLES_DEFAULT}")).unwrap();
    path.to_owned()
}

fn mac(rows: &str) -> Vec<Contact> {
    let folder = folder();
    load(&book(&folder.path().join(MAC), MAC_SCHEMA, rows)).unwrap()
}

fn ios(rows: &str) -> Vec<Contact> {
    let folder = folder();
    load(&book(&folder.path().join("AddressBook.sqlitedb"), IOS_SCHEMA, rows)).unwrap()
}

fn names(contacts: &[Contact]) -> Vec<&str> {
    contacts.iter().map(|c| c.name.as_str()).collect()
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_mac_book_has_people_by_the_names_of_its_entities() {
    let contacts = mac("INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZFIRSTNAME, ZLASTNAME) VALUES
            (1, 8, 'Ana', 'Abbott'), (2, 9, 'Ben', 'Boyd'), (3, 7, 'Friends', NULL), (4, 22, 'iCloud', NULL);
        INSERT INTO ZABCDPHONENUMBER (ZOWNER, ZFULLNUMBER) VALUES (1, '+1 (202) 555-0101'), (1, 2025550102), (3, '1');
        INSERT INTO ZABCDEMAILADDRESS (ZOWNER, ZADDRESS, ZADDRESSNORMALIZED) VALUES
            (1, '<Ana@example.com>', 'x@example.com'), (2, NULL, 'ben@example.com, <b@example.com>');");
    assert_eq!(names(&contacts), ["Ana Abbott", "Ben Boyd"]);
    assert_eq!(contacts[0].phones, [ANA, "2025550102"]);
    assert_eq!(contacts[0].emails, ["Ana@example.com"]);
    assert_eq!(contacts[1].emails, ["ben@example.com", "b@example.com"]);
    assert!(contacts.iter().all(|c| c.full_name && !c.is_me && c.rank == 0));
    assert_ne!(contacts[0].person, contacts[1].person);
}

#[test]
fn a_company_is_shown_by_its_name() {
    let contacts = mac("INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZFIRSTNAME, ZLASTNAME, ZNICKNAME, ZORGANIZATION, ZDISPLAYFLAGS)
        VALUES (1, 8, 'Ana', 'Abbott', NULL, 'Acme', 1), (2, 8, 'Ana', 'Abbott', NULL, 'Acme', 2),
            (3, 8, 'Ana', 'Abbott', NULL, 'Acme', NULL), (4, 8, NULL, NULL, NULL, 'Acme', 0),
            (5, 8, NULL, '', 'Annie', 'Acme', 0), (6, 8, NULL, NULL, NULL, NULL, 1);");
    assert_eq!(names(&contacts), ["Acme", "Ana Abbott", "Ana Abbott", "Acme", "Annie"]);
}

#[test]
fn linked_cards_are_one_person_over_all_sources() {
    let folder = folder();
    let link = "0B2E2C1A-0000-4000-8000-000000000101";
    let card = |entity: i64, first: &str, last: &str| {
        format!(
            "INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZFIRSTNAME, ZLASTNAME, ZLINKID)
            VALUES (1, {entity}, '{first}', NULLIF('{last}', ''), '{link}');"
        )
    };
    book(&folder.path().join(MAC), MAC_SCHEMA, &card(8, "Annie", ""));
    book(&folder.path().join("Sources/A-1").join(MAC), MAC_SCHEMA, &card(8, "Ana", "Abbott"));
    let contacts = load(folder.path()).unwrap();
    assert_eq!(names(&contacts), ["Ana Abbott", "Ana Abbott"]);
    assert_eq!(contacts[0].person, contacts[1].person);
}

#[test]
fn the_preferred_card_names_a_linked_person() {
    let contacts = mac("ALTER TABLE ZABCDRECORD ADD ZPREFERREDFORLINKNAME INTEGER;
        INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZFIRSTNAME, ZLASTNAME, ZLINKID, ZPREFERREDFORLINKNAME) VALUES
            (1, 8, 'Ana', 'Abbott', 'L', 0), (2, 8, 'Mum', NULL, 'L', 1), (3, 8, 'Ben', 'Boyd', NULL, 1);");
    assert_eq!(names(&contacts), ["Mum", "Mum", "Ben Boyd"]);
}

#[test]
fn the_owners_card_is_known() {
    let contacts = mac("INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZFIRSTNAME, ZCONTAINERWHERECONTACTISME) VALUES
        (1, 8, 'Me', 22), (2, 8, 'Ana', NULL);");
    assert_eq!(contacts.iter().map(|c| c.is_me).collect::<Vec<_>>(), [true, false]);
    let contacts = ios("INSERT INTO ABPerson (ROWID, First) VALUES (1, 'Ana'), (2, 'Me');
        INSERT INTO ABStore VALUES (0, 'Local', -1), (1, 'Card', 2);");
    assert_eq!(contacts.iter().map(|c| c.is_me).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn books_are_ranked_by_their_account() {
    let folder = folder();
    let card =
        |name: &str| format!("INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZFIRSTNAME) VALUES (1, 8, '{name}');");
    for (source, account) in [
        ("A", "com.apple.ScreenTime.contacts"),
        ("B", "https://contacts.icloud.com"),
        ("C", "caldav.example.com"),
    ] {
        let place = folder.path().join("Sources").join(source);
        book(&place.join(MAC), MAC_SCHEMA, &card(source));
        fs::write(place.join("Configuration.plist"), format!("<plist><string>{account}</string></plist>"))
            .unwrap();
    }
    book(&folder.path().join(MAC), MAC_SCHEMA, &card("Local"));
    let contacts = load(folder.path()).unwrap();
    let ranks: Vec<(&str, u32)> = contacts.iter().map(|c| (c.name.as_str(), c.rank)).collect();
    assert_eq!(ranks, [("Local", 0), ("B", 0), ("C", 1), ("A", FAMILY_RANK)]);
}

#[test]
fn an_ios_book_has_people_links_and_companies() {
    let contacts = ios("INSERT INTO ABPerson (ROWID, First, Last, Organization, Kind, PersonLink, DisplayName) VALUES
            (1, 'Ana', 'Abbott', 'Acme', 0, 5, NULL), (2, 'Annie', NULL, NULL, 0, 5, NULL),
            (3, NULL, NULL, 'Acme', 1, -1, NULL), (4, NULL, NULL, NULL, 0, -1, 'Shown'), (5, NULL, NULL, NULL, 0, -1, NULL);
        INSERT INTO ABPersonLink VALUES (5, 2);
        INSERT INTO ABMultiValue (record_id, property, value) VALUES (1, 3, '+1 (202) 555-0101'),
            (1, 4, 'ana@example.com'), (1, 22, 'https://example.com'), (2, 3, 2025550102), (1, 5, NULL);");
    assert_eq!(names(&contacts), ["Annie", "Annie", "Acme", "Shown"]);
    assert_eq!(contacts[0].person, contacts[1].person);
    assert_eq!(contacts[0].phones, [ANA]);
    assert_eq!(contacts[0].emails, ["ana@example.com"]);
    assert_eq!(contacts[1].phones, ["2025550102"]);
}

#[test]
fn the_search_index_stands_in_for_lost_values() {
    let contacts = ios("DROP TABLE ABMultiValue; INSERT INTO ABPerson (ROWID, First) VALUES (1, 'Ana');
        CREATE TABLE ABPersonFullTextSearch_content (docid INTEGER PRIMARY KEY, c0First, c17Phone, c18Email);
        INSERT INTO ABPersonFullTextSearch_content VALUES (1, 'Ana', ' +12025550101 2025550101 ', 'ana@example.com');");
    assert_eq!(contacts[0].phones, ["+12025550101", "2025550101"]);
    assert_eq!(contacts[0].emails, ["ana@example.com"]);
}

#[test]
fn few_columns_and_odd_types_are_enough() {
    let folder = folder();
    let old = book(
        &folder.path().join("old.sqlitedb"),
        "CREATE TABLE ABPerson (ROWID INTEGER PRIMARY KEY, First, Last);
        CREATE TABLE ABMultiValue (record_id, property, value);",
        "INSERT INTO ABPerson VALUES (1, x'416e61', 7), (2, 1.5, x'ff');
         INSERT INTO ABMultiValue VALUES ('1', '3', 12025550101.0), (x'32', 3.5, 'x');",
    );
    let contacts = load(&old).unwrap();
    assert_eq!(names(&contacts), ["Ana 7", "1.5 \u{fffd}"]);
    assert_eq!(contacts[0].phones, ["12025550101"]);
}

#[test]
fn a_book_that_lies_wholly_in_its_log_is_read_and_left_alone() {
    for with_index in [false, true] {
        let (live, copied) = (folder(), folder());
        let path = live.path().join("AddressBook.sqlitedb");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;").unwrap();
        writer.execute_batch(IOS_SCHEMA).unwrap();
        writer.execute_batch("INSERT INTO ABPerson (ROWID, First) VALUES (1, 'Ana');").unwrap();
        for suffix in ["", "-wal", "-shm"].iter().filter(|s| with_index || **s != "-shm") {
            let name = format!("AddressBook.sqlitedb{suffix}");
            fs::copy(live.path().join(&name), copied.path().join(&name)).unwrap();
        }
        let before = files(copied.path());
        assert_eq!(names(&load(copied.path()).unwrap()), ["Ana"]);
        assert_eq!(files(copied.path()), before);
    }
}

#[test]
fn a_folder_may_hold_files_of_several_sorts() {
    let folder = folder();
    fs::write(folder.path().join("a.vcf"), "BEGIN:VCARD\nFN:Ana Abbott\nEND:VCARD\n").unwrap();
    fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
    book(
        &folder.path().join("b.sqlitedb"),
        IOS_SCHEMA,
        "INSERT INTO ABPerson (ROWID, First) VALUES (1, 'Ben');",
    );
    book(&folder.path().join("AddressBookImages.sqlitedb"), "CREATE TABLE ABFullSizeImage (data);", "");
    assert_eq!(names(&load(folder.path()).unwrap()), ["Ana Abbott", "Ben"]);
}

#[test]
fn one_damaged_book_does_not_hide_the_others() {
    let folder = folder();
    fs::write(folder.path().join("a.abcddb"), "SQLite format 3\0 and no more").unwrap();
    fs::write(folder.path().join("b.vcf"), "BEGIN:VCARD\nFN:Ana\nEND:VCARD\n").unwrap();
    let (contacts, errors) = load_all(folder.path());
    assert_eq!((names(&contacts), errors.len()), (vec!["Ana"], 1));
    assert_eq!(names(&load(folder.path()).unwrap()), ["Ana"]);
    assert!(load(&folder.path().join("a.abcddb")).is_err());
}

#[test]
fn what_is_no_book_is_an_error_with_its_path() {
    let folder = folder();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "nothing").unwrap();
    let other = book(&folder.path().join("other.db"), "CREATE TABLE message (guid);", "");
    for path in [text, other, folder.path().to_owned()] {
        let error = load(&path).unwrap_err();
        assert!(matches!(&error, ContactsError::NoBook { path: named } if *named == path), "{error}");
    }
    assert!(load(&folder.path().join("absent")).is_err());
    #[cfg(unix)]
    assert!(matches!(load(Path::new("/dev/null")), Err(ContactsError::NoBook { .. })));
}

#[test]
fn damage_anywhere_is_survived() {
    let folder = folder();
    let rows = "INSERT INTO ABPerson (ROWID, First) VALUES (1, 'Ana'), (2, 'Ben');
        INSERT INTO ABMultiValue (record_id, property, value) VALUES (1, 3, '+12025550101');";
    let path = book(&folder.path().join("a.sqlitedb"), IOS_SCHEMA, rows);
    let whole = fs::read(&path).unwrap();
    // The page size, the schema page's header and every 61st byte.
    for i in (16..28).chain(100..112).chain((128..whole.len()).step_by(61)) {
        let mut damaged = whole.clone();
        damaged[i] ^= 0xff;
        fs::write(&path, &damaged).unwrap();
        let _ = load(&path);
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let _ = load(&path);
}

#[test]
fn contacts_are_found_in_the_home_or_on_the_device_of_the_messages() {
    let folder = folder();
    let at = |path: &str| folder.path().join(path);
    for path in [
        "Users/ana/Library/Messages/chat.db",
        "mobile/Library/SMS/sms.db",
        "plain/chat.db",
        "moved/Messages/chat.db",
    ] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), "").unwrap();
    }
    let mac = "Library/Application Support/AddressBook";
    book(&at("Users/ana").join(mac).join(MAC), MAC_SCHEMA, "");
    book(&at("mobile/Library/AddressBook/AddressBook.sqlitedb"), IOS_SCHEMA, "");
    book(&at("me").join(mac).join(MAC), MAC_SCHEMA, "");
    let me = at("me");
    let found = |path: &str, home: Option<&Path>| {
        beside(&at(path), home).map(|p| p.strip_prefix(folder.path()).unwrap().to_owned())
    };
    for (path, place) in [
        ("Users/ana/Library/Messages/chat.db", "Users/ana/Library/Application Support/AddressBook"),
        ("Users/ana/Library/Messages", "Users/ana/Library/Application Support/AddressBook"),
        ("mobile/Library/SMS/sms.db", "mobile/Library/AddressBook"),
        ("mobile/Library/SMS", "mobile/Library/AddressBook"),
        ("plain/chat.db", "me/Library/Application Support/AddressBook"),
    ] {
        assert_eq!(found(path, Some(&me)).as_deref(), Some(Path::new(place)), "{path}");
    }
    assert_eq!(found("plain/chat.db", None), None);
    assert_eq!(found("moved/Messages/chat.db", Some(&at("nobody"))), None);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(at("Users/ana/Library/Messages/chat.db"), at("plain/link.db")).unwrap();
        let linked = beside(&at("plain/link.db"), Some(&me)).unwrap();
        assert_eq!(linked, fs::canonicalize(at("Users/ana")).unwrap().join(mac));
    }
}

/// Address books made by Apple's software and by other projects, which lie beside a checkout and are not part of it.
#[test]
fn the_real_samples_read() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/contacts");
    if !samples.is_dir() {
        println!("the real samples are not here: {} is absent", samples.display());
        return;
    }
    let read = |name: &str| load(&samples.join(name)).unwrap();
    let mac = read("AddressBook-v22.abcddb");
    assert_eq!(names(&mac), ["John Doe", "Jane Smith", "Acme Corporation", "Alice Johnson", "Bob Wilson"]);
    assert_eq!(
        mac.iter().map(|c| (c.phones.len(), c.emails.len())).collect::<Vec<_>>(),
        [(2, 2), (1, 1), (1, 1), (0, 1), (0, 0)]
    );
    let ios = read("ios-small.AddressBook.sqlitedb");
    assert_eq!(names(&ios), ["Alex Fixture", "Broken Label", "Acme Synthetics", "Solo"]);
    assert_eq!((ios[0].phones.len(), ios[0].emails.len()), (3, 1));
    for name in ["John_Doe_IPHONE.vcf", "John_Doe_MAC_ADDRESS_BOOK.vcf"] {
        let cards = read(name);
        assert!(matches!(names(&cards)[..], [shown] if shown.starts_with("Mr. John")), "{name}");
        assert!(cards[0].phones.iter().any(|p| p == "905-555-1234") && !cards[0].emails.is_empty(), "{name}");
    }
}
