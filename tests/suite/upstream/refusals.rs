//! 7digital's refusals without a code (7digital-api.md §2.5, §2.6): authorisation, clocks, rate limits; and what no failure shows.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use serde_json::{Value, json};

use super::answers::{
    AGAIN_IN_VAIN, AGAIN_LATER, Expected, JSON, Row, Stage, TEXT, XML, check, discreet, ok, row,
};
use super::errors::{NOT_CHARGED_LATER, in_json, quoted};
use crate::support::failure;

const DETAILS: &str = "get-user-details";
const LOCKER: &str = "get-user-locker";
const BUY: &str = "purchase-user-item";
const SIGN_UP: &str = "signup-user";

fn unauthorised(words: &str, advice: &str) -> Expected {
    let words = quoted(words);
    Expected::Error(format!(
        "7digital did not authorise the request.{words} {advice} {AGAIN_IN_VAIN} To find the cause, run `sevendigital-mcp doctor account`."
    ))
}

const USER_SETTINGS: &str = "Run `sevendigital-mcp login`, or set a user's `SEVENDIGITAL_ACCESS_TOKEN` and `SEVENDIGITAL_ACCESS_TOKEN_SECRET`; for managed users pass `userId` (or set `SEVENDIGITAL_USER_ID`).";
const PLACE_SETTINGS: &str =
    "Check `SEVENDIGITAL_BASE_URI`; 7digital may also have withdrawn this operation for your key.";
const RIGHTS: &str = "Check `SEVENDIGITAL_CONSUMER_KEY`, `country` (`SEVENDIGITAL_COUNTRY`), and with 7digital that your key has the right to this operation.";
const SECRETS: &str = "Check `SEVENDIGITAL_CONSUMER_SECRET` and `SEVENDIGITAL_ACCESS_TOKEN_SECRET`: one of them does not belong to its key.";
const CLOCK: &str = "Check this machine's clock: signatures hold a time.";
const ALL_SETTINGS: &str = "Check `SEVENDIGITAL_CONSUMER_KEY`, `SEVENDIGITAL_CONSUMER_SECRET` and `SEVENDIGITAL_ACCESS_TOKEN`, `country`, and that your key has the right to this operation.";

#[tokio::test]
async fn a_refusal_in_plain_text_names_the_setting_to_look_at() {
    #[rustfmt::skip]
    let tails = [
        ("Not authorised - no user credentials provided", USER_SETTINGS),
        ("Resource requires access token", USER_SETTINGS),
        ("Access to resource denied", RIGHTS),
        ("Not found", PLACE_SETTINGS),
        ("Resource not found", PLACE_SETTINGS),
        ("Invalid signature", SECRETS),
        ("Invalid timestamp", CLOCK),
        ("Nonce already used", CLOCK),
        ("Something else", ALL_SETTINGS),
    ];
    let mut rows = Vec::new();
    for (tail, advice) in tails {
        let words = format!("OAuth authentication error: {tail}");
        for status in [401, 200, 403, 404] {
            let what = format!("{tail} with HTTP {status}");
            let row = row(
                what,
                LOCKER,
                TEXT,
                words.clone(),
                unauthorised(&words, advice),
            );
            rows.push(row.status(status));
        }
    }
    #[rustfmt::skip]
    let others = [
        ("an unlabelled one", "", "OAuth authentication error: Invalid signature\r\n", "OAuth authentication error: Invalid signature", SECRETS),
        ("one that begins otherwise", TEXT, "Error: oauth: Access to resource denied", "Error: oauth: Access to resource denied", RIGHTS),
        ("an envelope about OAuth in XML", XML, "<response status=\"error\"><error code=\"2001\"><errorMessage>OAuth token expired</errorMessage></error></response>", "OAuth token expired", ALL_SETTINGS),
        ("an envelope about OAuth in JSON", JSON, "{\"status\":\"error\",\"error\":{\"code\":2002,\"message\":\"oauth: Access to resource denied\"}}", "oauth: Access to resource denied", RIGHTS),
        ("nothing at all", "", "", "", ALL_SETTINGS),
        ("a page of a proxy", "text/html", "<html><body>Forbidden</body></html>", "", ALL_SETTINGS),
    ];
    for (what, label, body, words, advice) in others {
        rows.push(row(what, LOCKER, label, body, unauthorised(words, advice)).status(401));
    }
    check(rows).await;
}

