//! Fewer tools: by the operator's setting, and by headers that only ever narrow.

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::TOOLS;

use crate::identity::{ALL_SCOPES, BY_TOKEN, OFTEN, TOKEN, named, of_scope, principal};
use crate::support::calls::calls;
use crate::support::rest::request;
use crate::support::{Client, LEGACY, Reply, Setting, World, problem, program, yes};

const READONLY: &str = "X-MCP-Readonly";
const ONLY: &str = "X-MCP-Tools";
const EXCLUDED: &str = "X-MCP-Exclude-Tools";

fn reads() -> Vec<&'static str> {
    let reads = TOOLS
        .iter()
        .filter(|tool| tool.contract.upstream.effect == Effect::Reads);
    reads.map(|tool| tool.contract.name).collect()
}

/// The tools that are listed in each era; both are the same.
async fn listed(somebody: &Client) -> Vec<String> {
    let modern = somebody.tool_names().await;
    let session = somebody.in_session(LEGACY[0]).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let legacy = session.say(&list).await.result();
    let legacy = legacy["tools"].as_array().unwrap().iter();
    let legacy: Vec<&str> = legacy.map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(modern, legacy);
    modern
}

/// No way of asking for other tools than these reaches 7digital; REST answers with one of these statuses.
async fn check_refused(world: &World, somebody: &Client, allowed: &[&str], statuses: &[u16]) {
    let session = somebody.in_session(LEGACY[0]).await;
    let before = world.arrivals().len();
    for (tool, arguments) in calls() {
        if allowed.contains(&tool) {
            continue;
        }
        for reply in ask_over_mcp(somebody, &session, tool, &arguments).await {
            assert_eq!(
                reply.message()["error"]["code"],
                -32602,
                "{tool}: {reply:?}"
            );
        }
        // A notification gets no answer, and makes no call.
        let silent = json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
        session.say(&silent).await;
        for reply in ask_over_rest(somebody, tool, &arguments, allowed).await {
            assert!(statuses.contains(&reply.status), "{tool}: {reply:?}");
        }
    }
    assert_eq!(world.arrivals().len(), before);
}

/// Plainly in both eras, with a confirmation of another call, and with the name in other spellings.
async fn ask_over_mcp(
    somebody: &Client,
    session: &Client,
    tool: &str,
    arguments: &Value,
) -> Vec<Reply> {
    let confirmed =
        json!({"name": tool, "arguments": arguments, "requestState": "x", "inputResponses": yes()});
    let mut replies = vec![
        somebody.mcp(tool, arguments).await,
        somebody.ask("tools/call", confirmed).await,
    ];
    let spellings = [
        tool.to_uppercase(),
        tool.replace('-', "_"),
        format!(" {tool}"),
    ];
    let asked = [
        (json!(5), tool.to_owned()),
        (json!("five"), tool.to_owned()),
    ];
    for (id, name) in asked
        .into_iter()
        .chain(spellings.map(|name| (json!(1), name)))
    {
        replies.push(session.call_as(id, &name, arguments).await);
    }
    replies
}

/// With the tool's own method and with others, and with headers that some servers obey.
async fn ask_over_rest(
    somebody: &Client,
    tool: &str,
    arguments: &Value,
    allowed: &[&str],
) -> Vec<Reply> {
    let (own, target, body) = request(tool, arguments);
    let path = target.split('?').next().unwrap();
    let is_served = |method: &str| {
        TOOLS.iter().any(|known| {
            let contract = known.contract;
            allowed.contains(&contract.name)
                && (contract.rest, contract.upstream.method.as_str()) == (path, method)
        })
    };
    let mut asked: Vec<(&str, &[(&str, &str)])> = vec![
        (own, &[]),
        (
            own,
            &[
                ("x-http-method-override", "POST"),
                ("x-method-override", "POST"),
            ],
        ),
        (own, &[("x-confirmation", "x"), ("idempotency-key", "k")]),
    ];
    let others = ["GET", "POST", "PUT", "HEAD"];
    asked.extend(
        others
            .into_iter()
            .filter(|other| !is_served(other))
            .map(|other| (other, &[][..])),
    );
    let mut replies = Vec::new();
    for (method, more) in asked {
        let json = [("content-type", "application/json")];
        let headers = [&json[..], more].concat();
        let reply = somebody.send(method, &target, &headers, body.clone()).await;
        replies.push(reply.unwrap());
    }
    replies
}

