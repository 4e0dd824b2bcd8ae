//! Text that is safe to show: without characters that a reader can't see and, for 7digital's own words, short and without links.

use serde_json::{Map, Value};

/// Characters of 7digital's own words that are passed on.
const MAX_MESSAGE: usize = 200;

/// Removes what a reader can't see and a program could be misled by: control, bidirectional and zero-width characters.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// 7digital's words as they may be shown: cleaned, on one line, at most 200 characters, without links or OAuth parameters.
///
/// ```
/// let shown = sevendigital::text::quotable("See http://x/?oauth_signature=a%3D\n<b>now</b>");
/// assert_eq!(shown, "See [removed] bnow/b");
/// ```
pub fn quotable(text: &str) -> String {
    // Tags and what can't be seen go first, so that they can't hide a link; our own quotation marks stay ours.
    let text = text.replace(['<', '>'], "").replace('"', "'");
    let words: Vec<String> = text
        .split_whitespace()
        .map(clean)
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            let hidden = lower.contains("://") || lower.contains("oauth_");
            if hidden { "[removed]".to_owned() } else { word }
        })
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Whether a reader can't see it, or sees the text around it changed by it. A line break and a tab can be seen.
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fe00}'..='\u{fe0e}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{fff0}'..='\u{fff8}')
}

/// Removes invisible characters from all texts and names in a document.
pub(crate) fn clean_all(fields: &mut Map<String, Value>) {
    if fields.keys().any(|name| name.chars().any(is_invisible)) {
        *fields = std::mem::take(fields)
            .into_iter()
            .map(|(name, value)| (clean(&name), value))
            .collect();
    }
    fields.values_mut().for_each(clean_value);
}

fn clean_value(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().any(is_invisible) => *text = clean(text),
        Value::Array(all) => all.iter_mut().for_each(clean_value),
        Value::Object(fields) => clean_all(fields),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
