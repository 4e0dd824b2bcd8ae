//! A server with limits before an upstream that answers when it is let, and what its refusals say.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{Client, LEGACY, Reply, Setting, Surface, World, failure, folder, within};

pub(super) const LOCKER: &str = "/user/locker";
pub(super) const ITEM: &str = "/user/purchase/item";
pub(super) const SELECT: &str = "/user/payment/card/select";

pub(super) const CALLS: &str = "SEVENDIGITAL_MCP_LIMIT_MAX_CONCURRENT_CALLS";
pub(super) const CHARGES: &str = "SEVENDIGITAL_MCP_LIMIT_MAX_CONCURRENT_CHARGES";
pub(super) const QUEUED: &str = "SEVENDIGITAL_MCP_LIMIT_MAX_QUEUED";
pub(super) const QUEUE_TIMEOUT: &str = "SEVENDIGITAL_MCP_LIMIT_QUEUE_TIMEOUT";
pub(super) const ALLOW: Setting<'static> = ("SEVENDIGITAL_MCP_SPENDING", "allow");
/// A time in the queue that no good test lasts for: who is answered meanwhile was answered at once.
pub(super) const LONG: Setting<'static> = (QUEUE_TIMEOUT, "10m");

/// A call: tool and arguments.
pub(super) type Op = (&'static str, Value);

/// One of many calls that differ in a number.
pub(super) type Numbered = fn(usize) -> Op;

pub(super) fn read() -> Op {
    ("get-user-locker", json!({}))
}

pub(super) fn buy(release: usize) -> Op {
    let release = json!({"releaseId": format!("{release}")});
    ("purchase-user-item", release)
}

pub(super) fn select() -> Op {
    let card = json!({"body": {"cardId": "8154431"}});
    ("select-user-payment-card", card)
}

/// Makes a call there.
pub(super) async fn call(client: &Client, surface: Surface, (tool, arguments): &Op) -> Reply {
    client.on(surface, tool, arguments).await
}

/// Calls that go on beside the test.
pub(super) type Calls = JoinSet<(Surface, Reply)>;

/// One more of them.
pub(super) fn add(calls: &mut Calls, client: &Client, surface: Surface, op: &Op) {
    let (client, op) = (client.clone(), op.clone());
    calls.spawn(async move { (surface, call(&client, surface, &op).await) });
}

/// The call succeeded.
#[track_caller]
pub(super) fn check_done(surface: Surface, reply: &Reply) {
    match surface {
        Surface::Rest => assert_eq!(reply.status, 200, "{reply:?}"),
        Surface::Modern | Surface::Session => {
            assert_ne!(reply.result()["isError"], true, "{reply:?}");
        }
    }
}

/// The call was refused before it was sent: over REST with that status, over MCP in words, or with an error where the server is overloaded.
/// Gives what is written, and when to call again.
#[track_caller]
pub(super) fn check_refused(
    surface: Surface,
    reply: &Reply,
    status: u16,
    problem: &str,
) -> (String, u64) {
    let id = reply.headers["x-request-id"].to_str().unwrap();
    let message = reply.message();
    if surface == Surface::Rest {
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.kind(), "application/problem+json", "{reply:?}");
        assert_eq!(message["type"], format!("/problems/{problem}"), "{message}");
        assert_eq!(message["requestId"], id, "{message}");
        let after = reply.headers["retry-after"].to_str().unwrap();
        let detail = message["detail"].as_str().unwrap();
        return (detail.to_owned(), after.parse().unwrap());
    }
    if problem == "busy" {
        let error = &message["error"];
        assert_eq!(error["code"], status, "{message}");
        assert_eq!(error["data"]["requestId"], id, "{message}");
        let after = error["data"]["retryAfter"].as_u64().unwrap();
        return (error["message"].as_str().unwrap().to_owned(), after);
    }
    let result = reply.result();
    let text = failure(&result);
    let (_, wait) = text.split_once("repeated in ").unwrap();
    let (seconds, _) = wait.split_once(' ').unwrap();
    (text.to_owned(), seconds.parse().unwrap())
}

/// No permit was free, and the response says when to call again.
#[track_caller]
pub(super) fn check_busy(surface: Surface, reply: &Reply) {
    let (text, after) = check_refused(surface, reply, 503, "busy");
    let why =
        "It was not sent: as many calls are in flight as this server takes at once. Nothing was ";
    assert!(text.starts_with(why), "{text}");
    assert_eq!(after, 1);
}

/// The next of the calls that ends was refused.
pub(super) async fn one_is_refused(calls: &mut Calls) {
    let refused = within("a refusal", calls.join_next()).await;
    let (surface, reply) = refused.unwrap().unwrap();
    check_busy(surface, &reply);
}

pub(super) async fn all_done(calls: Calls) {
    for (surface, reply) in within("the answers", calls.join_all()).await {
        check_done(surface, &reply);
    }
}

pub(super) fn locker() -> Act {
    Act::Say(ok(r#"{"status": "ok", "version": "1.2"}"#))
}

pub(super) fn held(act: Act) -> [Act; 1] {
    [Act::Held(Box::new(act))]
}

/// A server with these limits before an upstream, and a client with a session.
pub(super) struct Desk {
    pub(super) upstream: Upstream,
    pub(super) world: World,
    pub(super) client: Client,
    pub(super) folder: TempDir,
}

impl Desk {
    pub(super) async fn with(settings: &[Setting<'_>]) -> Self {
        Self::with_file(settings, "", None).await
    }

    /// The same with a file of settings, for the client that shows this bearer token.
    pub(super) async fn with_file(
        settings: &[Setting<'_>],
        file: &str,
        token: Option<&str>,
    ) -> Self {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::Sell]);
        let base_uri = upstream.base_uri();
        let own = [
            // What is held is not given up, however long the machine takes.
            ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "600000ms"),
            ("SEVENDIGITAL_MCP_LIMIT_CHANGE_DEADLINE", "600000ms"),
            ("SEVENDIGITAL_MCP_LIMIT_DRAIN_CHANGES_TIMEOUT", "700000ms"),
            ("SEVENDIGITAL_BASE_URI", base_uri.as_str()),
            (
                "SEVENDIGITAL_MCP_STATE_DIR",
                folder.path().to_str().unwrap(),
            ),
        ];
        let world = World::with_file(&[&own, settings].concat(), file).await;
        Self {
            client: client(&world, token).await,
            upstream,
            world,
            folder,
        }
    }

    pub(super) async fn call(&self, surface: Surface, op: &Op) -> Reply {
        call(&self.client, surface, op).await
    }

    /// The call succeeds on every surface.
    pub(super) async fn goes_on(&self, op: &Op) {
        for surface in crate::support::SURFACES {
            check_done(surface, &self.call(surface, op).await);
        }
    }

    /// The same beside the test.
    pub(super) fn start(&self, surface: Surface, op: Op) -> JoinHandle<Reply> {
        let client = self.client.clone();
        tokio::spawn(async move { call(&client, surface, &op).await })
    }

    /// Starts as many calls as are named, and waits until all of them are upstream.
    pub(super) async fn fill(&self, surfaces: &[Surface], op: &Op, path: &str) -> Calls {
        let mut calls = JoinSet::new();
        for surface in surfaces {
            add(&mut calls, &self.client, *surface, op);
        }
        self.upstream.wait_for(path, surfaces.len()).await;
        calls
    }
}

/// A client that shows this bearer token, in a session of its own.
pub(super) async fn client(world: &World, token: Option<&str>) -> Client {
    let client = Client::of(world);
    let client = token.map_or(client.clone(), |token| client.showing(token));
    client.in_session(LEGACY[0]).await
}
