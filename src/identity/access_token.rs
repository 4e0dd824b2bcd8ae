//! An access token that is a JWT, checked against the keys that its authorization server publishes.
//!
//! RFC 9068 says what such a token holds, and RFC 8725 how JWTs are read with care.
//! A token may name keys and addresses of keys as it likes: keys come from the operator's address and from nowhere else.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use serde_json::Value;
use sevendigital_tools::Scope;
use url::Url;

use super::protected_resource::ProtectedResource;
use super::signing_keys::{Held, KeyRing, Refusal, fitting};
use crate::config::{Config, ConfigError};

/// Bytes of a token at most. It comes in a header, and servers bound those: nginx to 8 KiB a line, by its `large_client_header_buffers`.
const MAX_TOKEN: usize = 8 << 10;
/// Characters of a subject at most: `OpenID` Connect Core 1.0 §2 bounds `sub` so.
const MAX_SUBJECT: usize = 255;
/// Clocks may differ by so much, for `exp` and `nbf` alike: RFC 9068 §4 allows "some small leeway".
const LEEWAY: Duration = Duration::from_secs(30);
const NO_JWT: Refusal = Refusal::Invalid("the token is not a signed JWT of claims");

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    /// `sub`: the user, unique within the issuer. One to [`MAX_SUBJECT`] characters.
    pub(super) subject: String,
    /// What the user allowed: `scope` (RFC 8693 §4.2, a text with spaces) or, where that is absent, `scp` (Okta's list, Entra's text). Names of no scope here are left out; may be empty.
    pub(super) scopes: Vec<Scope>,
}

/// Checks access tokens against one authorization server.
#[derive(Debug)]
pub(super) struct Verifier {
    /// Whose `issuer` the `iss` of a token must be to the letter (RFC 8414 §2: a closing slash counts), and whose `name` its `aud` must be or hold (RFC 9068 §4).
    pub(super) resource: ProtectedResource,
    /// Algorithms that a token may be signed with.
    algorithms: Vec<Algorithm>,
    ring: Arc<KeyRing>,
}

impl Verifier {
    /// For the authorization server of the settings, if they name one. It has no keys yet: the first token makes it fetch them.
    ///
    /// Fails with a sentence where the platform's TLS roots can't be loaded. Opens no connection.
    pub(super) fn from_config(config: &Config) -> Result<Option<Self>, ConfigError> {
        let keys = config.auth_jwks_uri.as_deref().map(Url::parse);
        let (Some(resource), Some(Ok(keys))) = (ProtectedResource::from_config(config), keys)
        else {
            return Ok(None);
        };
        let ring = KeyRing::new(keys).map_err(|error| ConfigError::new(error.to_string()))?;
        let algorithms = config.auth_algorithms.iter();
        Ok(Some(Self {
            resource,
            algorithms: algorithms.filter_map(|name| name.parse().ok()).collect(),
            ring: Arc::new(ring),
        }))
    }

