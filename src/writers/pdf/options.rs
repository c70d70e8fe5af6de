/// What a document has beside its messages, and how much of their pictures.
#[derive(Debug, Clone)]
pub struct DocumentOptions {
    /// Begin with what the document holds, where it comes from and what it does not hold.
    pub cover: bool,
    /// End with an index of all attachments.
    pub index: bool,
    pub division: Division,
    /// Stamp a number on every page, which runs through all documents of an export in the order of their titles.
    pub bates: Option<Bates>,
    /// Pixels of a picture's longer side, at most; `None` for as many as it has.
    pub longest_edge: Option<u32>,
    /// Refuse what PDF/A forbids, rather than writing a document that does not say it is PDF/A.
    pub archival: bool,
}

/// Some 500 pixels an inch where a picture is drawn largest.
pub const LONGEST_EDGE: u32 = 1_600;

impl Default for DocumentOptions {
    fn default() -> Self {
        DocumentOptions {
            cover: true,
            index: true,
            division: Division::default(),
            bates: None,
            longest_edge: Some(LONGEST_EDGE),
            archival: false,
        }
    }
}

/// What is one document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Division {
    /// A conversation.
    #[default]
    Conversation,
    /// A part of one.
    Parts(Split),
    /// All conversations.
    All,
}

/// How a conversation is divided into documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    Year,
    Month,
    /// So many messages in each, at most.
    Messages(u64),
}

/// A page's number as courts want it: `ABC000001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bates {
    pub prefix: String,
    pub number: u64,
    /// Digits at least.
    pub digits: usize,
}

impl Bates {
    /// So many pages on.
    pub fn plus(&self, pages: u32) -> String {
        let Bates { prefix, number, digits } = self;
        format!("{prefix}{:0digits$}", number.saturating_add(u64::from(pages)))
    }
}
