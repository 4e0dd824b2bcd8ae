//! Distributed traces (W3C Trace Context): the span of a caller, and ours below it.

use std::fmt;

use http::{HeaderMap, HeaderValue};

use crate::headers::single_header;

/// The header, and the key of MCP's `_meta`, for a span.
pub const TRACEPARENT: &str = "traceparent";

/// A trace, and a span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 hexadecimal digits.
    pub(super) trace: String,
    /// 16 hexadecimal digits.
    pub(super) span: String,
    pub(super) flags: String,
}

impl TraceContext {
    /// Reads `VERSION-TRACE-SPAN-FLAGS`; nothing if it is not that, since a broken trace stops no call.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, length| {
            let mut bytes = part.bytes();
            part.len() == length && bytes.all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_set = |part: &str| part.bytes().any(|byte| byte != b'0');
        let known =
            hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let ids = hex(trace, 32) && is_set(trace) && hex(span, 16) && is_set(span);
        (known && ids && hex(flags, 2)).then(|| Self {
            trace: trace.to_owned(),
            span: span.to_owned(),
            flags: flags.to_owned(),
        })
    }

    /// The span that a request's headers name.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        Self::parse(single_header(headers, TRACEPARENT).ok()??)
    }

    /// A new span below this one, in the same trace. Of the flags it has the one that is defined: whether the trace is recorded.
    #[must_use]
    pub fn child(&self) -> Self {
        let flags = u8::from_str_radix(&self.flags, 16).unwrap_or_default();
        Self {
            trace: self.trace.clone(),
            // Zero is no span.
            span: format!("{:016x}", rand::random_range(1..=u64::MAX)),
            flags: format!("{:02x}", flags & 1),
        }
    }

    /// The header that hands it on.
    pub fn header(&self) -> HeaderValue {
        // Its characters are all hexadecimal digits and hyphens.
        HeaderValue::from_str(&self.to_string()).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace}-{span}-{flags}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_goes_on_in_a_new_span_and_what_is_no_trace_is_dropped() {
        let context = TraceContext::parse(GOOD).unwrap();
        assert_eq!(context.to_string(), GOOD);
        let child = context.child();
        assert_eq!(child.trace, context.trace);
        assert_ne!(child.span, context.span);
        assert_eq!(TraceContext::parse(&child.to_string()), Some(child));
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473\r-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
        assert!(TraceContext::parse(&format!("cc{}-more", &GOOD[2..])).is_some());
    }
}
