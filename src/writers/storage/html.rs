//! An estimate as one page that needs nothing else: no script, no file beside it, no network.

use std::io::{self, Write};

use askama::Template;

use super::sheet::{Bar, Chart, Sheet};

/// Writes the page.
///
/// # Errors
/// What writing said.
pub fn write(sheet: &Sheet, to: &mut dyn Write) -> io::Result<()> {
    let mut buffered = io::BufWriter::new(to);
    Page { sheet }.write_into(&mut buffered)?;
    buffered.flush()
}

#[derive(Template)]
#[template(path = "storage.html")]
struct Page<'s> {
    sheet: &'s Sheet,
}

/// Units of a bar that fills its room.
const WIDTH: f64 = 1000.0;
/// Of one that is there, and could not be seen.
const LEAST: f64 = 4.0;
/// Units from one column of the years to the next, and of a column.
const STEP: f64 = 10.0;
const COLUMN: f64 = 7.0;
/// Of the highest column.
const HEIGHT: f64 = 60.0;

/// The path of a bar's part, from left to right.
fn lying(from: f64, to: f64) -> String {
    format!("M{:.0} 0h{:.0}v10h-{:.0}z", from * WIDTH, (to - from) * WIDTH, (to - from) * WIDTH)
}

impl Page<'_> {
    fn charts(&self) -> [&Chart; 2] {
        [&self.sheet.categories, &self.sheet.conversations]
    }

    /// What is certain.
    fn certain(&self, bar: &Bar) -> String {
        if bar.low > 0.0 { lying(0.0, bar.low.max(LEAST / WIDTH)) } else { String::new() }
    }

    /// What may be.
    fn possible(&self, bar: &Bar) -> String {
        let high = bar.high.max(LEAST / WIDTH);
        if bar.high > 0.0 && high > bar.low { lying(bar.low, high) } else { String::new() }
    }

    /// The columns of the years, below one another: what is certain, and what may be.
    fn columns(&self) -> [String; 2] {
        let mut paths = [String::new(), String::new()];
        for (bar, number) in self.sheet.years.bars.iter().zip(0..) {
            let x = f64::from(number) * STEP + (STEP - COLUMN) / 2.0;
            let (low, high) =
                (bar.low * HEIGHT, (bar.high * HEIGHT).max(if bar.high > 0.0 { 0.6 } else { 0.0 }));
            let column = |bottom: f64, height: f64| {
                format!("M{x:.1} {:.1}h{COLUMN}v-{height:.1}h-{COLUMN}z", HEIGHT - bottom)
            };
            if low > 0.0 {
                paths[0].push_str(&column(0.0, low));
            }
            if high > low {
                paths[1].push_str(&column(low, high - low));
            }
        }
        paths
    }

    fn columns_width(&self) -> f64 {
        self.sheet.years.bars.len() as f64 * STEP
    }
}
