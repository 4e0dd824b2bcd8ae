//! REST on a real port: routes and problems, who may call, and purchases.

mod access;
mod money;
pub(crate) mod routes;
