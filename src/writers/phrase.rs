//! The words all formats share: what a person reads is phrased once, here.
