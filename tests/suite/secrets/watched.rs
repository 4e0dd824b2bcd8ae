//! The real program, with every byte that it writes kept, and clients for each of its doors.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin};
use tokio::task::JoinHandle;

use crate::rest::routes;
use crate::support::{LEGACY, MODERN, Reply, http, program, signal, until, within};

/// Setting by environment variable, and its value.
pub(crate) type Variable = (String, String);

/// Bytes that a process has written so far.
pub(crate) struct Written {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// How many of them are lines whose messages were told.
    told: AtomicUsize,
    /// Ends with the pipe.
    reading: JoinHandle<()>,
}

impl Written {
    fn of(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            let mut part = vec![0; 64 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut part).await {
                kept.lock().unwrap().extend_from_slice(&part[..count]);
            }
        });
        Self {
            bytes,
            told: AtomicUsize::new(0),
            reading,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Messages in the lines that have come since, by the texts that are their ids.
    fn more_answers(&self) -> Vec<(String, Value)> {
        let bytes = self.bytes.lock().unwrap();
        let from = self.told.load(Ordering::Relaxed);
        let Some(end) = bytes[from..].iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        self.told.store(from + end + 1, Ordering::Relaxed);
        let lines = bytes[from..=from + end].split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        messages
            .filter_map(|message| Some((message["id"].as_str()?.to_owned(), message)))
            .collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

/// The program, watched; it ends with the test.
pub(crate) struct Watched {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) stdout: Written,
    pub(crate) stderr: Written,
    /// What came over stdio, by id.
    answers: HashMap<String, Value>,
}

impl Watched {
    /// The program with these arguments and nothing but these variables in its environment.
    pub(crate) fn start(arguments: &[&str], variables: &[Variable]) -> Self {
        let mut child = program(arguments, variables).spawn().unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: Written::of(child.stdout.take().unwrap()),
            stderr: Written::of(child.stderr.take().unwrap()),
            answers: HashMap::new(),
            child,
        }
    }

    /// `serve` with MCP and REST on free ports, and its ledger in a folder.
    pub(crate) async fn serve(folder: &Path, more: &[&str], variables: &[Variable]) -> Self {
        let state = folder.to_str().unwrap();
        let flags = ["serve", "--bind", "127.0.0.1:0", "--state-dir", state];
        let mut variables = variables.to_vec();
        variables.push(("SEVENDIGITAL_MCP_REST_BIND".into(), "127.0.0.1:0".into()));
        let mut watched = Self::start(&[&flags[..], more].concat(), &variables);
        let started = async {
            while watched.address("/v1").is_none() {
                let ended = watched.child.try_wait().unwrap();
                assert_eq!(ended, None, "{}", watched.stderr.text());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("the addresses", started).await;
        watched
    }

    /// `stdio`, with its ledger in a folder.
    pub(crate) fn stdio(folder: &Path, more: &[&str], variables: &[Variable]) -> Self {
        let state = folder.to_str().unwrap();
        let arguments = [&["stdio", "--state-dir", state], more].concat();
        Self::start(&arguments, variables)
    }

    /// Where it says that it listens for that path.
    pub(crate) fn address(&self, path: &str) -> Option<String> {
        let told = self.stderr.text();
        let mut lines = told.lines();
        lines.find_map(|line| {
            let url = line.strip_prefix("listening on ")?;
            url.ends_with(path).then(|| url.to_owned())
        })
    }

    /// A client for its HTTP doors.
    pub(crate) fn wire(&self) -> Wire {
        let rest = self.address("/v1").unwrap();
        Wire {
            http: http(),
            mcp: self.address("/mcp").unwrap(),
            rest: rest.strip_suffix("/v1").unwrap().to_owned(),
            session: None,
            headers: Vec::new(),
        }
    }

    /// What the system says of the process: `cmdline`, `limits`.
    pub(crate) fn told_by_system(&self, file: &str) -> Vec<u8> {
        let process = self.child.id().unwrap();
        std::fs::read(format!("/proc/{process}/{file}")).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id().unwrap(), name);
    }

    /// How it ended; its stdin is closed. All that it wrote has been read then.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        drop(self.stdin.take());
        let ended = within("the end of the program", self.child.wait()).await;
        for written in [&mut self.stdout, &mut self.stderr] {
            within("the end of a pipe", &mut written.reading)
                .await
                .unwrap();
        }
        ended.unwrap()
    }

    /// Waits until the log has a text.
    pub(crate) async fn until_logged(&self, text: &str) {
        let logged = || self.stderr.text().contains(text);
        until(&format!("`{text}` in the log"), logged).await;
    }

    /// Writes a line to stdin.
    pub(crate) async fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).await.unwrap();
        stdin.write_all(b"\n").await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// Sends a request over stdin and waits for the message that answers it.
    pub(crate) async fn ask(&mut self, id: &str, method: &str, params: Value) -> Value {
        self.request(id, method, params).await;
        self.answer(id).await
    }

    /// Sends a request over stdin.
    pub(crate) async fn request(&mut self, id: &str, method: &str, params: Value) {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.say(&request.to_string()).await;
    }

    /// The message that answers a request.
    pub(crate) async fn answer(&mut self, id: &str) -> Value {
        let (stdout, answers) = (&self.stdout, &mut self.answers);
        let answered = || {
            answers.extend(stdout.more_answers());
            answers.contains_key(id)
        };
        until("an answer", answered).await;
        self.answers[id].clone()
    }

    /// The handshake of the older eras.
    pub(crate) async fn hello(&mut self) {
        self.ask("hello", "initialize", hello("suite")).await;
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.say(&done.to_string()).await;
    }
}

