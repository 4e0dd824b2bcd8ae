//! Cross-origin protection: a page of another site can make a browser send requests here, and some of them would spend money.
//!
//! The checks look at headers that pages can't set. A program that is no browser sends none of them and passes.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, header};
use url::Url;

use super::errors::Check;
use crate::config::{Config, LOOPBACK};
use crate::headers::single_header;
use crate::problem::{Kind, Problem};

const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_DEST: &str = "sec-fetch-dest";

/// The hosts and origins that requests may come for and from.
#[derive(Debug, Clone)]
pub struct CrossOriginProtection {
    hosts: Arc<[String]>,
    origins: Arc<[String]>,
}

impl CrossOriginProtection {
    /// The hosts and origins that the settings allow.
    pub fn new(config: &Config) -> Self {
        Self {
            hosts: config.allowed_hosts().into(),
            origins: config.allowed_origins.clone().into(),
        }
    }

    /// The same, reached by the loopback's names besides: for what is served on loopback only.
    #[must_use]
    pub fn on_loopback(mut self) -> Self {
        let loopback = LOOPBACK.into_iter().map(str::to_owned);
        self.hosts = loopback.chain(self.hosts.iter().cloned()).collect();
        self
    }

    /// Why a request is rejected, if it is.
    fn objection(&self, request: &Parts) -> Option<&'static str> {
        let Some(host) = self.host(request) else {
            let why = "the `Host` is not one of this server's names; the operator can add it to `allowed_hosts`";
            return Some(why);
        };
        let headers = &request.headers;
        let allowed = |value: &str| origin(value).is_some_and(|origin| self.allows(&origin));
        let ours = |value: &str| origin(value).is_some_and(|origin| is_ours(&origin, &host));
        for (name, objection) in [
            (header::ORIGIN, "the `Origin` is another web page's"),
            (header::REFERER, "the `Referer` is another web page's"),
        ] {
            match single_header(headers, name) {
                Ok(None) => {}
                Ok(Some(value)) if ours(value) || allowed(value) => {}
                Ok(Some(_)) | Err(()) => return Some(objection),
            }
        }
        // A page that the operator allows says in its Origin which one it is.
        let of_allowed =
            || matches!(single_header(headers, header::ORIGIN), Ok(Some(value)) if allowed(value));
        match single_header(headers, FETCH_SITE) {
            Ok(None | Some("same-origin" | "none")) => None,
            Ok(Some(_)) if of_allowed() => None,
            Ok(Some(_)) | Err(()) => Some("`Sec-Fetch-Site` says that another web page sends it"),
        }
    }

    /// The host that the request is for, in one spelling, if it is one of ours and named once.
    fn host(&self, request: &Parts) -> Option<String> {
        let host = single_header(&request.headers, header::HOST).ok()??;
        let host = host.to_ascii_lowercase();
        let target = request.uri.authority();
        if target.is_some_and(|target| !target.as_str().eq_ignore_ascii_case(&host)) {
            return None;
        }
        // Not what `Url` makes of it: that reads `127.1` as 127.0.0.1.
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host.as_str(), None),
        };
        let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        if port.is_some_and(|port| !digits(port) || port.parse::<u16>().is_err()) {
            return None;
        }
        let bare = name.strip_prefix('[');
        let bare = bare.and_then(|name| name.strip_suffix(']'));
        let names = [&host, name, bare.unwrap_or(name)];
        let listed = |entry: &String| names.iter().any(|name| entry.eq_ignore_ascii_case(name));
        self.hosts.iter().any(listed).then(|| host.clone())
    }

    fn allows(&self, wanted: &Url) -> bool {
        let mut origins = self.origins.iter().filter_map(|allowed| origin(allowed));
        origins.any(|allowed| allowed.origin() == wanted.origin())
    }
}

/// Whether it is the origin of our own pages: then its host is the one that the request is for.
fn is_ours(origin: &Url, host: &str) -> bool {
    let Some(name) = origin.host_str() else {
        return false;
    };
    let port = origin.port_or_known_default().unwrap_or_default();
    host == format!("{name}:{port}") || (origin.port().is_none() && host == name)
}

/// An address of http or https without a user in it.
fn origin(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let web = matches!(url.scheme(), "http" | "https");
    (web && url.username().is_empty() && url.password().is_none()).then_some(url)
}

impl Check for CrossOriginProtection {
    async fn check(&self, request: &mut Parts) -> Result<(), Problem> {
        let objection = self.objection(request);
        objection.map_or(Ok(()), |why| Err(Problem::rejected(Kind::CrossOrigin, why)))
    }
}

/// Whether a browser sends it for an address typed, a link followed or a page prefetched, and not for a script's call.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    !matches!(single_header(headers, FETCH_DEST), Ok(None | Some("empty")))
}
