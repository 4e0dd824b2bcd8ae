//! Who may come in: the bearer token of a request makes it somebody's.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{Extensions, HeaderMap, header};
use sevendigital_tools::{Contract, Scope};
use subtle::ConstantTimeEq as _;

use super::access_token::{Checker, Refusal};
use super::caller::Caller;
use super::protected_resource::Resource;
use super::tool_filter::Choice;
use crate::config::{Config, ConfigError, Principal};
use crate::digest::sha256;
use crate::headers::single_header;
use crate::http::errors::Refused;
use crate::problem::Kind;

/// Finds out who calls over HTTP. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Door(Arc<Settings>);

/// Whom the settings let in.
#[derive(Debug)]
struct Settings {
    /// Digests of bearer tokens, with whose they are; the operator's is nobody's in particular.
    tokens: Vec<([u8; 32], Option<Principal>)>,
    /// Callers that the authorization server vouches for.
    subjects: Vec<Principal>,
    oauth: Option<(Checker, Resource)>,
}

impl Door {
    /// The door as the settings have it. Opens no connection.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let operator = config.token.as_ref();
        let operator = operator.map(|token| (sha256(token.expose()), None));
        let named = config.principals.iter();
        let named =
            named.filter_map(|principal| Some((principal.digest()?, Some(principal.clone()))));
        let oauth = match (config.trust(), config.resource()) {
            (Some(trust), Some(resource)) => {
                let checker = Checker::new(trust).map_err(ConfigError)?;
                Some((checker, resource))
            }
            _ => None,
        };
        Ok(Self(Arc::new(Settings {
            tokens: operator.into_iter().chain(named).collect(),
            subjects: config.principals.clone(),
            oauth,
        })))
    }

    /// This server as OAuth describes it, where an authorization server is configured.
    pub fn resource(&self) -> Option<&Resource> {
        self.0.oauth.as_ref().map(|(_, resource)| resource)
    }

    /// Who sends these headers, and which tools they ask for.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refused> {
        let caller = self.known(headers).await?;
        match Choice::of_headers(headers) {
            Ok(choice) => Ok(caller.choosing(choice)),
            Err(why) => Err(Refused::new(Kind::Header, why)),
        }
    }

    /// Refuses a caller whose access token lacks a scope; which one, it is told as OAuth has it.
    pub fn check_scope(&self, caller: &Caller, contract: &Contract) -> Result<(), Refused> {
        let (Some(lacking), Some(resource)) = (caller.lacks(contract), self.resource()) else {
            return Ok(());
        };
        let why = format!("the access token lacks the scope `{}`", lacking.as_str());
        let challenge = resource.insufficient(caller.scopes(), lacking);
        Err(Refused::new(Kind::NotAllowed, why).with(header::WWW_AUTHENTICATE, &challenge))
    }

    async fn known(&self, headers: &HeaderMap) -> Result<Caller, Refused> {
        let Settings {
            tokens,
            subjects,
            oauth,
        } = &*self.0;
        if tokens.is_empty() && oauth.is_none() {
            return Ok(Caller::operator());
        }
        let Some(token) = bearer(headers) else {
            return Err(self.unknown(None));
        };
        let shown = sha256(token);
        let mut found = None;
        // All are looked at, so that the time taken says nothing.
        for (known, principal) in tokens {
            if bool::from(known.ct_eq(&shown)) {
                found = Some(principal);
            }
        }
        match (found, oauth) {
            (Some(None), _) => Ok(Caller::operator()),
            (Some(Some(principal)), _) => Ok(Caller::named(principal, None)),
            (None, None) => Err(self.unknown(Some("the token is not known here"))),
            (None, Some((checker, _))) => match checker.check(token).await {
                Ok(claims) => {
                    let scopes = claims.scopes.iter();
                    let scopes: Vec<Scope> =
                        scopes.filter_map(|name| Scope::from_name(name)).collect();
                    let listed = |principal: &&Principal| {
                        principal.subject.as_ref() == Some(&claims.subject)
                    };
                    Ok(match subjects.iter().find(listed) {
                        Some(principal) => Caller::named(principal, Some(scopes)),
                        None => Caller::subject(&claims.subject, scopes),
                    })
                }
                Err(Refusal::Invalid(why)) => Err(self.unknown(Some(why))),
                Err(Refusal::Unavailable(why)) => {
                    tracing::error!("access tokens can't be checked: {why}");
                    Err(
                        Refused::new(Kind::Busy, "access tokens can't be checked at the moment")
                            .after(KEYS_LATER),
                    )
                }
            },
        }
    }

    /// Nobody is let in without a token; there was none, or this is what is wrong with it.
    fn unknown(&self, wrong: Option<&str>) -> Refused {
        let why = wrong.unwrap_or("a bearer token is needed: `Authorization: Bearer …`");
        let challenge = match self.resource() {
            Some(resource) => resource.unauthenticated(wrong),
            None => "Bearer realm=\"sevendigital-mcp\"".to_owned(),
        };
        Refused::new(Kind::Unauthenticated, why).with(header::WWW_AUTHENTICATE, &challenge)
    }
}

/// Lets a request pass once it is known who sends it.
pub async fn enter(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    match door.caller(request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

/// The caller whom [`enter`] found. Without one nobody knows who it is, and so it is nobody.
pub fn caller(found: &Extensions) -> Result<Caller, Refused> {
    found
        .get()
        .cloned()
        .ok_or_else(|| Refused::new(Kind::Broken, "this server does not know who calls"))
}

/// How long to wait where the authorization server's keys can't be had.
const KEYS_LATER: std::time::Duration = std::time::Duration::from_secs(5);

/// The token of the one `Authorization` header. The scheme's name may be in any case (RFC 9110).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = single_header(headers, header::AUTHORIZATION.as_str()).ok()??;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
