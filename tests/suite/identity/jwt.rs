//! Access tokens that are JWTs: which are accepted, and how the keys to check them with are fetched.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sevendigital_tools::{Scope, TOOLS};

use super::{OFTEN, trusting, without_pool};
use crate::support::tokens::{Authority, RSA, good, published_set, signed, with};
use crate::support::{Client, World};

// What a token claims: its audience, its issuer, how long, and what it allows.
mod claims;
// How keys are fetched: seldom, once for all callers, and without a word about the token.
mod keys;
// When keys can't be fetched.
mod outages;
// What a token is signed with.
mod signatures;

/// What a row has in place of a refusal's words where the token is accepted.
const ACCEPTED: &str = "accepted";

/// For so long keys are used without asking again.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// For so long keys are used while new ones can't be fetched.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Shortest time from a fetch that succeeded to the next one, however many unknown keys are named in between.
const PAUSE: Duration = Duration::from_secs(30);
/// Shortest time from a fetch that failed to the next one.
const RETRY: Duration = Duration::from_secs(5);
/// Longest fetch.
const FETCH: Duration = Duration::from_secs(5);

/// The server, and the authorization server that it trusts.
struct Gate {
    authority: Authority,
    world: World,
    log: Log,
}

/// What comes of a request with a token.
#[derive(Debug)]
enum Outcome {
    /// 200, with these scopes.
    Accepted(String),
    /// 401, for this reason.
    Refused(String),
    /// 503; the reason stands in the log.
    Unavailable(String),
}

impl Gate {
    /// Accepts RS256, and knows where to fetch the key `k1`.
    async fn start() -> Self {
        Self::with("RS256", Authority::start().await, "/keys?tenant=1").await
    }

    /// Accepts these algorithms, and knows where to fetch these keys.
    async fn accepting(algorithms: &str, keys: &[Value]) -> Self {
        Self::with(algorithms, Authority::with(keys).await, "/keys").await
    }

    async fn with(algorithms: &str, authority: Authority, path: &str) -> Self {
        let keys = authority.url(path);
        Self::at(&keys, algorithms, authority).await
    }

    /// Looks for keys at this address.
    async fn at(keys: &str, algorithms: &str, authority: Authority) -> Self {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        let algorithms = [("SEVENDIGITAL_MCP_AUTH_ALGORITHMS", algorithms)];
        let mut world = World::with(&[&trusting(keys)[..], &OFTEN, &algorithms].concat()).await;
        // A connection for each request, since none of those that are kept outlives the leaps in time.
        world.http = without_pool();
        // The thread is the test's own, and so is its log.
        std::mem::forget(tracing::subscriber::set_default(subscriber));
        Self {
            authority,
            world,
            log,
        }
    }

    /// Shows a token. Whatever is answered, nothing of the token is in it.
    async fn check(&self, token: &str) -> Outcome {
        let logged = self.log.text().len();
        let somebody = Client::of(&self.world).showing(token);
        let reply = somebody.ask("tools/list", json!({})).await;
        let told = format!("{:?} {}", reply.headers, reply.text);
        for part in token.split('.').filter(|part| part.len() > 8) {
            assert!(!told.contains(part), "{told}");
        }
        match reply.status {
            200 => Outcome::Accepted(scopes(&reply.result())),
            401 => {
                let challenge = reply.headers["www-authenticate"].to_str().unwrap();
                let (_, rest) = challenge
                    .split_once("error_description=\"")
                    .expect(challenge);
                let (why, _) = rest
                    .split_once("\", resource_metadata=\"")
                    .expect(challenge);
                assert!(!why.contains(['"', '\\']), "{challenge}");
                Outcome::Refused(why.to_owned())
            }
            503 => Outcome::Unavailable(self.log.text().split_off(logged)),
            _ => panic!("{reply:?}"),
        }
    }

    /// The token is accepted, or refused with these words.
    async fn expect(&self, row: &str, token: &str, expected: &str) {
        match self.check(token).await {
            Outcome::Accepted(_) if expected == ACCEPTED => {}
            Outcome::Refused(why) if expected != ACCEPTED && why.contains(expected) => {}
            other => panic!("{row}: {other:?}\nin place of `{expected}`"),
        }
    }

    /// The token can't be checked; the log says why.
    async fn expect_unavailable(&self, row: &str, token: &str, why: &str) {
        match self.check(token).await {
            Outcome::Unavailable(log) if log.contains("can't be verified") && log.contains(why) => {
            }
            other => panic!("{row}: {other:?}\nin place of `{why}`"),
        }
    }

    /// From now on these keys are published, and no others are remembered.
    async fn republish(&self, keys: &[Value]) {
        self.authority.script(published_set(keys));
        pass(2 * KEPT).await;
    }
}

/// The scopes that a list of tools comes of.
fn scopes(list: &Value) -> String {
    let tools = list["tools"].as_array().unwrap();
    let is_listed = |scope: &Scope| {
        let mut own = TOOLS.iter().filter(|tool| tool.contract.scope == *scope);
        own.any(|tool| {
            tools
                .iter()
                .any(|listed| listed["name"] == tool.contract.name)
        })
    };
    let scopes = Scope::ALL.into_iter().filter(is_listed);
    scopes.map(Scope::as_str).collect::<Vec<_>>().join(" ")
}

/// Lets time pass for all that measure it with tokio, and go on as usual then.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The good token with some claims changed; null takes one away.
fn token(patch: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "k1"});
    signed(&header, &with(good(), patch), RSA)
}

/// The good token under a changed header; null takes a field away.
fn headed(patch: &Value) -> String {
    let header = with(json!({"alg": "RS256", "kid": "k1"}), patch);
    signed(&header, &good(), RSA)
}

/// What the server writes into its log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
