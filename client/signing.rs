//! Signing: from an endpoint and its parameters to one request, with a nonce and a timestamp of its own. A pure function.

use std::fmt;

use serde::Deserialize;
use url::Url;

use crate::base_uri::BaseUri;
use crate::credentials::Credentials;
use crate::echo::Sent;
use crate::endpoint::{Auth, Endpoint, Method};
use crate::error::{Error, InvalidParameter};
use crate::oauth::{self, Parameter, Stamp};
use crate::text::is_invisible;

/// Where the OAuth parameters of a signed request stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// In the query for GET, in the `Authorization` header for POST.
    #[default]
    Auto,
    /// Always in the query.
    Query,
    /// Always in the `Authorization` header.
    Header,
}

/// A request, ready to be sent once: its nonce and timestamp are spent with it.
#[non_exhaustive]
pub struct SignedRequest {
    /// The endpoint's path, with `{id}` as it stands there: the request's name in metrics.
    pub operation: &'static str,
    /// HTTP method.
    pub method: Method,
    /// URL with its whole query.
    pub url: Url,
    /// Value of the `Authorization` header.
    pub authorization: Option<String>,
    /// Form body.
    pub form: Option<String>,
    /// What may come back in the answer.
    pub sent: Sent,
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .finish_non_exhaustive()
    }
}

/// Signs parameters and puts them, and the signature, where they belong.
///
/// `stamp` must be fresh, since 7digital takes each nonce once. Without a consumer secret only the key is sent.
/// Fails with [`Error::NoConsumerKey`], or [`Error::Input`] where the path needs an `id` that is missing or unsafe.
pub fn sign(
    endpoint: &Endpoint,
    mut parameters: Vec<Parameter>,
    base: &BaseUri,
    credentials: &Credentials,
    placement: Placement,
    stamp: &Stamp,
) -> Result<SignedRequest, Error> {
    let consumer = credentials.consumer.as_ref().ok_or(Error::NoConsumerKey)?;
    let method = endpoint.method;
    let mut url = base.join(&fill_path(endpoint.path, &mut parameters)?);
    let token = match endpoint.auth {
        Auth::User => credentials.token.as_ref(),
        Auth::Consumer => None,
    };
    let oauth = match &consumer.secret {
        Some(secret) => oauth::sign(
            method.as_str(),
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
    let sent = sent(&parameters, credentials, &oauth);
    let oauth_in_query = match placement {
        _ if consumer.secret.is_none() => true,
        Placement::Auto => method == Method::Get,
        Placement::Query => true,
        Placement::Header => false,
    };
    let (mut query, form) = match method {
        Method::Get => (parameters, None),
        Method::Post => (Vec::new(), Some(oauth::encode_form(&parameters))),
    };
    let authorization = if oauth_in_query {
        query.extend(oauth);
        None
    } else {
        Some(oauth::authorization(&oauth))
    };
    if !query.is_empty() {
        url.set_query(Some(&oauth::encode_form(&query)));
    }
    Ok(SignedRequest {
        operation: endpoint.path,
        method,
        url,
        authorization,
        form,
        sent,
    })
}

/// What of a request may come back in its answer.
fn sent(parameters: &[Parameter], credentials: &Credentials, oauth: &[Parameter]) -> Sent {
    let values = parameters.iter().map(|(_, value)| value);
    let values = values.filter(|value| value.chars().any(is_invisible));
    let consumer = credentials.consumer.as_ref();
    let token = credentials.token.iter().map(|token| token.token.clone());
    let signature = oauth.iter().filter(|(name, _)| name == "oauth_signature");
    let password = parameters.iter().filter(|(name, _)| name == "password");
    let secrets = signature
        .chain(password)
        .map(|(_, value)| value.as_str().into());
    Sent {
        values: values.cloned().collect(),
        consumer_key: consumer.map(|consumer| consumer.key.clone()),
        credentials: token.chain(secrets).collect(),
    }
}

/// Replaces `{id}` with the parameter `id`, as one path segment.
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
        return Err(Error::Input {
            name: "id".to_owned(),
            problem: InvalidParameter::Id,
        });
    }
    Ok(path.replace("{id}", &oauth::encode(&id)))
}

#[cfg(test)]
mod tests;
