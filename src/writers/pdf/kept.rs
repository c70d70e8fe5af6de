//! Short texts that return again and again (times, names, days), kept laid out.
//!
//! **Must never**: hold more than so many, however many there are.

use std::collections::HashMap;
use std::sync::Arc;

use super::layout::{Ink, Lines};

/// So many are in a generation.
const GENERATION: usize = 2_048;

/// What tells a laid out text: the text, its ink, its measure, whether it is on one line.
pub type Key = (String, Ink, u32, bool);

/// Two generations: when the younger one is full it becomes the older one, from which what is asked for again comes
/// back. So days, of which there are thousands, do not push out the times of day.
#[derive(Default)]
pub struct Kept {
    younger: HashMap<Key, Arc<Lines>>,
    older: HashMap<Key, Arc<Lines>>,
}

impl Kept {
    pub fn get(&mut self, key: &Key) -> Option<Arc<Lines>> {
        if let Some(lines) = self.younger.get(key) {
            return Some(lines.clone());
        }
        let (key, lines) = self.older.remove_entry(key)?;
        self.insert(key, lines.clone());
        Some(lines)
    }

    pub fn insert(&mut self, key: Key, lines: Arc<Lines>) {
        if self.younger.len() >= GENERATION {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_stays_and_what_is_not_goes() {
        let key = |name: &str| (name.to_owned(), Ink::default(), 0, true);
        let mut kept = Kept::default();
        kept.insert(key("09:00"), Arc::default());
        kept.insert(key("1 May"), Arc::default());
        for day in 0..3 * GENERATION {
            kept.insert(key(&day.to_string()), Arc::default());
            assert!(kept.get(&key("09:00")).is_some());
            assert!(kept.younger.len() + kept.older.len() <= 2 * GENERATION);
        }
        assert!(kept.get(&key("1 May")).is_none());
    }
}
