//! Scopes of access tokens: each against each tool, on both surfaces.

use serde_json::json;
use sevendigital_tools::Scope;

use crate::identity::{BY_TOKEN, METADATA, OFTEN, TOKEN, access_token, of_scope, trusting_world};
use crate::support::calls::{REGISTRATION, ROWS};
use crate::support::{Client, LEGACY, Reply, problem, text};

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
async fn each_scope_opens_its_own_tools_over_mcp() {
    each_scope_opens_its_own_tools(false).await;
}

#[tokio::test]
async fn each_scope_opens_its_own_tools_over_rest() {
    each_scope_opens_its_own_tools(true).await;
}

/// Every tool with every scope; a tool that lacks its own is asked for it.
async fn each_scope_opens_its_own_tools(on_rest: bool) {
    let (_authority, world) = trusting_world(&[&OFTEN[..], &[BY_TOKEN]].concat(), "").await;
    let operator = Client::of(&world).showing(TOKEN);
    let page = json!({"body": {"redirectUrl": "https://shop.example/done"}});
    let registered = operator
        .mcp("register-user-payment-card", &page)
        .await
        .result();
    let id = &registered["structuredContent"]["cardRegistration"]["id"];
    let (mut allowed, mut refused) = (0, 0);
    let none = ["", "openid profile"];
    for granted in none.into_iter().chain(Scope::ALL.map(Scope::as_str)) {
        let user = Client::of(&world).showing(&access_token("user-1", granted));
        for row in ROWS {
            let mut arguments = row.arguments();
            if arguments["id"] == REGISTRATION {
                arguments["id"] = id.clone();
            }
            let what = format!("{} with `{granted}`, REST: {on_rest}", row.name);
            let before = world.arrivals().len();
            let reply = if on_rest {
                user.rest(row.name, &arguments).await
            } else {
                user.mcp(row.name, &arguments).await
            };
            if granted == row.scope {
                check_done(&what, &reply, on_rest);
                assert!(world.arrivals().len() > before, "{what}");
                allowed += 1;
            } else {
                check_refusal(&what, &reply, granted, row.scope);
                check_form(&what, &reply, on_rest);
                assert_eq!(world.arrivals().len(), before, "{what}");
                refused += 1;
            }
        }
        assert_eq!(user.tool_names().await, of_scope(granted), "`{granted}`");
    }
    println!("REST {on_rest}: {allowed} allowed, {refused} refused");
    assert_eq!(
        (allowed, refused),
        (ROWS.len(), ROWS.len() * (Scope::ALL.len() + 1))
    );
}

fn check_done(what: &str, reply: &Reply, on_rest: bool) {
    assert_eq!(reply.status, 200, "{what}: {reply:?}");
    if !on_rest {
        let result = reply.result();
        assert_ne!(result["isError"], true, "{what}: {}", text(&result));
    }
}

/// The refusal has the form of its surface.
fn check_form(what: &str, reply: &Reply, on_rest: bool) {
    if on_rest {
        problem(reply, 403, "not-allowed");
    } else {
        assert_eq!(reply.message()["id"], 1, "{what}: {reply:?}");
        assert!(
            reply.message()["error"]["code"].is_i64(),
            "{what}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn a_session_gives_no_scope_that_the_request_has_not() {
    let (_authority, world) = trusting_world(&[], "").await;
    let opener = Client::of(&world).showing(&access_token("user-1", "reads spend"));
    let session = opener.in_session(LEGACY[0]).await;
    let weaker = Client::of(&world).showing(&access_token("user-1", "reads"));
    let item = json!({"releaseId": "11700062"});
    let weaker = weaker.within(session.session(), LEGACY[0]);
    let reply = weaker.call_as(json!(7), "purchase-user-item", &item).await;
    check_refusal("in a session", &reply, "reads", "spend");
    assert_eq!(reply.message()["id"], 7);
    assert_eq!(world.arrivals().len(), 0);
    let list = json!({"jsonrpc": "2.0", "id": 8, "method": "tools/list", "params": {}});
    let listed = weaker.say(&list).await.result();
    assert_eq!(
        listed["tools"].as_array().unwrap().len(),
        of_scope("reads").len(),
        "{listed}"
    );
}
