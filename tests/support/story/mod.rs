//! The sample library: the Skerry Light Baking Club, from a burnt loaf in 2019 to a bakery in a lighthouse.
//!
//! Robin Lark keeps the light and owns the phone. Everybody in it is invented.

mod ana;
mod bread;
mod by_hand;
mod family;
mod harbor;
pub mod pictures;

use super::chatdb::mix;
use super::{ChatId, Contacts, HandleId, Library, MessageBuilder, MessageId, Schema};

/// The whole library.
pub fn library() -> Library {
    let mut lib = Library::new(Schema::MACOS_26);
    lib.owner("robin@example.com");
    ana::tell(&mut lib);
    family::tell(&mut lib);
    bread::tell(&mut lib);
    harbor::tell(&mut lib);
    lib.synced();
    lib
}

/// Robin's address book. The ferry and one admirer of croissants are not in it.
pub fn contacts() -> Contacts {
    Contacts::default()
        .person("Robin", "Lark", &["robin@example.com", "+1 202 555 0100"])
        .person("Ana", "Abbott", &["+1 (202) 555-0143", "(202) 555-0187"])
        .person("June", "Lark", &["+12025550110"])
        .person("Otto", "Lark", &["+12025550111"])
        .person("Wren", "Lark", &["wren@example.com", "+12025550113"])
        .person("Nell", "Lark", &["202-555-0112"])
        .person("Haruka", "Mori", &["haruka@example.com"])
        .person("Yousef", "Haddad", &["yousef@example.com"])
        .person("Noa", "Levi", &["noa@example.com"])
        .person("Priya", "Nair", &["+12025550151"])
        .person("Somchai", "Suk", &["somchai@example.com"])
        .person("Mei", "Lin", &["mei@example.com"])
        .person("Jiwoo", "Han", &["jiwoo@example.com"])
        .person("Eleni", "Pappas", &["eleni@example.com"])
        .person("Captain", "Iversen", &["iversen@example.com"])
}

/// One chat, while somebody tells what is said in it.
struct Talk<'l> {
    lib: &'l mut Library,
    chat: ChatId,
}

impl<'l> Talk<'l> {
    fn new(lib: &'l mut Library, chat: ChatId) -> Self {
        Self { lib, chat }
    }

    /// A new moment; from here everybody takes as long as typing takes.
    fn on(&mut self, at: &str) {
        self.lib.clock(at);
    }

    fn pause(&mut self, text: &str) {
        let letters = text.chars().count() as i64;
        self.lib.clock += letters / 3 + (mix(letters as u64 + self.lib.clock as u64) % 40) as i64 - 30;
    }

    /// A message to be described further.
    fn from(&mut self, who: HandleId) -> MessageBuilder<'_> {
        self.lib.message(self.chat).from(who)
    }

    fn from_me(&mut self) -> MessageBuilder<'_> {
        self.lib.message(self.chat).from_me()
    }

    /// Plain words from somebody.
    fn they(&mut self, who: HandleId, text: &str) -> MessageId {
        self.pause(text);
        self.from(who).text(text).read_after(25).id()
    }

    /// Plain words from Robin.
    fn me(&mut self, text: &str) -> MessageId {
        self.pause(text);
        self.from_me().text(text).read_after(40).id()
    }
}

/// Writes the library and its contacts into `folder`: what the program's sample unpacks to.
pub fn write(folder: &std::path::Path) {
    library().write(folder);
    std::fs::write(folder.join("contacts.vcf"), contacts().to_vcf()).expect("a writable folder");
}
