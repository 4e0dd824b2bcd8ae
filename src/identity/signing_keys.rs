//! The keys that an authorization server publishes: which of them may have signed a token, and how they are fetched.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, Header};
use parking_lot::Mutex;
use reqwest::header::ACCEPT;
use reqwest::redirect;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use crate::config::is_loopback;

/// Bytes of a key set at most. A key has some hundreds, its certificates some thousands.
const MAX_KEY_SET: usize = 1 << 20;
/// Longest fetch of the keys, from the look-up of the name to the last byte.
pub(super) const FETCH: Duration = Duration::from_secs(5);
/// For so long keys are used without asking again.
pub(super) const FRESH: Duration = Duration::from_secs(10 * 60);
/// For so long keys are used while they can't be fetched anew, counted from the fetch that brought them.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Shortest time from a fetch that succeeded to the next one, however many unknown keys are named in between.
const PAUSE: Duration = Duration::from_secs(30);
/// Shortest time from a fetch that failed to the next one.
const RETRY: Duration = Duration::from_secs(5);

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Why a token is not accepted.
///
/// The texts are constants and show nothing of the token. They are ASCII without `"` and `\`, so that they fit into `error_description` (RFC 6750 §3) as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The token's fault: 401 with `invalid_token`.
    Invalid(&'static str),
    /// The authorization server's keys can't be had, so nothing is known of the token: 503.
    Unavailable(&'static str),
}

/// A published key that signatures can be checked with.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// What its kind can check (RFC 7518 §3.1, RFC 8037 §3.1), and of that the only one that it is for, where it names one. None needs a shared secret.
    algorithms: Vec<Algorithm>,
    pub(super) key: DecodingKey,
}

impl Key {
    /// Reads a member of a key set. What can't be read or is not for checking signatures is no key of ours: RFC 7517 §5 has it ignored.
    fn read(published: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(published).ok()?;
        let (algorithms, sizes): (&[Algorithm], _) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (AlgorithmFamily::Rsa.algorithms(), 256..=1024),
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => (&[Algorithm::ES256], 65..=65),
                EllipticCurve::P384 => (&[Algorithm::ES384], 97..=97),
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (&[Algorithm::EdDSA], 32..=32)
            }
            _ => return None,
        };
        let usage = jwk.common.public_key_use.as_ref();
        let signs = usage.is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let operations = jwk.common.key_operations.as_deref();
        let verifies = operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        // The library looks at the size, in bytes, only when it checks a signature.
        let size = match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => {
                n.iter().skip_while(|byte| **byte == 0).count()
            }
            DecodingKeyKind::SecretOrDer(point) => point.len(),
        };
        let only = jwk.common.key_algorithm;
        let algorithms = algorithms.iter().copied();
        let algorithms = algorithms.filter(|one| only.is_none_or(|only| only == (*one).into()));
        (signs && verifies && sizes.contains(&size)).then(|| Self {
            id: jwk.common.key_id,
            algorithms: algorithms.collect(),
            key,
        })
    }
}

/// The keys that may have signed a token: those of its `kid`, or without one the only one there is. None if the key is not published.
pub(super) fn fitting<'a>(keys: &'a [Key], header: &Header) -> Result<Vec<&'a Key>, Refusal> {
    let named = |key: &&Key| header.kid.is_none() || key.id == header.kid;
    let fits = |key: &&Key| key.algorithms.contains(&header.alg);
    let (fitting, unfit): (Vec<_>, Vec<_>) = keys.iter().filter(named).partition(fits);
    let wrong = match (&header.kid, fitting.as_slice(), unfit.as_slice()) {
        (None, [_, _, ..], _) => "the token names no key, and more than one would fit",
        (Some(_), [], [_, ..]) => "the token names a key that is not for its algorithm",
        _ => return Ok(fitting),
    };
    Err(Refusal::Invalid(wrong))
}

