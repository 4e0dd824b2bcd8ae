//! The three OAuth endpoints that issue tokens.

use crate::call::Call;
use crate::document::{self, Node};
use crate::pages::{Reply, reply, xml};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::state::State;

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
                let pair = state.tokens.request();
                Ok(token_reply("oauth_request_token", &pair, request))
            }
            Self::Authorise => authorise(state, call),
            Self::AccessToken => {
                let pair = state.tokens.exchange(token.ok_or_else(Refusal::denied)?)?;
                Ok(token_reply("oauth_access_token", &pair, request))
            }
        }
    }
}

/// Allows a request token without a browser.
fn authorise(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (email, password) = (call.required("username")?, call.required("password")?);
    let token = call.required("token")?;
    if !state.tokens.is_requested(token) {
        return Err(Refusal::not_found("Request token", token));
    }
    let user = state.user_by_password(email, password);
    let user_id = user.ok_or_else(Refusal::denied)?.id.clone();
    state.tokens.authorise(token, &user_id);
    Ok(xml(200, document::xml(&Node::default(), "ok")))
}

fn token_reply(name: &'static str, (token, secret): &(String, String), request: &Request) -> Reply {
    if request.prefers_xml() {
        let node = Node::default()
            .element("oauth_token", token)
            .element("oauth_token_secret", secret);
        let payload = Node::default().child(name, node);
        return xml(200, document::xml(&payload, "ok"));
    }
    let secret = secret.replace('=', "%3d");
    let body = format!("oauth_token={token}&oauth_token_secret={secret}");
    reply(200, "application/x-www-form-urlencoded", body)
}
