//! That every caller is given the answer to what was asked, and nobody another's.

use std::io;

use serde_json::{Value, json};

use super::*;
use crate::upstream::{Connection, LOCKER, Upstream, ok, once, who};

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
                connection.hear().await?;
                connection.say(ok("good")).await?;
            }
        }
    })
    .await
}

/// An upstream whose every answer is followed by these bytes, at once or after a pause.
async fn leaving(rest: &[u8], pause: Option<Duration>) -> Upstream {
    let rest = rest.to_vec();
    Upstream::start(move |mut connection| {
        let rest = rest.clone();
        async move {
            connection.hear().await?;
            if let Some(pause) = pause {
                connection.say(ok("good")).await?;
                tokio::time::sleep(pause).await;
                connection.say(rest).await?;
            } else {
                connection.say([ok("good"), rest].concat()).await?;
            }
            connection.hear().await?;
            connection.say(ok("foreign")).await
        }
    })
    .await
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
async fn what_stands_behind_an_answer_reaches_no_other_call() {
    for (name, rest) in LEFT_OVER {
        let upstream = leaving(rest, None).await;
        let client = upstream.client(once());
        let mut calls = tokio::task::JoinSet::new();
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
async fn what_comes_while_a_connection_rests_reaches_no_other_call() {
    for (name, rest) in LEFT_OVER {
        let upstream = leaving(rest, Some(Duration::from_millis(10))).await;
        let client = upstream.client(once());
        for calls in 1..=5 {
            assert_eq!(who(&client).await, Ok("good".into()), "{name}");
            assert_eq!(upstream.connections(), calls, "{name}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_nobodys() {
    let late = ok("late");
    let (early_half, late_half) = late.split_at(late.len() - 5);
    let limits = once();
    let rows: [(&str, &[u8], &[u8], Error); 3] = [
        (
            "nothing in time",
            b"",
            &late,
            Error::Interrupted(Interruption::TooLong),
        ),
        (
            "half a head in time",
            b"HTTP/1.1 200",
            b" OK\r\nContent-Length: 0\r\n\r\n",
            Error::Interrupted(Interruption::TooLong),
        ),
        (
            "half a body in time",
            early_half,
            late_half,
            Error::Interrupted(Interruption::Silent),
        ),
    ];
    for (name, in_time, too_late, expected) in rows {
        let (in_time, too_late) = (in_time.to_vec(), too_late.to_vec());
        let upstream = first(move |mut connection| {
            let (in_time, too_late) = (in_time.clone(), too_late.clone());
            async move {
                connection.hear().await?;
                connection.say(in_time).await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
                connection.say(too_late).await?;
                connection.hear().await?;
                connection.say(ok("foreign")).await
            }
        })
        .await;
        let client = upstream.client(limits);
        assert_eq!(who(&client).await, Err(expected), "{name}");
        assert_eq!(who(&client).await, Ok("good".into()), "{name}, at once");
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(who(&client).await, Ok("good".into()), "{name}, later");
        assert_eq!(upstream.connections(), 2, "{name}");
    }
}

#[tokio::test]
async fn the_answer_of_a_caller_who_left_is_nobodys() {
    let upstream = first(|mut connection| async move {
        connection.hear().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        connection.say(ok("foreign")).await?;
        connection.hear().await?;
        connection.say(ok("foreign")).await
    })
    .await;
    let client = upstream.client(once());
    let left = tokio::time::timeout(Duration::from_millis(50), who(&client)).await;
    assert!(left.is_err());
    assert_eq!(who(&client).await, Ok("good".into()), "at once");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(who(&client).await, Ok("good".into()), "later");
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn early_answers_are_passed_over() {
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 7\r\n\r\n";
    for (name, before) in [
        ("continue", "HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
        ("processing", "HTTP/1.1 102 Processing\r\n\r\n".to_owned()),
        ("hints", hint.to_owned()),
        ("a thousand hints", hint.repeat(1_000)),
    ] {
        let answer = [before.as_bytes(), &ok("me")].concat();
        let upstream = Upstream::answering(move |_| answer.clone()).await;
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
            connection.hear().await?;
            connection.say(answer).await?;
            connection.wait().await
        }
    })
    .await;
    let client = upstream.client(once());
    let expected = Error::Unreadable("HTTP 101 is no answer".into());
    assert_eq!(who(&client).await, Err(expected));
    assert_eq!(who(&client).await, Ok("good".into()));
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_out_of_order_reach_those_who_asked() {
    const CALLS: u64 = 64;
    let page = |head: &str| {
        let (_, rest) = head.split_once("page=").unwrap();
        rest.split('&').next().unwrap().parse::<u64>().unwrap()
    };
    let upstream = Upstream::start(move |mut connection| async move {
        loop {
            let page = page(&connection.hear().await?);
            // Who came last is answered first.
            tokio::time::sleep(Duration::from_millis(2 * (CALLS - page))).await;
            connection.say(ok(&page.to_string())).await?;
        }
    })
    .await;
    let client = upstream.client(Limits {
        read: Duration::from_secs(10),
        ..once()
    });
    for _ in 0..5 {
        let mut calls = tokio::task::JoinSet::new();
        for page in 0..CALLS {
            let client = client.clone();
            calls.spawn(async move {
                let answer = client.send::<Value>(&LOCKER, &json!({"page": page})).await;
                assert_eq!(answer.unwrap().document["who"], page.to_string());
            });
        }
        calls.join_all().await;
    }
    assert!(upstream.connections() >= 64);
    assert_eq!(upstream.heads().len(), 5 * 64);
}
