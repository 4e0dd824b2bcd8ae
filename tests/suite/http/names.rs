//! What the headers say to proxies on the way, the body says too; and there is one address at which tools are called.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sevendigital_tools::TOOLS;

use super::requests::{doors, unharmed};
use crate::support::World;
use crate::support::calls::make_all;
use crate::support::draft::Draft;

fn packed(name: &str) -> String {
    format!("=?base64?{}?=", BASE64_STANDARD.encode(name))
}

#[tokio::test]
async fn a_tool_is_called_only_by_the_name_in_the_header() {
    let world = World::start().await;
    let results = make_all(async |tool, arguments| {
        let before = world.arrivals().len();
        let good = Draft::call(&world.url, tool, &arguments);
        let other = TOOLS.iter().map(|other| other.contract.name);
        let other = other.rev().find(|other| *other != tool).unwrap();
        let named = |name: &[u8]| good.clone().with("Mcp-Name", name);
        let method = |name: &str| good.clone().with("Mcp-Method", name);
        let upper = tool.to_uppercase();
        #[rustfmt::skip]
        let rows = [
            ("another tool's", named(other.as_bytes())),
            ("none", good.clone().without("Mcp-Name")),
            ("empty", named(b"")),
            ("twice the same", good.clone().and("Mcp-Name", tool)),
            ("two", good.clone().and("Mcp-Name", other)),
            ("two, the other first", named(other.as_bytes()).and("Mcp-Name", tool)),
            ("in capitals", named(upper.as_bytes())),
            ("longer", named(format!("{tool}x").as_bytes())),
            ("two in one", named(format!("{tool}, {other}").as_bytes())),
            ("another tool's, packed", named(packed(other).as_bytes())),
            ("packed badly", named(b"=?base64?!!!?=")),
            ("packed without padding", named(packed(&format!("{tool}x")).as_bytes())),
            ("packed twice", named(packed(&packed(tool)).as_bytes())),
            ("packed bytes that are no text", named(b"=?base64?/w==?=")),
            ("bytes that are no text", named(&[tool.as_bytes(), b"\xff"].concat())),
            ("another method", method("tools/list")),
            ("a method in capitals", method("TOOLS/CALL")),
            ("no method", good.clone().without("Mcp-Method")),
            ("two methods", good.clone().and("Mcp-Method", "tools/list")),
            ("the method twice", good.clone().and("Mcp-Method", "tools/call")),
        ];
        for (what, draft) in rows {
            let answer = draft.send().await;
            assert_eq!(answer.status, 400, "{tool}, {what}: {answer:?}");
            assert_eq!(answer.code(), -32020, "{tool}, {what}: {answer:?}");
        }
        assert_eq!(world.arrivals().len(), before, "{tool}");
        let answer = named(packed(tool).as_bytes()).send().await;
        assert_eq!(answer.status, 200, "{tool}: {answer:?}");
        answer.json()["result"].take()
    })
    .await;
    for (tool, result) in results {
        assert_ne!(result["isError"], true, "{tool}: {result}");
    }
}

#[tokio::test]
async fn a_list_in_the_headers_is_no_purchase_in_the_body() {
    let world = World::start().await;
    let buy = Draft::call(
        &world.url,
        "purchase-user-item",
        &json!({"releaseId": "11700062"}),
    );
    for draft in [
        buy.clone()
            .with("Mcp-Method", "tools/list")
            .without("Mcp-Name"),
        buy.clone().with("Mcp-Method", "tools/list"),
        buy.clone().with("Mcp-Name", "get-user-locker"),
    ] {
        let answer = draft.send().await;
        assert_eq!((answer.status, answer.code()), (400, -32020), "{answer:?}");
    }
    unharmed(&world, 0).await;
    assert_eq!(world.sandbox.sales().len(), 0);
}

/// Other paths that somebody might take for that one.
fn like(path: &str) -> impl IntoIterator<Item = String> {
    let name = path.rsplit('/').next().unwrap();
    let rest = &path[..path.len() - name.len()];
    [
        format!("{path}/"),
        format!("{path}//"),
        format!("/{path}"),
        format!("{path}/..;/x"),
        format!("{path};x"),
        format!("{path}/x"),
        format!("{path}/../{name}"),
        format!("/x/..{path}"),
        format!("/.{path}"),
        format!("{path}\\"),
        format!("{path}%2f"),
        format!("{path}%00"),
        format!("{path}%3fx"),
        format!("{rest}%{:x}{}", name.as_bytes()[0], &name[1..]),
        path.to_uppercase(),
        "*".to_owned(),
    ]
}

#[tokio::test]
async fn there_is_one_path_and_one_method_at_which_tools_are_called() {
    let world = World::start().await;
    let [(_, mcp), (_, rest)] = doors(&world);
    let select = "/v1/user/payment/card/select";
    for (good, path) in [(&mcp, "/mcp"), (&rest, select)] {
        for target in like(path) {
            // One that stands at the end of an address is often pasted with it.
            if target == "/mcp/" {
                continue;
            }
            let answer = good.clone().to("POST", &target).send().await;
            assert_eq!(answer.status, 404, "{target}: {answer:?}");
            assert!(answer.kind().ends_with("json"), "{target}: {answer:?}");
        }
        let methods = [
            "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY",
            "post", "POST_", "PRI",
        ];
        for method in methods {
            let answer = good.clone().to(method, path).send().await;
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            let allowed = answer.header("allow").unwrap();
            assert!(allowed.contains("POST"), "{method} {path}: {allowed}");
        }
        // What a proxy might make a POST of is none here.
        for (name, value) in [
            ("X-HTTP-Method-Override", "POST"),
            ("X-HTTP-Method", "POST"),
            ("X-Original-URL", path),
            ("X-Rewrite-URL", path),
        ] {
            let answer = good.clone().to("PUT", path).and(name, value).send().await;
            assert_eq!(answer.status, 405, "{name}: {answer:?}");
            let nowhere = good.clone().to("POST", "/nowhere").and(name, value);
            let answer = nowhere.send().await;
            assert_eq!(answer.status, 404, "{name}: {answer:?}");
        }
    }
    unharmed(&world, 0).await;
}
