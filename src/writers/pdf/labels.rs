//! What pages are called, beside the numbers that readers count: what is printed on them.

use super::options::Bates;

/// Pages from this one on, up to the next range: a prefix, and a number that counts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// From 0.
    pub first: u32,
    pub prefix: String,
    /// Of the first page.
    pub number: i32,
}

/// The labels of so many pages: their numbers, or those that are stamped on them. PDF has no leading zeros: they belong
/// to the prefix, which changes where there is one less of them.
pub fn page_labels(bates: Option<&Bates>, pages: u32) -> Vec<Range> {
    let plain = Range { first: 0, prefix: String::new(), number: 1 };
    let Some(Bates { prefix, number, digits }) = bates else { return vec![plain] };
    // PDF counts no further.
    let last = number.saturating_add(u64::from(pages));
    let (Ok(start), Ok(_)) = (i32::try_from(*number), i32::try_from(last)) else { return vec![plain] };
    let mut ranges: Vec<Range> = Vec::new();
    let mut next = start;
    while i64::from(next) < last as i64 {
        let length = next.max(1).ilog10() + 1;
        let zeros = digits.saturating_sub(length as usize);
        let prefix = format!("{prefix}{:0<zeros$}", "");
        // Counting begins at 1: a page of the number 0 has it in its prefix.
        let first = (next - start) as u32;
        ranges.push(match next {
            0 => Range { first, prefix: format!("{prefix}0"), number: 0 },
            number => Range { first, prefix, number },
        });
        next = if next == 0 { 1 } else { 10_i32.saturating_pow(length) };
        // No number from here on has a leading zero.
        if zeros == 0 && next > 1 {
            break;
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: u64, digits: usize, pages: u32) -> Vec<String> {
        let bates = Bates { prefix: "ABC".into(), number, digits };
        let ranges = page_labels(Some(&bates), pages);
        let label = |page: u32| {
            let range = ranges.iter().rev().find(|range| range.first <= page).unwrap();
            match range.number {
                0 => range.prefix.clone(),
                number => format!("{}{}", range.prefix, number as u32 + page - range.first),
            }
        };
        (0..pages).map(label).collect()
    }

    #[test]
    fn labels_are_what_is_stamped() {
        for (number, digits, pages) in
            [(1, 6, 1_200), (0, 6, 12), (0, 1, 12), (95, 2, 10), (999_998, 6, 5), (7, 1, 100)]
        {
            let bates = Bates { prefix: "ABC".into(), number, digits };
            let stamped: Vec<_> = (0..pages).map(|page| bates.plus(page)).collect();
            assert_eq!(shown(number, digits, pages), stamped);
        }
    }

    #[test]
    fn numbers_that_pdf_cannot_count_are_left_to_the_page() {
        let bates = Bates { prefix: "ABC".into(), number: u64::from(u32::MAX), digits: 6 };
        assert_eq!(page_labels(Some(&bates), 3), page_labels(None, 3));
    }
}
