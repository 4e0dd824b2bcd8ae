//! This server as an OAuth 2.1 resource server: what it says of itself, and whose access tokens it takes.

use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::Method;
use serde_json::{Value, json};
use sevendigital_mcp::identity::protected_resource::WELL_KNOWN;

use crate::identity::jwt::{self, AUDIENCE, ISSUER, OTHER_RSA, RSA, RSA_PUBLIC};
use crate::identity::{
    METADATA, OFTEN, Somebody, access_token, authority, check_challenge, principal, token_of,
    trusting,
};
use crate::rest::routes::problem;
use crate::support::{Reply, World};

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
async fn clients_are_told_where_to_get_an_access_token() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&trusting(&keys)).await;
    let expected = json!({
        "resource": AUDIENCE,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["reads", "account", "cards", "spend", "partner"],
        "bearer_methods_supported": ["header"],
        "resource_name": "sevendigital-mcp",
    });
    let with_path = format!("{WELL_KNOWN}/mcp");
    for path in [WELL_KNOWN, &with_path] {
        let reply = ask(&world, "GET", path, &[]).await;
        assert_eq!(
            (reply.status, reply.kind()),
            (200, "application/json"),
            "{reply:?}"
        );
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(
            serde_json::from_str::<Value>(&reply.text).unwrap(),
            expected
        );
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let reply = ask(&world, method, path, &[]).await;
            assert_eq!(reply.status, 405, "{method}: {reply:?}");
        }
        // A token makes no difference, not even a wrong one.
        let wrong = [("authorization", "Bearer x")];
        assert_eq!(ask(&world, "GET", path, &wrong).await.status, 200);
    }
    // The challenge leads there.
    let refused = Somebody::unknown(&world).ask("tools/list", json!({})).await;
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(METADATA), "{challenge}");
    assert!(METADATA.ends_with(&with_path));
    assert_eq!(
        authority.requests().len(),
        0,
        "nobody's token was looked at"
    );

    // The audience may be a bare origin; then there is one path.
    let bare = [
        trusting(&keys),
        [("SEVENDIGITAL_MCP_AUTH_AUDIENCE", "https://mcp.example.com")]
            .repeat(3)
            .try_into()
            .unwrap(),
    ]
    .concat();
    let world = World::with(&bare).await;
    assert_eq!(ask(&world, "GET", WELL_KNOWN, &[]).await.status, 200);
    assert_eq!(ask(&world, "GET", &with_path, &[]).await.status, 404);
    // Without an authorization server there is nothing to tell.
    let world = World::start().await;
    for path in [WELL_KNOWN, &with_path] {
        assert_eq!(ask(&world, "GET", path, &[]).await.status, 404);
    }
}

#[tokio::test]
async fn a_page_that_may_call_can_read_it_and_another_can_not() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    // A browser leaves the scheme's own port out, and writes names in small letters.
    for allowed in [
        "https://app.example.com",
        "https://app.example.com:443",
        "HTTPS://App.Example.com",
    ] {
        let origins = [("SEVENDIGITAL_MCP_ALLOWED_ORIGINS", allowed)];
        let world = World::with(&[&trusting(&keys)[..], &origins].concat()).await;
        let page = [
            ("origin", "https://app.example.com"),
            ("sec-fetch-site", "cross-site"),
        ];
        for path in [WELL_KNOWN, &format!("{WELL_KNOWN}/mcp")] {
            let reply = ask(&world, "GET", path, &page).await;
            assert_eq!(reply.status, 200, "{allowed}: {reply:?}");
            assert_eq!(
                reply.headers["access-control-allow-origin"], "https://app.example.com",
                "{allowed}"
            );
            for other in ["https://evil.example", "null", "http://app.example.com"] {
                let foreign = [("origin", other), ("sec-fetch-site", "cross-site")];
                let reply = ask(&world, "GET", path, &foreign).await;
                assert_eq!(reply.status, 403, "{allowed}: {reply:?}");
                assert!(!reply.headers.contains_key("access-control-allow-origin"));
            }
        }
        // What it must ask before it may call, and what it may read of a refusal.
        let wants = "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name";
        let preflight = [
            &page[..],
            &[
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", wants),
            ],
        ]
        .concat();
        let reply = ask(&world, "OPTIONS", "/mcp", &preflight).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            reply.headers["access-control-allow-origin"],
            "https://app.example.com"
        );
        let may = reply.headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .to_lowercase();
        for header in wants.split(',') {
            assert!(may.contains(header), "{header}: {may}");
        }
        let reply = ask(&world, "POST", "/mcp", &page).await;
        assert_eq!(reply.status, 401);
        assert_eq!(
            reply.headers["access-control-allow-origin"],
            "https://app.example.com"
        );
        let exposed = reply.headers["access-control-expose-headers"]
            .to_str()
            .unwrap();
        assert!(
            exposed.to_lowercase().contains("www-authenticate"),
            "{exposed}"
        );
    }
}

