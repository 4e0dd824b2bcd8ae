//! What can go wrong in a call, and whether it may have taken effect all the same.

use std::time::Duration;

use crate::endpoint::{Endpoint, Method};
use crate::oauth::Parameter;

/// Why a call gave no document.
///
/// No variant holds a URL, a signature or a body; 7digital's own words are cleaned and at most 200 characters long.
/// A `match` on it is exhaustive on purpose: a caller that spends money has to decide on each variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The call of a [dry](crate::Client::dry) client; nothing was sent.
    #[error("nothing was sent: this is a dry run")]
    DryRun(Box<Draft>),
    /// The credentials have no consumer key; nothing was sent.
    #[error("no consumer key is set")]
    NoConsumerKey,
    /// A parameter that must not be sent; nothing was.
    #[error("{name}: {problem}")]
    Input {
        /// The parameter, as the caller named it.
        name: String,
        /// What is wrong with it.
        problem: InvalidParameter,
    },
    /// No connection to 7digital; nothing was sent.
    #[error("7digital could not be reached: {0}")]
    NotSent(ConnectError),
    /// The circuit breaker is open, since too many reads failed just now; nothing was sent.
    #[error("7digital has been failing, so reads are held back")]
    CircuitOpen {
        /// How long to wait before the next read: whole seconds, rounded up, at least one.
        retry_after: Duration,
    },
    /// 7digital says that the operation failed.
    #[error("7digital refused the request{}", code_of(.0))]
    Rejected(Box<Refusal>),
    /// 7digital did not accept the signature, the token, or the key's rights.
    #[error("7digital did not authorise the request")]
    Unauthorised {
        /// 7digital's words.
        message: String,
        /// Seconds by which our clock is ahead of 7digital's, where that is more than two minutes.
        clock_ahead: Option<i64>,
    },
    /// 7digital asks for fewer requests.
    #[error("7digital's rate limit is reached")]
    Throttled {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// A server error that is not one of 7digital's envelopes.
    #[error("7digital is unavailable (HTTP {status})")]
    Unavailable {
        /// HTTP status, 500 to 599.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// 7digital answered, but not in a way that can be trusted.
    #[error("7digital's answer could not be read: {0}")]
    Unreadable(Unreadable),
    /// The answer to a read is large, and as many large answers are held as [`Limits::large_answer_bytes`](crate::Limits::large_answer_bytes) allows.
    #[error("7digital's answer is large, and this program holds as many large answers as it may")]
    TooManyAnswers,
    /// The request was sent, and its answer ended before it was complete.
    #[error("7digital did not finish its answer: {0}")]
    Interrupted(Interruption),
}

/// A request as it would be sent, without key, token and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// HTTP method.
    pub method: Method,
    /// The operation's path below the API's root; `{id}` stands for the parameter `id`.
    pub path: &'static str,
    /// Names and values of its parameters; that of a password is `[redacted]`.
    pub parameters: Vec<(String, String)>,
}

impl Draft {
    pub(crate) fn new(endpoint: &Endpoint, mut parameters: Vec<Parameter>) -> Self {
        for (name, value) in &mut parameters {
            if name.to_ascii_lowercase().contains("password") {
                "[redacted]".clone_into(value);
            }
        }
        Self {
            method: endpoint.method,
            path: endpoint.path,
            parameters,
        }
    }
}

/// What 7digital says where it refuses: in its error envelope, or in another document that reports a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status that it came with: 7digital sends refusals with 200 as well as with 4xx and 5xx.
    pub status: u16,
    /// 7digital's numeric code, where there is one; see [`meaning`](crate::error_code::meaning).
    pub code: Option<u32>,
    /// 7digital's words: those of all errors where there are several. Empty without any.
    pub message: String,
    /// [`Delivery::Rejected`] where it is certain that nothing was done. Otherwise [`Delivery::Unknown`]: with an HTTP status
    /// or a code of a fault on 7digital's side, a purchase beside the refusal, or words that contradict it.
    pub delivery: Delivery,
    /// How long 7digital asks to wait.
    pub retry_after: Option<Duration>,
}

fn code_of(refusal: &Refusal) -> String {
    refusal
        .code
        .map_or_else(String::new, |code| format!(" (code {code})"))
}

/// Whether a call that failed may have taken effect.
///
/// Exhaustive on purpose: what is not handled here may be money that was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing reached 7digital.
    NotSent,
    /// 7digital rejected it.
    Rejected,
    /// It was sent, and no trustworthy answer came back.
    Unknown,
}

impl Error {
    /// Whether the call may have taken effect.
    pub fn delivery(&self) -> Delivery {
        match self {
            Self::DryRun(_)
            | Self::NoConsumerKey
            | Self::Input { .. }
            | Self::NotSent(_)
            | Self::CircuitOpen { .. } => Delivery::NotSent,
            Self::Rejected(refusal) => refusal.delivery,
            Self::Unauthorised { .. } | Self::Throttled { .. } => Delivery::Rejected,
            Self::Unavailable { .. }
            | Self::Unreadable(_)
            | Self::TooManyAnswers
            | Self::Interrupted(_) => Delivery::Unknown,
        }
    }
}

