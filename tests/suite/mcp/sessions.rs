//! Sessions of the older protocols: whose they are. How many there may be stands in `sessions/limits.rs`.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::identity::{
    BY_TOKEN, OFTEN, TOKEN, access_token, authority, principal, token_of, trusting,
};
use crate::support::messages::hello;
use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{Client, LEGACY, MODERN, World, within};

// How many sessions there may be, and when one ends.
mod limits;
// What a stream that was left gives to one that comes back.
mod resume;

/// A caller of the file.
fn named(world: &World, name: &str) -> Client {
    Client::of(world).showing(&token_of(name))
}

/// Messages that could do something in a session, with the id of a call in flight.
fn messages() -> Vec<Value> {
    let call = json!({"name": "get-user-locker", "arguments": {}});
    let elicited = json!({"action": "accept", "content": {"confirm": true}});
    let mut modern = hello(LEGACY[0]);
    modern["protocolVersion"] = json!(MODERN);
    vec![
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": hello(LEGACY[0])}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": modern}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}),
        json!({"jsonrpc": "2.0", "id": 0, "result": elicited}),
        json!({"jsonrpc": "2.0", "id": 0, "error": {"code": 1, "message": "no"}}),
    ]
}

/// Tries everything on a session of another's. The answer is as if it were not there.
async fn attack(thief: &Client, session: &str) {
    let versions = [LEGACY[0], LEGACY[1], "2025-03-26", "2024-11-05"];
    let in_versions = versions.map(|version| thief.within(session, version));
    let without = thief.with("mcp-session-id", session);
    for thief in in_versions.into_iter().chain([without]) {
        for message in messages() {
            let reply = thief.say(&message).await;
            assert_eq!(reply.status, 404, "{message}: {reply:?}");
        }
        for method in ["GET", "DELETE"] {
            for thief in [
                thief.clone(),
                thief.with("last-event-id", "0/0"),
                thief.with("last-event-id", "0"),
            ] {
                let reply = thief.bare(method).await;
                assert_eq!(reply.status, 404, "{method}: {reply:?}");
            }
        }
    }
    attack_in_the_newest_revision(&thief.within(session, MODERN)).await;
    // Twice, or in two versions: which one counts is not for the client to choose.
    for (name, value) in [
        ("mcp-session-id", session),
        ("mcp-protocol-version", LEGACY[0]),
    ] {
        let thief = thief.within(session, MODERN).with(name, value);
        for message in messages() {
            let reply = thief.say(&message).await;
            assert!(
                [400, 404].contains(&reply.status)
                    || (reply.status == 202 && name == "mcp-session-id"),
                "{name} {message}: {reply:?}"
            );
        }
    }
}

/// The newest revision has no sessions, so the header says nothing there; a handshake is of an older one whatever it claims.
async fn attack_in_the_newest_revision(thief: &Client) {
    for message in messages() {
        let reply = thief.say(&message).await;
        let (method, has_id) = (message["method"].as_str(), message.get("id").is_some());
        let expected: &[u16] = match (method, has_id) {
            (Some("initialize"), _) => &[400, 404],
            (Some(_), true) => &[400],
            _ => &[202, 400, 404],
        };
        assert!(expected.contains(&reply.status), "{message}: {reply:?}");
        let given = reply.headers.get("mcp-session-id");
        assert_eq!(given, None, "{message}: {reply:?}");
    }
    for method in ["GET", "DELETE"] {
        for thief in [thief.clone(), thief.with("last-event-id", "0/0")] {
            let reply = thief.bare(method).await;
            assert!([404, 405].contains(&reply.status), "{method}: {reply:?}");
        }
    }
}

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": 8, "method": "tools/list"})
}

/// A locker of 7digital's.
const LOCKER: &str = r#"{"status": "ok", "version": "1.2", "locker": {"lockerReleases": {"page": 1, "pageSize": 10, "totalItems": 0, "lockerRelease": []}}}"#;

