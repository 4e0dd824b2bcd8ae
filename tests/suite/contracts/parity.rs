//! The same call gives the same document and the same error over MCP on HTTP, MCP on stdio, and REST.

use rmcp::RoleClient;
use rmcp::service::RunningService;
use serde_json::{Value, json};
use sevendigital::Effect;
use tempfile::TempDir;

use crate::support::calls::{REGISTRATION, ROWS, calls, good, make_all, tool};
use crate::support::rest::call;
use crate::support::upstream::{ANY, Act, Upstream, http, ok, refusal};
use crate::support::{
    Reply, World, call_with, failure, folder, lifecycles, program, stdio_client, text, variables,
    world_on,
};

/// Three servers before one upstream, each with a ledger of its own, so that each makes each purchase.
struct Surfaces {
    upstream: Upstream,
    mcp: World,
    stdio: RunningService<RoleClient, ()>,
    rest: World,
    _folders: [TempDir; 3],
}

impl Surfaces {
    async fn start() -> Self {
        let upstream = Upstream::start().await;
        let base_uri = upstream.base_uri();
        let folders = [folder(), folder(), folder()];
        let [one, two, three] = &folders;
        let state = two.path().to_str().unwrap();
        let command = program(&["stdio", "--state-dir", state], &variables(&base_uri, &[]));
        let [_, modern] = lifecycles();
        Self {
            mcp: world_on(one.path(), &base_uri, &[]).await,
            stdio: stdio_client(command, modern).await,
            rest: world_on(three.path(), &base_uri, &[]).await,
            upstream,
            _folders: folders,
        }
    }

    /// The same call by each surface.
    async fn call(&self, tool: &'static str, arguments: &Value) -> (Value, Value, Reply) {
        (
            self.mcp.call(tool, arguments.clone()).await,
            call_with(&self.stdio, tool, arguments.clone()).await,
            call(&self.rest, tool, arguments, &[]).await,
        )
    }

    /// A call that succeeds: its document, which is the same text everywhere.
    async fn same_document(&self, tool: &'static str, arguments: &Value) -> String {
        let (mcp, stdio, rest) = self.call(tool, arguments).await;
        assert_eq!(rest.status, 200, "{tool}: {rest:?}");
        assert_eq!(text(&mcp), rest.text, "{tool}");
        assert_eq!(text(&stdio), rest.text, "{tool}");
        assert_eq!(mcp["structuredContent"].to_string(), rest.text, "{tool}");
        rest.text
    }

    /// A call that fails: what is said of it is the same everywhere. Gives the problem that REST has.
    async fn same_problem(&self, what: &str, tool: &'static str, arguments: &Value) -> Value {
        let (mcp, stdio, rest) = self.call(tool, arguments).await;
        assert_eq!(rest.kind(), "application/problem+json", "{what}: {rest:?}");
        let problem: Value = serde_json::from_str(&rest.text).unwrap();
        assert_eq!(problem["status"], rest.status, "{what}: {rest:?}");
        assert_eq!(problem["detail"], failure(&mcp), "{what} {tool}");
        assert_eq!(problem["detail"], failure(&stdio), "{what} {tool}");
        problem
    }

    /// The same for a good call and a problem that must have this status and type.
    async fn check_problem(
        &self,
        what: &str,
        tool: &'static str,
        (status, slug): (u16, &str),
    ) -> Value {
        let problem = self.same_problem(what, tool, &good(tool)).await;
        assert_eq!(problem["status"], status, "{what} {tool}: {problem}");
        assert_eq!(
            problem["type"],
            format!("/problems/{slug}"),
            "{what} {tool}"
        );
        problem
    }
}

#[tokio::test]
async fn every_tool_gives_the_same_document_on_every_surface() {
    // What the sandbox answers, so that documents are as full as they get.
    let sandbox = World::start().await;
    let answers = make_all(async |tool, arguments| sandbox.call(tool, arguments).await).await;
    let surfaces = Surfaces::start().await;
    let mut sizes = Vec::new();
    for ((name, mut arguments), (_, answer)) in calls().into_iter().zip(&answers) {
        let document = answer["structuredContent"].to_string();
        surfaces.upstream.script(ANY, [Act::Say(ok(&document))]);
        if arguments["id"] == REGISTRATION {
            arguments["id"] = json!("0f8fad5b-d9cb-469f-a165-70867728950e");
        }
        if name == "deliver-user-item" {
            // Else each surface makes one of its own.
            arguments["transactionId"] = json!("sale-1");
        }
        sizes.push(surfaces.same_document(name, &arguments).await.len());
    }
    println!("bytes of the documents: {sizes:?}");
}

