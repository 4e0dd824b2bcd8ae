//! What answers without a token, on each port: health, what OAuth clients must know, and the description of the REST surface.

use sevendigital_tools::TOOLS;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::identity::{BY_TOKEN, authority, principal, sha256, token_of, trusting};
use crate::support::{World, within};

/// Where OAuth clients look for the metadata document.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
];

/// Words that scanners try as paths.
#[rustfmt::skip]
const WORDS: [&str; 64] = [
    "", "admin", "api", "actuator", "auth", "authorize", "backup", "bin", "cgi-bin", "config", "console",
    "credentials", "dashboard", "db", "debug", "debug/pprof", "docs", "dump", "env", "error", "favicon.ico",
    "files", "git/HEAD", "graphql", "health", "healthz", "index", "info", "install", "internal", "jwks",
    "keys", "ledger", "live", "locker", "login", "logout", "logs", "mcp", "messages", "metrics", "oauth",
    "oauth/token", "openapi", "phpinfo", "ping", "private", "prometheus", "ready", "readyz", "register",
    "robots.txt", "secrets", "server-status", "sessions", "settings", "shell", "sse", "static", "status",
    "swagger", "token", "user", "version",
];

/// Ways to spell a path that is another's.
#[rustfmt::skip]
const TRICKS: [&str; 26] = [
    "/mcp/", "//mcp", "/MCP", "/mcp/..;/x", "/mcp%2f", "/./mcp", "/healthz/../mcp", "/healthz%2f..%2fmcp",
    "/healthz/", "/healthz/v1/user/locker", "/healthz;/v1/user/locker", "/healthz?/v1/user/locker",
    "/healthz%00/v1/user/locker", "//healthz", "/docs/../v1/user/locker", "/docs/%2e%2e/v1/user/locker",
    "/docs/..%2fv1%2fuser%2flocker", "/docs//v1/user/locker", "/docs/openapi.json",
    "/openapi.json/../v1/user/locker", "/openapi.json/v1/user/locker", "//v1/user/locker", "/V1/user/locker",
    "/v1/user/locker/", "/v1/user/%6cocker", "*",
];

/// Status, head and body of an answer to a request whose target is sent as it stands.
async fn raw(address: &str, method: &str, target: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("the answer", socket.read_to_end(&mut answer))
        .await
        .unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (
        status.unwrap_or_else(|| panic!("{method} {target}: {answer}")),
        answer,
    )
}

fn targets() -> Vec<String> {
    let mut targets: Vec<String> = TRICKS.map(str::to_owned).to_vec();
    targets.extend(
        TOOLS
            .iter()
            .map(|tool| tool.contract.rest.replace("{id}", "1")),
    );
    #[rustfmt::skip]
    let rows = [
        "/mcp", "/healthz", "/readyz", "/openapi.json", "/docs", "/docs/", "/docs/index.html",
    ];
    for path in rows {
        targets.push(path.to_owned());
    }
    targets.extend([
        WELL_KNOWN.to_owned(),
        format!("{WELL_KNOWN}/mcp"),
        format!("{WELL_KNOWN}/mcp/x"),
    ]);
    for word in WORDS {
        for (before, after) in [
            ("/", ""),
            ("/", "/"),
            ("/.", ""),
            ("/api/", ""),
            ("/v1/", ""),
            ("/v1/user/", ""),
            ("/mcp/", ""),
            ("/.well-known/", ""),
        ] {
            targets.push(format!("{before}{word}{after}"));
        }
    }
    targets
}

/// Whether anybody may read what stands there.
fn is_open(method: &str, target: &str, rest: bool, oauth: bool) -> bool {
    let path = target.split('?').next().unwrap();
    let health = ["/healthz", "/readyz"].contains(&path);
    let metadata = oauth && !rest && [WELL_KNOWN, &format!("{WELL_KNOWN}/mcp")].contains(&path);
    let front = path == "/";
    let page = path == "/openapi.json" || path == "/docs/" || path == "/docs/index.html";
    match method {
        "GET" => health || front || metadata || (rest && page),
        "HEAD" => health || front || metadata,
        _ => false,
    }
}

#[tokio::test]
async fn without_a_token_there_is_health_and_description_and_nothing_else() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let file = principal("canary-jane", &["reads"], "user_id = \"canary-user\"");
    let canaries = [
        BY_TOKEN,
        ("SEVENDIGITAL_CONSUMER_KEY", "canary-key"),
        ("SEVENDIGITAL_CONSUMER_SECRET", "canary-secret"),
        ("SEVENDIGITAL_ACCESS_TOKEN", "canary-token"),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", "canary-token-secret"),
    ];
    let trusting = trusting(&keys);
    let origins = [(
        "SEVENDIGITAL_MCP_ALLOWED_ORIGINS",
        "https://app.example.com",
    )];
    for (oauth, more) in [(false, &[][..]), (true, &trusting), (false, &origins)] {
        let world = World::with_file(&[&canaries, more].concat(), &file).await;
        let mut targets = targets();
        assert!(targets.len() > 500, "{}", targets.len());
        if more == origins {
            targets.truncate(80);
        }
        for rest in [false, true] {
            let url = if rest { &world.rest } else { &world.url };
            let address = url.strip_prefix("http://").unwrap();
            let address = address.split('/').next().unwrap();
            let mut open = 0;
            for (index, target) in targets.iter().enumerate() {
                // Each method where something is served; elsewhere it makes no difference.
                let methods = match (index < 80, oauth) {
                    (true, _) => &METHODS[..],
                    (false, true) => &["GET", "POST"],
                    (false, false) => &["GET"],
                };
                for method in methods {
                    let (status, answer) = raw(address, method, target).await;
                    let row = format!("{method} {target} of {address}: {answer:.400}");
                    // Where pages may call, a preflight is answered, with nothing in it.
                    let preflight = *method == "OPTIONS" && more == origins;
                    let expected = is_open(method, target, rest, oauth);
                    if !preflight {
                        assert_eq!((200..300).contains(&status), expected, "{row}");
                    }
                    open += usize::from(expected);
                    let answer = answer.to_lowercase();
                    assert!(!answer.contains("canary"), "{row}");
                    assert!(!answer.contains(&sha256(&token_of("canary-jane"))), "{row}");
                }
            }
            println!("{} targets, {open} open", targets.len());
            assert!(open >= 4);
        }
        assert_eq!(world.arrivals().len(), 0);
        assert_eq!(authority.fetches(), 0);
    }
}
