//! Tokens, and the three OAuth endpoints that issue them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::call::{Call, Refusal};
use crate::document::{self, Node};
use crate::oauth::DENIED;
use crate::pages::{Reply, reply};
use crate::request::Request;
use crate::state::State;

const MOST_TOKENS: usize = 10_000;

/// Access tokens in use and request tokens on their way.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    access: BTreeMap<String, Access>,
    requests: BTreeMap<String, Requested>,
}

#[derive(Debug)]
struct Access {
    secret: String,
    user_id: String,
}

#[derive(Debug)]
struct Requested {
    secret: String,
    /// Who allowed it; nobody yet, at first.
    user_id: Option<String>,
}

/// One of the endpoints below `/1.2/oauth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    RequestToken,
    Authorise,
    AccessToken,
}

impl Endpoint {
    /// The endpoint at a path below `/1.2`; each takes GET and POST.
    pub(crate) fn find(path: &str) -> Option<Self> {
        match path.to_ascii_lowercase().as_str() {
            "/oauth/requesttoken" => Some(Self::RequestToken),
            "/oauth/requesttoken/authorise" => Some(Self::Authorise),
            "/oauth/accesstoken" => Some(Self::AccessToken),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RequestToken => "requestToken",
            Self::Authorise => "authoriseRequestToken",
            Self::AccessToken => "accessToken",
        }
    }

    /// Answers a call whose signature was checked; `token` is the one that signed it.
    pub(crate) fn answer(
        self,
        state: &mut State,
        call: &Call,
        request: &Request,
        token: Option<&str>,
    ) -> Result<Reply, Refusal> {
        match self {
            Self::RequestToken => {
                let (token, secret) = state.tokens.request();
                Ok(token_reply("oauth_request_token", &token, &secret, request))
            }
            Self::Authorise => authorise(state, call),
            Self::AccessToken => {
                let token = token.ok_or_else(|| Refusal::Plain(DENIED.to_owned()))?;
                let (token, secret) = state.tokens.exchange(token)?;
                Ok(token_reply("oauth_access_token", &token, &secret, request))
            }
        }
    }
}

impl Tokens {
    pub(crate) fn access_secret(&self, token: &str) -> Option<String> {
        self.access.get(token).map(|access| access.secret.clone())
    }

    pub(crate) fn request_secret(&self, token: &str) -> Option<String> {
        self.requests
            .get(token)
            .map(|requested| requested.secret.clone())
    }

    /// Whose access token it is.
    pub(crate) fn user_of(&self, token: &str) -> Option<&str> {
        self.access.get(token).map(|access| access.user_id.as_str())
    }

    /// Makes an access token good for a user.
    pub(crate) fn grant(&mut self, token: &str, secret: &str, user_id: &str) {
        let access = Access {
            secret: secret.to_owned(),
            user_id: user_id.to_owned(),
        };
        self.access.insert(token.to_owned(), access);
    }

    pub(crate) fn is_requested(&self, token: &str) -> bool {
        self.requests.contains_key(token)
    }

    pub(crate) fn authorise(&mut self, token: &str, user_id: &str) {
        if let Some(requested) = self.requests.get_mut(token) {
            requested.user_id = Some(user_id.to_owned());
        }
    }

    pub(crate) fn deny(&mut self, token: &str) {
        self.requests.remove(token);
    }

    fn request(&mut self) -> (String, String) {
        if self.requests.len() >= MOST_TOKENS {
            self.requests.pop_first();
        }
        let (token, secret) = pair();
        self.requests.insert(
            token.clone(),
            Requested {
                secret: secret.clone(),
                user_id: None,
            },
        );
        (token, secret)
    }

    /// Turns a request token that a user allowed into an access token, once.
    fn exchange(&mut self, request_token: &str) -> Result<(String, String), Refusal> {
        let allowed_by = self
            .requests
            .get(request_token)
            .and_then(|requested| requested.user_id.clone());
        let user_id = allowed_by
            .ok_or_else(|| Refusal::new(2002, "Request token has not been authorised"))?;
        if self.access.len() >= MOST_TOKENS {
            return Err(Refusal::new(7001, "Too many access tokens"));
        }
        self.requests.remove(request_token);
        let (token, secret) = pair();
        self.grant(&token, &secret, &user_id);
        Ok((token, secret))
    }
}

/// Secrets end in `==` as 7digital's do, so that a client which forgets to encode them fails here.
fn pair() -> (String, String) {
    (
        Uuid::new_v4().simple().to_string(),
        format!("{}==", Uuid::new_v4().simple()),
    )
}

/// Lets a user in without a browser.
fn authorise(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (email, password) = (call.required("username")?, call.required("password")?);
    let token = call.required("token")?;
    if !state.tokens.is_requested(token) {
        return Err(Refusal::not_found("Request token", token));
    }
    let user = state.user_by_password(email, password);
    let user_id = user
        .ok_or_else(|| Refusal::Plain(DENIED.to_owned()))?
        .id
        .clone();
    state.tokens.authorise(token, &user_id);
    Ok(reply(
        200,
        "text/xml; charset=utf-8",
        document::xml(&Node::default(), "ok"),
    ))
}

fn token_reply(name: &'static str, token: &str, secret: &str, request: &Request) -> Reply {
    if request.prefers_xml() {
        let node = Node::default()
            .element("oauth_token", token)
            .element("oauth_token_secret", secret);
        return reply(
            200,
            "text/xml; charset=utf-8",
            document::xml(&Node::default().child(name, node), "ok"),
        );
    }
    let body = format!(
        "oauth_token={token}&oauth_token_secret={}",
        secret.replace('=', "%3d")
    );
    reply(200, "application/x-www-form-urlencoded", body)
}
