//! Names for handles: macOS AddressBook (with all its Sources), iOS AddressBook, vCard.
//!
//! **Must never**: fail an export. A book that cannot be read is an error for the caller to report; handles then
//! stay handles.

/// The rank of books that hold a family member's contacts: their names count only where no other book knows anybody.
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
