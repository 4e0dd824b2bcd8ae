//! From a bearer token to a caller.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, header};
use sevendigital_tools::Scope;
use subtle::ConstantTimeEq as _;

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
    /// Digests of bearer tokens with their principals; the operator's token has none.
    tokens: Arc<[([u8; 32], Option<Principal>)]>,
    principals: Arc<[Principal]>,
    oauth: Option<Arc<Verifier>>,
}

impl Authenticator {
    /// As the settings have it. Opens no connection.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let operator = config.token.as_ref();
        let operator = operator.map(|token| (sha256(token.expose()), None));
        let principals = config.principals.iter();
        let named = principals.filter_map(|one| Some((one.digest()?, Some(one.clone()))));
        Ok(Self {
            tokens: operator.into_iter().chain(named).collect(),
            principals: config.principals.clone().into(),
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
        if self.tokens.is_empty() && self.oauth.is_none() {
            return Ok(Caller::operator());
        }
        let Some(token) = bearer(headers) else {
            return Err(self.unauthenticated(None));
        };
        let given = sha256(token);
        let mut found = None;
        // All are compared, so that the time taken says nothing.
        for (known, principal) in &*self.tokens {
            if bool::from(known.ct_eq(&given)) {
                found = Some(principal);
            }
        }
        match (found, &self.oauth) {
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
        let mut principals = self.principals.iter();
        match principals.find(|principal| principal.subject.as_ref() == Some(&claims.subject)) {
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
