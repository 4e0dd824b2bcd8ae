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
use crate::support::{Client, Reply, SURFACES, Setting, Surface, within};

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

/// A server with room for one large answer, and three clients that take nothing of theirs: one has the room, and two wait for it.
async fn crowded(surface: Surface, further: &[Setting<'_>]) -> (Desk, Vec<Wire>) {
    let room = ("SEVENDIGITAL_MCP_LIMIT_UNTAKEN_BYTES", "300000");
    let own = [room, (QUEUE_TIMEOUT, "300ms"), WRITE_TIMEOUT];
    let desk = Desk::with(&[&own, further].concat()).await;
    desk.upstream.script(CARDS, [cards()]);
    let mut deaf_ones = Vec::new();
    for number in 1..=3 {
        deaf_ones.push(deaf(&desk.client, surface).await);
        desk.upstream.wait_for(CARDS, number).await;
    }
    (desk, deaf_ones)
}

/// Calls until the reply is such a one.
async fn call_until(
    client: &Client,
    surface: Surface,
    op: &Op,
    is_such: impl Fn(&Reply) -> bool,
) -> Reply {
    let such = async {
        loop {
            let reply = call(client, surface, op).await;
            if is_such(&reply) {
                return reply;
            }
        }
    };
    within("a reply", such).await
}

fn tells(words: &str) -> impl Fn(&Reply) -> bool {
    move |reply| reply.message().to_string().contains(words)
}

#[tokio::test]
async fn what_nobody_takes_is_bounded_and_small_answers_go_on() {
    for surface in SURFACES {
        let (desk, deaf_ones) = crowded(surface, &[]).await;
        let refused = tells("as many large answers as it may");
        let reply = call_until(&desk.client, surface, &large(), refused).await;
        check_refused(surface, &reply, 503, "busy");
        check_done(surface, &call(&desk.client, surface, &read()).await);
        // Those that take nothing are cut off, and all is as before.
        drop(deaf_ones);
        call_until(&desk.client, surface, &large(), |reply| {
            reply.status == 200 && reply.message().to_string().len() > 200_000
        })
        .await;
    }
}

#[tokio::test]
async fn a_call_keeps_its_permit_until_its_answer_is_handed_over() {
    for surface in SURFACES {
        let queue = ("SEVENDIGITAL_MCP_LIMIT_MAX_QUEUED", "1");
        let (desk, deaf_ones) = crowded(surface, &[(CALLS, "2"), queue]).await;
        // The first was handed over; the other two wait, with both permits.
        let busy = tells("as many calls are in flight");
        let reply = call_until(&desk.client, surface, &read(), &busy).await;
        check_busy(surface, &reply);
        drop(deaf_ones);
        let reply = call_until(&desk.client, surface, &read(), |reply| !busy(reply)).await;
        check_done(surface, &reply);
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
        let full = tells("has not taken");
        let reply = call_until(&office.ann, surface, &read(), &full).await;
        check_refused(surface, &reply, 429, "too-often");
        check_done(surface, &call(&office.bob, surface, &large()).await);
        // Spending is not for its answers.
        check_done(surface, &call(&office.ann, surface, &buy(1)).await);
        drop(wire);
        call_until(&office.ann, surface, &read(), |reply| !full(reply)).await;
    }
}
