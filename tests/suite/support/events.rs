//! A stream of events, read one by one, so that a test can leave it in the midst and come back.

use serde_json::Value;

use super::wait::within;

/// An event: its id, and its message unless it only tells the id.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) message: Value,
}

impl Event {
    /// What it asks for or tells; empty for an answer.
    pub(crate) fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or_default()
    }
}

/// A stream that is open. Dropping it closes its connection.
pub(crate) struct Events {
    response: reqwest::Response,
    unread: Vec<u8>,
}

impl Events {
    pub(crate) fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200, "{response:?}");
        Self {
            response,
            unread: Vec::new(),
        }
    }

    /// The next event; none once the server has ended the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        within("an event", async {
            loop {
                let end = self.unread.windows(2).position(|two| two == b"\n\n");
                if let Some(end) = end {
                    let event: Vec<u8> = self.unread.drain(..end + 2).collect();
                    let event = String::from_utf8(event).unwrap();
                    // A comment keeps the connection alive.
                    if !event.starts_with(':') {
                        return Some(parse(&event));
                    }
                    continue;
                }
                let chunk = self.response.chunk().await.unwrap()?;
                self.unread.extend(chunk);
            }
        })
        .await
    }

    /// The next event of that method, and no other message before it.
    pub(crate) async fn expect(&mut self, method: &str) -> Event {
        loop {
            let event = self.next().await.expect("an event before the stream's end");
            if !event.message.is_null() {
                assert_eq!(event.method(), method, "{event:?}");
                return event;
            }
        }
    }

    /// All messages up to the stream's end.
    pub(crate) async fn rest(mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.extend((!event.message.is_null()).then_some(event));
        }
        all
    }
}

fn parse(event: &str) -> Event {
    let field = |name: &str| {
        let fields = event.lines().filter_map(|line| line.strip_prefix(name));
        fields.map(str::trim).collect::<String>()
    };
    let data = field("data:");
    Event {
        id: field("id:"),
        message: if data.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&data).unwrap()
        },
    }
}
