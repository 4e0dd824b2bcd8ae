//! Answers as no server should give them: how much of each is read, and what is not believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::upstream::{PATIENCE, Upstream, http, once, who};

const JSON: &str = "Content-Type: application/json\r\n";
const ME: &[u8] = br#"{"status": "ok", "who": "me"}"#;

fn with_head(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn chunk(body: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", body.len());
    [size.as_bytes(), body, b"\r\n"].concat()
}

#[tokio::test]
async fn a_body_is_read_to_its_limit_and_not_a_byte_further() {
    let limits = Limits {
        response_bytes: 1_000,
        ..once()
    };
    let chunks = |body: &[u8]| [body.chunks(7).flat_map(chunk).collect(), chunk(b"")].concat();
    for (length, fits) in [(999, true), (1_000, true), (1_001, false)] {
        let mut body = ME.to_vec();
        body.resize(length, b' ');
        for (name, answer) in [
            ("a length", http(200, JSON, &body)),
            (
                "chunks",
                with_head("Transfer-Encoding: chunked\r\n", &chunks(&body)),
            ),
            ("neither", with_head("Connection: close\r\n", &body)),
        ] {
            let upstream = Upstream::start(move |mut connection| {
                let answer = answer.clone();
                async move {
                    connection.read_request().await?;
                    connection.write(answer).await
                }
            })
            .await;
            let expected = if fits {
                Ok("me".to_owned())
            } else {
                Err(Error::Unreadable(Unreadable::TooLarge { max: 1_000 }))
            };
            let ended = who(&upstream.client(limits)).await;
            assert_eq!(ended, expected, "{name}, {length}");
        }
    }
}

#[tokio::test]
async fn what_has_no_end_is_cut_off() {
    let megabyte = vec![b' '; 1 << 20];
    let fields = b"A: b\r\n".repeat(10_000);
    let hints = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000);
    let chunks = |start: &[u8]| with_head("Transfer-Encoding: chunked\r\n", start);
    let closed = Error::Interrupted(Interruption::ConnectionClosed);
    let too_large = Error::Unreadable(Unreadable::TooLarge { max: 4 << 20 });
    let compressed = Error::Unreadable(Unreadable::Compressed);
    let too_long = Error::Interrupted(Interruption::DeadlineExceeded);
    #[rustfmt::skip]
    let rows: [(&str, Vec<u8>, &[u8], &Error); 9] = [
        ("a body in chunks", chunks(b""), &chunk(&megabyte), &too_large),
        ("a body", with_head("", b""), &megabyte, &too_large),
        ("gzip", with_head("Content-Encoding: gzip\r\n", b""), &megabyte, &compressed),
        ("a chunk's extension", chunks(b"5;"), &megabyte, &closed),
        ("trailers", chunks(b"0\r\n"), &fields, &closed),
        ("a header", b"HTTP/1.1 200 OK\r\nA: ".into(), &megabyte, &closed),
        ("headers", b"HTTP/1.1 200 OK\r\n".into(), &fields, &closed),
        ("a reason", b"HTTP/1.1 200 ".into(), &megabyte, &closed),
        ("early answers", Vec::new(), &hints, &too_long),
    ];
    for (name, start, again, expected) in rows {
        let taken = Arc::new(AtomicUsize::new(0));
        let (again, counted) = (again.to_vec(), Arc::clone(&taken));
        let upstream = Upstream::start(move |mut connection| {
            let (start, again) = (start.clone(), again.clone());
            let counted = Arc::clone(&counted);
            async move {
                connection.read_request().await?;
                connection.write(start).await?;
                connection.flood(&again, &counted).await
            }
        })
        .await;
        // Early answers are discarded as they come, so there only the deadline ends the read, and no count of bytes does.
        let ends_by_deadline = *expected == too_long;
        let limits = Limits {
            read_deadline: if ends_by_deadline {
                PATIENCE / 60
            } else {
                PATIENCE
            },
            ..once()
        };
        let ended = who(&upstream.client(limits)).await;
        assert_eq!(ended, Err(expected.clone()), "{name}");
        // What is in the buffers between client and upstream included.
        let taken = taken.load(Ordering::SeqCst);
        assert!(ends_by_deadline || taken < 16 << 20, "{name}: {taken}");
    }
}

#[tokio::test]
async fn a_compressed_answer_is_unreadable_whatever_is_inside() {
    let packed: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    let compressed = || Err(Error::Unreadable(Unreadable::Compressed));
    let me = || Ok("me".to_owned());
    let twice = "identity\r\nContent-Encoding: gzip";
    let seven = Some(Duration::from_secs(7));
    for (status, encoding, body, expected) in [
        (200, "gzip", packed, compressed()),
        (200, "gzip", ME, compressed()),
        (200, "GZip", ME, compressed()),
        (200, "br", ME, compressed()),
        (200, "zstd", ME, compressed()),
        (200, "gzip, gzip", ME, compressed()),
        (200, twice, ME, compressed()),
        (200, "Identity", ME, me()),
        (200, "", ME, me()),
        // The status says more, where it is no success.
        (
            404,
            "gzip",
            packed,
            Err(Error::Unreadable(Unreadable::NotFound(404))),
        ),
        (
            503,
            "gzip",
            b"?",
            Err(Error::Unavailable {
                status: 503,
                retry_after: seven,
            }),
        ),
        (
            429,
            "gzip",
            b"?",
            Err(Error::Throttled { retry_after: seven }),
        ),
    ] {
        let headers = format!("{JSON}Retry-After: 7\r\nContent-Encoding: {encoding}\r\n");
        let upstream = Upstream::repeating(http(status, &headers, body)).await;
        let ended = who(&upstream.client(once())).await;
        assert_eq!(ended, expected, "{status}, {encoding}");
        let heads = upstream.heads().concat().to_ascii_lowercase();
        assert!(!heads.contains("accept-encoding"), "{heads}");
    }
}

#[tokio::test]
async fn of_contradicting_lengths_chunks_win_and_nothing_else() {
    let chunked = [chunk(ME), chunk(b"")].concat();
    let closed = || Err(Error::Interrupted(Interruption::ConnectionClosed));
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
    for (headers, body, expected) in [
        (
            "Content-Length: 29\r\nContent-Length: 200\r\n",
            ME,
            closed(),
        ),
        ("Content-Length: 29, 200\r\n", ME, closed()),
        ("Content-Length: +29\r\n", ME, closed()),
        ("Content-Length: -1\r\n", ME, closed()),
        (both, &chunked, Ok("me".into())),
    ] {
        let upstream = Upstream::repeating(with_head(headers, body)).await;
        let client = upstream.client(once());
        for _ in 0..2 {
            assert_eq!(who(&client).await, expected, "{headers}");
        }
    }
}
