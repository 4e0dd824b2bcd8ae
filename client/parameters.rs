//! Serializing: from an input and credentials to the parameters of a call. A pure function.

use serde::Serialize;
use serde_json::Value;

use crate::credentials::Credentials;
use crate::endpoint::{Auth, Endpoint};
use crate::error::{Error, InvalidParameter};
use crate::oauth::Parameter;
use crate::text::quotable_name;

/// Characters in one parameter's value at most.
pub const MAX_VALUE: usize = 1_024;

/// The parameters of an input, with defaults from the credentials: `userId` without a token, then `country` or `shopId`.
///
/// `input` is a flat object of texts, numbers and booleans; a null is left out.
/// A field that must never be sent is an [`Error::Input`].
pub fn serialize(
    endpoint: &Endpoint,
    input: &impl Serialize,
    credentials: &Credentials,
) -> Result<Vec<Parameter>, Error> {
    let Ok(Value::Object(fields)) = serde_json::to_value(input) else {
        return Err(invalid("arguments", InvalidParameter::NotAnObject));
    };
    let mut parameters: Vec<Parameter> = Vec::with_capacity(fields.len() + 2);
    for (name, value) in fields {
        let checked = scalar(value).and_then(|text| {
            let Some(text) = text else { return Ok(None) };
            check(&name, &text)?;
            if has(&parameters, &name) {
                return Err(InvalidParameter::Duplicate);
            }
            Ok(Some(text))
        });
        match checked {
            Ok(Some(text)) => parameters.push((name, text)),
            Ok(None) => {}
            Err(problem) => return Err(invalid(name, problem)),
        }
    }
    if endpoint.auth == Auth::User && credentials.token.is_none() {
        fill(
            &mut parameters,
            "userId",
            credentials.user_id.as_ref(),
            &["userId"],
        );
    }
    // 7digital takes one of the two; what the call itself names comes first.
    let shop = ["country", "shopId"];
    fill(
        &mut parameters,
        "country",
        credentials.country.as_ref(),
        &shop,
    );
    fill(
        &mut parameters,
        "shopId",
        credentials.shop_id.as_ref(),
        &shop,
    );
    Ok(parameters)
}

/// Adds a default, if there is one and the call gives none of these parameters.
fn fill(parameters: &mut Vec<Parameter>, name: &str, default: Option<&String>, given: &[&str]) {
    if let Some(value) = default
        && !given.iter().any(|name| has(parameters, name))
    {
        parameters.push((name.to_owned(), value.clone()));
    }
}

/// The error for a parameter that is not sent.
pub(crate) fn invalid(name: impl Into<String>, problem: InvalidParameter) -> Error {
    Error::Input {
        name: quotable_name(&name.into()),
        problem,
    }
}

/// 7digital compares names without case.
fn has(parameters: &[Parameter], name: &str) -> bool {
    parameters
        .iter()
        .any(|(other, _)| other.eq_ignore_ascii_case(name))
}

/// A field's text; nothing for a field that is not set.
fn scalar(value: Value) -> Result<Option<String>, InvalidParameter> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        Value::Array(_) | Value::Object(_) => Err(InvalidParameter::NotAScalar),
    }
}

fn check(name: &str, value: &str) -> Result<(), InvalidParameter> {
    let lower = name.to_ascii_lowercase();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if lower.starts_with("oauth_") {
        Err(InvalidParameter::OAuth)
    } else if lower == "onbehalfofpartnerid" {
        Err(InvalidParameter::OtherPartner)
    } else if name.is_empty() || name.len() > 64 || !name.chars().all(word) {
        Err(InvalidParameter::Name)
    } else if value.chars().any(char::is_control) {
        Err(InvalidParameter::ControlCharacter)
    } else if value.chars().count() > MAX_VALUE {
        Err(InvalidParameter::TooLong { max: MAX_VALUE })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
