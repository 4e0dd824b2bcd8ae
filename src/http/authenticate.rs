//! The layer that finds out who calls.

use http::Extensions;
use http::request::Parts;

use super::errors::Check;
use crate::identity::{Authenticator, Caller};
use crate::problem::Problem;

impl Check for Authenticator {
    async fn check(&self, request: &mut Parts) -> Result<(), Problem> {
        let caller = self.authenticate(&request.headers).await?;
        request.extensions.insert(caller);
        Ok(())
    }
}

/// The caller that the layer has found. A request without one has not passed the layer.
pub fn caller(extensions: &Extensions) -> Result<Caller, Problem> {
    extensions.get().cloned().ok_or_else(Problem::internal)
}
