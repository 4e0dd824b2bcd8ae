//! Another user in an argument: in every place, in every spelling, over MCP and over REST.

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::{A, B, B_BY_ID, Bound, check_told, is_post, nameless};
use crate::identity::{OFTEN, named};
use crate::support::rest::request;
use crate::support::{Setting, World, failure};

const NAMES: [&str; 5] = ["userId", "userid", "USERID", "UserID", "uSERiD"];

/// Ways to be bound, and to be B by the settings.
const WORLDS: [(Bound, &[Setting]); 3] = [
    (Bound::Id, &[]),
    (Bound::Token, &B_BY_ID),
    (Bound::Both, &[]),
];

/// Ways to write another's id.
fn values() -> Vec<Value> {
    let number: u64 = B.parse().unwrap();
    vec![
        json!(number),
        json!(500_123.0),
        json!(format!(" {B}")),
        json!({"_": B}),
        json!({"_": B, "type": "x"}),
        json!([B]),
        json!([{"_": B}]),
        json!({"userId": B}),
        json!(true),
        json!("999999"),
    ]
}

/// Names with what could be read as another's id.
fn pairs() -> Vec<(&'static str, Value)> {
    let plain = NAMES.into_iter().map(|name| (name, json!(B)));
    let written = values().into_iter().map(|value| ("userId", value));
    let capitals = [json!(500_123), json!({"_": B})];
    let capitals = capitals.into_iter().map(|value| ("USERID", value));
    plain.chain(written).chain(capitals).collect()
}

/// An object with a further field.
fn with(object: &Value, name: &str, value: &Value) -> Value {
    let mut object = object.clone();
    object[name] = value.clone();
    object
}

/// Arguments of a call over MCP that name B.
fn over_mcp(tool: &str, whole: &Value) -> Vec<Value> {
    let mut attacks = Vec::new();
    for (name, value) in pairs() {
        let top = with(whole, name, &value);
        // A's own id besides, in the plain spelling.
        let own = |object: &Value| (name != "userId").then(|| with(object, "userId", &json!(A)));
        attacks.extend(own(&top));
        attacks.push(top);
        if is_post(tool) {
            let body = with(&whole["body"], name, &value);
            attacks.extend(own(&body).map(|body| json!({"body": body})));
            attacks.push(json!({"body": body.to_string()}));
            attacks.push(json!({"body": body}));
        }
    }
    attacks
}

#[tokio::test]
async fn another_user_in_any_argument_of_a_call_over_mcp_is_refused() {
    let mut tried = 0;
    for (bound, settings) in WORLDS {
        let world = World::with_file(&[&OFTEN[..], settings].concat(), &bound.file()).await;
        let a = named(&world, "a");
        for (tool, arguments) in nameless() {
            for attack in over_mcp(tool, &arguments) {
                let row = format!("{bound:?} {tool} {attack}");
                let result = a.mcp(tool, &attack).await.result();
                check_told(&world, 0, &row, failure(&result));
                tried += 1;
            }
        }
    }
    println!("{tried} attacks");
}

#[tokio::test]
async fn a_user_that_is_named_twice_is_refused() {
    let world = World::with_file(&OFTEN, &Bound::Id.file()).await;
    let a = named(&world, "a");
    for (tool, arguments) in nameless() {
        for name in ["userId", "userid"] {
            let arguments = arguments.to_string();
            let place = if is_post(tool) { "{\"body\":{" } else { "{" };
            let twice = format!("{place}\"{name}\":\"{A}\",\"{name}\":\"{B}\",");
            let attack = arguments.replacen(place, &twice, 1).replace(",}", "}");
            let message = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{attack}}}}}"#
            );
            let reply = a.post(&[], message).await;
            assert_eq!(reply.status, 400, "{tool} {attack}: {reply:?}");
            check_told(&world, 0, tool, &reply.text);
        }
    }
}

/// Requests to a tool over REST that name B: target, content type and body.
fn over_rest(tool: &str, arguments: &Value) -> Vec<(String, &'static str, Vec<u8>)> {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    let (_, target, body) = request(tool, arguments);
    let joint = if target.contains('?') { '&' } else { '?' };
    let mut attacks = Vec::new();
    for name in NAMES {
        for query in [
            format!("{name}={B}"),
            format!("{name}=+{B}"),
            format!("{}={B}", name.replace(['d', 'D'], "%64")),
            format!("userId={A}&{name}={B}"),
            format!("{name}={B}&userId={A}"),
            format!("{name}[]={B}"),
        ] {
            attacks.push((format!("{target}{joint}{query}"), JSON, body.clone()));
        }
    }
    if !is_post(tool) {
        return attacks;
    }
    for (name, value) in pairs() {
        let body = with(&arguments["body"], name, &value);
        if name != "userId" {
            let both = with(&body, "userId", &json!(A)).to_string();
            attacks.push((target.clone(), JSON, both.into()));
        }
        attacks.push((target.clone(), JSON, body.to_string().into()));
    }
    let mut fields = Serializer::new(String::new());
    for (field, value) in arguments["body"].as_object().unwrap() {
        fields.append_pair(field, value.as_str().unwrap_or("1"));
    }
    let fields = fields.finish();
    for more in [
        format!("userId={B}"),
        format!("USERID={B}"),
        format!("userId={A}&userid={B}"),
        format!("userId={A}&userId={B}"),
    ] {
        attacks.push((target.clone(), FORM, format!("{fields}&{more}").into()));
    }
    attacks
}

#[tokio::test]
async fn another_user_in_any_place_of_a_rest_request_is_refused() {
    let mut tried = 0;
    for (bound, settings) in WORLDS {
        let world = World::with_file(&[&OFTEN[..], settings].concat(), &bound.file()).await;
        let a = named(&world, "a");
        for (tool, arguments) in nameless() {
            let method = if is_post(tool) { "POST" } else { "GET" };
            for (target, kind, body) in over_rest(tool, &arguments) {
                let shown = String::from_utf8_lossy(&body).into_owned();
                let row = format!("{bound:?} {tool} {method} {target} {shown}");
                let kind = [("content-type", kind)];
                let reply = a.send(method, &target, &kind, body).await.unwrap();
                assert!([400, 403].contains(&reply.status), "{row}: {reply:?}");
                check_told(&world, 0, &row, &reply.text);
                tried += 1;
            }
        }
    }
    println!("{tried} attacks");
}
