//! How many sessions there may be, of one caller and in all, and that a closed one makes room for another whatever a client does.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::identity::{BY_TOKEN, TOKEN, principal};
use crate::mcp::sessions::{list, named};
use crate::support::messages::{hello, message};
use crate::support::{Client, LEGACY, Reply, Setting, World, within};

const SESSIONS: &str = "SEVENDIGITAL_MCP_LIMIT_MAX_SESSIONS";
const OF_ONE: &str = "SEVENDIGITAL_MCP_LIMIT_CALLER_MAX_SESSIONS";
const IDLE: &str = "SEVENDIGITAL_MCP_LIMIT_SESSION_IDLE_TIMEOUT";
const INIT: &str = "SEVENDIGITAL_MCP_LIMIT_SESSION_INIT_TIMEOUT";
/// Soon over, and longer than a few requests take on a busy machine.
const A_WHILE: &str = "2500ms";

async fn initialize(client: &Client) -> Reply {
    client.initialize(LEGACY[0]).await
}

async fn open(client: &Client) -> Client {
    client.in_session(LEGACY[0]).await
}

/// No session more, with the time to come again.
async fn check_full(client: &Client, whose: &str) {
    check_refusal(&initialize(client).await, whose);
}

#[track_caller]
fn check_refusal(reply: &Reply, whose: &str) {
    assert_eq!(reply.status, 503, "{reply:?}");
    let wait = reply.headers["retry-after"].to_str().unwrap();
    let wait: u64 = wait.parse().unwrap();
    assert!((1..=60).contains(&wait), "{reply:?}");
    assert!(!reply.headers.contains_key("mcp-session-id"), "{reply:?}");
    let error = &reply.message()["error"];
    assert!(error["code"].is_i64(), "{reply:?}");
    let told = error["message"].as_str().unwrap();
    assert!(told.contains(whose) && told.contains("sessions"), "{told}");
}

async fn end(session: &Client) {
    assert_eq!(session.bare("DELETE").await.status, 204);
}

/// Waits until exactly that many sessions can be opened, and opens them.
async fn open_all(client: &Client, most: usize) -> Vec<Client> {
    let opening = async {
        loop {
            let mut open = Vec::new();
            let refused = loop {
                let reply = initialize(client).await;
                match reply.headers.get("mcp-session-id") {
                    Some(id) => open.push(client.within(id.to_str().unwrap(), LEGACY[0])),
                    None => break reply,
                }
            };
            check_refusal(&refused, "this ");
            if open.len() == most {
                return open;
            }
            for session in &open {
                session.bare("DELETE").await;
            }
        }
    };
    within("the sessions", opening).await
}

