//! Things that turn out to be the same thing.

/// Disjoint sets of `0..n`. A set is known by its lowest member, so results do not depend on the order of joining.
#[derive(Debug)]
pub(super) struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    /// Everything apart.
    pub fn new(n: usize) -> Sets {
        Sets { parent: (0..n).collect() }
    }

    /// The lowest member of the set that `i` is in.
    pub fn find(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    /// Makes one set of two and returns its lowest member. Each find halves its path, so a long chain costs once.
    pub fn join(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high] = low;
        low
    }
}
