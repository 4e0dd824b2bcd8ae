//! That every caller gets the answer to its own request, and never another's.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;

use super::*;
use crate::client::Client;
use crate::credentials::Token;
use crate::upstream::{Connection, LOCKER, PATIENCE, Upstream, ok, once, pass, who};

/// An upstream that serves its first connection in this way, and is good on all others.
async fn first<F>(serve: impl Fn(Connection) -> F + Clone + Send + Sync + 'static) -> Upstream
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    Upstream::start(move |mut connection| {
        let serve = serve.clone();
        async move {
            if connection.number == 0 {
                return serve(connection).await;
            }
            loop {
                connection.read_request().await?;
                connection.write(ok("good")).await?;
            }
        }
    })
    .await
}

/// An upstream whose first connection answers in two parts, the second on notice, and then answers another request.
async fn late(in_time: &[u8], too_late: &[u8], now: &Arc<Notify>) -> Upstream {
    let parts = [in_time.to_vec(), too_late.to_vec()];
    let now = Arc::clone(now);
    first(move |mut connection| {
        let ([in_time, too_late], now) = (parts.clone(), Arc::clone(&now));
        async move {
            connection.read_request().await?;
            connection.write(in_time).await?;
            now.notified().await;
            connection.write(too_late).await?;
            connection.read_request().await?;
            connection.write(ok("foreign")).await
        }
    })
    .await
}

/// Calls go on over another connection, before and after the rest of an answer has come.
async fn check_others(upstream: &Upstream, client: &Client, now: &Notify, name: &str) {
    assert_eq!(who(client).await, Ok("good".into()), "{name}, before");
    now.notify_one();
    upstream.ended(1).await;
    assert_eq!(who(client).await, Ok("good".into()), "{name}, after");
    assert_eq!(upstream.connections(), 2, "{name}");
}

