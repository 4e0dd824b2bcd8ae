//! Keeps payment card data out: it is entered on 7digital's own page, never here.

use serde_json::{Map, Value};
use sevendigital::text::quotable_name;

use crate::ToolError;
use crate::declared::{Declared, Kind};

/// Refuses arguments that hold a card number or are named like one. The value is not repeated.
///
/// A number is looked for where a person could have put one. What is typed as an id, an address or a password is taken as that:
/// ids are long numbers themselves, of which some look like a card's, and 7digital takes no card from them.
/// The id of a card is looked at all the same: its number is what people would put there, and 7digital's ids of cards have seven digits.
pub(crate) fn refuse(arguments: &Map<String, Value>, declared: &Declared) -> Result<(), ToolError> {
    fields("", arguments, Some(declared))
}

fn fields(
    path: &str,
    fields: &Map<String, Value>,
    declared: Option<&Declared>,
) -> Result<(), ToolError> {
    fields.iter().try_for_each(|(name, value)| {
        let argument = declared.and_then(|declared| declared.get(name));
        let kind = argument.map(|argument| &argument.kind);
        let dot = if path.is_empty() { "" } else { "." };
        let shown = quotable_name(name);
        check(&format!("{path}{dot}{shown}"), name, value, kind)
    })
}

fn check(path: &str, name: &str, value: &Value, kind: Option<&Kind>) -> Result<(), ToolError> {
    if is_card_name(name) {
        return Err(refusal(path));
    }
    let is_typed = matches!(kind, Some(Kind::Id | Kind::Address | Kind::Password));
    match value {
        Value::String(text) if !is_typed && holds_card_number(text) => Err(refusal(path)),
        Value::Number(number) if !is_typed && holds_card_number(&number.to_string()) => {
            Err(refusal(path))
        }
        Value::Array(all) => all
            .iter()
            .try_for_each(|value| check(path, "", value, None)),
        Value::Object(inside) => match kind {
            Some(Kind::Object(declared)) => fields(path, inside, Some(declared)),
            _ => fields(path, inside, None),
        },
        _ => Ok(()),
    }
}

fn refusal(path: &str) -> ToolError {
    ToolError::input(
        path,
        "card data is not accepted here; cards are entered on 7digital's page, which `register-user-payment-card` leads to",
    )
}

/// The names that 7digital's card form and its older calls use, and their common spellings.
fn is_card_name(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "pan" | "cvv" | "cvv2" | "cvc" | "cvc2" | "csc" | "cid"
    ) || [
        "cardnumber",
        "creditcard",
        "verificationcode",
        "securitycode",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// The numbers that issuers give: how they begin, as a first and a last prefix of one length, and how many digits they may have.
///
/// After the issuers' published ranges (ISO/IEC 7812). Where an issuer's cards have come in fewer digits, those are counted in.
#[rustfmt::skip]
const ISSUERS: &[(&str, u32, u32, &[usize])] = &[
    ("Visa", 4, 4, &[13, 16, 19]),
    ("Mastercard", 51, 55, &[16]),
    ("Mastercard", 2221, 2720, &[16]),
    ("American Express", 34, 34, &[15]),
    ("American Express", 37, 37, &[15]),
    ("Discover", 6011, 6011, &[16, 17, 18, 19]),
    ("Discover", 644, 659, &[16, 17, 18, 19]),
    ("Diners Club", 300, 305, &[14, 15, 16, 17, 18, 19]),
    ("Diners Club", 3095, 3095, &[14, 15, 16, 17, 18, 19]),
    ("Diners Club", 36, 36, &[14, 15, 16, 17, 18, 19]),
    ("Diners Club", 38, 39, &[14, 15, 16, 17, 18, 19]),
    ("JCB", 3528, 3589, &[16, 17, 18, 19]),
    ("UnionPay", 62, 62, &[16, 17, 18, 19]),
    ("UnionPay", 81, 81, &[16, 17, 18, 19]),
    ("Maestro", 50, 50, &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("Maestro", 56, 58, &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("Maestro", 6304, 6304, &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("Maestro", 639, 639, &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("Maestro", 67, 67, &[12, 13, 14, 15, 16, 17, 18, 19]),
];

/// The most digits that a card number has.
const MOST: usize = 19;

/// Whether a text holds a card number that stands alone: one group of digits, or several with a space or a dash between each two.
///
/// What follows a card number in the same way, such as its security code, does not hide it.
fn holds_card_number(text: &str) -> bool {
    if uuid::Uuid::try_parse(text).is_ok() {
        return false;
    }
    runs(text).iter().any(|groups| {
        (0..groups.len()).any(|first| {
            let mut digits: Vec<u32> = Vec::with_capacity(MOST);
            groups.iter().skip(first).any(|group| {
                digits.extend(group.iter().take(MOST + 1));
                is_card_number(&digits)
            })
        })
    })
}

/// The digits of a text, in groups that one space or dash separates. Digits that letters adjoin are of a word, such as a hash.
fn runs(text: &str) -> Vec<Vec<Vec<u32>>> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || is_separator(c)));
    let mut runs = Vec::new();
    for words in words {
        let mut groups = Vec::new();
        for word in words.split(is_separator) {
            match word.chars().map(digit).collect::<Option<Vec<u32>>>() {
                Some(digits) if digits.is_empty() => {}
                Some(digits) => groups.push(digits),
                None => runs.push(std::mem::take(&mut groups)),
            }
        }
        runs.push(groups);
    }
    runs
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '\u{a0}' | '\u{2010}'..='\u{2015}')
}

/// Whether an issuer gives such numbers, and the last digit is the check of the others.
fn is_card_number(digits: &[u32]) -> bool {
    let begins = |first: u32, last: u32| {
        let length = first.to_string().len();
        let prefix = digits.iter().take(length);
        let prefix = prefix.fold(0, |number, digit| number * 10 + digit);
        (first..=last).contains(&prefix)
    };
    let issued = ISSUERS
        .iter()
        .any(|(_, first, last, lengths)| lengths.contains(&digits.len()) && begins(*first, *last));
    issued && passes_luhn(digits)
}

/// Full-width digits count: they are read as digits by people and by many parsers.
fn digit(c: char) -> Option<u32> {
    match c {
        '\u{ff10}'..='\u{ff19}' => Some(u32::from(c) - 0xff10),
        _ => c.to_digit(10),
    }
}

fn passes_luhn(digits: &[u32]) -> bool {
    let from_the_right = digits.iter().rev().enumerate();
    let summands = from_the_right.map(|(place, digit)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, doubled) if doubled > 9 => doubled - 9,
        (_, doubled) => doubled,
    });
    summands.sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests;
