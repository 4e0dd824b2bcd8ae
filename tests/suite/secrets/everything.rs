//! Every tool by every door, every fault and many a bad request, while everything is logged: where secrets are then.

use std::sync::Arc;

use serde_json::{Value, json};
use sevendigital_tools::TOOLS;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::answers::{bad, good, leaky, misshapen};
use super::requests::{path, strays, with_secrets, wrong_calls, wrong_messages, wrong_tokens};
use super::{FILTERS, Seen, is_result, jwt, meta, secret, settings_file, variables};
use crate::support::faults::{faults, hanging};
use crate::support::messages::message;
use crate::support::tokens::Authority;
use crate::support::upstream::Upstream;
use crate::support::{Client, LEGACY, MODERN, Server, Surface, empty, folder};

/// The doors: those of HTTP, and stdio.
const WAYS: [Option<Surface>; 4] = [
    Some(Surface::Modern),
    Some(Surface::Session),
    Some(Surface::Rest),
    None,
];

/// The program by all its doors, and everything that comes out of them.
struct Stage {
    folder: TempDir,
    upstream: Upstream,
    server: Server,
    piped: Server,
    is_modern: bool,
    /// A client for each way to name a caller and a user, each with a session of its own.
    wires: Vec<Client>,
    seen: Arc<Seen>,
    calls: usize,
}

impl Stage {
    async fn set(filter: &str, format: &str, is_modern: bool) -> Self {
        let (folder, upstream) = (folder(), Upstream::start().await);
        let authority = Authority::start().await;
        let of_logs = [
            ("RUST_LOG", filter),
            ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
        ];
        let variables = variables(&upstream.base_uri(), &authority.url("/keys"), &of_logs);
        let settings = settings_file(folder.path());
        let more = ["--config", settings.as_str()];
        let server = Server::serve(folder.path(), &more, &variables).await;
        let mut piped = Server::piped(folder.path(), &more, &variables);
        let seen = Arc::new(Seen::default());
        for one in [&server, &piped] {
            seen.add("command line", one.of_system("cmdline"));
        }
        if !is_modern {
            piped.hello().await;
        }
        let token = jwt("user-1");
        seen.meet("JWT's signature", token.rsplit('.').next().unwrap());
        seen.meet("JWT", token.as_str());
        let operator = server
            .caller()
            .that_can_ask()
            .showing(secret("operator's bearer"));
        let mut wires = Vec::new();
        #[rustfmt::skip]
        let rows = [
            operator.showing(secret("principal's bearer")),
            operator.showing(&token),
            operator.with("X-7digital-Access-Token", secret("header's token")).with("X-7digital-Access-Token-Secret", secret("header's token secret")),
            operator.with("X-7digital-User-Id", secret("header's user id")),
            operator,
        ];
        for wire in rows {
            let opening = wire.initialize(LEGACY[0]).await;
            seen.meet("session id", opening.session());
            seen.reply("opening of a session", &opening);
            wires.push(wire.opened(&opening, LEGACY[0]).await);
        }
        // The keys have been fetched; they are good for ten minutes.
        let [asked] = &authority.upstream.heard("/keys")[..] else {
            panic!("keys are fetched once")
        };
        seen.add("request for keys", asked.raw.as_str());
        for token in wrong_tokens() {
            seen.meet("wrong token", token);
        }
        Self {
            folder,
            upstream,
            server,
            piped,
            is_modern,
            wires,
            seen,
            calls: 0,
        }
    }

    /// Every tool by one door, at once.
    async fn call_all(&mut self, way: Option<Surface>) {
        empty(self.folder.path());
        let Some(surface) = way else {
            return self.call_all_over_pipes().await;
        };
        let mut made = JoinSet::new();
        for (tool, arguments) in with_secrets() {
            self.calls += 1;
            let wire = self.wires[self.calls % self.wires.len()].clone();
            let seen = Arc::clone(&self.seen);
            made.spawn(async move {
                let reply = wire.on(surface, tool, &arguments).await;
                seen.answer(tool, &reply);
            });
        }
        made.join_all().await;
    }

