//! Concurrency permits: as many calls run as there are permits, as many wait as the queue holds, and one more is refused.

use std::time::{Duration, Instant};

use serde_json::json;
use sevendigital_tools::TOOLS;
use tokio::task::JoinSet;

use super::desk::{
    ALLOW, CALLS, CHARGES, Desk, ITEM, LOCKER, LONG, Numbered, Op, QUEUE_TIMEOUT, QUEUED, SELECT,
    add, all_done, buy, check_busy, held, locker, one_is_refused, read, select,
};
use crate::support::upstream::Act;
use crate::support::{LEGACY, SURFACES, Surface, within};

#[tokio::test]
async fn calls_beyond_the_permits_wait_and_beyond_the_queue_are_refused() {
    let [modern, session, rest] = SURFACES;
    for surfaces in [
        [modern; 4],
        [session; 4],
        [rest; 4],
        // All surfaces share the permits.
        [modern, session, rest, modern],
    ] {
        let desk = Desk::with(&[(CALLS, "4"), (QUEUED, "2"), LONG]).await;
        desk.upstream.script(LOCKER, held(locker()));
        let mut calls = desk.fill(&surfaces, &read(), LOCKER).await;
        // Two of the three wait in the queue; any of them may be the one that is refused.
        for surface in &surfaces[1..] {
            add(&mut calls, &desk.client, *surface, &read());
        }
        one_is_refused(&mut calls).await;
        // From now on every further one is refused at once, on whatever surface.
        for surface in SURFACES {
            let reply = within("a refusal", desk.call(surface, &read())).await;
            check_busy(surface, &reply);
        }
        assert_eq!(desk.upstream.arrivals(LOCKER), 4);
        // Those that wait get the permits of those that have ended.
        desk.upstream.open_gate();
        assert_eq!(calls.len(), 6);
        all_done(calls).await;
        assert_eq!(desk.upstream.arrivals(LOCKER), 6);
    }
}

#[tokio::test]
async fn who_waits_in_vain_is_refused_when_the_time_in_the_queue_is_up() {
    const WAIT: Duration = Duration::from_millis(200);
    let desk = Desk::with(&[(CALLS, "1"), (QUEUED, "9"), (QUEUE_TIMEOUT, "200ms")]).await;
    desk.upstream.script(LOCKER, held(locker()));
    let first = desk.fill(&[Surface::Rest], &read(), LOCKER).await;
    let mut others = JoinSet::new();
    let started = Instant::now();
    for surface in SURFACES {
        add(&mut others, &desk.client, surface, &read());
    }
    for (surface, reply) in within("the refusals", others.join_all()).await {
        check_busy(surface, &reply);
    }
    let took = started.elapsed();
    assert!(took >= WAIT, "{took:?}");
    assert_eq!(desk.upstream.arrivals(LOCKER), 1);
    desk.upstream.open_gate();
    all_done(first).await;
}

#[tokio::test]
async fn what_is_no_call_needs_no_permit() {
    let desk = Desk::with(&[(CALLS, "1"), (QUEUED, "1"), (QUEUE_TIMEOUT, "50ms")]).await;
    desk.upstream.script(LOCKER, held(locker()));
    let first = desk.fill(&[Surface::Modern], &read(), LOCKER).await;
    assert_eq!(desk.world.tools().await.len(), TOOLS.len());
    let discovered = desk.world.modern("server/discover", json!({})).await;
    assert_eq!(discovered.status, 200);
    let session = desk.world.legacy_session(LEGACY[0]).await;
    let pong = session.ask(json!(1), "ping", json!({})).await;
    assert_eq!(pong.result(), json!({}));
    // No tool, so no permit either.
    let unknown = json!({"name": "no-such-tool", "arguments": {}});
    let reply = desk.world.modern("tools/call", unknown).await;
    assert_eq!(reply.message()["error"]["code"], -32602, "{reply:?}");
    for path in ["/healthz", "/readyz"] {
        let url = desk.world.url.replace("/mcp", path);
        let reply = desk.world.http.get(url).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
    }
    desk.upstream.open_gate();
    all_done(first).await;
}

#[tokio::test]
async fn hanging_reads_hold_no_purchase_up_and_hanging_purchases_no_read() {
    let limits = [ALLOW, (CALLS, "2"), (CHARGES, "2"), (QUEUED, "1"), LONG];
    let rows: [(Numbered, &str, Act, Op); 4] = [
        (|_| read(), LOCKER, locker(), buy(1)),
        (buy, ITEM, Act::Sell, read()),
        (buy, ITEM, Act::Sell, select()),
        (|_| select(), SELECT, locker(), buy(1)),
    ];
    for (hanging, path, act, other) in rows {
        let desk = Desk::with(&limits).await;
        desk.upstream.script(path, held(act));
        let mut calls = JoinSet::new();
        for (number, surface) in [(10, Surface::Modern), (11, Surface::Rest)] {
            add(&mut calls, &desk.client, surface, &hanging(number));
        }
        desk.upstream.wait_for(path, 2).await;
        // One more waits, and the next is refused: this sort has no permit left.
        for number in [20, 21] {
            add(&mut calls, &desk.client, Surface::Rest, &hanging(number));
        }
        one_is_refused(&mut calls).await;
        // The other sort goes on, at once and on every surface.
        within("the other sort", desk.goes_on(&other)).await;
        assert_eq!(desk.upstream.arrivals(path), 2, "{path}");
        desk.upstream.open_gate();
        all_done(calls).await;
        assert_eq!(desk.upstream.arrivals(path), 3);
    }
}
