//! On whose account callers act: one that is bound acts on its own alone, whatever it names and however it spells it.

use serde_json::{Map, Value, json};
use sevendigital::{Auth, Method};
use sevendigital_sandbox::{Arrival, Signature, demo};

use crate::identity::{ALL_SCOPES, BY_TOKEN, OFTEN, TOKEN, named, principal};
use crate::support::calls::{ROWS, calls, tool as find};
use crate::support::{Client, Setting, World, failure, problem};

// Another user in an argument, in every place and spelling.
mod arguments;

const A: &str = demo::SECOND_USER_ID;
const A_TOKEN: &str = demo::SECOND_ACCESS_TOKEN;
const A_SECRET: &str = demo::SECOND_ACCESS_TOKEN_SECRET;
const B: &str = demo::USER_ID;
const B_TOKEN: &str = demo::ACCESS_TOKEN;
const FROM_HEADERS: Setting<'static> = ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true");
/// B is the user of the settings, by token or by id: whatever falls back to them is B's.
const B_BY_ID: [Setting<'static>; 3] = [
    ("SEVENDIGITAL_ACCESS_TOKEN", ""),
    ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
    ("SEVENDIGITAL_USER_ID", B),
];

/// How A is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Id,
    Token,
    Both,
}

impl Bound {
    const ALL: [Self; 3] = [Self::Id, Self::Token, Self::Both];

    fn file(self) -> String {
        let id = format!("user_id = {A:?}\n");
        let pair = format!("access_token = {A_TOKEN:?}\naccess_token_secret = {A_SECRET:?}\n");
        let account = match self {
            Self::Id => id,
            Self::Token => pair,
            Self::Both => id + &pair,
        };
        principal("a", &ALL_SCOPES, &account)
    }

    fn has_token(self) -> bool {
        self != Self::Id
    }

    /// Whether the settings know A's id.
    fn has_id(self) -> bool {
        self != Self::Token
    }
}

fn is_post(tool: &str) -> bool {
    find(tool).contract.upstream.method == Method::Post
}

/// The fields of a call: its arguments, or those inside `body`.
fn fields<'a>(tool: &str, arguments: &'a mut Value) -> &'a mut Map<String, Value> {
    let fields = if is_post(tool) {
        &mut arguments["body"]
    } else {
        arguments
    };
    fields.as_object_mut().unwrap()
}

/// A good call of each tool that names no user.
fn nameless() -> Vec<(&'static str, Value)> {
    let mut calls = calls();
    for (tool, arguments) in &mut calls {
        fields(tool, arguments).remove("userId");
    }
    calls
}

/// A call of each tool that takes a user's id, for that user.
fn naming(user: &str) -> Vec<(&'static str, Value)> {
    let mut calls = nameless();
    calls.retain(|(tool, _)| {
        json!(find(tool).input_schema())
            .to_string()
            .contains("\"userId\"")
    });
    for (tool, arguments) in &mut calls {
        fields(tool, arguments).insert("userId".into(), json!(user));
    }
    calls
}

/// Users that a request names, whatever the case of the name.
fn users_in(arrival: &Arrival) -> Vec<&str> {
    let parameters = arrival.query.iter().chain(&arrival.form);
    let users = parameters.filter(|(name, _)| name.eq_ignore_ascii_case("userId"));
    users.map(|(_, id)| id.as_str()).collect()
}

fn signer(arrival: &Arrival) -> Option<&str> {
    match &arrival.signature {
        Signature::Verified { token } => token.as_deref(),
        other => panic!("{}: {other:?}", arrival.path),
    }
}

/// What arrived is A's: signed with A's token or labelled with A's id, and B's in no way.
fn check_arrival(bound: Bound, tool: &str, arrival: &Arrival) {
    let (signer, named) = (signer(arrival), users_in(arrival));
    let row = format!("{bound:?} {tool}: {arrival:?}");
    assert!(!named.contains(&B), "{row}");
    assert!(
        !format!("{arrival:?}").contains(&format!("{B_TOKEN}\"")),
        "{row}"
    );
    match find(tool).contract.upstream.auth {
        Auth::User if bound.has_token() => {
            assert_eq!(signer, Some(A_TOKEN), "{row}");
            assert!(named.iter().all(|id| *id == A), "{row}");
        }
        Auth::User => {
            assert_eq!(signer, None, "{row}");
            assert_eq!(named, [A], "{row}");
        }
        Auth::Consumer => {
            assert_eq!(signer, None, "{row}");
            let new = tool == "create-user";
            assert!(new || named.iter().all(|id| *id == A), "{row}");
        }
    }
}

