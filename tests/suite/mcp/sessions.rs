//! Sessions of the older protocols: whose they are. How many there are stands in `sessions/room.rs`.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::identity::{
    BY_TOKEN, OFTEN, Somebody, TOKEN, access_token, authority, hello, principal, trusting,
};
use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{LEGACY, MODERN, Reply, World, within};

// How many sessions there may be, and who gets a place back.
mod room;

/// A session header, another's or of nobody's.
fn in_session<'a>(somebody: &Somebody<'a>, session: &str) -> Somebody<'a> {
    somebody.with("mcp-session-id", session)
}

/// A GET or DELETE on the endpoint.
async fn bare(world: &World, method: &str, somebody: &Somebody<'_>) -> Reply {
    let mut request = world.http.request(method.parse().unwrap(), &world.url);
    request = request.header("accept", "application/json, text/event-stream");
    for (name, value) in somebody.headers() {
        request = request.header(name, value);
    }
    Reply::of(within("an answer", request.send()).await.unwrap()).await
}

/// Messages that could do something in a session, with the id of a call under way.
fn messages() -> Vec<Value> {
    let call = json!({"name": "get-user-locker", "arguments": {}});
    let elicited = json!({"action": "accept", "content": {"confirm": true}});
    let mut modern = hello();
    modern["protocolVersion"] = json!(MODERN);
    vec![
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": hello()}),
        json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": modern}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}),
        json!({"jsonrpc": "2.0", "id": 0, "result": elicited}),
        json!({"jsonrpc": "2.0", "id": 0, "error": {"code": 1, "message": "no"}}),
    ]
}

/// Tries everything on somebody else's session. The answer is as if it were not there.
async fn attack(world: &World, thief: &Somebody<'_>, session: &str) {
    let versions = [
        None,
        Some("2024-11-05"),
        Some("2025-03-26"),
        Some(LEGACY[1]),
        Some(LEGACY[0]),
    ];
    for version in versions {
        let thief = in_session(thief, session);
        let thief = version.map_or(thief.clone(), |version| {
            thief.with("mcp-protocol-version", version)
        });
        for message in messages() {
            let reply = world.post(&thief.headers(), message.to_string()).await;
            assert_eq!(reply.status, 404, "{version:?} {message}: {reply:?}");
        }
        for method in ["GET", "DELETE"] {
            for thief in [
                thief.clone(),
                thief.with("last-event-id", "0/0"),
                thief.with("last-event-id", "0"),
            ] {
                let reply = bare(world, method, &thief).await;
                assert_eq!(reply.status, 404, "{version:?} {method}: {reply:?}");
            }
        }
    }
    // The newest revision has no sessions, so the header says nothing there; a handshake is of an older one whatever it claims.
    let thief = in_session(thief, session).with("mcp-protocol-version", MODERN);
    for message in messages() {
        let reply = world.post(&thief.headers(), message.to_string()).await;
        let (method, has_id) = (message["method"].as_str(), message.get("id").is_some());
        match (method, has_id) {
            (Some("initialize"), _) => {
                assert!([400, 404].contains(&reply.status), "{message}: {reply:?}");
            }
            (Some(_), true) => assert_eq!(reply.status, 400, "{message}: {reply:?}"),
            _ => assert!(
                [202, 400, 404].contains(&reply.status),
                "{message}: {reply:?}"
            ),
        }
        assert!(
            !reply.headers.contains_key("mcp-session-id"),
            "{message}: {reply:?}"
        );
    }
    for method in ["GET", "DELETE"] {
        for thief in [thief.clone(), thief.with("last-event-id", "0/0")] {
            let reply = bare(world, method, &thief).await;
            assert!([404, 405].contains(&reply.status), "{method}: {reply:?}");
        }
    }
    // Twice, or in two versions: which one counts is not for the client to choose.
    let own = thief.headers();
    for more in [
        ("mcp-session-id", session),
        ("mcp-protocol-version", LEGACY[0]),
    ] {
        let headers = [&own[..], &[more]].concat();
        for message in messages() {
            let reply = world.post(&headers, message.to_string()).await;
            assert!(
                [400, 404].contains(&reply.status)
                    || (reply.status == 202 && more.0 == "mcp-session-id"),
                "{more:?} {message}: {reply:?}"
            );
        }
    }
}