    async fn call_all_over_pipes(&mut self) {
        let mut made = Vec::new();
        for (tool, arguments) in with_secrets() {
            self.calls += 1;
            let id = format!("{} {tool}", self.calls);
            let params = self.params(tool, &arguments);
            let request = message(json!(id), "tools/call", &params);
            self.piped.say(&request.to_string()).await;
            made.push(id);
        }
        for id in made {
            self.piped.answer(id).await;
        }
    }

    /// The parameters of a call over stdio.
    fn params(&self, tool: &str, arguments: &Value) -> Value {
        let mut params = json!({"name": tool, "arguments": arguments});
        if self.is_modern {
            params["_meta"] = meta(&json!({}));
        }
        params
    }

    /// Everything that is wrong with a request while it holds a secret.
    async fn misbehave(&mut self) {
        good(&self.upstream);
        for (number, (tool, arguments)) in wrong_calls().into_iter().enumerate() {
            let wire = &self.wires[number % self.wires.len()];
            // Objects and lists have no place in a query.
            let surface = [Surface::Modern, Surface::Session][number % 2];
            let reply = wire.on(surface, tool, &arguments).await;
            self.seen.answer(tool, &reply);
            if number % 7 == 0 {
                let id = format!("wrong {number} {tool}");
                let params = self.params(tool, &arguments);
                self.piped.ask(&id, "tools/call", &params).await;
            }
        }
        let wire = self.wires.last().unwrap();
        for body in wrong_messages() {
            let session = [("mcp-session-id", wire.session())];
            let modern = [
                ("mcp-protocol-version", MODERN),
                ("mcp-method", "tools/call"),
            ];
            for headers in [&session[..], &modern] {
                let reply = wire.post(headers, body.clone()).await;
                self.seen.reply("refusal", &reply);
            }
            self.piped.say(&body.replace('\n', " ")).await;
        }
        for reply in strays(wire).await {
            assert!(reply.status >= 400, "{reply:?}");
            self.seen.reply("refusal", &reply);
        }
    }

    /// The program ends, and all that is left of it is looked at.
    async fn end(mut self, what: &str) {
        let metrics = self.server.address("/metrics");
        let metrics = self.server.caller().fetch("GET", &metrics, &[], "").await;
        assert_eq!(metrics.status, 200);
        self.seen.reply("metrics", &metrics);
        self.server.signal("TERM");
        for (name, one) in [("server", &mut self.server), ("stdio", &mut self.piped)] {
            let status = one.ended().await;
            assert_eq!(status.code(), Some(0), "{}", one.log());
            let logged = one.log();
            assert!(logged.len() > 10_000, "next to nothing is logged");
            self.seen.add(format!("log of {name}"), logged);
        }
        assert_eq!(self.server.out(), "");
        for line in self.piped.out().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let tool = message["id"]
                .as_str()
                .and_then(|id| id.split(' ').next_back());
            let kind = if is_result(200, &message) {
                "result"
            } else {
                "failure"
            };
            self.seen
                .add(format!("{kind} of {}", tool.unwrap_or("nothing")), line);
        }
        for tool in TOOLS {
            self.seen
                .requests(&self.upstream, &path(tool.contract.name));
        }
        self.seen.files(self.folder.path());
        self.seen.check(what);
    }
}

/// Everything, while that much is logged. Each fault comes by another door in each turn.
async fn check(filter: &str, format: &str, turn: usize) {
    let mut stage = Stage::set(filter, format, turn % 2 == 1).await;
    good(&stage.upstream);
    for way in WAYS {
        stage.call_all(way).await;
    }
    stage.misbehave().await;
    misshapen(&stage.upstream);
    stage.call_all(WAYS[turn % WAYS.len()]).await;
    let table = faults("http://127.0.0.1:1/").into_iter().chain(hanging());
    let acts = table.map(|fault| fault.act).chain(leaky());
    for (number, act) in acts.enumerate() {
        bad(&stage.upstream, &act);
        stage.call_all(WAYS[(number + turn) % WAYS.len()]).await;
    }
    let what = format!("{format} log, {filter}");
    stage.end(&what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_gets_out_while_all_of_ours_is_logged_as_text() {
    check(FILTERS[0], "text", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_gets_out_while_all_of_ours_is_logged_as_json() {
    check(FILTERS[0], "json", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_gets_out_while_everything_is_logged_as_text() {
    check(FILTERS[1], "text", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_gets_out_while_everything_is_logged_as_json() {
    check(FILTERS[1], "json", 3).await;
}
