//! Protocol buffers, as far as they go.

use prost::Message;

/// Reads a message. Of one that is damaged, the fields before the damage, and what is wrong in words.
pub fn read<M: Message + Default>(bytes: &[u8]) -> (M, Option<String>) {
    let mut message = M::default();
    let damage = message.merge(bytes).err().map(|error| error.to_string());
    (message, damage)
}
