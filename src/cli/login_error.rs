//! Why there is no login.

use sevendigital::{Effect, Error};

use crate::problem::Problem;

/// Why there is no login: what happened, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoginError(pub String);

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self(match error {
            // The code's usual meaning is about countries.
            Error::Rejected { code: 2002, .. } => {
                "7digital says that the user has not allowed it yet (code 2002): run `login` again and choose Allow on 7digital's page".into()
            }
            error => Problem::from(error).of_call(Effect::Reads).detail(),
        })
    }
}
