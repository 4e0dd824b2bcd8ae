//! A small client with a signer of its own, over one fresh connection for each call.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

use crate::{Sandbox, demo};

static NONCE: AtomicU64 = AtomicU64::new(1);

/// Where the OAuth parameters stand.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Placement {
    Header,
    Parameters,
}

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) oauth: Vec<(String, String)>,
    pub(crate) secrets: (String, String),
    pub(crate) placement: Placement,
    pub(crate) accept: &'static str,
}

#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A call that the demo user's token signs, in JSON.
pub(crate) fn ask(method: &'static str, path: &str, parameters: &[(&str, &str)]) -> Ask {
    ask_with(
        method,
        path,
        parameters,
        Some((demo::ACCESS_TOKEN, demo::ACCESS_TOKEN_SECRET)),
    )
}

/// A call that the consumer alone signs.
pub(crate) fn ask_two_legged(method: &'static str, path: &str, parameters: &[(&str, &str)]) -> Ask {
    ask_with(method, path, parameters, None)
}

pub(crate) fn ask_with(
    method: &'static str,
    path: &str,
    parameters: &[(&str, &str)],
    token: Option<(&str, &str)>,
) -> Ask {
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
    Ask {
        method,
        path: format!("/1.2{path}"),
        parameters: own(parameters),
        oauth: own(&oauth),
        secrets: (
            demo::CONSUMER_SECRET.to_owned(),
            token
                .map(|(_, secret)| secret)
                .unwrap_or_default()
                .to_owned(),
        ),
        placement: if method == "POST" {
            Placement::Header
        } else {
            Placement::Parameters
        },
        accept: "application/json, application/xml;q=0.5",
    }
}

impl Ask {
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

    /// Signs and sends.
    pub(crate) fn send(&self, sandbox: &Sandbox) -> Told {
        let signature = self.signature(&sandbox.address().to_string());
        self.send_signed(sandbox, Some(&signature))
    }

    pub(crate) fn json(&self, sandbox: &Sandbox) -> Value {
        let told = self.send(sandbox);
        serde_json::from_str(&told.body).unwrap_or_else(|_| panic!("no JSON: {told:?}"))
    }

    pub(crate) fn signature(&self, host: &str) -> String {
        let mut all: Vec<String> = self
            .parameters
            .iter()
            .chain(&self.oauth)
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        all.sort();
        let uri = percent(&format!("http://{host}{}", self.path));
        let base = format!("{}&{uri}&{}", self.method, percent(&all.join("&")));
        let key = format!("{}&{}", percent(&self.secrets.0), percent(&self.secrets.1));
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    pub(crate) fn send_signed(&self, sandbox: &Sandbox, signature: Option<&str>) -> Told {
        let mut oauth = self.oauth.clone();
        oauth.extend(signature.map(|value| ("oauth_signature".to_owned(), value.to_owned())));
        let mut parameters = self.parameters.clone();
        let mut headers = vec![format!("Accept: {}", self.accept)];
        if self.placement == Placement::Header {
            let pairs: Vec<String> = oauth
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", percent(value)))
                .collect();
            headers.push(format!("Authorization: OAuth {}", pairs.join(", ")));
        } else {
            parameters.extend(oauth);
        }
        let form = parameters
            .iter()
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)));
        let form = form.collect::<Vec<_>>().join("&");
        headers.push("Content-Type: application/x-www-form-urlencoded\r\n".to_owned());
        let headers = headers.join("\r\n");
        if self.method == "POST" {
            send(sandbox, "POST", &self.path, &headers, &form)
        } else {
            send(
                sandbox,
                self.method,
                &format!("{}?{form}", self.path),
                &headers,
                "",
            )
        }
    }
}

impl Told {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line[name.len() + 1..].trim())
    }
}

/// Sends bytes and reads until the sandbox closes; an answer cut short is what came of it.
pub(crate) fn send(
    sandbox: &Sandbox,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> Told {
    let mut stream = TcpStream::connect(sandbox.address()).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        sandbox.address(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let outcome = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let head = outcome.err().map_or_else(
        || head.to_owned(),
        |error| format!("{head}{:?}", error.kind()),
    );
    Told {
        status,
        head,
        body: body.to_owned(),
    }
}

fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
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