#[tokio::test]
async fn where_the_operator_serves_reads_alone_there_is_no_way_to_a_write() {
    const READ_ONLY: Setting<'static> = ("SEVENDIGITAL_MCP_READ_ONLY", "true");
    let everything = principal("jane", &ALL_SCOPES, "");
    let world = World::with_file(&[&OFTEN[..], &[READ_ONLY, BY_TOKEN]].concat(), &everything).await;
    for somebody in [Client::of(&world).showing(TOKEN), named(&world, "jane")] {
        for header in [None, Some("false")] {
            let somebody = header.map_or(somebody.clone(), |value| somebody.with(READONLY, value));
            assert_eq!(listed(&somebody).await, reads());
            check_refused(&world, &somebody, &reads(), &[404, 405]).await;
        }
        // To ask for a write by name brings none.
        let asking = somebody.with(ONLY, "purchase-user-item, get-user-locker");
        assert_eq!(listed(&asking).await, ["get-user-locker"]);
        check_refused(&world, &asking, &reads(), &[404, 405]).await;
    }
    // The other surfaces of the program.
    for tool in ["purchase-user-item", "create-user"] {
        let arguments = [
            "call",
            tool,
            "--sandbox",
            "--read-only",
            "--args",
            r#"{"releaseId": "11700062"}"#,
        ];
        let output = program(&arguments, &[]).output().await.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && told.contains("there is no tool"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_client_that_asks_for_reads_gets_reads() {
    let everything = principal("jane", &ALL_SCOPES, "");
    let world = World::with_file(&[&OFTEN[..], &[BY_TOKEN]].concat(), &everything).await;
    for somebody in [Client::of(&world).showing(TOKEN), named(&world, "jane")] {
        for yes in ["true", "TRUE", "1"] {
            let somebody = somebody.with(READONLY, yes);
            assert_eq!(listed(&somebody).await, reads(), "{yes}");
        }
        let somebody = somebody.with(READONLY, "true");
        check_refused(&world, &somebody, &reads(), &[403, 405]).await;
    }
}

#[tokio::test]
async fn a_session_gives_no_more_than_the_request_asks_for() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let careful = Client::of(&world).with(READONLY, "true");
    let item = json!({"releaseId": "11700062"});
    let careful = careful.within(session.session(), LEGACY[0]);
    let reply = careful.call_as(json!(1), "purchase-user-item", &item).await;
    assert_eq!(reply.message()["error"]["code"], -32602, "{reply:?}");
    assert_eq!(world.arrivals().len(), 0);
}

/// What the operator leaves out.
const NOT_SERVED: &str = "list-user-payment-cards";

/// Headers, and the tools that are left of all.
type Row<'a> = (&'a [(&'static str, &'a str)], Vec<&'a str>);

#[tokio::test]
async fn headers_narrow_the_list_and_never_widen_it() {
    let all: Vec<&str> = TOOLS.iter().map(|tool| tool.contract.name).collect();
    let but = |left_out: &[&str]| -> Vec<&str> {
        all.iter()
            .copied()
            .filter(|tool| !left_out.contains(tool))
            .collect()
    };
    let (locker, buy, create) = ("get-user-locker", "purchase-user-item", "create-user");
    #[rustfmt::skip]
    let rows: Vec<Row> = vec![
        (&[(ONLY, "purchase-user-item,get-user-locker")], vec![locker, buy]),
        (&[(ONLY, " purchase-user-item , ,get-user-locker, get-user-locker")], vec![locker, buy]),
        (&[(EXCLUDED, "purchase-user-item,create-user")], but(&[buy, create])),
        (&[(ONLY, "purchase-user-item,get-user-locker"), (EXCLUDED, "purchase-user-item")], vec![locker]),
        (&[(ONLY, "purchase-user-item"), (EXCLUDED, "purchase-user-item")], vec![]),
        (&[(ONLY, "purchase-user-item,get-user-locker"), (READONLY, "true")], vec![locker]),
        (&[(ONLY, "purchase-user-item"), (READONLY, "1")], vec![]),
        (&[(READONLY, "false")], all.clone()),
        (&[(READONLY, "0"), (ONLY, "create-user")], vec![create]),
        (&[], all.clone()),
    ];
    let reader = principal("reader", &["reads", "create-user"], "");
    #[rustfmt::skip]
    let settings = [
        &OFTEN[..],
        &[BY_TOKEN, ("SEVENDIGITAL_MCP_EXCLUDE_TOOLS", NOT_SERVED)],
    ]
    .concat();
    let world = World::with_file(&settings, &reader).await;
    let granted: Vec<&str> = [of_scope("reads"), vec![create]].concat();
    for (headers, expected) in rows {
        for (somebody, granted) in [
            (Client::of(&world).showing(TOKEN), &all[..]),
            (named(&world, "reader"), &granted),
        ] {
            let somebody = somebody.with_all(headers);
            let mut expected = expected.clone();
            expected.retain(|tool| *tool != NOT_SERVED && granted.contains(tool));
            assert_eq!(listed(&somebody).await, expected, "{headers:?}");
            // 400: the body that a tool at the same path would want is not there.
            if headers.len() == 2 {
                check_refused(&world, &somebody, &expected, &[400, 403, 404, 405]).await;
            }
        }
    }
    // What is listed can be called.
    let jane = Client::of(&world)
        .showing(TOKEN)
        .with(ONLY, "get-user-locker");
    assert_eq!(jane.rest(locker, &json!({})).await.status, 200);
    let result = jane.mcp(locker, &json!({})).await.result();
    assert!(result["structuredContent"].is_object(), "{result}");
}

#[tokio::test]
async fn a_header_that_is_not_clear_is_refused_by_its_name() {
    let world = World::with(&[BY_TOKEN]).await;
    let somebody = Client::of(&world).showing(TOKEN);
    let session = somebody.in_session(LEGACY[0]).await;
    let rows: [(&'static str, &[&str]); 18] = [
        (READONLY, &[""]),
        (READONLY, &["yes"]),
        (READONLY, &["perhaps"]),
        (READONLY, &["true,false"]),
        (READONLY, &["true", "true"]),
        (READONLY, &["false", "true"]),
        (ONLY, &[""]),
        (ONLY, &[" , ,"]),
        (ONLY, &["get-user-lockers"]),
        (ONLY, &["get-user-locker,no-such-canary"]),
        (ONLY, &["Get-User-Locker"]),
        (ONLY, &["*"]),
        (ONLY, &["reads"]),
        (ONLY, &["get-user-locker", "create-user"]),
        (EXCLUDED, &[""]),
        (EXCLUDED, &["no-such-canary"]),
        (EXCLUDED, &["create-user;signup-user"]),
        (EXCLUDED, &["create-user", "create-user"]),
    ];
    for (name, values) in rows {
        let asking = values
            .iter()
            .fold(somebody.clone(), |asking, value| asking.with(name, value));
        let row = format!("{name}: {values:?}");
        let named = |reply: &Reply| {
            assert_eq!(reply.status, 400, "{row}: {reply:?}");
            assert!(
                reply
                    .text
                    .to_lowercase()
                    .contains(&format!("`{}`", name.to_lowercase())),
                "{row}: {reply:?}"
            );
            assert!(!reply.text.contains("canary"), "{row}: {reply:?}");
        };
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
        for reply in [
            asking.ask("tools/list", json!({})).await,
            asking.mcp("get-user-locker", &json!({})).await,
            asking.within(session.session(), LEGACY[0]).say(&list).await,
            asking.initialize(LEGACY[0]).await,
        ] {
            named(&reply);
            assert!(
                reply.message()["error"]["code"].is_i64(),
                "{row}: {reply:?}"
            );
        }
        let reply = asking.rest("get-user-locker", &json!({})).await;
        problem(&reply, 400, "invalid-header");
        named(&reply);
    }
    assert_eq!(world.arrivals().len(), 0);
}
