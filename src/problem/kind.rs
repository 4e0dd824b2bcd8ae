//! The kinds of problem: one row each, from which statuses, JSON-RPC codes and the `OpenAPI` description are made.

/// A kind of problem. Its slug is part of the interface: programs tell problems apart by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The body is not JSON within bounds, or body or query can't be read as arguments.
    Unreadable,
    /// JSON that is not one JSON-RPC request.
    InvalidRequest,
    /// An argument is missing, unknown or wrong.
    Argument,
    /// A header is given badly, or names a user where that is not allowed.
    Header,
    /// A header contradicts the message, or itself.
    HeaderMismatch,
    /// No bearer token was given, or a wrong one.
    Unauthenticated,
    /// The request comes from another web page, or was meant for another host.
    CrossOrigin,
    /// The caller may not use this tool, or not for this user.
    Forbidden,
    /// The operator does not let this server spend.
    SpendingOff,
    /// A spending limit of the operator's is reached.
    SpendingLimit,
    /// The user would have to be asked, and can't be.
    ElicitationUnsupported,
    /// The user said no.
    Declined,
    /// 7digital did not authorise the request.
    NotAuthorised,
    /// There is nothing at this path.
    NoSuchPath,
    /// The path exists and does not take this method.
    NoSuchMethod,
    /// There is no such session, or it is not this caller's.
    NoSuchSession,
    /// The body did not arrive in time.
    Timeout,
    /// The user must confirm the call first.
    ConfirmationRequired,
    /// The confirmation belongs to another call, is too old, or was used.
    InvalidConfirmation,
    /// A purchase was sent, and its outcome is not known.
    OutcomeUnknown,
    /// The request is too large.
    TooLarge,
    /// The body's media type is not accepted.
    MediaType,
    /// 7digital understood the request and refused it.
    Refused,
    /// The idempotency key was used for another call.
    KeyReused,
    /// 7digital asks for fewer requests.
    Throttled,
    /// The caller calls too often, or has too many calls in flight.
    RateLimited,
    /// A fault of this server.
    Internal,
    /// 7digital's answer can't be trusted, or reports a fault on its side.
    BadAnswer,
    /// 7digital can't be reached, or says that it is unavailable.
    Unavailable,
    /// As many calls are in flight as this server takes.
    Overloaded,
    /// No consumer key is set.
    NotConfigured,
    /// The ledger can't be used.
    NoLedger,
    /// The server is shutting down.
    ShuttingDown,
    /// 7digital did not finish its answer.
    Interrupted,
}

/// What is fixed for a kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The kind.
    pub kind: Kind,
    /// HTTP status.
    pub status: u16,
    /// The end of the problem's `type`.
    pub slug: &'static str,
    /// Code of a JSON-RPC error. Those of JSON-RPC and MCP are negative; a code of our own is the HTTP status.
    pub rpc_code: i64,
    /// A few words for people.
    pub title: &'static str,
    /// What such a problem says, for the `OpenAPI` description.
    pub example: &'static str,
}

const fn row(
    kind: Kind,
    status: u16,
    slug: &'static str,
    rpc_code: i64,
    title: &'static str,
    example: &'static str,
) -> Spec {
    Spec {
        kind,
        status,
        slug,
        rpc_code,
        title,
        example,
    }
}

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;
const HEADER_MISMATCH: i64 = -32020;

