//! Answers as no server should give them: how much of each is read, and what is not believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

use super::*;
use crate::client::Client;
use crate::upstream::{LOCKER, Upstream, http, once, who};

const JSON: &str = "Content-Type: application/json\r\n";

async fn read(client: &Client) -> Result<Map<String, Value>, Error> {
    Ok(client.send(&LOCKER, &json!({})).await?.document)
}

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{JSON}{headers}\r\n").into_bytes()
}

fn chunk(body: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", body.len());
    [size.as_bytes(), body, b"\r\n"].concat()
}

#[tokio::test]
async fn a_body_is_read_to_its_limit_and_not_a_byte_further() {
    let limits = Limits {
        answer_bytes: 1_000,
        ..once()
    };
    let with_length = |body: &[u8]| http(200, JSON, body);
    let in_chunks = |body: &[u8]| {
        let mut answer = head("Transfer-Encoding: chunked\r\n");
        body.chunks(7).for_each(|part| answer.extend(chunk(part)));
        answer.extend(b"0\r\n\r\n");
        answer
    };
    let to_the_end = |body: &[u8]| [&head("Connection: close\r\n"), body].concat();
    for (length, fits) in [(999, true), (1_000, true), (1_001, false)] {
        let mut body = br#"{"status": "ok"}"#.to_vec();
        body.resize(length, b' ');
        for (name, answer) in [
            ("a length", with_length(&body)),
            ("chunks", in_chunks(&body)),
            ("neither", to_the_end(&body)),
        ] {
            let upstream = Upstream::start(move |mut connection| {
                let answer = answer.clone();
                async move {
                    connection.hear().await?;
                    connection.say(answer).await
                }
            })
            .await;
            let expected = if fits {
                Ok(Map::from_iter([("status".to_owned(), json!("ok"))]))
            } else {
                Err(Error::Unreadable("it is larger than 1000 bytes".into()))
            };
            let ended = read(&upstream.client(limits)).await;
            assert_eq!(ended, expected, "{name}, {length}");
        }
    }
}

#[tokio::test]
async fn what_has_no_end_is_cut_off() {
    let megabyte = vec![b' '; 1 << 20];
    let chunks = head("Transfer-Encoding: chunked\r\n");
    let many_hints = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000);
    let broke = Error::Interrupted(Interruption::Broke);
    let too_large = Error::Unreadable("it is larger than 4194304 bytes".into());
    let compressed = Error::Unreadable("it is compressed, which was not asked for".into());
    let rows = [
        (
            "a body in chunks",
            chunks.clone(),
            chunk(&megabyte),
            too_large.clone(),
        ),
        ("a body", head(""), megabyte.clone(), too_large),
        (
            "gzip",
            head("Content-Encoding: gzip\r\n"),
            megabyte.clone(),
            compressed,
        ),
        (
            "a chunk's extension",
            [&chunks[..], b"5;"].concat(),
            megabyte.clone(),
            broke.clone(),
        ),
        (
            "trailers",
            [&chunks[..], b"0\r\n"].concat(),
            b"A: b\r\n".repeat(10_000),
            broke.clone(),
        ),
        (
            "a header",
            b"HTTP/1.1 200 OK\r\nA: ".to_vec(),
            megabyte.clone(),
            broke.clone(),
        ),
        (
            "headers",
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            b"A: b\r\n".repeat(10_000),
            broke.clone(),
        ),
        (
            "a reason",
            b"HTTP/1.1 200 ".to_vec(),
            megabyte,
            broke.clone(),
        ),
        (
            "early answers",
            Vec::new(),
            many_hints,
            Error::Interrupted(Interruption::TooLong),
        ),
    ];
    for (name, start, again, expected) in rows {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let upstream = Upstream::start(move |mut connection| {
            let (start, again) = (start.clone(), again.clone());
            let counted = Arc::clone(&counted);
            async move {
                connection.hear().await?;
                connection.say(start).await?;
                connection.flood(&again, &counted).await
            }
        })
        .await;
        let limits = Limits {
            read: Duration::from_secs(2),
            ..once()
        };
        let started = Instant::now();
        let ended = read(&upstream.client(limits)).await;
        assert_eq!(ended, Err(expected.clone()), "{name}");
        assert!(started.elapsed() < Duration::from_secs(3), "{name}");
        // What lies in buffers between us included. Early answers are thrown away as they come.
        let taken = taken.load(Ordering::SeqCst);
        let bounded = expected == Error::Interrupted(Interruption::TooLong) || taken < 16 << 20;
        assert!(bounded, "{name}: {taken}");
        println!("{name}: {taken} bytes in {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn what_is_compressed_is_refused_whatever_is_inside() {
    let plain = br#"{"status": "ok", "who": "me"}"#;
    let packed =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    let compressed = || Err("it is compressed, which was not asked for".to_owned());
    let me = || Ok("me".to_owned());
    for (status, encoding, body, expected) in [
        (200, "gzip", &packed[..], compressed()),
        (200, "gzip", plain, compressed()),
        (200, "GZip", plain, compressed()),
        (200, "br", plain, compressed()),
        (200, "zstd", plain, compressed()),
        (200, "gzip, gzip", plain, compressed()),
        (
            200,
            "identity\r\nContent-Encoding: gzip",
            plain,
            compressed(),
        ),
        (
            404,
            "gzip",
            packed,
            Err("there is nothing at this address (HTTP 404)".into()),
        ),
        (200, "Identity", plain, me()),
        (200, "", plain, me()),
    ] {
        let answer = http(
            status,
            &format!("{JSON}Content-Encoding: {encoding}\r\n"),
            body,
        );
        let upstream = Upstream::answering(move |_| answer.clone()).await;
        let ended = who(&upstream.client(once())).await;
        assert_eq!(
            ended,
            expected.map_err(Error::Unreadable),
            "{status}, {encoding}"
        );
        let heads = upstream.heads().concat().to_ascii_lowercase();
        assert!(!heads.contains("accept-encoding"), "{heads}");
    }
}

#[tokio::test]
async fn a_compressed_page_behind_a_status_says_no_more_than_the_status() {
    let unavailable = Error::Unavailable {
        status: 503,
        wait: Some(Duration::from_secs(7)),
    };
    let throttled = Error::Throttled {
        wait: Some(Duration::from_secs(7)),
    };
    for (status, expected) in [(503, unavailable), (429, throttled)] {
        let headers = "Content-Encoding: gzip\r\nRetry-After: 7\r\n";
        let upstream = Upstream::answering(move |_| http(status, headers, "?")).await;
        let ended = read(&upstream.client(once())).await;
        assert_eq!(ended, Err(expected));
    }
}

#[tokio::test]
async fn where_an_answer_contradicts_itself_chunks_win_and_nothing_else() {
    let body = br#"{"status": "ok", "who": "me"}"#;
    let chunked = [&chunk(body)[..], b"0\r\n\r\n"].concat();
    let broke = || Err(Error::Interrupted(Interruption::Broke));
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
    for (headers, body, expected) in [
        (
            "Content-Length: 29\r\nContent-Length: 200\r\n",
            &body[..],
            broke(),
        ),
        ("Content-Length: 29, 200\r\n", body, broke()),
        ("Content-Length: +29\r\n", body, broke()),
        ("Content-Length: -1\r\n", body, broke()),
        (both, &chunked, Ok("me".into())),
    ] {
        let answer = [&head(headers), body].concat();
        let upstream = Upstream::answering(move |_| answer.clone()).await;
        let client = upstream.client(once());
        for _ in 0..2 {
            assert_eq!(who(&client).await, expected, "{headers}");
        }
    }
}
