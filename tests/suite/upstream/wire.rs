//! What arrives at 7digital for each tool: method, path, parameters, places and signatures.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use oauth1_request::{Builder, Credentials, HMAC_SHA1, ParameterList};
use serde_json::{Value, json};
use sevendigital::{Auth, Method};
use sevendigital_sandbox::{Arrival, Fault, Signature, demo};
use sevendigital_tools::values::{Email, UserId};
use sevendigital_tools::{AnyTool, TOOLS};

use crate::support::calls::{self, ROWS, calls, make_all};
use crate::support::{World, failure};

/// The header of that name; fails where it is there twice.
fn header<'a>(arrival: &'a Arrival, name: &str) -> Option<&'a str> {
    let mut found = arrival.headers.iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert_eq!(found.next(), None, "{name} twice");
    value
}

fn is_oauth((name, _): &(String, String)) -> bool {
    name.starts_with("oauth_")
}

/// The signature as the crate oauth1-request makes it from what arrived.
pub(crate) fn second_opinion(arrival: &Arrival, origin: &str) -> String {
    let oauth = arrival.oauth();
    let value = |name: &str| {
        let found = oauth.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let client = Credentials::new(demo::CONSUMER_KEY, demo::CONSUMER_SECRET);
    let mut builder = Builder::<_, _, &str>::new(client, HMAC_SHA1);
    if value("oauth_token").is_some() {
        let token = Credentials::new(demo::ACCESS_TOKEN, demo::ACCESS_TOKEN_SECRET);
        builder.token(token);
    }
    let timestamp: NonZeroU64 = value("oauth_timestamp").unwrap().parse().unwrap();
    let nonce = value("oauth_nonce").unwrap();
    builder.nonce(nonce).timestamp(timestamp).version(true);
    let own = arrival.query.iter().chain(&arrival.form);
    let own = own.filter(|pair| !is_oauth(pair));
    let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
    let own = ParameterList::new(own.collect::<Vec<_>>());
    let uri = format!("{origin}{}", arrival.path);
    let header = builder.authorize(&arrival.method, uri, &own);
    let (_, rest) = header.split_once("oauth_signature=\"").unwrap();
    let encoded = format!("s={}", rest.split('"').next().unwrap());
    let mut decoded = url::form_urlencoded::parse(encoded.as_bytes());
    decoded.next().unwrap().1.into_owned()
}

/// The OAuth parameters of a signed request, sorted.
pub(crate) fn oauth_names(with_token: bool) -> Vec<&'static str> {
    #[rustfmt::skip]
    let names = [
        "oauth_consumer_key", "oauth_nonce", "oauth_signature", "oauth_signature_method", "oauth_timestamp",
    ];
    let token = with_token.then_some("oauth_token");
    names
        .into_iter()
        .chain(token)
        .chain(["oauth_version"])
        .collect()
}

/// The origin that the server calls.
pub(crate) fn origin(world: &World) -> String {
    format!("http://{}", world.sandbox.address())
}

/// Starts a world with these settings, makes one call, and gives the one request that arrived.
async fn check(settings: &[(&str, &str)], tool: &str, arguments: Value) -> Arrival {
    let world = World::with(settings).await.unsigned();
    let result = world.call(tool, arguments).await;
    let mut arrivals = world.arrivals();
    assert_eq!(arrivals.len(), 1, "{result}");
    arrivals.remove(0)
}

/// What was sent besides OAuth, sorted, as `name=value`.
fn plain(arrival: &Arrival) -> Vec<String> {
    let pairs = arrival.query.iter().chain(&arrival.form);
    let mut pairs: Vec<String> = pairs
        .filter(|pair| !is_oauth(pair))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.sort();
    pairs
}

