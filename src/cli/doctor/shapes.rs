//! The area `shapes`: whether 7digital's answers are as documented. It is looked at only when it is named.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::Value;
use sevendigital::{Client, Effect};
use sevendigital_tools::{AnyTool, Arguments, TOOLS};

use super::context::Context;
use super::finding::{Check, Finding};
use crate::problem::Problem;

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[READ];

const READ: Check = Check {
    id: "shapes.read",
    expected: "The answer to each read is as documented.",
    why: "What differs stands in `unexpected` and is lost to nobody, but a model reads it less well. Paths hold no values, so they can be pasted into a report.",
};

/// Makes the reads. `given` are arguments for those that need one, such as an id.
pub(super) async fn examine(context: &Context<'_>, given: &[(String, String)]) -> Vec<Finding> {
    let (config, client) = match context.client() {
        Ok(all) => all,
        Err(why) => return vec![READ.skip(why)],
    };
    let mut given: Vec<_> = given.to_vec();
    let user = config.user_id.clone();
    given.extend(user.map(|user| ("userId".to_owned(), user)));
    let reads = TOOLS.iter();
    let reads = reads.filter(|tool| tool.contract.upstream.effect == Effect::Reads);
    let reads = reads.map(|tool| read(tool, &client, &given));
    join_all(reads).await
}

async fn read(tool: &AnyTool, client: &Client, given: &[(String, String)]) -> Finding {
    let name = tool.contract.name;
    let schema = tool.input_schema();
    let texts = |key: &str| schema.get(key).and_then(Value::as_array);
    let required = texts("required").into_iter().flatten();
    let (mut arguments, mut missing) = (Arguments::new(), Vec::new());
    for needed in required.filter_map(Value::as_str) {
        match given.iter().find(|(name, _)| name == needed) {
            Some((name, value)) => {
                arguments.insert(name.clone(), value.as_str().into());
            }
            None => missing.push(needed),
        }
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let fix = format!("Type `sevendigital-mcp doctor shapes --arg {missing}=…`.");
        return READ.undetermined(
            format!("`{name}` needs {missing}, so it was not read."),
            fix,
        );
    }
    let prepared = match tool.prepare(arguments) {
        Ok(prepared) => prepared,
        Err(error) => return READ.skip(format!("`{name}`: {error}.")),
    };
    match prepared.run(client).await {
        Ok(reply) if reply.unexpected.is_empty() => {
            READ.pass(format!("`{name}` is answered as documented."))
        }
        Ok(reply) => {
            let paths: BTreeSet<String> =
                reply.unexpected.iter().map(|path| anywhere(path)).collect();
            let what = format!("`{name}` is answered otherwise than documented:");
            let fix =
                "Please report these paths, with the name of the tool; there is no value in them.";
            READ.warn(what, fix).with(paths)
        }
        Err(error) => {
            let problem = Problem::from(error);
            let what = format!("`{name}` was not answered: {}", problem.what);
            READ.undetermined(what, "The area `account` says more.")
        }
    }
}

/// The path without the places in lists, which say how much there is.
fn anywhere(path: &str) -> String {
    let mut rest = path.split('[');
    let first = rest.next().unwrap_or_default().to_owned();
    rest.fold(first, |path, part| {
        let behind = part.split_once(']').map_or(part, |(_, behind)| behind);
        format!("{path}[]{behind}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_nothing_of_places() {
        #[rustfmt::skip]
        let rows = [("a", "a"), ("a[0].b[12]", "a[].b[]"), ("a[3].b.c", "a[].b.c")];
        for (path, expected) in rows {
            assert_eq!(anywhere(path), expected);
        }
    }
}
