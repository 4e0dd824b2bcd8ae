//! As much at once as the limits let through, and one more: places for calls, for charges, and who gets them back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{LEGACY, MODERN, Reply, Setting, World, folder, within};

mod breaker;
mod callers;
mod places;

const LOCKER: &str = "/user/locker";
const ITEM: &str = "/user/purchase/item";
const SELECT: &str = "/user/payment/card/select";

const CALLS: &str = "SEVENDIGITAL_MCP_LIMIT_CALLS";
const CHARGES: &str = "SEVENDIGITAL_MCP_LIMIT_CHARGES";
const WAITING: &str = "SEVENDIGITAL_MCP_LIMIT_WAITING";
const WAIT_MS: &str = "SEVENDIGITAL_MCP_LIMIT_WAIT_MS";
const ALLOW: Setting<'static> = ("SEVENDIGITAL_MCP_SPENDING", "allow");
/// A wait that no good test lasts for.
const LONG: Setting<'static> = (WAIT_MS, "60000");
/// Longer than a refusal takes that waits for nothing, on the busiest machine.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Where a call is made.
#[derive(Debug, Clone, Copy)]
enum Surface {
    /// MCP without a handshake.
    Modern,
    /// MCP in a session.
    Session,
    Rest,
}

const SURFACES: [Surface; 3] = [Surface::Modern, Surface::Session, Surface::Rest];

/// A call, in the words of every surface.
#[derive(Debug, Clone)]
struct Op {
    tool: &'static str,
    arguments: Value,
    target: String,
}

fn read() -> Op {
    Op {
        tool: "get-user-locker",
        arguments: json!({}),
        target: "/v1/user/locker".into(),
    }
}

fn buy(release: usize) -> Op {
    Op {
        tool: "purchase-user-item",
        arguments: json!({"releaseId": format!("{release}")}),
        target: format!("/v1/user/purchase/item?releaseId={release}"),
    }
}

fn select() -> Op {
    Op {
        tool: "select-user-payment-card",
        arguments: json!({"body": {"cardId": "8154431"}}),
        target: "/v1/user/payment/card/select".into(),
    }
}

/// One client of a server, on all of its surfaces.
#[derive(Debug, Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
    rest: String,
    session: String,
    token: Option<String>,
}

