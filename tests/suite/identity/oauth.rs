//! This server as an OAuth 2.1 resource server: what it says of itself, and how access tokens open its doors.

use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::{
    METADATA, OFTEN, access_token, check_challenge, principal, token_of, trusting_world,
};
use crate::support::tokens::{AUDIENCE, ISSUER, OTHER_RSA, RSA, good, signed, with};
use crate::support::upstream::Act;
use crate::support::{Client, LEGACY, Reply, World, problem};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// The same behind which the resource's own path stands.
const WITH_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// A request to a path of the port that MCP is served at.
async fn ask(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let origin = world.url.strip_suffix("/mcp").unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = world.http.request(method, format!("{origin}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn clients_learn_where_to_get_an_access_token() {
    let (authority, world) = trusting_world(&[], "").await;
    let expected = json!({
        "resource": AUDIENCE,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["reads", "account", "cards", "spend", "partner"],
        "bearer_methods_supported": ["header"],
        "resource_name": "sevendigital-mcp",
    });
    for path in [WELL_KNOWN, WITH_PATH] {
        let reply = ask(&world, "GET", path, &[]).await;
        assert_eq!(
            (reply.status, reply.kind()),
            (200, "application/json"),
            "{reply:?}"
        );
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.message(), expected);
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let reply = ask(&world, method, path, &[]).await;
            assert_eq!(reply.status, 405, "{method}: {reply:?}");
        }
        // A token makes no difference, not even a wrong one.
        let wrong = [("authorization", "Bearer x")];
        assert_eq!(ask(&world, "GET", path, &wrong).await.status, 200);
    }
    // The challenge leads there.
    let refused = Client::of(&world).ask("tools/list", json!({})).await;
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(METADATA), "{challenge}");
    assert!(METADATA.ends_with(WITH_PATH));
    assert_eq!(authority.fetches(), 0, "no token was looked at");
}

#[tokio::test]
async fn the_document_stands_where_there_is_something_to_say() {
    // The audience may be a bare origin; then there is one path.
    let bare = ("SEVENDIGITAL_MCP_AUTH_AUDIENCE", "https://mcp.example.com");
    let (_authority, bare) = trusting_world(&[bare], "").await;
    let none = World::start().await;
    for (world, path, status) in [
        (&bare, WELL_KNOWN, 200),
        (&bare, WITH_PATH, 404),
        (&none, WELL_KNOWN, 404),
        (&none, WITH_PATH, 404),
    ] {
        assert_eq!(ask(world, "GET", path, &[]).await.status, status, "{path}");
    }
}

const PAGE: &str = "https://app.example.com";
/// Ways to write it in the settings. A browser leaves the scheme's own port out, and writes names in small letters.
const SPELLINGS: [&str; 3] = [
    PAGE,
    "https://app.example.com:443",
    "HTTPS://App.Example.com",
];

/// Calls `check` with a server that lets the page call, and with the headers that a browser sends for it.
async fn check_page(check: impl AsyncFn(&World, &[(&str, &str)])) {
    for allowed in SPELLINGS {
        let origins = ("SEVENDIGITAL_MCP_ALLOWED_ORIGINS", allowed);
        let (_authority, world) = trusting_world(&[origins], "").await;
        check(
            &world,
            &[("origin", PAGE), ("sec-fetch-site", "cross-site")],
        )
        .await;
    }
}