/// Why a parameter is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidParameter {
    /// The input as a whole is not an object of parameters.
    #[error("expected an object")]
    NotAnObject,
    /// Neither text, number nor boolean.
    #[error("expected a text, a number or a boolean, not a list or an object")]
    NotAScalar,
    /// Two names that 7digital takes for the same, since it compares them without case.
    #[error("given twice")]
    Duplicate,
    /// The name is not one that 7digital could know.
    #[error("a parameter's name has 1 to 64 letters, digits, `_` or `-`")]
    Name,
    /// OAuth's own parameters are the signature's.
    #[error("OAuth parameters are added when a request is signed and can't be given")]
    OAuth,
    /// `onBehalfOfPartnerId`, which acts for another partner.
    #[error("a key acts for its own partner only")]
    OtherPartner,
    /// A path segment that might leave its path.
    #[error("expected 1 to 128 letters, digits, `-`, `_`, `.` or `:`")]
    Id,
    /// The value holds a control character.
    #[error("line breaks and other control characters are not accepted")]
    ControlCharacter,
    /// The value is too long.
    #[error("at most {max} characters are accepted")]
    TooLong {
        /// Characters at most.
        max: usize,
    },
    /// A login without a consumer secret.
    #[error("a login is signed, so the secret is needed")]
    SecretNeeded,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// DNS has no address for the host.
    #[error("its name could not be resolved")]
    Dns,
    /// [`Limits::connect_timeout`](crate::Limits::connect_timeout) has passed.
    #[error("connecting took too long")]
    Timeout,
    /// Nothing listens at the address.
    #[error("the connection was refused")]
    Refused,
    /// The server's certificate is not one that this machine trusts.
    #[error("its certificate is not trusted here")]
    Certificate,
    /// TCP or TLS failed in another way.
    #[error("the connection or its TLS handshake failed")]
    Failed,
}

/// How an answer ended before it was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// The connection was reset or closed, or its bytes were not HTTP.
    #[error("the connection broke")]
    ConnectionClosed,
    /// [`Limits::read_timeout`](crate::Limits::read_timeout) has passed without a byte.
    #[error("it fell silent")]
    ReadTimeout,
    /// The deadline of the whole call has passed.
    #[error("it took too long")]
    DeadlineExceeded,
}

/// What is wrong with an answer that could not be read. None of its words are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// No body, and a status that says nothing.
    #[error("it is empty")]
    Empty,
    /// A success in plain text, which 7digital never sends.
    #[error("it is plain text")]
    PlainText,
    /// A page for people.
    #[error("an HTML page")]
    HtmlPage,
    /// Redirects are not followed.
    #[error("it redirects elsewhere (HTTP {0})")]
    Redirect(u16),
    /// HTTP 404 or 410 without an envelope.
    #[error("there is nothing at this address (HTTP {0})")]
    NotFound(u16),
    /// Another 4xx without an envelope.
    #[error("HTTP {0} without an explanation")]
    Unexplained(u16),
    /// A status that can't end an exchange.
    #[error("HTTP {0} is no answer")]
    Status(u16),
    /// `Content-Encoding` is set, though the request accepts none.
    #[error("it is compressed, which was not asked for")]
    Compressed,
    /// Larger than [`Limits::response_bytes`](crate::Limits::response_bytes).
    #[error("it is larger than {max} bytes")]
    TooLarge {
        /// Bytes at most.
        max: usize,
    },
    /// JSON that can't be parsed.
    #[error("broken JSON at line {line}, column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON with more values than any answer has.
    #[error("JSON with too many values")]
    TooManyValues,
    /// A JSON list, text or number.
    #[error("JSON that is not an object")]
    NotAnObject,
    /// XML whose root is no `response`.
    #[error("XML that is not a 7digital answer")]
    Foreign,
    /// XML that is broken or hostile; the text says which.
    #[error("{0}")]
    Xml(&'static str),
    /// The envelope's `status` is neither `ok` nor `error`; or a change was answered with neither an "ok" nor what was changed.
    #[error("it does not say whether it succeeded")]
    EnvelopeStatus,
    /// A document that says "ok" behind an HTTP status that says otherwise.
    #[error("HTTP {0} with a document that says \"ok\"")]
    Contradiction(u16),
    /// The document does not fit the caller's type.
    #[error("it is not of the documented shape")]
    Shape,
    /// The answer to a token call has no token.
    #[error("it holds no token")]
    NoToken,
    /// A token, or its secret, that is missing or not printable ASCII.
    #[error("it has no usable `{0}`")]
    Token(&'static str),
}
