//! The connections of a source: each is in one session's hands at a time.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use super::lock;

/// Connections that wait to be used.
#[derive(Debug)]
pub(in crate::source) struct Pool {
    idle: Mutex<Vec<Connection>>,
    given_back: Condvar,
}

/// A connection that goes back where it came from.
#[derive(Debug)]
pub(in crate::source) struct Pooled<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Pool {
    pub fn new(connections: Vec<Connection>) -> Pool {
        Pool { idle: Mutex::new(connections), given_back: Condvar::new() }
    }

    /// Blocks while all are in use.
    pub fn take(&self) -> Pooled<'_> {
        let mut idle = lock(&self.idle);
        loop {
            if let Some(connection) = idle.pop() {
                return Pooled { pool: self, connection: Some(connection) };
            }
            idle = self.given_back.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Deref for Pooled<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        // Only `drop` takes it away.
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("a dropped connection is not used"),
        }
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            lock(&self.pool.idle).push(connection);
            self.pool.given_back.notify_one();
        }
    }
}