#[tokio::test]
async fn each_tool_sends_its_published_request_and_nothing_more() {
    let world = World::start().await;
    let results = make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    let arrivals = world.arrivals();
    assert_eq!(arrivals.len(), ROWS.len(), "one request for each call");
    let rows = TOOLS.iter().zip(ROWS).zip(&results).zip(&arrivals);
    for (((tool, row), (name, result)), arrival) in rows {
        assert_eq!(tool.contract.name, *name);
        assert_ne!(result["isError"], true, "{name}: {result}");
        let endpoint = tool.contract.upstream;
        assert_eq!(arrival.method, endpoint.method.as_str(), "{name}");
        let id = arrival.path.rsplit('/').next().unwrap();
        let path = format!("/1.2{}", endpoint.path.replace("{id}", id));
        assert_eq!(arrival.path, path, "{name}");
        let expected: Vec<String> = row
            .sent
            .iter()
            .map(|parameter| match parameter.strip_suffix("=*") {
                Some(name) => format!("{name}={}", arrival.parameter(name).unwrap()),
                None => (*parameter).to_owned(),
            })
            .collect();
        assert_eq!(plain(arrival), expected, "{name}");
        match endpoint.method {
            Method::Get => assert_eq!(arrival.body, "", "{name}"),
            Method::Post => assert_eq!(arrival.target, arrival.path, "{name}: no query"),
        }
    }
}

#[tokio::test]
async fn what_is_made_here_is_part_of_the_result() {
    let world = World::start().await;
    let results = make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    let arrivals = world.arrivals();
    let of = |tool: &str| {
        let at = results.iter().position(|(name, _)| *name == tool).unwrap();
        (&results[at].1["structuredContent"], &arrivals[at])
    };
    for (tool, made) in [
        ("deliver-user-item", "transactionId"),
        ("create-user", "userId"),
    ] {
        let (document, arrival) = of(tool);
        assert_eq!(document[made], arrival.parameter(made).unwrap(), "{tool}");
    }
    let email: Email = serde_json::from_value(json!("MANAGED@example.com")).unwrap();
    let made = json!(UserId::from_email(demo::CONSUMER_KEY, &email));
    assert_eq!(
        of("create-user").0["userId"],
        made,
        "the same for the same address"
    );
    let opened = &of("register-user-payment-card").0["cardRegistration"];
    let id = opened["id"].as_str().unwrap();
    let path = format!("/1.2/user/payment/cardregistration/{id}");
    assert_eq!(of("get-user-card-registration").1.path, path);
    let location = opened["location"].as_str().unwrap();
    assert!(location.starts_with("http"), "{location}");
}

#[tokio::test]
async fn each_request_is_signed_once_in_the_right_place() {
    for placement in ["auto", "query", "header"] {
        let settings = [("SEVENDIGITAL_OAUTH_PLACEMENT", placement)];
        // The sandbox, like 7digital, refuses a query on POST; how it was signed can be seen all the same.
        let world = World::with(&settings).await.unsigned();
        make_all(async |tool, arguments| world.call(tool, arguments).await).await;
        let arrivals = world.arrivals();
        let mut nonces = BTreeSet::new();
        for arrival in &arrivals {
            let oauth = check_signed(placement, arrival);
            let value = |name: &str| oauth.iter().find(|(key, _)| key == name).unwrap().1.clone();
            let row = format!("{placement} {} {}", arrival.method, arrival.path);
            assert!(
                nonces.insert(value("oauth_nonce")),
                "{row}: nonce used twice"
            );
            assert!(value("oauth_nonce").len() >= 22, "{row}: 128 bits");
            let expected = second_opinion(arrival, &origin(&world));
            assert_eq!(value("oauth_signature"), expected, "{row}");
        }
        // Without a registration there is none to look at.
        let missing = usize::from(placement == "query");
        assert!(
            arrivals.len() >= ROWS.len() - missing,
            "{placement}: {}",
            arrivals.len()
        );
    }
}

