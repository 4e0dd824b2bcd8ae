//! Charges per second that a ledger takes: one after another for one account, and of 64 accounts at once, with no charge in it and with a million.

use std::time::Instant;

use serde_json::json;
use sevendigital_mcp::config::SpendingLimits;
use sevendigital_mcp::ledger::{BeginOutcome, Intent, Ledger, Outcome, State};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Place, load, variables};

const ALONE: u32 = 200;
const ACCOUNTS: u32 = 64;
const EACH: u32 = 20;

fn intent(account: u32) -> Intent {
    let key = Uuid::new_v4().to_string();
    Intent {
        identity: format!("account{account} card {key}"),
        account: format!("account{account}"),
        tool: "purchase-user-item",
        arguments: "digest".to_owned(),
        item: "release 1".to_owned(),
        title: None,
        price: Some(799),
        currency: Some("GBP".to_owned()),
        upstream_time: None,
        seen: i64::MAX,
        nonce: None,
        key,
    }
}

async fn buy(ledger: &Ledger, account: u32) {
    let limits = SpendingLimits {
        per_day: Some(u32::MAX),
        ..SpendingLimits::default()
    };
    let begun = ledger.begin(intent(account), limits).await.unwrap();
    let BeginOutcome::Begun(id) = begun else {
        panic!("it is a new one: {begun:?}")
    };
    let outcome = Outcome {
        state: State::Done,
        purchase_id: Some("813".to_owned()),
        document: Some(json!({"purchase": {"id": "813"}})),
        code: None,
    };
    ledger.finish(id, outcome).await.unwrap();
}

/// A million charges that are done, of two days ago.
fn million(now: i64) -> String {
    let old = now - 2 * 24 * 60 * 60 * 1_000;
    format!(
        "INSERT INTO charge (attempt, key, identity, account, tool, arguments, item, price, state, started, begun, owner, purchase_id)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
         SELECT 'old ' || i, 'old ' || i, 'account' || (i % 64) || ' card ' || i, 'account' || (i % 64), 'purchase-user-item', 'a',
            'release ' || i, 799, 'done', {old} - i, {old} - i, 'gone', CAST(i AS TEXT) FROM n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_per_second() {
    for place in Place::all().await {
        let config = load(variables("http://127.0.0.1:1", &place.settings())).unwrap();
        let ledger = Ledger::from_config(&config).unwrap();
        for rows in [0, 1_000_000] {
            if rows > 0 {
                place
                    .fill(&million(ledger.wall_clock().await.unwrap()))
                    .await;
            }
            let started = Instant::now();
            for _ in 0..ALONE {
                buy(&ledger, 0).await;
            }
            let alone = f64::from(ALONE) / started.elapsed().as_secs_f64();
            let (started, mut all) = (Instant::now(), JoinSet::new());
            for account in 0..ACCOUNTS {
                let ledger = ledger.clone();
                all.spawn(async move {
                    for _ in 0..EACH {
                        buy(&ledger, account).await;
                    }
                });
            }
            all.join_all().await;
            let many = f64::from(ACCOUNTS * EACH) / started.elapsed().as_secs_f64();
            let place = ledger.place();
            println!(
                "{rows:>9} rows in {place}: {alone:.0}/s one after another, {many:.0}/s by {ACCOUNTS} accounts at once"
            );
        }
    }
}
