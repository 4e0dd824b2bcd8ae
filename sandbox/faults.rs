//! Faults on demand, for the next calls of an operation.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::pages::{Reply, reply, set_header, text};

/// What goes wrong with a call.
///
/// With the first four, the operation is not carried out, and the fault is the answer.
/// With the others it is carried out, but its answer is late or lost: a purchase was made.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Another answer: status, content type, body.
    Status(u16, &'static str, String),
    /// A 200 with any bytes as its body.
    Body {
        /// The `Content-Type` of the answer.
        content_type: &'static str,
        /// The body, whatever it is.
        bytes: Vec<u8>,
    },
    /// An empty answer with that status and `Retry-After`.
    RetryAfter(u16, String),
    /// A 302 to that address.
    Redirect(String),
    /// The answer comes after that long.
    Delay(Duration),
    /// The answer never comes, and the connection stays open.
    Hang,
    /// The connection breaks after the headers and half of the body.
    CutAfterHeaders,
    /// The connection is reset without an answer.
    Reset,
}

/// The faults to come, by operation.
#[derive(Debug, Default)]
pub(crate) struct Script(BTreeMap<String, VecDeque<(Fault, usize)>>);

impl Script {
    /// Adds a fault for that many calls, after those already there.
    pub(crate) fn add(&mut self, operation: &str, fault: Fault, times: usize) {
        if times > 0 {
            let faults = self.0.entry(operation.to_owned()).or_default();
            faults.push_back((fault, times));
        }
    }

    /// The fault for this call, if there is one.
    pub(crate) fn take(&mut self, operation: &str) -> Option<Fault> {
        let faults = self.0.get_mut(operation)?;
        let (fault, times) = faults.front_mut()?;
        let fault = fault.clone();
        *times -= 1;
        if *times == 0 {
            faults.pop_front();
        }
        Some(fault)
    }
}

impl Fault {
    /// The answer instead of the operation's, where the fault is one.
    pub(crate) fn reply(&self) -> Option<Reply> {
        let with_header = |status, name, value: &str| {
            let mut reply = text(status, "");
            set_header(&mut reply, name, value);
            reply
        };
        match self {
            Self::Status(status, content_type, body) => {
                Some(reply(*status, content_type, body.clone()))
            }
            Self::Body {
                content_type,
                bytes,
            } => Some(reply(200, content_type, bytes.clone())),
            Self::RetryAfter(status, value) => Some(with_header(*status, "retry-after", value)),
            Self::Redirect(address) => Some(with_header(302, "location", address)),
            Self::Delay(_) | Self::Hang | Self::CutAfterHeaders | Self::Reset => None,
        }
    }
}
