//! A small client with a signer of its own, over a new connection for each request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

use crate::{Sandbox, demo};

pub(crate) type Parameters<'a> = &'a [(&'a str, &'a str)];
/// An access or request token and its secret; without one, only the consumer signs.
pub(crate) type Token<'a> = Option<(&'a str, &'a str)>;

pub(crate) const CONSUMER: Token = None;
pub(crate) const USER: Token = Some((demo::ACCESS_TOKEN, demo::ACCESS_TOKEN_SECRET));
pub(crate) const SECOND_USER: Token =
    Some((demo::SECOND_ACCESS_TOKEN, demo::SECOND_ACCESS_TOKEN_SECRET));
pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// A call, signed when it is sent.
#[derive(Clone)]
pub(crate) struct Call {
    method: &'static str,
    pub(crate) path: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) oauth: Vec<(String, String)>,
    pub(crate) token_secret: String,
    /// Whether the OAuth parameters go into the header rather than the query or form.
    pub(crate) in_header: bool,
    accept: &'static str,
}

/// What was read until the connection closed; an error of the connection ends `head`.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A GET call with its OAuth parameters in the query.
pub(crate) fn get(token: Token, path: &str, parameters: Parameters) -> Call {
    call(token, "GET", path, parameters)
}

/// A POST call with its OAuth parameters in the header.
pub(crate) fn post(token: Token, path: &str, parameters: Parameters) -> Call {
    call(token, "POST", path, parameters)
}

pub(crate) fn call(token: Token, method: &'static str, path: &str, parameters: Parameters) -> Call {
    static NONCE: AtomicU64 = AtomicU64::new(1);
    let nonce = format!("nonce-{}", NONCE.fetch_add(1, Ordering::Relaxed));
    let now = chrono::Utc::now().timestamp().to_string();
    let mut oauth = vec![
        ("oauth_consumer_key", demo::CONSUMER_KEY),
        ("oauth_nonce", &nonce),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", &now),
        ("oauth_version", "1.0"),
    ];
    oauth.extend(token.map(|(token, _)| ("oauth_token", token)));
    Call {
        method,
        path: format!("/1.2{path}"),
        parameters: own(parameters),
        oauth: own(&oauth),
        token_secret: token.unwrap_or_default().1.to_owned(),
        in_header: method == "POST",
        accept: "application/json, application/xml;q=0.5",
    }
}

impl Call {
    /// Replaces an OAuth parameter before the signature is made.
    pub(crate) fn with_oauth(mut self, name: &str, value: &str) -> Self {
        self.oauth.retain(|(key, _)| key != name);
        self.oauth.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn accepting(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    pub(crate) fn json(&self, sandbox: &Sandbox) -> Value {
        let response = self.send(sandbox);
        serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("no JSON: {response:?}"))
    }

    pub(crate) fn send(&self, sandbox: &Sandbox) -> Response {
        self.send_with_query(sandbox, &[])
    }

    /// Signs and sends the call, with more parameters in the query of a POST.
    pub(crate) fn send_with_query(&self, sandbox: &Sandbox, query: Parameters) -> Response {
        let mut signed = self.clone();
        signed.parameters.extend(own(query));
        let signature = signed.signature(&sandbox.address().to_string());
        let mut oauth = self.oauth.clone();
        oauth.push(("oauth_signature".to_owned(), signature));
        let mut parameters = self.parameters.clone();
        let mut authorization = String::new();
        if self.in_header {
            let pairs = joined(&oauth, ", ", "\"");
            authorization = format!("Authorization: OAuth {pairs}\r\n");
        } else {
            parameters.extend(oauth);
        }
        let (form, query) = (joined(&parameters, "&", ""), joined(&own(query), "&", ""));
        let (query, body) = match self.method {
            "POST" => (query, form.as_str()),
            _ => (form, ""),
        };
        let mark = if query.is_empty() { "" } else { "?" };
        let target = format!("{}{mark}{query}", self.path);
        let headers = format!("Accept: {}\r\n{FORM}{authorization}", self.accept);
        send(sandbox, self.method, &target, &headers, body)
    }

    fn signature(&self, host: &str) -> String {
        let all = self.parameters.iter().chain(&self.oauth);
        let mut all: Vec<_> = all
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        all.sort();
        let uri = percent(&format!("http://{host}{}", self.path));
        let base = format!("{}&{uri}&{}", self.method, percent(&all.join("&")));
        let secrets = [demo::CONSUMER_SECRET, &self.token_secret].map(percent);
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secrets.join("&").as_bytes()).unwrap();
        mac.update(base.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

/// Sends an unsigned request, and reads until the sandbox closes the connection.
pub(crate) fn send(
    sandbox: &Sandbox,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> Response {
    let mut stream = TcpStream::connect(sandbox.address()).unwrap();
    let (host, length) = (sandbox.address(), body.len());
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let outcome = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let error = outcome.err().map(|error| format!("{:?}", error.kind()));
    Response {
        status: status.unwrap_or(0),
        head: head.to_owned() + &error.unwrap_or_default(),
        body: body.to_owned(),
    }
}

fn own(pairs: Parameters) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

fn joined(pairs: &[(String, String)], separator: &str, quote: &str) -> String {
    let pair = |(name, value): &(String, String)| {
        format!("{}={quote}{}{quote}", percent(name), percent(value))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join(separator)
}

pub(crate) fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