/// Refused in words that name the argument, and nothing was sent.
#[track_caller]
fn check_told(world: &World, before: usize, row: &str, told: &str) {
    assert!(told.to_lowercase().contains("userid"), "{row}: {told}");
    assert!(!told.contains(B), "{row}: {told}");
    assert_eq!(world.arrivals().len(), before, "{row}");
}

#[tokio::test]
async fn what_a_bound_caller_calls_is_its_own_account() {
    for bound in Bound::ALL {
        for settings in [&[][..], &B_BY_ID] {
            for on_rest in [false, true] {
                let world = World::with_file(&[&OFTEN[..], settings].concat(), &bound.file()).await;
                check_own(bound, &world, on_rest).await;
            }
        }
    }
}

/// Every tool without a user's id and with A's own; the card and basket ids are B's.
async fn check_own(bound: Bound, world: &World, on_rest: bool) {
    let a = named(world, "a");
    let calls = nameless().into_iter().map(|call| (call, false));
    let named = naming(A).into_iter().map(|call| (call, true));
    for ((tool, arguments), is_named) in calls.chain(named) {
        let before = world.arrivals().len();
        let reply = if on_rest {
            a.rest(tool, &arguments).await
        } else {
            a.mcp(tool, &arguments).await
        };
        let arrivals = &world.arrivals()[before..];
        for arrival in arrivals {
            check_arrival(bound, tool, arrival);
        }
        // A caller that is bound by a token alone has no id that could be held against the one that is named.
        let foreign = is_named && !bound.has_id();
        let said = reply.text.contains("may not act for the user");
        assert_eq!(said, foreign, "{bound:?} {tool}: {reply:?}");
        assert!(!foreign || arrivals.is_empty());
    }
    assert!(
        world.arrivals().len() >= ROWS.len() - 1,
        "{bound:?}: each but the one that needs an id"
    );
}

const ID: &str = "X-7digital-User-Id";
const PAIR: [&str; 2] = ["X-7digital-Access-Token", "X-7digital-Access-Token-Secret"];

