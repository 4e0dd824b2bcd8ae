//! REST: the same tools at the capability's routes, described as `OpenAPI`.

mod arguments;
mod docs;
mod openapi;
mod response;
pub mod routes;
