//! When keys can't be fetched.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::time::Instant;

use super::{ACCEPTED, FETCH, FRESH, Gate, KEPT, Outcome, PAUSE, RETRY, pass, token};
use crate::support::tokens::{
    Authority, OTHER_RSA, RSA, good, key_set, now, published, published_set, signed,
};
use crate::support::until;
use crate::support::upstream::{Act, head, http};

/// An authorization server that closes each connection.
const HANG_UP: Act = Act::Say(Vec::new());
const MAX_KEY_SET: usize = 1 << 20;

fn set() -> Act {
    published_set(&[published(Algorithm::RS256, "k1", RSA)])
}

/// A token of a key that is not published.
fn forged() -> String {
    signed(
        &json!({"alg": "RS256", "kid": "forged"}),
        &good(),
        OTHER_RSA,
    )
}

#[tokio::test]
async fn without_keys_at_first_no_token_can_be_checked_until_they_come() {
    let gate = Gate::start().await;
    let good = token(&json!({}));
    gate.authority.script(HANG_UP);
    for _ in 0..20 {
        gate.expect_unavailable("hung up", &good, "").await;
    }
    assert_eq!(gate.authority.fetches(), 1);
    pass(Duration::from_secs(3)).await;
    gate.expect_unavailable("3 s", &good, "").await;
    assert_eq!(gate.authority.fetches(), 1);
    gate.authority.script(set());
    gate.expect_unavailable("still 3 s", &good, "").await;
    pass(Duration::from_secs(2)).await;
    gate.expect("5 s", &good, ACCEPTED).await;
    assert_eq!(gate.authority.fetches(), 2);
    // What is wrong with the token itself is said all the same.
    gate.expect("no token", "x", "not a signed JWT").await;
}

#[tokio::test]
async fn an_address_without_a_server_is_an_outage() {
    let nowhere = "http://127.0.0.1:1/keys";
    let gate = Gate::at(nowhere, "RS256", Authority::start().await).await;
    gate.expect_unavailable("closed", &token(&json!({})), "can't be reached")
        .await;
}

#[tokio::test]
async fn old_keys_serve_for_an_hour_while_no_new_ones_come() {
    let gate = Gate::start().await;
    let good = token(&json!({}));
    gate.expect("fresh", &good, ACCEPTED).await;
    gate.authority.script(Act::Say(http(503, "", "down")));
    pass(FRESH).await;
    for _ in 0..20 {
        gate.expect("old", &good, ACCEPTED).await;
        assert_eq!(gate.authority.fetches(), 2);
    }
    // Which key a new name is of can't be known now.
    gate.expect_unavailable("a new name", &forged(), "refused its keys")
        .await;
    let expired = token(&json!({"exp": now() - 60}));
    gate.expect("expired", &expired, "expired").await;

    pass(Duration::from_secs(49 * 60)).await;
    gate.expect("59 minutes", &good, ACCEPTED).await;
    gate.authority.upstream.wait_for("/keys", 3).await;
    pass(Duration::from_secs(60)).await;
    gate.expect_unavailable("an hour", &good, "refused its keys")
        .await;

    gate.authority.script(set());
    pass(RETRY).await;
    gate.expect("again", &good, ACCEPTED).await;
}

#[tokio::test]
async fn while_fetches_fail_a_known_key_is_not_held_up_by_them() {
    let gate = Arc::new(Gate::start().await);
    let good = token(&json!({}));
    let authority = &gate.authority.upstream;
    gate.expect("fresh", &good, ACCEPTED).await;
    authority.script("/keys", [Act::Hang(Vec::new())]);
    pass(FRESH).await;
    // The first waits, since the keys are old and better ones may be had.
    let (same, shown) = (Arc::clone(&gate), good.clone());
    let first = tokio::spawn(async move { same.check(&shown).await });
    authority.wait_for("/keys", 2).await;
    assert!(!first.is_finished());
    pass(FETCH).await;
    assert!(matches!(first.await.unwrap(), Outcome::Accepted(_)));
    // Those behind it don't: they are answered while the fetch hangs.
    for round in 3..6 {
        let given_up = || authority.answered() == round - 1;
        until("the fetch to be given up", given_up).await;
        pass(RETRY).await;
        for _ in 0..5 {
            gate.expect("old", &good, ACCEPTED).await;
        }
        authority.wait_for("/keys", round).await;
        assert!(given_up(), "the fetch still hangs");
        pass(FETCH).await;
    }
    assert_eq!(authority.connections(), 5);
}

#[tokio::test]
async fn a_fetch_for_a_forged_key_that_fails_takes_no_key_away() {
    let gate = Gate::start().await;
    let known = token(&json!({}));
    gate.expect("known", &known, ACCEPTED).await;
    gate.authority.script(HANG_UP);
    pass(PAUSE).await;
    for _ in 0..20 {
        gate.expect_unavailable("forged", &forged(), "").await;
        gate.expect("known", &known, ACCEPTED).await;
    }
    assert_eq!(gate.authority.fetches(), 2);
    pass(RETRY).await;
    gate.expect_unavailable("forged", &forged(), "").await;
    assert_eq!(gate.authority.fetches(), 3);
}

