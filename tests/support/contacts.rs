//! Address books: macOS' own database, and vCards.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

#[derive(Debug, Clone, Default)]
struct Card {
    first: String,
    last: String,
    organization: String,
    phones: Vec<String>,
    emails: Vec<String>,
}

/// People and their addresses.
#[derive(Debug, Clone, Default)]
pub struct Contacts {
    cards: Vec<Card>,
}

impl Contacts {
    /// Adds a person; what holds an `@` is an e-mail address, the rest are numbers, spelled as they are.
    pub fn person(mut self, first: &str, last: &str, addresses: &[&str]) -> Self {
        self.cards.push(Card::new(first, last, "", addresses));
        self
    }

    pub fn company(mut self, name: &str, addresses: &[&str]) -> Self {
        self.cards.push(Card::new("", "", name, addresses));
        self
    }

    /// vCard 3.0.
    pub fn to_vcf(&self) -> String {
        let mut out = String::new();
        for card in &self.cards {
            let name = card.name();
            let _ = write!(
                out,
                "BEGIN:VCARD\r\nVERSION:3.0\r\nN:{};{};;;\r\nFN:{name}\r\n",
                card.last, card.first
            );
            if !card.organization.is_empty() {
                let _ = write!(out, "ORG:{};\r\nX-ABShowAs:COMPANY\r\n", card.organization);
            }
            for phone in &card.phones {
                let _ = write!(out, "TEL;type=CELL;type=VOICE:{phone}\r\n");
            }
            for email in &card.emails {
                let _ = write!(out, "EMAIL;type=INTERNET:{email}\r\n");
            }
            out.push_str("END:VCARD\r\n");
        }
        out
    }

    /// Writes `AddressBook-v22.abcddb` into `folder` (created).
    pub fn write_address_book(&self, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).expect("a writable folder");
        let path = folder.join("AddressBook-v22.abcddb");
        let db = Connection::open(&path).expect("a new database");
        db.execute_batch(include_str!("../../fixtures/schema/addressbook-macos.sql"))
            .expect("a valid schema");
        for (index, card) in self.cards.iter().enumerate() {
            let key = index as i64 + 1;
            db.execute(
                "INSERT INTO ZABCDRECORD (Z_PK, Z_ENT, ZDISPLAYFLAGS, ZFIRSTNAME, ZLASTNAME, ZORGANIZATION, ZUNIQUEID)
                 VALUES (?, 22, ?, nullif(?, ''), nullif(?, ''), nullif(?, ''), ?)",
                params![
                    key,
                    i64::from(!card.organization.is_empty()),
                    card.first,
                    card.last,
                    card.organization,
                    format!("00000000-0000-4000-8000-{key:012X}:ABPerson")
                ],
            )
            .expect("a row that fits");
            for phone in &card.phones {
                db.execute(
                    "INSERT INTO ZABCDPHONENUMBER (ZOWNER, ZFULLNUMBER, ZLABEL) VALUES (?, ?, '_$!<Mobile>!$_')",
                    params![key, phone],
                )
                .expect("a row that fits");
            }
            for email in &card.emails {
                db.execute(
                    "INSERT INTO ZABCDEMAILADDRESS (ZOWNER, ZADDRESS, ZADDRESSNORMALIZED) VALUES (?, ?, lower(?))",
                    params![key, email, email],
                )
                .expect("a row that fits");
            }
        }
        path
    }
}

impl Card {
    fn new(first: &str, last: &str, organization: &str, addresses: &[&str]) -> Self {
        let (emails, phones) =
            addresses.iter().map(|a| (*a).to_owned()).partition(|a: &String| a.contains('@'));
        Self {
            first: first.to_owned(),
            last: last.to_owned(),
            organization: organization.to_owned(),
            phones,
            emails,
        }
    }

    fn name(&self) -> String {
        if self.organization.is_empty() {
            format!("{} {}", self.first, self.last).trim().to_owned()
        } else {
            self.organization.clone()
        }
    }
}
