//! What other web pages send, to every port of the real server and to every path: none of it is carried out.

use serde_json::json;
use sevendigital_sandbox::Sandbox;
use sevendigital_tools::TOOLS;
use tempfile::TempDir;

use crate::support::calls::{REGISTRATION, calls};
use crate::support::draft::Draft;
use crate::support::{Server, folder, rest};

/// The real server with all its ports, before a sandbox.
pub(crate) struct Ports {
    pub(crate) sandbox: Sandbox,
    /// MCP, REST and metrics.
    pub(crate) urls: [String; 3],
    pub(crate) server: Server,
    _folder: TempDir,
}

impl Ports {
    pub(crate) async fn open() -> Self {
        let (sandbox, folder) = (Sandbox::start().await.unwrap(), folder());
        let server = Server::start(folder.path(), &sandbox.base_uri(), &[]).await;
        Self {
            sandbox,
            urls: ["/mcp", "/v1", "/metrics"].map(|path| server.address(path)),
            server,
            _folder: folder,
        }
    }

    /// A request of each kind to each path of each port, each of them good, and what it is answered, where that is not 7digital's affair.
    pub(crate) fn requests(&self) -> Vec<(Draft, Option<u16>)> {
        let [mcp, rest_url, metrics] = &self.urls;
        let mut all = Vec::new();
        for (tool, mut arguments) in calls() {
            if arguments["id"] == REGISTRATION {
                arguments["id"] = json!("1");
            }
            all.push((Draft::call(mcp, tool, &arguments), Some(200)));
            let (method, target, body) = rest::request(tool, &arguments);
            let call =
                Draft::new(rest_url, method, &target).and("Content-Type", "application/json");
            // 7digital refuses what it did a moment ago.
            all.push((call.holding(body), None));
        }
        let open = |url: &str, rows: &[(&str, &str, u16)]| {
            let draft = |(method, target, status): &(&str, &str, u16)| {
                (Draft::new(url, method, target), Some(*status))
            };
            rows.iter().map(draft).collect::<Vec<_>>()
        };
        #[rustfmt::skip]
        all.extend(open(mcp, &[
            ("GET", "/mcp", 400), ("DELETE", "/mcp", 400), ("OPTIONS", "/mcp", 405), ("PUT", "/mcp", 405),
            ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/", 200), ("POST", "/nowhere", 404),
            ("GET", "/.well-known/oauth-protected-resource", 404),
        ]));
        #[rustfmt::skip]
        all.extend(open(rest_url, &[
            ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/openapi.json", 200), ("GET", "/docs", 308), ("GET", "/", 200),
            ("GET", "/docs/", 200), ("GET", "/docs/swagger-ui.css", 200), ("GET", "/nowhere", 404),
            ("OPTIONS", "/v1/user/purchase/item", 405), ("HEAD", "/v1/user/purchase/item", 405),
        ]));
        all.extend(open(
            metrics,
            &[("GET", "/metrics", 200), ("GET", "/nowhere", 404)],
        ));
        all
    }

    /// Sends each request changed by `spoil`, which must be refused by the one who stands before everything.
    pub(crate) async fn refuse(&self, what: &str, spoil: impl Fn(Draft) -> Draft) {
        self.refuse_each(what, self.requests(), spoil).await;
    }

    /// The same without the probes, which come under any name.
    pub(crate) async fn refuse_name(&self, what: &str, spoil: impl Fn(Draft) -> Draft) {
        let mut requests = self.requests();
        requests.retain(|(good, _)| !is_probe(good));
        self.refuse_each(what, requests, spoil).await;
    }

    async fn refuse_each(
        &self,
        what: &str,
        requests: Vec<(Draft, Option<u16>)>,
        spoil: impl Fn(Draft) -> Draft,
    ) {
        let rest = Draft::new(&self.urls[1], "GET", "/").address;
        for (good, _) in requests {
            let draft = spoil(good);
            let answer = draft.send().await;
            let named = format!("{what}, {}: {answer:?}", draft.line);
            assert!([400, 403].contains(&answer.status), "{named}");
            if answer.status == 403 && draft.address == rest && !answer.body.is_empty() {
                let kind = &answer.json()["type"];
                assert_eq!(kind, "/problems/foreign-request", "{named}");
            }
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, None, "{named}");
        }
        assert_eq!(self.sandbox.arrivals().len(), 0, "{what}");
    }
}

/// Whether it asks after the server's health.
pub(crate) fn is_probe(draft: &Draft) -> bool {
    ["/healthz", "/readyz"]
        .iter()
        .any(|path| draft.line.contains(path))
}

#[tokio::test]
async fn what_is_sent_from_no_page_passes_on_every_port() {
    let ports = Ports::open().await;
    let requests = ports.requests();
    assert!(requests.len() > 2 * TOOLS.len());
    for (good, status) in &requests {
        let answer = good.send().await;
        let named = format!("{}: {answer:?}", good.line);
        match status {
            Some(status) => assert_eq!(answer.status, *status, "{named}"),
            None => assert!([200, 422].contains(&answer.status), "{named}"),
        }
    }
    let before = ports.sandbox.arrivals().len();
    assert!(before >= TOOLS.len(), "{before}");
    // Pages of our own, by each way that a browser has to say so.
    let page = |line: &str| {
        ["docs", "openapi", "locker", "metrics", "healthz"]
            .iter()
            .any(|name| line.contains(name))
    };
    for (good, _) in requests.iter().filter(|(good, _)| page(&good.line)) {
        if good.line.contains("/docs ") {
            continue;
        }
        let own = format!("http://{}", good.address);
        for page in [
            good.clone().and("Origin", &own),
            good.clone().and("Origin", own.to_uppercase()),
            good.clone()
                .and("Origin", &own)
                .and("Sec-Fetch-Site", "same-origin"),
            good.clone().and("Referer", format!("{own}/docs/")),
            good.clone().and("Sec-Fetch-Site", "none"),
        ] {
            let answer = page.send().await;
            assert_eq!(answer.status, 200, "{page:?}: {answer:?}");
        }
    }
    assert!(ports.sandbox.arrivals().len() > before);
}

