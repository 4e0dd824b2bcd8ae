//! What a call holds after it has ended: until its answer is handed to the socket, and then until the client has taken it.

use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;
use sevendigital::LargeAnswer;

use super::permits::{Permit, UntakenBytes};

/// Held from the end of a call until its answer is handed over.
#[derive(Debug)]
pub struct Hold {
    permit: Permit,
    _large: Option<LargeAnswer>,
}

impl Hold {
    pub(super) fn new(permit: Permit, large: Option<LargeAnswer>) -> Self {
        Self {
            permit,
            _large: large,
        }
    }
}

/// Where the calls of one request leave what they hold. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Held(Arc<Mutex<Vec<Hold>>>);

impl Held {
    /// Keeps it until the answer is handed over.
    pub fn keep(&self, hold: Option<Box<Hold>>) {
        self.0.lock().extend(hold.map(|hold| *hold));
    }

    /// The answer is handed over: what was held is free. The bytes of it that the client has not taken count until the value is dropped.
    pub fn hand_over(&self, bytes: usize) -> Option<UntakenBytes> {
        let held = mem::take(&mut *self.0.lock());
        let mut untaken = None;
        for Hold { permit, .. } in held {
            untaken = permit.hand_over(bytes).or(untaken);
        }
        untaken
    }
}
