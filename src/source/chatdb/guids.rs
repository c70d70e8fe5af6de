//! Which row has, or points at, a GUID: a compact index in memory.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

/// The GUID in an `associated_message_guid`, without what says which part is meant
/// (`messages-format.md` 6.2): `p:0/GUID`, `bp:GUID`, `r:0:0:5:GUID`, `GUID`.
pub fn target_of(associated: &str) -> &str {
    if let Some(rest) = associated.strip_prefix("bp:") {
        rest
    } else if associated.starts_with("p:") {
        associated.split_once('/').map_or(associated, |(_, guid)| guid)
    } else if associated.starts_with("r:") {
        associated.rsplit(':').next().unwrap_or(associated)
    } else {
        associated
    }
}

/// What a GUID is compared by: its last 36 characters (some have a prefix), case aside.
pub(super) fn last_36(guid: &str) -> &str {
    guid.len().checked_sub(36).and_then(|start| guid.get(start..)).unwrap_or(guid)
}

/// How a row may spell the GUID that another one names, the likeliest first.
pub(super) fn spellings(guid: &str) -> [Cow<'_, str>; 4] {
    let bare = last_36(guid);
    [guid.into(), bare.into(), bare.to_ascii_uppercase().into(), bare.to_ascii_lowercase().into()]
}

pub(super) fn same(a: &str, b: &str) -> bool {
    last_36(a).eq_ignore_ascii_case(last_36(b))
}

/// GUID → row ids, 17 bytes a row. Finds candidates: two GUIDs may share a hash, so the row itself has the last word.
#[derive(Debug)]
pub(super) struct GuidIndex {
    /// Sorted.
    entries: Vec<(u64, i64)>,
    /// Where in `entries` the hashes with these top bits start.
    starts: Vec<u32>,
    shift: u32,
    /// A bit for each value of the low bits, set where an entry has it. Most rows that are asked for are not there,
    /// and this is small enough to stay in the processor's cache.
    present: Vec<u64>,
}

impl GuidIndex {
    /// Of (hash, row id) pairs, in any order.
    pub fn new(mut entries: Vec<(u64, i64)>) -> GuidIndex {
        entries.sort_unstable();
        entries.dedup();
        entries.shrink_to_fit();
        // About four entries for each value of the top bits.
        let bits = (entries.len() / 4).max(2).ilog2().min(24);
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for top in 0..=(1u64 << bits) {
            while entries.get(at).is_some_and(|&(hash, _)| hash >> shift < top) {
                at += 1;
            }
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let mut present = vec![0; (entries.len() / 8).next_power_of_two()];
        for &(hash, _) in &entries {
            let (word, bit) = place(hash, present.len());
            if let Some(word) = present.get_mut(word) {
                *word |= bit;
            }
        }
        GuidIndex { entries, starts, shift, present }
    }

    pub fn hash(guid: &str) -> u64 {
        let mut upper = [0; 36];
        let guid = last_36(guid).as_bytes();
        let mut hasher = DefaultHasher::new();
        match upper.get_mut(..guid.len()) {
            Some(upper) => {
                upper.copy_from_slice(guid);
                upper.make_ascii_uppercase();
                hasher.write(upper);
            }
            // Only where byte 36 from the end is inside a character.
            None => hasher.write(&guid.to_ascii_uppercase()),
        }
        hasher.finish()
    }

    /// `false`: no row has this GUID. Asked of many GUIDs in a row, the processor looks for several at a time.
    pub fn may_have(&self, guid: &str) -> bool {
        let (word, bit) = place(GuidIndex::hash(guid), self.present.len());
        self.present.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The rows whose GUID may be this one, by row id.
    pub fn candidates(&self, guid: &str) -> impl Iterator<Item = i64> + '_ {
        let hash = GuidIndex::hash(guid);
        let top = (hash >> self.shift) as usize;
        let bound = |at: usize| self.starts.get(at).map_or(self.entries.len(), |&s| s as usize);
        self.entries
            .get(bound(top)..bound(top + 1))
            .unwrap_or_default()
            .iter()
            .filter(move |(entry, _)| *entry == hash)
            .map(|&(_, rowid)| rowid)
    }
}

/// The word and the bit in it that stand for a hash, in `words` words: a power of two.
fn place(hash: u64, words: usize) -> (usize, u64) {
    ((hash >> 6) as usize & (words - 1), 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "0F0B3C7E-1111-4222-8333-ABCDEFABCDEF";

    #[test]
    fn every_form_points_at_the_guid() {
        for associated in [
            GUID.to_string(),
            format!("p:0/{GUID}"),
            format!("p:12/{GUID}"),
            format!("bp:{GUID}"),
            format!("r:1:0:5:{GUID}"),
        ] {
            assert_eq!(target_of(&associated), GUID);
        }
        assert_eq!(last_36(target_of(&format!("p:0/SMS-{GUID}"))), GUID);
        assert_eq!(target_of("p:0/short"), "short");
        assert_eq!(target_of("p:"), "p:");
        assert_eq!(target_of(""), "");
        assert!(same(&GUID.to_lowercase(), GUID));
        assert!(same(&format!("x{GUID}"), GUID));
        assert!(!same(GUID, "short"));
        let wide = "é".repeat(40);
        assert!(same(&wide, &wide));
        let odd = format!("é{}", "a".repeat(35));
        assert_eq!(last_36(&odd), odd);
        GuidIndex::hash(&odd);
    }

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        for count in [0i64, 1, 5, 5000] {
            let guid = |n: i64| format!("{n:08X}-0000-4000-8000-000000000000");
            let entries = (0..count)
                .flat_map(|n| [(GuidIndex::hash(&guid(n)), n), (GuidIndex::hash(&guid(n)), n + 9999)])
                .collect();
            let index = GuidIndex::new(entries);
            for n in 0..count {
                let found: Vec<i64> = index.candidates(&guid(n).to_lowercase()).collect();
                assert_eq!(found, [n, n + 9999]);
                assert!(index.may_have(&guid(n)));
            }
            let strangers = (count..count + 1000).filter(|n| index.may_have(&guid(*n))).count();
            assert!(strangers < 250, "{strangers} of 1000 strangers are taken for known ones");
            assert_eq!(index.candidates(&guid(count)).count(), 0);
        }
    }
}
