//! What one named caller may take, and how often passwords are tried and accounts opened.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::desk::{
    Desk, ITEM, LOCKER, Numbered, Op, QUEUE_TIMEOUT, add, all_done, buy, call, check_done,
    check_refused, client, held, locker, read,
};
use crate::identity::{BY_TOKEN, TOKEN, principal, token_of};
use crate::support::upstream::{Act, ok};
use crate::support::{Client, Reply, SURFACES, Setting, Surface, failure, within};

const SIGN_IN: &str = "/user/authenticate";
const SIGN_UP: &str = "/user/signup";
const CREATE: &str = "/user/create";

/// A server that the operator and two named callers may use, with a client of each.
pub(super) struct Office {
    pub(super) desk: Desk,
    operator: Client,
    pub(super) ann: Client,
    pub(super) bob: Client,
}

impl Office {
    pub(super) async fn with(settings: &[Setting<'_>]) -> Self {
        let all = ["reads", "account", "cards", "spend", "partner"];
        let file = ["ann", "bob"]
            .map(|name| principal(name, &all, ""))
            .concat();
        let settings = [
            &[BY_TOKEN, ("SEVENDIGITAL_MCP_SPENDING", "allow")],
            settings,
        ]
        .concat();
        let desk = Desk::with_file(&settings, &file, Some(TOKEN)).await;
        desk.upstream.script(LOCKER, [locker()]);
        let client = async |name| client(&desk.world, Some(&token_of(name))).await;
        Self {
            operator: desk.client.clone(),
            ann: client("ann").await,
            bob: client("bob").await,
            desk,
        }
    }
}

#[tokio::test]
async fn one_caller_has_so_many_calls_in_flight_and_the_others_are_unaffected() {
    let limits = [("SEVENDIGITAL_MCP_LIMIT_CALLER_CONCURRENT_CALLS", "3")];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    upstream.script(LOCKER, held(locker()));
    upstream.script(ITEM, held(Act::Sell));
    // Reads and charges count alike, on whatever surface.
    let mut calls = JoinSet::new();
    add(&mut calls, &office.ann, Surface::Modern, &read());
    add(&mut calls, &office.ann, Surface::Session, &buy(1));
    add(&mut calls, &office.ann, Surface::Rest, &read());
    upstream.wait_for(LOCKER, 2).await;
    upstream.wait_for(ITEM, 1).await;
    for surface in SURFACES {
        for op in [read(), buy(2)] {
            let reply = call(&office.ann, surface, &op).await;
            let (told, _) = check_refused(surface, &reply, 429, "too-often");
            assert!(told.contains("as many calls in flight as it may"), "{told}");
        }
    }
    let others = [&office.bob, &office.operator];
    for (number, client) in others.into_iter().enumerate() {
        add(&mut calls, client, SURFACES[number], &read());
        add(&mut calls, client, SURFACES[number], &buy(10 + number));
    }
    // The operator has no limit of its own, and all permits.
    for _ in 0..4 {
        add(&mut calls, &office.operator, Surface::Rest, &read());
    }
    upstream.wait_for(LOCKER, 8).await;
    upstream.wait_for(ITEM, 3).await;
    upstream.open_gate();
    all_done(calls).await;
    for surface in SURFACES {
        check_done(surface, &call(&office.ann, surface, &read()).await);
    }
}

#[tokio::test]
async fn what_one_caller_uses_is_given_back_however_a_call_ends() {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_CONCURRENT_CALLS", "1"),
        ("SEVENDIGITAL_MCP_LIMIT_MAX_CONCURRENT_CALLS", "1"),
        (QUEUE_TIMEOUT, "50ms"),
        ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "300ms"),
    ];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    // Its own calls end in time-outs; and some are refused for want of a permit, which another has.
    upstream.script(LOCKER, [Act::Hang(Vec::new())]);
    for surface in SURFACES {
        within("a time-out", call(&office.ann, surface, &read())).await;
    }
    upstream.script(LOCKER, held(locker()));
    let mut calls = JoinSet::new();
    add(&mut calls, &office.bob, Surface::Rest, &buy(1));
    add(&mut calls, &office.operator, Surface::Rest, &read());
    upstream.wait_for(LOCKER, 4).await;
    let mut busy = 0;
    for surface in SURFACES {
        let reply = call(&office.ann, surface, &read()).await;
        busy += u32::from(!is_done(&reply));
    }
    assert!(busy > 0, "the permit was taken");
    calls.abort_all();
    while calls.join_next().await.is_some() {}
    upstream.script(LOCKER, [locker()]);
    for surface in SURFACES {
        let reply = within("the share", async {
            loop {
                let reply = call(&office.ann, surface, &read()).await;
                // The permit is the operator's until its read is given up; ann's own limit is not reached.
                assert!(!reply.text.contains("as it may"), "{reply:?}");
                if is_done(&reply) {
                    return reply;
                }
            }
        })
        .await;
        check_done(surface, &reply);
    }
}

