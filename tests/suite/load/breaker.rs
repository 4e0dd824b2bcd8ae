//! The breaker, seen from outside: while 7digital is down reads are answered at once, and purchases go their own way.

use std::time::Duration;

use serde_json::json;

use super::desk::{
    ALLOW, Desk, ITEM, LOCKER, SELECT, buy, check_done, check_refused, locker, read, select,
};
use crate::support::upstream::{Act, http, refusal};
use crate::support::{Reply, SURFACES, Surface, failure, within};

/// Attempts at reads that the breaker judges by.
const JUDGED: usize = 6;
/// Longer than any good test lasts.
const FOR_EVER: &str = "10m";
/// Soon over, and longer than a call takes on a busy machine.
const A_WHILE: &str = "2s";

/// A server whose circuit breaker opens for so long.
async fn desk(open_time: &str) -> Desk {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_BREAKER_MIN_CALLS", "6"),
        ("SEVENDIGITAL_MCP_LIMIT_BREAKER_OPEN_TIME", open_time),
        ALLOW,
    ];
    Desk::with(&limits).await
}

fn down() -> Act {
    Act::Say(http(500, "", "down"))
}

/// The read was held back, and its response says so; gives the seconds to wait.
fn check_held_back(surface: Surface, reply: &Reply) -> u64 {
    let result;
    let told = match surface {
        Surface::Rest => {
            let (told, after) = check_refused(surface, reply, 503, "unavailable");
            assert!(told.contains(&format!("in {after} second")), "{told}");
            let message = reply.message();
            assert_eq!(message["outcome"], "not_sent", "{message}");
            assert_eq!(message["repeat"], "later", "{message}");
            told
        }
        Surface::Modern | Surface::Session => {
            result = reply.result();
            failure(&result).to_owned()
        }
    };
    let words = "7digital has been failing, so reads are held back for a few seconds. Nothing was changed; the call can safely be repeated in ";
    let rest = told.strip_prefix(words);
    let rest = rest.unwrap_or_else(|| panic!("{surface:?}: {told}"));
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// Reads fail until the breaker has opened.
async fn open(desk: &Desk) {
    desk.upstream.script(LOCKER, [down()]);
    for number in 0..JUDGED {
        let surface = SURFACES[number % 3];
        let reply = desk.call(surface, &read()).await;
        assert!(reply.text.contains("unavailable"), "{reply:?}");
    }
    assert_eq!(desk.upstream.arrivals(LOCKER), JUDGED);
}

/// Purchases and changes work, on every surface.
async fn check_others_go_on(desk: &Desk, releases: &mut impl Iterator<Item = usize>) {
    for surface in SURFACES {
        let release = releases.next().unwrap();
        check_done(surface, &desk.call(surface, &buy(release)).await);
        check_done(surface, &desk.call(surface, &select()).await);
    }
}

/// Reads are held back until one more is sent, and that one succeeds.
async fn next_probe_is_done(desk: &Desk) {
    let probe = async {
        loop {
            let reply = desk.call(Surface::Rest, &read()).await;
            if desk.upstream.arrivals(LOCKER) > JUDGED + 1 {
                return reply;
            }
            check_held_back(Surface::Rest, &reply);
        }
    };
    check_done(Surface::Rest, &within("the next probe", probe).await);
}

#[tokio::test]
async fn in_an_outage_reads_are_answered_at_once_and_purchases_go_on() {
    let desk = desk(FOR_EVER).await;
    open(&desk).await;
    for surface in SURFACES {
        let reply = desk.call(surface, &read()).await;
        let wait = check_held_back(surface, &reply);
        assert!((500..=600).contains(&wait), "{wait}");
    }
    // It holds for whatever reads.
    let cards = desk.world.call("list-user-payment-cards", json!({})).await;
    assert!(failure(&cards).contains("held back"), "{cards}");
    check_others_go_on(&desk, &mut (1..)).await;
    assert_eq!(desk.upstream.connections(), JUDGED + 6);
}

#[tokio::test]
async fn one_read_probes_whether_the_outage_is_over_and_no_purchase_does() {
    let desk = desk(A_WHILE).await;
    let mut releases = 1..;
    open(&desk).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    // The time is up, and what goes well now is no read.
    check_others_go_on(&desk, &mut releases).await;
    // The first probe fails, the second does not.
    desk.upstream
        .script(LOCKER, [Act::Held(Box::new(down())), locker()]);
    let probe = desk.start(Surface::Rest, read());
    desk.upstream.wait_for(LOCKER, JUDGED + 1).await;
    for surface in SURFACES {
        let reply = desk.call(surface, &read()).await;
        assert_eq!(check_held_back(surface, &reply), 1);
    }
    check_others_go_on(&desk, &mut releases).await;
    assert_eq!(desk.upstream.arrivals(LOCKER), JUDGED + 1, "one probe");
    desk.upstream.open_gate();
    let reply = within("the probe", probe).await.unwrap();
    assert!(reply.text.contains("unavailable"), "{reply:?}");
    let reply = desk.call(Surface::Modern, &read()).await;
    check_held_back(Surface::Modern, &reply);
    next_probe_is_done(&desk).await;
    desk.goes_on(&read()).await;
}

#[tokio::test]
async fn a_probe_that_its_client_gives_up_hands_its_task_to_the_next_read() {
    let desk = desk("1ms").await;
    open(&desk).await;
    desk.upstream
        .script(LOCKER, [Act::Hang(Vec::new()), locker()]);
    let probe = desk.start(Surface::Modern, read());
    desk.upstream.wait_for(LOCKER, JUDGED + 1).await;
    probe.abort();
    next_probe_is_done(&desk).await;
}

#[tokio::test]
async fn purchases_and_changes_that_fail_hold_no_read_back() {
    let desk = desk(FOR_EVER).await;
    desk.upstream.script(ITEM, [down()]);
    desk.upstream.script(SELECT, [down()]);
    for release in 0..2 * JUDGED {
        let surface = SURFACES[release % 3];
        for op in [buy(release), select()] {
            let reply = desk.call(surface, &op).await;
            assert!(reply.text.contains("unavailable"), "{reply:?}");
        }
    }
    desk.goes_on(&read()).await;
    // These three good ones count with the three bad ones that it takes now.
    desk.upstream.script(LOCKER, [down()]);
    for _ in 0..JUDGED - 3 {
        let reply = desk.call(Surface::Rest, &read()).await;
        assert!(!reply.text.contains("held back"), "{reply:?}");
    }
    check_held_back(Surface::Rest, &desk.call(Surface::Rest, &read()).await);
}

#[tokio::test]
async fn an_answer_that_says_no_is_no_outage() {
    let desk = desk(FOR_EVER).await;
    for act in [
        Act::Say(refusal(200, 2001)),
        Act::Say(http(401, "", "OAuth authentication error: Not authorised")),
        Act::Say(http(429, "Retry-After: 3600\r\n", "")),
    ] {
        desk.upstream.script(LOCKER, [act]);
        let before = desk.upstream.arrivals(LOCKER);
        for number in 0..2 * JUDGED {
            desk.call(SURFACES[number % 3], &read()).await;
        }
        assert_eq!(desk.upstream.arrivals(LOCKER), before + 2 * JUDGED);
    }
}
