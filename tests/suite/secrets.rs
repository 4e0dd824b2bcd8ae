//! Secrets, whatever goes wrong and however much is logged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use sevendigital::oauth::encode;

use self::needles::Needles;

use crate::identity::{ALL_SCOPES, sha256};
use crate::support::tokens::{AUDIENCE, ISSUER, RSA, good, signed, with};
use crate::support::upstream::Upstream;
use crate::support::{Reply, Variable, messages};

mod answers;
pub(crate) mod needles;
mod requests;

// Questions and their seals.
mod confirmed;
// Every tool by every door under every fault.
mod everything;
// One event is one line, whatever is in it.
mod lines;
// What `Debug` and `Display` show.
mod printed;
// What the store says is data.
mod store;
// A start that fails.
mod starts;

/// How much is logged: all of ours, and all of everybody's.
const FILTERS: [&str; 2] = [
    "trace",
    "trace,rmcp=trace,hyper=trace,reqwest=trace,rustls=trace,h2=trace",
];

/// What may stand nowhere but where [`ALLOWED`] says so.
const SECRETS: [(&str, &str); 20] = [
    ("consumer key", "ck7Qx/vL+r2=Zt8&mK4w"),
    ("consumer secret", "cs9Wn/bP+x5=Hd3&yR6j"),
    ("access token", "ut3Lm/gF+s7=Bv1&qN9c"),
    ("access token secret", "us6Jk/dT+z4=Xw8&pC2h"),
    ("operator's bearer", "ob5TfxkD+w8=Jc2~sV9/Gq3Ln7Hb1Ym4Zr6K"),
    ("principal's bearer", "pb8Rv/hN+m3=Qz6~tL1xKd9Wc4Fj7Sg2Bp5Y"),
    ("header's token", "ht2Yc/wQ+n6=Vb9&kD5f"),
    ("header's token secret", "hs4Gz/xM+j1=Rp7&wT8d"),
    ("header's user id", "hu7:Nq/vK+b2=Lf5&xZ3g"),
    ("password", "pw1&Hx/7+dQ=mB9 \"zR\\4"),
    ("new password", "np6&Tk/3+sV=wJ8 \"cF\\2"),
    ("argument", "ar9&Lp/5+gX=yN2 'qD\\7"),
    ("e-mail address given", "ea4.kTz7+vQ@qx-canary.example"),
    (
        "e-mail address of an answer",
        "eb8.wRm2+xK@qx-canary.example",
    ),
    ("signature of a delivery URL", "ds3Vw/9+kLq=zB7mTx1R"),
    ("card holder", "Kq7 Zw-Holder Vx3"),
    ("card verification code", "cvv-8d3K-7q2W"),
    ("card number", "4111 1111 1111 1111"),
    ("card number without blanks", "4111111111111111"),
    ("card number with dashes", "4111-1111-1111-1111"),
];

/// Where a secret belongs: what it is given for, or what it is the answer to. The second is how the place begins.
const ALLOWED: &[(&str, &str)] = &[
    ("consumer key", UPSTREAM),
    ("access token", UPSTREAM),
    ("header's token", UPSTREAM),
    ("header's user id", UPSTREAM),
    ("password", UPSTREAM),
    ("new password", UPSTREAM),
    ("argument", UPSTREAM),
    ("e-mail address given", UPSTREAM),
    ("e-mail address of an answer", "result of get-user-details"),
    ("signature of a delivery URL", "result of get-user-locker"),
    ("card holder", "result of list-user-payment-cards"),
    // These two tell the id that a call was given.
    ("argument", "result of deliver-user-item"),
    ("argument", "result of create-user"),
    ("session id", "opening of a session"),
    ("confirmation", "question"),
    ("ledger's signing key", LEDGER),
];
const UPSTREAM: &str = "request to 7digital";
const LEDGER: &str = "ledger";
/// Everything of [`ALLOWED`] is there, or the test has looked at nothing.
const SEEN: [&str; 3] = [
    "result of get-user-details",
    "result of get-user-locker",
    "result of list-user-payment-cards",
];

/// All of them, to be looked for.
fn all() -> Vec<(&'static str, Vec<u8>)> {
    SECRETS.map(|(name, value)| (name, value.into())).to_vec()
}

fn secret(name: &str) -> &'static str {
    let found = SECRETS.iter().find(|(other, _)| *other == name);
    found.expect(name).1
}

/// An access token for all scopes, the same each time, from the authorization server of these tests.
pub(crate) fn jwt(subject: &str) -> String {
    let patch = json!({"sub": subject, "iat": null, "exp": 4_000_000_000_u32, "scope": ALL_SCOPES.join(" ")});
    signed(
        &json!({"alg": "RS256", "kid": "k1"}),
        &with(good(), &patch),
        RSA,
    )
}

/// What a request of the newest era has in its `_meta`, and these fields.
pub(crate) fn meta(more: &Value) -> Value {
    let mut meta = messages::meta(&json!({"elicitation": {}}));
    for (name, value) in more.as_object().unwrap() {
        meta[name] = value.clone();
    }
    meta
}

