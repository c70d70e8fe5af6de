//! Conversation ids.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

const SHORTEST: usize = 8;

/// `c-` and the start of each key's SHA-256, as long as it takes to tell the keys apart.
pub(super) fn ids(keys: &[String]) -> Vec<String> {
    let hashes: Vec<String> = keys
        .iter()
        .map(|key| Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    let mut lengths = vec![SHORTEST; keys.len()];
    loop {
        let mut same: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, hash) in hashes.iter().enumerate() {
            same.entry(&hash[..lengths[i]]).or_default().push(i);
        }
        let clashes = same.into_values().filter(|with| with.len() > 1).flatten();
        let longer: Vec<usize> = clashes.filter(|i| lengths[*i] < hashes[*i].len()).collect();
        if longer.is_empty() {
            break;
        }
        longer.into_iter().for_each(|i| lengths[i] += 4);
    }
    hashes.iter().zip(lengths).map(|(hash, length)| format!("c-{}", &hash[..length])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_start_of_a_hash() {
        assert_eq!(ids(&["direct\0+12025550101".to_owned()])[0].len(), 10);
        assert_eq!(ids(&["orphans".to_owned()]), ids(&["orphans".to_owned()]));
    }

    #[test]
    fn clashing_ids_both_grow() {
        // Two keys whose hashes start with the same eight digits, found by trying.
        let mut seen: HashMap<[u8; 4], String> = HashMap::new();
        let (a, b) = (0..)
            .find_map(|n: u32| {
                let key = format!("direct\0{n}");
                let hash = Sha256::digest(key.as_bytes());
                let start = [hash[0], hash[1], hash[2], hash[3]];
                seen.insert(start, key.clone()).map(|other| (other, key))
            })
            .unwrap();
        let alone = ids(std::slice::from_ref(&a)).remove(0);
        let both = ids(&[a, "orphans".to_owned(), b]);
        assert_ne!(both[0], both[2]);
        assert_eq!((both[0].len(), both[1].len(), both[2].len()), (14, 10, 14));
        assert!(both[0].starts_with(&alone) && both[2].starts_with(&alone));
    }
}
