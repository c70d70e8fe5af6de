//! Which conversations, which dates, which messages.