impl Client {
    /// A client that shows this bearer token, with a session of its own.
    async fn of(world: &World, token: Option<&str>) -> Self {
        let mut client = Self {
            http: world.http.clone(),
            url: world.url.clone(),
            rest: world.rest.clone(),
            session: String::new(),
            token: token.map(str::to_owned),
        };
        let params = json!({"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}});
        let hello = client.message("initialize", params, &[]).await;
        let id = hello.headers["mcp-session-id"].to_str().unwrap();
        client.session = id.to_owned();
        let session = client.in_session();
        let reply = client
            .message("notifications/initialized", Value::Null, &session)
            .await;
        assert_eq!(reply.status, 202, "{reply:?}");
        client
    }

    fn in_session(&self) -> [(&'static str, String); 2] {
        [
            ("mcp-session-id", self.session.clone()),
            ("mcp-protocol-version", LEGACY[0].to_owned()),
        ]
    }

    async fn message(&self, method: &str, params: Value, headers: &[(&str, String)]) -> Reply {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if !params.is_null() {
            message["id"] = json!(NEXT.fetch_add(1, Ordering::Relaxed));
            message["params"] = params;
        }
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let reply = self.send(request.json(&message)).await;
        if reply.status != 202 {
            assert_eq!(reply.message()["id"], message["id"], "{reply:?}");
        }
        reply
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Reply {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// Makes a call there.
    async fn call(&self, surface: Surface, op: &Op) -> Reply {
        let mut params = json!({"name": op.tool, "arguments": op.arguments});
        match surface {
            Surface::Modern => {
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": MODERN,
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "1"},
                });
                let headers = [
                    ("mcp-protocol-version", MODERN.to_owned()),
                    ("mcp-method", "tools/call".to_owned()),
                    ("mcp-name", op.tool.to_owned()),
                ];
                self.message("tools/call", params, &headers).await
            }
            Surface::Session => self.message("tools/call", params, &self.in_session()).await,
            Surface::Rest => {
                let target = format!("{}{}", self.rest, op.target);
                let request = match op.arguments.get("body") {
                    Some(body) => self.http.post(target).json(body),
                    None => self.http.get(target),
                };
                self.send(request).await
            }
        }
    }

    /// The same, beside the test.
    fn start(&self, surface: Surface, op: Op) -> JoinHandle<Reply> {
        let client = self.clone();
        tokio::spawn(async move { client.call(surface, &op).await })
    }
}

impl Surface {
    /// The call succeeded.
    fn check_done(self, reply: &Reply) {
        match self {
            Self::Rest => assert_eq!(reply.status, 200, "{reply:?}"),
            Self::Modern | Self::Session => {
                assert_ne!(reply.result()["isError"], true, "{reply:?}");
            }
        }
    }

    /// The call was refused with that status before it was made; gives what is told, and when to come again.
    fn check_refused(self, reply: &Reply, status: u16, problem: &str) -> (String, u64) {
        assert_eq!(reply.status, status, "{self:?}: {reply:?}");
        let after = reply.headers.get("retry-after");
        let after = after.unwrap_or_else(|| panic!("{self:?}: no Retry-After: {reply:?}"));
        let after: u64 = after.to_str().unwrap().parse().unwrap();
        assert!(after >= 1, "{self:?}: {after}");
        let id = reply.headers["x-request-id"].to_str().unwrap();
        let message = reply.message();
        let told = match self {
            Self::Rest => {
                assert_eq!(reply.kind(), "application/problem+json", "{reply:?}");
                assert_eq!(message["type"], format!("/problems/{problem}"), "{message}");
                assert_eq!(message["requestId"], id, "{message}");
                &message["detail"]
            }
            Self::Modern | Self::Session => {
                assert_eq!(message["error"]["data"]["requestId"], id, "{message}");
                &message["error"]["message"]
            }
        };
        (told.as_str().unwrap().to_owned(), after)
    }
}

/// Every place is taken, and the caller is told so.
fn check_busy(surface: Surface, reply: &Reply) {
    let (told, after) = surface.check_refused(reply, 503, "busy");
    let why = "Nothing was done: as many calls are under way as this server takes at once.";
    assert_eq!((told.as_str(), after), (why, 1));
}

fn locker() -> Act {
    Act::Say(ok(r#"{"status": "ok", "version": "1.2"}"#))
}

fn held(act: Act) -> [Act; 1] {
    [Act::Held(Box::new(act))]
}

/// A server with these limits before an upstream, and a client.
struct Desk {
    upstream: Upstream,
    world: World,
    client: Client,
    folder: TempDir,
}

impl Desk {
    async fn with(settings: &[Setting<'_>]) -> Self {
        Self::with_file(settings, "", None).await
    }

    /// The same with a file of settings, for whoever shows that bearer token.
    async fn with_file(settings: &[Setting<'_>], file: &str, token: Option<&str>) -> Self {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::Sell]);
        let base_uri = upstream.base_uri();
        let own = [
            ("SEVENDIGITAL_BASE_URI", base_uri.as_str()),
            (
                "SEVENDIGITAL_MCP_STATE_DIR",
                folder.path().to_str().unwrap(),
            ),
        ];
        let world = World::with_file(&[&own, settings].concat(), file).await;
        Self {
            client: Client::of(&world, token).await,
            upstream,
            world,
            folder,
        }
    }

    /// Starts as many calls as are named, and waits until all of them are upstream.
    async fn fill(&self, surfaces: &[Surface], op: &Op, path: &str) -> JoinSet<(Surface, Reply)> {
        let mut calls = JoinSet::new();
        for surface in surfaces {
            self.add(&mut calls, *surface, op);
        }
        self.upstream.wait_for(path, surfaces.len()).await;
        calls
    }

    fn add(&self, calls: &mut JoinSet<(Surface, Reply)>, surface: Surface, op: &Op) {
        let (client, op) = (self.client.clone(), op.clone());
        calls.spawn(async move { (surface, client.call(surface, &op).await) });
    }
}

async fn all_done(calls: JoinSet<(Surface, Reply)>) {
    for (surface, reply) in within("the answers", calls.join_all()).await {
        surface.check_done(&reply);
    }
}

#[tokio::test]
async fn as_many_calls_as_there_are_places_run_as_many_wait_and_one_more_is_told_to_come_again() {
    let [modern, session, rest] = SURFACES;
    for surfaces in [
        [modern; 4],
        [session; 4],
        [rest; 4],
        // All surfaces share the places.
        [modern, session, rest, modern],
    ] {
        let desk = Desk::with(&[(CALLS, "4"), (WAITING, "2"), LONG]).await;
        desk.upstream.script(LOCKER, held(locker()));
        let mut calls = desk.fill(&surfaces, &read(), LOCKER).await;
        // Which of the three is refused is nobody's business: two have a place to wait in.
        for surface in &surfaces[1..] {
            desk.add(&mut calls, *surface, &read());
        }
        let started = Instant::now();
        let (surface, reply) = within("a refusal", calls.join_next())
            .await
            .unwrap()
            .unwrap();
        check_busy(surface, &reply);
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
        // From now on every further one is refused at once, on whatever surface.
        for surface in SURFACES {
            check_busy(surface, &desk.client.call(surface, &read()).await);
        }
        assert_eq!(desk.upstream.arrivals(LOCKER), 4);
        // Those that wait get the places of those that have ended.
        desk.upstream.open_gate();
        assert_eq!(calls.len(), 6);
        all_done(calls).await;
        assert_eq!(desk.upstream.arrivals(LOCKER), 6);
    }
}

#[tokio::test]
async fn whoever_waits_in_vain_is_told_so_when_the_time_is_up() {
    const WAIT: Duration = Duration::from_millis(200);
    let desk = Desk::with(&[(CALLS, "1"), (WAITING, "9"), (WAIT_MS, "200")]).await;
    desk.upstream.script(LOCKER, held(locker()));
    let first = desk.fill(&[Surface::Rest], &read(), LOCKER).await;
    let mut others = JoinSet::new();
    let started = Instant::now();
    for surface in SURFACES {
        desk.add(&mut others, surface, &read());
    }
    for (surface, reply) in within("the refusals", others.join_all()).await {
        check_busy(surface, &reply);
    }
    let took = started.elapsed();
    assert!(took >= WAIT && took < WAIT + AT_ONCE, "{took:?}");
    assert_eq!(desk.upstream.arrivals(LOCKER), 1);
    desk.upstream.open_gate();
    all_done(first).await;
}

#[tokio::test]
async fn what_is_no_call_needs_no_place() {
    let desk = Desk::with(&[(CALLS, "1"), (WAITING, "1"), (WAIT_MS, "50")]).await;
    desk.upstream.script(LOCKER, held(locker()));
    let first = desk.fill(&[Surface::Modern], &read(), LOCKER).await;
    assert_eq!(desk.world.tools().await.len(), 17);
    let discovered = desk.world.modern("server/discover", json!({})).await;
    assert_eq!(discovered.status, 200);
    let session = desk.world.legacy_session(LEGACY[0]).await;
    let pong = session.ask(json!(1), "ping", json!({})).await;
    assert_eq!(pong.result(), json!({}));
    // No tool, so no place either.
    let unknown = json!({"name": "no-such-tool", "arguments": {}});
    let reply = desk.world.modern("tools/call", unknown).await;
    assert_eq!(reply.message()["error"]["code"], -32602, "{reply:?}");
    for path in ["/healthz", "/readyz"] {
        let url = desk.world.url.replace("/mcp", path);
        let reply = desk.world.http.get(url).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
    }
    desk.upstream.open_gate();
    all_done(first).await;
}

#[tokio::test]
async fn hanging_reads_hold_no_purchase_up_and_hanging_purchases_no_read() {
    let limits = [ALLOW, (CALLS, "2"), (CHARGES, "2"), (WAITING, "1"), LONG];
    let row = |hanging: Op, path, act, other: Op| (hanging, path, act, other);
    for (hanging, path, act, other) in [
        row(read(), LOCKER, locker(), buy(1)),
        row(buy(1), ITEM, Act::Sell, read()),
        row(buy(1), ITEM, Act::Sell, select()),
        row(select(), SELECT, locker(), buy(1)),
    ] {
        let desk = Desk::with(&limits).await;
        desk.upstream.script(path, held(act));
        let other_path = [LOCKER, ITEM, SELECT]
            .into_iter()
            .find(|path| other.target.ends_with(path));
        let mut calls = JoinSet::new();
        for (number, surface) in [Surface::Modern, Surface::Rest].into_iter().enumerate() {
            let op = if path == ITEM {
                buy(10 + number)
            } else {
                hanging.clone()
            };
            desk.add(&mut calls, surface, &op);
        }
        desk.upstream.wait_for(path, 2).await;
        // One more waits, and the next is refused: this sort has no place.
        for number in [20, 21] {
            let op = if path == ITEM {
                buy(number)
            } else {
                hanging.clone()
            };
            desk.add(&mut calls, Surface::Rest, &op);
        }
        let (surface, reply) = within("a refusal", calls.join_next())
            .await
            .unwrap()
            .unwrap();
        check_busy(surface, &reply);
        // The other sort goes on, at once and on every surface.
        let started = Instant::now();
        for surface in SURFACES {
            surface.check_done(&desk.client.call(surface, &other).await);
        }
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
        assert_eq!(desk.upstream.arrivals(path), 2, "{other_path:?}");
        desk.upstream.open_gate();
        all_done(calls).await;
        assert_eq!(desk.upstream.arrivals(path), 3);
    }
}
