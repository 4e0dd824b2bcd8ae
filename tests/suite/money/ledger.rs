//! What the ledger keeps and who may read it, and what happens where it can't be used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_sandbox::{Fault, Sandbox, demo};
use sevendigital_tools::TOOLS;

use super::{ITEM, TOOL, release};
use crate::support::calls::{calls_with, good, make_all};
use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Client, Server, World, fails_with, file, folder, is_replayed, purchase_id, rows, states,
    world_on,
};

/// What a purchase fails with that can't be written down.
const NOT_WRITTEN: &str = "can't be written down";

/// Charges are refused where the ledger is spoilt in this way, with the reason and before anything is sent; reads go on.
async fn check_spoilt(name: &str, spoil: impl Fn(&Path) -> std::path::PathBuf) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let state = spoil(folder.path());
    for spending in ["allow", "confirm"] {
        let settings = [("SEVENDIGITAL_MCP_SPENDING", spending)];
        let world = world_on(&state, &upstream.base_uri(), &settings).await;
        let caller = Client::of(&world).that_can_ask();
        for (tool, arguments) in calls_with(&[Effect::Charges]) {
            let result = caller.call(tool, &arguments).await;
            let parts = [
                NOT_WRITTEN,
                "SEVENDIGITAL_MCP_STATE_DIR",
                "Nothing was charged",
            ];
            fails_with(&result, &parts);
        }
        for (tool, arguments) in calls_with(&[Effect::Reads]) {
            let before = upstream.connections();
            caller.call(tool, &arguments).await;
            assert_eq!(upstream.connections(), before + 1, "{name} {tool}");
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
    check_spoilt("a file instead of the folder", |folder| {
        fs::write(folder.join("file"), "").unwrap();
        folder.join("file/state")
    })
    .await;
    check_spoilt("a folder instead of the file", |folder| {
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
async fn a_ledger_that_breaks_stops_purchases_and_a_restored_one_goes_on() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    purchase_id(&server.caller().call(TOOL, &release()).await);
    server.signal("TERM");
    server.ended().await;
    // The last process to close the ledger brings all of it into the one file.
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
        fails_with(&result, &[NOT_WRITTEN]);
    }
    assert_eq!(upstream.arrivals(ITEM), 1);
    // The same server, once the operator has restored the backup.
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
    // No file may grow beyond 256 KiB, which the ledger's journal soon wants to.
    let small = "trap '' XFSZ; ulimit -f 512; exec \"$0\" \"$@\"";
    let base_uri = upstream.base_uri();
    let mut server = Server::start_with(small, folder.path(), &base_uri).await;
    let caller = server.caller();
    let (mut bought, mut refused) = (0, 0);
    for number in 1..=60 {
        let arguments = json!({"releaseId": format!("{number}")});
        let result = caller.call(TOOL, &arguments).await;
        if result["isError"] == true {
            fails_with(&result, &[NOT_WRITTEN]);
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
async fn only_its_owner_reads_the_ledger_and_it_holds_no_secret() {
    let outer = folder();
    let state = outer.path().join("not/there/yet");
    let world = World::with(&[("SEVENDIGITAL_MCP_STATE_DIR", state.to_str().unwrap())]).await;
    make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    world.sandbox.script("purchaseUserItem", Fault::Reset, 1);
    fails_with(
        &world.call(TOOL, release()).await,
        &["Money may have been spent"],
    );
    let asking = [
        ("SEVENDIGITAL_MCP_STATE_DIR", state.to_str().unwrap()),
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
    ];
    let asking = World::with(&asking).await;
    let person = Client::of(&asking).that_can_ask();
    person.call(TOOL, &json!({"releaseId": "11700063"})).await;
    // Each charge, and the one whose outcome is unknown.
    let charges = calls_with(&[Effect::Charges]).len();
    assert_eq!(rows(&state).len(), charges + 1);

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
            let mut windows = bytes.windows(secret.len());
            let found = windows.any(|window| window == secret.as_bytes());
            assert!(!found, "`{secret}` in {path:?}");
        }
    }
}

/// The fields of what the server wrote into its audit log about a tool.
fn audited(log: &str, tool: &str) -> Vec<Value> {
    let events = log.lines().map(serde_json::from_str::<Value>);
    let events = events.filter_map(Result::ok);
    let events = events.filter(|event| event["target"] == "audit");
    events
        .inspect(|event| assert!(event["timestamp"].is_string(), "{event}"))
        .map(|mut event| event["fields"].take())
        .filter(|fields| fields["tool.name"] == tool)
        .collect()
}

#[tokio::test]
async fn each_charge_and_each_change_is_audited_once_and_no_read_is() {
    let (folder, sandbox) = (folder(), Sandbox::start().await.unwrap());
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
    let lost = Fault::Status(503, "text/plain", String::new());
    for (fault, release) in [(declined, "11600001"), (lost, "11600002")] {
        sandbox.script("purchaseUserItem", fault, 1);
        caller.call(TOOL, &json!({"releaseId": release})).await;
    }
    assert!(is_replayed(&caller.call(TOOL, &good(TOOL)).await));
    // A refused argument is not audited.
    caller.call(TOOL, &json!({"releaseId": "?"})).await;
    server.signal("TERM");
    assert_eq!(server.ended().await.code(), Some(0));

    let log = server.log();
    for tool in TOOLS {
        let contract = tool.contract;
        let fields = audited(&log, contract.name);
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
            let charged = outcome(&fields) == "done" && contract.upstream.effect == Effect::Charges;
            assert_eq!(fields["purchase_id"].is_string(), charged, "{fields}");
        }
    }
    let outcomes = audited(&log, TOOL).iter().map(outcome).collect::<Vec<_>>();
    assert_eq!(outcomes, ["done", "refused", "unknown"]);
    let secrets = [demo::ACCESS_TOKEN, demo::CONSUMER_SECRET, demo::EMAIL];
    for secret in secrets.into_iter().chain(["example.com", "p&ss"]) {
        assert!(!log.contains(secret), "`{secret}` in the log");
    }
}

fn outcome(fields: &Value) -> String {
    fields["outcome"].as_str().unwrap().to_ascii_lowercase()
}
