//! REST: the same tools at the capability's routes, described as `OpenAPI`.

mod arguments;
mod docs;
mod errors;
mod headers;
mod openapi;
mod response;
pub mod routes;
