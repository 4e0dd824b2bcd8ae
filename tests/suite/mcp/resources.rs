//! Resources: what they say, what is said where there is none, who may read them, and how often.

use serde_json::{Value, json};
use sevendigital_mcp::problem::KINDS;
use sevendigital_sandbox::demo;

use crate::identity::{OFTEN, access_token, named, principal, trusting_world};
use crate::support::upstream::{Act, Upstream, refusal};
use crate::support::{Client, LEGACY, Reply, Server, World, program, purchase_id};

const ACCOUNT: &str = "sevendigital://account";
const ERRORS: &str = "sevendigital://errors";
const LEDGER: &str = "sevendigital://ledger";
const RELEASE: &str = "sevendigital://releases/11700062";

async fn read(client: &Client, uri: &str) -> Reply {
    client.ask("resources/read", json!({"uri": uri})).await
}

/// The text of a resource.
fn text(result: &Value) -> &str {
    result["contents"][0]["text"].as_str().unwrap()
}

/// The document that is the text of a resource.
async fn document(client: &Client, uri: &str) -> Value {
    serde_json::from_str(text(&read(client, uri).await.result())).unwrap()
}

async fn listed(client: &Client, method: &str, field: &str, name: &str) -> Vec<String> {
    let list = client.ask(method, json!({})).await.result();
    let all = list[field].as_array().unwrap().iter();
    all.map(|one| one[name].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn resources_are_listed_and_read_in_both_eras_and_over_stdio() {
    let world = World::start().await;
    let client = Client::of(&world);
    let session = client.in_session(LEGACY[0]).await;
    let mut server = Server::spawn(program(&["--sandbox", "stdio"], &[]));
    server.hello().await;
    let uris = listed(&client, "resources/list", "resources", "uri").await;
    assert_eq!(uris, [ACCOUNT, ERRORS, LEDGER]);
    let method = "resources/templates/list";
    let templates = listed(&client, method, "resourceTemplates", "uriTemplate").await;
    let expected = [
        "releases/{releaseId}",
        "tracks/{trackId}",
        "baskets/{basketId}",
    ];
    assert_eq!(
        templates,
        expected.map(|path| format!("sevendigital://{path}"))
    );
    let basket = "sevendigital://baskets/0f8fad5b-d9cb-469f-a165-70867728950e";
    let items = [RELEASE, "sevendigital://tracks/1170006201", basket];
    for uri in uris.iter().map(String::as_str).chain(items) {
        let params = json!({"uri": uri});
        let modern = read(&client, uri).await.result();
        assert!(modern["ttlMs"].is_u64(), "{modern}");
        let scope = if uri == ERRORS { "public" } else { "private" };
        assert_eq!(modern["cacheScope"], scope, "{uri}");
        let legacy = session
            .ask_in_session(json!(1), "resources/read", &params)
            .await;
        let piped = server.ask(uri, "resources/read", &params).await["result"].take();
        for result in [legacy.result(), piped] {
            assert_eq!(result["contents"], modern["contents"], "{uri}");
            assert!(
                result["ttlMs"].is_null() || result["ttlMs"].is_u64(),
                "{result}"
            );
        }
        assert_eq!(modern["contents"][0]["uri"], uri);
        let kind = if uri == ERRORS {
            "text/markdown"
        } else {
            "application/json"
        };
        assert_eq!(modern["contents"][0]["mimeType"], kind);
    }
    let errors = read(&client, ERRORS).await.result();
    for spec in KINDS {
        assert!(text(&errors).contains(spec.slug), "{}", spec.slug);
    }
    assert!(text(&errors).contains("| 3001 | the user's card has expired |"));
    for (uri, title, price) in [
        (items[0], "Harbour Lights", "7.99 GBP"),
        (items[1], "Slipway", "0.99 GBP"),
        (items[2], "2 items", "1.98 GBP"),
    ] {
        let item = document(&client, uri).await;
        assert_eq!(
            (&item["title"], &item["price"]),
            (&json!(title), &json!(price))
        );
    }
}

#[tokio::test]
async fn an_unknown_uri_is_not_found_and_told_what_there_is() {
    let world = World::start().await;
    let client = Client::of(&world);
    let session = client.in_session(LEGACY[0]).await;
    let before = world.arrivals().len();
    for uri in [
        "sevendigital://accounts",
        "sevendigital://account/",
        "sevendigital://releases/",
        "sevendigital://releases/1/2",
        "sevendigital://releases/a%2fb",
        "sevendigital://cards/1",
        "SEVENDIGITAL://account",
        "file:///etc/passwd",
    ] {
        let modern = read(&client, uri).await.message();
        let params = json!({"uri": uri});
        let legacy = session
            .ask_in_session(json!(1), "resources/read", &params)
            .await;
        for (answer, code) in [(modern, -32602), (legacy.message(), -32002)] {
            assert_eq!(answer["error"]["code"], code, "{uri}: {answer}");
            let told = answer["error"]["message"].as_str().unwrap();
            assert!(
                told.contains("`sevendigital://releases/{releaseId}`"),
                "{told}"
            );
            assert!(!told.contains("passwd"), "{told}");
        }
    }
    assert_eq!(world.arrivals().len(), before);
    // One that could be there, and is not.
    let answer = read(&client, "sevendigital://releases/999").await.message();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    let told = answer["error"]["message"].as_str().unwrap();
    assert!(told.contains("does not sell release 999 in GB"), "{told}");
}

#[tokio::test]
async fn the_ledger_has_the_receipts_of_the_callers_account_alone() {
    let file = [("a", demo::USER_ID), ("b", demo::SECOND_USER_ID)]
        .map(|(name, user)| principal(name, &["reads", "spend"], &format!("user_id = {user:?}")));
    let settings = [
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
        ("SEVENDIGITAL_MCP_MAX_CHARGES_PER_DAY", "5"),
    ];
    let world = World::with_file(&settings, &file.concat()).await;
    let (a, b) = (named(&world, "a"), named(&world, "b"));
    let bought = a
        .call("deliver-user-item", &json!({"releaseId": "11700062"}))
        .await;
    let bought = purchase_id(&bought);
    let receipts = document(&a, LEDGER).await;
    let receipt = &receipts["receipts"][0];
    assert_eq!(receipt["purchaseId"], bought, "{receipts}");
    assert_eq!(receipt["item"], "release 11700062");
    assert_eq!(receipt["state"], "done");
    for hidden in ["account", "arguments", "document"] {
        assert!(receipt[hidden].is_null(), "{receipt}");
    }
    assert_eq!(document(&b, LEDGER).await, json!({"receipts": []}));
    for (caller, user, left) in [(&a, demo::USER_ID, 4), (&b, demo::SECOND_USER_ID, 5)] {
        let account = document(caller, ACCOUNT).await;
        assert_eq!(account["user"], format!("user `{user}`"));
        assert_eq!(account["country"], "GB");
        let limits = account["limits"].to_string();
        let left = format!("{left} of 5 purchases in 24 hours");
        assert!(limits.contains(&left), "{account}");
        assert!(!account.to_string().contains("sandbox"), "{account}");
    }
}

#[tokio::test]
async fn a_caller_that_may_not_read_reads_the_errors_alone() {
    let file = principal("buyer", &["spend", "get-user-locker"], "");
    let world = World::with_file(&[], &file).await;
    let buyer = named(&world, "buyer");
    let uris = listed(&buyer, "resources/list", "resources", "uri").await;
    assert_eq!(uris, [ERRORS]);
    let method = "resources/templates/list";
    let templates = listed(&buyer, method, "resourceTemplates", "uriTemplate").await;
    assert!(templates.is_empty(), "{templates:?}");
    for uri in [ACCOUNT, LEDGER, RELEASE] {
        let answer = read(&buyer, uri).await.message();
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        let told = answer["error"]["message"].as_str().unwrap();
        assert!(told.ends_with("there is `sevendigital://errors`"), "{told}");
    }
    // Nor does a prompt show what they may not read.
    let params = json!({"name": "buy-safely", "arguments": {"releaseId": "11700062"}});
    let worded = buyer.ask("prompts/get", params).await.result();
    assert_eq!(worded["messages"].as_array().unwrap().len(), 1, "{worded}");
    assert_eq!(read(&buyer, ERRORS).await.status, 200);
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn an_access_token_without_the_scope_is_told_to_get_it() {
    let (_authority, world) = trusting_world(&OFTEN, "").await;
    let weak = Client::of(&world).showing(&access_token("user-1", "spend"));
    for uri in [ACCOUNT, LEDGER, RELEASE] {
        let reply = read(&weak, uri).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        let challenge = reply.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("scope=\"reads spend\""), "{challenge}");
    }
    assert_eq!(read(&weak, ERRORS).await.status, 200);
    let strong = Client::of(&world).showing(&access_token("user-1", "reads"));
    assert_eq!(read(&strong, ACCOUNT).await.status, 200);
}

#[tokio::test]
async fn reads_of_resources_count_as_a_callers_reads() {
    let settings = [
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_PER_SECOND", "1"),
        ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_BURST", "3"),
    ];
    let world = World::with_file(&settings, &principal("a", &["reads"], "")).await;
    let caller = named(&world, "a");
    let mut codes = Vec::new();
    for uri in [ACCOUNT, RELEASE, LEDGER, RELEASE, ACCOUNT, LEDGER] {
        let answer = read(&caller, uri).await.message();
        codes.push(answer["error"]["code"].as_i64().unwrap_or_default());
    }
    assert_eq!(codes[..3], [0, 0, 0]);
    assert!(codes.contains(&429), "{codes:?}");
    // The account and its receipts are this server's own.
    assert_eq!(world.arrivals().len(), 1);
}

#[tokio::test]
async fn a_read_of_the_catalogue_takes_a_permit_and_gives_it_back() {
    let upstream = Upstream::start().await;
    let settings = [
        ("SEVENDIGITAL_BASE_URI", &*upstream.base_uri()),
        ("SEVENDIGITAL_MCP_LIMIT_MAX_CONCURRENT_CALLS", "1"),
        ("SEVENDIGITAL_MCP_LIMIT_QUEUE_TIMEOUT", "1ms"),
    ];
    let world = World::with(&settings).await;
    let client = Client::of(&world);
    let gone = Act::Say(refusal(404, 2001));
    upstream.script("/release/details", [Act::Hang(Vec::new()), gone]);
    let hanging = tokio::spawn({
        let client = client.clone();
        async move { read(&client, RELEASE).await }
    });
    upstream.wait_for("/release/details", 1).await;
    let answer = read(&client, "sevendigital://releases/2").await.message();
    assert_eq!(answer["error"]["code"], 503, "{answer}");
    assert_eq!(upstream.arrivals("/release/details"), 1);
    // Whoever reads and leaves gives the permit back.
    hanging.abort();
    let _ = hanging.await;
    let free = async { while read(&client, RELEASE).await.message()["error"]["code"] == 503 {} };
    crate::support::within("a permit", free).await;
}
