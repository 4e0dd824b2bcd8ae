//! Planted faults, each found by the name of its finding.

use std::fs;
use std::future::Future;
use std::net::TcpListener;
use std::pin::Pin;

use serde_json::json;
use sevendigital_sandbox::Fault;

use super::{Patient, set_mode};
use crate::support::Setting;
use crate::support::upstream::{ANY, Act, Upstream, http};

/// Something that is wrong, and where it is found.
struct Planted {
    fault: &'static str,
    id: &'static str,
    status: &'static str,
    code: i32,
    plant: fn(&mut Patient) -> Planting<'_>,
}

/// Id and status of the finding, and the exit code of its area.
type Expected = (&'static str, &'static str, i32);

type Planting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

const LIVE: &str = "https://api.7digital.com/1.2";
const BASE_URI: &str = "SEVENDIGITAL_BASE_URI";
const FILE: &str = ".config/sevendigital-mcp/sevendigital-mcp.toml";

/// What is wrong by a variable alone.
#[rustfmt::skip]
const BY_VARIABLE: [(&str, Setting, Expected); 24] = [
    ("a wrong consumer secret", ("SEVENDIGITAL_CONSUMER_SECRET", "canary"), ("account.signature", "fail", 1)),
    ("a wrong secret of the token", ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", "canary"), ("account.signature", "fail", 1)),
    ("a key that 7digital does not know", ("SEVENDIGITAL_CONSUMER_KEY", "canary"), ("account.signature", "fail", 1)),
    ("a token that 7digital does not know", ("SEVENDIGITAL_ACCESS_TOKEN", "canary"), ("account.read", "fail", 1)),
    ("a blank in a secret", ("SEVENDIGITAL_CONSUMER_SECRET", "sandbox-\nsecret"), ("settings.secrets", "warn", 0)),
    ("a literal ${VAR}", ("SEVENDIGITAL_CONSUMER_KEY", "${SEVENDIGITAL_KEY}"), ("settings.together", "fail", 1)),
    ("a literal ${VAR} where nothing else fails", ("SEVENDIGITAL_COUNTRY", "${COUNTRY}"), ("settings.placeholders", "warn", 0)),
    ("a value that an example has", ("SEVENDIGITAL_COUNTRY", "<your country>"), ("settings.placeholders", "warn", 0)),
    ("plain http", (BASE_URI, "http://api.7digital.com/1.2"), ("settings.base-uri", "fail", 1)),
    ("a value that is none", ("SEVENDIGITAL_MCP_SPENDING", "maybe"), ("settings.values", "fail", 1)),
    ("a variable that is misspelt", ("SEVENDIGITAL_CONSUMER_KEE", "canary"), ("settings.names", "fail", 1)),
    ("a secret's file that is not there", ("SEVENDIGITAL_MCP_TOKEN_FILE", "/nowhere"), ("settings.file", "fail", 1)),
    ("values that don't go together", ("SEVENDIGITAL_MCP_TOKEN", "short"), ("settings.together", "fail", 1)),
    ("a name that does not resolve", (BASE_URI, "https://no-such-host.invalid/1.2"), ("network.name", "fail", 1)),
    ("a dead upstream", (BASE_URI, "https://127.0.0.1:1/1.2"), ("network.tcp", "fail", 1)),
    ("a proxy for this machine", ("http_proxy", "http://u:canary@proxy.example:3128"), ("network.no-proxy", "warn", 0)),
    ("a state folder below a file", ("SEVENDIGITAL_MCP_STATE_DIR", "/dev/null/state"), ("state.writable", "fail", 1)),
    ("a state folder that all share", ("SEVENDIGITAL_MCP_STATE_DIR", "/tmp"), ("state.writable", "fail", 1)),
    ("a state folder in memory", ("SEVENDIGITAL_MCP_STATE_DIR", "/dev/shm/sevendigital-mcp"), ("files.state", "warn", 0)),
    ("a server that is open to the network", ("SEVENDIGITAL_MCP_BIND", "0.0.0.0:0"), ("ports.exposure", "fail", 1)),
    ("a proxy in front, and no token", ("SEVENDIGITAL_MCP_ALLOWED_HOSTS", "localhost,mcp.example.com"), ("ports.proxy", "warn", 0)),
    ("names of this machine", ("SEVENDIGITAL_MCP_ALLOWED_HOSTS", "LocalHost,127.0.0.1:9090,[::1]"), ("ports.proxy", "pass", 0)),
    ("purchases that nobody is asked about", ("SEVENDIGITAL_MCP_SPENDING", "allow"), ("confirmation.policy", "pass", 0)),
    ("an address of a page", ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0"), ("ports.metrics", "pass", 0)),
];

/// What is wrong with more than one thing.
#[rustfmt::skip]
const PLANTED: [Planted; 18] = [
    Planted { fault: "a state folder that is read-only", id: "state.writable", status: "fail", code: 1, plant: |patient| Box::pin(async {
        let state = patient.path("state");
        fs::create_dir(&state).unwrap();
        set_mode(&state, 0o555);
        patient.by_nobody = true;
    }) },
    Planted { fault: "a missing token", id: "account.login", status: "fail", code: 4, plant: |patient| Box::pin(async {
        patient.set("SEVENDIGITAL_ACCESS_TOKEN", "");
        patient.set("SEVENDIGITAL_ACCESS_TOKEN_SECRET", "");
    }) },
    Planted { fault: "no key", id: "account.key", status: "fail", code: 1, plant: |patient| Box::pin(async {
        for name in ["CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"] {
            patient.set(&format!("SEVENDIGITAL_{name}"), "");
        }
    }) },
    Planted { fault: "a clock that is off", id: "clock.skew", status: "fail", code: 1, plant: |patient| Box::pin(async {
        let answer = http(404, "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "");
        upstream(patient, Act::Say(answer)).await;
    }) },
    Planted { fault: "an upstream that breaks off", id: "network.tls", status: "fail", code: 1, plant: |patient| Box::pin(async {
        upstream(patient, Act::Reset(Vec::new())).await;
    }) },
    Planted { fault: "an upstream without TLS", id: "network.tls", status: "fail", code: 1, plant: |patient| Box::pin(async {
        let address = patient.sandbox.base_uri().replace("http:", "https:");
        patient.set(BASE_URI, &address);
    }) },
    Planted { fault: "a port that is taken", id: "ports.mcp", status: "fail", code: 1, plant: |patient| Box::pin(async {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        patient.set("SEVENDIGITAL_MCP_BIND", &port.local_addr().unwrap().to_string());
        patient.ports.push(port);
    }) },
    Planted { fault: "a proxy in front, and a token", id: "ports.proxy", status: "pass", code: 0, plant: |patient| Box::pin(async {
        patient.set("SEVENDIGITAL_MCP_ALLOWED_HOSTS", "mcp.example.com");
        patient.set("SEVENDIGITAL_MCP_TOKEN", "canary-canary-canary-canary-canary");
    }) },
    Planted { fault: "an unknown key in the file", id: "settings.names", status: "fail", code: 1, plant: |patient| Box::pin(async {
        patient.write(FILE, "max_prise = 2000\n");
    }) },
    Planted { fault: "a file that is not TOML", id: "settings.file", status: "fail", code: 1, plant: |patient| Box::pin(async {
        patient.write(FILE, "consumer_secret = canary\n");
    }) },
    Planted { fault: "a file with secrets that all can read", id: "files.config", status: "warn", code: 0, plant: |patient| Box::pin(async {
        patient.write(FILE, "token = \"canary-canary-canary-canary-canary\"\n");
    }) },
    Planted { fault: "a stored login that all can read", id: "files.login", status: "fail", code: 1, plant: |patient| Box::pin(async {
        patient.set("SEVENDIGITAL_ACCESS_TOKEN", "");
        patient.set("SEVENDIGITAL_ACCESS_TOKEN_SECRET", "");
        patient.write(".config/sevendigital-mcp/credentials.toml", "canary");
    }) },
    Planted { fault: "a secret's file that all can read", id: "files.secrets", status: "warn", code: 0, plant: |patient| Box::pin(async {
        let path = patient.write("token", "canary-canary-canary-canary-canary");
        patient.set("SEVENDIGITAL_MCP_TOKEN_FILE", path.to_str().unwrap());
    }) },
    Planted { fault: "a file in the working folder", id: "files.working-folder", status: "warn", code: 0, plant: |patient| Box::pin(async {
        let path = patient.write("project/sevendigital-mcp.toml", "");
        patient.working_folder = Some(path.parent().unwrap().to_owned());
    }) },
    Planted { fault: "a damaged ledger", id: "state.ledger", status: "fail", code: 1, plant: |patient| Box::pin(async {
        patient.write("state/ledger.sqlite", &"no database ".repeat(1_000));
    }) },
    Planted { fault: "a ledger of a later version", id: "state.version", status: "fail", code: 1, plant: |patient| Box::pin(async {
        sqlite(patient, "PRAGMA user_version = 1000");
    }) },
    Planted { fault: "no way to ask", id: "confirmation.other", status: "fail", code: 1, plant: |patient| Box::pin(async {
        patient.set("SEVENDIGITAL_MCP_SPENDING", "confirm");
        patient.set("SEVENDIGITAL_MCP_CONFIRM_WITH", "browser");
    }) },
    Planted { fault: "spending without a question and without a limit", id: "confirmation.policy", status: "warn", code: 0, plant: |patient| Box::pin(async {
        patient.set(BASE_URI, LIVE);
        patient.set("SEVENDIGITAL_MCP_SPENDING", "allow");
        patient.argue("--offline");
    }) },
];

/// Puts an upstream in the sandbox's place that does so with each request.
async fn upstream(patient: &mut Patient, act: Act) {
    let upstream = Upstream::start().await;
    upstream.script(ANY, [act]);
    patient.set(BASE_URI, &upstream.base_uri());
    patient.upstreams.push(upstream);
}

fn sqlite(patient: &Patient, statement: &str) {
    let state = patient.path("state");
    fs::create_dir_all(&state).unwrap();
    set_mode(&state, 0o700);
    let file = rusqlite::Connection::open(state.join("ledger.sqlite")).unwrap();
    file.execute_batch(statement).unwrap();
}

/// Looks for a finding, first in its own area and then in all of them.
async fn check(patient: &Patient, fault: &str, (id, status, code): Expected) {
    let area = id.split('.').next().unwrap();
    for areas in [&[area][..], &[]] {
        let examined = patient.examine(areas).await;
        let printed = &examined.printed;
        let [finding] = &*examined.of(id) else {
            panic!("{fault}: {printed}")
        };
        assert_eq!(finding["status"], status, "{fault}: {printed}");
        assert_eq!(finding["area"], area);
        for part in ["what", "why"] {
            assert!(finding[part].as_str().unwrap().ends_with('.'), "{finding}");
        }
        assert!(status == "pass" || finding["fix"] != "", "{finding}");
        // Another area may have more to say of it.
        assert!(
            areas.is_empty() || examined.code == code,
            "{fault}: {} {printed}",
            examined.code
        );
        assert!(
            !printed.contains("canary") && !printed.contains("sandbox-secret"),
            "{fault}: {printed}"
        );
    }
    let (_, text) = patient.run(&[]).await;
    assert!(status == "pass" || text.contains(id), "{fault}: {text}");
}

#[tokio::test]
async fn each_fault_of_a_variable_is_found_by_name() {
    for (fault, (name, value), expected) in BY_VARIABLE {
        let mut patient = Patient::new().await;
        patient.set(name, value);
        check(&patient, fault, expected).await;
    }
}

#[tokio::test]
async fn each_fault_that_is_planted_is_found_by_name() {
    for Planted {
        fault,
        id,
        status,
        code,
        plant,
    } in PLANTED
    {
        let mut patient = Patient::new().await;
        plant(&mut patient).await;
        check(&patient, fault, (id, status, code)).await;
    }
}

#[tokio::test]
async fn a_purchase_with_an_unknown_outcome_is_found_by_name() {
    let patient = Patient::new().await;
    patient.sandbox.script("purchaseUserItem", Fault::Reset, 1);
    patient.buy().await;
    check(&patient, "an unknown outcome", ("state.unknown", "warn", 0)).await;
}

#[tokio::test]
async fn paths_that_are_not_as_documented_are_listed_without_values() {
    let patient = Patient::new().await;
    let card = json!({"id": "1", "default": "canary", "type": {"odd": ["canary"]}});
    let body = json!({"status": "ok", "version": "1.2", "cards": {"card": [card.clone(), card]}});
    let answer = Fault::Status(200, "application/json", body.to_string());
    patient.sandbox.script("listUserPaymentCards", answer, 1);
    let examined = patient.examine(&["shapes"]).await;
    let printed = &examined.printed;
    let odd = examined
        .of("shapes.read")
        .into_iter()
        .find(|finding| finding["status"] == "warn");
    let odd = odd.unwrap_or_else(|| panic!("{printed}"));
    assert!(
        odd["what"]
            .as_str()
            .unwrap()
            .contains("`list-user-payment-cards`")
    );
    assert_eq!(
        odd["details"],
        json!(["cards.card[].default", "cards.card[].type"]),
        "{printed}"
    );
    assert!(!printed.contains("canary"), "{printed}");
    assert_eq!((examined.code, examined.findings.len()), (0, 5));
    let unread = |id: &str| {
        let all = examined.findings.iter();
        all.filter(|finding| {
            finding["status"] == "undetermined" && finding["what"].as_str().unwrap().contains(id)
        })
        .count()
    };
    assert_eq!(
        (unread("needs id,"), unread("needs userId,")),
        (1, 1),
        "{printed}"
    );
    let examined = patient.examine(&["shapes", "--arg", "userId=500123"]).await;
    assert_eq!(
        examined
            .findings
            .iter()
            .filter(|finding| finding["status"] == "pass")
            .count(),
        4
    );
}
