//! Requests for what is not there.

use http::header;

use crate::problem::{Kind, Problem};

pub(super) fn no_such_path() -> Problem {
    let what = "There is nothing at this path; `/openapi.json` lists what there is.";
    Problem::new(Kind::NoSuchPath, what, "")
}

pub(super) fn no_such_method(allowed: &str) -> Problem {
    let what = format!("This path takes {allowed}; nothing was done.");
    Problem::new(Kind::NoSuchMethod, what, "").header(header::ALLOW, allowed)
}
