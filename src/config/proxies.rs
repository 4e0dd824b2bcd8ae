//! The proxies that the environment names, for who explains why something can't be reached. The HTTP client reads them itself.

use url::Url;

use super::text::trimmed;

/// A proxy of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: String,
    /// Where it is, without user and password.
    pub address: String,
    /// Whether https addresses are called through it.
    pub is_for_https: bool,
    /// Whether http addresses are called through it.
    pub is_for_http: bool,
}

/// The proxies, in no order.
pub(super) fn proxies(variables: &[(String, String)]) -> Vec<Proxy> {
    let named = variables.iter().filter_map(|(name, value)| {
        let kind = name.to_ascii_lowercase();
        let is_proxy = ["http_proxy", "https_proxy", "all_proxy"].contains(&&*kind);
        let value = Some(trimmed(value)).filter(|value| is_proxy && !value.is_empty())?;
        Some(Proxy {
            variable: name.clone(),
            address: address(value),
            is_for_https: kind != "http_proxy",
            is_for_http: kind != "https_proxy",
        })
    });
    named.collect()
}

/// Whether `NO_PROXY` names this machine.
pub(super) fn passes_by_loopback(variables: &[(String, String)]) -> bool {
    let mut lists = variables
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("no_proxy"));
    lists.any(|(_, list)| {
        let mut hosts = list.split(',').map(trimmed);
        hosts.any(|host| host == "*" || host.starts_with("127.0.0."))
    })
}

/// Host and port; nothing of what could be a password.
fn address(value: &str) -> String {
    let url = Url::parse(value).ok().filter(Url::has_host);
    let url = url.or_else(|| Url::parse(&format!("http://{value}")).ok());
    let place = url.and_then(|url| {
        let host = url.host_str()?.to_owned();
        Some(
            url.port()
                .map_or(host.clone(), |port| format!("{host}:{port}")),
        )
    });
    place.unwrap_or_else(|| "an address that can't be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> Vec<Proxy> {
        proxies(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        for value in [
            "http://user:canary@proxy.example:3128",
            "user:canary@proxy.example:3128",
            "proxy.example:3128",
        ] {
            let [proxy] = &*of("HTTPS_PROXY", value) else {
                panic!("{value}")
            };
            assert_eq!(proxy.address, "proxy.example:3128", "{value}");
            assert!(proxy.is_for_https && !proxy.is_for_http);
        }
        assert_eq!(of("http_proxy", " "), []);
        assert_eq!(of("NO_PROXY", "x"), []);
    }

    #[test]
    fn this_machine_is_named_by_its_address_or_by_a_star() {
        #[rustfmt::skip]
        let rows = [("*", true), ("localhost, 127.0.0.1", true), ("127.0.0.0/8", true), ("localhost", false), ("", false)];
        for (list, expected) in rows {
            let variables = [("no_proxy".to_owned(), list.to_owned())];
            assert_eq!(passes_by_loopback(&variables), expected, "{list}");
        }
    }
}
