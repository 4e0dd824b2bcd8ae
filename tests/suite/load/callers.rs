//! What one named caller may take, and how often passwords are tried and accounts opened.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    Client, Desk, ITEM, LOCKER, Op, SURFACES, Surface, WAIT_MS, all_done, buy, held, locker, read,
};
use crate::identity::{BY_TOKEN, TOKEN, principal, token_of};
use crate::support::upstream::{Act, ok};
use crate::support::{Reply, Setting, failure, within};

const SIGN_IN: &str = "/user/authenticate";
const SIGN_UP: &str = "/user/signup";
const CREATE: &str = "/user/create";

/// A server that the operator and two named callers may use, with a client of each.
struct Office {
    desk: Desk,
    operator: Client,
    ann: Client,
    bob: Client,
}

impl Office {
    async fn with(settings: &[Setting<'_>]) -> Self {
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
        let client = async |name| Client::of(&desk.world, Some(&token_of(name))).await;
        Self {
            operator: desk.client.clone(),
            ann: client("ann").await,
            bob: client("bob").await,
            desk,
        }
    }
}

fn start(calls: &mut JoinSet<(Surface, Reply)>, client: &Client, surface: Surface, op: Op) {
    let client = client.clone();
    calls.spawn(async move { (surface, client.call(surface, &op).await) });
}

#[tokio::test]
async fn one_caller_has_so_many_calls_under_way_and_the_others_are_not_touched() {
    let limits = [("SEVENDIGITAL_MCP_LIMIT_CALLER_CALLS", "3")];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    upstream.script(LOCKER, held(locker()));
    upstream.script(ITEM, held(Act::Sell));
    // Reads and charges count alike, on whatever surface.
    let mut calls = JoinSet::new();
    start(&mut calls, &office.ann, Surface::Modern, read());
    start(&mut calls, &office.ann, Surface::Session, buy(1));
    start(&mut calls, &office.ann, Surface::Rest, read());
    upstream.wait_for(LOCKER, 2).await;
    upstream.wait_for(ITEM, 1).await;
    for surface in SURFACES {
        for op in [read(), buy(2)] {
            let reply = office.ann.call(surface, &op).await;
            let (told, _) = surface.check_refused(&reply, 429, "too-often");
            assert!(told.contains("as many calls under way as it may"), "{told}");
        }
    }
    let others = [&office.bob, &office.operator];
    for (number, client) in others.into_iter().enumerate() {
        start(&mut calls, client, SURFACES[number], read());
        start(&mut calls, client, SURFACES[number], buy(10 + number));
    }
    // The operator has no share, and all places.
    for _ in 0..4 {
        start(&mut calls, &office.operator, Surface::Rest, read());
    }
    upstream.wait_for(LOCKER, 8).await;
    upstream.wait_for(ITEM, 3).await;
    upstream.open_gate();
    all_done(calls).await;
    for surface in SURFACES {
        surface.check_done(&office.ann.call(surface, &read()).await);
    }
}

#[tokio::test]
async fn a_share_is_given_back_however_a_call_ends() {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_CALLS", "1"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLS", "1"),
        (WAIT_MS, "50"),
        ("SEVENDIGITAL_MCP_LIMIT_READ_MS", "300"),
    ];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    // Its own calls end in time-outs; and some are refused for want of a place, which another has.
    upstream.script(LOCKER, [Act::Hang(Vec::new())]);
    for surface in SURFACES {
        within("a time-out", office.ann.call(surface, &read())).await;
    }
    upstream.script(LOCKER, held(locker()));
    let mut calls = JoinSet::new();
    start(&mut calls, &office.bob, Surface::Rest, buy(1));
    start(&mut calls, &office.operator, Surface::Rest, read());
    upstream.wait_for(LOCKER, 4).await;
    let mut busy = 0;
    for surface in SURFACES {
        let reply = office.ann.call(surface, &read()).await;
        busy += u32::from(reply.status == 503);
    }
    assert!(busy > 0, "the place was taken");
    calls.abort_all();
    while calls.join_next().await.is_some() {}
    upstream.script(LOCKER, [locker()]);
    for surface in SURFACES {
        let reply = within("the share", async {
            loop {
                let reply = office.ann.call(surface, &read()).await;
                // The place is the operator's until its read is given up; the share is not.
                assert_ne!(reply.status, 429, "{reply:?}");
                if reply.status == 200 {
                    return reply;
                }
            }
        })
        .await;
        surface.check_done(&reply);
    }
}

