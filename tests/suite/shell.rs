//! What a person in a shell meets.

mod call;
mod fields;
mod help;
mod start;
mod terminal;
