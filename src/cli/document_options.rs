use clap::builder::{NonEmptyStringValueParser, TypedValueParser as _};
use msgarchive::writers::Format;
use msgarchive::writers::pdf::{Bates, Division, DocumentOptions as Around, LONGEST_EDGE, Split};

use super::Failure;
use super::pdf_options::wants_pdf;

/// What is around the messages of a PDF.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PDF")]
pub struct DocumentOptions {
    /// Leave out the cover: what a document holds, where it comes from, and what it does not hold
    #[arg(long)]
    no_cover: bool,
    /// Leave out the index of attachments at the end
    #[arg(long)]
    no_index: bool,
    /// Several documents a conversation, one a year, a month, or N messages, that name their neighbors
    #[arg(long, value_name = "year|month|N", value_parser = split)]
    split: Option<Split>,
    /// One document of all conversations, conversations.pdf: a chapter each, by title, behind a cover with contents
    #[arg(long, conflicts_with = "split")]
    combine: bool,
    /// Stamp every page with this and a number that runs through all documents, by title: ABC000001
    #[arg(long, value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new().try_map(prefix))]
    bates: Option<String>,
    /// The number of the first page; as many digits as are written here, six at least [default: 1]
    #[arg(long, value_name = "N", requires = "bates", value_parser = start)]
    bates_start: Option<Start>,
    /// Pixels of a picture's longer side, at most; original puts JPEGs into PDF as they are [default: 1600]
    #[arg(long, value_name = "N|original", value_parser = edge)]
    max_image: Option<Edge>,
    /// Refuse what PDF/A-2u forbids: fonts from --font-dir whose license forbids embedding are an error, those of the
    /// system are left out. Without this a document that shows such a font does not say that it is PDF/A; all others do
    #[arg(long)]
    archival: bool,
}

/// At most so many pixels; `None`: as many as there are.
#[derive(Debug, Clone, Copy)]
struct Edge(Option<u32>);

/// Fewer cannot be recognized, more has no decoder.
const EDGES: std::ops::RangeInclusive<u32> = 64..=65_500;

fn edge(text: &str) -> Result<Edge, String> {
    let number = text.parse().ok().filter(|number| EDGES.contains(number));
    match (text, number) {
        ("original", _) => Ok(Edge(None)),
        (_, Some(number)) => Ok(Edge(Some(number))),
        (_, None) => Err(format!("use original, or a number from {} to {}", EDGES.start(), EDGES.end())),
    }
}

fn split(text: &str) -> Result<Split, &'static str> {
    match (text, text.parse()) {
        ("year", _) => Ok(Split::Year),
        ("month", _) => Ok(Split::Month),
        (_, Ok(messages)) if messages > 0 => Ok(Split::Messages(messages)),
        _ => Err("use year, month, or a number of messages such as 5000"),
    }
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
        Ok(Around {
            cover: !self.no_cover,
            index: !self.no_index,
            division: self.division(),
            bates: self.stamp(),
            longest_edge: self.max_image.map_or(Some(LONGEST_EDGE), |edge| edge.0),
            archival: self.archival,
        })
    }

    fn division(&self) -> Division {
        match self.split {
            Some(split) => Division::Parts(split),
            None if self.combine => Division::All,
            None => Division::Conversation,
        }
    }

    fn stamp(&self) -> Option<Bates> {
        let Start { number, digits } = self.bates_start.unwrap_or(Start { number: 1, digits: DIGITS });
        self.bates.clone().map(|prefix| Bates { prefix, number, digits })
    }

    /// As given, for the manifest: name and value.
    pub fn as_given(&self) -> Vec<(String, String)> {
        let mut given = Vec::new();
        let switches = [
            ("no-cover", self.no_cover),
            ("no-index", self.no_index),
            ("archival", self.archival),
            ("combine", self.combine),
        ];
        for (name, on) in switches {
            if on {
                given.push((name.into(), "true".into()));
            }
        }
        if let Some(split) = self.split {
            let word = match split {
                Split::Year => "year".into(),
                Split::Month => "month".into(),
                Split::Messages(number) => number.to_string(),
            };
            given.push(("split".into(), word));
        }
        if let Some(bates) = self.stamp() {
            given.push(("bates".into(), bates.plus(0)));
        }
        if let Some(Edge(edge)) = self.max_image {
            given.push(("max-image".into(), edge.map_or("original".into(), |edge| edge.to_string())));
        }
        given
    }
}
