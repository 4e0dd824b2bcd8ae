//! What goes out: from an endpoint, an input and credentials to one signed request. A pure function.

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::credentials::{BaseUri, Credentials, Placement, Token};
use crate::endpoint::{Auth, Endpoint, Method};
use crate::error::Error;
use crate::oauth::{self, Parameter, Stamp};

/// Characters in one parameter's value at most.
pub const MAX_VALUE: usize = 1_024;

/// A request, ready to be sent once: its nonce and timestamp are spent with it.
#[derive(PartialEq, Eq)]
pub struct Outgoing {
    /// The endpoint's path, with `{id}` as it stands there: what the request is called in figures.
    pub operation: &'static str,
    /// HTTP method.
    pub method: Method,
    /// URL with its whole query.
    pub url: Url,
    /// Value of the `Authorization` header.
    pub authorization: Option<String>,
    /// Form body.
    pub form: Option<String>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .finish_non_exhaustive()
    }
}

/// The parameters that an input stands for, defaults added. Refuses, by name, what must never be sent.
pub fn parameters(
    endpoint: &Endpoint,
    input: &impl Serialize,
    credentials: &Credentials,
) -> Result<Vec<Parameter>, Error> {
    let Ok(Value::Object(fields)) = serde_json::to_value(input) else {
        return Err(Error::input("arguments", "expected an object"));
    };
    let mut parameters: Vec<Parameter> = Vec::with_capacity(fields.len() + 2);
    for (name, value) in fields {
        if let Some(text) = scalar(&name, value)? {
            check(&name, &text)?;
            if has(&parameters, &name) {
                return Err(Error::input(name, "given twice"));
            }
            parameters.push((name, text));
        }
    }
    let mut fill = |name: &str, value: &Option<String>| {
        if let (false, Some(value)) = (has(&parameters, name), value) {
            parameters.push((name.to_owned(), value.clone()));
            true
        } else {
            has(&parameters, name)
        }
    };
    if endpoint.auth == Auth::User && credentials.token.is_none() {
        fill("userId", &credentials.user_id);
    }
    // 7digital takes one of the two; what the call itself names comes first.
    if !fill("shopId", &None) && !fill("country", &credentials.country) {
        fill("shopId", &credentials.shop_id);
    }
    Ok(parameters)
}

/// Signs parameters and puts everything where it belongs.
pub fn prepare(
    endpoint: &Endpoint,
    mut parameters: Vec<Parameter>,
    base: &BaseUri,
    credentials: &Credentials,
    placement: Placement,
    stamp: &Stamp,
) -> Result<Outgoing, Error> {
    let consumer = credentials.consumer.as_ref().ok_or(Error::NoConsumerKey)?;
    let mut url = base.join(&fill_path(endpoint.path, &mut parameters)?);
    let token: Option<&Token> = match endpoint.auth {
        Auth::User => credentials.token.as_ref(),
        Auth::Consumer => None,
    };
    let oauth = match &consumer.secret {
        Some(secret) => oauth::sign(
            endpoint.method.as_str(),
            &url,
            &parameters,
            consumer,
            secret,
            token,
            stamp,
        ),
        None => vec![(
            "oauth_consumer_key".to_owned(),
            consumer.key.expose().to_owned(),
        )],
    };
    let in_query = match placement {
        _ if consumer.secret.is_none() => true,
        Placement::Auto => endpoint.method == Method::Get,
        Placement::Query => true,
        Placement::Header => false,
    };
    let mut query = Vec::new();
    let form = match endpoint.method {
        Method::Get => {
            query = parameters;
            None
        }
        Method::Post => Some(oauth::encode_form(&parameters)),
    };
    let mut authorization = None;
    if in_query {
        query.extend(oauth);
    } else {
        authorization = Some(oauth::authorization(&oauth));
    }
    if !query.is_empty() {
        url.set_query(Some(&oauth::encode_form(&query)));
    }
    Ok(Outgoing {
        operation: endpoint.path,
        method: endpoint.method,
        url,
        authorization,
        form,
    })
}

/// Puts the parameter `id` in the place of `{id}`, as one path segment.
fn fill_path(path: &str, parameters: &mut Vec<Parameter>) -> Result<String, Error> {
    if !path.contains("{id}") {
        return Ok(path.to_owned());
    }
    let position = parameters.iter().position(|(name, _)| name == "id");
    let id = position
        .map(|index| parameters.swap_remove(index).1)
        .unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    if id.is_empty() || id.len() > 128 || !id.chars().all(allowed) || id == "." || id == ".." {
        return Err(Error::input(
            "id",
            "expected 1 to 128 letters, digits, `-`, `_`, `.` or `:`",
        ));
    }
    Ok(path.replace("{id}", &oauth::encode(&id)))
}

fn has(parameters: &[Parameter], name: &str) -> bool {
    parameters
        .iter()
        .any(|(other, _)| other.eq_ignore_ascii_case(name))
}

/// A field's text; nothing for a field that is not set.
fn scalar(name: &str, value: Value) -> Result<Option<String>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        Value::Array(_) | Value::Object(_) => Err(Error::input(
            name,
            "expected a text, a number or a boolean, not a list or an object",
        )),
    }
}

/// 7digital compares names without case, so ours are refused without case as well.
fn check(name: &str, value: &str) -> Result<(), Error> {
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("oauth_") {
        return Err(Error::input(
            name,
            "OAuth parameters are added by this server and can't be given",
        ));
    }
    if lower == "onbehalfofpartnerid" {
        return Err(Error::input(
            name,
            "this server acts for its own partner only",
        ));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(word) {
        return Err(Error::input(
            name,
            "a parameter's name has 1 to 64 letters, digits, `_` or `-`",
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(Error::input(
            name,
            "line breaks and other control characters are not accepted",
        ));
    }
    if value.chars().count() > MAX_VALUE {
        return Err(Error::input(
            name,
            format!("at most {MAX_VALUE} characters are accepted"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
