//! REST on a real port: who may call, and where it is served. What other pages may not do is in `http/foreign.rs`, for every port.

use sevendigital_sandbox::demo;

use crate::support::rest::{BUY, LOCKER, get};
use crate::support::{Client, Server, World, http, load, problem, program};

#[tokio::test]
async fn what_our_own_page_and_no_page_sends_passes() {
    let world = World::start().await;
    let own = world.rest.clone();
    let port = own.rsplit_once(':').unwrap().1;
    let (local, secure) = (format!("localhost:{port}"), own.replace("http", "https"));
    for headers in [
        vec![],
        vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        vec![("host", local.as_str())],
        vec![("sec-fetch-site", "none"), ("sec-fetch-dest", "document")],
        // The origin's scheme is the browser's affair where a proxy ends TLS; its host and port are not.
        vec![("origin", secure.as_str())],
    ] {
        let reply = get(&world, LOCKER, &headers).await;
        assert_eq!(reply.status, 200, "{headers:?}: {reply:?}");
    }
}

#[tokio::test]
async fn a_page_that_the_operator_allows_may_call() {
    let origin = "https://app.example.com";
    let world = World::with(&[
        ("SEVENDIGITAL_MCP_ALLOWED_ORIGINS", origin),
        ("SEVENDIGITAL_MCP_ALLOWED_HOSTS", "mcp.example.com"),
    ])
    .await;
    let host = ("host", "mcp.example.com");
    let cross = ("sec-fetch-site", "cross-site");
    let reply = get(&world, LOCKER, &[host, cross, ("origin", origin)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for headers in [
        vec![host, cross],
        vec![host, ("origin", "https://other.example.com")],
        vec![host, ("origin", "http://app.example.com")],
        vec![("origin", origin)],
    ] {
        let reply = get(&world, LOCKER, &headers).await;
        problem(&reply, 403, "foreign-request");
    }
    assert_eq!(world.arrivals().len(), 1);
}

#[tokio::test]
async fn where_a_token_is_set_it_opens_every_path_but_the_description() {
    let token = "0123456789abcdef0123456789abcdef";
    let world = World::with(&[("SEVENDIGITAL_MCP_TOKEN", token)]).await;
    let (right, wrong) = (format!("Bearer {token}"), format!("Bearer {token}0"));
    for headers in [
        vec![],
        vec![("authorization", wrong.as_str())],
        vec![("authorization", "Basic abc")],
        vec![
            ("authorization", wrong.as_str()),
            ("authorization", right.as_str()),
        ],
    ] {
        for target in [LOCKER, BUY, "/nowhere"] {
            let reply = get(&world, target, &headers).await;
            problem(&reply, 401, "unauthenticated");
            let challenge = reply.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer"), "{challenge}");
        }
    }
    assert_eq!(world.arrivals().len(), 0);
    let reply = get(&world, LOCKER, &[("authorization", &right)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for open in ["/openapi.json", "/docs/"] {
        assert_eq!(get(&world, open, &[]).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn headers_name_the_user_where_the_operator_lets_them() {
    let id = [("x-7digital-user-id", demo::USER_ID)];
    let world = World::start().await;
    problem(&get(&world, LOCKER, &id).await, 400, "invalid-header");
    assert_eq!(world.arrivals().len(), 0);
    let world = World::with(&[
        ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true"),
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
    ])
    .await;
    let reply = get(&world, LOCKER, &id).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let half = [("x-7digital-access-token", "t")];
    problem(&get(&world, LOCKER, &half).await, 400, "invalid-header");
}

#[tokio::test]
async fn it_is_off_until_it_is_asked_for() {
    assert_eq!(load(Vec::new()).unwrap().rest_bind, None);
    let off = World::with(&[("SEVENDIGITAL_MCP_REST_BIND", "")]).await;
    assert_eq!(off.rest, "");
    for (address, missing) in [("0.0.0.0:8080", "token"), ("[::]:8080", "token")] {
        let config = load(vec![("SEVENDIGITAL_MCP_REST_BIND".into(), address.into())]).unwrap();
        let error = config.check_exposure().unwrap_err().to_string();
        assert!(
            error.contains("`rest_bind`") && error.contains(missing),
            "{error}"
        );
    }
    let flags = [
        "serve",
        "--sandbox",
        "--bind",
        "127.0.0.1:0",
        "--rest=127.0.0.1:0",
    ];
    let mut server = Server::spawn(program(&flags, &[]));
    server.listens(2).await;
    let (mcp, rest) = (server.address("/mcp"), server.address("/v1"));
    let client = Client::new(&mcp, rest.strip_suffix("/v1").unwrap(), &http());
    let reply = client.send("GET", LOCKER, &[], "").await.unwrap();
    assert_eq!(reply.status, 200);
}
