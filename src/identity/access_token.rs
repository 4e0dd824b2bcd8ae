//! An access token that is a JWT, checked against the keys that its authorization server publishes.
//!
//! RFC 9068 says what such a token holds, and RFC 8725 how JWTs are read with care.
//! A token may name keys and addresses of keys as it likes: keys come from the operator's address and from nowhere else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::signing_keys::{Held, KeyRing, Refusal, Shape, fitting};
use crate::config::Config;

/// Bytes of a token at most. It comes in a header, and servers bound those: nginx to 8 KiB a line, by its `large_client_header_buffers`.
pub const MAX_TOKEN: usize = 8 << 10;
/// Characters of a subject at most: `OpenID` Connect Core 1.0 §2 bounds `sub` so.
pub const MAX_SUBJECT: usize = 255;
/// Clocks may differ by so much, for `exp` and `nbf` alike: RFC 9068 §4 allows "some small leeway".
pub const LEEWAY: Duration = Duration::from_secs(30);
const UNKNOWN_KEY: Refusal = Refusal::Invalid(
    "the token is signed with a key that the authorization server does not publish",
);
const NO_JWT: Refusal = Refusal::Invalid("the token is not a signed JWT of claims");

/// What the operator configured.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The authorization server's identifier. `iss` must be this very text: RFC 8414 §2 has it without a query, and a closing slash counts.
    pub issuer: String,
    /// This server's identifier. `aud` must be this very text, or a list that holds it: RFC 9068 §4.
    pub audience: String,
    /// Where the authorization server publishes its keys, `jwks_uri` in RFC 8414 §2: https, or http to a loopback address.
    pub jwks_uri: Url,
    /// Algorithms that a token may be signed with, one or more of those that [`algorithm`] knows.
    pub algorithms: Vec<Algorithm>,
}

impl Trust {
    /// The authorization server of the settings, if they name one.
    pub fn from_config(config: &Config) -> Option<Self> {
        let algorithms = config.auth_algorithms.iter();
        Some(Self {
            issuer: config.auth_issuer.clone()?,
            audience: config.auth_audience.clone()?,
            jwks_uri: Url::parse(config.auth_jwks_uri.as_ref()?).ok()?,
            algorithms: algorithms.filter_map(|name| algorithm(name)).collect(),
        })
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: the user, unique within the issuer. One to [`MAX_SUBJECT`] characters.
    pub subject: String,
    /// What the user allowed: `scope` (RFC 8693 §4.2, a text with spaces) or, where that is absent, `scp` (Okta's list, Entra's text). May be empty.
    pub scopes: Vec<String>,
}

/// The algorithm of a name in the IANA registry "JSON Web Signature and Encryption Algorithms", upper and lower case as there.
///
/// `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` and `EdDSA` may be configured.
/// An HMAC never: its key would have to be secret, and published keys are not. And never `none`.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    let algorithm = name.parse().ok()?;
    Shape::from_algorithm(algorithm).map(|_| algorithm)
}

/// Checks access tokens against one authorization server. Share it by `Arc`.
pub struct Verifier {
    trust: Trust,
    ring: Arc<KeyRing>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that has no keys yet: the first token makes it fetch them.
    ///
    /// Fails with a sentence where a value is not acceptable, or where the platform's TLS roots can't be loaded. Opens no connection.
    pub fn new(trust: Trust) -> Result<Self, String> {
        if trust.issuer.is_empty() {
            return Err("the issuer is empty, so no token could be from it".into());
        }
        if trust.audience.is_empty() {
            return Err("the audience is empty, so no token could be for it".into());
        }
        if trust.algorithms.is_empty() {
            return Err("no algorithm is accepted, so no token could be".into());
        }
        if let Some(other) = trust
            .algorithms
            .iter()
            .find(|a| Shape::from_algorithm(**a).is_none())
        {
            return Err(format!(
                "`{other:?}` is not an algorithm to check with published keys, use one such as `RS256` or `ES256`"
            ));
        }
        let ring = Arc::new(KeyRing::new(trust.jwks_uri.clone())?);
        Ok(Self { trust, ring })
    }

