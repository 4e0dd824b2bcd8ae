//! Questions and their seals, and the key that seals them: who has one may spend.

use serde_json::json;

use super::answers::good;
use super::watched::{Watched, Way};
use super::{FILTERS, LEDGER, Seen, UPSTREAM, secret, variables};
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{folder, open, question, yes};

const CONFIRM: (&str, &str) = ("SEVENDIGITAL_MCP_SPENDING", "confirm");
const BUY: &str = "purchase-user-item";

/// A server that asks before it spends, and everything it said.
async fn check(filter: &str, format: &str) {
    let (folder, upstream, seen) = (folder(), Upstream::start().await, Seen::default());
    good(&upstream);
    let of_logs = [
        CONFIRM,
        ("RUST_LOG", filter),
        ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
    ];
    let settings = variables(&upstream.base_uri(), "http://127.0.0.1:1/keys", &of_logs);
    let mut server = Watched::serve(folder.path(), &[], &settings).await;
    let wire = server.wire().showing(secret("operator's bearer"));
    for tool in [
        "get-user-locker",
        "list-user-payment-cards",
        "get-user-details",
    ] {
        let reply = wire.call(Way::Modern, tool, &json!({"userId": "1"})).await;
        seen.answer(tool, &reply);
    }

    let item = |release: &str| json!({"releaseId": release});
    let reply = wire.call(Way::Modern, BUY, &item("1")).await;
    let (asked, sealed) = question(&reply.message()["result"]);
    // Shown to a person, and perhaps to a model.
    seen.add("words of it", asked);
    seen.meet("confirmation", sealed.as_str());
    seen.reply("question", &reply);
    let answered = |state: &str, release: &str| json!({"name": BUY, "arguments": item(release), "requestState": state, "inputResponses": yes()});
    let broken = format!("{}x", &sealed[..sealed.len() - 1]);
    for (state, release) in [
        (&broken, "1"),
        (&sealed, "2"),
        (&sealed, "1"),
        (&sealed, "1"),
        (&sealed, "3"),
    ] {
        let reply = wire
            .modern(json!(1), "tools/call", answered(state, release))
            .await;
        seen.answer(BUY, &reply);
    }

    let reply = wire.rest(BUY, &item("4")).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    let sealed = reply.message()["confirmation"].as_str().unwrap().to_owned();
    seen.meet("confirmation", sealed.as_str());
    seen.reply("question", &reply);
    let plain = wire.with("X-Confirmation", &sealed);
    let named = plain.with("Idempotency-Key", &sealed[..40]);
    for (wire, release) in [
        (&plain, "5"),
        (&named, "4"),
        (&named, "4"),
        (&named, "6"),
        (&plain, "6"),
    ] {
        let reply = wire.rest(BUY, &item(release)).await;
        seen.answer(BUY, &reply);
    }
    assert_eq!(upstream.arrivals("/user/purchase/item"), 2);
    let key: Vec<u8> = open(folder.path())
        .query_row("SELECT key FROM seal", [], |row| row.get(0))
        .unwrap();
    assert_eq!(key.len(), 32);
    seen.meet("ledger's seal", key);

    // Asked to stop twice while money is on its way.
    upstream.script(ANY, [Act::Held(Box::new(Act::Sell))]);
    let hanging = tokio::spawn(async move {
        let choice = json!({"body": {"cardId": "1"}});
        wire.rest("select-user-payment-card", &choice).await
    });
    upstream.wait_for("/user/payment/card/select", 1).await;
    server.signal("TERM");
    server.until_logged("stopping; calls under way").await;
    // Whoever waited has left; the change goes on.
    hanging.abort();
    server.signal("TERM");
    assert_eq!(server.ended().await.code(), Some(1));

    seen.add("log", server.stderr.bytes());
    assert_eq!(server.stdout.bytes(), b"");
    for path in ["/user/purchase/item", "/user/locker", "/user/payment/card"] {
        for heard in upstream.heard(path) {
            seen.add(UPSTREAM, heard.raw);
        }
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        seen.add(
            format!("{LEDGER} {}", file.display()),
            std::fs::read(&file).unwrap(),
        );
    }
    seen.check(&format!("confirmed, {format} log, {filter}"));
}

#[tokio::test]
async fn a_yes_and_what_seals_it_are_in_no_log_and_no_seal_is_in_the_ledger() {
    check(FILTERS[0], "json").await;
    check(FILTERS[1], "text").await;
}
