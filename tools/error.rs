//! Why a tool returned no document.

use sevendigital::text::quotable_name;

/// Why a tool returned no document. Callers report each as a failed call, never as a broken protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// An argument was missing, unknown or wrong; nothing was sent.
    #[error("{0}")]
    Input(String),
    /// The client's: 7digital refused, was not reached, or sent no readable answer.
    #[error(transparent)]
    Client(#[from] sevendigital::Error),
    /// 7digital did not refuse, but its answer has no user: nothing says that the password is right.
    #[error("the answer names no user")]
    NotAuthenticated,
    /// 7digital said "ok" and reports a failed card registration inside the answer.
    #[error("the card registration failed")]
    RegistrationFailed {
        /// 7digital's numeric code, if the answer has one.
        code: Option<u32>,
        /// 7digital's words, cleaned.
        message: String,
    },
}

impl ToolError {
    /// A wrong argument: which one, and what was expected of it. The name may be the caller's own: it is shown cleaned.
    pub fn input(field: &str, problem: &str) -> Self {
        Self::Input(format!("{}: {problem}", quotable_name(field)))
    }
}
