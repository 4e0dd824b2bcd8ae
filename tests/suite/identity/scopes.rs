//! Scopes of access tokens: each against each tool, on both surfaces.

use serde_json::{Value, json};
use sevendigital_tools::{Scope, TOOLS};

use crate::identity::{
    BY_TOKEN, METADATA, OFTEN, Somebody, TOKEN, access_token, authority, trusting,
};
use crate::rest::routes::problem;
use crate::support::calls::{REGISTRATION, calls};
use crate::support::{Reply, World, text};

/// What a tool wants, as the issue and the README have it; held against the tools' own words.
fn scope_of(tool: &str) -> &'static str {
    match tool {
        "get-user-locker"
        | "get-user-unlimited-streaming"
        | "list-user-payment-cards"
        | "get-user-card-registration" => "reads",
        "signup-user" | "create-user" | "authenticate-user" => "account",
        "select-user-payment-card" | "delete-user-payment-card" | "register-user-payment-card" => {
            "cards"
        }
        "get-user-details" | "update-user-unlimited-streaming" => "partner",
        _ => "spend",
    }
}

/// A refusal that says which scopes a token must have.
#[track_caller]
fn check_refusal(row: &str, reply: &Reply, granted: &str, lacking: &str) {
    assert_eq!(reply.status, 403, "{row}: {reply:?}");
    let order = Scope::ALL.map(Scope::as_str);
    let needed: Vec<&str> = order
        .into_iter()
        .filter(|scope| [granted, lacking].contains(scope))
        .collect();
    let expected = format!(
        "Bearer error=\"insufficient_scope\", scope=\"{}\", resource_metadata=\"{METADATA}\"",
        needed.join(" ")
    );
    assert_eq!(reply.headers["www-authenticate"], expected, "{row}");
    assert!(
        reply.text.contains(&format!("`{lacking}`")),
        "{row}: {reply:?}"
    );
}

#[tokio::test]
async fn each_scope_opens_its_own_tools_and_the_others_are_asked_for() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    for on_rest in [false, true] {
        // Each world sells each thing once.
        let world = World::with(&[&trusting(&keys)[..], &OFTEN, &[BY_TOKEN]].concat()).await;
        let operator = Somebody::with_token(&world, TOKEN);
        let page = json!({"body": {"redirectUrl": "https://shop.example/done"}});
        let registered = operator
            .mcp("register-user-payment-card", &page)
            .await
            .result();
        let id = registered["structuredContent"]["cardRegistration"]["id"]
            .as_str()
            .unwrap();
        let (mut allowed, mut refused) = (0, 0);
        for granted in [
            "",
            "openid profile",
            "reads",
            "account",
            "cards",
            "spend",
            "partner",
        ] {
            let token = access_token("user-1", granted);
            let user = Somebody::with_token(&world, &token);
            for (tool, arguments) in calls() {
                let arguments = arguments.to_string().replace(REGISTRATION, id);
                let arguments: Value = serde_json::from_str(&arguments).unwrap();
                let needed = scope_of(tool);
                let row = format!("{tool} with `{granted}`, REST: {on_rest}");
                let before = world.arrivals().len();
                let reply = if on_rest {
                    user.rest(tool, &arguments).await
                } else {
                    user.mcp(tool, &arguments).await
                };
                if granted == needed {
                    assert_eq!(reply.status, 200, "{row}: {reply:?}");
                    if !on_rest {
                        let result = reply.result();
                        assert_ne!(result["isError"], true, "{row}: {}", text(&result));
                    }
                    assert!(world.arrivals().len() > before, "{row}");
                    allowed += 1;
                    continue;
                }
                check_refusal(&row, &reply, granted, needed);
                if on_rest {
                    problem(&reply, 403, "not-allowed");
                } else {
                    assert_eq!(reply.message()["id"], 1, "{row}: {reply:?}");
                    assert!(
                        reply.message()["error"]["code"].is_i64(),
                        "{row}: {reply:?}"
                    );
                }
                assert_eq!(world.arrivals().len(), before, "{row}");
                refused += 1;
            }
            let listed = user.tools().await;
            let expected = TOOLS.iter().map(|tool| tool.contract.name);
            let expected: Vec<&str> = expected.filter(|tool| scope_of(tool) == granted).collect();
            assert_eq!(listed, expected, "`{granted}`");
        }
        println!("REST {on_rest}: {allowed} allowed, {refused} refused");
        assert_eq!((allowed, refused), (17, 17 * 6));
    }
    for tool in TOOLS {
        assert_eq!(tool.contract.scope.as_str(), scope_of(tool.contract.name));
    }
}

#[tokio::test]
async fn a_session_gives_no_scope_that_the_request_has_not() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&trusting(&keys)).await;
    let session = Somebody::with_token(&world, &access_token("user-1", "reads spend"))
        .session()
        .await;
    let buy = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "purchase-user-item", "arguments": {"releaseId": "11700062"}}});
    let weaker = Somebody::with_token(&world, &access_token("user-1", "reads"));
    let reply = weaker.legacy(Some(&session), &buy).await;
    check_refusal("in a session", &reply, "reads", "spend");
    assert_eq!(reply.message()["id"], 7);
    assert_eq!(world.arrivals().len(), 0);
    let list = json!({"jsonrpc": "2.0", "id": 8, "method": "tools/list", "params": {}});
    let listed = weaker.legacy(Some(&session), &list).await.result();
    assert_eq!(listed["tools"].as_array().unwrap().len(), 4, "{listed}");
}
