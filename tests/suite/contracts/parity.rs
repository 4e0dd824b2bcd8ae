//! The same call gives the same document and the same error over MCP on HTTP, MCP on stdio, and REST.

use rmcp::RoleClient;
use rmcp::service::RunningService;
use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::{AnyTool, TOOLS};
use tempfile::TempDir;

use crate::rest::routes::call;
use crate::support::calls::{REGISTRATION, calls, make_all};
use crate::support::upstream::{ANY, Act, Upstream, http, ok, refusal};
use crate::support::{
    World, call_with, failure, folder, lifecycles, program, stdio_client, text, variables, world_on,
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

    /// A call that succeeds: its document, which is the same text everywhere.
    async fn same_document(&self, tool: &'static str, arguments: &Value) -> String {
        let mcp = self.mcp.call(tool, arguments.clone()).await;
        let stdio = call_with(&self.stdio, tool, arguments.clone()).await;
        let rest = call(&self.rest, tool, arguments, &[]).await;
        assert_eq!(rest.status, 200, "{tool}: {rest:?}");
        assert_eq!(text(&mcp), rest.text, "{tool}");
        assert_eq!(text(&stdio), rest.text, "{tool}");
        assert_eq!(mcp["structuredContent"].to_string(), rest.text, "{tool}");
        rest.text
    }

    /// A call that fails: what is said of it is the same everywhere. Gives the problem that REST has.
    async fn same_problem(&self, what: &str, tool: &'static str, arguments: &Value) -> Value {
        let mcp = self.mcp.call(tool, arguments.clone()).await;
        let stdio = call_with(&self.stdio, tool, arguments.clone()).await;
        let rest = call(&self.rest, tool, arguments, &[]).await;
        assert_eq!(rest.kind(), "application/problem+json", "{what}: {rest:?}");
        let problem: Value = serde_json::from_str(&rest.text).unwrap();
        assert_eq!(problem["status"], rest.status, "{what}: {rest:?}");
        assert_eq!(problem["detail"], failure(&mcp), "{what} {tool}");
        assert_eq!(problem["detail"], failure(&stdio), "{what} {tool}");
        problem
    }
}

fn tool(name: &str) -> &'static AnyTool {
    let tool = TOOLS.iter().find(|tool| tool.contract.name == name);
    tool.unwrap()
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
    assert_eq!(sizes.len(), 17);
    println!("bytes of the seventeen documents: {sizes:?}");
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
    for (what, answer, (status, slug)) in kinds {
        let surfaces = Surfaces::start().await;
        surfaces.upstream.script(ANY, [Act::Say(answer)]);
        for (name, arguments) in calls() {
            let problem = surfaces.same_problem(what, name, &arguments).await;
            assert_eq!(problem["status"], status, "{what} {name}: {problem}");
            assert_eq!(
                problem["type"],
                format!("/problems/{slug}"),
                "{what} {name}"
            );
            let unknown = what == "HTML" && tool(name).contract.upstream.effect != Effect::Reads;
            assert_eq!(
                problem["repeat"] == "after_check",
                unknown,
                "{what} {name}: {problem}"
            );
        }
    }
}

#[tokio::test]
async fn faults_that_may_pass_are_told_alike() {
    let kinds = [
        ("7002", Act::Say(refusal(500, 7002)), (502, "bad-answer")),
        ("503", Act::Say(http(503, "", "")), (503, "unavailable")),
        ("reset", Act::Reset(Vec::new()), (504, "interrupted")),
    ];
    for (what, act, (status, slug)) in kinds {
        let surfaces = Surfaces::start().await;
        surfaces.upstream.script(ANY, [act]);
        for name in ["get-user-details", "signup-user", "purchase-user-item"] {
            let calls = calls();
            let (_, arguments) = calls.iter().find(|(other, _)| *other == name).unwrap();
            let problem = surfaces.same_problem(what, name, arguments).await;
            assert_eq!(problem["status"], status, "{what} {name}: {problem}");
            assert_eq!(
                problem["type"],
                format!("/problems/{slug}"),
                "{what} {name}"
            );
            let charges = tool(name).contract.upstream.effect == Effect::Charges;
            assert_eq!(
                problem["mayHaveCharged"], charges,
                "{what} {name}: {problem}"
            );
            if charges {
                let again = surfaces.same_problem("again", name, arguments).await;
                assert_eq!(again["type"], "/problems/outcome-unknown", "{again}");
            }
        }
    }
}

#[tokio::test]
async fn wrong_arguments_are_told_alike_and_reach_nobody() {
    let surfaces = Surfaces::start().await;
    let mut told = 0;
    for (name, mut arguments) in calls() {
        let post = tool(name).contract.rest.method.as_str() == "POST";
        let wrong = if post {
            &mut arguments["body"]
        } else {
            &mut arguments
        };
        wrong["oauth_token"] = json!("mine");
        let problem = surfaces.same_problem("oauth", name, &arguments).await;
        assert_eq!(problem["status"], 400, "{name}: {problem}");
        assert_eq!(problem["outcome"], "not_sent", "{name}");
        let wrong = if post {
            &mut arguments["body"]
        } else {
            &mut arguments
        };
        wrong.as_object_mut().unwrap().remove("oauth_token");
        wrong["note"] = json!("4111 1111 1111 1111");
        let problem = surfaces.same_problem("card", name, &arguments).await;
        assert_eq!(problem["status"], 400, "{name}: {problem}");
        assert!(!problem.to_string().contains("4111"), "{name}");
        told += 2;
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
        told += 1;
    }
    assert_eq!(told, 41);
    assert_eq!(surfaces.upstream.connections(), 0);
}
