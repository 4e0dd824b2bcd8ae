//! Framing that two servers can read in two ways: hyper decides for one of them, and a proxy before it perhaps for the other.

/// A byte that no header may contain: hyper answers it with 400 and closes the connection.
const FORBIDDEN: u8 = 0;

/// Watches a header on its way to hyper.
#[derive(Debug, Default)]
pub(super) struct FramingFilter {
    part: Part,
    /// How this line begins, up to a colon and as far as it matters: the name of its field.
    name: Vec<u8>,
    /// Whether a field has said how long the body is.
    measured: bool,
    /// Whether the request line has ended.
    has_line: bool,
    last: u8,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Empty lines may come first.
    #[default]
    Before,
    Name,
    Value,
    Body,
}

impl FramingFilter {
    /// A header may begin with what comes next.
    pub(super) fn restart(&mut self) {
        *self = Self {
            last: self.last,
            ..Self::default()
        };
    }

    /// Bytes that are not looked at pass.
    pub(super) fn skip(&mut self, bytes: &[u8]) {
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    /// Forbids a line that ends with LF alone, a second field that says how long the body is, and `#` in the target: one server cuts it off there, another sends it on.
    pub(super) fn look(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let seen = *byte;
            match (self.part, seen) {
                (Part::Body, _) | (Part::Before, b'\r' | b'\n') | (Part::Name, b'\r') => {}
                (Part::Before, _) if !seen.is_ascii_alphabetic() => self.part = Part::Body,
                (_, b'\n') if self.last != b'\r' => *byte = FORBIDDEN,
                (Part::Name | Part::Value, b'#') if self.is_in_target() => *byte = FORBIDDEN,
                (Part::Name, b'\n') if self.name.is_empty() => self.part = Part::Body,
                (_, b'\n') => {
                    self.part = Part::Name;
                    self.has_line = true;
                    self.name.clear();
                }
                (Part::Name, b':') => {
                    self.part = Part::Value;
                    let is = |name: &str| self.name.eq_ignore_ascii_case(name.as_bytes());
                    let measures = is("content-length") || is("transfer-encoding");
                    if measures && self.measured {
                        *byte = FORBIDDEN;
                    }
                    self.measured |= measures;
                }
                (Part::Before | Part::Name, _) => {
                    self.part = Part::Name;
                    // One more than the longest name that matters.
                    if self.name.len() <= "transfer-encoding".len() {
                        self.name.push(seen);
                    }
                }
                (Part::Value, _) => {}
            }
            self.last = seen;
        }
    }

    /// Whether this is the first line, after its method. What was read ahead may leave the end of another line in that place.
    fn is_in_target(&self) -> bool {
        let method = self.name.split(|byte| *byte == b' ').next();
        let is_method =
            |word: &[u8]| word.len() < self.name.len() && word.iter().all(u8::is_ascii_uppercase);
        !self.has_line && method.is_some_and(is_method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "POST / HTTP/1.1\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n";

    #[test]
    fn what_can_be_read_in_two_ways_does_not_pass_however_it_is_cut() {
        // The byte after `|` does not pass.
        for marked in [
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n{\n\n}",
            "\r\nGET /a:b HTTP/1.1\r\nHost: a\r\n\r\n",
            "{\n\"a\": 1\n}",
            &TWO.replace("encoding:", "encoding|:"),
            "\r\nGET / HTTP/1.1|\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b|\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n|\n",
            "GET /healthz|#x HTTP/1.1\r\nA: b#c\r\n\r\n#",
            "GET http://a:1/b|#c HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nOPTIONS |# HTTP/1.1\r\n\r\n",
        ] {
            let (place, head) = (marked.find('|'), marked.replace('|', ""));
            for cut in 0..=head.len() {
                let mut bytes = head.as_bytes().to_vec();
                let (first, rest) = bytes.split_at_mut(cut);
                let mut seen = FramingFilter::default();
                seen.look(first);
                seen.look(rest);
                let forbidden = bytes.iter().position(|byte| *byte == FORBIDDEN);
                assert_eq!(forbidden, place, "{head:?}");
            }
        }
    }

    #[test]
    fn each_header_of_a_connection_is_looked_at_and_no_body_is() {
        let look = |seen: &mut FramingFilter, text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            seen.look(&mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        let mut seen = FramingFilter::default();
        look(&mut seen, &TWO.replace("transfer-encoding", "x"));
        let body = "a\nContent-Length: 1";
        assert_eq!(look(&mut seen, body), body);
        seen.skip(b"more");
        seen.restart();
        assert!(look(&mut seen, TWO).contains(char::from(FORBIDDEN)));
        // The end of a header whose start was read ahead.
        for (before, rest) in [
            ("GET / HTTP/1.1\r\nA: b\r", "\n\r\n{\n}"),
            ("A", ": b\r\n\r\n{\n}"),
            ("A: ", "one two #3\r\n\r\n"),
        ] {
            let mut seen = FramingFilter::default();
            seen.skip(before.as_bytes());
            seen.restart();
            assert_eq!(look(&mut seen, rest), rest);
        }
    }
}