#[tokio::test]
async fn one_caller_reads_so_often_and_the_others_are_unaffected() {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_PER_SECOND", "1"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_BURST", "6"),
    ];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    let mut refused = 0;
    for _ in 0..5 {
        for surface in SURFACES {
            let reply = call(&office.ann, surface, &read()).await;
            if is_done(&reply) {
                check_done(surface, &reply);
                continue;
            }
            let (text, after) = check_refused(surface, &reply, 429, "too-often");
            assert!(
                text.starts_with("It was not sent: this caller reads too often. Nothing was changed; the call can safely be repeated in 1 second."),
                "{text}"
            );
            assert_eq!(after, 1);
            refused += 1;
        }
    }
    let passed = upstream.arrivals(LOCKER);
    assert_eq!(passed + refused, 15);
    // Six at once, and one more for each second that the test has lasted.
    assert!((6..15).contains(&passed), "{passed}");
    // What is no read is not bound by it.
    for (surface, release) in SURFACES.into_iter().zip(1..) {
        check_done(surface, &call(&office.ann, surface, &buy(release)).await);
    }
    for client in [&office.bob, &office.operator] {
        for surface in [SURFACES, SURFACES].concat() {
            check_done(surface, &call(client, surface, &read()).await);
        }
    }
    for _ in 0..4 {
        for surface in SURFACES {
            check_done(surface, &call(&office.operator, surface, &read()).await);
        }
    }
}

fn sign_in(address: &Value) -> Op {
    let body = json!({"emailAddress": address, "password": "p"});
    ("authenticate-user", json!({"body": body}))
}

fn sign_up(number: usize) -> Op {
    let body = json!({"emailAddress": format!("new{number}@example.com"), "password": "p"});
    ("signup-user", json!({"body": body}))
}

/// Whether the call has a document, on any surface.
fn is_done(reply: &Reply) -> bool {
    let message = reply.message();
    reply.status == 200 && message["error"].is_null() && message["result"]["isError"] != true
}

