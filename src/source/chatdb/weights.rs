//! Windows whose rows are large, in parts: how much memory a window takes is a matter of bytes, too, not of rows alone.
//!
//! A window is read until its rows have so many bytes, which few have; only then is it weighed, to be divided. The lengths
//! of values are in a row's head: weighing reads them without the values.

use rusqlite::{OptionalExtension, params};

use super::session::Reader;
use crate::source::database::Columns;
use crate::source::timeline::{Moment, Sample, Window};
use crate::source::{RawMessage, SourceError, Timeline};

/// Bytes of texts, bodies and payloads in a part, about; a thousand ordinary rows have a quarter of it. Laid out for a page,
/// a text takes thirty times its bytes.
pub(super) const MOST_BYTES: usize = 1 << 21;

/// What a row weighs that was read.
pub(super) fn weight(row: &RawMessage) -> usize {
    let text = row.text.as_ref().map_or(0, String::len);
    let blobs = [&row.attributed_body, &row.payload_data];
    blobs.into_iter().flatten().fold(text, |sum, blob| sum.saturating_add(blob.len()))
}

impl Reader<'_> {
    /// A window in parts of about [`MOST_BYTES`] bytes.
    pub(super) fn divide_by_weight(
        &self,
        timeline: &Timeline,
        window: &Window,
    ) -> Result<Vec<Window>, SourceError> {
        let samples = match self.weigh(timeline, window).map_err(self.failed()) {
            // What can be read is found out when it is read.
            Err(SourceError::Damaged { .. }) => Vec::new(),
            weighed => weighed?,
        };
        let weight = samples.iter().fold(0, |sum: usize, sample| sum.saturating_add(sample.amount));
        if weight <= MOST_BYTES {
            return Ok(vec![window.clone()]);
        }
        Ok(window.clone().cut(samples, MOST_BYTES, timeline))
    }

    /// What the rows of a window weigh, oldest first.
    fn weigh(&self, timeline: &Timeline, window: &Window) -> rusqlite::Result<Vec<Sample>> {
        let sample = |date: i64, bytes: i64| Sample {
            moment: Moment::of(date),
            date,
            amount: usize::try_from(bytes).unwrap_or(0),
        };
        let mut samples = Vec::new();
        if let Some(sql) = &self.queries().weights {
            let mut statement = self.connection().prepare_cached(sql)?;
            for chat in &timeline.joined {
                let mut rows = statement.query(params![chat, window.after, window.through])?;
                while let Some(row) = rows.next()? {
                    let mut c = Columns::from(row, 0);
                    samples.push(sample(c.number(), c.number()));
                }
            }
        }
        let mut statement = self.connection().prepare_cached(&self.queries().weight)?;
        for row in timeline.listed.get(window.listed.clone()).unwrap_or_default() {
            let bytes = statement.query_row([row.rowid], |row| Ok(Columns::from(row, 0).number()));
            samples.push(sample(row.date, bytes.optional()?.unwrap_or(0)));
        }
        samples.sort_by_key(|sample| sample.moment);
        Ok(samples)
    }
}