/// The moment that many seconds from now, as HTTP writes it.
fn in_seconds(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let then = i64::try_from(now.as_secs()).unwrap() + seconds;
    let then = DateTime::from_timestamp(then, 0).unwrap();
    then.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_more_than_two_minutes_is_reported() {
    const REFUSAL: &str = "OAuth authentication error: Invalid timestamp";
    let mut stage = Stage::start().await;
    #[rustfmt::skip]
    let rows: [(&str, u16, i64, Option<&str>); 7] = [
        (REFUSAL, 401, 600, Some("ahead of")),
        (REFUSAL, 401, -600, Some("behind")),
        ("OAuth authentication error: Access to resource denied", 401, 600, Some("ahead of")),
        (REFUSAL, 200, 86_400, Some("ahead of")),
        ("", 403, -3600, Some("behind")),
        (REFUSAL, 401, 100, None),
        (REFUSAL, 401, -100, None),
    ];
    for (body, status, ahead, direction) in rows {
        let row = row("", LOCKER, TEXT, body, Expected::Error(String::new()))
            .status(status)
            .header("Date", &in_seconds(-ahead));
        // The seconds pass while the test runs, so its sentence can't be known beforehand.
        let told = stage.play(&row).await.unwrap_err();
        let told = told.lines().nth(1).unwrap();
        assert!(
            told.contains("7digital did not authorise the request."),
            "{told}"
        );
        discreet(told, body.as_bytes()).unwrap();
        match direction {
            None => assert!(!told.contains("seconds"), "{told}"),
            Some(direction) => {
                let (before, _) = told
                    .split_once(&format!(" seconds {direction} 7digital's, and signatures hold a time: correct the clock."))
                    .unwrap_or_else(|| panic!("{told}"));
                let seconds: u64 = before.rsplit(' ').next().unwrap().parse().unwrap();
                assert!(seconds.abs_diff(ahead.unsigned_abs()) <= 5, "{told}");
                assert!(
                    before.ends_with(&format!("This machine's clock is {seconds}")),
                    "{told}"
                );
            }
        }
    }
}

#[tokio::test]
async fn where_a_key_stands_in_its_quota_travels_with_the_result() {
    let headers = |row: Row, limit: &str, current: &str, reset: &str| {
        row.header("X-RateLimit-Limit", limit)
            .header("X-RateLimit-Current", current)
            .header("X-RateLimit-Reset", reset)
    };
    let body = ok(&json!({"user": {"id": "1"}}));
    let answer = || {
        row(
            "",
            DETAILS,
            JSON,
            body.to_string(),
            Expected::Document(body.clone()),
        )
    };
    let results = check(vec![
        headers(answer(), "4000", "37", "46968"),
        headers(answer(), "18446744073709551615", " 0 ", "0"),
        answer(),
        answer().header("X-RateLimit-Limit", "4000"),
        headers(answer(), "many", "-1", "soon"),
    ])
    .await;
    let told: Vec<&Value> = results
        .iter()
        .map(|result| &result["_meta"]["rateLimit"])
        .collect();
    assert_eq!(
        *told[0],
        json!({"limit": 4000, "current": 37, "reset": 46_968})
    );
    assert_eq!(
        *told[1],
        json!({"limit": u64::MAX, "current": 0, "reset": 0})
    );
    for nothing in &told[2..] {
        assert_eq!(**nothing, Value::Null, "what is not whole is not told");
    }
}

#[tokio::test]
async fn a_rate_limit_that_is_reached_is_reported_with_the_wait() {
    const LIMIT: &str = "OAuth authentication error: daily limit reached";
    let told = |consequence: &str| {
        Expected::Error(format!("7digital's rate limit is reached. {consequence}"))
    };
    let hour = AGAIN_LATER.replace("later", "in 3600 seconds");
    let uncharged = |wait: &str| NOT_CHARGED_LATER.replace("later", wait);
    #[rustfmt::skip]
    let rows = vec![
        row("a read", DETAILS, TEXT, "", told(&hour)).status(429).header("Retry-After", "3600"),
        row("a change", SIGN_UP, TEXT, "Too many", told(&hour)).status(429).header("Retry-After", "3600"),
        row("a charge", BUY, "text/html", "<html/>", told(&uncharged("in 3600 seconds"))).status(429).header("Retry-After", "3600"),
        row("an envelope", DETAILS, JSON, in_json(1001, "slow down"), told(&hour)).status(429).header("Retry-After", "3600"),
        row("no wait", DETAILS, TEXT, "", told(AGAIN_LATER)).status(429),
        row("a wait that is none", DETAILS, TEXT, "", told(AGAIN_LATER)).status(429).header("Retry-After", "soon"),
        row("a wait of a charge that a read would obey", BUY, TEXT, "", told(&uncharged("in 1 second"))).status(429).header("Retry-After", "1"),
        row("401 that speaks of a limit", DETAILS, TEXT, LIMIT, told(&hour)).status(401).header("Retry-After", "3600"),
        row("403 that speaks of a limit", DETAILS, TEXT, LIMIT, told(AGAIN_LATER)).status(403),
        row("403 that speaks of a limit without OAuth", DETAILS, TEXT, "Request limit exceeded", told(AGAIN_LATER)).status(403),
    ];
    check(rows).await;
}

#[tokio::test]
async fn a_wait_until_a_date_is_reported_in_seconds() {
    let mut stage = Stage::start().await;
    let date = in_seconds(3600);
    let row = row("", DETAILS, TEXT, "", Expected::Error(String::new()))
        .status(429)
        .header("Retry-After", &date);
    let told = stage.play(&row).await.unwrap_err();
    let (_, rest) = told.split_once("repeated in ").unwrap();
    let seconds: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert!((3590..=3600).contains(&seconds), "{told}");
}

#[tokio::test]
async fn a_failure_holds_none_of_the_bytes_it_came_of() {
    const CANARY: &str = "c4n4ry";
    let mut stage = Stage::start().await;
    let mut wrong = Vec::new();
    #[rustfmt::skip]
    let bodies = [
        (200, JSON, format!("{{\"status\":\"{CANARY}\"}}")),
        (200, JSON, format!("{{\"status\":\"ok\",\"{CANARY}")),
        (200, JSON, format!("{{\"status\":\"ok\",\"user\":{{\"id\":{CANARY}")),
        (200, XML, format!("<response status=\"{CANARY}\"/>")),
        (200, XML, format!("<response status=\"ok\"><{CANARY}></response>")),
        (200, XML, format!("<response status=\"ok\"><a b=\"1\" b={CANARY}/></response>")),
        (200, XML, format!("<{CANARY}/>")),
        (200, "text/html", format!("<html>{CANARY}</html>")),
        (200, TEXT, CANARY.to_owned()),
        (401, "text/html", format!("<html>{CANARY}</html>")),
        (418, TEXT, CANARY.to_owned()),
        (500, TEXT, CANARY.to_owned()),
        (302, TEXT, CANARY.to_owned()),
    ];
    for (status, label, body) in bodies {
        let row = row(
            "",
            DETAILS,
            label,
            body.clone(),
            Expected::Error(String::new()),
        )
        .status(status)
        .header("Location", &format!("http://127.0.0.1:1/{CANARY}?a=b"));
        let problem = stage.play(&row).await.unwrap_err();
        if problem.contains(CANARY) || !problem.contains("told\n") {
            wrong.push(format!("{body}{problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // The same through the public door once more, for the shape of a failure.
    let result = stage.world.call(DETAILS, json!({"userId": "1"})).await;
    assert!(failure(&result).contains("redirects elsewhere"), "{result}");
}
