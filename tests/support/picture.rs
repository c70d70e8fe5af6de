//! Pictures drawn by code.