#[tokio::test]
async fn a_page_that_may_call_can_read_the_document_and_another_can_not() {
    check_page(async |world, page| {
        for path in [WELL_KNOWN, WITH_PATH] {
            let reply = ask(world, "GET", path, page).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.headers["access-control-allow-origin"], PAGE);
            for other in ["https://evil.example", "null", "http://app.example.com"] {
                let foreign = [("origin", other), ("sec-fetch-site", "cross-site")];
                let reply = ask(world, "GET", path, &foreign).await;
                assert_eq!(reply.status, 403, "{reply:?}");
                assert!(!reply.headers.contains_key("access-control-allow-origin"));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_may_ask_first_and_read_the_challenge_of_a_refusal() {
    const WANTS: &str = "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name";
    check_page(async |world, page| {
        let header = |reply: &Reply, name: &str| {
            assert_eq!(reply.headers["access-control-allow-origin"], PAGE);
            reply.headers[name].to_str().unwrap().to_lowercase()
        };
        let asking = [
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", WANTS),
        ];
        let reply = ask(world, "OPTIONS", "/mcp", &[page, &asking].concat()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let may = header(&reply, "access-control-allow-headers");
        for name in WANTS.split(',') {
            assert!(may.contains(name), "{name}: {may}");
        }
        let reply = ask(world, "POST", "/mcp", page).await;
        assert_eq!(reply.status, 401);
        let exposed = header(&reply, "access-control-expose-headers");
        assert!(exposed.contains("www-authenticate"), "{exposed}");
    })
    .await;
}

#[tokio::test]
async fn a_good_access_token_opens_every_surface() {
    let (authority, world) = trusting_world(&OFTEN, "").await;
    let user = Client::of(&world).showing(&access_token("user-1", "reads"));
    let none = json!({});
    let reply = user.mcp("get-user-locker", &none).await;
    assert!(reply.result()["structuredContent"].is_object(), "{reply:?}");
    let reply = user.rest("get-user-locker", &none).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let session = user.in_session(LEGACY[0]).await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get-user-locker"}});
    let reply = session.say(&call).await;
    assert!(reply.result()["structuredContent"].is_object(), "{reply:?}");
    assert_eq!(authority.fetches(), 1, "keys are asked for once");
}

/// What can be wrong with a token stands in `jwt`; here is how each surface refuses one.
#[tokio::test]
async fn a_token_that_is_not_ours_is_refused_on_every_surface() {
    let (_authority, world) = trusting_world(&[], "").await;
    let header = json!({"alg": "RS256", "kid": "k1"});
    let good = access_token("user-1", "reads");
    let elsewhere = with(
        good_claims(),
        &json!({"aud": "https://other.example.com/mcp"}),
    );
    #[rustfmt::skip]
    let rows = [
        ("another audience", signed(&header, &elsewhere, RSA)),
        ("another's key", signed(&header, &good_claims(), OTHER_RSA)),
        ("an unknown key", signed(&json!({"alg": "RS256", "kid": "k2"}), &good_claims(), RSA)),
        ("cut", good[..good.len() - 1].to_owned()),
        ("no JWT", "0123456789abcdef0123456789abcdef".to_owned()),
    ];
    for (row, token) in rows {
        let somebody = Client::of(&world).showing(&token);
        let on_rest = somebody.rest("get-user-locker", &json!({})).await;
        problem(&on_rest, 401, "unauthenticated");
        let on_mcp = somebody.mcp("get-user-locker", &json!({})).await;
        for reply in [on_rest, on_mcp, somebody.initialize(LEGACY[0]).await] {
            check_challenge(row, &reply, true);
            for part in token.split('.').filter(|part| part.len() > 8) {
                assert!(!format!("{reply:?}").contains(part), "{row}: {reply:?}");
            }
        }
    }
    assert_eq!(world.arrivals().len(), 0);
    let user = Client::of(&world).showing(&good);
    assert_eq!(user.rest("get-user-locker", &json!({})).await.status, 200);
}

#[tokio::test]
async fn without_the_keys_no_token_is_accepted_and_none_is_called_wrong() {
    let file = principal("jane", &["reads"], "");
    let (authority, world) = trusting_world(&[], &file).await;
    authority.script(Act::Say(Vec::new()));
    let user = Client::of(&world).showing(&access_token("user-1", "reads"));
    problem(&user.rest("get-user-locker", &json!({})).await, 503, "busy");
    let on_mcp = user.mcp("get-user-locker", &json!({})).await;
    for reply in [on_mcp, user.initialize(LEGACY[0]).await] {
        assert_eq!(reply.status, 503, "{reply:?}");
        let wait = reply.headers["retry-after"].to_str().unwrap();
        assert!(
            (1..=60).contains(&wait.parse::<u64>().unwrap()),
            "{reply:?}"
        );
        assert!(!reply.headers.contains_key("www-authenticate"), "{reply:?}");
    }
    assert_eq!(world.arrivals().len(), 0);
    // Callers that this server knows by itself are not concerned.
    let jane = Client::of(&world).showing(&token_of("jane"));
    assert_eq!(jane.rest("get-user-locker", &json!({})).await.status, 200);
}

const ALL: &str = "reads account cards spend partner openid";

/// A principal who is known by a token's subject.
fn with_subject(subject: &str) -> String {
    format!(
        "[[principals]]\nname = \"jane\"\nsubject = {subject:?}\nallow = [\"reads\", \"select-user-payment-card\"]\nuser_id = \"500124\"\n"
    )
}

#[tokio::test]
async fn a_principal_is_known_by_the_whole_subject_of_a_token() {
    for subject in ["user-1", "u", &"ü".repeat(255)] {
        let (_authority, world) = trusting_world(&OFTEN, &with_subject(subject)).await;
        let jane = Client::of(&world).showing(&access_token(subject, ALL));
        let tools = jane.tool_names().await;
        assert!(
            tools.contains(&"select-user-payment-card".to_owned()),
            "{tools:?}"
        );
        assert!(
            !tools.contains(&"delete-user-payment-card".to_owned()),
            "{tools:?}"
        );
        jane.mcp("get-user-locker", &json!({})).await.result();
        let arrivals = world.arrivals();
        assert_eq!(arrivals[0].parameter("userId"), Some("500124"));
        assert_eq!(arrivals[0].parameter("oauth_token"), None);
        // Another subject is another caller.
        let other = format!("{}x", subject.strip_suffix('1').unwrap_or("user-2"));
        let john = Client::of(&world).showing(&access_token(&other, ALL));
        assert_eq!(
            john.tool_names().await.len(),
            sevendigital_tools::TOOLS.len()
        );
        assert_eq!(world.arrivals().len(), 1);
    }
}

#[tokio::test]
async fn what_a_principal_may_do_both_settings_and_token_allow() {
    let (_authority, world) = trusting_world(&OFTEN, &with_subject("user-1")).await;
    // A better token would not help where the settings allow no more.
    for (scope, tool) in [
        (ALL, "purchase-user-item"),
        ("reads", "purchase-user-item"),
        ("", "delete-user-payment-card"),
    ] {
        let jane = Client::of(&world).showing(&access_token("user-1", scope));
        let arguments = json!({"releaseId": "11700062", "body": {"cardId": "8154430"}});
        let on_mcp = jane.mcp(tool, &arguments).await;
        assert_eq!(
            on_mcp.message()["error"]["code"],
            -32602,
            "{scope}: {on_mcp:?}"
        );
        let on_rest = jane.rest(tool, &arguments).await;
        problem(&on_rest, 403, "not-allowed");
        for reply in [on_mcp, on_rest] {
            assert!(
                !reply.headers.contains_key("www-authenticate"),
                "{scope}: {reply:?}"
            );
        }
    }
    // Where they do, the token must too.
    let jane = Client::of(&world).showing(&access_token("user-1", "spend"));
    let card = json!({"body": {"cardId": "8154431"}});
    for reply in [
        jane.mcp("select-user-payment-card", &card).await,
        jane.rest("select-user-payment-card", &card).await,
    ] {
        assert_eq!(reply.status, 403, "{reply:?}");
        let challenge = reply.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("scope=\"cards spend\""), "{challenge}");
    }
    assert_eq!(world.arrivals().len(), 0);
}

fn good_claims() -> Value {
    with(good(), &json!({"scope": "reads"}))
}
