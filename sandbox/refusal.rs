//! Why a call is refused, in one of 7digital's two forms.

pub(crate) const DENIED: &str = "Access to resource denied";
pub(crate) const NO_CREDENTIALS: &str = "Not authorised - no user credentials provided";
pub(crate) const NEEDS_TOKEN: &str = "Resource requires access token";
pub(crate) const NOT_FOUND: &str = "Resource not found";

/// A refusal.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An error document.
    Api {
        code: u64,
        message: String,
        status: u16,
    },
    /// Plain text with HTTP 401.
    Plain(String),
}

impl Refusal {
    /// An error document with that code, from which the HTTP status follows.
    pub(crate) fn new(code: u64, message: impl Into<String>) -> Self {
        let status = match code {
            2001 => 404,
            7000.. => 500,
            _ => 400,
        };
        Self::Api {
            code,
            message: message.into(),
            status,
        }
    }

    /// The plain text for a wrong key, token, password or user.
    pub(crate) fn denied() -> Self {
        Self::Plain(DENIED.to_owned())
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::new(1001, format!("Missing parameter {name}"))
    }

    pub(crate) fn invalid(name: &str, value: &str) -> Self {
        let message = format!("Value of parameter {name} is not valid: {value}");
        Self::new(1002, message)
    }

    pub(crate) fn out_of_range(name: &str, value: &str) -> Self {
        let message = format!("Value of parameter {name} is out of range: {value}");
        Self::new(1003, message)
    }

    pub(crate) fn not_available(thing: &str, id: &str) -> Self {
        let message = format!("{thing} with id {id} is not available in this context");
        Self::new(2002, message)
    }

    pub(crate) fn not_found(thing: &str, id: &str) -> Self {
        Self::new(2001, format!("{thing} with id {id} not found"))
    }
}