#[tokio::test]
async fn one_caller_reads_so_often_and_the_others_are_not_touched() {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_PER_SECOND", "1"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_BURST", "6"),
    ];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    let mut refused = 0;
    for _ in 0..5 {
        for surface in SURFACES {
            let reply = office.ann.call(surface, &read()).await;
            if reply.status == 200 {
                surface.check_done(&reply);
                continue;
            }
            let (told, after) = surface.check_refused(&reply, 429, "too-often");
            assert_eq!(told, "Nothing was done: this caller reads too often.");
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
        surface.check_done(&office.ann.call(surface, &buy(release)).await);
    }
    for client in [&office.bob, &office.operator] {
        for surface in [SURFACES, SURFACES].concat() {
            surface.check_done(&client.call(surface, &read()).await);
        }
    }
    for _ in 0..4 {
        for surface in SURFACES {
            surface.check_done(&office.operator.call(surface, &read()).await);
        }
    }
}

fn sign_in(address: &Value) -> Op {
    Op {
        tool: "authenticate-user",
        arguments: json!({"body": {"emailAddress": address, "password": "p"}}),
        target: "/v1/user/authenticate".into(),
    }
}

fn sign_up(number: usize) -> Op {
    let address = format!("new{number}@example.com");
    Op {
        tool: "signup-user",
        arguments: json!({"body": {"emailAddress": address, "password": "p"}}),
        target: "/v1/user/signup".into(),
    }
}

fn create(number: usize) -> Op {
    let address = format!("new{number}@example.com");
    Op {
        tool: "create-user",
        target: format!("/v1/user/create?email={address}"),
        arguments: json!({"email": address}),
    }
}

/// The call was not sent, since it was done too often; gives the seconds to wait.
fn check_too_often(surface: Surface, reply: &Reply, what: &str) -> u64 {
    let result;
    let told = match surface {
        Surface::Rest => {
            let (told, after) = surface.check_refused(reply, 429, "too-often");
            assert!(
                told.contains(&format!("Wait {after} second")),
                "{after}: {told}"
            );
            told
        }
        Surface::Modern | Surface::Session => {
            result = reply.result();
            failure(&result).to_owned()
        }
    };
    let start = format!("It was not sent: {what} too often in the last minute. Wait ");
    let rest = told
        .strip_prefix(&start)
        .unwrap_or_else(|| panic!("{told}"));
    assert!(
        rest.ends_with("Nothing was changed; the call can safely be repeated later."),
        "{told}"
    );
    rest.split(' ').next().unwrap().parse().unwrap()
}

const THIS_ADDRESS: &str = "passwords for this e-mail address were tried";

