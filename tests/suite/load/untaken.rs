//! Answers that clients don't take: bounded over all connections and for each caller, whatever the surface.

use serde_json::json;
use tokio::net::TcpSocket;

use super::callers::Office;
use super::desk::{
    ALLOW, CALLS, Desk, ITEM, Op, QUEUE_TIMEOUT, buy, call, check_busy, check_done, check_refused,
    read,
};
use crate::support::draft::Wire;
use crate::support::upstream::{Act, ok};
use crate::support::{Client, SURFACES, Setting, Surface, until, within};

const CARDS: &str = "/user/payment/card";
/// As long as answers may stay untaken: a good client waits less.
const WRITE_TIMEOUT: Setting<'static> = ("SEVENDIGITAL_MCP_LIMIT_WRITE_TIMEOUT", "6s");

/// A read whose answer is more than the system's own buffers take.
fn large() -> Op {
    ("list-user-payment-cards", json!({}))
}

/// A quarter of a MiB of cards, which is half of one where the document stands twice.
fn cards() -> Act {
    let card = |number: usize| json!({"id": format!("{number}"), "type": "VISA", "last4digits": "1111", "expiryDate": "203012", "cardHolderName": "Somebody"});
    let cards: Vec<_> = (0..2_300).map(card).collect();
    let document = json!({"status": "ok", "version": "1.2", "cards": {"card": cards}});
    Act::Say(ok(&document.to_string()))
}

/// Calls and reads nothing, with as little room for the answer as the system grants.
async fn deaf(client: &Client, surface: Surface) -> Wire {
    let request = client.request(surface, large().0, &large().1);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let socket = socket
        .connect(request.address.parse().unwrap())
        .await
        .unwrap();
    let mut wire = Wire::of(socket);
    wire.send(request.bytes()).await.unwrap();
    wire
}

#[tokio::test]
async fn what_nobody_takes_is_bounded_and_small_answers_go_on() {
    for surface in SURFACES {
        // Room for one of them.
        let room = ("SEVENDIGITAL_MCP_LIMIT_UNTAKEN_BYTES", "300000");
        let desk = Desk::with(&[room, (QUEUE_TIMEOUT, "300ms"), WRITE_TIMEOUT]).await;
        desk.upstream.script(CARDS, [cards()]);
        let mut deaf_ones = Vec::new();
        // One has the room, and two wait for it with their documents.
        for number in 1..=3 {
            deaf_ones.push(deaf(&desk.client, surface).await);
            desk.upstream.wait_for(CARDS, number).await;
        }
        let refused = async {
            loop {
                let reply = call(&desk.client, surface, &large()).await;
                if reply
                    .message()
                    .to_string()
                    .contains("as many large answers as it may")
                {
                    check_refused(surface, &reply, 503, "busy");
                    return;
                }
            }
        };
        within("a refusal", refused).await;
        check_done(surface, &call(&desk.client, surface, &read()).await);
        // Those that take nothing are cut off, and all is as before.
        drop(deaf_ones);
        let done = async {
            loop {
                let reply = call(&desk.client, surface, &large()).await;
                if reply.status == 200 && reply.message().to_string().len() > 200_000 {
                    return;
                }
            }
        };
        within("an answer", done).await;
    }
}

#[tokio::test]
async fn a_call_keeps_its_permit_until_its_answer_is_handed_over() {
    for surface in SURFACES {
        let room = ("SEVENDIGITAL_MCP_LIMIT_UNTAKEN_BYTES", "300000");
        let desk = Desk::with(&[
            room,
            (CALLS, "2"),
            ("SEVENDIGITAL_MCP_LIMIT_MAX_QUEUED", "1"),
            (QUEUE_TIMEOUT, "300ms"),
            WRITE_TIMEOUT,
        ])
        .await;
        desk.upstream.script(CARDS, [cards()]);
        let mut deaf_ones = Vec::new();
        for number in 1..=3 {
            deaf_ones.push(deaf(&desk.client, surface).await);
            desk.upstream.wait_for(CARDS, number).await;
        }
        // The first was handed over; the other two wait, with both permits.
        let busy = async {
            loop {
                let reply = call(&desk.client, surface, &read()).await;
                if reply
                    .message()
                    .to_string()
                    .contains("as many calls are in flight")
                {
                    check_busy(surface, &reply);
                    return;
                }
            }
        };
        within("a refusal", busy).await;
        drop(deaf_ones);
        until("the permits", || desk.upstream.arrivals(CARDS) >= 3).await;
    }
}

#[tokio::test]
async fn a_caller_that_takes_nothing_reads_nothing_more_and_others_do() {
    for surface in SURFACES {
        let own = ("SEVENDIGITAL_MCP_LIMIT_CALLER_UNTAKEN_BYTES", "200000");
        let office = Office::with(&[own, WRITE_TIMEOUT, ALLOW]).await;
        office.desk.upstream.script(CARDS, [cards()]);
        office.desk.upstream.script(ITEM, [Act::Sell]);
        let wire = deaf(&office.ann, surface).await;
        let refused = async {
            loop {
                let reply = call(&office.ann, surface, &read()).await;
                if reply.message().to_string().contains("has not taken") {
                    check_refused(surface, &reply, 429, "too-often");
                    return;
                }
            }
        };
        within("a refusal", refused).await;
        check_done(surface, &call(&office.bob, surface, &large()).await);
        // Spending is not for its answers.
        check_done(surface, &call(&office.ann, surface, &buy(1)).await);
        drop(wire);
        let done = async {
            while call(&office.ann, surface, &read())
                .await
                .message()
                .to_string()
                .contains("has not taken")
            {}
        };
        within("an answer", done).await;
    }
}
