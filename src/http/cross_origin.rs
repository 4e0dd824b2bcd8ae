//! Cross-origin protection: a page of another site can make a browser send requests here, and some of them would spend money.
//!
//! The checks look at headers that pages can't set. A program that is no browser sends none of them and passes.

use std::net::Ipv6Addr;
use std::sync::Arc;

use http::header::{self, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use super::errors::{Check, REQUEST_ID};
use crate::config::{Config, LOOPBACK};
use crate::headers::single_header;
use crate::problem::{Kind, Problem};

const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_DEST: &str = "sec-fetch-dest";
const FETCH_MODE: &str = "sec-fetch-mode";

/// The hosts and origins that requests may come for and from.
#[derive(Debug, Clone)]
pub struct CrossOriginProtection {
    hosts: Arc<[String]>,
    /// As browsers write them.
    origins: Arc<[String]>,
    /// Paths that are served whatever the host.
    under_any_name: &'static [&'static str],
}

impl CrossOriginProtection {
    /// The hosts and origins that the settings allow.
    pub fn new(config: &Config) -> Self {
        Self {
            hosts: config.allowed_hosts().into(),
            origins: config.allowed_origins.clone().into(),
            under_any_name: &[],
        }
    }

    /// The same, but for paths that say nothing worth protecting: probes of a cluster come with the pod's own address as their host.
    #[must_use]
    pub(super) fn under_any_name(mut self, paths: &'static [&'static str]) -> Self {
        self.under_any_name = paths;
        self
    }

    /// The same, reached by the loopback's names besides: for what is served on loopback only.
    #[must_use]
    pub fn on_loopback(mut self) -> Self {
        let loopback = LOOPBACK.into_iter().map(str::to_owned);
        self.hosts = loopback.chain(self.hosts.iter().cloned()).collect();
        self
    }

    /// The error is why a request is rejected.
    fn verify(&self, request: &Parts) -> Result<(), &'static str> {
        let why = "the `Host` is not one of this server's names; the operator can add it to `allowed_hosts`";
        let host = match self.host(request) {
            // No page is ours by a name that is not.
            None if self.under_any_name.contains(&request.uri.path()) => String::new(),
            host => host.ok_or(why)?,
        };
        let headers = &request.headers;
        let allowed = |value: &str| {
            let origin = origin(value).map(|origin| origin.origin().ascii_serialization());
            origin.is_some_and(|origin| self.origins.contains(&origin))
        };
        let ours = |value: &str| origin(value).is_some_and(|origin| is_ours(&origin, &host));
        for (name, objection) in [
            (header::ORIGIN, "the `Origin` is another web page's"),
            (header::REFERER, "the `Referer` is another web page's"),
        ] {
            match single_header(headers, name) {
                Ok(None) => {}
                Ok(Some(value)) if ours(value) || allowed(value) => {}
                Ok(Some(_)) | Err(()) => return Err(objection),
            }
        }
        // A page that the operator allows says in its Origin which one it is.
        let of_allowed =
            || matches!(single_header(headers, header::ORIGIN), Ok(Some(value)) if allowed(value));
        match single_header(headers, FETCH_SITE) {
            Ok(None | Some("same-origin" | "none")) => Ok(()),
            Ok(Some(_)) if of_allowed() => Ok(()),
            Ok(Some(_)) | Err(()) => Err("`Sec-Fetch-Site` says that another web page sends it"),
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
        // Brackets are IPv6's, and no other name has colons.
        let is_ipv6 = |name: &str| name.parse::<Ipv6Addr>().is_ok();
        if bare.map_or(name.contains(':'), |name| !is_ipv6(name)) {
            return None;
        }
        let names = [&host, name, bare.unwrap_or(name)];
        let listed = |entry: &String| names.iter().any(|name| entry.eq_ignore_ascii_case(name));
        self.hosts.iter().any(listed).then(|| host.clone())
    }
}

/// Whether it is the origin of our own pages: then its host is the one that the request is for.
fn is_ours(origin: &Url, host: &str) -> bool {
    // It names no port that is its scheme's usual one; `host` may.
    let (ours, port) = (origin.authority(), origin.port_or_known_default());
    host == ours || port.is_some_and(|port| host == format!("{ours}:{port}"))
}

/// An address of http or https without a user in it.
fn origin(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let web = matches!(url.scheme(), "http" | "https");
    (web && url.username().is_empty() && url.password().is_none()).then_some(url)
}

impl Check for CrossOriginProtection {
    async fn check(&self, request: &mut Parts) -> Result<(), Problem> {
        self.verify(request)
            .map_err(|why| Problem::rejected(Kind::CrossOrigin, why))
    }
}

/// Whether a browser sends it for an address typed, a link followed, a picture or a page prefetched, and not for a script's call.
///
/// Older browsers say so by what they accept alone.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    let shows = |accepted: &str| {
        let wanted = accepted.trim_start().to_ascii_lowercase();
        wanted.starts_with("text/html") || wanted.starts_with("image/")
    };
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    let fetch = [FETCH_DEST, FETCH_MODE].map(|name| single_header(headers, name));
    let script = matches!(
        fetch,
        [
            Ok(None | Some("empty")),
            Ok(None | Some("cors" | "same-origin"))
        ]
    );
    !script || accepted.any(|text| text.split(',').any(shows))
}

/// Headers that a page may send, besides content type and authorization.
const REQUEST_HEADERS: [&str; 11] = [
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "last-event-id",
    "traceparent",
    "idempotency-key",
    "x-confirmation",
    "x-mcp-readonly",
    "x-mcp-tools",
    "x-mcp-exclude-tools",
];

/// CORS: lets the pages that the operator allows read responses. Browsers ask for that before they send anything but a simple request.
pub(super) fn cors(config: &Config) -> Option<CorsLayer> {
    let origins = config.allowed_origins.iter();
    let origins: Vec<_> = origins.filter_map(|origin| origin.parse().ok()).collect();
    let sent = REQUEST_HEADERS.into_iter().map(HeaderName::from_static);
    let sent = sent.chain([CONTENT_TYPE, AUTHORIZATION]);
    let session_id = HeaderName::from_static("mcp-session-id");
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(sent.collect::<Vec<_>>())
        .expose_headers([session_id, WWW_AUTHENTICATE, RETRY_AFTER, REQUEST_ID]);
    (!origins.is_empty()).then(|| layer.allow_origin(AllowOrigin::list(origins)))
}
