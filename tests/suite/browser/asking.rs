//! A server on a pipe for a client that can't ask, with a browser that only notes the address; and the page at that address.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::draft::{Answer, Draft};
use crate::support::{Server, Variable, folder, states, until};

pub(super) const TOOL: &str = "purchase-user-item";
pub(super) const WAITING: &str = "Waiting for the user's answer in the user's browser";

/// The headers of every answer of the page.
const HEADERS: [(&str, &str); 7] = [
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "content-security-policy",
        "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
];

pub(super) struct Asking {
    pub(super) server: Server,
    folder: TempDir,
    calls: u32,
}

/// Writes a program for a shell.
pub(super) fn script(path: &Path, lines: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// A program in the browser's place. It writes to stdout and reads stdin, which are not to be the server's.
pub(super) fn browser(folder: &TempDir) -> Variable {
    let program = folder.path().join("browser");
    let opened = opened(folder);
    let lines = format!(
        "echo noise\necho noise >&2\nwhile read -r line; do echo \"$line\"; done\necho \"$1\" >> '{}'",
        opened.display()
    );
    script(&program, &lines);
    ("BROWSER".into(), program.to_str().unwrap().to_owned())
}

fn opened(folder: &TempDir) -> PathBuf {
    folder.path().join("opened")
}

/// The addresses that were opened so far.
pub(super) fn addresses(folder: &TempDir) -> Vec<String> {
    let lines = std::fs::read_to_string(opened(folder)).unwrap_or_default();
    lines.lines().map(str::to_owned).collect()
}

impl Asking {
    pub(super) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with settings.
    pub(super) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::within(folder(), settings).await
    }

    /// The same in a folder that holds something already.
    pub(super) async fn within(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let mut variables = vec![browser(&folder)];
        let settings = settings.iter();
        variables.extend(settings.map(|(name, value)| ((*name).into(), (*value).into())));
        let more = ["--sandbox", "--spending", "confirm"];
        let mut server = Server::piped(folder.path(), &more, &variables);
        server.hello().await;
        Self {
            server,
            folder,
            calls: 0,
        }
    }

    /// Calls for a purchase of a release, and waits for nothing.
    pub(super) async fn buy(&mut self, release: &str) -> u32 {
        self.calls += 1;
        let arguments = json!({"releaseId": release});
        self.server.call(self.calls, TOOL, &arguments).await;
        self.calls
    }

    /// The result of a call.
    pub(super) async fn result(&mut self, call: u32) -> Value {
        self.server.answer(call).await["result"].take()
    }

    /// The page of the question that was asked as this one, counted from 1.
    pub(super) async fn page(&self, number: usize) -> Page {
        until("a browser", || self.opened().len() >= number).await;
        Page {
            address: self.opened()[number - 1].clone(),
            cookie: String::new(),
            token: String::new(),
        }
    }

    /// Calls for a purchase, and opens its page as the user's browser does.
    pub(super) async fn asked(release: &str) -> (Self, u32, Page) {
        let mut asking = Self::start().await;
        let call = asking.buy(release).await;
        let mut page = asking.page(1).await;
        page.open().await;
        (asking, call, page)
    }

    pub(super) fn opened(&self) -> Vec<String> {
        addresses(&self.folder)
    }

    /// How often something was bought, or may have been.
    pub(super) fn purchases(&self) -> usize {
        states(self.folder.path()).len()
    }

    /// Ends the server. The addresses were in no message and no line of its log.
    pub(super) async fn end(mut self) {
        self.server.ended().await;
        self.server.messages();
        let told = self.server.out() + &self.server.log();
        for address in self.opened() {
            let (site, key) = address.split_once("/ask/").unwrap();
            assert!(!told.contains(key), "{told}");
            assert!(!told.contains(site), "{told}");
        }
    }
}

/// A question's page, as far as a visitor knows it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) address: String,
    /// What the `Cookie` header says; empty before the first visit.
    pub(super) cookie: String,
    pub(super) token: String,
}

impl Page {
    pub(super) fn origin(&self) -> &str {
        self.address.split("/ask/").next().unwrap()
    }

    pub(super) fn path(&self) -> &str {
        self.address.strip_prefix(self.origin()).unwrap()
    }

    /// A visit, with the cookie if there is one.
    pub(super) fn visit(&self) -> Draft {
        let draft = Draft::new(&self.address, "GET", self.path());
        if self.cookie.is_empty() {
            return draft;
        }
        draft.and("Cookie", &self.cookie)
    }

    /// Visits it for the first time, and keeps cookie and token.
    pub(super) async fn open(&mut self) -> String {
        let answer = send(&self.visit()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap();
        let (cookie, attributes) = cookie.split_once("; ").unwrap();
        let expected = format!("Path={}; HttpOnly; SameSite=Strict", self.path());
        assert_eq!(attributes, expected);
        cookie.clone_into(&mut self.cookie);
        let html = String::from_utf8(answer.body).unwrap();
        let (_, token) = html.split_once("name=\"token\" value=\"").unwrap();
        token[..32].clone_into(&mut self.token);
        html
    }

    /// What the page's form sends.
    pub(super) fn form(&self, answer: &str) -> Draft {
        Draft::new(&self.address, "POST", self.path())
            .and("Origin", self.origin())
            .and("Sec-Fetch-Site", "same-origin")
            .and("Content-Type", "application/x-www-form-urlencoded")
            .and("Cookie", &self.cookie)
            .holding(format!("token={}&answer={answer}", self.token))
    }

    /// Answers as the user does; gives the page that is shown then.
    pub(super) async fn say(&self, answer: &str) -> String {
        let answered = send(&self.form(answer)).await;
        assert_eq!(answered.status, 303, "{answered:?}");
        assert_eq!(answered.header("location"), Some(self.path()));
        let shown = send(&self.visit()).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        String::from_utf8(shown.body).unwrap()
    }
}

/// Sends a request to the page. Every answer has the headers.
pub(super) async fn send(draft: &Draft) -> Answer {
    let answer = draft.send().await;
    for (name, value) in HEADERS {
        let found = answer.header(name).unwrap_or_default();
        assert!(found.ends_with(value), "{name}: {answer:?}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    answer
}
