//! The names by which this server may be called: no page that made its own name point here gets anything from any port.

use super::foreign::{Ports, is_probe};
use crate::identity::{authority, trusting};
use crate::support::World;
use crate::support::draft::Draft;

/// Another first line: the same method to an absolute address.
fn absolute(draft: Draft, address: &str) -> Draft {
    let line = draft.line.clone();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    draft.to(method, &format!("http://{address}{target}"))
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_on_every_port_and_path() {
    let ports = Ports::open().await;
    let port = |draft: &Draft| draft.address.split(':').nth(1).unwrap().to_owned();
    #[rustfmt::skip]
    let hosts = [
        &b"evil.example"[..], b"EVIL.EXAMPLE", b"localhost.evil.example", b"127.0.0.1.evil.example",
        b"localhost.", b"127.0.0.1.", b"127.1", b"127.0.0.2", b"2130706433", b"0x7f000001", b"0.0.0.0", b"0",
        b"10.0.0.1", b"192.168.1.1", b"[::ffff:127.0.0.1]", b"[::]", b"[::1", b"::1]", b"user@127.0.0.1",
        b"127.0.0.1@evil.example", b"127.0.0.1#evil.example", b"127.0.0.1/evil.example",
        b"127.0.0.1 evil.example", b"127.0.0.1, evil.example", b"127.0.0.1:99999", b"127.0.0.1:+80",
        b"127.0.0.1:", b"127.0.0.1:80:80", b":80", b"", b"localhost\xff", b"*",
        b"[localhost]", b"[LOCALHOST]", b"[127.0.0.1]", b"[localhost", b"localhost]", b"[]", b"::1", b"[[::1]]", b"[::1]x", b"[localhost]:80",
    ];
    for host in hosts {
        let what = String::from_utf8_lossy(host);
        ports
            .refuse_name(&what, |draft| draft.with("Host", host))
            .await;
        if !host.contains(&b':') && !host.is_empty() {
            let with_port = |draft: Draft| {
                let port = port(&draft);
                draft.with("Host", [host, b":", port.as_bytes()].concat())
            };
            ports.refuse_name(&what, with_port).await;
        }
    }
}

#[tokio::test]
async fn hosts_that_are_missing_doubled_or_contradicted_are_refused() {
    let ports = Ports::open().await;
    let own = |draft: &Draft| draft.address.clone();
    ports
        .refuse_name("none", |draft| draft.without("Host"))
        .await;
    ports
        .refuse_name("the same twice", |draft| {
            draft.clone().and("Host", own(&draft))
        })
        .await;
    ports
        .refuse_name("ours and another", |draft| {
            draft.and("Host", "evil.example")
        })
        .await;
    ports
        .refuse_name("another and ours", |draft| {
            let own = own(&draft);
            draft.with("Host", "evil.example").and("Host", own)
        })
        .await;
    for other in ["evil.example", "localhost", "127.0.0.1@evil.example"] {
        ports
            .refuse_name(other, |draft| absolute(draft, other))
            .await;
        ports
            .refuse_name(other, |draft| absolute(draft, other).without("Host"))
            .await;
    }
    ports
        .refuse_name("ours as a target, another as a host", |draft| {
            let own = own(&draft);
            absolute(draft, &own).with("Host", "evil.example")
        })
        .await;
    for header in ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"] {
        ports
            .refuse_name(header, |draft| {
                let own = own(&draft);
                draft.with("Host", "evil.example").and(header, own)
            })
            .await;
    }
}