/// The stream of a session, read to its end.
async fn stream(world: &World, owner: &Somebody<'_>, session: &str) -> JoinHandle<String> {
    let mut request = world
        .http
        .get(&world.url)
        .header("accept", "text/event-stream");
    for (name, value) in in_session(owner, session)
        .with("mcp-protocol-version", LEGACY[0])
        .headers()
    {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    tokio::spawn(async move { response.text().await.unwrap_or_default() })
}

/// A locker of 7digital's.
const LOCKER: &str = r#"{"status": "ok", "version": "1.2", "locker": {"lockerReleases": {"page": 1, "pageSize": 10, "totalItems": 0, "lockerRelease": []}}}"#;

#[tokio::test]
async fn a_session_is_nobodys_but_its_owners() {
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
            Somebody::named(&world, "jane"),
            Somebody::named(&world, "john"),
            Somebody::with_token(&world, TOKEN),
            Somebody::with_token(&world, &access_token("user-1", "reads")),
            // A namesake, whom another vouches for.
            Somebody::with_token(&world, &access_token("jane", "reads")),
        ];
        let owner = &everybody[number];
        let session = owner.session().await;
        let open = stream(&world, owner, &session).await;
        let call = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "get-user-locker", "arguments": {}}});
        let under_way = owner.legacy(Some(&session), &call);
        let thieves = async {
            upstream.wait_for("/user/locker", 1).await;
            for (other, thief) in everybody.iter().enumerate() {
                if other != number {
                    attack(&world, thief, &session).await;
                }
            }
            upstream.open_gate();
        };
        let (answer, ()) = within("the answer", async { tokio::join!(under_way, thieves) }).await;
        // The call under way was answered, to whom it belongs.
        let message = answer.message();
        assert_eq!(message["id"], 7, "{answer:?}");
        assert!(
            message["result"]["structuredContent"].is_object(),
            "{number}: {answer:?}"
        );
        assert_eq!(upstream.arrivals("/user/locker"), 1, "{number}");
        assert!(!open.is_finished(), "the stream is open");
        let list = json!({"jsonrpc": "2.0", "id": 8, "method": "tools/list"});
        let listed = owner.legacy(Some(&session), &list).await.result();
        assert!(listed["tools"].is_array(), "{listed}");
        let own = in_session(owner, &session).with("mcp-protocol-version", LEGACY[0]);
        assert_eq!(bare(&world, "DELETE", &own).await.status, 202);
        within("the end of the stream", open).await.unwrap();
        assert_eq!(owner.legacy(Some(&session), &list).await.status, 404);
    }
}

#[tokio::test]
async fn a_session_is_no_token() {
    let world = World::with_file(&[BY_TOKEN], &principal("jane", &["reads"], "")).await;
    let jane = Somebody::named(&world, "jane");
    let session = jane.session().await;
    let wrong = Somebody::with_token(&world, "0123456789abcdef0123456789abcdef");
    for nobody in [Somebody::unknown(&world), wrong] {
        for version in [LEGACY[0], MODERN] {
            let nobody = in_session(&nobody, &session).with("mcp-protocol-version", version);
            for message in messages() {
                let reply = world.post(&nobody.headers(), message.to_string()).await;
                assert_eq!(reply.status, 401, "{message}: {reply:?}");
            }
            for method in ["GET", "DELETE", "PUT"] {
                assert_eq!(bare(&world, method, &nobody).await.status, 401);
            }
        }
    }
    let list = json!({"jsonrpc": "2.0", "id": 8, "method": "tools/list"});
    assert_eq!(jane.legacy(Some(&session), &list).await.status, 200);
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn a_session_goes_on_with_another_token_of_the_same_subject() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&trusting(&keys)).await;
    let session = Somebody::with_token(&world, &access_token("user-1", "reads"))
        .session()
        .await;
    let list = json!({"jsonrpc": "2.0", "id": 8, "method": "tools/list"});
    for (subject, scope, status) in [
        ("user-1", "reads spend", 200),
        ("user-2", "reads spend", 404),
    ] {
        let later = Somebody::with_token(&world, &access_token(subject, scope));
        assert_eq!(later.legacy(Some(&session), &list).await.status, status);
    }
}

#[tokio::test]
async fn ids_of_sessions_can_not_be_guessed() {
    const MANY: usize = 2_000;
    let limit = MANY.to_string();
    let world = World::with(&[("SEVENDIGITAL_MCP_LIMIT_SESSIONS", &limit)]).await;
    let somebody = Somebody::unknown(&world);
    let mut ids = HashSet::new();
    let mut ones = [0_usize; 128];
    for _ in 0..MANY {
        let reply = somebody.initialize().await;
        let id = reply.headers["mcp-session-id"].to_str().unwrap();
        let bits = u128::from_str_radix(&id.replace('-', ""), 16).unwrap();
        for (place, count) in ones.iter_mut().enumerate() {
            *count += usize::from(bits >> place & 1 == 1);
        }
        assert!(ids.insert(bits), "{id} is there twice");
    }
    // Six standard deviations of so many fair coins are 134.
    let fair = (MANY / 2 - 134)..=(MANY / 2 + 134);
    let random = ones.iter().filter(|count| fair.contains(count)).count();
    let fixed = ones
        .iter()
        .filter(|count| [0, MANY].contains(count))
        .count();
    println!("{random} random bits, {fixed} fixed");
    assert!(random >= 122 && random + fixed == 128, "{ones:?}");
}

#[tokio::test]
async fn the_newest_revision_neither_wants_a_session_nor_gives_one() {
    let world = World::with_file(&[BY_TOKEN], &principal("jane", &["reads"], "")).await;
    let (jane, operator) = (
        Somebody::named(&world, "jane"),
        Somebody::with_token(&world, TOKEN),
    );
    let session = jane.session().await;
    for id in ["no-such-session", "", session.as_str()] {
        for somebody in [&jane, &operator] {
            let reply = in_session(somebody, id)
                .mcp("get-user-locker", &json!({}))
                .await;
            assert!(!reply.headers.contains_key("mcp-session-id"), "{reply:?}");
            assert!(reply.result()["structuredContent"].is_object(), "{reply:?}");
        }
    }
}
