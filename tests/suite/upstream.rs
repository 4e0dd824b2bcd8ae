//! What arrives at 7digital, and what becomes of its answers.

mod answers;
mod errors;
mod locker;
mod operations;
mod reader;
pub(crate) mod wire;
