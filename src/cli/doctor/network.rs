//! The area `network`: the way to 7digital, step by step, and proxies on it.

use sevendigital::{ConnectError, Error, Probe};

use super::context::Context;
use super::finding::{Check, Finding};
use crate::config::{Config, Proxy};

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[PROXY, LOOPBACK, NAME, TCP, TLS];

const PROXY: Check = Check {
    id: "network.proxy",
    expected: "It is known whether 7digital is called through a proxy.",
    why: "A proxy that is gone, or that breaks TLS open, is the usual reason why one program reaches 7digital and another does not.",
};
const LOOPBACK: Check = Check {
    id: "network.no-proxy",
    expected: "This machine's own addresses are not called through a proxy.",
    why: "Clients that honour the proxy's variables would look for this server's HTTP address through the proxy, which can't reach it.",
};
const NAME: Check = Check {
    id: "network.name",
    expected: "The name of 7digital's host stands for an address.",
    why: "Without an address nothing can be called.",
};
const TCP: Check = Check {
    id: "network.tcp",
    expected: "The host accepts a connection.",
    why: "Where no connection is accepted, 7digital is down or a firewall is in the way.",
};
const TLS: Check = Check {
    id: "network.tls",
    expected: "The host answers, over TLS with a certificate that this machine trusts.",
    why: "Nothing is sent to a host that does not prove who it is.",
};

/// Looks at the way to 7digital.
pub(super) async fn examine(context: &Context<'_>) -> Vec<Finding> {
    let proxies = context.layers.proxies();
    let mut found = vec![no_proxy(&proxies, context.layers.passes_by_loopback())];
    let (config, client) = match context.client() {
        Ok(all) => all,
        Err(why) => {
            let others = [&PROXY, &NAME, &TCP, &TLS];
            found.extend(others.map(|check| check.skip(&why)));
            return found;
        }
    };
    let probe = context.probe(&client).await;
    let proxy = proxies
        .iter()
        .find(|proxy| proxy.is_for_https && !config.base_uri.is_loopback());
    let steps = [
        proxy_used(config, proxy),
        name(config, probe, proxy),
        tcp(probe, proxy),
        tls(config, probe, proxy),
    ];
    found.extend(steps);
    found
}

fn no_proxy(proxies: &[Proxy], passes_by: bool) -> Finding {
    let Some(proxy) = proxies.iter().find(|proxy| proxy.is_for_http) else {
        return LOOPBACK.pass("No proxy is set for http.");
    };
    if passes_by {
        return LOOPBACK.pass("`NO_PROXY` names this machine.");
    }
    let what = format!(
        "`{}` is set to {}, and `NO_PROXY` does not name 127.0.0.1.",
        proxy.variable, proxy.address
    );
    let fix = "Where clients reach this server over HTTP, set `NO_PROXY=localhost,127.0.0.1,::1` for them.";
    LOOPBACK.warn(what, fix)
}

fn proxy_used(config: &Config, proxy: Option<&Proxy>) -> Finding {
    match proxy {
        Some(proxy) => {
            let (variable, address) = (&proxy.variable, &proxy.address);
            PROXY.pass(format!(
                "7digital is called through {address} (`{variable}`), unless `NO_PROXY` names it."
            ))
        }
        None if config.base_uri.is_loopback() => {
            PROXY.pass("`base_uri` is on this machine, which is called without a proxy.")
        }
        None => PROXY.pass("No proxy is set."),
    }
}

fn name(config: &Config, probe: &Probe, proxy: Option<&Proxy>) -> Finding {
    let host = config.base_uri.url().host_str().unwrap_or_default();
    match &probe.resolved {
        Ok(addresses) => {
            let details = addresses.iter().map(|address| address.ip().to_string());
            NAME.pass(format!("{host} has an address.")).with(details)
        }
        Err(reason) if proxy.is_some() => NAME.undetermined(of_proxy(*reason), ""),
        Err(reason) => NAME.fail(
            format!("{host}: {reason}."),
            format!("Check the host in `SEVENDIGITAL_BASE_URI`, and this machine's DNS: `nslookup {host}`."),
        ),
    }
}

fn tcp(probe: &Probe, proxy: Option<&Proxy>) -> Finding {
    match probe.connected {
        Ok(address) => TCP.pass(format!("{address} accepts connections.")),
        Err(reason) if proxy.is_some() => TCP.undetermined(of_proxy(reason), ""),
        Err(ConnectError::Dns) => TCP.skip("There is no address to connect to."),
        Err(reason) => {
            let fix = "Check the host and the port in `SEVENDIGITAL_BASE_URI`, and whether a firewall asks for a proxy (`HTTPS_PROXY`).";
            TCP.fail(format!("No connection: {reason}."), fix)
        }
    }
}

fn of_proxy(reason: ConnectError) -> String {
    format!("Without the proxy: {reason}. The proxy may reach it all the same.")
}

fn tls(config: &Config, probe: &Probe, proxy: Option<&Proxy>) -> Finding {
    let through = proxy.map(|proxy| format!(" through {}", proxy.address));
    let through = through.unwrap_or_default();
    match &probe.answered {
        Ok(answered) if config.base_uri.url().scheme() == "https" => TLS.pass(format!(
            "It answers{through} (HTTP {}), and its certificate is trusted.",
            answered.status
        )),
        Ok(answered) => TLS.pass(format!(
            "It answers over http on this machine (HTTP {}).",
            answered.status
        )),
        Err(_) if probe.connected.is_err() && proxy.is_none() => {
            TLS.skip("There is no connection to answer over.")
        }
        Err(Error::NotSent(ConnectError::Certificate)) => {
            let fault = probe.certificate_fault.as_deref().unwrap_or("unknown");
            let fix = "If a proxy or a test server stands there, let `SSL_CERT_FILE` name a file with its authority's certificate; if the certificate is too old or too new, check this machine's clock.";
            TLS.fail(
                format!("The certificate{through} is not trusted here: {fault}."),
                fix,
            )
        }
        Err(error) => TLS.fail(
            format!("No answer{through}: {error}."),
            "Check the network, the proxy and `SEVENDIGITAL_BASE_URI`; try again in a minute.",
        ),
    }
}