/// What a client of the older eras says first.
pub(crate) fn hello(name: &str) -> Value {
    json!({"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": {"name": name, "version": "1"}})
}

/// What a request of the newest era has in its `_meta`, and these fields.
pub(crate) fn meta(more: &Value) -> Value {
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "1"},
    });
    for (name, value) in more.as_object().unwrap() {
        meta[name] = value.clone();
    }
    meta
}

/// By which door a call comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Modern,
    Legacy,
    Rest,
    Stdio,
}

/// A client for the HTTP doors of a program.
#[derive(Clone)]
pub(crate) struct Wire {
    http: reqwest::Client,
    pub(crate) mcp: String,
    pub(crate) rest: String,
    /// The session of the older eras.
    pub(crate) session: Option<String>,
    headers: Vec<(String, String)>,
}

impl Wire {
    /// The same client, with a further header on each request.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same client, with a bearer token in place of any before.
    pub(crate) fn showing(&self, token: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != "authorization");
        other.with("authorization", &format!("Bearer {token}"))
    }

    /// A request to any address, with any body.
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, url).body(body.into());
        let own = self.headers.iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// A POST to MCP, with the headers that each client sends.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
        let mut all = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        all.extend(headers);
        self.send("POST", &self.mcp, &all, body).await
    }

    /// A request of the newest era.
    pub(crate) async fn modern(&self, id: Value, method: &str, mut params: Value) -> Reply {
        let own = params["_meta"].as_object().cloned().unwrap_or_default();
        params["_meta"] = meta(&own.into());
        let mut headers = vec![("mcp-protocol-version", MODERN), ("mcp-method", method)];
        let name = params["name"].as_str().map(str::to_owned);
        if let Some(name) = &name {
            headers.push(("mcp-name", name));
        }
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.post(&headers, body.to_string()).await
    }

    /// Opens a session of the older eras; gives the answer too.
    pub(crate) async fn in_session(&self) -> (Self, Reply) {
        let request =
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello("suite")});
        let reply = self.post(&[], request.to_string()).await;
        let session = reply.headers["mcp-session-id"].to_str().unwrap().to_owned();
        let other = Self {
            session: Some(session),
            ..self.clone()
        };
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(other.legacy(&done).await.status, 202);
        (other, reply)
    }

    /// A message in the session.
    pub(crate) async fn legacy(&self, message: &Value) -> Reply {
        let session = self.session.as_deref().unwrap_or_default();
        let headers = [
            ("mcp-session-id", session),
            ("mcp-protocol-version", LEGACY[0]),
        ];
        self.post(&headers, message.to_string()).await
    }

    /// A tool's call over REST.
    pub(crate) async fn rest(&self, tool: &str, arguments: &Value) -> Reply {
        let (method, target, body) = routes::request(tool, arguments);
        let json = [("content-type", "application/json")];
        let headers = if body.is_empty() { &[][..] } else { &json };
        let url = format!("{}{target}", self.rest);
        self.send(method, &url, headers, body).await
    }

    /// A tool's call by one of the HTTP doors.
    pub(crate) async fn call(&self, way: Way, tool: &str, arguments: &Value) -> Reply {
        let params = json!({"name": tool, "arguments": arguments});
        match way {
            Way::Rest => self.rest(tool, arguments).await,
            Way::Modern => self.modern(json!(1), "tools/call", params).await,
            Way::Legacy => {
                let id = rand::random::<u32>();
                let request =
                    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
                self.legacy(&request).await
            }
            Way::Stdio => unreachable!("no door of HTTP"),
        }
    }
}