/// Settings with every secret in them.
pub(crate) fn variables(base_uri: &str, keys: &str, more: &[(&str, &str)]) -> Vec<Variable> {
    let all = [
        ("SEVENDIGITAL_BASE_URI", base_uri),
        ("SEVENDIGITAL_CONSUMER_KEY", secret("consumer key")),
        ("SEVENDIGITAL_CONSUMER_SECRET", secret("consumer secret")),
        ("SEVENDIGITAL_ACCESS_TOKEN", secret("access token")),
        (
            "SEVENDIGITAL_ACCESS_TOKEN_SECRET",
            secret("access token secret"),
        ),
        ("SEVENDIGITAL_COUNTRY", "GB"),
        ("SEVENDIGITAL_MCP_TOKEN", secret("operator's bearer")),
        ("SEVENDIGITAL_MCP_AUTH_ISSUER", ISSUER),
        ("SEVENDIGITAL_MCP_AUTH_AUDIENCE", AUDIENCE),
        ("SEVENDIGITAL_MCP_AUTH_JWKS_URI", keys),
        ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true"),
        ("SEVENDIGITAL_MCP_SPENDING", "allow"),
        ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0"),
        // Fault follows fault, and no call is to be held back for the one before, nor for its caller's pace.
        ("SEVENDIGITAL_MCP_LIMIT_BREAKER_FAILURE_PERCENT", "101"),
        ("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", "1000000"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_LOGINS_PER_MINUTE", "1000000"),
        (
            "SEVENDIGITAL_MCP_LIMIT_CALLER_SIGNUPS_PER_MINUTE",
            "1000000",
        ),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_BURST", "1000000"),
        // What hangs need not hang for long.
        ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "1s"),
        ("SEVENDIGITAL_MCP_LIMIT_CHANGE_DEADLINE", "1s"),
        ("RUST_BACKTRACE", "full"),
    ];
    let all = all.iter().chain(more);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A settings file with a caller by name.
fn settings_file(folder: &Path) -> String {
    let digest = sha256(secret("principal's bearer"));
    let path = folder.join("settings.toml");
    let text = format!(
        "[[principals]]\nname = \"somebody\"\ntoken_sha256 = \"{digest}\"\nallow = {ALL_SCOPES:?}\n"
    );
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// What was seen, and where; in the end no secret may be in it.
#[derive(Default)]
struct Seen {
    places: Mutex<Vec<(String, Vec<u8>)>>,
    /// Secrets that came up on the way.
    met: Mutex<Vec<(&'static str, Vec<u8>)>>,
}

impl Seen {
    fn add(&self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let mut places = self.places.lock().unwrap();
        places.push((place.into(), bytes.into()));
    }

    fn meet(&self, name: &'static str, value: impl Into<Vec<u8>>) {
        self.met.lock().unwrap().push((name, value.into()));
    }

    /// An HTTP answer, head and body.
    fn reply(&self, place: &str, reply: &Reply) {
        let mut bytes = reply.text.clone().into_bytes();
        for (name, value) in &reply.headers {
            bytes.extend(format!("\n{name}: ").bytes());
            bytes.extend(value.as_bytes());
        }
        self.add(place, bytes);
    }

    /// The answer to a tool's call.
    fn answer(&self, tool: &str, reply: &Reply) {
        let is_json = reply.kind() == "application/json" || reply.kind() == "text/event-stream";
        let kind = if is_json && is_result(reply.status, &reply.message()) {
            "result"
        } else {
            "failure"
        };
        self.reply(&format!("{kind} of {tool}"), reply);
    }

    /// The requests that arrived at that path of 7digital.
    fn requests(&self, upstream: &Upstream, path: &str) {
        for heard in upstream.heard(path) {
            self.add(UPSTREAM, heard.raw);
        }
    }

    /// The files of the ledger.
    fn files(&self, folder: &Path) {
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|ending| ending != "toml") {
                let bytes = std::fs::read(&file).unwrap();
                self.add(format!("{LEDGER} {}", file.display()), bytes);
            }
        }
    }

    /// Everything that was seen holds no secret but where it belongs.
    fn check(&self, what: &str) {
        let mut secrets = all();
        secrets.append(&mut self.met.lock().unwrap());
        let signing = |secret, other| format!("{}&{}", encode(secret), encode(other)).into_bytes();
        let (consumer, token) = (secret("consumer secret"), secret("access token secret"));
        secrets.push(("signing key", signing(consumer, token)));
        secrets.push(("signing key, reversed", signing(token, consumer)));
        let needles = Needles::of(&secrets);
        let places = self.places.lock().unwrap();
        let (mut wrong, mut right) = (BTreeMap::new(), BTreeSet::new());
        for (place, bytes) in places.iter() {
            for found in needles.find(bytes) {
                let allowed = ALLOWED
                    .iter()
                    .any(|(name, start)| found.secret == *name && place.starts_with(start));
                if allowed {
                    right.insert(place.as_str());
                } else {
                    wrong.insert((found.secret, place), found);
                }
            }
        }
        let bytes: usize = places.iter().map(|(_, bytes)| bytes.len()).sum();
        println!(
            "{what}: {} spellings of {} secrets in {} places of {bytes} bytes: {} searches, {} finds where none may be",
            needles.count(),
            secrets.len(),
            places.len(),
            needles.count() * places.len(),
            wrong.len(),
        );
        assert!(wrong.is_empty(), "{wrong:#?}");
        for place in SEEN.into_iter().chain([UPSTREAM]) {
            assert!(right.contains(place), "{place} was not looked at");
        }
    }
}

fn is_result(status: u16, message: &Value) -> bool {
    status == 200 && message["error"].is_null() && message["result"]["isError"] != true
}
