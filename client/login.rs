//! The login of a user (three-legged OAuth): a request token, the page where the user allows it, and the access token that it becomes.
//!
//! ```no_run
//! # async fn login(client: sevendigital::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let request_token = client.request_token().await?;
//! let page = client.authorise_page(&request_token, "http://127.0.0.1:8080/done")?;
//! println!("Open {page}, choose Allow, and press Enter here.");
//! std::io::stdin().read_line(&mut String::new())?;
//! let access_token = client.access_token(&request_token, None).await?;
//! # let _ = access_token;
//! # Ok(())
//! # }
//! ```

use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use crate::client::Client;
use crate::credentials::Token;
use crate::echo::Sent;
use crate::endpoint::{Auth, Effect, Endpoint};
use crate::error::{Error, InvalidParameter, Unreadable};
use crate::oauth::{self, Stamp};
use crate::parameters;
use crate::reply::Reply;
use crate::response;
use crate::signing::SignedRequest;
use crate::xml;

const REQUEST_TOKEN: Endpoint =
    Endpoint::post("/oauth/requesttoken", Auth::Consumer, Effect::Writes);
const ACCESS_TOKEN: Endpoint = Endpoint::post("/oauth/accesstoken", Auth::Consumer, Effect::Writes);
/// Where 7digital's users log in.
const ACCOUNT: &str = "https://account.7digital.com";
/// Characters in a token or its secret at most.
const MAX_TOKEN: usize = 1_024;

impl Client {
    /// Step 1: a request token, which the user has not allowed yet.
    ///
    /// All three steps need a consumer key and its secret.
    pub async fn request_token(&self) -> Result<Token, Error> {
        let request = sign(self, &REQUEST_TOKEN, None, None, &Stamp::now())?;
        read(&self.transmit_once(request).await?.document)
    }

    /// Step 2: the page where the user allows it. The browser ends on `callback`, with `oauth_token` and `status` in the query.
    pub fn authorise_page(&self, request_token: &Token, callback: &str) -> Result<Url, Error> {
        let credentials = self.credentials();
        let consumer = credentials.consumer.as_ref().ok_or(Error::NoConsumerKey)?;
        // A stub of the API is one of the account site too; any other base URI is one of the API alone.
        let mut page = if self.base_uri().is_loopback() {
            self.base_uri().url().clone()
        } else {
            Url::parse(ACCOUNT).unwrap_or_else(|_| unreachable!("a constant URL"))
        };
        page.set_path(&format!(
            "/{}/oauth/authorise",
            oauth::encode(consumer.key.expose())
        ));
        let token = request_token.token.expose().to_owned();
        page.set_query(Some(&oauth::encode_form(&[
            ("oauth_token".to_owned(), token),
            ("oauth_callback".to_owned(), callback.to_owned()),
        ])));
        Ok(page)
    }

    /// Step 3: the access token that an allowed request token becomes.
    ///
    /// Before the user has allowed it, 7digital refuses with code 2002. `verifier` is sent if the callback brought one.
    pub async fn access_token(
        &self,
        request_token: &Token,
        verifier: Option<&str>,
    ) -> Result<Token, Error> {
        let stamp = Stamp::now();
        let request = sign(self, &ACCESS_TOKEN, Some(request_token), verifier, &stamp)?;
        read(&self.transmit_once(request).await?.document)
    }
}

/// Signs a token call. Its OAuth parameters stand in the form body, as in 7digital's own guide.
fn sign(
    client: &Client,
    endpoint: &Endpoint,
    token: Option<&Token>,
    verifier: Option<&str>,
    stamp: &Stamp,
) -> Result<SignedRequest, Error> {
    let credentials = client.credentials();
    let consumer = credentials.consumer.as_ref().ok_or(Error::NoConsumerKey)?;
    let secret = consumer
        .secret
        .as_ref()
        .ok_or_else(|| parameters::invalid("consumer_secret", InvalidParameter::SecretNeeded))?;
    // A key that is locked to a country is refused without `country` or `shopId`.
    let mut form = parameters::serialize(endpoint, &json!({}), credentials)?;
    if let Some(verifier) = verifier {
        form.push(("oauth_verifier".to_owned(), verifier.to_owned()));
    }
    let url = client.base_uri().join(endpoint.path);
    let method = endpoint.method;
    let oauth = oauth::sign(method.as_str(), &url, &form, consumer, secret, token, stamp);
    form.extend(oauth);
    Ok(SignedRequest {
        operation: endpoint.path,
        method,
        url,
        authorization: None,
        form: Some(oauth::encode_form(&form)),
        sent: Sent::default(),
    })
}

/// The token in an answer: form-encoded, XML with or without an envelope, or that XML's JSON.
fn read(reply: &Reply) -> Result<Token, Error> {
    let text = response::text(reply);
    let text = response::trimmed(&text);
    let bare = match reply.status {
        200..300 => form(text).or_else(|| bare_xml(text)),
        _ => None,
    };
    let fields = match bare {
        Some(fields) => fields,
        None => enveloped(response::read(reply, &ACCESS_TOKEN)?)
            .ok_or(Error::Unreadable(Unreadable::NoToken))?,
    };
    let field = |name| match fields.get(name).and_then(Value::as_str) {
        Some(text) if is_token(text) => Ok(text.into()),
        _ => Err(Error::Unreadable(Unreadable::Token(name))),
    };
    Ok(Token {
        token: field("oauth_token")?,
        secret: field("oauth_token_secret")?,
    })
}

fn form(text: &str) -> Option<Map<String, Value>> {
    let fields: Map<String, Value> = form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    fields.contains_key("oauth_token").then_some(fields)
}

fn bare_xml(text: &str) -> Option<Map<String, Value>> {
    let (root, content) = text.starts_with('<').then(|| xml::parse(text).ok())??;
    enveloped(Map::from_iter([(root, content)]))
}

fn enveloped(mut document: Map<String, Value>) -> Option<Map<String, Value>> {
    let found = document
        .remove("oauth_request_token")
        .or_else(|| document.remove("oauth_access_token"))?;
    match found {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// Programs store and print tokens, one a line, so only visible ASCII is accepted.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TOKEN && text.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
