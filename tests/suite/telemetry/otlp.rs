//! Traces at a collector: `cargo nextest run --features otlp -E 'test(otlp::)'`.

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::support::upstream::Upstream;
use crate::support::{Server, text, within};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A collector: gives every request as it came.
async fn collector() -> (String, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (requests, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket, requests.clone()));
        }
    });
    (address, received)
}

async fn answer(mut socket: TcpStream, requests: mpsc::UnboundedSender<Vec<u8>>) {
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = socket.read(&mut part).await.unwrap();
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let length = text
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split("\r\n").next()?.parse::<usize>().ok());
        let head = request.windows(4).position(|part| part == b"\r\n\r\n");
        if let (Some(length), Some(head)) = (length, head)
            && request.len() >= head + 4 + length
        {
            break;
        }
        assert_ne!(count, 0, "the request ended early");
    }
    let _ = socket
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    let _ = requests.send(request);
}

fn holds(request: &[u8], part: &[u8]) -> bool {
    request.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_call_is_a_span_of_the_callers_trace_at_the_collector_and_upstream() {
    let (address, mut received) = collector().await;
    let upstream = Upstream::start().await;
    let folder = TempDir::new().unwrap();
    let settings = [("SEVENDIGITAL_MCP_OTLP_ENDPOINT", address.as_str())];
    let server = Server::start(folder.path(), &upstream.base_uri(), &settings).await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let caller = server.caller().with("traceparent", &traceparent);
    let result = caller.call("get-user-locker", &json!({})).await;
    let told = text(&result).to_owned();
    let sent = &upstream.heard("/user/locker")[0].raw.to_ascii_lowercase();
    let below = format!("traceparent: 00-{TRACE}-");
    assert!(
        sent.contains(&below) && !sent.contains("00f067aa0ba902b7"),
        "{sent}"
    );
    // It sends what it has when it ends.
    server.signal("TERM");
    let request = within("the spans", received.recv()).await.unwrap();
    assert!(request.starts_with(b"POST /v1/traces HTTP/1.1\r\n"));
    let trace: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&TRACE[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for (what, part) in [
        ("the trace", trace.as_slice()),
        ("the span", b"call"),
        ("the tool", b"get-user-locker"),
        ("the service", b"sevendigital-mcp"),
    ] {
        assert!(
            holds(&request, part),
            "{what} is not in the request: {told}"
        );
    }
}