#[tokio::test]
async fn headers_of_another_user_are_refused_of_a_bound_caller() {
    let b_pair = [(PAIR[0], B_TOKEN), (PAIR[1], demo::ACCESS_TOKEN_SECRET)];
    let a_pair = [(PAIR[0], A_TOKEN), (PAIR[1], A_SECRET)];
    let crossed = [(PAIR[0], A_TOKEN), (PAIR[1], demo::ACCESS_TOKEN_SECRET)];
    let users: [&[(&'static str, &str)]; 9] = [
        &[(ID, B)],
        &[(ID, " 500123")],
        &[(ID, "999999")],
        &b_pair,
        // A pair says nothing of whose it is, so A's own is as good as another's.
        &a_pair,
        &crossed,
        &[(ID, A), (ID, B)],
        &[(ID, A), b_pair[0], b_pair[1]],
        &[b_pair[0]],
    ];
    for bound in Bound::ALL {
        for settings in [&[][..], &[FROM_HEADERS]] {
            let world = World::with_file(&[&OFTEN[..], settings].concat(), &bound.file()).await;
            let a = named(&world, "a");
            for user in users {
                for (tool, arguments) in nameless() {
                    let row = format!("{bound:?} {settings:?} {user:?} {tool}");
                    // One of them needs a user's id; where no header is taken, the tool makes no difference.
                    if tool == "get-user-details"
                        || (settings.is_empty() && tool != "purchase-user-item")
                    {
                        continue;
                    }
                    let a = a.with_all(user);
                    let result = a.mcp(tool, &arguments).await.result();
                    failure(&result);
                    let reply = a.rest(tool, &arguments).await;
                    assert!([400, 403].contains(&reply.status), "{row}: {reply:?}");
                    assert!(
                        !reply.text.contains(B) && !reply.text.contains(B_TOKEN),
                        "{row}"
                    );
                    assert_eq!(world.arrivals().len(), 0, "{row}");
                }
            }
        }
        // Its own id does no harm where headers are taken, and does not allow another id in an argument.
        let world = World::with_file(&[&OFTEN[..], &[FROM_HEADERS]].concat(), &bound.file()).await;
        let a = named(&world, "a").with(ID, A);
        let result = a.mcp("get-user-locker", &json!({})).await.result();
        assert_eq!(
            result["isError"] != true,
            bound.has_id(),
            "{bound:?}: {result}"
        );
        let other = a.rest("get-user-locker", &json!({"userId": B})).await;
        problem(&other, 403, "not-allowed");
        for arrival in world.arrivals() {
            check_arrival(bound, "get-user-locker", &arrival);
        }
    }
}

/// Callers that are not bound, where the settings have no token: then a user's id says who it is.
async fn unbound() -> World {
    let file = [
        principal("plain", &["reads", "cards", "spend"], ""),
        principal("partner", &ALL_SCOPES, ""),
        principal("single", &["get-user-details", "get-user-locker"], ""),
    ];
    let settings = [&OFTEN[..], &B_BY_ID[..2], &[FROM_HEADERS, BY_TOKEN]].concat();
    World::with_file(&settings, &file.concat()).await
}

#[tokio::test]
async fn a_caller_without_the_scope_partner_names_no_user() {
    let world = unbound().await;
    let plain = named(&world, "plain");
    let granted = |(tool, _): &(&str, Value)| {
        ["reads", "cards", "spend"].contains(&find(tool).contract.scope.as_str())
    };
    for (tool, arguments) in naming(A).into_iter().filter(granted) {
        let told = plain.mcp(tool, &arguments).await.result();
        check_told(&world, 0, tool, failure(&told));
        let reply = plain.rest(tool, &arguments).await;
        problem(&reply, 403, "not-allowed");
        check_told(&world, 0, tool, &reply.text);
    }
    let by_header = plain.with(ID, A);
    for (tool, arguments) in nameless().into_iter().filter(granted) {
        failure(&by_header.mcp(tool, &arguments).await.result());
        problem(&by_header.rest(tool, &arguments).await, 403, "not-allowed");
    }
    assert_eq!(world.arrivals().len(), 0);
    // A tool that is about users was granted, and is good for that; others are not.
    let single = named(&world, "single");
    let of_a = json!({"userId": A});
    let details = single.mcp("get-user-details", &of_a).await.result();
    assert_ne!(details["isError"], true, "{details}");
    let reply = single.rest("get-user-locker", &of_a).await;
    problem(&reply, 403, "not-allowed");
    assert_eq!(world.arrivals().len(), 1);
}

#[tokio::test]
async fn with_the_scope_partner_each_call_is_for_the_user_that_it_names() {
    for caller in [Some("partner"), None] {
        let world = unbound().await;
        let operator = || Client::of(&world).showing(TOKEN);
        let somebody = caller.map_or_else(operator, |name| named(&world, name));
        for (tool, arguments) in naming(A) {
            let before = world.arrivals().len();
            let reply = somebody.mcp(tool, &arguments).await;
            let arrivals = &world.arrivals()[before..];
            assert!(!arrivals.is_empty(), "{tool}: {reply:?}");
            for arrival in arrivals {
                let found = (signer(arrival), users_in(arrival));
                assert_eq!(found, (None, vec![A]), "{tool}: {reply:?}");
            }
        }
        let before = world.arrivals().len();
        let somebody = somebody.with(ID, A);
        let reply = somebody.rest("get-user-locker", &json!({})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(users_in(&world.arrivals()[before]), [A]);
        // The header names one user and the argument another.
        let reply = somebody
            .rest("get-user-locker", &json!({"userId": B}))
            .await;
        problem(&reply, 400, "invalid-header");
        assert_eq!(world.arrivals().len(), before + 1);
    }
}

#[tokio::test]
async fn a_caller_that_is_not_bound_acts_on_the_settings_account() {
    let plain = principal("plain", &["reads"], "");
    for (settings, expected) in [
        (&[][..], (Some(B_TOKEN), vec![])),
        (&B_BY_ID, (None, vec![B])),
    ] {
        let world = World::with_file(&[settings, &[FROM_HEADERS]].concat(), &plain).await;
        let somebody = named(&world, "plain");
        let reply = somebody.rest("get-user-locker", &json!({})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let arrivals = world.arrivals();
        assert_eq!((signer(&arrivals[0]), users_in(&arrivals[0])), expected);
        let own = somebody.with_all(&[(PAIR[0], A_TOKEN), (PAIR[1], A_SECRET)]);
        let reply = own.rest("get-user-locker", &json!({})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let arrivals = world.arrivals();
        assert_eq!(
            (signer(&arrivals[1]), users_in(&arrivals[1])),
            (Some(A_TOKEN), vec![])
        );
        // With a token, each id is another's: also that of the settings.
        for id in [A, B] {
            let reply = own.rest("get-user-locker", &json!({"userId": id})).await;
            problem(&reply, 403, "not-allowed");
        }
        assert_eq!(world.arrivals().len(), 2);
    }
}
