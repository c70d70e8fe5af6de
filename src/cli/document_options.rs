use clap::builder::{NonEmptyStringValueParser, TypedValueParser as _};
use msgarchive::writers::Format;
use msgarchive::writers::pdf::{Bates, DocumentOptions as Around};

use super::Failure;
use super::pdf_options::wants_pdf;

/// What is around the messages of a PDF.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PDF")]
pub struct DocumentOptions {
    /// Leave out the cover: what a document holds, where it comes from, and what it does not hold
    #[arg(long)]
    no_cover: bool,
    /// Stamp every page with this and a number that runs through all documents, by title: ABC000001
    #[arg(long, value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new().try_map(prefix))]
    bates: Option<String>,
    /// The number of the first page; as many digits as are written here, six at least [default: 1]
    #[arg(long, value_name = "N", requires = "bates", value_parser = start)]
    bates_start: Option<Start>,
}

/// A number, and how many digits it was written with.
#[derive(Debug, Clone, Copy)]
struct Start {
    number: u64,
    digits: usize,
}

/// Digits that a number has at least.
const DIGITS: usize = 6;
const LONGEST_PREFIX: usize = 24;

/// It has to fit into a page's corner, and to be readable there.
fn prefix(text: String) -> Result<String, &'static str> {
    let fits = text.chars().count() <= LONGEST_PREFIX;
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if fits && is_plain {
        Ok(text)
    } else {
        Err("use at most 24 letters, digits and signs, such as ABC or SMITH-")
    }
}

fn start(text: &str) -> Result<Start, &'static str> {
    let is_number = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number).ok_or("use a number such as 1 or 00000001")?;
    Ok(Start { number, digits: text.len().max(DIGITS) })
}

impl DocumentOptions {
    /// What is around the messages of documents.
    ///
    /// # Errors
    /// [`Failure::Usage`] where something is asked of PDF, and PDF is not.
    pub fn options(&self, formats: &[&Format]) -> Result<Around, Failure> {
        wants_pdf(self.as_given().first(), formats)?;
        Ok(Around { cover: !self.no_cover, bates: self.stamp() })
    }

    fn stamp(&self) -> Option<Bates> {
        let Start { number, digits } = self.bates_start.unwrap_or(Start { number: 1, digits: DIGITS });
        self.bates.clone().map(|prefix| Bates { prefix, number, digits })
    }

    /// As given, for the manifest: name and value.
    pub fn as_given(&self) -> Vec<(String, String)> {
        let mut given = Vec::new();
        if self.no_cover {
            given.push(("no-cover".into(), "true".into()));
        }
        if let Some(bates) = self.stamp() {
            given.push(("bates".into(), bates.plus(0)));
        }
        given
    }
}