    /// What a token says, if it is signed by the authorization server, for this server, and valid now.
    ///
    /// Waits for keys, up to [`FETCH`](super::signing_keys::FETCH), where there are none, where they are older than [`FRESH`](super::signing_keys::FRESH), and where the token's key is not among them.
    /// A caller that stops waiting ends nothing: the fetch goes on for all. Needs a tokio runtime.
    /// A key that is replaced under the same `kid`, or where tokens have none, is noticed only once the keys are no longer fresh.
    pub(super) async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        let header = self.header(token)?;
        let held = self.ring.held();
        if held.fresh
            && let Some(claims) = self.read(token, &header, &held)?
        {
            return Ok(claims);
        }
        let fetch = KeyRing::fetch(&self.ring);
        // While fetches fail, a token that the old keys can verify does not wait for the next fetch.
        if held.failure.is_some()
            && let Some(claims) = self.read(token, &header, &held)?
        {
            return Ok(claims);
        }
        if let Some(mut fetch) = fetch {
            // Nothing is ever sent: it ends when the fetch does.
            let _ = fetch.changed().await;
        }
        let held = self.ring.held();
        let claims = self.read(token, &header, &held)?;
        claims.ok_or(match (held.failure, held.keys) {
            // With new keys, this one might be among them.
            (Some(failure), _) => Refusal::Unavailable(failure),
            (None, Some(_)) => Refusal::Invalid(
                "the token is signed with a key that the authorization server does not publish",
            ),
            (None, None) => {
                Refusal::Unavailable("the authorization server's keys could not be fetched")
            }
        })
    }

    /// The header of a token for which keys are worth fetching.
    fn header(&self, token: &str) -> Result<Header, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Invalid("the token is longer than 8 KiB"));
        }
        // Fails for `none` too, which is no algorithm to the library.
        let header = jsonwebtoken::decode_header(token).map_err(|_| NO_JWT)?;
        let wrong = if !self.algorithms.contains(&header.alg) {
            "the token is signed with an algorithm that is not accepted here"
        } else if header.crit.is_some() {
            // RFC 7515 §4.1.11: an extension that is critical and not understood must be refused.
            "the token has a `crit` header, and no extension is understood here"
        } else if !header.typ.as_deref().is_none_or(is_access_token) {
            "the token's `typ` is that of something else than an access token"
        } else {
            return Ok(header);
        };
        Err(Refusal::Invalid(wrong))
    }

    /// What the token says, or nothing if its key is not among these.
    fn read(&self, token: &str, header: &Header, held: &Held) -> Result<Option<Claims>, Refusal> {
        let keys = held.keys.as_deref().unwrap_or_default();
        // What the library checks, once the signature is right.
        let mut validation = Validation::new(header.alg);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[&self.resource.name]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY.as_secs();
        let mut refusal = None;
        for key in fitting(keys, header)? {
            match jsonwebtoken::decode(token, &key.key, &validation) {
                Ok(token) => return self.claims(&token.claims).map(Some),
                // Keys of one name are rare, and still each of them might be the one.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                    refusal = Some(invalid(&error));
                }
                Err(error) => return Err(invalid(&error)),
            }
        }
        refusal.map_or(Ok(None), Err)
    }

    /// What the library leaves to us.
    fn claims(&self, payload: &Payload) -> Result<Claims, Refusal> {
        // Not by the library, which would take a list of issuers if ours is in it.
        if payload.iss != self.resource.issuer {
            return Err(Refusal::Invalid("the token is from another issuer"));
        }
        let subject = payload.sub.as_str().unwrap_or_default();
        if subject.is_empty() || subject.chars().count() > MAX_SUBJECT {
            return Err(Refusal::Invalid(
                "the token's `sub` is empty or longer than 255 characters",
            ));
        }
        let scope = Some(&payload.scope).filter(|scope| !scope.is_null());
        let granted = scope.unwrap_or(&payload.scp);
        let wrong = Refusal::Invalid("the token's scopes are neither a text nor a list of texts");
        Ok(Claims {
            subject: subject.to_owned(),
            scopes: scopes(granted).ok_or(wrong)?,
        })
    }
}

/// The claims that are read here. They are values, so that an error can say what is wrong with them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    iss: Value,
    sub: Value,
    scope: Value,
    scp: Value,
}

/// Whether a `typ` is RFC 9068's `at+jwt` or the plain `JWT` of older servers. Other kinds of JWT have names of their own: RFC 8725 §3.11.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let kind = typ.strip_prefix("application/").unwrap_or(&typ);
    matches!(kind, "at+jwt" | "jwt")
}

fn scopes(granted: &Value) -> Option<Vec<Scope>> {
    let names: Vec<&str> = match granted {
        Value::Null => Vec::new(),
        Value::String(text) => text.split(' ').collect(),
        Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<_>>()?,
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    Some(names.into_iter().filter_map(Scope::from_name).collect())
}

fn invalid(error: &Error) -> Refusal {
    Refusal::Invalid(match error.kind() {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => {
            "a claim is missing or of the wrong type: `iss`, `aud`, `sub` and `exp` are needed"
        }
        _ => return NO_JWT,
    })
}