#[tokio::test]
async fn a_good_access_token_opens_every_surface() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&[&trusting(&keys)[..], &OFTEN].concat()).await;
    let user = Somebody::with_token(&world, &access_token("user-1", "reads"));
    let none = json!({});
    let reply = user.mcp("get-user-locker", &none).await;
    assert!(reply.result()["structuredContent"].is_object(), "{reply:?}");
    let reply = user.rest("get-user-locker", &none).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let session = user.session().await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get-user-locker"}});
    let reply = user.legacy(Some(&session), &call).await;
    assert!(reply.result()["structuredContent"].is_object(), "{reply:?}");
    assert_eq!(authority.requests().len(), 1, "keys are asked for once");
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused_as_invalid() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&trusting(&keys)).await;
    let header = json!({"alg": "RS256", "kid": "k1"});
    let patched = |patch: Value| {
        jwt::signed(
            &header,
            &jwt::with(jwt::with(jwt::good(), &json!({"scope": "reads"})), &patch),
            RSA,
        )
    };
    let unsigned = |alg: &str| {
        let header = json!({"alg": alg, "kid": "k1"}).to_string();
        format!("{}.", jwt::joined(&header, &jwt::good().to_string()))
    };
    let hmac = {
        let header = json!({"alg": "HS256", "kid": "k1"}).to_string();
        let message = jwt::joined(&header, &jwt::good().to_string());
        let key = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
        let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{mac}")
    };
    let good = patched(json!({}));
    let rows = [
        (
            "another audience",
            patched(json!({"aud": "https://other.example.com/mcp"})),
        ),
        (
            "a longer audience",
            patched(json!({"aud": format!("{AUDIENCE}/x")})),
        ),
        (
            "a shorter audience",
            patched(json!({"aud": "https://mcp.example.com"})),
        ),
        ("no audience", patched(json!({"aud": null}))),
        (
            "another issuer",
            patched(json!({"iss": "https://login.example.com"})),
        ),
        ("no issuer", patched(json!({"iss": null}))),
        ("expired", patched(json!({"exp": jwt::now() - 120}))),
        ("no end", patched(json!({"exp": null}))),
        ("not yet", patched(json!({"nbf": jwt::now() + 120}))),
        ("no subject", patched(json!({"sub": null}))),
        ("none", unsigned("none")),
        ("no signature", unsigned("RS256")),
        ("an HMAC of the public key", hmac),
        (
            "another's key",
            jwt::signed(&header, &jwt::good(), OTHER_RSA),
        ),
        (
            "an unknown key",
            jwt::signed(&json!({"alg": "RS256", "kid": "k2"}), &jwt::good(), RSA),
        ),
        ("cut", good[..good.len() - 1].to_owned()),
        ("no JWT", "0123456789abcdef0123456789abcdef".to_owned()),
    ];
    for (row, token) in rows {
        let somebody = Somebody::with_token(&world, &token);
        let on_rest = somebody.rest("get-user-locker", &json!({})).await;
        problem(&on_rest, 401, "unauthenticated");
        let on_mcp = somebody.mcp("get-user-locker", &json!({})).await;
        for reply in [on_rest, on_mcp, somebody.initialize().await] {
            check_challenge(row, &reply, true);
            for part in token.split('.').filter(|part| part.len() > 8) {
                assert!(!format!("{reply:?}").contains(part), "{row}: {reply:?}");
            }
        }
    }
    assert_eq!(world.arrivals().len(), 0);
    let user = Somebody::with_token(&world, &good);
    assert_eq!(user.rest("get-user-locker", &json!({})).await.status, 200);
}

