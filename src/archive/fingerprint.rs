//! The fingerprint of a row: whether it is as it was, at a glance.
//!
//! It closes over the columns that matter, and over where a message is ([`Places`](super::places::Places)). Two rows that
//! differ have different ones, but for one pair of 2^64; it is keyed with the archive's id, which no sender knows, so that
//! no message can be made to look like another.
//!
//! **Must never**: stand for the row. What an archive vouches for is hashed by SHA-256 ([`row`](super::row)).

use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;

/// Makes the fingerprints of the rows of one table.
#[derive(Debug, Clone)]
pub struct Fingerprints(Vec<OfColumn>);

#[derive(Debug, Clone)]
struct OfColumn {
    salt: i64,
    hasher: SipHasher13,
}

impl Fingerprints {
    /// `columns`: those that matter, in lower case, in the order in which they will be asked for.
    pub fn new(archive: &str, columns: &[&str]) -> Fingerprints {
        let of_column = |name: &&str| {
            let seed = Sha256::digest(format!("{archive} {name}"));
            let number = |at: usize| {
                let mut eight = [0; 8];
                eight.copy_from_slice(&seed[at..at + 8]);
                u64::from_le_bytes(eight)
            };
            OfColumn { salt: number(0) as i64, hasher: SipHasher13::new_with_keys(number(8), number(16)) }
        };
        Fingerprints(columns.iter().map(of_column).collect())
    }

    /// What a column adds. NULL and 0 are the same to Apple, and add nothing: nor does a column that came later.
    pub fn of(&self, column: usize, value: ValueRef<'_>) -> i64 {
        if value == ValueRef::Integer(0) { 0 } else { self.exactly(column, value) }
    }

    /// The integer that adds this to a column.
    pub fn integer(&self, column: usize, adds: i64) -> Option<i64> {
        Some(unmixed(adds).wrapping_sub(self.0.get(column)?.salt))
    }

    /// As [`Fingerprints::of`], where 0 is not NULL.
    pub fn exactly(&self, column: usize, value: ValueRef<'_>) -> i64 {
        let Some(of) = self.0.get(column) else { return 0 };
        match value {
            ValueRef::Null => 0,
            ValueRef::Integer(number) => mixed(number.wrapping_add(of.salt)),
            ValueRef::Real(number) => mixed((number.to_bits() as i64).wrapping_sub(of.salt)),
            ValueRef::Text(bytes) => of.hasher.hash(bytes) as i64,
            ValueRef::Blob(bytes) => !of.hasher.hash(bytes) as i64,
        }
    }
}

/// Spreads a number over all 64 bits: the last step of SplitMix64.
pub fn mixed(number: i64) -> i64 {
    let mut bits = number as u64;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (bits ^ (bits >> 31)) as i64
}

/// What it was that [`mixed`] made this of.
pub fn unmixed(number: i64) -> i64 {
    let mut bits = number as u64;
    bits = (bits ^ (bits >> 31) ^ (bits >> 62)).wrapping_mul(0x3196_42B2_D24D_8EC3);
    bits = (bits ^ (bits >> 27) ^ (bits >> 54)).wrapping_mul(0x96DE_1B17_3F11_9089);
    (bits ^ (bits >> 30) ^ (bits >> 60)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mixed_can_be_told() {
        for number in [0, 1, -1, 725_760_240_000_000_000, i64::MIN, i64::MAX] {
            assert_eq!(unmixed(mixed(number)), number);
        }
    }

    fn of(archive: &str, columns: &[(&str, ValueRef<'_>)]) -> i64 {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let fingerprints = Fingerprints::new(archive, &names);
        let values = columns.iter().enumerate();
        values.fold(0i64, |sum, (at, (_, value))| sum.wrapping_add(fingerprints.of(at, *value)))
    }

    #[test]
    fn what_matters_makes_a_difference() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let row = |a, b| of("archive", &[("a", a), ("b", b)]);
        let different = [
            row(Integer(1), Null),
            row(Null, Integer(1)),
            row(Integer(2), Integer(1)),
            row(Integer(1), Integer(2)),
            row(Real(1.0), Null),
            row(Text(b"1"), Null),
            row(Blob(b"1"), Null),
            row(Null, Text(b"1")),
            row(Null, Null),
            of("another", &[("a", Integer(1)), ("b", Null)]),
        ];
        let mut sorted = different;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|two| two[0] != two[1]), "{different:?}");
        assert_eq!(row(Integer(0), Null), row(Null, Integer(0)));
        assert_eq!(row(Integer(7), Null), of("archive", &[("a", Integer(7))]), "a column that came later");
    }
}
