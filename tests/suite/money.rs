//! What charges or changes: sent once, confirmed first, written down, within limits, and right under every fault.

use serde_json::{Value, json};
use sevendigital_sandbox::demo;

use crate::support::Client;

// What the question says, and that no other price is charged.
mod asked;
// The user is asked first, in both eras.
mod confirmation;
// What a confirmation is good for.
mod confirmed;
// What a call would do, shown and not done.
mod dry_run;
// 7digital at its worst.
mod faults;
// One purchase in all its spellings.
mod identity;
// What is written down, and what happens where it can't be.
mod ledger;
// What the operator's limits let through.
mod limits;
// The same purchase is sent once.
mod purchases;
// Several servers on one ledger.
mod replicas;
// Asking without the client's help: the answer comes from elsewhere.
mod waiting;
// What blocks a repeat, and what settles it.
mod unknown;

/// A tool that charges, its path at 7digital, and a good call of it.
const TOOL: &str = "purchase-user-item";
const ITEM: &str = "/user/purchase/item";

fn release() -> Value {
    json!({"releaseId": "11700062"})
}

/// The same client for the second user of the demo.
fn second_user(client: &Client) -> Client {
    client.with_all(&[
        ("x-7digital-access-token", demo::SECOND_ACCESS_TOKEN),
        (
            "x-7digital-access-token-secret",
            demo::SECOND_ACCESS_TOKEN_SECRET,
        ),
    ])
}
