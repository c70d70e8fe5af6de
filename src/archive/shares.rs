//! A table of a source, read by several workers: each has a share of its row ids.
//!
//! **Must never**: leave a row to nobody, or to two.

use std::ops::RangeInclusive;

use super::ArchiveError;
use crate::source::tables::{Table, TableReader, Tables};

/// Lets each of the workers `read` a share, at once; what they made of it is in the order of the rows. `workers`: what each of
/// them works with; at least one.
///
/// # Errors
/// The first of the shares that could not be read.
pub fn in_shares<W: Send, T: Send>(
    tables: &Tables,
    table: &Table,
    mut workers: Vec<W>,
    read: impl Fn(W, RangeInclusive<i64>, &TableReader<'_>) -> Result<T, ArchiveError> + Sync,
) -> Result<Vec<T>, ArchiveError> {
    let span = match table.has_rowids {
        true => tables.reader().span(table)?,
        // Whoever reads any of it reads all.
        false => {
            workers.truncate(1);
            None
        }
    };
    let shares = shares(span, workers.len());
    std::thread::scope(|scope| {
        let read = &read;
        let started: Vec<_> = workers
            .into_iter()
            .zip(shares)
            .map(|(worker, share)| scope.spawn(move || read(worker, share, &tables.reader())))
            .collect();
        let joined = started.into_iter().map(|worker| worker.join());
        // All of them are waited for, whatever one of them found.
        let read: Vec<_> =
            joined.map(|read| read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect();
        read.into_iter().collect()
    })
}

/// Divides all row ids there could be into `workers` ranges, so that those in use are shared evenly.
fn shares(span: Option<RangeInclusive<i64>>, workers: usize) -> Vec<RangeInclusive<i64>> {
    let (first, last) = span.map_or((0, 0), |span| (*span.start(), *span.end()));
    let step = (last.saturating_sub(first) / workers.max(1) as i64).max(1);
    let mut shares = Vec::with_capacity(workers);
    // `None`: the last one is somebody's already.
    let mut from = Some(i64::MIN);
    for worker in 1..=workers as i64 {
        let to = if worker == workers as i64 {
            i64::MAX
        } else {
            first.saturating_add(step.saturating_mul(worker))
        };
        shares.push(from.map_or(RangeInclusive::new(i64::MAX, i64::MIN), |from| from..=to));
        from = to.checked_add(1).filter(|_| from.is_some());
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn every_row_id_is_in_one_share() {
        for (span, workers) in [
            (None, 1),
            (Some(1..=1_000_000), 3),
            (Some(i64::MIN..=i64::MAX), 2),
            (Some(5..=5), 4),
            (Some(i64::MAX..=i64::MAX), 4),
            (Some(i64::MAX - 1..=i64::MAX), 4),
            (Some(1..=i64::MAX), 3),
        ] {
            let shares = shares(span, workers);
            assert_eq!(shares.len(), workers);
            let ends = shares.iter().flat_map(|share| [*share.start(), *share.end()]);
            let near = ends.flat_map(|end| [end.saturating_sub(1), end, end.saturating_add(1)]);
            for rowid in near.chain([i64::MIN, 0, 1, i64::MAX]) {
                let whose = shares.iter().filter(|share| share.contains(&rowid)).count();
                assert_eq!(whose, 1, "{rowid} {shares:?}");
            }
        }
    }
}
