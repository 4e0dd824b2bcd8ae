//! Text in HTML.

use std::fmt;

/// A text that is shown as it is, in an element or in a quoted attribute.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let special = part.chars().next_back().and_then(escape);
            match special {
                Some(escaped) => {
                    f.write_str(part.get(..part.len() - 1).unwrap_or_default())?;
                    f.write_str(escaped)?;
                }
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

fn escape(char: char) -> Option<&'static str> {
    match char {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}
