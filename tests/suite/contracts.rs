//! What is published of the tools, and rules that hold for every tool: contract files, documents, `OpenAPI`, the same answer on every surface.

mod contract;
mod docs;
mod habits;
mod openapi;
mod parity;
mod properties;
