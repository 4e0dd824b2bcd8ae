//! The OAuth metadata document of this server, open to all.

use axum::routing::get;
use axum::{Json, Router};

use crate::identity::ProtectedResource;

/// The document at its paths.
pub fn router(resource: &ProtectedResource) -> Router {
    let document = resource.document();
    resource.paths().iter().fold(Router::new(), |router, path| {
        let document = document.clone();
        router.route(path, get(async move || Json(document)))
    })
}