#[tokio::test]
async fn every_tool_fails_in_the_same_words_on_every_surface() {
    let html = http(200, "Content-Type: text/html\r\n", "<html>no</html>");
    let unauthorised = http(
        401,
        "Content-Type: text/plain\r\n",
        "OAuth authentication error: Invalid access token",
    );
    let throttled = http(429, "Retry-After: 3600\r\n", "");
    let kinds = [
        ("1002", refusal(400, 1002), (422, "refused")),
        ("2001", refusal(404, 2001), (422, "refused")),
        ("3102", refusal(200, 3102), (422, "refused")),
        ("OAuth", unauthorised, (403, "not-authorised")),
        ("429", throttled, (429, "throttled")),
        ("HTML", html, (502, "bad-answer")),
    ];
    for (what, answer, expected) in kinds {
        let surfaces = Surfaces::start().await;
        surfaces.upstream.script(ANY, [Act::Say(answer)]);
        for row in ROWS {
            let problem = surfaces.check_problem(what, row.name, expected).await;
            let effect = tool(row.name).contract.upstream.effect;
            let unknown = what == "HTML" && effect != Effect::Reads;
            let to_check = problem["repeat"] == "after_check";
            assert_eq!(to_check, unknown, "{what} {}: {problem}", row.name);
        }
    }
}

#[tokio::test]
async fn faults_that_may_pass_are_reported_alike() {
    let kinds = [
        ("7002", Act::Say(refusal(500, 7002)), (502, "bad-answer")),
        ("503", Act::Say(http(503, "", "")), (503, "unavailable")),
        ("reset", Act::Reset(Vec::new()), (504, "interrupted")),
    ];
    for (what, act, expected) in kinds {
        let surfaces = Surfaces::start().await;
        surfaces.upstream.script(ANY, [act]);
        for name in ["get-user-details", "signup-user", "purchase-user-item"] {
            let problem = surfaces.check_problem(what, name, expected).await;
            let charges = tool(name).contract.upstream.effect == Effect::Charges;
            assert_eq!(
                problem["mayHaveCharged"], charges,
                "{what} {name}: {problem}"
            );
            if charges {
                let again = surfaces.same_problem("again", name, &good(name)).await;
                assert_eq!(again["type"], "/problems/outcome-unknown", "{again}");
            }
        }
    }
}

#[tokio::test]
async fn wrong_arguments_are_reported_alike_and_not_sent() {
    let surfaces = Surfaces::start().await;
    for row in ROWS {
        let wrong = |name: &str, value: &str| {
            let mut arguments = row.arguments();
            let is_post = row.rest.starts_with("POST");
            let fields = if is_post {
                &mut arguments["body"]
            } else {
                &mut arguments
            };
            fields[name] = json!(value);
            arguments
        };
        let oauth = wrong("oauth_token", "mine");
        let problem = surfaces.same_problem("oauth", row.name, &oauth).await;
        assert_eq!(problem["status"], 400, "{}: {problem}", row.name);
        assert_eq!(problem["outcome"], "not_sent", "{}", row.name);
        let card = wrong("note", "4111 1111 1111 1111");
        let problem = surfaces.same_problem("card", row.name, &card).await;
        assert_eq!(problem["status"], 400, "{}: {problem}", row.name);
        assert!(!problem.to_string().contains("4111"), "{}", row.name);
    }
    for (name, arguments) in [
        ("get-user-locker", json!({"page": "two"})),
        ("get-user-locker", json!({"pageSize": "51"})),
        ("purchase-user-item", json!({})),
        (
            "purchase-user-priced-item",
            json!({"releaseId": "1", "price": "9.99"}),
        ),
        ("create-user", json!({"email": "nobody"})),
        ("get-user-details", json!({})),
        ("signup-user", json!({"body": {"emailAddress": "nobody"}})),
    ] {
        surfaces
            .same_problem(&arguments.to_string(), name, &arguments)
            .await;
    }
    assert_eq!(surfaces.upstream.connections(), 0);
}
