use std::ops::AddAssign;

/// How many things, and what they take in iCloud: at least, and at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount {
    /// Messages and attachments, each time a message has one.
    pub items: u64,
    /// Bytes: what is synchronized and shown, each content once.
    pub low: u64,
    /// Bytes: whatever is there, each time a message has it.
    pub high: u64,
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Amount) {
        self.items += more.items;
        self.low = self.low.saturating_add(more.low);
        self.high = self.high.saturating_add(more.high);
    }
}
