//! Questions and their seals, and the key that seals them: who has one may spend.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::answers::good;
use super::{FILTERS, Seen, secret, variables};
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{Client, Server, Surface, folder, open, question, yes};

const BUY: &str = "purchase-user-item";

/// A server that asks before it spends, and everything it said.
struct Stage {
    folder: TempDir,
    upstream: Upstream,
    server: Server,
    wire: Client,
    seen: Seen,
}

fn item(release: &str) -> Value {
    json!({"releaseId": release})
}

impl Stage {
    async fn set(filter: &str, format: &str) -> Self {
        let (folder, upstream) = (folder(), Upstream::start().await);
        good(&upstream);
        let of_logs = [
            ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
            ("RUST_LOG", filter),
            ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
        ];
        let settings = variables(&upstream.base_uri(), "http://127.0.0.1:1/keys", &of_logs);
        let server = Server::serve(folder.path(), &[], &settings).await;
        Self {
            wire: server
                .caller()
                .that_can_ask()
                .showing(secret("operator's bearer")),
            folder,
            upstream,
            server,
            seen: Seen::default(),
        }
    }

    async fn read(&self) {
        for (tool, arguments) in [
            ("get-user-locker", json!({})),
            ("list-user-payment-cards", json!({})),
            ("get-user-details", json!({"userId": "1"})),
        ] {
            let reply = self.wire.on(Surface::Modern, tool, &arguments).await;
            self.seen.answer(tool, &reply);
        }
    }

    /// A question over MCP, and answers to it that are broken, for something else, good, used and both.
    async fn buy_over_mcp(&self) {
        let reply = self.wire.on(Surface::Modern, BUY, &item("1")).await;
        let (asked, sealed) = question(&reply.message()["result"]);
        // Shown to a person, and perhaps to a model.
        self.seen.add("words of it", asked);
        self.seen.meet("confirmation", sealed.as_str());
        self.seen.reply("question", &reply);
        let broken = format!("{}x", &sealed[..sealed.len() - 1]);
        for (state, release) in [
            (&broken, "1"),
            (&sealed, "2"),
            (&sealed, "1"),
            (&sealed, "1"),
            (&sealed, "3"),
        ] {
            let answered = json!({"name": BUY, "arguments": item(release), "requestState": state, "inputResponses": yes()});
            let reply = self
                .wire
                .ask_as(json!(1), "tools/call", answered)
                .await
                .unwrap();
            self.seen.answer(BUY, &reply);
        }
    }

    /// The same over REST, with a confirmation as an idempotency key too.
    async fn buy_over_rest(&self) {
        let reply = self.wire.rest(BUY, &item("4")).await;
        assert_eq!(reply.status, 409, "{reply:?}");
        let sealed = reply.message()["confirmation"].as_str().unwrap().to_owned();
        self.seen.meet("confirmation", sealed.as_str());
        self.seen.reply("question", &reply);
        let plain = self.wire.with("X-Confirmation", &sealed);
        let named = plain.with("Idempotency-Key", &sealed[..40]);
        for (wire, release) in [
            (&plain, "5"),
            (&named, "4"),
            (&named, "4"),
            (&named, "6"),
            (&plain, "6"),
        ] {
            let reply = wire.rest(BUY, &item(release)).await;
            self.seen.answer(BUY, &reply);
        }
    }

    /// Asked to stop twice while a change is on its way.
    async fn stop(&mut self) {
        self.upstream.script(ANY, [Act::Held(Box::new(Act::Sell))]);
        let wire = self.wire.clone();
        let hanging = tokio::spawn(async move {
            let choice = json!({"body": {"cardId": "1"}});
            wire.rest("select-user-payment-card", &choice).await
        });
        self.upstream.wait_for("/user/payment/card/select", 1).await;
        self.server.signal("TERM");
        self.server
            .until_logged("shutting down; calls in flight")
            .await;
        // The client has left; the change goes on.
        hanging.abort();
        self.server.signal("TERM");
        assert_eq!(self.server.ended().await.code(), Some(1));
    }
}

async fn check(filter: &str, format: &str) {
    let mut stage = Stage::set(filter, format).await;
    stage.read().await;
    stage.buy_over_mcp().await;
    stage.buy_over_rest().await;
    assert_eq!(stage.upstream.arrivals("/user/purchase/item"), 2);
    let key: Vec<u8> = open(stage.folder.path())
        .query_row("SELECT key FROM signing_key", [], |row| row.get(0))
        .unwrap();
    assert_eq!(key.len(), 32);
    stage.seen.meet("ledger's signing key", key);
    stage.stop().await;
    let Stage {
        folder,
        upstream,
        server,
        seen,
        ..
    } = stage;
    seen.add("log", server.log());
    assert_eq!(server.out(), "");
    for path in ["/user/purchase/item", "/user/locker", "/user/payment/card"] {
        seen.requests(&upstream, path);
    }
    seen.files(folder.path());
    seen.check(&format!("confirmed, {format} log, {filter}"));
}

#[tokio::test]
async fn a_confirmation_is_in_no_log_and_not_in_the_ledger() {
    check(FILTERS[0], "json").await;
    check(FILTERS[1], "text").await;
}