#[tokio::test]
async fn probes_come_under_any_name_and_from_no_other_page() {
    let ports = Ports::open().await;
    let probes = || {
        ports
            .requests()
            .into_iter()
            .filter(|(good, _)| is_probe(good))
    };
    assert_eq!(probes().count(), 4);
    for (good, _) in probes() {
        for host in [
            "10.244.1.7:9090",
            "[fd00::7]:9090",
            "pod.example",
            "evil.example",
            "",
        ] {
            let draft = good.clone().with("Host", host);
            assert_eq!(draft.send().await.status, 200, "{draft:?}");
            let own = format!("http://{host}");
            for (name, value) in [
                ("Origin", "https://evil.example"),
                ("Origin", &*own),
                ("Referer", "https://evil.example/"),
                ("Sec-Fetch-Site", "cross-site"),
            ] {
                let draft = draft.clone().and(name, value);
                assert_eq!(draft.send().await.status, 403, "{draft:?}");
            }
        }
        let nameless = good.without("Host").send().await;
        assert!([200, 400].contains(&nameless.status), "{nameless:?}");
    }
    // What only looks like them, and the port that has none.
    let [mcp, rest, metrics] = &ports.urls;
    for (url, target) in [
        (mcp, "/healthz/"),
        (mcp, "//healthz"),
        (mcp, "/mcp?/healthz"),
        (mcp, "/healthz/../mcp"),
        (mcp, "/Healthz"),
        (rest, "/docs/healthz"),
        (rest, "/v1/readyz"),
        (metrics, "/healthz"),
        (metrics, "/metrics"),
    ] {
        let draft = Draft::new(url, "GET", target).with("Host", "10.244.1.7:9090");
        assert_eq!(draft.send().await.status, 403, "{draft:?}");
    }
}

#[tokio::test]
async fn a_target_with_a_fragment_is_refused_on_every_port_and_path() {
    let ports = Ports::open().await;
    for end in ["#", "#x", "?#", "#/healthz"] {
        let spoil = |mut draft: Draft| {
            draft.line = draft.line.replace(" HTTP/1.1", &format!("{end} HTTP/1.1"));
            draft
        };
        ports.refuse(end, spoil).await;
        let spoil = |draft: Draft| {
            let own = draft.address.clone();
            spoil(absolute(draft, &own))
        };
        ports.refuse(end, spoil).await;
    }
}

#[tokio::test]
async fn our_names_pass_in_each_spelling() {
    let ports = Ports::open().await;
    for (good, status) in ports.requests() {
        // What charges or changes is the same to this check, and not repeatable.
        if status != Some(200) || !good.line.contains("z ") && !good.line.contains("metrics") {
            continue;
        }
        let port = good.address.split(':').nth(1).unwrap();
        for host in [
            "localhost".to_owned(),
            "LocalHost".to_owned(),
            format!("localhost:{port}"),
            "127.0.0.1".to_owned(),
            "[::1]".to_owned(),
            format!("[::1]:{port}"),
        ] {
            for draft in [
                good.clone().with("Host", &host),
                absolute(good.clone().with("Host", &host), &host),
            ] {
                let answer = draft.send().await;
                assert_eq!(answer.status, 200, "{draft:?}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_clients_of_oauth_read_is_for_no_other_page_either() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with(&trusting(&keys)).await;
    let paths = ["", "/mcp"].map(|end| format!("/.well-known/oauth-protected-resource{end}"));
    for path in paths.iter().map(String::as_str).chain(["/mcp"]) {
        let good = Draft::new(&world.url, "GET", path);
        let status = if path == "/mcp" { 401 } else { 200 };
        assert_eq!(good.send().await.status, status, "{path}");
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Origin", ""),
            ("Sec-Fetch-Site", "cross-site"),
            ("Referer", "https://evil.example/"),
        ] {
            let answer = good.clone().and(name, value).send().await;
            assert_eq!(answer.status, 403, "{path}, {name}: {answer:?}");
        }
        for host in ["evil.example", "localhost.", "mcp.example.com.evil.example"] {
            let answer = good.clone().with("Host", host).send().await;
            assert_eq!(answer.status, 403, "{path}, {host}: {answer:?}");
        }
        assert_eq!(good.clone().without("Host").send().await.status, 403);
    }
    assert_eq!(world.arrivals().len(), 0);
}