const LEFT_OVER: [(&str, &[u8]); 4] = [
    (
        "an answer",
        b"HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{\"status\": \"ok\", \"who\": \"foreign\"}",
    ),
    ("half an answer", b"HTTP/1.1 200 O"),
    ("an early answer", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ("a byte", b"\0"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_an_answer_reaches_no_other_call() {
    for (name, rest) in LEFT_OVER {
        let upstream = Upstream::repeating([&ok("good"), rest].concat()).await;
        let client = upstream.client(once());
        let mut calls = JoinSet::new();
        for _ in 0..4 {
            let client = client.clone();
            calls.spawn(async move {
                for _ in 0..100 {
                    assert_eq!(who(&client).await, Ok("good".into()), "{name}");
                }
            });
        }
        calls.join_all().await;
        assert_eq!(upstream.heads().len(), 400, "{name}");
        assert_eq!(upstream.connections(), 400, "{name}: none was used again");
    }
}

#[tokio::test]
async fn what_comes_on_an_idle_connection_reaches_no_other_call() {
    for (name, rest) in LEFT_OVER {
        let idle = Arc::new(Notify::new());
        let notice = Arc::clone(&idle);
        let upstream = Upstream::start(move |mut connection| {
            let idle = Arc::clone(&notice);
            async move {
                connection.read_request().await?;
                connection.write(ok("good")).await?;
                idle.notified().await;
                connection.write(rest).await?;
                connection.read_request().await?;
                connection.write(ok("foreign")).await
            }
        })
        .await;
        let client = upstream.client(once());
        for calls in 1..=5 {
            assert_eq!(who(&client).await, Ok("good".into()), "{name}");
            assert_eq!(upstream.connections(), calls, "{name}");
            idle.notify_one();
            upstream.ended(calls).await;
        }
    }
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

#[tokio::test]
async fn an_upstream_out_of_step_keeps_the_answers_of_accounts_apart() {
    // Each connection answers with the account that used it first.
    let upstream = Upstream::start(|mut connection| async move {
        let account = |head: &str| {
            let (_, token) = head.split_once("oauth_token=")?;
            token.split(['&', ' ']).next().map(str::to_owned)
        };
        let first = connection.read_request().await?;
        let first = account(&first).unwrap_or_default();
        loop {
            // Reversed, since a token that comes back is redacted.
            connection.write(ok(&reversed(&first))).await?;
            connection.read_request().await?;
        }
    })
    .await;
    let client = upstream.client(once());
    let with = |token: &str| {
        let mut credentials = client.credentials().clone();
        credentials.token = Some(Token {
            token: token.into(),
            secret: "token-secret".into(),
        });
        client.with_credentials(credentials)
    };
    let accounts: Vec<String> = (0..10).map(|number| format!("account{number}")).collect();
    for _ in 0..3 {
        assert_eq!(who(&client).await, Ok(reversed("token")));
        for account in &accounts {
            assert_eq!(who(&with(account)).await, Ok(reversed(account)));
        }
    }
    assert_eq!(upstream.connections(), 11, "each account keeps its own");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_reaches_no_other_call() {
    let answer = ok("late");
    let (start, rest) = answer.split_at(answer.len() - 5);
    let silence = Limits {
        read_timeout: Duration::from_millis(100),
        read_deadline: 2 * PATIENCE,
        ..once()
    };
    let head: [&[u8]; 2] = [b"HTTP/1.1 200", b" OK\r\nContent-Length: 0\r\n\r\n"];
    for (name, [in_time, too_late], limits, expected) in [
        (
            "nothing",
            [b"", &answer[..]],
            once(),
            Interruption::DeadlineExceeded,
        ),
        ("half a head", head, once(), Interruption::DeadlineExceeded),
        (
            "half a body",
            [start, rest],
            silence,
            Interruption::ReadTimeout,
        ),
    ] {
        let now = Arc::new(Notify::new());
        let upstream = late(in_time, too_late, &now).await;
        let mut client = upstream.client(limits);
        let time = async {
            upstream.requests(1).await;
            pass(PATIENCE).await;
        };
        let (ended, ()) = tokio::join!(who(&client), time);
        assert_eq!(ended, Err(Error::Interrupted(expected)), "{name}");
        client.limits = once();
        check_others(&upstream, &client, &now, name).await;
    }
}

#[tokio::test]
async fn the_answer_of_a_caller_who_left_reaches_no_other_call() {
    let now = Arc::new(Notify::new());
    let upstream = late(b"", &ok("foreign"), &now).await;
    let client = upstream.client(once());
    tokio::select! {
        ended = who(&client) => panic!("{ended:?}"),
        () = upstream.requests(1) => {}
    }
    check_others(&upstream, &client, &now, "left").await;
}

#[tokio::test]
async fn early_answers_are_skipped() {
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 7\r\n\r\n";
    for (name, before) in [
        ("continue", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("processing", "HTTP/1.1 102 Processing\r\n\r\n"),
        ("hints", hint),
        ("a thousand hints", &hint.repeat(1_000)),
    ] {
        let upstream = Upstream::repeating([before.as_bytes(), &ok("me")].concat()).await;
        let client = upstream.client(once());
        for _ in 0..3 {
            assert_eq!(who(&client).await, Ok("me".into()), "{name}");
        }
        assert_eq!(upstream.connections(), 1, "{name}");
    }
}

#[tokio::test]
async fn other_protocols_are_not_switched_to() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    let answer = [switch.as_bytes(), &ok("foreign")].concat();
    let upstream = first(move |mut connection| {
        let answer = answer.clone();
        async move {
            connection.read_request().await?;
            connection.write(answer).await?;
            connection.wait().await
        }
    })
    .await;
    let client = upstream.client(once());
    let expected = Error::Unreadable(Unreadable::Status(101));
    assert_eq!(who(&client).await, Err(expected));
    assert_eq!(who(&client).await, Ok("good".into()));
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_out_of_order_reach_those_who_asked() {
    const CALLS: usize = 64;
    let page = |head: &str| {
        let (_, rest) = head.split_once("page=").unwrap();
        rest.split('&').next().unwrap().parse::<usize>().unwrap()
    };
    let all_in_flight = Arc::new(Barrier::new(CALLS));
    let upstream = Upstream::start(move |mut connection| {
        let all_in_flight = Arc::clone(&all_in_flight);
        async move {
            loop {
                let page = page(&connection.read_request().await?);
                all_in_flight.wait().await;
                // The last page is answered first.
                tokio::time::sleep(Duration::from_millis(2 * (CALLS - page) as u64)).await;
                connection.write(ok(&page.to_string())).await?;
            }
        }
    })
    .await;
    let client = upstream.client(once());
    for _ in 0..5 {
        let mut calls = JoinSet::new();
        for page in 0..CALLS {
            let client = client.clone();
            calls.spawn(async move {
                let answer = client.send::<Value>(&LOCKER, &json!({"page": page})).await;
                assert_eq!(answer.unwrap().document["who"], page.to_string());
            });
        }
        calls.join_all().await;
    }
    assert!(upstream.connections() >= CALLS);
    assert_eq!(upstream.heads().len(), 5 * CALLS);
}
