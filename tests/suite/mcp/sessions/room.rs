//! How many sessions there may be, of one caller and in all, and that a place comes back whatever a client does.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::identity::{BY_TOKEN, Somebody, TOKEN, hello, principal};
use crate::mcp::sessions::{bare, in_session};
use crate::support::{LEGACY, Reply, Setting, World, send, within};

const SESSIONS: &str = "SEVENDIGITAL_MCP_LIMIT_SESSIONS";
const OF_ONE: &str = "SEVENDIGITAL_MCP_LIMIT_CALLER_SESSIONS";
const IDLE: &str = "SEVENDIGITAL_MCP_LIMIT_SESSION_IDLE_MS";
const INIT: &str = "SEVENDIGITAL_MCP_LIMIT_SESSION_INIT_MS";

/// Refused for want of a place, with the time to come again.
#[track_caller]
fn check_full(reply: &Reply, whose: &str) {
    assert_eq!(reply.status, 503, "{reply:?}");
    let wait: u64 = reply.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{reply:?}");
    assert!(!reply.headers.contains_key("mcp-session-id"), "{reply:?}");
    let error = &reply.message()["error"];
    assert!(error["code"].is_i64(), "{reply:?}");
    let told = error["message"].as_str().unwrap();
    assert!(told.contains(whose) && told.contains("sessions"), "{told}");
}

async fn end(world: &World, owner: &Somebody<'_>, session: &str) {
    let owner = in_session(owner, session).with("mcp-protocol-version", LEGACY[0]);
    assert_eq!(bare(world, "DELETE", &owner).await.status, 202);
}

/// Waits until exactly that many sessions can be opened, and opens them.
async fn open_all(world: &World, somebody: &Somebody<'_>, places: usize) -> Vec<String> {
    let opening = async {
        loop {
            let mut open = Vec::new();
            let refused = loop {
                let reply = somebody.initialize().await;
                match reply.headers.get("mcp-session-id") {
                    Some(id) => open.push(id.to_str().unwrap().to_owned()),
                    None => break reply,
                }
            };
            check_full(&refused, "this ");
            if open.len() == places {
                return open;
            }
            for session in &open {
                end(world, somebody, session).await;
            }
        }
    };
    within("the places", opening).await
}

