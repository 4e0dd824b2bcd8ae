//! How keys are fetched: seldom, once for all callers, and without a word about the token.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::task::JoinSet;

use super::{ACCEPTED, FRESH, Gate, Outcome, PAUSE, pass, token};
use crate::support::tokens::{OTHER_RSA, RSA, good, published, published_set, signed};
use crate::support::upstream::Act;

const UNKNOWN: &str = "does not publish";

/// A token of the other key, under this name.
fn of_other(kid: &str) -> String {
    signed(&json!({"alg": "RS256", "kid": kid}), &good(), OTHER_RSA)
}

#[tokio::test]
async fn keys_are_fetched_for_the_first_token_and_then_in_ten_minutes() {
    let gate = Gate::start().await;
    let good = token(&json!({}));
    // One round trip to the server, during which it asks for nothing.
    gate.expect("no token", "x", "not a signed JWT").await;
    assert_eq!(gate.authority.upstream.connections(), 0);
    for (wait, fetches) in [(0, 1), (9 * 60, 1), (60, 2), (0, 2)] {
        pass(Duration::from_secs(wait)).await;
        for _ in 0..10 {
            gate.expect("good", &good, ACCEPTED).await;
        }
        assert_eq!(gate.authority.fetches(), fetches);
    }
}

#[tokio::test]
async fn the_request_for_keys_says_nothing_of_the_token() {
    let gate = Gate::start().await;
    let good = token(&json!({}));
    gate.expect("good", &good, ACCEPTED).await;
    let request = gate.authority.upstream.heard("/keys").remove(0).raw;
    let request = request.to_ascii_lowercase();
    assert!(
        request.starts_with("get /keys?tenant=1 http/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("user-agent: sevendigital-mcp/"),
        "{request}"
    );
    let parts = good.to_ascii_lowercase();
    let words = ["referer", "authorization", "cookie", "bearer", "range"];
    for word in words.into_iter().chain(parts.split('.')) {
        assert!(!request.contains(word), "{request}");
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_30_seconds() {
    let gate = Gate::start().await;
    let known = token(&json!({}));
    gate.expect("known", &known, ACCEPTED).await;
    for round in 1..4 {
        for number in 0..50 {
            gate.expect("forged", &of_other(&format!("forged-{number}")), UNKNOWN)
                .await;
        }
        assert_eq!(gate.authority.fetches(), round);
        gate.expect("known", &known, ACCEPTED).await;
        pass(Duration::from_secs(20)).await;
        gate.expect("20 s", &of_other("forged-0"), UNKNOWN).await;
        assert_eq!(gate.authority.fetches(), round);
        pass(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_first_token_with_an_unknown_key_is_one_fetch_too() {
    let gate = Gate::start().await;
    gate.expect("forged", &of_other("forged"), UNKNOWN).await;
    assert_eq!(gate.authority.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_picked_up_and_an_old_one_dropped() {
    let gate = Gate::start().await;
    let (old, new) = (token(&json!({})), of_other("k2"));
    gate.expect("old", &old, ACCEPTED).await;
    gate.authority.script(published_set(&[published(
        Algorithm::RS256,
        "k2",
        OTHER_RSA,
    )]));
    gate.expect("too early", &new, UNKNOWN).await;
    pass(PAUSE).await;
    gate.expect("new", &new, ACCEPTED).await;
    assert_eq!(gate.authority.fetches(), 2);
    gate.expect("withdrawn", &old, UNKNOWN).await;

    // Without a token that names an unknown key, the new keys come after ten minutes.
    gate.authority.script(published_set(&[]));
    gate.expect("new", &new, ACCEPTED).await;
    pass(FRESH).await;
    gate.expect("none is left", &new, UNKNOWN).await;
    assert_eq!(gate.authority.fetches(), 3);
}

async fn fifty_callers() {
    let gate = Arc::new(Gate::start().await);
    let keys = published_set(&[published(Algorithm::RS256, "k1", RSA)]);
    gate.authority.script(Act::Held(Box::new(keys)));
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let gate = Arc::clone(&gate);
        callers.spawn(async move { gate.check(&token(&json!({}))).await });
    }
    gate.authority.upstream.wait_for("/keys", 1).await;
    // Time for the others to come and to wait as well.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    gate.authority.upstream.open_gate();
    for outcome in callers.join_all().await {
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    assert_eq!(gate.authority.upstream.connections(), 1);
}

#[tokio::test]
async fn fifty_callers_share_one_fetch() {
    fifty_callers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_on_four_threads_share_one_fetch() {
    fifty_callers().await;
}

#[tokio::test]
async fn a_caller_that_hangs_up_neither_ends_the_fetch_nor_starts_another() {
    let gate = Arc::new(Gate::start().await);
    let keys = published_set(&[published(Algorithm::RS256, "k1", RSA)]);
    gate.authority.script(Act::Held(Box::new(keys)));
    let caller = || {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.check(&token(&json!({}))).await })
    };
    for round in 0..20 {
        let mut caller = caller();
        if round == 0 {
            gate.authority.upstream.wait_for("/keys", 1).await;
        } else {
            let waiting = tokio::time::timeout(Duration::from_millis(2), &mut caller).await;
            assert!(waiting.is_err());
        }
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    let next = caller();
    gate.authority.upstream.open_gate();
    let outcome = next.await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!(gate.authority.upstream.connections(), 1);
}

#[tokio::test]
async fn a_known_key_serves_while_another_is_looked_for() {
    let gate = Arc::new(Gate::start().await);
    let known = token(&json!({}));
    gate.expect("known", &known, ACCEPTED).await;
    pass(PAUSE).await;
    let keys = published_set(&[published(Algorithm::RS256, "k2", OTHER_RSA)]);
    gate.authority.script(Act::Held(Box::new(keys)));
    let same = Arc::clone(&gate);
    let unknown = tokio::spawn(async move { same.check(&of_other("k2")).await });
    gate.authority.upstream.wait_for("/keys", 2).await;
    gate.expect("known", &known, ACCEPTED).await;
    assert!(!unknown.is_finished());
    gate.authority.upstream.open_gate();
    let outcome = unknown.await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}
