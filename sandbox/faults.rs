//! Faults on demand: what a test can make the next calls of an operation suffer.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::pages::{Reply, reply, set_header};

/// What goes wrong with a call.
///
/// The first four answer in the operation's place, which is then not carried out.
/// The others carry it out, and its answer comes late or is lost: a purchase was made.
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
            self.0
                .entry(operation.to_owned())
                .or_default()
                .push_back((fault, times));
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
    /// The answer in the operation's place, where the fault is one.
    pub(crate) fn reply(&self) -> Option<Reply> {
        match self {
            Self::Status(status, content_type, body) => {
                Some(reply(*status, content_type, body.clone()))
            }
            Self::Body {
                content_type,
                bytes,
            } => Some(reply(200, content_type, bytes.clone())),
            Self::RetryAfter(status, value) => {
                let mut reply = reply(*status, "text/plain; charset=utf-8", "");
                set_header(&mut reply, "retry-after", value);
                Some(reply)
            }
            Self::Redirect(address) => {
                let mut reply = reply(302, "text/plain; charset=utf-8", "");
                set_header(&mut reply, "location", address);
                Some(reply)
            }
            Self::Delay(_) | Self::Hang | Self::CutAfterHeaders | Self::Reset => None,
        }
    }
}
