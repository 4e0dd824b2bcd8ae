//! The real binary as a process: what it writes is kept, and it ends with the test.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;

use super::client::{Client, LEGACY, http};
use super::messages::{hello, message};
use super::wait::{until, within};
use super::world::{Setting, variables};

/// The binary under test: `SERVER_UNDER_LOAD`, or the one that was built with the tests.
fn binary() -> PathBuf {
    let own = || env!("CARGO_BIN_EXE_sevendigital-mcp").into();
    std::env::var("SERVER_UNDER_LOAD").map_or_else(|_| own(), PathBuf::from)
}

/// The program, in an environment that holds nothing but these variables, in a folder without a configuration file.
pub(crate) fn program(arguments: &[&str], variables: &[(String, String)]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments);
    within_nothing(command, variables)
}

/// An entry of mcp.json as a client starts it, where nothing is in the path but POSIX and what is in that folder.
pub(crate) fn entry_in(entry: &Value, folder: &Path) -> Command {
    let arguments = entry["args"].as_array().unwrap().iter();
    let mut command = Command::new(entry["command"].as_str().unwrap());
    command.args(arguments.map(|argument| argument.as_str().unwrap()));
    let path = format!("{}:/usr/bin:/bin", folder.display());
    within_nothing(command, &[("PATH".to_owned(), path)])
}

/// Puts the program into a folder, under that name.
pub(crate) fn install(folder: &Path, name: &str) {
    std::os::unix::fs::symlink(binary(), folder.join(name)).unwrap();
}

fn within_nothing(mut command: Command, variables: &[(String, String)]) -> Command {
    let nowhere = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("nowhere");
    std::fs::create_dir_all(&nowhere).unwrap();
    command
        .env_clear()
        .env("HOME", &nowhere)
        .envs(variables.iter().cloned())
        .current_dir(&nowhere)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A copy of the program in that folder, run by a user whom the system does not know; nothing where the test may not become another.
#[cfg(unix)]
pub(crate) fn by_nobody(folder: &Path, command: &Command) -> Option<Command> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let copy = folder.join("program");
    std::fs::copy(command.as_std().get_program(), &copy).unwrap();
    for path in [folder, &copy] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let program = command.as_std();
    let mut other = Command::new(copy);
    other.args(program.get_args()).env_clear();
    other.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    other
        .current_dir(program.get_current_dir().unwrap())
        .uid(54_321)
        .gid(54_321);
    for set in [Command::stdin, Command::stdout, Command::stderr] {
        set(&mut other, Stdio::piped());
    }
    other.kill_on_drop(true);
    Some(other)
}

/// A setting by environment variable, and its value.
pub(crate) type Variable = (String, String);

/// Bytes that a process has written so far.
pub(crate) struct Written {
    bytes: Arc<Mutex<Vec<u8>>>,
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
        Self { bytes, reading }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }

    /// The whole lines behind the first `from` bytes, and where they end.
    fn lines(&self, from: usize) -> (Vec<String>, usize) {
        let bytes = self.bytes.lock().unwrap();
        let end = bytes[from..].iter().rposition(|byte| *byte == b'\n');
        let end = end.map_or(from, |end| from + end + 1);
        let text = String::from_utf8(bytes[from..end].to_vec()).unwrap();
        (text.lines().map(str::to_owned).collect(), end)
    }
}

/// The running program.
pub(crate) struct Server {
    child: Child,
    /// Taken when it is closed.
    stdin: Option<ChildStdin>,
    stdout: Written,
    stderr: Written,
    /// What came over stdio, in order, and how many bytes of stdout that was.
    messages: Vec<Value>,
    read: usize,
    /// The endpoint of MCP; empty where it isn't served over HTTP.
    pub(crate) url: String,
}

impl Server {
    /// `serve` with MCP, REST and metrics on free ports, and its ledger in a folder.
    pub(crate) async fn start(folder: &Path, base_uri: &str, settings: &[Setting<'_>]) -> Self {
        Self::start_behind("exec \"$0\" \"$@\"", folder, base_uri, settings).await
    }

    /// The same, started by a line for `sh` that executes what it is given.
    pub(crate) async fn start_with(shell: &str, folder: &Path, base_uri: &str) -> Self {
        Self::start_behind(shell, folder, base_uri, &[]).await
    }

    /// The same with settings.
    pub(crate) async fn start_behind(
        shell: &str,
        folder: &Path,
        base_uri: &str,
        settings: &[Setting<'_>],
    ) -> Self {
        let ports = [
            ("SEVENDIGITAL_MCP_REST_BIND", "127.0.0.1:0"),
            ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0"),
        ];
        let variables = variables(base_uri, &[&ports, settings].concat());
        let mut command = Command::new("sh");
        command
            .args(["-c", shell])
            .arg(binary())
            .args(["serve", "--bind", "127.0.0.1:0", "--base-uri", base_uri])
            .arg("--state-dir")
            .arg(folder);
        let mut server = Self::spawn(within_nothing(command, &variables));
        server.listens(3).await;
        server.url = server.address("/mcp");
        server
    }

    /// `stdio`, with its ledger in a folder.
    pub(crate) fn stdio(folder: &Path, base_uri: &str) -> Self {
        Self::piped(folder, &[], &variables(base_uri, &[]))
    }

    /// `serve` with MCP and REST on free ports, its ledger in a folder, further arguments, and nothing but these variables.
    pub(crate) async fn serve(folder: &Path, more: &[&str], variables: &[Variable]) -> Self {
        let state = folder.to_str().unwrap();
        let flags = ["serve", "--bind", "127.0.0.1:0", "--state-dir", state];
        let mut variables = variables.to_vec();
        variables.push(("SEVENDIGITAL_MCP_REST_BIND".into(), "127.0.0.1:0".into()));
        let metrics = |(name, _): &&Variable| name == "SEVENDIGITAL_MCP_METRICS_BIND";
        let ports = 2 + variables.iter().filter(metrics).count();
        let mut server = Self::spawn(program(&[&flags, more].concat(), &variables));
        server.listens(ports).await;
        server.url = server.address("/mcp");
        server
    }

    /// `stdio` in the same way.
    pub(crate) fn piped(folder: &Path, more: &[&str], variables: &[Variable]) -> Self {
        let arguments = ["stdio", "--state-dir", folder.to_str().unwrap()];
        Self::spawn(program(&[&arguments, more].concat(), variables))
    }

    /// Any command.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: Written::of(child.stdout.take().unwrap()),
            stderr: Written::of(child.stderr.take().unwrap()),
            child,
            messages: Vec::new(),
            read: 0,
            url: String::new(),
        }
    }

