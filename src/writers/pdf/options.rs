/// What is around the messages of a document.
#[derive(Debug, Clone)]
pub struct DocumentOptions {
    /// Begin with what the document holds, where it comes from and what it does not hold.
    pub cover: bool,
    /// Stamp a number on every page, which runs through all documents of an export in the order of their titles.
    pub bates: Option<Bates>,
}

impl Default for DocumentOptions {
    fn default() -> Self {
        DocumentOptions { cover: true, bates: None }
    }
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
