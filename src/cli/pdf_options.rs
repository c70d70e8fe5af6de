use std::path::PathBuf;

use msgarchive::writers::Format;
use msgarchive::writers::pdf::{FONT_SIZES, Paper, PdfOptions as Look, Theme, Times};

use super::Failure;
use super::selection_options::named;

/// What shapes PDF, and nothing else.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PDF")]
pub struct PdfOptions {
    /// The size of a page: a4, letter or a5
    #[arg(long, value_name = "PAPER", hide_possible_values = true, value_parser = named(Paper::NAMES))]
    paper: Option<Paper>,
    /// The look: messages (bubbles in colors), plain (outlines, for printing in black and white) or compact (a list,
    /// many messages a page)
    #[arg(long, value_name = "THEME", hide_possible_values = true, value_parser = named(Theme::NAMES))]
    theme: Option<Theme>,
    /// The size of messages' text, in points: 6 to 24 (default 10, compact 8.5); everything else
    /// goes with it
    #[arg(long, value_name = "POINTS", value_parser = font_size)]
    font_size: Option<f32>,
    /// What is said of every message's time: minutes, or exact (seconds, the offset from UTC, delivered and read)
    #[arg(long, value_name = "TIMES", hide_possible_values = true, value_parser = named(Times::NAMES))]
    times: Option<Times>,
    /// A folder with further fonts; repeatable
    #[arg(long, value_name = "DIR")]
    pub font_dir: Vec<PathBuf>,
    /// Use the system's fonts where the built-in ones lack a character
    #[arg(long)]
    pub system_fonts: bool,
}

fn font_size(word: &str) -> Result<f32, String> {
    let (least, most) = (FONT_SIZES.start(), FONT_SIZES.end());
    let size = word.parse::<f32>().ok().filter(|size| FONT_SIZES.contains(size));
    size.ok_or_else(|| format!("a number of points from {least} to {most}"))
}

/// An option that is for PDF only wants PDF.
///
/// # Errors
/// [`Failure::Usage`] where one was given, and PDF is not among the formats.
pub fn wants_pdf(given: Option<&(String, String)>, formats: &[&Format]) -> Result<(), Failure> {
    if let Some((option, _)) = given
        && formats.iter().all(|format| format.name != "pdf")
    {
        let names: Vec<&str> = formats.iter().map(|format| format.name).collect();
        let names = names.join(",");
        return Err(Failure::Usage(format!(
            "--{option} is for PDF, which is not among the formats: say --format {names},pdf"
        )));
    }
    Ok(())
}

impl PdfOptions {
    /// How documents look.
    ///
    /// # Errors
    /// [`Failure::Usage`] where something is asked of PDF, and PDF is not.
    pub fn look(&self, formats: &[&Format]) -> Result<Look, Failure> {
        wants_pdf(self.as_given().first(), formats)?;
        let usual = Look::default();
        let theme = self.theme.unwrap_or(usual.theme);
        Ok(Look {
            paper: self.paper.unwrap_or(usual.paper),
            theme,
            font_size: self.font_size.unwrap_or(theme.usual_font_size()),
            times: self.times.unwrap_or(usual.times),
        })
    }

    /// As given, for the manifest: name and value. Folders are of this machine, not of the export.
    pub fn as_given(&self) -> Vec<(String, String)> {
        let mut given = Vec::new();
        let mut put = |name: &str, value: String| given.push((name.to_owned(), value));
        if let Some((word, _)) = Paper::NAMES.iter().find(|(_, paper)| Some(*paper) == self.paper) {
            put("paper", (*word).to_owned());
        }
        if let Some((word, _)) = Theme::NAMES.iter().find(|(_, theme)| Some(*theme) == self.theme) {
            put("theme", (*word).to_owned());
        }
        if let Some(size) = self.font_size {
            put("font-size", size.to_string());
        }
        if let Some((word, _)) = Times::NAMES.iter().find(|(_, times)| Some(*times) == self.times) {
            put("times", (*word).to_owned());
        }
        if self.system_fonts {
            put("system-fonts", "true".to_owned());
        }
        given
    }
}
