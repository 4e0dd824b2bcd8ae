//! The area `ports`: whether the addresses of `serve` can be listened on.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use super::context::Context;
use super::finding::{Check, Finding, skipped};
use crate::config::Config;
use crate::http::answers::AnswerRoom;
use crate::http::health;
use crate::http::listener::Listener;

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[MCP, REST, METRICS, EXPOSURE, PROXY, LOCALHOST];

const MCP: Check = Check {
    id: "ports.mcp",
    expected: "The address of `bind` is free, or this server has it.",
    why: "`serve` does not start where another program has its port. Over stdio no port is needed.",
};
const REST: Check = Check {
    id: "ports.rest",
    expected: "The address of `rest_bind` is free, or this server has it.",
    why: "`serve` does not start where another program has its port.",
};
const METRICS: Check = Check {
    id: "ports.metrics",
    expected: "The address of `metrics_bind` is free.",
    why: "`serve` does not start where another program has its port.",
};
const EXPOSURE: Check = Check {
    id: "ports.exposure",
    expected: "What other machines can reach asks for a token.",
    why: "Whoever reaches an open server spends the user's money; so it does not start without.",
};
const PROXY: Check = Check {
    id: "ports.proxy",
    expected: "A server that is called by a name from outside asks for a token.",
    why: "Such a name means a proxy, and to the server all that comes through a proxy is from this machine: so it starts without a token, and whoever reaches the proxy spends the user's money.",
};
const LOCALHOST: Check = Check {
    id: "ports.localhost",
    expected: "The name `localhost` stands for 127.0.0.1.",
    why: "A client that is told `http://localhost:9090/mcp` looks for the server where the name leads it, perhaps to ::1 alone.",
};

/// Tries the addresses: each is bound and let go again.
pub(super) async fn examine(context: &Context<'_>) -> Vec<Finding> {
    let Ok(config) = context.loaded else {
        return skipped(CHECKS, "The settings can't be read.");
    };
    let exposure = match config.check_exposure() {
        Ok(()) => EXPOSURE.pass("Only this machine reaches it, or it asks for a token."),
        Err(error) => EXPOSURE.fail(format!("{error}."), "Do as it says."),
    };
    vec![
        port(config, &MCP, "bind", Some(config.bind)).await,
        port(config, &REST, "rest_bind", config.rest_bind).await,
        port(config, &METRICS, "metrics_bind", config.metrics_bind).await,
        exposure,
        proxy(config),
        localhost().await,
    ]
}

async fn port(
    config: &Config,
    check: &'static Check,
    key: &'static str,
    address: Option<SocketAddr>,
) -> Finding {
    let Some(address) = address else {
        return check.skip(format!("`{key}` is not set."));
    };
    let Err(error) = Listener::bind(
        key,
        address,
        &config.limits,
        AnswerRoom::new(&config.limits),
    ) else {
        return check.pass(match address.port() {
            0 => "Port 0 takes whatever port is free.".to_owned(),
            _ => format!("{address} is free."),
        });
    };
    if health::answers_at(address).await {
        return check.pass(format!("This server answers at {address} already."));
    }
    let fix = format!(
        "Stop the other program, or choose another port with `{key}`. To see which it is, type `lsof -i :{}` (`netstat -ano` on Windows).",
        address.port()
    );
    // Who chose the address needs it; who did not uses perhaps stdio alone.
    let is_chosen = config.origins.iter().any(|origin| origin.path == key);
    if is_chosen {
        check.fail(format!("{error}."), fix)
    } else {
        check.warn(format!("{error}."), fix)
    }
}

/// That the server itself is open is the finding before this one.
fn proxy(config: &Config) -> Finding {
    let hosts = config.allowed_hosts().into_iter();
    let outside: Vec<String> = hosts.filter(|host| !is_local(host)).collect();
    if outside.is_empty() {
        return PROXY.pass("It is called by names of this machine alone.");
    }
    let names = outside.join(", ");
    if config.asks_who_calls() {
        return PROXY.pass(format!("It is called {names}, and asks for a token."));
    }
    PROXY.warn(
        format!("`allowed_hosts` lets it be called {names}, and it asks for no token."),
        "Type `sevendigital-mcp token new`, and put its `token_sha256` into a table `[[principals]]` of the configuration file, or set `token` or `auth_issuer`. If no proxy stands in front, take the name out of `allowed_hosts`.",
    )
}

/// Whether a name, perhaps with a port, is this machine's for itself.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        // An IPv6 address without brackets is all colons.
        Some((name, port)) if !port.contains(']') && host.parse::<IpAddr>().is_err() => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

async fn localhost() -> Finding {
    let found = lookup_host(("localhost", 0)).await;
    let found = found.into_iter().flatten();
    leads_to(&found.map(|address| address.ip()).collect::<Vec<_>>())
}

fn leads_to(addresses: &[IpAddr]) -> Finding {
    let details = addresses.iter().map(IpAddr::to_string);
    let fix = "Write `http://127.0.0.1:…` into the client's file in place of `localhost`.";
    let found = if addresses.is_empty() {
        LOCALHOST.warn("`localhost` stands for no address on this machine.", fix)
    } else if addresses.iter().any(IpAddr::is_ipv4) {
        LOCALHOST.pass("`localhost` stands for 127.0.0.1.")
    } else {
        let what = "`localhost` stands for IPv6 addresses alone on this machine.";
        LOCALHOST.warn(what, fix)
    };
    found.with(details)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn localhost_that_is_ipv6_alone_is_a_warning() {
        #[rustfmt::skip]
        let rows: [(&[&str], Status); 4] = [
            (&["127.0.0.1"], Status::Pass), (&["::1", "127.0.0.1"], Status::Pass),
            (&["::1"], Status::Warn), (&[], Status::Warn),
        ];
        for (addresses, status) in rows {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            let addresses: Vec<IpAddr> = addresses.collect();
            assert_eq!(leads_to(&addresses).status, status);
        }
    }
}