#[tokio::test]
async fn as_many_sessions_as_the_limits_say_and_not_one_more() {
    let file = ["jane", "john", "ruth"].map(|name| principal(name, &["reads"], ""));
    let settings: [Setting; 3] = [BY_TOKEN, (SESSIONS, "5"), (OF_ONE, "2")];
    let world = World::with_file(&settings, &file.concat()).await;
    let [jane, john, ruth] = ["jane", "john", "ruth"].map(|name| Somebody::named(&world, name));
    let operator = Somebody::with_token(&world, TOKEN);
    let first = jane.session().await;
    let second = jane.session().await;
    check_full(&jane.initialize().await, "this caller");
    let of_john = [john.session().await, john.session().await];
    check_full(&john.initialize().await, "this caller");
    // The fifth of five.
    let of_operator = operator.session().await;
    check_full(&operator.initialize().await, "this server");
    check_full(&ruth.initialize().await, "this server");
    check_full(&jane.initialize().await, "this server");
    // Those that are open go on, and calls without a session as well.
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    assert_eq!(jane.legacy(Some(&first), &list).await.status, 200);
    assert_eq!(ruth.tools().await.len(), 4);
    assert_eq!(ruth.rest("get-user-locker", &json!({})).await.status, 200);
    // One that ends makes room for one.
    end(&world, &jane, &second).await;
    let of_ruth = ruth.session().await;
    check_full(&ruth.initialize().await, "this server");
    end(&world, &operator, &of_operator).await;
    ruth.session().await;
    check_full(&ruth.initialize().await, "this ");
    // One that is ended twice, or was never there, makes no room.
    let gone = in_session(&operator, &of_operator).with("mcp-protocol-version", LEGACY[0]);
    assert_eq!(bare(&world, "DELETE", &gone).await.status, 404);
    check_full(&operator.initialize().await, "this server");
    // The operator has no share of its own: it may have all that there are.
    for (owner, session) in [
        (&jane, &first),
        (&john, &of_john[0]),
        (&john, &of_john[1]),
        (&ruth, &of_ruth),
    ] {
        end(&world, owner, session).await;
    }
    for _ in 0..4 {
        operator.session().await;
    }
    check_full(&operator.initialize().await, "this server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_at_once_finds_exactly_the_places_that_there_are() {
    for (places, comers) in [(8, 8), (8, 40)] {
        let limit = places.to_string();
        for turn in 0..10 {
            let world = World::with(&[(SESSIONS, &limit)]).await;
            let mut coming = JoinSet::new();
            let message =
                json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello()})
                    .to_string();
            for _ in 0..comers {
                let request = world
                    .http
                    .post(&world.url)
                    .header("content-type", "application/json");
                let request = request.header("accept", "application/json, text/event-stream");
                coming.spawn(request.body(message.clone()).send());
            }
            let mut statuses = Vec::new();
            while let Some(reply) = coming.join_next().await {
                statuses.push(reply.unwrap().unwrap().status().as_u16());
            }
            let opened = statuses.iter().filter(|status| **status == 200).count();
            let refused = statuses.iter().filter(|status| **status == 503).count();
            assert_eq!(
                (opened, refused),
                (places, comers - places),
                "turn {turn}: {statuses:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_session_in_which_nothing_happens_gives_its_place_back() {
    let settings: [Setting; 4] = [BY_TOKEN, (SESSIONS, "3"), (OF_ONE, "2"), (IDLE, "400")];
    let world = World::with_file(&settings, &principal("jane", &["reads"], "")).await;
    let (jane, operator) = (
        Somebody::named(&world, "jane"),
        Somebody::with_token(&world, TOKEN),
    );
    let idle = [jane.session().await, jane.session().await];
    operator.session().await;
    // One whose client never says that it is ready is no better off.
    let again = open_all(&world, &jane, 2).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for session in &idle {
        assert_eq!(jane.legacy(Some(session), &list).await.status, 404);
    }
    open_all(&world, &operator, 3).await;
    for session in &again {
        assert_eq!(jane.legacy(Some(session), &list).await.status, 404);
    }
}

#[tokio::test]
async fn a_session_whose_client_does_not_come_back_is_closed_early_and_another_is_not() {
    let settings: [Setting; 3] = [BY_TOKEN, (SESSIONS, "4"), (INIT, "400")];
    let world = World::with(&settings).await;
    let operator = Somebody::with_token(&world, TOKEN);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    // One that says that it is ready, and one that goes on without a word.
    let ready = operator.session().await;
    let hasty = operator.initialize().await;
    let hasty = hasty.headers["mcp-session-id"].to_str().unwrap();
    assert_eq!(operator.legacy(Some(hasty), &list).await.status, 200);
    let left = [operator.initialize().await, operator.initialize().await];
    check_full(&operator.initialize().await, "this server");
    open_all(&world, &operator, 2).await;
    for reply in left {
        let session = reply.headers["mcp-session-id"].to_str().unwrap();
        assert_eq!(operator.legacy(Some(session), &list).await.status, 404);
    }
    for session in [ready.as_str(), hasty] {
        assert_eq!(operator.legacy(Some(session), &list).await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_cuts_its_handshake_a_thousand_times_keeps_no_place() {
    const PLACES: usize = 4;
    let limit = PLACES.to_string();
    let settings: [Setting; 3] = [BY_TOKEN, (SESSIONS, &limit), (IDLE, "400")];
    let world = World::with_file(&settings, &principal("jane", &["reads"], "")).await;
    let jane = Somebody::named(&world, "jane");
    let message =
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello()}).to_string();
    let headers = jane.headers();
    let headers = [
        &headers[..],
        &[
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ],
    ]
    .concat();
    for turn in 0..1_000 {
        let mut socket: TcpStream = match turn % 4 {
            // The message is whole, and nobody waits for the answer.
            0 | 1 => send(&world.url, &headers, &message).await,
            // It breaks off in the body.
            2 => half(&world, &headers, &message, message.len() / 2).await,
            // It breaks off in front of the last byte.
            _ => half(&world, &headers, &message, message.len() - 1).await,
        };
        if turn % 2 == 1 {
            // A reset, and not an end.
            socket.set_zero_linger().unwrap();
        } else {
            let _ = socket.shutdown().await;
        }
    }
    open_all(&world, &jane, PLACES).await;
}

/// Sends a POST whose body breaks off.
async fn half(world: &World, headers: &[(&str, &str)], body: &str, sent: usize) -> TcpStream {
    let address = world
        .url
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/mcp")
        .unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers = headers.collect::<Vec<_>>().concat();
    let (length, start) = (body.len(), &body[..sent]);
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{start}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}
