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
    /// This server has no such method of MCP's.
    NoSuchRpcMethod,
    /// There is no such session, or it is not this caller's.
    NoSuchSession,
    /// The answer can't be had in a media type that the client takes.
    NotAcceptable,
    /// The body did not arrive in time.
    Timeout,
    /// The user must confirm the call first.
    ConfirmationRequired,
    /// The user was asked and has not answered yet.
    ConfirmationPending,
    /// The confirmation belongs to another call, is too old, or was used.
    InvalidConfirmation,
    /// 7digital's price is another than the one that was agreed to.
    PriceChanged,
    /// A purchase was sent, and its outcome is not known.
    OutcomeUnknown,
    /// The request is too large.
    TooLarge,
    /// The body's media type is not accepted.
    MediaType,
    /// 7digital understood the request and refused it.
    Refused,
    /// 7digital does not sell the item, or not in this country.
    NotForSale,
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

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;
const HEADER_MISMATCH: i64 = -32020;

/// Every kind, in the order of [`Kind`].
#[rustfmt::skip]
pub const KINDS: &[Spec] = &[
    Spec { kind: Kind::Unreadable, status: 400, slug: "unreadable-request", rpc_code: PARSE_ERROR, title: "The request can't be read", example: "Nothing was done: the body is not JSON that is accepted here: EOF while parsing a value at line 1 column 0." },
    Spec { kind: Kind::InvalidRequest, status: 400, slug: "invalid-request", rpc_code: INVALID_REQUEST, title: "The body is not a JSON-RPC request", example: "Nothing was done: a batch is not accepted: send each message by itself." },
    Spec { kind: Kind::Argument, status: 400, slug: "invalid-argument", rpc_code: INVALID_PARAMS, title: "An argument is not right", example: "An argument is not right: page: expected a whole number from 1 to 2147483647. Correct it and call again." },
    Spec { kind: Kind::Header, status: 400, slug: "invalid-header", rpc_code: INVALID_REQUEST, title: "A header is not right", example: "Nothing was done: `x-mcp-readonly` is `true` or `false`." },
    Spec { kind: Kind::HeaderMismatch, status: 400, slug: "header-mismatch", rpc_code: HEADER_MISMATCH, title: "A header contradicts the message", example: "Nothing was done: `MCP-Protocol-Version` is given once." },
    Spec { kind: Kind::Unauthenticated, status: 401, slug: "unauthenticated", rpc_code: INVALID_REQUEST, title: "A bearer token is needed", example: "Nothing was done: the token has expired." },
    Spec { kind: Kind::CrossOrigin, status: 403, slug: "foreign-request", rpc_code: INVALID_REQUEST, title: "The request comes from elsewhere", example: "Nothing was done: the `Origin` is another web page's." },
    Spec { kind: Kind::Forbidden, status: 403, slug: "not-allowed", rpc_code: INVALID_REQUEST, title: "This caller may not do that", example: "This caller may not use this tool." },
    Spec { kind: Kind::SpendingOff, status: 403, slug: "spending-off", rpc_code: INVALID_REQUEST, title: "This server does not spend", example: "This server does not spend: the setting `spending` is `off`." },
    Spec { kind: Kind::SpendingLimit, status: 403, slug: "spending-limit", rpc_code: INVALID_REQUEST, title: "A spending limit is reached", example: "The operator's limit `max_price` of 2000 is reached." },
    Spec { kind: Kind::ElicitationUnsupported, status: 403, slug: "user-not-asked", rpc_code: INVALID_REQUEST, title: "The user can't be asked", example: "This call needs the user's confirmation, and this client can't ask for it." },
    Spec { kind: Kind::Declined, status: 403, slug: "user-declined", rpc_code: INVALID_REQUEST, title: "The user did not agree", example: "The user did not confirm the call, so nothing was sent." },
    Spec { kind: Kind::NotAuthorised, status: 403, slug: "not-authorised", rpc_code: INVALID_REQUEST, title: "7digital did not authorise it", example: "7digital did not authorise the request." },
    Spec { kind: Kind::NoSuchPath, status: 404, slug: "no-such-path", rpc_code: INVALID_REQUEST, title: "There is nothing here", example: "There is nothing at this path; `/openapi.json` lists what there is." },
    Spec { kind: Kind::NoSuchMethod, status: 405, slug: "no-such-method", rpc_code: INVALID_REQUEST, title: "The method is not served here", example: "This path takes GET; nothing was done." },
    Spec { kind: Kind::NoSuchRpcMethod, status: 404, slug: "no-such-mcp-method", rpc_code: METHOD_NOT_FOUND, title: "MCP's method is not served here", example: "Nothing was done: this server has no prompts." },
    Spec { kind: Kind::NoSuchSession, status: 404, slug: "no-such-session", rpc_code: INVALID_REQUEST, title: "There is no such session", example: "Nothing was done: there is no such session; initialize a new one." },
    Spec { kind: Kind::NotAcceptable, status: 406, slug: "not-acceptable", rpc_code: INVALID_REQUEST, title: "The answer can't be had like that", example: "Nothing was done: the answer can't be had as the `Accept` wants it; send `Accept: application/json`." },
    Spec { kind: Kind::Timeout, status: 408, slug: "too-slow", rpc_code: INVALID_REQUEST, title: "The request took too long to arrive", example: "Nothing was done: a body arrives whole within 15 seconds." },
    Spec { kind: Kind::ConfirmationRequired, status: 409, slug: "confirmation-needed", rpc_code: INVALID_REQUEST, title: "The user must confirm first", example: "Nothing was sent. Show `message` to the user; if they agree, make the same call again." },
    Spec { kind: Kind::ConfirmationPending, status: 409, slug: "confirmation-pending", rpc_code: INVALID_REQUEST, title: "The user has not answered yet", example: "Waiting for the user's answer in the user's browser. Nothing was sent yet." },
    Spec { kind: Kind::InvalidConfirmation, status: 409, slug: "confirmation-invalid", rpc_code: INVALID_REQUEST, title: "The confirmation is not valid", example: "The confirmation is not valid for this call." },
    Spec { kind: Kind::PriceChanged, status: 409, slug: "price-changed", rpc_code: INVALID_REQUEST, title: "The price is another", example: "The amount due of the basket was 9.99 GBP and is 10.99 GBP now; it was not bought." },
    Spec { kind: Kind::OutcomeUnknown, status: 409, slug: "outcome-unknown", rpc_code: INVALID_REQUEST, title: "It may have been charged", example: "Charge 7 (release 11700062) was sent, and no trustworthy answer came: it may have been charged." },
    Spec { kind: Kind::TooLarge, status: 413, slug: "too-large", rpc_code: INVALID_REQUEST, title: "The request is too large", example: "Nothing was done: a body has at most 262144 bytes." },
    Spec { kind: Kind::MediaType, status: 415, slug: "media-type", rpc_code: INVALID_REQUEST, title: "The body's type is not accepted", example: "Nothing was done: send one `Content-Type: application/json`." },
    Spec { kind: Kind::Refused, status: 422, slug: "refused", rpc_code: INVALID_REQUEST, title: "7digital refused the request", example: "7digital refused the request: the user has no default card. Code 3002." },
    Spec { kind: Kind::NotForSale, status: 422, slug: "not-for-sale", rpc_code: INVALID_REQUEST, title: "7digital does not sell it", example: "7digital does not sell release 11700062 in JP (code 2002). Nothing was bought." },
    Spec { kind: Kind::KeyReused, status: 422, slug: "key-reused", rpc_code: INVALID_REQUEST, title: "The idempotency key was used before", example: "This Idempotency-Key was used for a call with other arguments." },
    Spec { kind: Kind::Throttled, status: 429, slug: "throttled", rpc_code: 429, title: "7digital's rate limit is reached", example: "7digital's rate limit is reached. Nothing was changed; the call can safely be repeated in 7 seconds." },
    Spec { kind: Kind::RateLimited, status: 429, slug: "too-often", rpc_code: 429, title: "This caller calls too often", example: "It was not sent: this caller reads too often. Nothing was changed; the call can safely be repeated in 1 second." },
    Spec { kind: Kind::Internal, status: 500, slug: "broken", rpc_code: INTERNAL_ERROR, title: "A fault of this server", example: "The call failed inside this server." },
    Spec { kind: Kind::BadAnswer, status: 502, slug: "bad-answer", rpc_code: INTERNAL_ERROR, title: "7digital's answer is not usable", example: "7digital's answer could not be read: an HTML page." },
    Spec { kind: Kind::Unavailable, status: 503, slug: "unavailable", rpc_code: INTERNAL_ERROR, title: "7digital can't be reached", example: "7digital is unavailable (HTTP 503). Nothing was changed; the call can safely be repeated later." },
    Spec { kind: Kind::Overloaded, status: 503, slug: "busy", rpc_code: 503, title: "This server is overloaded", example: "As many calls are in flight as this server takes at once. Nothing was changed; the call can safely be repeated in 1 second." },
    Spec { kind: Kind::NotConfigured, status: 503, slug: "not-configured", rpc_code: INTERNAL_ERROR, title: "No consumer key is set", example: "No 7digital consumer key is set, so nothing can be called." },
    Spec { kind: Kind::NoLedger, status: 503, slug: "no-ledger", rpc_code: INTERNAL_ERROR, title: "Purchases can't be written down", example: "This purchase can't be written down, so it was not made." },
    Spec { kind: Kind::ShuttingDown, status: 503, slug: "stopping", rpc_code: 503, title: "This server is shutting down", example: "This server is shutting down. Call again once it has been started anew." },
    Spec { kind: Kind::Interrupted, status: 504, slug: "interrupted", rpc_code: INTERNAL_ERROR, title: "7digital did not finish its answer", example: "7digital did not finish its answer: it took too long." },
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