/// Nothing is known of tokens where keys are answered so.
async fn check_outage(rows: &[(String, Act, &str)]) {
    let gate = Gate::start().await;
    for (row, act, why) in rows {
        gate.authority.script(act.clone());
        pass(2 * KEPT).await;
        gate.expect_unavailable(row, &token(&json!({})), why).await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let canary = Authority::start().await;
    let location = format!("Location: {}\r\n", canary.url("/keys"));
    let rows = [301, 302, 303, 307, 308].map(|status| {
        let redirect = Act::Say(http(status, &location, ""));
        (status.to_string(), redirect, "redirects elsewhere")
    });
    check_outage(&rows).await;
    assert_eq!(canary.upstream.connections(), 0);
}

#[tokio::test]
async fn only_a_key_set_with_status_200_is_accepted() {
    let set = key_set(&[published(Algorithm::RS256, "k1", RSA)]);
    let statuses = [201, 203, 206, 400, 401, 404, 429, 500, 503];
    let statuses = statuses.map(|status| http(status, "", &set));
    let bodiless = [204, 304].map(|status| head(status, ""));
    let bodies = [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "<html>",
        "{\"keys\":[",
    ];
    let bodies = bodies.map(|body| http(200, "", body));
    let deep = http(200, "", format!("{{\"keys\":{}", "[".repeat(100_000)));
    let cut = head(200, &format!("Content-Length: {}\r\n", set.len() + 1));
    let cut = [cut, set.clone().into_bytes()].concat();
    let answers = statuses.into_iter().chain(bodiless).chain(bodies);
    let answers = answers.chain([deep, cut, b"SSH-2.0-x\r\n\r\n".to_vec()]);
    let rows = answers.map(|answer| {
        let row = String::from_utf8_lossy(&answer[..answer.len().min(99)]).into_owned();
        (row, Act::Say(answer), "")
    });
    check_outage(&rows.collect::<Vec<_>>()).await;
    // The type of the content says nothing that counts.
    let gate = Gate::start().await;
    gate.authority
        .script(Act::Say(http(200, "Content-Type: text/plain\r\n", set)));
    gate.expect("text", &token(&json!({})), ACCEPTED).await;
}

#[tokio::test]
async fn a_key_set_of_1_mib_is_read_and_a_larger_one_is_not() {
    const LARGE: &str = "larger than 1 MiB";
    let set = key_set(&[published(Algorithm::RS256, "k1", RSA)]);
    // With its length, and until the end.
    let answers = |length: usize| {
        let body = format!("{set}{}", " ".repeat(length - set.len()));
        let until_the_end = [head(200, ""), body.clone().into_bytes()].concat();
        [http(200, "", body), until_the_end].map(Act::Say)
    };
    let gate = Gate::start().await;
    for longest in answers(MAX_KEY_SET) {
        gate.authority.script(longest);
        pass(2 * KEPT).await;
        gate.expect("the longest", &token(&json!({})), ACCEPTED)
            .await;
    }
    let larger = [answers(MAX_KEY_SET + 1), answers(2 * MAX_KEY_SET)].concat();
    // An endless one is left as soon as it is too large, and not for want of time.
    let rows = larger.into_iter().chain([Act::Flood(head(200, ""))]);
    let rows: Vec<_> = rows.map(|act| (String::new(), act, LARGE)).collect();
    check_outage(&rows).await;
}

#[tokio::test]
async fn a_fetch_ends_after_5_seconds_in_all() {
    let drip = Act::Drip(head(200, ""), Duration::from_millis(900));
    for act in [Act::Hang(Vec::new()), drip] {
        let gate = Arc::new(Gate::start().await);
        gate.authority.script(act);
        let begun = Instant::now();
        let same = Arc::clone(&gate);
        let caller = tokio::spawn(async move { same.check(&token(&json!({}))).await });
        gate.authority.upstream.wait_for("/keys", 1).await;
        tokio::time::pause();
        let outcome = caller.await.unwrap();
        let Outcome::Unavailable(log) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(log.contains("too long"), "{log}");
        assert!(
            (FETCH..2 * FETCH).contains(&begun.elapsed()),
            "{:?}",
            begun.elapsed()
        );
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_proxy_has_no_part_in_a_fetch_from_this_machine() {
    const TEST: &str = "keys_are_fetched_for_the_first_token_and_then_in_ten_minutes";
    let canary = Authority::start().await;
    let proxies = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ];
    // This very program with another environment, for which a test must not change its own.
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .arg(TEST)
        .envs(proxies.map(|name| (name, canary.url("/"))))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdin(Stdio::null())
        .output();
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    assert_eq!(canary.upstream.connections(), 0);
}