/// The keys that are published at one address, and what is known of fetching them.
#[derive(Debug)]
pub(super) struct KeyRing {
    http: reqwest::Client,
    address: Url,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Keys, and when they came.
    keys: Option<(Arc<[Key]>, Instant)>,
    /// When the last fetch began, or ended if it has.
    tried: Option<Instant>,
    /// Why the last fetch that ended failed, if it did.
    failure: Option<&'static str>,
    /// Open for as long as the fetch goes on.
    running: Option<watch::Receiver<()>>,
}

/// What the ring holds at a moment.
pub(super) struct Held {
    /// Keys that may be used.
    pub(super) keys: Option<Arc<[Key]>>,
    /// Whether they may be used without asking again.
    pub(super) fresh: bool,
    /// Why the last fetch failed, if it did.
    pub(super) failure: Option<&'static str>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl KeyRing {
    /// For an address of https, or of http on this machine, as the settings' check has it.
    pub(super) fn new(address: Url) -> reqwest::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the keys come from an authorization server, not from 7digital"
        )]
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(0);
        let builder = if is_loopback(&address) {
            // A proxy has no business between this process and its own machine.
            builder.no_proxy()
        } else {
            builder.https_only(true)
        };
        Ok(Self {
            http: builder.build()?,
            address,
            state: Mutex::default(),
        })
    }

    pub(super) fn held(&self) -> Held {
        let state = self.state.lock();
        let younger = |limit| state.keys.as_ref().filter(|(_, at)| at.elapsed() < limit);
        Held {
            keys: younger(KEPT).map(|(keys, _)| Arc::clone(keys)),
            fresh: younger(FRESH).is_some(),
            failure: state.failure,
        }
    }

    /// Starts a fetch, or joins the one that is going on. Nothing, where it is too early for the next.
    ///
    /// The fetch is a task of its own: were it a caller's, those who hang up could make it begin again and again.
    pub(super) fn fetch(ring: &Arc<Self>) -> Option<watch::Receiver<()>> {
        let mut state = ring.state.lock();
        let running = state.running.as_ref();
        if let Some(running) = running.filter(|running| running.has_changed().is_ok()) {
            return Some(running.clone());
        }
        let pause = state.failure.map_or(PAUSE, |_| RETRY);
        if state.tried.is_some_and(|at| at.elapsed() < pause) {
            return None;
        }
        let (end, running) = watch::channel(());
        state.tried = Some(Instant::now());
        state.running = Some(running.clone());
        drop(state);
        let ring = Arc::clone(ring);
        tokio::spawn(async move {
            let outcome = tokio::time::timeout(FETCH, ring.download())
                .await
                .unwrap_or(Err("the authorization server's keys took too long to come"));
            ring.keep(outcome);
            drop(end);
        });
        Some(running)
    }

    fn keep(&self, outcome: Result<Vec<Key>, &'static str>) {
        let none = "the authorization server publishes no key that can be used";
        match &outcome {
            Ok(keys) if keys.is_empty() => tracing::warn!("{none}"),
            Ok(_) => {}
            Err(failure) => tracing::warn!("{failure}"),
        }
        let now = Instant::now();
        let mut state = self.state.lock();
        state.tried = Some(now);
        state.failure = outcome.as_ref().err().copied();
        if let Ok(keys) = outcome {
            state.keys = Some((keys.into(), now));
        }
    }

    async fn download(&self) -> Result<Vec<Key>, &'static str> {
        let request = self.http.get(self.address.clone());
        let request = request.header(ACCEPT, "application/jwk-set+json, application/json;q=0.9");
        let unreached = |_| "the authorization server can't be reached for its keys, or broke off";
        let mut response = request.send().await.map_err(unreached)?;
        match response.status().as_u16() {
            200 => Ok(()),
            300..=399 => Err("the address of the authorization server's keys redirects elsewhere"),
            _ => Err("the authorization server refused its keys, or failed to send them"),
        }?;
        let mut body = Vec::new();
        let broken = |_| "the authorization server broke off while it sent its keys";
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_KEY_SET {
                return Err("the authorization server's key set is larger than 1 MiB");
            }
            body.extend_from_slice(&chunk);
        }
        let set: KeySet = serde_json::from_slice(&body)
            .map_err(|_| "what the authorization server sends is not a key set")?;
        Ok(set.keys.into_iter().filter_map(Key::read).collect())
    }
}
