//! Text that is safe to show: without characters that a reader can't see and, for 7digital's own words, short and without links.

use std::borrow::Cow;
use std::fmt::Write as _;

use encoding_rs::WINDOWS_1252;
use icu_properties::props::{
    Emoji, ExtendedPictographic, GeneralCategory, Ideographic, IndicSyllabicCategory, JoiningType,
    Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde_json::{Map, Value};

use crate::json::insert;

/// Characters of 7digital's own words that are passed on.
const MAX_MESSAGE: usize = 200;

/// Characters of a caller's name that are shown.
const MAX_NAME: usize = 64;

/// Removes what a reader can't see and a program could be misled by, and keeps what shapes the text that can be seen.
///
/// Kept are joiners between letters of scripts that use them and between emoji, one variation selector after a character that takes one,
/// the tags of a flag, and single direction marks. C1 control codes become the characters that Windows-1252 has in their places,
/// and whatever else breaks a line becomes a line feed.
///
/// ```
/// use sevendigital::text::clean;
///
/// assert_eq!(clean("می\u{200c}خواهم 👨\u{200d}👩\u{200d}👧"), "می\u{200c}خواهم 👨\u{200d}👩\u{200d}👧");
/// assert_eq!(clean("a\u{200d}b \u{202e}c\u{e0041}"), "ab c");
/// ```
pub fn clean(text: &str) -> String {
    cleaned(text).into_owned()
}

/// What [`clean`] makes of a text, which mostly is the text itself.
pub(crate) fn cleaned(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut kept: Vec<char> = Vec::with_capacity(chars.len());
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let rest = chars.get(at + 1..).unwrap_or_default();
        let tags = if c == BLACK_FLAG { flag_tags(rest) } else { 0 };
        let shown = match c {
            '\u{80}'..='\u{9f}' => windows_1252(c),
            '\r' if rest.first() == Some(&'\n') => None,
            '\r' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            c if !is_invisible(c) || shapes(c, &kept, rest) => Some(c),
            _ => None,
        };
        kept.extend(shown);
        kept.extend(rest.iter().take(tags));
        at += 1 + tags;
    }
    kept.into_iter().collect::<String>().into()
}

/// Most texts: nothing in them is invisible.
pub(crate) fn is_plain(text: &str) -> bool {
    let ascii = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    ascii || !text.chars().any(|c| is_invisible(c) || c == BLACK_FLAG)
}

const BLACK_FLAG: char = '\u{1f3f4}';

/// How many tags follow a flag that name a region, their end among them: `gbeng` for England's.
fn flag_tags(rest: &[char]) -> usize {
    const END: char = '\u{e007f}';
    let is_tag = |c: &&char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let tags = rest.iter().take_while(is_tag).count();
    match rest.get(tags) {
        Some(&END) if (3..=6).contains(&tags) => tags + 1,
        _ => 0,
    }
}

/// The character that Windows-1252 has in the place of a C1 control code: what was meant, where bytes were taken for Latin-1.
fn windows_1252(c: char) -> Option<char> {
    let byte = u8::try_from(u32::from(c)).ok()?;
    let (text, _, _) = WINDOWS_1252.decode(std::slice::from_ref(&byte));
    text.chars().find(|c| !c.is_control())
}