#[tokio::test]
async fn while_the_keys_can_not_be_had_nobody_is_let_in_and_nobody_is_called_a_liar() {
    let authority = jwt::Authority::start(jwt::Reply::HangUp).await;
    let keys = authority.url("/keys");
    let file = principal("jane", &["reads"], "");
    let world = World::with_file(&trusting(&keys), &file).await;
    let user = Somebody::with_token(&world, &access_token("user-1", "reads"));
    problem(&user.rest("get-user-locker", &json!({})).await, 503, "busy");
    let on_mcp = user.mcp("get-user-locker", &json!({})).await;
    for reply in [on_mcp, user.initialize().await] {
        assert_eq!(reply.status, 503, "{reply:?}");
        let wait: u64 = reply.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=60).contains(&wait), "{reply:?}");
        assert!(!reply.headers.contains_key("www-authenticate"), "{reply:?}");
    }
    assert_eq!(world.arrivals().len(), 0);
    // Those whom this server knows by itself are not concerned.
    let jane = Somebody::with_token(&world, &token_of("jane"));
    assert_eq!(jane.rest("get-user-locker", &json!({})).await.status, 200);
}

#[tokio::test]
async fn a_principal_with_a_subject_is_whose_token_has_it_and_no_more_than_both_allow() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let file = "[[principals]]\nname = \"jane\"\nsubject = \"user-1\"\nallow = [\"reads\", \"select-user-payment-card\"]\nuser_id = \"500124\"\n";
    let world = World::with_file(&[&trusting(&keys)[..], &OFTEN].concat(), file).await;
    let all = "reads account cards spend partner openid";
    let jane = Somebody::with_token(&world, &access_token("user-1", all));
    let tools = jane.tools().await;
    assert_eq!(tools.len(), 5, "{tools:?}");
    assert!(tools.contains(&"select-user-payment-card".to_owned()));
    jane.mcp("get-user-locker", &json!({})).await.result();
    let arrivals = world.arrivals();
    assert_eq!(arrivals[0].parameter("userId"), Some("500124"));
    assert_eq!(arrivals[0].parameter("oauth_token"), None);
    // A better token would not help where the settings allow no more.
    for (scope, tool) in [
        (all, "purchase-user-item"),
        ("reads", "purchase-user-item"),
        ("", "delete-user-payment-card"),
    ] {
        let jane = Somebody::with_token(&world, &access_token("user-1", scope));
        let arguments = json!({"releaseId": "11700062", "body": {"cardId": "8154430"}});
        let reply = jane.mcp(tool, &arguments).await;
        assert_eq!(
            reply.message()["error"]["code"],
            -32602,
            "{scope}: {reply:?}"
        );
        assert!(
            !reply.headers.contains_key("www-authenticate"),
            "{scope}: {reply:?}"
        );
        let reply = jane
            .rest(
                tool,
                &json!({"releaseId": "11700062", "body": {"cardId": "8154430"}}),
            )
            .await;
        problem(&reply, 403, "not-allowed");
        assert!(
            !reply.headers.contains_key("www-authenticate"),
            "{scope}: {reply:?}"
        );
    }
    // Where they do, the token must too.
    let jane = Somebody::with_token(&world, &access_token("user-1", "spend"));
    let card = json!({"body": {"cardId": "8154431"}});
    for reply in [
        jane.mcp("select-user-payment-card", &card).await,
        jane.rest("select-user-payment-card", &card).await,
    ] {
        assert_eq!(reply.status, 403, "{reply:?}");
        let challenge = reply.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("scope=\"cards spend\""), "{challenge}");
    }
    // Another subject is somebody else.
    let john = Somebody::with_token(&world, &access_token("user-2", all));
    assert_eq!(john.tools().await.len(), 17);
    assert_eq!(world.arrivals().len(), 1);
}
