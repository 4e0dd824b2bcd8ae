//! What the ledger keeps and who may read it, and what happens where it can't be used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_sandbox::{Fault, demo};
use sevendigital_tools::TOOLS;

use crate::support::calls::{calls, make_all};
use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Caller, Server, World, failure, file, folder, is_replayed, purchase_id, rows, states, until,
    world_on,
};

const ITEM: &str = "/user/purchase/item";
const TOOL: &str = "purchase-user-item";

fn release() -> Value {
    json!({"releaseId": "11700062"})
}

/// Charges are refused where the ledger is spoilt in this way, with the reason and before anything is sent; reads go on.
async fn check_spoilt(name: &str, spoil: impl Fn(&Path) -> std::path::PathBuf) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let state = spoil(folder.path());
    for spending in ["allow", "confirm"] {
        let settings = [("SEVENDIGITAL_MCP_SPENDING", spending)];
        let world = world_on(&state, &upstream.base_uri(), &settings).await;
        let caller = Caller::of(&world).that_can_ask();
        for (tool, arguments) in calls() {
            let contract = TOOLS.iter().find(|other| other.contract.name == tool);
            match contract.unwrap().contract.upstream.effect {
                Effect::Charges => {
                    let result = caller.call(tool, &arguments).await;
                    let told = failure(&result);
                    assert!(told.contains("can't be written down"), "{name}: {told}");
                    assert!(
                        told.contains("SEVENDIGITAL_MCP_STATE_DIR"),
                        "{name}: {told}"
                    );
                    assert!(told.contains("Nothing was charged"), "{name}: {told}");
                }
                Effect::Reads => {
                    let before = upstream.connections();
                    caller.call(tool, &arguments).await;
                    assert_eq!(upstream.connections(), before + 1, "{name} {tool}");
                }
                Effect::Writes => {}
            }
        }
        let paid = upstream.counts();
        let paid = paid
            .keys()
            .filter(|asked| asked.contains("purchase") || asked.contains("deliver"));
        assert_eq!(paid.count(), 0, "{name}");
    }
}

#[tokio::test]
async fn where_the_ledger_can_not_be_used_nothing_is_bought_and_reads_go_on() {
    check_spoilt("a file in the folder's place", |folder| {
        fs::write(folder.join("file"), "").unwrap();
        folder.join("file/state")
    })
    .await;
    check_spoilt("a folder in the file's place", |folder| {
        fs::create_dir(file(folder)).unwrap();
        folder.to_owned()
    })
    .await;
    check_spoilt("something else in the file", |folder| {
        fs::write(file(folder), "not a ledger, ".repeat(1_000)).unwrap();
        folder.to_owned()
    })
    .await;
    check_spoilt("another program's database", |folder| {
        let other = rusqlite::Connection::open(file(folder)).unwrap();
        other
            .execute_batch("CREATE TABLE charge (id INTEGER)")
            .unwrap();
        folder.to_owned()
    })
    .await;
}

#[tokio::test]
async fn a_ledger_that_breaks_later_stops_buying_and_a_mended_one_goes_on() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    purchase_id(&server.caller().call(TOOL, &release()).await);
    server.signal("TERM");
    server.ended().await;
    // Whoever closes the ledger last brings all of it into the one file.
    assert_eq!(states(folder.path()), ["done"]);
    assert!(!folder.path().join("ledger.sqlite-wal").exists());
    let whole = fs::read(file(folder.path())).unwrap();
    let mut broken = whole.clone();
    broken[100..].fill(0xa5);
    fs::write(file(folder.path()), &broken).unwrap();
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let other = json!({"releaseId": "11700063"});
    for arguments in [release(), other] {
        let result = world.call(TOOL, arguments).await;
        let told = failure(&result);
        assert!(told.contains("can't be written down"), "{told}");
    }
    assert_eq!(upstream.arrivals(ITEM), 1);
    // The same server, once the operator has put the backup in its place.
    fs::write(file(folder.path()), &whole).unwrap();
    assert!(is_replayed(&world.call(TOOL, release()).await));
    let other = world.call(TOOL, json!({"releaseId": "11700063"})).await;
    purchase_id(&other);
    assert_eq!(upstream.arrivals(ITEM), 2);
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_bought_that_could_not_be_written_down() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    // No file may grow beyond 64 KiB, which the ledger's journal soon wants to.
    let small = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
    let base_uri = upstream.base_uri();
    let mut server = Server::start_with(small, folder.path(), &base_uri).await;
    let caller = server.caller();
    let (mut bought, mut refused) = (0, 0);
    for number in 1..=60 {
        let arguments = json!({"releaseId": format!("{number}")});
        let result = caller.call(TOOL, &arguments).await;
        if result["isError"] == true {
            let told = failure(&result);
            assert!(told.contains("can't be written down"), "{told}");
            refused += 1;
        } else {
            purchase_id(&result);
            bought += 1;
        }
        assert_eq!(upstream.arrivals(ITEM), bought, "{result}");
    }
    println!("{bought} bought, {refused} refused");
    assert!(refused > 0);
    assert!(bought > 0);
    server.signal("TERM");
    assert_eq!(server.ended().await.code(), Some(0));
    // What could not be written down at once was written down later.
    assert_eq!(states(folder.path()), vec!["done"; bought]);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn the_ledger_is_its_owners_alone_and_holds_no_secret_no_address_and_no_card() {
    let outer = folder();
    let state = outer.path().join("not/there/yet");
    let world = World::with(&[("SEVENDIGITAL_MCP_STATE_DIR", state.to_str().unwrap())]).await;
    make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    world.sandbox.script("purchaseUserItem", Fault::Reset, 1);
    failure(&world.call(TOOL, release()).await);
    let asking = [
        ("SEVENDIGITAL_MCP_STATE_DIR", state.to_str().unwrap()),
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
    ];
    let asking = World::with(&asking).await;
    let person = Caller::of(&asking).that_can_ask();
    person.call(TOOL, &json!({"releaseId": "11700063"})).await;
    assert_eq!(rows(&state).len(), 6);

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let files = files(&state);
    assert!(files.len() >= 3, "{files:?}");
    let secrets = [
        demo::ACCESS_TOKEN,
        demo::ACCESS_TOKEN_SECRET,
        demo::CONSUMER_KEY,
        demo::CONSUMER_SECRET,
        demo::EMAIL,
        demo::PASSWORD,
        "example.com",
        "p&ss",
        "0485",
        "Jane",
        "oauth_",
    ];
    for path in files {
        assert_eq!(mode(&path), 0o600, "{path:?}");
        let bytes = fs::read(&path).unwrap();
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "`{secret}` in {path:?}");
        }
    }
}

