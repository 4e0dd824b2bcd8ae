//! A permit is held for as long as the call's work lasts, and no longer.

use rmcp::ClientLifecycleMode;
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::{JoinHandle, JoinSet};

use super::desk::{
    ALLOW, CALLS, CHARGES, Desk, ITEM, LOCKER, LONG, Op, QUEUE_TIMEOUT, QUEUED, SELECT, add,
    all_done, buy, check_busy, check_done, held, locker, one_is_refused, read, select,
};
use crate::support::draft::Wire;
use crate::support::upstream::{Act, http, refusal};
use crate::support::{Person, SURFACES, Setting, Surface, purchase_id, rows, until, within};

/// One permit of each sort, and a queue of one.
const ONE: [Setting<'static>; 4] = [(CALLS, "1"), (CHARGES, "1"), (QUEUED, "1"), LONG];

#[tokio::test]
async fn a_permit_is_free_again_however_a_call_ends() {
    let brief = [
        ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "300ms"),
        ("SEVENDIGITAL_MCP_LIMIT_CHANGE_DEADLINE", "300ms"),
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
                within("an end", desk.call(surface, &op)).await;
            }
            release += 1;
        }
    }
    // What is refused before it is sent had a permit, too.
    let wrong = (read().0, json!({"page": "two"}));
    for surface in SURFACES {
        desk.call(surface, &wrong).await;
    }
    desk.upstream.forget();
    desk.upstream.script(ITEM, [Act::Sell]);
    for surface in SURFACES {
        for op in [read(), select(), buy(release)] {
            let reply = within("a good call", desk.call(surface, &op)).await;
            check_done(surface, &reply);
        }
        release += 1;
    }
}

/// Sends a call, and waits until it is upstream.
async fn begin(desk: &Desk, surface: Surface, op: &Op, path: &str) -> Wire {
    let before = desk.upstream.arrivals(path);
    let wire = desk.client.request(surface, op.0, &op.1).start().await;
    desk.upstream.wait_for(path, before + 1).await;
    wire
}

/// The client leaves, and the server has seen that.
async fn leave(mut wire: Wire) {
    wire.socket.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let read = wire.socket.read_to_end(&mut rest);
    // An error says the same.
    let _ = within("the server to close", read).await;
    let told = String::from_utf8_lossy(&rest);
    assert!(!told.contains("result"), "{told}");
}

#[tokio::test]
async fn a_client_that_leaves_gives_the_permit_of_its_read_back() {
    for surface in [Surface::Modern, Surface::Rest] {
        let desk = Desk::with(&ONE).await;
        desk.upstream
            .script(LOCKER, [Act::Hang(Vec::new()), locker()]);
        leave(begin(&desk, surface, &read(), LOCKER).await).await;
        let reply = within("its permit", desk.call(surface, &read())).await;
        check_done(surface, &reply);
    }
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_makes_room_in_it() {
    // In a session a closed connection cancels nothing, so such a call stays until the queue's timeout.
    for surface in [Surface::Modern, Surface::Rest] {
        let desk = Desk::with(&ONE).await;
        desk.upstream.script(LOCKER, held(locker()));
        let calls = desk.fill(&[surface], &read(), LOCKER).await;
        let (tool, arguments) = read();
        let waiting = desk.client.request(surface, tool, &arguments).start().await;
        // What came before these is known to the server after them.
        desk.world.tools().await;
        desk.world.tools().await;
        check_busy(surface, &desk.call(surface, &read()).await);
        leave(waiting).await;
        // The server learns in its own time that the client has left.
        let queued = within("room in the queue", async {
            loop {
                let mut queued = JoinSet::new();
                add(&mut queued, &desk.client, surface, &read());
                desk.world.tools().await;
                desk.world.tools().await;
                if queued.try_join_next().is_none() {
                    return queued;
                }
            }
        });
        let queued = queued.await;
        check_busy(surface, &desk.call(surface, &read()).await);
        desk.upstream.open_gate();
        all_done(calls).await;
        all_done(queued).await;
        assert_eq!(desk.upstream.arrivals(LOCKER), 2, "{surface:?}");
    }
}

#[tokio::test]
async fn what_goes_on_without_its_client_keeps_its_permit() {
    for (op, path, act) in [(select(), SELECT, locker()), (buy(1), ITEM, Act::Sell)] {
        for surface in SURFACES {
            let desk = Desk::with(&[&ONE[..], &[ALLOW]].concat()).await;
            desk.upstream.script(path, held(act.clone()));
            leave(begin(&desk, surface, &op, path).await).await;
            // One waits for the permit, and the others are refused.
            let mut calls = JoinSet::new();
            for release in 2..5 {
                let op = if path == ITEM { buy(release) } else { select() };
                add(&mut calls, &desk.client, surface, &op);
            }
            for _ in 0..2 {
                one_is_refused(&mut calls).await;
            }
            assert_eq!(desk.upstream.arrivals(path), 1, "{path} {surface:?}");
            desk.upstream.open_gate();
            all_done(calls).await;
            assert_eq!(desk.upstream.arrivals(path), 2, "{path} {surface:?}");
        }
    }
}

/// A purchase through the client of a person who may be asked.
async fn purchase(
    desk: &Desk,
    person: &Person,
    release: usize,
) -> JoinHandle<Result<Value, String>> {
    let client = person.before(&desk.world, ClientLifecycleMode::Initialize);
    let client = client.await;
    tokio::spawn(async move {
        let (tool, arguments) = buy(release);
        let arguments = arguments.as_object().unwrap().clone();
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        match client.call_tool(request).await {
            Ok(result) => Ok(serde_json::to_value(result).unwrap()),
            Err(error) => Err(error.to_string()),
        }
    })
}

#[tokio::test]
async fn while_a_person_is_asked_the_call_holds_no_permit() {
    let settings = [
        (CHARGES, "1"),
        (QUEUED, "1"),
        (QUEUE_TIMEOUT, "200ms"),
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
    ];
    let desk = Desk::with(&settings).await;
    desk.upstream
        .script(ITEM, [Act::Sell, Act::Sell, Act::Held(Box::new(Act::Sell))]);
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let [slow, late] = [(); 2].map(|()| Person::who_waits_and_says(yes.clone()));
    // Two are asked at once, though there is one permit; a third buys meanwhile.
    let of_slow = purchase(&desk, &slow, 1).await;
    let of_late = purchase(&desk, &late, 2).await;
    let both = || slow.asked().len() + late.asked().len() == 2;
    until("the questions", both).await;
    let quick = purchase(&desk, &Person::who_says(yes.clone()), 3).await;
    purchase_id(&within("the quick one", quick).await.unwrap().unwrap());
    slow.speaks.cancel();
    purchase_id(&within("the slow one", of_slow).await.unwrap().unwrap());
    // The confirmation comes while the permit is taken.
    let holder = purchase(&desk, &Person::who_says(yes), 4).await;
    desk.upstream.wait_for(ITEM, 3).await;
    late.speaks.cancel();
    let error = within("the late one", of_late).await.unwrap().unwrap_err();
    for words in ["as many calls are in flight", "Nothing was charged"] {
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(desk.upstream.arrivals(ITEM), 3);
    desk.upstream.open_gate();
    purchase_id(&within("the holder", holder).await.unwrap().unwrap());
    let rows = rows(desk.folder.path()).into_iter();
    let items: Vec<String> = rows.map(|row| row.item).collect();
    assert_eq!(items, ["release 3", "release 1", "release 4"]);
}