/// What a header is given, once or more often.
type Value = Box<dyn Fn(&Draft) -> Vec<Vec<u8>>>;

#[tokio::test]
async fn an_origin_that_is_not_ours_is_refused_on_every_port_and_path() {
    let ports = Ports::open().await;
    let own = |draft: &Draft| format!("http://{}", draft.address);
    let port = |draft: &Draft| draft.address.split(':').nth(1).unwrap().to_owned();
    let plain = |value: &'static [u8]| -> Value { Box::new(move |_| vec![value.to_vec()]) };
    let made = |make: fn(&Draft) -> String| -> Value {
        Box::new(move |draft| vec![make(draft).into_bytes()])
    };
    let with_port = |host: &'static str| -> Value {
        Box::new(move |draft| vec![format!("http://{host}:{}", port(draft)).into_bytes()])
    };
    #[rustfmt::skip]
    let rows: Vec<(&str, Value)> = vec![
        ("evil", plain(b"https://evil.example")),
        ("evil in capitals", plain(b"HTTPS://EVIL.EXAMPLE")),
        ("null", plain(b"null")),
        ("NULL", plain(b"NULL")),
        ("empty", plain(b"")),
        ("a star", plain(b"*")),
        ("a word", plain(b"localhost")),
        ("the name without a port", plain(b"http://127.0.0.1")),
        ("bytes that are no text", plain(b"http://\xff")),
        ("a file", plain(b"file://")),
        ("an extension", plain(b"chrome-extension://abcdefgh")),
        ("a longer name", plain(b"http://localhost.evil.example")),
        ("a longer name, our port", with_port("localhost.evil.example")),
        ("a longer address, our port", with_port("127.0.0.1.evil.example")),
        ("localhost, which this request is not for", with_port("localhost")),
        ("a name that ends with a dot", with_port("localhost.")),
        ("IPv6, which this request is not for", with_port("[::1]")),
        ("another port", Box::new(move |draft| {
            let other = port(draft).parse::<u16>().unwrap() ^ 1;
            vec![format!("http://127.0.0.1:{other}").into_bytes()]
        })),
        ("another scheme", made(|draft| format!("ftp://{}", draft.address))),
        ("no scheme", made(|draft| draft.address.clone())),
        ("a user", made(|draft| format!("http://user@{}", draft.address))),
        ("a user that looks like us", made(|draft| format!("http://{}@evil.example", draft.address))),
        ("a path that looks like us", made(|draft| format!("http://evil.example/http://{}", draft.address))),
        ("two in one", made(|draft| format!("http://{0} http://{0}", draft.address))),
        ("two in one, with a comma", made(|draft| format!("http://{}, http://evil.example", draft.address))),
        ("the same twice", Box::new(move |draft| vec![own(draft).into_bytes(); 2])),
        ("ours and another", Box::new(move |draft| vec![own(draft).into_bytes(), b"http://evil.example".to_vec()])),
        ("another and ours", Box::new(move |draft| vec![b"http://evil.example".to_vec(), own(draft).into_bytes()])),
    ];
    for (what, values) in rows {
        let spoil = |draft: Draft| {
            let values = values(&draft);
            let origins = values.iter();
            origins.fold(draft, |draft, value| draft.and("Origin", value))
        };
        ports.refuse(what, spoil).await;
    }
}

#[tokio::test]
async fn what_a_browser_says_of_another_page_is_refused_on_every_port_and_path() {
    let ports = Ports::open().await;
    for (name, values) in [
        ("Sec-Fetch-Site", &[&b"cross-site"[..]][..]),
        ("Sec-Fetch-Site", &[b"same-site"]),
        ("Sec-Fetch-Site", &[b"CROSS-SITE"]),
        ("Sec-Fetch-Site", &[b"nonsense"]),
        ("Sec-Fetch-Site", &[b""]),
        ("Sec-Fetch-Site", &[b"\xff"]),
        ("Sec-Fetch-Site", &[b"same-origin", b"cross-site"]),
        ("Sec-Fetch-Site", &[b"none", b"none"]),
        ("Referer", &[b"https://evil.example/"]),
        ("Referer", &[b"http://127.0.0.1/"]),
        ("Referer", &[b"/docs/"]),
        ("Referer", &[b"\xff"]),
    ] {
        let add = |draft: Draft| {
            values
                .iter()
                .fold(draft, |draft, value| draft.and(name, value))
        };
        ports.refuse(name, add).await;
        // That it is our page is believed of no request that says otherwise as well.
        if name == "Sec-Fetch-Site" {
            let own = |draft: &Draft| format!("http://{}", draft.address);
            ports
                .refuse(name, |draft| add(draft.clone()).and("Origin", own(&draft)))
                .await;
        }
    }
}
