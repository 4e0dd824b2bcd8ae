//! Where one request ends and the next begins: there is one way to read it, or it is refused and the connection closed.

use serde_json::json;

use super::requests::{doors, fields, unharmed};
use crate::support::draft::{Draft, Wire, chunked};
use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{World, until};

const LOCKER: &str = "/user/locker";

/// A header behind that one, as bytes that nothing was checked of, and then a body.
fn raw(good: &Draft, header: impl AsRef<[u8]>, body: &[u8]) -> Vec<u8> {
    [&good.head()[..], header.as_ref(), b"\r\n", body].concat()
}

/// What comes of bytes on a connection of their own: the statuses of all answers until the server closes it.
async fn statuses(good: &Draft, bytes: &[u8]) -> Vec<u16> {
    let mut wire = Wire::open(&good.address).await;
    // The server may hang up before it has taken all.
    let _ = wire.send(bytes).await;
    let answers = wire.answers().await;
    answers.iter().map(|answer| answer.status).collect()
}

/// A purchase that a request carries within itself.
fn stowaway(world: &World) -> Vec<u8> {
    Draft::call(
        &world.url,
        "purchase-user-item",
        &json!({"releaseId": "11700062"}),
    )
    .bytes()
}

/// Headers that say in two ways, or in none, where the body ends.
#[rustfmt::skip]
fn ambiguous(good: &Draft, stowaway: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let body = good.body.clone();
    let (chunks, length) = (chunked(&body, 100), body.len());
    let behind = [&chunks[..], stowaway].concat();
    let own = |header: &str| raw(good, header, &body);
    let coded = |header: &str| raw(good, header, &chunks);
    let both = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", behind.len());
    let turned = format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunks.len());
    let hidden = format!("X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: {}\r\n", behind.len());
    vec![
        ("length and chunks", raw(good, both, &behind)),
        ("chunks and length", raw(good, &turned, &behind)),
        ("chunks and a short length", coded("transfer-encoding: chunked\r\nCONTENT-LENGTH: 4\r\n")),
        ("two lengths", own(&format!("Content-Length: {length}\r\nContent-Length: 5\r\n"))),
        ("the same length twice", own(&format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"))),
        ("two lengths in one", own(&format!("Content-Length: {length}, {length}\r\n"))),
        ("a length with a plus", own(&format!("Content-Length: +{length}\r\n"))),
        ("a negative length", own("Content-Length: -1\r\n")),
        ("a hexadecimal length", own(&format!("Content-Length: 0x{length:x}\r\n"))),
        ("a length with a point", own(&format!("Content-Length: {length}.0\r\n"))),
        ("a length beyond all numbers", own("Content-Length: 99999999999999999999999\r\n")),
        ("an empty length", own("Content-Length: \r\n")),
        ("chunked, gzip", coded("Transfer-Encoding: chunked, gzip\r\n")),
        ("gzip, chunked", coded("Transfer-Encoding: gzip, chunked\r\n")),
        ("identity", coded("Transfer-Encoding: identity\r\n")),
        ("chunked twice", coded("Transfer-Encoding: chunked, chunked\r\n")),
        ("chunked in two lines", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        ("two codings", coded("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n")),
        ("a word like chunked", coded("Transfer-Encoding: xchunked\r\n")),
        ("chunked behind a tab that is none", coded("Transfer-Encoding: \x0bchunked\r\n")),
        ("chunked in quotes", coded("Transfer-Encoding: \"chunked\"\r\n")),
        ("a blank before the colon", coded("Transfer-Encoding : chunked\r\n")),
        ("a folded coding", coded("Transfer-Encoding:\r\n chunked\r\n")),
        ("a field behind a LF", raw(good, &hidden, &behind)),
    ]
}

/// Requests that are none, and bodies whose chunks are none.
#[rustfmt::skip]
fn malformed(good: &Draft) -> Vec<(&'static str, Vec<u8>)> {
    let (chunks, length) = (chunked(&good.body, 100), good.body.len());
    let own = |header: &str| raw(good, header, &good.body);
    let in_chunks = |body: &[u8]| raw(good, "Transfer-Encoding: chunked\r\n", body);
    let whole = good.bytes();
    let text = String::from_utf8(whole).unwrap();
    vec![
        ("a folded field", own(&format!("X-A: b\r\n c\r\nContent-Length: {length}\r\n"))),
        ("a NUL in a field", own(&format!("X-A: b\0c\r\nContent-Length: {length}\r\n"))),
        ("a CR in a field", own(&format!("X-A: b\rc\r\nContent-Length: {length}\r\n"))),
        ("a line without a colon", own(&format!("X-A\r\nContent-Length: {length}\r\n"))),
        ("a name that is none", own(&format!("X A: b\r\nContent-Length: {length}\r\n"))),
        ("LF for each line's end", text.replace("\r\n", "\n").into_bytes()),
        ("LF for one line's end", text.replacen("\r\n", "\n", 1).into_bytes()),
        ("LF for the empty line", text.replace("\r\n\r\n", "\r\n\n").into_bytes()),
        ("HTTP/0.9", b"GET /v1/user/locker\r\n\r\n".to_vec()),
        ("HTTP/2.0", text.replacen("HTTP/1.1", "HTTP/2.0", 1).into_bytes()),
        ("HTTP/1.2", text.replacen("HTTP/1.1", "HTTP/1.2", 1).into_bytes()),
        ("two blanks in the first line", text.replacen(' ', "  ", 1).into_bytes()),
        ("a blank before the first line", format!(" {text}").into_bytes()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("zeros", vec![0; 1_000]),
        ("a chunk that is longer than it says", in_chunks(&[b"4\r\n", &chunks[..]].concat())),
        ("a chunk of a size with a sign", in_chunks(b"-1\r\nx\r\n0\r\n\r\n")),
        ("a chunk of a size with a prefix", in_chunks(b"0x1\r\nx\r\n0\r\n\r\n")),
        ("a chunk of a size beyond all numbers", in_chunks(b"fffffffffffffffff\r\nx\r\n0\r\n\r\n")),
        ("chunks with LF alone", in_chunks(&String::from_utf8(chunks.clone()).unwrap().replace("\r\n", "\n").into_bytes())),
        ("a LF in a chunk's extension", in_chunks(b"1;a\nb\r\nx\r\n0\r\n\r\n")),
    ]
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let world = World::start().await;
    let stowaway = stowaway(&world);
    for (door, good) in doors(&world) {
        let rows = [ambiguous(&good, &stowaway), malformed(&good)].concat();
        for (what, bytes) in rows {
            for bytes in [bytes.clone(), [bytes, stowaway.clone()].concat()] {
                let told = statuses(&good, &bytes).await;
                println!("{door}, {what}: {told:?}");
                assert_eq!(told, [400], "{door}, {what}");
            }
        }
        // As if the client were a proxy that asks whether HTTP/2 is spoken: it is not, and nothing is said.
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        assert_eq!(statuses(&good, preface).await, [0; 0]);
    }
    unharmed(&world, 0).await;
    assert_eq!(world.sandbox.sales().len(), 0);
}

#[tokio::test]
async fn what_can_be_read_in_one_way_alone_is_read_in_it() {
    let world = World::start().await;
    for (door, good) in doors(&world) {
        let chunks = chunked(&good.body, 7);
        let length = good.body.len();
        let last = good.clone().and("Connection", "close");
        let lines = |lines: &str, body: &[u8]| raw(&last, lines, body);
        let extended = [
            format!("{length:x};a=b\r\n").as_bytes(),
            &good.body,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        let trailing = [
            format!("{length:X}\r\n").as_bytes(),
            &good.body,
            b"\r\n0\r\nMcp-Name: x\r\nHost: evil\r\n\r\n",
        ]
        .concat();
        #[rustfmt::skip]
        let rows: Vec<(&str, Vec<u8>)> = vec![
            ("a length", lines(&format!("Content-Length: {length}\r\n"), &good.body)),
            ("a length with zeros", lines(&format!("content-length:00{length}\t\r\n"), &good.body)),
            ("chunks", lines("Transfer-Encoding: Chunked\r\n", &chunks)),
            ("a chunk with an extension", lines("Transfer-Encoding: chunked\r\n", &extended)),
            ("chunks with a trailer", lines("Transfer-Encoding: chunked\r\n", &trailing)),
            ("empty lines first", [b"\r\n\r\n", &last.bytes()[..]].concat()),
        ];
        for (what, bytes) in rows {
            assert_eq!(statuses(&good, &bytes).await, [200], "{door}, {what}");
        }
        // One byte less than the body has: the byte is the start of the next request, and that is none.
        let short = raw(
            &good,
            format!("Content-Length: {}\r\n", length - 1),
            &good.body,
        );
        let told = statuses(&good, &[short, stowaway(&world)].concat()).await;
        assert_eq!(told, [400, 400], "{door}");
        // To ask for another protocol changes nothing.
        let upgrade = good.clone().and("Connection", "Upgrade, HTTP2-Settings");
        let upgrade = upgrade
            .and("Upgrade", "h2c")
            .and("HTTP2-Settings", "AAMAAABkAAQAAP__");
        assert_eq!(upgrade.send().await.status, 200, "{door}");
    }
    unharmed(&world, 14).await;
    assert_eq!(world.sandbox.sales().len(), 0);
}

#[tokio::test]
async fn a_header_has_at_most_64_fields_and_16_kib() {
    let world = World::start().await;
    for (door, good) in doors(&world) {
        let last = good.clone().and("Connection", "close");
        let length = format!("Content-Length: {}\r\n", good.body.len());
        // The first line, and the line of the length.
        let own = last.head().split(|byte| *byte == b'\n').count() - 2 + 1;
        let many = |count: usize| format!("{}{length}", fields(count - own));
        // The line's name and ends, and the empty line.
        let size = last.head().len() + length.len() + "X: \r\n\r\n".len();
        let long = |total: usize| format!("X: {}\r\n{length}", "x".repeat(total - size));
        for (what, lines, status) in [
            ("64 fields", many(64), 200),
            ("65 fields", many(65), 431),
            ("1,000 fields", many(1_000), 431),
            ("16 KiB", long(16 << 10), 200),
            ("16 KiB and a byte", long((16 << 10) + 1), 431),
            ("60 KB", long(60_000), 431),
            ("1 MB", long(1_000_000), 431),
        ] {
            let told = statuses(&good, &raw(&last, lines, &good.body)).await;
            assert_eq!(told, [status], "{door}, {what}");
        }
        for target in [20_000, 60_000, 70_000].map(|size| format!("/{}", "x".repeat(size))) {
            let told = statuses(&good, &last.clone().to("POST", &target).bytes()).await;
            assert!([[431], [414]].contains(&[told[0]]), "{door}: {told:?}");
        }
        // A header that has no end is not waited for.
        let endless = [last.head(), b"X: ".to_vec(), vec![b'x'; 100_000]].concat();
        assert_eq!(statuses(&good, &endless).await, [431], "{door}");
    }
    unharmed(&world, 4).await;
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_one_after_the_other() {
    let world = World::start().await;
    let read = Draft::call(&world.url, "list-user-payment-cards", &json!({}));
    let id = |number: usize| read.but("\"id\":1", format!("\"id\":{number}")).bytes();
    let mut wire = Wire::open(&read.address).await;
    let hundred: Vec<u8> = (0..100).flat_map(id).collect();
    wire.send(&hundred).await.unwrap();
    for number in 0..100 {
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status, &answer.json()["id"]), (200, &json!(number)));
    }
    assert_eq!(world.arrivals().len(), 100);
}

#[tokio::test]
async fn requests_behind_one_that_hangs_are_not_begun() {
    let upstream = Upstream::start().await;
    let locker = Act::Say(ok("{\"status\": \"ok\"}"));
    upstream.script(LOCKER, [Act::Held(Box::new(locker.clone())), locker]);
    let world = World::with(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
    let [(_, select), _] = doors(&world);
    let read = Draft::call(&world.url, "get-user-locker", &json!({}));
    let mut wire = read.start().await;
    wire.send(select.bytes().repeat(99)).await.unwrap();
    upstream.wait_for(LOCKER, 1).await;
    // Others are served meanwhile, and nothing of the ninety-nine is begun.
    for others in 2..12 {
        assert_eq!(read.send().await.status, 200);
        assert_eq!(upstream.connections(), others);
    }
    upstream.open_gate();
    for _ in 0..100 {
        assert_eq!(wire.answer().await.unwrap().status, 200);
    }
    assert_eq!(upstream.arrivals("/user/payment/card/select"), 99);
}

#[tokio::test]
async fn who_leaves_a_hundred_requests_on_the_way_leaves_nothing_behind() {
    // It closes each connection, so that none is kept for later.
    let upstream = Upstream::start().await;
    let world = World::with(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let read = Draft::call(&world.url, "get-user-locker", &json!({}));
    assert_eq!(read.send().await.status, 200);
    let before = files();
    for round in 0..40 {
        let arrived = upstream.arrivals(LOCKER);
        let mut wire = Wire::open(&read.address).await;
        wire.send(read.bytes().repeat(100)).await.unwrap();
        upstream.wait_for(LOCKER, arrived + 1).await;
        if round % 2 == 0 {
            wire.socket.set_zero_linger().unwrap();
        }
        drop(wire);
    }
    until("their descriptors to be closed", || files() <= before).await;
    // The first of each, and what was begun before its answer met a closed connection.
    let begun = upstream.arrivals(LOCKER) - 1;
    println!("{begun} of 4,000 reads were begun");
    assert!((40..2_000).contains(&begun), "{begun}");
    assert_eq!(read.send().await.status, 200);
}
