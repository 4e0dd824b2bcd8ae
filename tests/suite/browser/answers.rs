//! Yes buys once, no and nothing buy nothing, and a repeat of the call picks up an answer that came late.

use super::asking::{Asking, WAITING, send};
use crate::support::{fails_with, purchase_id};

const WAIT: &str = "SEVENDIGITAL_MCP_CONFIRM_WAIT";

#[tokio::test]
async fn a_yes_buys_once_and_the_waiting_call_gets_the_receipt() {
    let (mut asking, call, page) = Asking::asked("11700062").await;
    let shown = page.say("yes").await;
    assert!(shown.contains("You said yes"), "{shown}");
    let result = asking.result(call).await;
    assert!(!purchase_id(&result).is_empty());
    assert_eq!(asking.purchases(), 1);
    // Replayed, by a reload or by somebody who has recorded it.
    for answer in ["yes", "no"] {
        let replayed = send(&page.form(answer)).await;
        assert_eq!(replayed.status, 409, "{replayed:?}");
    }
    assert_eq!(asking.purchases(), 1);
    asking.end().await;
}

#[tokio::test]
async fn a_no_buys_nothing_and_a_yes_after_it_is_too_late() {
    let (mut asking, call, page) = Asking::asked("11700062").await;
    let shown = page.say("no").await;
    assert!(shown.contains("You said no"), "{shown}");
    let result = asking.result(call).await;
    fails_with(&result, &["The user was asked and said no"]);
    assert_eq!(send(&page.form("yes")).await.status, 409);
    assert_eq!(asking.purchases(), 0);
    asking.end().await;
}

#[tokio::test]
async fn a_yes_after_the_first_wait_is_picked_up_by_the_repeat() {
    let mut asking = Asking::with(&[(WAIT, "300ms")]).await;
    let first = asking.buy("11700062").await;
    let result = asking.result(first).await;
    fails_with(&result, &[WAITING]);
    let mut page = asking.page(1).await;
    page.open().await;
    page.say("yes").await;
    assert_eq!(asking.purchases(), 0);
    let repeat = asking.buy("11700062").await;
    let result = asking.result(repeat).await;
    assert!(!purchase_id(&result).is_empty());
    assert_eq!((asking.purchases(), asking.opened().len()), (1, 1));
    asking.end().await;
}

#[tokio::test]
async fn ten_identical_calls_open_one_browser_and_buy_once() {
    let mut asking = Asking::start().await;
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.push(asking.buy("11700062").await);
    }
    let mut page = asking.page(1).await;
    page.open().await;
    page.say("yes").await;
    for call in calls {
        asking.result(call).await;
    }
    assert_eq!((asking.purchases(), asking.opened().len()), (1, 1));
    asking.end().await;
}

#[tokio::test]
async fn an_answer_is_for_its_own_question_only() {
    let (mut asking, first, no) = Asking::asked("11700062").await;
    let second = asking.buy("11700063").await;
    let mut yes = asking.page(2).await;
    yes.open().await;
    no.say("no").await;
    fails_with(&asking.result(first).await, &["said no"]);
    yes.say("yes").await;
    assert!(!purchase_id(&asking.result(second).await).is_empty());
    assert_eq!(asking.purchases(), 1);
    asking.end().await;
}

#[tokio::test]
async fn a_page_whose_question_has_expired_says_so_and_buys_nothing() {
    let ttl = ("SEVENDIGITAL_MCP_LIMIT_CONFIRMATION_TTL", "500ms");
    let mut asking = Asking::with(&[(WAIT, "100ms"), ttl]).await;
    let call = asking.buy("11700062").await;
    let mut page = asking.page(1).await;
    let first = send(&page.visit()).await;
    let cookie = first.header("set-cookie").unwrap().split(';').next();
    cookie.unwrap().clone_into(&mut page.cookie);
    let gone = loop {
        let answer = send(&page.visit()).await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(gone.status, 410, "{gone:?}");
    assert!(String::from_utf8_lossy(&gone.body).contains("has expired"));
    asking.result(call).await;
    assert_eq!(asking.purchases(), 0);
    asking.end().await;
}