/// All OAuth parameters are there once, in the place that was asked for; gives them.
fn check_signed(placement: &str, arrival: &Arrival) -> Vec<(String, String)> {
    let row = format!("{placement} {} {}", arrival.method, arrival.path);
    let is_own = |tool: &&AnyTool| {
        let upstream = tool.contract.upstream;
        let path = arrival.path.trim_start_matches("/1.2");
        let same = match upstream.path.strip_suffix("{id}") {
            Some(start) => path.starts_with(start),
            None => path == upstream.path,
        };
        same && upstream.method.as_str() == arrival.method
    };
    let tool = TOOLS.iter().find(is_own).unwrap();
    let with_token = tool.contract.upstream.auth == Auth::User;
    let token = with_token.then(|| demo::ACCESS_TOKEN.to_owned());
    assert_eq!(arrival.signature, Signature::Verified { token }, "{row}");
    let mut oauth = arrival.oauth();
    oauth.sort();
    let names: Vec<&str> = oauth.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, oauth_names(with_token), "{row}");
    let count = |pairs: &[(String, String)]| pairs.iter().filter(|pair| is_oauth(pair)).count();
    let in_query = match (placement, arrival.method.as_str()) {
        ("auto", "GET") | ("query", _) => names.len(),
        _ => 0,
    };
    assert_eq!(
        (count(&arrival.query), count(&arrival.form)),
        (in_query, 0),
        "{row}"
    );
    let header = header(arrival, "authorization");
    let signs = header.is_some_and(|value| value.starts_with("OAuth "));
    assert_eq!(signs, in_query == 0, "{row}");
    oauth
}

#[tokio::test]
async fn headers_say_what_is_understood_and_give_nothing_away() {
    let world = World::start().await;
    make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    for arrival in world.arrivals() {
        let accept = header(&arrival, "accept").unwrap();
        assert!(accept.starts_with("application/json"), "{accept}");
        assert!(accept.contains("application/xml"), "{accept}");
        let form = (arrival.method == "POST").then_some("application/x-www-form-urlencoded");
        assert_eq!(header(&arrival, "content-type"), form, "{}", arrival.path);
        let agent = concat!("sevendigital-mcp/", env!("CARGO_PKG_VERSION"));
        assert_eq!(header(&arrival, "user-agent"), Some(agent));
        assert_eq!(
            header(&arrival, "host"),
            Some(world.sandbox.address().to_string().as_str())
        );
        for unwanted in ["referer", "cookie", "origin", "x-forwarded-for"] {
            assert_eq!(header(&arrival, unwanted), None, "{unwanted}");
        }
    }
}