#[tokio::test]
async fn each_charge_and_each_change_is_in_the_audit_log_once_and_no_read_is() {
    let (folder, sandbox) = (
        folder(),
        sevendigital_sandbox::Sandbox::start().await.unwrap(),
    );
    let settings = [
        ("RUST_LOG", "info"),
        ("SEVENDIGITAL_MCP_LOG_FORMAT", "json"),
    ];
    let mut server = Server::start(folder.path(), &sandbox.base_uri(), &settings).await;
    let caller = server.caller();
    make_all(async |tool, arguments| caller.call(tool, &arguments).await).await;
    // One refused, one unknown, and one repeat, which is no charge.
    let declined = json!({"status": "error", "error": {"code": 3102, "errorMessage": "no"}});
    let declined = Fault::Status(200, "application/json", declined.to_string());
    sandbox.script("purchaseUserItem", declined, 1);
    caller.call(TOOL, &json!({"releaseId": "11700063"})).await;
    sandbox.script(
        "purchaseUserItem",
        Fault::Status(503, "text/plain", String::new()),
        1,
    );
    caller.call(TOOL, &json!({"releaseId": "11700065"})).await;
    let (_, repeat) = calls().into_iter().find(|(tool, _)| *tool == TOOL).unwrap();
    assert!(is_replayed(&caller.call(TOOL, &repeat).await));
    // A refused argument and a read are nobody's business.
    caller.call(TOOL, &json!({"releaseId": "?"})).await;
    server.signal("TERM");
    assert_eq!(server.ended().await.code(), Some(0));
    until("the whole log", || server.log().contains("stopping")).await;

    let log = server.log();
    let events: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["target"] == "audit")
        .collect();
    let of = |tool: &str| {
        let events = events.iter().map(|event| &event["fields"]);
        let events = events.filter(|fields| fields["tool.name"] == tool);
        events.cloned().collect::<Vec<Value>>()
    };
    for tool in TOOLS {
        let contract = tool.contract;
        let fields = of(contract.name);
        let expected = match contract.upstream.effect {
            Effect::Reads => 0,
            _ if contract.name == TOOL => 3,
            Effect::Writes | Effect::Charges => 1,
        };
        assert_eq!(fields.len(), expected, "{}: {fields:?}", contract.name);
        for fields in fields {
            for digest in ["account", "arguments"] {
                let digest = fields[digest].as_str().unwrap_or_default();
                assert_eq!(digest.len(), 32, "{}: {fields}", contract.name);
            }
            let outcome = fields["outcome"].as_str().unwrap().to_ascii_lowercase();
            let charged = outcome == "done" && contract.upstream.effect == Effect::Charges;
            assert_eq!(fields["purchase_id"].is_string(), charged, "{fields}");
        }
    }
    let outcomes: Vec<String> = of(TOOL)
        .iter()
        .map(|fields| fields["outcome"].as_str().unwrap().to_ascii_lowercase())
        .collect();
    assert_eq!(outcomes, ["done", "refused", "unknown"]);
    assert!(events.iter().all(|event| event["timestamp"].is_string()));
    for secret in [
        demo::ACCESS_TOKEN,
        demo::CONSUMER_SECRET,
        demo::EMAIL,
        "example.com",
        "p&ss",
    ] {
        assert!(!log.contains(secret), "`{secret}` in the log");
    }
}
