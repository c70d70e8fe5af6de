//! Where each message is in the document, in twelve bytes: replies link to their originals.

use std::collections::HashMap;

/// So many are kept unsorted.
const RECENT: usize = 1 << 15;

/// A place in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub page: u32,
    /// Points from the top.
    pub y: u16,
}

impl Place {
    /// Where a document begins.
    pub const FIRST: Place = Place { page: 0, y: 0 };
}

/// The places of all messages so far.
#[derive(Debug, Default)]
pub struct Places {
    recent: HashMap<u64, Place>,
    /// Sorted runs of hash, page and y (22 and 10 bits).
    runs: Vec<Vec<[u32; 3]>>,
}

impl Places {
    /// Remembers where a message is.
    pub fn insert(&mut self, guid: &str, place: Place) {
        self.recent.insert(hash(guid), place);
        if self.recent.len() >= RECENT {
            let pack = |(hash, place): (u64, Place)| {
                [(hash >> 32) as u32, hash as u32, place.page << 10 | u32::from(place.y & 0x3ff)]
            };
            let mut run: Vec<_> = self.recent.drain().map(pack).collect();
            run.sort_unstable();
            self.runs.push(run);
        }
    }

    /// Where a message is, if it has come already.
    pub fn get(&self, guid: &str) -> Option<Place> {
        let hash = hash(guid);
        if let Some(place) = self.recent.get(&hash) {
            return Some(*place);
        }
        let key = [(hash >> 32) as u32, hash as u32];
        self.runs.iter().rev().find_map(|run| {
            let at = run.binary_search_by(|entry| [entry[0], entry[1]].cmp(&key)).ok()?;
            let packed = run.get(at)?[2];
            Some(Place { page: packed >> 10, y: (packed & 0x3ff) as u16 })
        })
    }
}

/// FNV-1a with a good last mix. A clash of two of a million is a wrong link once in 40 million documents.
fn hash(guid: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in guid.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_every_run() {
        let mut places = Places::default();
        let total = RECENT * 2 + 10;
        for number in 0..total {
            let place = Place { page: (number / 11) as u32, y: (number % 842) as u16 };
            places.insert(&format!("GUID-{number}"), place);
        }
        assert_eq!(places.runs.len(), 2);
        for number in [0, 1, RECENT - 1, RECENT, RECENT * 2, total - 1] {
            let place = Place { page: (number / 11) as u32, y: (number % 842) as u16 };
            assert_eq!(places.get(&format!("GUID-{number}")), Some(place), "{number}");
        }
        assert_eq!(places.get("another"), None);
    }
}