/// Every kind, in the order of [`Kind`].
#[rustfmt::skip]
pub const KINDS: &[Spec] = &[
    row(Kind::Unreadable, 400, "unreadable-request", PARSE_ERROR, "The request can't be read", "Nothing was done: the body is not JSON that is accepted here: EOF while parsing a value at line 1 column 0."),
    row(Kind::InvalidRequest, 400, "invalid-request", INVALID_REQUEST, "The body is not a JSON-RPC request", "Nothing was done: a batch is not accepted: send each message by itself."),
    row(Kind::Argument, 400, "invalid-argument", INVALID_PARAMS, "An argument is not right", "An argument is not right: page: expected a whole number from 1 to 2147483647. Correct it and call again."),
    row(Kind::Header, 400, "invalid-header", INVALID_REQUEST, "A header is not right", "Nothing was done: `x-mcp-readonly` is `true` or `false`."),
    row(Kind::HeaderMismatch, 400, "header-mismatch", HEADER_MISMATCH, "A header contradicts the message", "Nothing was done: `MCP-Protocol-Version` is given once."),
    row(Kind::Unauthenticated, 401, "unauthenticated", INVALID_REQUEST, "A bearer token is needed", "Nothing was done: the token has expired."),
    row(Kind::CrossOrigin, 403, "foreign-request", INVALID_REQUEST, "The request comes from elsewhere", "Nothing was done: the `Origin` is another web page's."),
    row(Kind::Forbidden, 403, "not-allowed", INVALID_REQUEST, "This caller may not do that", "This caller may not use this tool."),
    row(Kind::SpendingOff, 403, "spending-off", INVALID_REQUEST, "This server does not spend", "This server does not spend: the setting `spending` is `off`."),
    row(Kind::SpendingLimit, 403, "spending-limit", INVALID_REQUEST, "A spending limit is reached", "The operator's limit `max_price` of 2000 is reached."),
    row(Kind::ElicitationUnsupported, 403, "user-not-asked", INVALID_REQUEST, "The user can't be asked", "This call needs the user's confirmation, and this client can't ask for it."),
    row(Kind::Declined, 403, "user-declined", INVALID_REQUEST, "The user did not agree", "The user did not confirm the call, so nothing was sent."),
    row(Kind::NotAuthorised, 403, "not-authorised", INVALID_REQUEST, "7digital did not authorise it", "7digital did not authorise the request."),
    row(Kind::NoSuchPath, 404, "no-such-path", INVALID_REQUEST, "There is nothing here", "There is nothing at this path; `/openapi.json` lists what there is."),
    row(Kind::NoSuchMethod, 405, "no-such-method", INVALID_REQUEST, "The method is not served here", "This path takes GET; nothing was done."),
    row(Kind::NoSuchSession, 404, "no-such-session", INVALID_REQUEST, "There is no such session", "Nothing was done: there is no such session; initialize a new one."),
    row(Kind::Timeout, 408, "too-slow", INVALID_REQUEST, "The request took too long to arrive", "Nothing was done: a body arrives whole within 15 seconds."),
    row(Kind::ConfirmationRequired, 409, "confirmation-needed", INVALID_REQUEST, "The user must confirm first", "Nothing was sent. Show `message` to the user; if they agree, make the same call again."),
    row(Kind::InvalidConfirmation, 409, "confirmation-invalid", INVALID_REQUEST, "The confirmation is not valid", "The confirmation is not valid for this call."),
    row(Kind::OutcomeUnknown, 409, "outcome-unknown", INVALID_REQUEST, "It may have been charged", "Charge 7 (release 11700062) was sent, and no trustworthy answer came: it may have been charged."),
    row(Kind::TooLarge, 413, "too-large", INVALID_REQUEST, "The request is too large", "Nothing was done: a body has at most 262144 bytes."),
    row(Kind::MediaType, 415, "media-type", INVALID_REQUEST, "The body's type is not accepted", "Nothing was done: send one `Content-Type: application/json`."),
    row(Kind::Refused, 422, "refused", INVALID_REQUEST, "7digital refused the request", "7digital refused the request: the user has no default card. Code 3002."),
    row(Kind::KeyReused, 422, "key-reused", INVALID_REQUEST, "The idempotency key was used before", "This Idempotency-Key was used for a call with other arguments."),
    row(Kind::Throttled, 429, "throttled", 429, "7digital's rate limit is reached", "7digital's rate limit is reached. Nothing was changed; the call can safely be repeated in 7 seconds."),
    row(Kind::RateLimited, 429, "too-often", 429, "This caller calls too often", "It was not sent: this caller reads too often. Nothing was changed; the call can safely be repeated in 1 second."),
    row(Kind::Internal, 500, "broken", INTERNAL_ERROR, "A fault of this server", "The call failed inside this server."),
    row(Kind::BadAnswer, 502, "bad-answer", INTERNAL_ERROR, "7digital's answer is not usable", "7digital's answer could not be read: an HTML page."),
    row(Kind::Unavailable, 503, "unavailable", INTERNAL_ERROR, "7digital can't be reached", "7digital is unavailable (HTTP 503). Nothing was changed; the call can safely be repeated later."),
    row(Kind::Overloaded, 503, "busy", 503, "This server is overloaded", "As many calls are in flight as this server takes at once. Nothing was changed; the call can safely be repeated in 1 second."),
    row(Kind::NotConfigured, 503, "not-configured", INTERNAL_ERROR, "No consumer key is set", "No 7digital consumer key is set, so nothing can be called."),
    row(Kind::NoLedger, 503, "no-ledger", INTERNAL_ERROR, "Purchases can't be written down", "This purchase can't be written down, so it was not made."),
    row(Kind::ShuttingDown, 503, "stopping", 503, "This server is shutting down", "This server is shutting down. Call again once it has been started anew."),
    row(Kind::Interrupted, 504, "interrupted", INTERNAL_ERROR, "7digital did not finish its answer", "7digital did not finish its answer: it took too long."),
];

// A row stands at its kind's place, and no kind is without one.
const _: () = {
    let mut place = 0;
    while place <= Kind::Interrupted as usize {
        #[expect(clippy::indexing_slicing, reason = "checked by the compiler")]
        let in_order = KINDS[place].kind as usize == place;
        assert!(in_order, "KINDS is not in the order of Kind");
        place += 1;
    }
    assert!(place == KINDS.len(), "KINDS has a row too many");
};

impl Kind {
    /// Its row.
    pub const fn spec(self) -> &'static Spec {
        #[expect(clippy::indexing_slicing, reason = "there is a row for each kind")]
        &KINDS[self as usize]
    }

    /// The problem's `type`: a URI reference that stays the same.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.spec().slug)
    }
}
