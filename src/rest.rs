//! REST: the same tools at the capability's routes, described as `OpenAPI`.

mod arguments;
mod docs;
pub mod openapi;
pub mod routes;
