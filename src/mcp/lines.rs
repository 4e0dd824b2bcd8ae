//! Messages as lines over stdin and stdout: a transport for rmcp that holds a line to what HTTP holds a body to.
//!
//! rmcp's own says nothing to a line that it can't read, and ends at a first one that is no request.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, GetExtensions as _, GetMeta as _,
    JsonRpcMessage, ProtocolVersion,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use super::{result, shape};
use crate::calls::Held;
use crate::config::Limits;
use crate::http::body::BodyReader;
use crate::problem::{Kind, Problem};
use crate::telemetry::request_id::RequestId;

/// Messages that were read and that rmcp has not taken yet.
const UNREAD: usize = 8;
/// Some programs on Windows begin what they write with it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Both ends of stdin's and stdout's lines; `gone` is cancelled once nobody reads stdout any more.
pub(super) fn lines(limits: &Limits, stdout: Stdout, gone: CancellationToken) -> (Input, Lines) {
    let (sender, messages) = mpsc::channel(UNREAD);
    let pipe = Arc::new(Mutex::new(stdout));
    let output = Output {
        pipe,
        gone,
        held: Arc::default(),
    };
    let input = Input {
        body: BodyReader::new(limits),
        most: limits.body_bytes,
        output: output.clone(),
        messages: sender,
        opened: false,
    };
    (input, Lines { messages, output })
}

/// What rmcp reads and writes.
pub(super) struct Lines {
    messages: mpsc::Receiver<ClientJsonRpcMessage>,
    output: Output,
}

impl Transport<RoleServer> for Lines {
    type Error = io::Error;

    fn send(
        &mut self,
        mut message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        if let JsonRpcMessage::Error(error) = &mut message {
            error.error = shape::explained(error.error.clone());
        }
        let output = self.output.clone();
        async move {
            let written = output.write(&message).await;
            match &message {
                JsonRpcMessage::Response(answer) => output.let_go(Some(&answer.id)),
                JsonRpcMessage::Error(error) => output.let_go(error.id.as_ref()),
                _ => {}
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        self.messages.recv().await
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Where the client reads.
pub(super) type Stdout = Box<dyn AsyncWrite + Send + Unpin>;

/// Stdout, for rmcp's messages and for ours: one whole line after the other.
#[derive(Clone)]
struct Output {
    pipe: Arc<Mutex<Stdout>>,
    gone: CancellationToken,
    /// What the calls hold whose answers are not written yet.
    held: Arc<parking_lot::Mutex<HashMap<rmcp::model::RequestId, Held>>>,
}

impl Output {
    /// Until the answer to that request is written.
    fn hold(&self, request: &rmcp::model::RequestId, held: Held) {
        self.held.lock().insert(request.clone(), held);
    }

    /// The answer to that request is written, or none will be.
    fn let_go(&self, request: Option<&rmcp::model::RequestId>) {
        if let Some(request) = request {
            self.held.lock().remove(request);
        }
    }

    async fn write(&self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let mut pipe = self.pipe.lock().await;
        let mut written = pipe.write_all(&line).await;
        if written.is_ok() {
            written = pipe.flush().await;
        }
        if written.is_err() {
            self.gone.cancel();
        }
        written
    }
}

/// Reads lines, answers those that are no good messages, and passes the others on.
pub(super) struct Input {
    body: BodyReader,
    most: usize,
    output: Output,
    messages: mpsc::Sender<ClientJsonRpcMessage>,
    /// Whether rmcp has had a request that opens a session, or needs none.
    opened: bool,
}

impl Input {
    /// Reads to the end. A last line may lack its newline.
    pub(super) async fn read(mut self, mut stdin: impl AsyncBufRead + Unpin) {
        let mut line = Vec::new();
        while let Ok(Some(read)) = next_line(&mut stdin, &mut line, self.most).await {
            let mut id = Value::Null;
            let message = match read {
                Line::Whole => self.message(&line, &mut id),
                Line::TooLong => {
                    let why = format!("a message has at most {} bytes", self.most);
                    Err(Problem::rejected(Kind::TooLarge, why))
                }
            };
            let done = match message {
                Ok(Some(message)) => self.messages.send(message).await.is_ok(),
                Ok(None) => true,
                Err(problem) => self.reject(&problem, &id).await.is_ok(),
            };
            if !done {
                return;
            }
        }
    }

    /// What a line says; none where it says nothing that anybody waits for.
    fn message(
        &mut self,
        line: &[u8],
        id: &mut Value,
    ) -> Result<Option<ClientJsonRpcMessage>, Problem> {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let outline = match shape::outline(&self.body, line, id) {
            Err(problem) if problem.kind == Kind::InvalidRequest && is_answer(line) => {
                // An answer to nothing is not answered: two ends that did would never stop.
                tracing::debug!("passed over: {}", problem.what);
                return Ok(None);
            }
            outline => outline?,
        };
        shape::check_params(&outline, line)?;
        let message = serde_json::from_slice(line);
        let mut message = message.map_err(|_| shape::unreadable(&outline))?;
        match &mut message {
            JsonRpcMessage::Request(request) => {
                self.opened |= opens(&request.request);
                let held = Held::default();
                self.output.hold(&request.id, held.clone());
                request.request.extensions_mut().insert(held);
            }
            JsonRpcMessage::Notification(notification) if self.opened => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                {
                    // It is not answered.
                    self.output.let_go(cancelled.params.request_id.as_ref());
                }
            }
            // rmcp would end at a first message that is no request.
            _ if !self.opened => {
                tracing::debug!("passed over: it comes before the first request");
                return Ok(None);
            }
            _ => {}
        }
        Ok(Some(message))
    }

    async fn reject(&self, problem: &Problem, id: &Value) -> io::Result<()> {
        let request = RequestId::default();
        tracing::info!(request_id = %request, "rejected: {}", problem.what);
        let answer = result::error(problem, &request, id);
        self.output.write(&answer).await
    }
}

/// Whether a line that is JSON is an answer.
fn is_answer(line: &[u8]) -> bool {
    let message: Value = serde_json::from_slice(line).unwrap_or_default();
    let has = |name| message.get(name).is_some();
    !has("method") && (has("error") || has("result"))
}

/// Whether rmcp serves what follows on such a request, as it looks at it itself.
fn opens(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            let missing = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28);
            let version = meta.protocol_version();
            missing.is_empty()
                && version.is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
        }
    }
}

/// What was read.
enum Line {
    /// A line, without its newline.
    Whole,
    /// More than a line may have; nothing of it is kept.
    TooLong,
}

/// Reads the next line into `line`; none at the end.
async fn next_line(
    stdin: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    most: usize,
) -> io::Result<Option<Line>> {
    line.clear();
    let (mut begun, mut too_long) = (false, false);
    loop {
        let read = stdin.fill_buf().await?;
        if read.is_empty() {
            break;
        }
        begun = true;
        let end = read.iter().position(|byte| *byte == b'\n');
        let part = read.split(|byte| *byte == b'\n').next();
        let part = part.unwrap_or_default();
        too_long |= line.len() + part.len() > most;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let taken = end.map_or(read.len(), |end| end + 1);
        stdin.consume(taken);
        if end.is_some() {
            break;
        }
    }
    Ok(match (begun, too_long) {
        (false, _) => None,
        (true, false) => Some(Line::Whole),
        (true, true) => Some(Line::TooLong),
    })
}