#[tokio::test]
async fn a_session_is_its_owners_alone() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let jane_and_john = [
        principal("jane", &["reads"], ""),
        principal("john", &["reads"], ""),
    ];
    for number in 0..5 {
        let upstream = Upstream::start().await;
        let locker = Box::new(Act::Say(ok(LOCKER)));
        upstream.script("/user/locker", [Act::Held(locker)]);
        let base = upstream.base_uri();
        let there = [BY_TOKEN, ("SEVENDIGITAL_BASE_URI", base.as_str())];
        let settings = [&trusting(&keys)[..], &OFTEN, &there].concat();
        let world = World::with_file(&settings, &jane_and_john.concat()).await;
        let everybody = [
            named(&world, "jane"),
            named(&world, "john"),
            Client::of(&world).showing(TOKEN),
            Client::of(&world).showing(&access_token("user-1", "reads")),
            // The same name, given by the authorization server.
            Client::of(&world).showing(&access_token("jane", "reads")),
        ];
        let owner = everybody[number].in_session(LEGACY[0]).await;
        let open = owner.with("connection", "close").bare_request("GET");
        let mut open = open.start().await;
        assert_eq!(open.answer().await.unwrap().status, 200);
        let params = json!({"name": "get-user-locker", "arguments": {}});
        let in_flight = owner.ask_in_session(json!(7), "tools/call", &params);
        let thieves = async {
            upstream.wait_for("/user/locker", 1).await;
            for (other, thief) in everybody.iter().enumerate() {
                if other != number {
                    attack(thief, owner.session()).await;
                }
            }
            upstream.open_gate();
        };
        let both = Box::pin(async { tokio::join!(in_flight, thieves) });
        let (answer, ()) = within("the answer", both).await;
        // The call in flight was answered, to its caller.
        let message = answer.message();
        assert_eq!(message["id"], 7, "{answer:?}");
        assert!(
            message["result"]["structuredContent"].is_object(),
            "{number}: {answer:?}"
        );
        assert_eq!(upstream.arrivals("/user/locker"), 1, "{number}");
        let more = tokio::time::timeout(Duration::ZERO, open.ended()).await;
        assert!(more.is_err(), "the stream is open");
        assert_eq!(owner.say(&list()).await.status, 200);
        assert_eq!(owner.bare("DELETE").await.status, 204);
        within("the end of the stream", open.ended()).await;
        assert_eq!(owner.say(&list()).await.status, 404);
    }
}

#[tokio::test]
async fn a_session_is_no_token() {
    let world = World::with_file(&[BY_TOKEN], &principal("jane", &["reads"], "")).await;
    let jane = named(&world, "jane").in_session(LEGACY[0]).await;
    let wrong = Client::of(&world).showing("0123456789abcdef0123456789abcdef");
    for stranger in [Client::of(&world), wrong] {
        for version in [LEGACY[0], MODERN] {
            let stranger = stranger.within(jane.session(), version);
            for message in messages() {
                let reply = stranger.say(&message).await;
                assert_eq!(reply.status, 401, "{message}: {reply:?}");
            }
            for method in ["GET", "DELETE", "PUT"] {
                assert_eq!(stranger.bare(method).await.status, 401);
            }
        }
    }
    assert_eq!(jane.say(&list()).await.status, 200);
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn a_session_goes_on_with_another_token_of_the_same_subject() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&trusting(&keys)).await;
    let first = Client::of(&world).showing(&access_token("user-1", "reads"));
    let first = first.in_session(LEGACY[0]).await;
    for (subject, scope, status) in [
        ("user-1", "reads spend", 200),
        ("user-2", "reads spend", 404),
    ] {
        let later = first.showing(&access_token(subject, scope));
        assert_eq!(later.say(&list()).await.status, status, "{subject}");
    }
}

#[tokio::test]
async fn ids_of_sessions_can_not_be_guessed() {
    const MANY: usize = 2_000;
    let limit = MANY.to_string();
    let world = World::with(&[("SEVENDIGITAL_MCP_LIMIT_MAX_SESSIONS", &limit)]).await;
    let client = Client::of(&world);
    let mut ids = HashSet::new();
    let mut ones = [0_usize; 128];
    for _ in 0..MANY {
        let id = client.initialize(LEGACY[0]).await.session();
        let bits = u128::from_str_radix(&id.replace('-', ""), 16).unwrap();
        for (place, count) in ones.iter_mut().enumerate() {
            *count += usize::from(bits >> place & 1 == 1);
        }
        assert!(ids.insert(bits), "{id} is there twice");
    }
    // Six standard deviations of so many fair coins are 134.
    let fair = (MANY / 2 - 134)..=(MANY / 2 + 134);
    let random = ones.iter().filter(|count| fair.contains(count)).count();
    let fixed = ones.iter().filter(|count| [0, MANY].contains(count));
    let fixed = fixed.count();
    println!("{random} random bits, {fixed} fixed");
    assert!(random >= 122 && random + fixed == 128, "{ones:?}");
}

#[tokio::test]
async fn the_newest_revision_neither_wants_a_session_nor_gives_one() {
    let world = World::with_file(&[BY_TOKEN], &principal("jane", &["reads"], "")).await;
    let (jane, operator) = (named(&world, "jane"), Client::of(&world).showing(TOKEN));
    let session = jane.in_session(LEGACY[0]).await;
    for id in ["no-such-session", "", session.session()] {
        for client in [&jane, &operator] {
            let client = client.with("mcp-session-id", id);
            let params = json!({"arguments": {}});
            let reply = client.reply("get-user-locker", params).await.unwrap();
            assert!(!reply.headers.contains_key("mcp-session-id"), "{reply:?}");
            assert!(reply.result()["structuredContent"].is_object(), "{reply:?}");
        }
    }
}