/// Whether an invisible character shapes what stands around it.
fn shapes(c: char, before: &[char], after: &[char]) -> bool {
    let (last, next) = (before.last().copied(), after.first().copied());
    let after_one = |takes: fn(char) -> bool| last.is_some_and(takes);
    match c {
        // Direction marks: one at a place says all that they can say.
        '\u{200e}' | '\u{200f}' | '\u{61c}' => !after_one(is_direction_mark),
        '\u{200c}' => joins_letters(before) && next.is_some_and(is_joining),
        // At the end of a word it keeps the letter's joined shape.
        '\u{200d}' => {
            joins_letters(before) || (ends_emoji(before) && next.is_some_and(is_pictograph))
        }
        '\u{fe0e}' | '\u{fe0f}' => after_one(is_emoji) || after_one(is_ideograph),
        '\u{fe00}'..='\u{fe0d}' => after_one(takes_variation),
        '\u{e0100}'..='\u{e01ef}' => after_one(is_ideograph),
        '\u{180b}'..='\u{180f}' => after_one(|c| script(c) == Script::Mongolian),
        _ => false,
    }
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_emoji(c: char) -> bool {
    CodePointSetData::new::<Emoji>().contains(c)
}

fn is_pictograph(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

fn is_ideograph(c: char) -> bool {
    CodePointSetData::new::<Ideographic>().contains(c)
}

/// Whether Unicode has variants of a character by the first selectors: mathematical signs, ideographs, zero, and some scripts.
fn takes_variation(c: char) -> bool {
    let by_script = [Script::Myanmar, Script::PhagsPa, Script::Manichaean].contains(&script(c));
    let wide_mark = c >= '\u{3000}' && category(c) == GeneralCategory::OtherPunctuation;
    let sign = category(c) == GeneralCategory::MathSymbol;
    c == '0' || by_script || wide_mark || sign || is_ideograph(c)
}

/// Whether a letter or sign is of a script in which joiners make a difference: those whose letters join, and the Indic ones.
fn is_joining(c: char) -> bool {
    let joining = CodePointMapData::<JoiningType>::new().get(c);
    let syllabic = CodePointMapData::<IndicSyllabicCategory>::new().get(c);
    let joins = matches!(
        joining,
        JoiningType::DualJoining | JoiningType::RightJoining | JoiningType::LeftJoining
    );
    (joins || syllabic != IndicSyllabicCategory::Other) && !c.is_ascii() && !is_invisible(c)
}

/// Signs behind a letter or an emoji that are looked over, at most: people write fewer.
const MAX_SIGNS: usize = 8;

/// Whether the text so far ends in a letter of such a script, with its marks.
fn joins_letters(before: &[char]) -> bool {
    let mut back = before.iter().rev().take(MAX_SIGNS);
    let letter = back.find(|c| category(**c) != GeneralCategory::NonspacingMark || is_joining(**c));
    letter.is_some_and(|c| is_joining(*c))
}

/// Whether the text so far ends in an emoji, with its selector or its shade of skin.
fn ends_emoji(before: &[char]) -> bool {
    let mut back = before.iter().rev().take(MAX_SIGNS);
    let emoji = back.find(|c| !matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'));
    emoji.is_some_and(|c| is_pictograph(*c))
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
    shortened(words.join(" "), MAX_MESSAGE)
}

fn shortened(line: String, most: usize) -> String {
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// A name that a caller chose, as it may be shown between backticks: cleaned as 7digital's words are, and at most 64 characters.
///
/// ```
/// use sevendigital::text::quotable_name;
///
/// assert_eq!(quotable_name("oauth_token"), "oauth_token");
/// assert_eq!(quotable_name("a\u{202e}b`, and\nhttp://x/"), "ab', and [removed]");
/// ```
pub fn quotable_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    if name.len() <= MAX_NAME && name.chars().all(plain) {
        return name.to_owned();
    }
    let name = shortened(quotable(name).replace('`', "'"), MAX_NAME);
    // Where it was cut a joiner may be left over.
    clean(&name)
}

/// Whether a reader can't see it, or sees the text around it changed by it. A line break and a tab can be seen.
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{fff0}'..='\u{fff8}')
}

/// Whether a text is a web address and nothing else.
pub(crate) fn is_web_address(text: &str) -> bool {
    let web = text.starts_with("http://") || text.starts_with("https://");
    web && !text.contains(char::is_whitespace)
}

/// Cleans all texts and names in a document, but for texts that were `sent` as they are: an id that comes back is the id that was sent.
/// A web address is not altered: what is invisible in it is percent-encoded.
pub(crate) fn clean_all(fields: &mut Map<String, Value>, sent: &[String]) {
    if !fields.keys().all(|name| is_plain(name)) {
        for (name, value) in std::mem::take(fields) {
            insert(fields, clean(&name).replace('\n', ""), value);
        }
    }
    for value in fields.values_mut() {
        clean_value(value, sent);
    }
}

fn clean_value(value: &mut Value, sent: &[String]) {
    match value {
        Value::String(text) if is_plain(text) || sent.contains(text) => {}
        Value::String(text) if is_web_address(text) => *text = encoded(text),
        Value::String(text) => *text = clean(text),
        Value::Array(all) => all.iter_mut().for_each(|value| clean_value(value, sent)),
        Value::Object(fields) => clean_all(fields, sent),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A web address in which what is invisible is percent-encoded.
fn encoded(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for c in address.chars() {
        if is_invisible(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a String does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(c);
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
