//! A place is held for as long as the call's work lasts, and no longer.

use rmcp::ClientLifecycleMode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{
    ALLOW, CALLS, CHARGES, Desk, ITEM, LOCKER, LONG, Op, SELECT, SURFACES, Surface, WAIT_MS,
    WAITING, all_done, buy, check_busy, held, locker, read, select,
};
use crate::support::upstream::{Act, http, refusal};
use crate::support::{Person, Setting, failure, purchase_id, rows, send, text, until, within};

/// One place of each sort, and a queue of one.
const ONE: [Setting<'static>; 4] = [(CALLS, "1"), (CHARGES, "1"), (WAITING, "1"), LONG];

#[tokio::test]
async fn a_place_is_free_again_however_a_call_ends() {
    let brief = [
        ("SEVENDIGITAL_MCP_LIMIT_READ_MS", "300"),
        ("SEVENDIGITAL_MCP_LIMIT_CHANGE_MS", "300"),
        ALLOW,
    ];
    let desk = Desk::with(&[&ONE[..], &brief].concat()).await;
    let acts = [
        locker(),
        Act::Say(refusal(200, 2001)),
        Act::Say(http(503, "", "")),
        Act::Say(http(200, "", "<html>")),
        Act::Reset(Vec::new()),
        Act::Hang(Vec::new()),
    ];
    let mut release = 100;
    for act in acts {
        for surface in SURFACES {
            for (op, path) in [(read(), LOCKER), (select(), SELECT), (buy(release), ITEM)] {
                desk.upstream.script(path, [act.clone()]);
                within("an end", desk.client.call(surface, &op)).await;
            }
            release += 1;
        }
    }
    // What is refused before it is sent had a place, too.
    let wrong = Op {
        arguments: json!({"page": "two"}),
        target: "/v1/user/locker?page=two".into(),
        ..read()
    };
    for surface in SURFACES {
        desk.client.call(surface, &wrong).await;
    }
    desk.upstream.forget();
    desk.upstream.script(ITEM, [Act::Sell]);
    for surface in SURFACES {
        for op in [read(), select(), buy(release)] {
            let reply = within("a good call", desk.client.call(surface, &op)).await;
            surface.check_done(&reply);
        }
        release += 1;
    }
}

/// A call whose client leaves once it is under way.
struct Leaver(TcpStream);

impl Leaver {
    /// Sends a call, and waits until it is upstream.
    async fn start(desk: &Desk, surface: Surface, op: &Op, path: &str) -> Self {
        let before = desk.upstream.arrivals(path);
        let leaver = Self::send(desk, surface, op).await;
        desk.upstream.wait_for(path, before + 1).await;
        leaver
    }

    async fn send(desk: &Desk, surface: Surface, op: &Op) -> Self {
        let caller = crate::support::Caller::of(&desk.world);
        let socket = match (surface, op.arguments.get("body")) {
            (Surface::Modern, _) => caller.send(op.tool, &op.arguments).await,
            (Surface::Session, _) => {
                let headers = [
                    ("content-type", "application/json"),
                    ("accept", "application/json, text/event-stream"),
                    ("mcp-session-id", desk.client.session.as_str()),
                    ("mcp-protocol-version", crate::support::LEGACY[0]),
                ];
                let params = json!({"name": op.tool, "arguments": op.arguments});
                let body = json!({"jsonrpc": "2.0", "id": "leaver", "method": "tools/call", "params": params});
                send(&desk.world.url, &headers, &body.to_string()).await
            }
            (Surface::Rest, body) => {
                let address = desk.world.rest.strip_prefix("http://").unwrap();
                let mut socket = TcpStream::connect(address).await.unwrap();
                let body = body.map(Value::to_string);
                let method = if body.is_some() { "POST" } else { "GET" };
                let body = body.unwrap_or_default();
                let request = format!(
                    "{method} {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    op.target,
                    body.len()
                );
                socket.write_all(request.as_bytes()).await.unwrap();
                socket
            }
        };
        Self(socket)
    }

    /// Leaves, and waits until the server has seen that.
    async fn leave(mut self) {
        self.0.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let read = self.0.read_to_end(&mut rest);
        // An error says the same.
        let _ = within("the server to close", read).await;
        let told = String::from_utf8_lossy(&rest);
        assert!(!told.contains("result"), "{told}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_gives_the_place_of_its_read_back() {
    for surface in [Surface::Modern, Surface::Rest] {
        let read_for_ever = ("SEVENDIGITAL_MCP_LIMIT_READ_MS", "600000");
        let desk = Desk::with(&[&ONE[..], &[read_for_ever]].concat()).await;
        desk.upstream
            .script(LOCKER, [Act::Hang(Vec::new()), locker()]);
        Leaver::start(&desk, surface, &read(), LOCKER)
            .await
            .leave()
            .await;
        let reply = within("its place", desk.client.call(surface, &read())).await;
        surface.check_done(&reply);
    }
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_makes_room_in_it() {
    for surface in SURFACES {
        let desk = Desk::with(&ONE).await;
        desk.upstream.script(LOCKER, held(locker()));
        let mut calls = desk.fill(&[surface], &read(), LOCKER).await;
        let waiting = Leaver::send(&desk, surface, &read()).await;
        // What came before these is known to the server after them.
        desk.world.tools().await;
        desk.world.tools().await;
        check_busy(surface, &desk.client.call(surface, &read()).await);
        waiting.leave().await;
        desk.add(&mut calls, surface, &read());
        desk.world.tools().await;
        desk.world.tools().await;
        check_busy(surface, &desk.client.call(surface, &read()).await);
        desk.upstream.open_gate();
        all_done(calls).await;
        assert_eq!(desk.upstream.arrivals(LOCKER), 2, "{surface:?}");
    }
}

#[tokio::test]
async fn what_goes_on_without_its_client_keeps_its_place() {
    for (op, path, act) in [(select(), SELECT, locker()), (buy(1), ITEM, Act::Sell)] {
        for surface in SURFACES {
            let desk = Desk::with(&[&ONE[..], &[ALLOW]].concat()).await;
            desk.upstream.script(path, held(act.clone()));
            Leaver::start(&desk, surface, &op, path).await.leave().await;
            // One waits for the place, and the others are refused.
            let mut calls = JoinSet::new();
            for release in 2..5 {
                let op = if path == ITEM { buy(release) } else { select() };
                desk.add(&mut calls, surface, &op);
            }
            for _ in 0..2 {
                let refused = within("a refusal", calls.join_next()).await;
                let (surface, reply) = refused.unwrap().unwrap();
                check_busy(surface, &reply);
            }
            assert_eq!(desk.upstream.arrivals(path), 1, "{path} {surface:?}");
            desk.upstream.open_gate();
            all_done(calls).await;
            assert_eq!(desk.upstream.arrivals(path), 2, "{path} {surface:?}");
        }
    }
}

#[tokio::test]
async fn while_a_person_is_asked_the_call_has_no_place_and_afterwards_it_needs_one() {
    let settings = [
        (CHARGES, "1"),
        (WAITING, "1"),
        (WAIT_MS, "200"),
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
    ];
    let desk = Desk::with(&settings).await;
    desk.upstream
        .script(ITEM, [Act::Sell, Act::Sell, Act::Held(Box::new(Act::Sell))]);
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let [slow, late] = [(); 2].map(|()| Person::who_waits_and_says(yes.clone()));
    #[expect(
        clippy::async_yields_async,
        reason = "the call goes on while others are made"
    )]
    let start = async |person: &Person, release: usize| {
        let client = person
            .before(&desk.world, ClientLifecycleMode::Initialize)
            .await;
        let waits = person.asked().is_empty() && !person.speaks.is_cancelled();
        let call = tokio::spawn(async move {
            let arguments = buy(release).arguments.as_object().unwrap().clone();
            let request = rmcp::model::CallToolRequestParams::new("purchase-user-item");
            let result = client.call_tool(request.with_arguments(arguments)).await;
            serde_json::to_value(result.unwrap()).unwrap()
        });
        if waits {
            until("the question", || person.asked().len() == 1).await;
        }
        call
    };
    // Two are asked at once, though there is one place; a third buys meanwhile.
    let (of_slow, of_late) = (start(&slow, 1).await, start(&late, 2).await);
    let quick = start(&Person::who_says(yes.clone()), 3).await;
    purchase_id(&within("the quick one", quick).await.unwrap());
    slow.speaks.cancel();
    purchase_id(&within("the slow one", of_slow).await.unwrap());
    // The yes comes while the place is taken.
    let holder = start(&Person::who_says(yes), 4).await;
    desk.upstream.wait_for(ITEM, 3).await;
    late.speaks.cancel();
    let result = within("the late one", of_late).await.unwrap();
    let told = failure(&result);
    assert!(told.contains("as many calls are under way"), "{told}");
    assert!(told.contains("Nothing was charged"), "{told}");
    assert_eq!(desk.upstream.arrivals(ITEM), 3);
    desk.upstream.open_gate();
    purchase_id(&within("the holder", holder).await.unwrap());
    let items: Vec<String> = rows(desk.folder.path())
        .into_iter()
        .map(|row| row.item)
        .collect();
    assert_eq!(items, ["release 3", "release 1", "release 4"]);
    assert!(!text(&result).is_empty());
}