#[tokio::test]
async fn as_many_sessions_as_the_limits_say_and_not_one_more() {
    let file = ["jane", "john", "ruth"].map(|name| principal(name, &["reads"], ""));
    let settings: [Setting; 3] = [BY_TOKEN, (SESSIONS, "5"), (OF_ONE, "2")];
    let world = World::with_file(&settings, &file.concat()).await;
    let [jane, john, ruth] = ["jane", "john", "ruth"].map(|name| named(&world, name));
    let operator = Client::of(&world).showing(TOKEN);
    let (first, second) = (open(&jane).await, open(&jane).await);
    check_full(&jane, "this caller").await;
    let of_john = [open(&john).await, open(&john).await];
    check_full(&john, "this caller").await;
    // The fifth of five.
    let of_operator = open(&operator).await;
    for client in [&operator, &ruth, &jane] {
        check_full(client, "this server").await;
    }
    // Those that are open go on, and calls without a session as well.
    assert_eq!(first.say(&list()).await.status, 200);
    assert!(!ruth.tools().await.is_empty());
    assert_eq!(ruth.rest("get-user-locker", &json!({})).await.status, 200);
    // One that ends makes room for one.
    end(&second).await;
    let of_ruth = open(&ruth).await;
    check_full(&ruth, "this server").await;
    end(&of_operator).await;
    open(&ruth).await;
    check_full(&ruth, "this ").await;
    // One that is ended twice, or was never there, makes no room.
    assert_eq!(of_operator.bare("DELETE").await.status, 404);
    check_full(&operator, "this server").await;
    // The operator has no limit of its own: it may have all that there are.
    for session in [&first, &of_john[0], &of_john[1], &of_ruth] {
        end(session).await;
    }
    for _ in 0..4 {
        open(&operator).await;
    }
    check_full(&operator, "this server").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_at_once_finds_exactly_the_sessions_that_there_are() {
    for (most, comers) in [(8, 8), (8, 40)] {
        let limit = most.to_string();
        for turn in 0..10 {
            let world = World::with(&[(SESSIONS, &limit)]).await;
            let mut coming = JoinSet::new();
            for _ in 0..comers {
                let client = Client::of(&world);
                coming.spawn(async move { initialize(&client).await.status });
            }
            let statuses = coming.join_all().await;
            let count = |status| statuses.iter().filter(|other| **other == status).count();
            let both = (count(200), count(503));
            assert_eq!(both, (most, comers - most), "turn {turn}: {statuses:?}");
        }
    }
}

#[tokio::test]
async fn a_session_in_which_nothing_happens_is_closed_in_time() {
    let settings: [Setting; 4] = [BY_TOKEN, (SESSIONS, "3"), (OF_ONE, "2"), (IDLE, A_WHILE)];
    let world = World::with_file(&settings, &principal("jane", &["reads"], "")).await;
    let (jane, operator) = (named(&world, "jane"), Client::of(&world).showing(TOKEN));
    let idle = [open(&jane).await, open(&jane).await];
    open(&operator).await;
    // One whose client never says that it is ready is no better off.
    let again = open_all(&jane, 2).await;
    for session in &idle {
        assert_eq!(session.say(&list()).await.status, 404);
    }
    open_all(&operator, 3).await;
    for session in &again {
        assert_eq!(session.say(&list()).await.status, 404);
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_completed_is_closed_early_and_others_stay() {
    let settings: [Setting; 3] = [BY_TOKEN, (SESSIONS, "4"), (INIT, A_WHILE)];
    let world = World::with(&settings).await;
    let operator = Client::of(&world).showing(TOKEN);
    // One that says that it is ready, and one that goes on without a word.
    let ready = open(&operator).await;
    let hasty = operator.within(&initialize(&operator).await.session(), LEGACY[0]);
    assert_eq!(hasty.say(&list()).await.status, 200);
    let left = [initialize(&operator).await, initialize(&operator).await];
    check_full(&operator, "this server").await;
    open_all(&operator, 2).await;
    for reply in left {
        let session = operator.within(&reply.session(), LEGACY[0]);
        assert_eq!(session.say(&list()).await.status, 404);
    }
    for session in [ready, hasty] {
        assert_eq!(session.say(&list()).await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_cuts_its_handshake_a_thousand_times_keeps_no_session() {
    const MOST: usize = 4;
    let limit = MOST.to_string();
    let settings: [Setting; 3] = [BY_TOKEN, (SESSIONS, &limit), (IDLE, A_WHILE)];
    let world = World::with_file(&settings, &principal("jane", &["reads"], "")).await;
    let jane = named(&world, "jane");
    let request = jane.saying(&message(json!(0), "initialize", &hello(LEGACY[0])));
    let length = request.body.len();
    let bytes = request.and("Content-Length", length.to_string());
    for turn in 0..1_000 {
        // The message is whole and the answer is not awaited, or it breaks off in the body, or before the last byte.
        let missing = [0, 0, length / 2, 1][turn % 4];
        let body = bytes.body[..length - missing].to_vec();
        let mut wire = bytes.clone().holding(body).start().await;
        if turn % 2 == 1 {
            // A reset, and not an end.
            wire.socket.set_zero_linger().unwrap();
        } else {
            let _ = wire.socket.shutdown().await;
        }
    }
    open_all(&jane, MOST).await;
}