/// The answer to a right password.
fn signed_in() -> Act {
    Act::Say(ok(r#"{"status": "ok", "user": {"id": "1"}}"#))
}

fn create(number: usize) -> Op {
    let email = format!("new{number}@example.com");
    ("create-user", json!({"email": email}))
}

/// The call was not sent, since it was done too often; gives the seconds to wait.
fn check_too_often(surface: Surface, reply: &Reply, what: &str) -> u64 {
    let result;
    let told = match surface {
        Surface::Rest => {
            let (told, after) = check_refused(surface, reply, 429, "too-often");
            assert!(
                told.contains(&format!("repeated in {after} second")),
                "{after}: {told}"
            );
            told
        }
        Surface::Modern | Surface::Session => {
            result = reply.result();
            failure(&result).to_owned()
        }
    };
    let start = format!(
        "It was not sent: {what} too often in the last minute. Nothing was changed; the call can safely be repeated in "
    );
    let rest = told
        .strip_prefix(&start)
        .unwrap_or_else(|| panic!("{told}"));
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// Makes so many calls; of these as many pass as the quota of a minute says, and one more for each part of it that they took.
async fn check_quota(
    what: &str,
    per_minute: usize,
    calls: impl IntoIterator<Item = (&Client, Surface, Op)>,
) -> usize {
    let (mut passed, mut refused, started) = (0, 0, Instant::now());
    for (client, surface, op) in calls {
        let reply = call(client, surface, &op).await;
        if reply.text.contains("too often") {
            let wait = check_too_often(surface, &reply, what);
            let most = u64::try_from(60 / per_minute).unwrap() + 1;
            assert!((1..=most).contains(&wait), "{wait}");
            refused += 1;
        } else {
            check_done(surface, &reply);
            passed += 1;
        }
    }
    let part = Duration::from_secs(60) / u32::try_from(per_minute).unwrap();
    let more = started.elapsed().as_micros() / part.as_micros();
    let most = per_minute + usize::try_from(more).unwrap();
    println!("{passed} passed, {refused} were refused: {what}");
    assert!((per_minute..=most).contains(&passed), "{passed} of {most}");
    assert!(refused > 0, "the quota was used up");
    passed
}

const THIS_ADDRESS: &str = "passwords for this e-mail address were tried";

#[tokio::test]
async fn passwords_for_one_address_are_counted_over_spellings_and_callers() {
    let limits = [("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", "5")];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    upstream.script(SIGN_IN, [signed_in()]);
    let clients = [&office.ann, &office.bob, &office.operator];
    let spellings = [
        "jane@example.com",
        "JANE@example.com",
        "  jane@Example.COM ",
        "\tJane@Example.com\n",
        "jane@example.com\u{a0}",
        "jAnE@eXaMpLe.CoM",
        "jane@example.com",
        " JANE@EXAMPLE.COM",
        "jane@example.com",
    ];
    // Each surface meets each client in time, and the count is one.
    let tries = spellings.into_iter().enumerate().map(|(number, spelling)| {
        let client = clients[(number + number / 3) % 3];
        (client, SURFACES[number % 3], sign_in(&json!(spelling)))
    });
    // A body that is text is the same body.
    let body = json!({"emailAddress": "jane@example.com", "password": "p"}).to_string();
    let as_text = ("authenticate-user", json!({"body": body}));
    let tries = tries.chain([(&office.operator, Surface::Modern, as_text)]);
    let passed = check_quota(THIS_ADDRESS, 5, tries).await;
    assert_eq!(upstream.arrivals(SIGN_IN), passed);
    // What is no address at all is not counted, and not sent.
    for surface in SURFACES {
        let reply = call(&office.operator, surface, &sign_in(&json!("jane"))).await;
        assert!(!reply.text.contains("too often"), "{reply:?}");
    }
    assert_eq!(upstream.arrivals(SIGN_IN), passed);
    // Other addresses and other tools are unaffected.
    for (number, surface) in SURFACES.into_iter().enumerate() {
        let other = sign_in(&json!(format!("jane{number}@example.com")));
        for op in [other, read()] {
            check_done(surface, &call(&office.ann, surface, &op).await);
        }
    }
}

#[tokio::test]
async fn one_caller_tries_so_many_passwords_and_uses_up_only_its_own() {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", "6"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_LOGINS_PER_MINUTE", "4"),
    ];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    upstream.script(SIGN_IN, [signed_in()]);
    let address = |number: usize| sign_in(&json!(format!("user{number}@example.com")));
    let tries = (0..13).map(|number| (&office.ann, SURFACES[number % 3], address(number.min(4))));
    let what = "passwords were tried by this caller";
    let passed = check_quota(what, 4, tries).await;
    assert_eq!(upstream.arrivals(SIGN_IN), passed);
    // What was not sent for it counts against none of the others.
    for client in [&office.bob, &office.operator] {
        let reply = call(client, Surface::Rest, &address(4)).await;
        check_done(Surface::Rest, &reply);
    }
    for number in 10..20 {
        let reply = call(&office.operator, Surface::Rest, &address(number)).await;
        check_done(Surface::Rest, &reply);
    }
}

#[tokio::test]
async fn one_caller_opens_so_many_accounts_with_each_tool() {
    let limits = [("SEVENDIGITAL_MCP_LIMIT_CALLER_SIGNUPS_PER_MINUTE", "3")];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    let tools: [(Numbered, &str); 2] = [(sign_up, SIGN_UP), (create, CREATE)];
    for (op, path) in tools {
        let tries = (0..6).map(|number| (&office.ann, SURFACES[number % 3], op(number)));
        let what = "accounts were opened by this caller";
        let passed = check_quota(what, 3, tries).await;
        assert_eq!(upstream.arrivals(path), passed);
        for (number, surface) in SURFACES.into_iter().enumerate() {
            check_done(surface, &call(&office.bob, surface, &op(10 + number)).await);
            check_done(
                surface,
                &call(&office.operator, surface, &op(20 + number)).await,
            );
        }
        for number in 30..34 {
            let reply = call(&office.operator, Surface::Rest, &op(number)).await;
            check_done(Surface::Rest, &reply);
        }
    }
}