#[tokio::test]
async fn so_many_passwords_are_tried_for_one_address_however_it_is_spelled_and_whoever_tries() {
    let limits = [("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", "5")];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    upstream.script(
        SIGN_IN,
        [Act::Say(ok(r#"{"status": "ok", "version": "1.2"}"#))],
    );
    let clients = [&office.ann, &office.bob, &office.operator];
    let spellings = [
        json!("jane@example.com"),
        json!("JANE@example.com"),
        json!("  jane@Example.COM "),
        json!("\tJane@Example.com\n"),
        json!("jane@example.com\u{a0}"),
        json!("jAnE@eXaMpLe.CoM"),
        json!("jane@example.com"),
        json!(" JANE@EXAMPLE.COM"),
        json!("jane@example.com"),
    ];
    for (number, spelling) in spellings.iter().enumerate() {
        let surface = SURFACES[number % 3];
        // Each surface meets each client in time, and the count is one.
        let client = clients[(number + number / 3) % 3];
        let reply = client.call(surface, &sign_in(spelling)).await;
        if number < 5 {
            surface.check_done(&reply);
        } else {
            // One is allowed every twelve seconds.
            let wait = check_too_often(surface, &reply, THIS_ADDRESS);
            assert!((1..=13).contains(&wait), "{wait}");
        }
    }
    assert_eq!(upstream.arrivals(SIGN_IN), 5);
    // A body that is text is the same body.
    let body = json!({"emailAddress": "jane@example.com", "password": "p"}).to_string();
    let as_text = Op {
        arguments: json!({"body": body}),
        ..sign_in(&json!(""))
    };
    let reply = office.operator.call(Surface::Modern, &as_text).await;
    check_too_often(Surface::Modern, &reply, THIS_ADDRESS);
    // What is no address at all is not counted, and not sent.
    for surface in SURFACES {
        let reply = office
            .operator
            .call(surface, &sign_in(&json!("jane")))
            .await;
        assert!(!reply.text.contains("too often"), "{reply:?}");
    }
    assert_eq!(upstream.arrivals(SIGN_IN), 5);
    // Other addresses are not touched, and nothing else is.
    for (number, surface) in SURFACES.into_iter().enumerate() {
        let other = json!(format!("jane{number}@example.com"));
        surface.check_done(&office.ann.call(surface, &sign_in(&other)).await);
        surface.check_done(&office.ann.call(surface, &read()).await);
    }
}

#[tokio::test]
async fn one_caller_tries_so_many_passwords_and_uses_up_nobody_elses() {
    let limits = [
        ("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", "2"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_LOGINS_PER_MINUTE", "4"),
    ];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    upstream.script(
        SIGN_IN,
        [Act::Say(ok(r#"{"status": "ok", "version": "1.2"}"#))],
    );
    let address = |number: usize| sign_in(&json!(format!("user{number}@example.com")));
    for number in 0..4 {
        let surface = SURFACES[number % 3];
        surface.check_done(&office.ann.call(surface, &address(number)).await);
    }
    for surface in SURFACES {
        for _ in 0..3 {
            let reply = office.ann.call(surface, &address(9)).await;
            let what = "passwords were tried by this caller";
            let wait = check_too_often(surface, &reply, what);
            assert!((1..=16).contains(&wait), "{wait}");
        }
    }
    assert_eq!(upstream.arrivals(SIGN_IN), 4);
    // What was not sent for it counts against nobody.
    for client in [&office.bob, &office.operator] {
        Surface::Rest.check_done(&client.call(Surface::Rest, &address(9)).await);
    }
    for number in 10..20 {
        let reply = office.operator.call(Surface::Rest, &address(number)).await;
        Surface::Rest.check_done(&reply);
    }
}

/// A call that opens an account with a number.
type Opening = fn(usize) -> Op;

#[tokio::test]
async fn one_caller_opens_so_many_accounts_with_each_tool() {
    let limits = [("SEVENDIGITAL_MCP_LIMIT_CALLER_OPENINGS_PER_MINUTE", "3")];
    let office = Office::with(&limits).await;
    let upstream = &office.desk.upstream;
    let tools: [(Opening, &str); 2] = [(sign_up, SIGN_UP), (create, CREATE)];
    for (op, path) in tools {
        for (number, surface) in SURFACES.into_iter().enumerate() {
            surface.check_done(&office.ann.call(surface, &op(number)).await);
        }
        for surface in SURFACES {
            let reply = office.ann.call(surface, &op(7)).await;
            let what = "accounts were opened by this caller";
            let wait = check_too_often(surface, &reply, what);
            assert!((1..=21).contains(&wait), "{wait}");
        }
        assert_eq!(upstream.arrivals(path), 3);
        for (number, surface) in SURFACES.into_iter().enumerate() {
            surface.check_done(&office.bob.call(surface, &op(10 + number)).await);
            surface.check_done(&office.operator.call(surface, &op(20 + number)).await);
        }
        for number in 30..34 {
            let reply = office.operator.call(Surface::Rest, &op(number)).await;
            Surface::Rest.check_done(&reply);
        }
    }
}