    /// What a token says, if it is signed by the authorization server, for this server, and valid now.
    ///
    /// Waits for keys, up to [`FETCH`](super::signing_keys::FETCH), where there are none, where they are older than [`FRESH`](super::signing_keys::FRESH), and where the token's key is not among them.
    /// A caller that stops waiting ends nothing: the fetch goes on for all. Needs a tokio runtime.
    /// A key that is replaced under the same `kid`, or where tokens have none, is noticed only once the keys are no longer fresh.
    pub async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
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
        if let Some(claims) = self.read(token, &header, &held)? {
            return Ok(claims);
        }
        match (held.failure, held.keys) {
            // With new keys, this one might be among them.
            (Some(failure), _) => Err(Refusal::Unavailable(failure)),
            (None, Some(_)) => Err(UNKNOWN_KEY),
            (None, None) => Err(Refusal::Unavailable(
                "the authorization server's keys could not be fetched",
            )),
        }
    }

    /// The header of a token for which keys are worth fetching.
    fn header(&self, token: &str) -> Result<Header, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Invalid("the token is longer than 8 KiB"));
        }
        // Fails for `none` too, which is no algorithm to the library.
        let header = jsonwebtoken::decode_header(token).map_err(|_| NO_JWT)?;
        if !self.trust.algorithms.contains(&header.alg) {
            return Err(Refusal::Invalid(
                "the token is signed with an algorithm that is not accepted here",
            ));
        }
        // RFC 7515 §4.1.11: an extension that is critical and not understood must be refused.
        if header.crit.is_some() {
            return Err(Refusal::Invalid(
                "the token has a `crit` header, and no extension is understood here",
            ));
        }
        if !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(Refusal::Invalid(
                "the token's `typ` is that of something else than an access token",
            ));
        }
        Ok(header)
    }

    /// What the token says, or nothing if its key is not among these.
    fn read(&self, token: &str, header: &Header, held: &Held) -> Result<Option<Claims>, Refusal> {
        let keys = held.keys.as_deref().unwrap_or_default();
        let fitting = fitting(keys, header)?;
        let validation = self.validation(header.alg);
        let mut refusal = None;
        for key in fitting {
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

    /// What the library checks, once the signature is right.
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[&self.trust.audience]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY.as_secs();
        validation
    }

    /// What the library leaves to us.
    fn claims(&self, payload: &Payload) -> Result<Claims, Refusal> {
        // Not by the library, which would take a list of issuers if ours is in it.
        if payload.iss != self.trust.issuer {
            return Err(Refusal::Invalid("the token is from another issuer"));
        }
        let subject = payload.sub.as_str().unwrap_or_default();
        if subject.is_empty() || subject.chars().count() > MAX_SUBJECT {
            return Err(Refusal::Invalid(
                "the token's `sub` is empty or longer than 255 characters",
            ));
        }
        let granted = if payload.scope.is_null() {
            &payload.scp
        } else {
            &payload.scope
        };
        Ok(Claims {
            subject: subject.to_owned(),
            scopes: scopes(granted).ok_or(Refusal::Invalid(
                "the token's scopes are neither a text nor a list of texts",
            ))?,
        })
    }
}

/// The claims that are read here. They are values, so that an error can say what is wrong with them.
#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    sub: Value,
    #[serde(default)]
    scope: Value,
    #[serde(default)]
    scp: Value,
}

/// Whether a `typ` is RFC 9068's `at+jwt` or the plain `JWT` of older servers. Other kinds of JWT have names of their own: RFC 8725 §3.11.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(
        typ.strip_prefix("application/").unwrap_or(&typ),
        "at+jwt" | "jwt"
    )
}

fn scopes(granted: &Value) -> Option<Vec<String>> {
    match granted {
        Value::Null => Some(Vec::new()),
        Value::String(text) => {
            let words = text.split(' ').filter(|word| !word.is_empty());
            Some(words.map(str::to_owned).collect())
        }
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
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
