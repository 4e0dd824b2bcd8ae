//! Whether the words of a refusal say something else than that nothing was done.

use serde_json::{Map, Value};

use crate::text::clean;
use crate::xml::unescaped;

/// With one of these before them, the words in [`DONE`] say that something was done.
const PASSIVE: [&str; 4] = ["was", "were", "been", "successfully"];
/// What may have been done to a card, to money or to an order.
const DONE: [&str; 8] = [
    "charged",
    "taken",
    "made",
    "debited",
    "billed",
    "captured",
    "placed",
    "purchased",
];
/// Two words that say that something is not finished, or not known.
const OPEN: [[&str; 2]; 6] = [
    ["timed", "out"],
    ["time", "out"],
    ["being", "processed"],
    ["still", "processing"],
    ["unexpected", "error"],
    ["in", "progress"],
];
/// Words that may stand between a negation and what it denies.
const BETWEEN: [&str; 19] = [
    "be",
    "been",
    "being",
    "was",
    "were",
    "is",
    "are",
    "has",
    "have",
    "had",
    "will",
    "could",
    "can",
    "would",
    "to",
    "yet",
    "ever",
    "fully",
    "successfully",
];
const NEGATIONS: [&str; 9] = [
    "not", "never", "nothing", "no", "cannot", "without", "nor", "unable", "failed",
];
/// Words that begin a new clause, which a negation does not reach.
const CONJUNCTIONS: [&str; 10] = [
    "but", "and", "because", "although", "though", "however", "while", "since", "after", "before",
];

/// Whether any text in a refusal speaks of something done, or of something unfinished.
pub(crate) fn contradicts(document: &Map<String, Value>) -> bool {
    document.values().any(in_value)
}

fn in_value(value: &Value) -> bool {
    match value {
        Value::String(text) => in_text(text),
        Value::Array(all) => all.iter().any(in_value),
        Value::Object(fields) => contradicts(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn in_text(text: &str) -> bool {
    let text = clean(&unescaped(text)).to_lowercase();
    // A tag may hold words, and may stand inside of one.
    let forms = [text.replace(['<', '>'], " "), without_tags(&text)];
    let mut clauses = forms.iter().flat_map(|text| clauses(text));
    clauses.any(|words| in_clause(&words))
}

fn without_tags(text: &str) -> String {
    let mut parts = text.split('<');
    let start = parts.next().unwrap_or_default();
    let behind = parts.filter_map(|part| Some(part.split_once('>')?.1));
    std::iter::once(start).chain(behind).collect()
}

/// The words of each clause, but for the caller's own value that 7digital quotes: "Value of parameter status is not valid: pending".
fn clauses(text: &str) -> Vec<Vec<&str>> {
    let ends = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !"'’-/".contains(c);
    let mut clauses = Vec::new();
    let mut is_quoted = false;
    for part in text.split_inclusive(ends) {
        let words = part.split(|c: char| !c.is_alphanumeric() && !"'’".contains(c));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let quoted = std::mem::replace(
            &mut is_quoted,
            part.ends_with(':')
                && words.contains(&"parameter")
                && words.ends_with(&["not", "valid"]),
        );
        if !quoted {
            let of_part = words.split(|word| CONJUNCTIONS.contains(word));
            clauses.extend(of_part.map(<[&str]>::to_vec));
        }
    }
    clauses
}

fn in_clause(words: &[&str]) -> bool {
    (0..words.len()).any(|at| {
        let (before, rest) = words.split_at(at);
        let said = match rest {
            [word, ..] if word.starts_with("success") => true,
            ["completed" | "pending" | "timeout", ..] => true,
            [word, ..] if DONE.contains(word) => {
                before.last().is_some_and(|last| PASSIVE.contains(last))
            }
            [one, other, ..] => OPEN.contains(&[*one, *other]),
            _ => false,
        };
        said && !is_negated(before)
    })
}

/// Whether what follows these words is denied by them: "could not be", "no payment has been".
fn is_negated(before: &[&str]) -> bool {
    let negates = |word: &&str| {
        let short = word.ends_with("n't") || word.ends_with("n’t");
        short || NEGATIONS.contains(word)
    };
    let mut back = before
        .iter()
        .rev()
        .skip_while(|word| BETWEEN.contains(word));
    let (last, first) = (back.next(), back.next());
    last.is_some_and(negates) || first == Some(&"no")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_something_done_contradict_and_their_negations_do_not() {
        for (text, expected) in [
            ("The payment could not be completed", false),
            ("No payment has been taken", false),
            ("Your card has not yet been charged.", false),
            ("Nothing was charged", false),
            ("The card couldn't be charged", false),
            ("Payment was unsuccessful", false),
            ("The order was not successfully completed", false),
            ("No longer pending", false),
            ("Error processing the payment", false),
            ("Card declined: it was never charged", false),
            ("Value of parameter status is not valid: pending", false),
            (
                "Value of parameter status is not valid: x. Your card was charged",
                true,
            ),
            ("The card is not valid: pending", true),
            ("", false),
            ("Your card was charged", true),
            ("We could not connect but your card was charged", true),
            ("We could not connect, your card was charged", true),
            ("We could not connect and your card was charged", true),
            ("It could not be completed because it timed out", true),
            ("The payment is still being processed", true),
            ("Payment pending", true),
            ("Request time-out", true),
            ("<b>Timeout</b>", true),
            ("Your card <b>was</b> charged", true),
            ("Your card was ch<b>ar</b>ged", true),
            ("Your card was&nbsp;charged", true),
            ("Your card was ch\u{200b}arged", true),
            ("No idea whether the payment was taken", true),
            ("SUCCESS", true),
            (&format!("{} It was charged", "Sorry. ".repeat(60)), true),
        ] {
            assert_eq!(in_text(text), expected, "{text}");
        }
    }
}
