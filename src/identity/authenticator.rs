//! From a bearer token to a caller.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, header};
use sevendigital_tools::Scope;

use super::access_token::{Claims, Verifier};
use super::caller::Caller;
use super::protected_resource::ProtectedResource;
use super::signing_keys::Refusal;
use super::tool_filter::ToolFilter;
use crate::config::{Config, ConfigError, Principal};
use crate::digest::sha256;
use crate::headers::single_header;
use crate::problem::{Kind, Problem};

/// How long to wait where the authorization server's keys can't be fetched.
const KEYS_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Finds out who calls over HTTP, of the callers that the settings name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator {
    /// By the digests of their bearer tokens; the operator's token has no principal. How long a look-up takes says something of a digest alone, which no token can be made from.
    by_token: Arc<HashMap<[u8; 32], Option<Arc<Principal>>>>,
    by_subject: Arc<HashMap<String, Arc<Principal>>>,
    oauth: Option<Arc<Verifier>>,
}

impl Authenticator {
    /// As the settings have it. Opens no connection.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let operator = config.token.as_ref();
        let operator = operator.map(|token| (sha256(token.expose()), None));
        let principals: Vec<_> = config.principals.iter().cloned().map(Arc::new).collect();
        let by_token = principals.iter().map(|one| (one.digest(), one));
        let by_token = by_token.filter_map(|(digest, one)| Some((digest?, Some(Arc::clone(one)))));
        let by_subject = principals.iter().map(|one| (one.subject.clone(), one));
        let by_subject = by_subject.filter_map(|(subject, one)| Some((subject?, Arc::clone(one))));
        Ok(Self {
            by_token: Arc::new(operator.into_iter().chain(by_token).collect()),
            by_subject: Arc::new(by_subject.collect()),
            oauth: Verifier::from_config(config)?.map(Arc::new),
        })
    }

    /// This server as OAuth describes it, where an authorization server is configured.
    pub fn resource(&self) -> Option<&ProtectedResource> {
        self.oauth.as_ref().map(|verifier| &verifier.resource)
    }

    /// The caller that sends these headers, with the tools that they ask for.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let caller = self.verify(headers).await?;
        Ok(caller.filtered(ToolFilter::from_headers(headers)?))
    }

    /// Refuses a caller whose access token lacks this scope, if any; the challenge says which one.
    pub fn check_scope(&self, caller: &Caller, missing: Option<Scope>) -> Result<(), Problem> {
        let (Some(missing), Some(resource)) = (missing, self.resource()) else {
            return Ok(());
        };
        let why = format!("the access token lacks the scope `{}`", missing.as_str());
        let challenge = resource.insufficient(caller.scopes(), missing);
        Err(Problem::rejected(Kind::Forbidden, why).header(header::WWW_AUTHENTICATE, &challenge))
    }

    async fn verify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if self.by_token.is_empty() && self.oauth.is_none() {
            return Ok(Caller::operator());
        }
        let Some(token) = bearer(headers) else {
            return Err(self.unauthenticated(None));
        };
        match (self.by_token.get(&sha256(token)), &self.oauth) {
            (Some(None), _) => Ok(Caller::operator()),
            (Some(Some(principal)), _) => Ok(Caller::from_principal(principal, None)),
            (None, None) => Err(self.unauthenticated(Some("the token is not known here"))),
            (None, Some(verifier)) => match verifier.verify(token).await {
                Ok(claims) => Ok(self.token_holder(claims)),
                Err(Refusal::Invalid(why)) => Err(self.unauthenticated(Some(why))),
                Err(Refusal::Unavailable(why)) => {
                    tracing::error!("access tokens can't be verified: {why}");
                    let why = "access tokens can't be verified at the moment";
                    Err(Problem::rejected(Kind::Overloaded, why).after(KEYS_RETRY_AFTER))
                }
            },
        }
    }

    /// The caller that an access token is for.
    fn token_holder(&self, claims: Claims) -> Caller {
        match self.by_subject.get(&claims.subject) {
            Some(principal) => Caller::from_principal(principal, Some(claims.scopes)),
            None => Caller::from_subject(&claims.subject, claims.scopes),
        }
    }

    /// The token is missing, or this is what is wrong with it.
    fn unauthenticated(&self, wrong: Option<&str>) -> Problem {
        let why = wrong.unwrap_or("a bearer token is needed: `Authorization: Bearer …`");
        let challenge = match self.resource() {
            Some(resource) => resource.unauthenticated(wrong),
            None => "Bearer realm=\"sevendigital-mcp\"".to_owned(),
        };
        Problem::rejected(Kind::Unauthenticated, why).header(header::WWW_AUTHENTICATE, &challenge)
    }
}

/// The token of the one `Authorization` header. The scheme's name may be in any case (RFC 9110).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = single_header(headers, header::AUTHORIZATION.as_str()).ok()??;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
