//! Any bytes at all: what the reader makes of them, held against what must be so of every answer.

use std::fmt::Write as _;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};
use serde_json::{Map, Value};
use sevendigital_tools::{Tool, shape};

// Bytes that are no answer, or were one before they were spoilt.
mod bytes;
// A locker in each of the forms that 7digital's answers have.
mod lockers;
// What an answer must say to be a purchase.
mod sales;

/// Cases of each property.
const CASES: u32 = 10_000;

/// What a property found wrong; a panic in place of it would be printed for each case on the way to the smallest.
pub(super) type Found = Result<(), String>;

pub(super) fn check<S: Strategy>(strategy: &S, property: impl Fn(&S::Value) -> Found) {
    let mut cases = Cases::with_cases(CASES);
    cases.failure_persistence = None;
    let result = TestRunner::new(cases).run(strategy, |value| {
        property(&value).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

pub(super) fn ensure(so: bool, problem: impl FnOnce() -> String) -> Found {
    if so { Ok(()) } else { Err(problem()) }
}

/// The same twice, or else.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Found {
    ensure(found == expected, || {
        format!("{found:?}\nin place of\n{expected:?}")
    })
}

/// An answer that a tool's document is made of, as the server makes it.
fn document_of<T: Tool>(read: &Map<String, Value>) -> Value {
    let mut document = read.clone();
    shape::fit::<T::Output>(&mut document);
    Value::Object(document)
}

/// A text as XML holds it, some characters by number.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => write!(escaped, "&#{};", u32::from(c)).unwrap(),
            'é' => escaped.push_str("&#xE9;"),
            c => escaped.push(c),
        }
    }
    escaped
}
