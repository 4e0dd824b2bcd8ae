//! What a person in a shell meets.

mod call;
mod fields;
mod terminal;