    /// Waits until it listens on that many ports.
    pub(crate) async fn listens(&mut self, ports: usize) {
        let (child, stderr) = (&mut self.child, &self.stderr);
        until("the addresses", || {
            let ended = child.try_wait().unwrap();
            assert_eq!(ended, None, "{}", stderr.text());
            addresses(stderr).len() >= ports
        })
        .await;
    }

    /// Where it says that it listens for that path.
    pub(crate) fn address(&self, path: &str) -> String {
        let mut urls = addresses(&self.stderr).into_iter();
        let url = urls.find(|url| url.ends_with(path));
        url.unwrap_or_else(|| panic!("no address for {path}: {}", self.log()))
    }

    /// A client of it over HTTP.
    pub(crate) fn caller(&self) -> Client {
        let rest = self.address("/v1");
        Client::new(&self.url, rest.strip_suffix("/v1").unwrap(), &http())
    }

    /// What it has written on stderr.
    pub(crate) fn log(&self) -> String {
        self.stderr.text()
    }

    /// What it has written on stdout.
    pub(crate) fn out(&self) -> String {
        self.stdout.text()
    }

    /// Waits until the log has a text.
    pub(crate) async fn until_logged(&self, text: &str) {
        let logged = || self.log().contains(text);
        until(&format!("`{text}` in the log"), logged).await;
    }

    /// What the system says of the process: `cmdline`, `limits`.
    pub(crate) fn of_system(&self, file: &str) -> Vec<u8> {
        std::fs::read(format!("/proc/{}/{file}", self.id())).unwrap()
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a signal: `TERM`, `INT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin.take();
    }

    /// Closes its stdin and waits for its end. All that it wrote has been read then.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.close_stdin();
        let ended = within("the end of the program", self.child.wait()).await;
        for written in [&mut self.stdout, &mut self.stderr] {
            let read = within("the end of a pipe", &mut written.reading).await;
            read.unwrap();
        }
        ended.unwrap()
    }

    /// The messages on stdout so far; fails where a line is none.
    pub(crate) fn messages(&mut self) -> &[Value] {
        let (lines, end) = self.stdout.lines(self.read);
        self.read = end;
        for line in lines {
            let message: Value = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("not JSON-RPC on stdout: {error}: {line}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            self.messages.push(message);
        }
        &self.messages
    }

    /// Writes a line to stdin.
    pub(crate) async fn say(&mut self, line: &str) {
        self.write(&[line.as_bytes(), b"\n"].concat()).await;
    }

    /// Writes bytes to stdin.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// Writes bytes to stdin, and waits for the next message.
    pub(crate) async fn reply(&mut self, bytes: &[u8]) -> Value {
        let before = self.messages().len();
        self.write(bytes).await;
        until("a reply", || self.messages().len() > before).await;
        self.messages[before].clone()
    }

    /// Reads its stdout no more, as a host that has gone.
    pub(crate) async fn close_stdout(&mut self) {
        self.stdout.reading.abort();
        let _ = (&mut self.stdout.reading).await;
    }

    /// Waits for its end, with its stdin open.
    pub(crate) async fn ended_by_itself(&mut self) -> ExitStatus {
        let ended = within("the end of the program", self.child.wait());
        ended.await.unwrap()
    }

    /// Sends a call over stdin.
    pub(crate) async fn call(&mut self, id: u32, tool: &str, arguments: &Value) {
        let params = json!({"name": tool, "arguments": arguments});
        self.say(&message(json!(id), "tools/call", &params).to_string())
            .await;
    }

    /// Sends a request over stdin, and waits for the message that answers it.
    pub(crate) async fn ask(&mut self, id: &str, method: &str, params: &Value) -> Value {
        self.say(&message(json!(id), method, params).to_string())
            .await;
        self.answer(id).await
    }

    /// The message that answers a request.
    pub(crate) async fn answer(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        let is_it = |message: &&Value| message["id"] == id;
        let mut answer = None;
        until("an answer", || {
            answer = self.messages().iter().find(is_it).cloned();
            answer.is_some()
        })
        .await;
        answer.unwrap()
    }

    /// The handshake of the older eras.
    pub(crate) async fn hello(&mut self) {
        self.say(&message(json!(0), "initialize", &hello(LEGACY[0])).to_string())
            .await;
        self.answer(0).await;
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string())
            .await;
    }
}

/// Where the program says that it listens.
fn addresses(stderr: &Written) -> Vec<String> {
    let (lines, _) = stderr.lines(0);
    let urls = lines
        .iter()
        .filter_map(|line| line.strip_prefix("listening on "));
    urls.map(str::to_owned).collect()
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: u32, name: &str) {
    let kill = format!("kill -{name} {process}");
    let status = std::process::Command::new("sh")
        .args(["-c", &kill])
        .status();
    assert!(status.unwrap().success(), "{kill}");
}
