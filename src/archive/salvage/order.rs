//! Which rows of a page lie where rows of their row ids belong. One whose row id is damaged may have that of another row: where
//! it lies tells the two apart.
//!
//! **Must never**: say of a row that it is damaged. It only comes after the others.

use std::ops::RangeInclusive;

/// Of row ids in the order in which they lie in a page of those `within`, which are in order: as many as can be.
pub fn in_order(rowids: &[Option<i64>], within: &RangeInclusive<i64>) -> Vec<bool> {
    // By how long a line of rows in order is: the last row of the line that ends lowest. And which row is before each.
    let (mut lines, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), vec![None; rowids.len()]);
    // What has no row id lies by something else.
    let mut are_in_order: Vec<bool> = rowids.iter().map(Option::is_none).collect();
    for (at, rowid) in rowids.iter().enumerate() {
        let Some(rowid) = rowid.filter(|rowid| within.contains(rowid)) else { continue };
        let longer = lines.partition_point(|last| rowids[*last] < Some(rowid));
        before[at] = longer.checked_sub(1).map(|line| lines[line]);
        match lines.get_mut(longer) {
            Some(last) => *last = at,
            None => lines.push(at),
        }
    }
    let mut next = lines.last().copied();
    while let Some(at) = next {
        are_in_order[at] = true;
        next = before[at];
    }
    are_in_order
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[track_caller]
    fn check(rowids: &[i64], within: std::ops::RangeInclusive<i64>, expected: &[i64]) {
        let rowids: Vec<Option<i64>> = rowids.iter().copied().map(Some).collect();
        let are_in_order = in_order(&rowids, &within);
        let left: Vec<i64> =
            rowids.into_iter().zip(are_in_order).filter(|(_, is)| *is).filter_map(|(id, _)| id).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_row_whose_row_id_is_damaged_is_out_of_order() {
        check(&[79, 80, 81, 82], 0..=100, &[79, 80, 81, 82]);
        check(&[79, 84, 81, 82, 83, 84], 0..=100, &[79, 81, 82, 83, 84]);
        check(&[78, 79, 16, 81], 0..=100, &[78, 79, 81]);
        check(&[-5, 80, 81], 79..=100, &[80, 81]);
        check(&[79, 84], 79..=80, &[79]);
        check(&[84], 79..=80, &[]);
        check(&[i64::MIN, 0, i64::MAX], i64::MIN..=i64::MAX, &[i64::MIN, 0, i64::MAX]);
        check(&[], 0..=1, &[]);
    }

    #[test]
    fn what_has_no_row_id_is_in_order() {
        assert_eq!(in_order(&[None, None], &(0..=1)), [true, true]);
    }
}
