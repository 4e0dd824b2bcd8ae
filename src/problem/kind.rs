//! The kinds of problem: what each is called on the REST surface, and with which status it is told.

use http::StatusCode;
use serde_json::{Value, json};

/// A kind of problem. Its slug is part of the interface: programs tell problems apart by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Body or query can't be read as arguments.
    Unreadable,
    /// An argument is missing, unknown or wrong.
    Argument,
    /// A header is given badly, or names a user where that is not allowed.
    Header,
    /// No bearer token was shown, or a wrong one.
    Unauthenticated,
    /// The request comes from another web page, or was meant for another host.
    Foreign,
    /// The caller may not use this tool, or not for this user.
    NotAllowed,
    /// The operator does not let this server spend.
    SpendingOff,
    /// A limit of the operator's binds.
    SpendingLimit,
    /// The user would have to be asked, and can't be.
    NotAsked,
    /// The user said no.
    Declined,
    /// 7digital did not authorise the request.
    NotAuthorised,
    /// There is nothing at this path.
    NoSuchPath,
    /// There is no such method here.
    NoSuchMethod,
    /// There is no such session, or it is not this caller's.
    NoSuchSession,
    /// The body did not come in time.
    TooSlow,
    /// The user must say yes first.
    ConfirmationNeeded,
    /// The yes is not for this call, too old, or used.
    ConfirmationInvalid,
    /// It may have been charged, and nobody knows.
    OutcomeUnknown,
    /// The request is too large.
    TooLarge,
    /// The body is of a type that is not understood.
    MediaType,
    /// 7digital understood the request and refused it.
    Refused,
    /// The idempotency key was used for another call.
    KeyReused,
    /// 7digital asks for fewer requests.
    Throttled,
    /// The caller calls too often.
    TooOften,
    /// A fault of ours.
    Broken,
    /// 7digital's answer can't be trusted, or reports a fault on its side.
    BadAnswer,
    /// 7digital can't be reached, or says that it is unavailable.
    Unavailable,
    /// As much is under way as this server takes at once.
    Busy,
    /// No consumer key is set.
    NotConfigured,
    /// The ledger can't be used.
    NoLedger,
    /// The server is stopping.
    Stopping,
    /// 7digital did not finish its answer.
    Interrupted,
}

impl Kind {
    /// Every kind, by status.
    pub const ALL: [Self; 32] = [
        Self::Unreadable,
        Self::Argument,
        Self::Header,
        Self::Unauthenticated,
        Self::Foreign,
        Self::NotAllowed,
        Self::SpendingOff,
        Self::SpendingLimit,
        Self::NotAsked,
        Self::Declined,
        Self::NotAuthorised,
        Self::NoSuchPath,
        Self::NoSuchMethod,
        Self::NoSuchSession,
        Self::TooSlow,
        Self::ConfirmationNeeded,
        Self::ConfirmationInvalid,
        Self::OutcomeUnknown,
        Self::TooLarge,
        Self::MediaType,
        Self::Refused,
        Self::KeyReused,
        Self::Throttled,
        Self::TooOften,
        Self::Broken,
        Self::BadAnswer,
        Self::Unavailable,
        Self::Busy,
        Self::NotConfigured,
        Self::NoLedger,
        Self::Stopping,
        Self::Interrupted,
    ];

    /// HTTP status, slug and title. The one place where a failure becomes a status.
    pub const fn told(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unreadable => (400, "unreadable-request", "The request can't be read"),
            Self::Argument => (400, "invalid-argument", "An argument is not right"),
            Self::Header => (400, "invalid-header", "A header is not right"),
            Self::Unauthenticated => (401, "unauthenticated", "A bearer token is needed"),
            Self::Foreign => (403, "foreign-request", "The request comes from elsewhere"),
            Self::NotAllowed => (403, "not-allowed", "This caller may not do that"),
            Self::SpendingOff => (403, "spending-off", "This server does not spend"),
            Self::SpendingLimit => (403, "spending-limit", "A spending limit is reached"),
            Self::NotAsked => (403, "user-not-asked", "The user can't be asked"),
            Self::Declined => (403, "user-declined", "The user did not agree"),
            Self::NotAuthorised => (403, "not-authorised", "7digital did not authorise it"),
            Self::NoSuchPath => (404, "no-such-path", "There is nothing here"),
            Self::NoSuchMethod => (405, "no-such-method", "The method is not served here"),
            Self::NoSuchSession => (404, "no-such-session", "There is no such session"),
            Self::TooSlow => (408, "too-slow", "The request took too long to come"),
            Self::ConfirmationNeeded => (409, "confirmation-needed", "The user must agree first"),
            Self::ConfirmationInvalid => {
                (409, "confirmation-invalid", "The confirmation is not valid")
            }
            Self::OutcomeUnknown => (409, "outcome-unknown", "It may have been charged"),
            Self::TooLarge => (413, "too-large", "The request is too large"),
            Self::MediaType => (415, "media-type", "The body's type is not understood"),
            Self::Refused => (422, "refused", "7digital refused the request"),
            Self::KeyReused => (422, "key-reused", "The idempotency key was used before"),
            Self::Throttled => (429, "throttled", "7digital's rate limit is reached"),
            Self::TooOften => (429, "too-often", "This caller calls too often"),
            Self::Broken => (500, "broken", "A fault of this server"),
            Self::BadAnswer => (502, "bad-answer", "7digital's answer is not usable"),
            Self::Unavailable => (503, "unavailable", "7digital can't be reached"),
            Self::Busy => (503, "busy", "This server has its hands full"),
            Self::NotConfigured => (503, "not-configured", "No consumer key is set"),
            Self::NoLedger => (503, "no-ledger", "Purchases can't be written down"),
            Self::Stopping => (503, "stopping", "This server is stopping"),
            Self::Interrupted => (504, "interrupted", "7digital did not finish its answer"),
        }
    }

    /// HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.told().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The problem's `type`: a URI reference that stays the same.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.told().1)
    }

    /// A problem of this kind as RFC 9457 has it, with further fields.
    pub fn document(
        self,
        detail: &str,
        further: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Value {
        let (status, _, title) = self.told();
        let own = [
            ("type", json!(self.uri())),
            ("title", json!(title)),
            ("status", json!(status)),
            ("detail", json!(detail)),
        ];
        let fields = own.into_iter().chain(further);
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