#[tokio::test]
async fn with_only_a_key_the_request_is_unsigned() {
    let settings = [
        ("SEVENDIGITAL_CONSUMER_SECRET", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
        ("SEVENDIGITAL_COUNTRY", ""),
    ];
    for (tool, arguments) in calls() {
        let arrival = check(&settings, tool, arguments).await;
        assert_eq!(arrival.signature, Signature::Unsigned, "{tool}");
        let key = (
            "oauth_consumer_key".to_owned(),
            demo::CONSUMER_KEY.to_owned(),
        );
        assert!(arrival.query.contains(&key), "{tool}");
        assert_eq!(arrival.oauth(), [key], "{tool}");
        assert_eq!(header(&arrival, "authorization"), None, "{tool}");
    }
    let arrival = check(&settings, "get-user-locker", json!({})).await;
    assert_eq!(
        arrival.target,
        "/1.2/user/locker?oauth_consumer_key=sandbox-key"
    );
}

#[tokio::test]
async fn without_a_token_a_call_for_a_user_names_the_user() {
    const MANAGED: [(&str, &str); 3] = [
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
        ("SEVENDIGITAL_USER_ID", "500124"),
    ];
    for (tool, mut arguments) in calls() {
        let endpoint = calls::tool(tool).contract.upstream;
        if endpoint.auth == Auth::Consumer {
            continue;
        }
        let default = check(&MANAGED, tool, arguments.clone()).await;
        assert_eq!(default.parameter("userId"), Some("500124"), "{tool}");
        assert!(
            default
                .oauth()
                .iter()
                .all(|(name, _)| name != "oauth_token"),
            "{tool}"
        );
        let unnamed = check(&MANAGED[..2], tool, arguments.clone()).await;
        assert_eq!(
            unnamed.parameter("userId"),
            None,
            "{tool}: 7digital's refusal tells what is missing"
        );
        let place = match endpoint.method {
            Method::Get => &mut arguments,
            Method::Post => &mut arguments["body"],
        };
        place["userId"] = json!("500123");
        let named = check(&MANAGED, tool, arguments.clone()).await;
        assert_eq!(named.parameter("userId"), Some("500123"), "{tool}");
    }
}

#[tokio::test]
async fn values_are_told_to_7digital_in_its_own_words() {
    #[rustfmt::skip]
    let rows = [
        ("purchase-user-priced-item", json!({"releaseId": "1", "price": 999}), "country=GB price=9.99 releaseId=1"),
        ("purchase-user-priced-item", json!({"releaseId": 1, "price": "5"}), "country=GB price=0.05 releaseId=1"),
        ("purchase-user-priced-item", json!({"releaseId": "1", "price": 999, "country": "jp"}), "country=JP price=999 releaseId=1"),
        ("purchase-user-item", json!({"releaseId": "1", "price": 799}), "country=GB price=7.99 releaseId=1"),
        ("purchase-user-item", json!({"trackId": "2"}), "country=GB trackId=2"),
        ("deliver-user-item", json!({"releaseId": "1", "retailPrice": 100, "currency": "kwd", "transactionId": "t"}), "country=GB currency=KWD releaseId=1 retailPrice=0.100 transactionId=t"),
        ("create-user", json!({"email": "a@b.c", "userId": "u 1"}), "country=GB emailAddress=a@b.c userId=u 1"),
        ("get-user-locker", json!({"page": "2", "pageSize": 5.0}), "country=GB page=2 pageSize=5"),
        ("get-user-locker", json!({"country": "de"}), "country=DE"),
        ("get-user-locker", json!({"shopId": 34}), "shopId=34"),
        ("get-user-locker", json!({"page": null}), "country=GB"),
        ("purchase-user-item", json!({"releaseId": "1", "tags": "b=2 , a=x y"}), "country=GB releaseId=1 tag_a=x y tag_b=2"),
        ("purchase-user-basket", json!({"basketId": "1", "tags": "a=x"}), "basketId=1 country=GB tag_a=x"),
        ("select-user-payment-card", json!({"body": {"cardId": 8_154_431, "extra": true}}), "cardId=8154431 country=GB extra=true"),
        ("select-user-payment-card", json!({"body": "{\"cardId\": \"8154431\", \"country\": \"DE\"}"}), "cardId=8154431 country=DE"),
        ("signup-user", json!({"body": {"emailAddress": "a@b.c", "password": 12}}), "country=GB emailAddress=a@b.c password=12"),
    ];
    for (tool, arguments, expected) in rows {
        let arrival = check(&[], tool, arguments.clone()).await;
        assert_eq!(plain(&arrival).join(" "), expected, "{tool} {arguments}");
    }
    let settings = [("SEVENDIGITAL_COUNTRY", ""), ("SEVENDIGITAL_SHOP_ID", "34")];
    let arrival = check(&settings, "get-user-locker", json!({})).await;
    assert_eq!(plain(&arrival), ["shopId=34"], "the configured shop");
}

#[tokio::test]
async fn what_changes_or_charges_is_sent_once_even_when_the_answer_is_lost() {
    for fault in [Fault::Reset, Fault::CutAfterHeaders] {
        let world = World::start().await;
        world.sandbox.script("purchaseUserItem", fault.clone(), 5);
        world.sandbox.script("signupUser", fault.clone(), 5);
        let result = world
            .call("purchase-user-item", json!({"releaseId": "11700062"}))
            .await;
        let told = failure(&result);
        assert!(told.contains("Money may have been spent"), "{told}");
        assert_eq!(world.sandbox.sales().len(), 1, "{fault:?}");
        let account = json!({"body": {"emailAddress": "a@example.com", "password": "x"}});
        let result = world.call("signup-user", account).await;
        let told = failure(&result);
        assert!(told.contains("may have taken effect"), "{told}");
        assert_eq!(world.arrivals().len(), 2, "{fault:?}");
    }
}
