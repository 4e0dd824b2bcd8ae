//! Keeps payment card data out: it is entered on 7digital's own page, never here.

use serde_json::{Map, Value};

use crate::ToolError;

/// Refuses arguments that hold a card number or are named like one. The value is not repeated.
pub(crate) fn refuse(arguments: &Map<String, Value>) -> Result<(), ToolError> {
    arguments
        .iter()
        .try_for_each(|(name, value)| check(name, name, value))
}

fn check(path: &str, name: &str, value: &Value) -> Result<(), ToolError> {
    if is_card_name(name) {
        return Err(refusal(path));
    }
    match value {
        Value::String(text) if holds_card_number(text) => Err(refusal(path)),
        Value::Number(number) if holds_card_number(&number.to_string()) => Err(refusal(path)),
        Value::Array(all) => all.iter().try_for_each(|value| check(path, "", value)),
        Value::Object(fields) => fields
            .iter()
            .try_for_each(|(name, value)| check(&format!("{path}.{name}"), name, value)),
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

/// Whether a text holds 13 to 19 digits, spaces and dashes between them allowed, that pass the Luhn check.
fn holds_card_number(text: &str) -> bool {
    if uuid::Uuid::try_parse(text).is_ok() {
        return false;
    }
    let mut run: Vec<u32> = Vec::new();
    for c in text.chars().chain(['.']) {
        if let Some(digit) = digit(c) {
            run.push(digit);
        } else if !matches!(c, ' ' | '-' | '\u{a0}' | '\u{2010}'..='\u{2015}') {
            if (13..=19).contains(&run.len()) && passes_luhn(&run) {
                return true;
            }
            run.clear();
        }
    }
    false
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
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(arguments: &Value) -> Result<(), ToolError> {
        refuse(arguments.as_object().unwrap())
    }

    #[test]
    fn card_data_is_refused_and_not_repeated() {
        for arguments in [
            json!({"email": "4111111111111111"}),
            json!({"email": "card 4111 1111 1111 1111 please"}),
            json!({"email": "4111-1111-1111-1111"}),
            json!({"email": "４１１１１１１１１１１１１１１１"}),
            json!({"page": 4_111_111_111_111_111_u64}),
            json!({"body": {"note": ["378282246310005"]}}),
            json!({"body": {"cardNumber": "1"}}),
            json!({"body": {"CARD_NUMBER": "1"}}),
            json!({"body": {"cardVerificationCode": "1"}}),
            json!({"cvv": "1"}),
        ] {
            let error = refused(&arguments).unwrap_err().to_string();
            assert!(error.contains("card data is not accepted"), "{arguments}");
            let shows_it = error.contains("1111") || error.contains("3782");
            assert!(!shows_it, "{error}");
        }
    }

    #[test]
    fn what_only_looks_a_little_like_a_card_passes() {
        for arguments in [
            json!({"releaseId": "11700062", "trackId": 812_485_994}),
            json!({"basketId": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
            json!({"basketId": "00000000-0000-0000-0000-000000000000"}),
            json!({"body": {"cardId": "8154430", "cardHolderName": "Bob"}}),
            json!({"note": "4111111111111112"}),
            json!({"email": "jane.smith@example.com"}),
        ] {
            assert_eq!(refused(&arguments), Ok(()), "{arguments}");
        }
    }
}
